"""Examples for the documentation: bodies, which the tests send, and words for answers."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

_POLICY: Final = "01a1fee4-3087-7b11-a849-9a0726395d12"
_ORG: Final = "acme"
_WORKSPACE: Final = "01a1fee4-0002-7a33-8e21-3f7b6c8d9ea1"
_REPO: Final = "01a1fee4-0004-7e55-b04d-518d8eafb0c3"
_USER: Final = "01a1fee4-0005-7f66-815e-629e9fb0c1d4"
_RULE: Final = "Do not put customers' card numbers or home addresses into a prompt or an answer."
_EXPLANATION: Final = "The answer contains a card number."

EXAMPLES: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {
        "FlashbackNewPolicy": {
            "name": "Customer data",
            "content": _RULE,
            "riskType": "HIGH",
            "actionType": 2,
            "orgId": _ORG,
            "workspaceId": _WORKSPACE,
            "repoId": None,
        },
        "PolicyChange": {"riskType": "MEDIUM", "actionType": 1},
        "Drafts": {"policies": [{"policy_uuid": _POLICY, "content": _RULE}]},
        "Need": {"level": 0, "prompt": "We answer customers by e-mail and must not leak personal data."},
        "FlashbackNewWorkspace": {"name": "Support Europe"},
        "FlashbackWorkspaceChange": {"name": "Support"},
        "NewMember": {"userId": _USER, "role": "WRITE"},
        "MemberChange": {"role": "READ"},
        "FlashbackNewRepo": {
            "name": "Answers",
            "storageType": "S3",
            "mode": "NORMAL",
            "workspaceId": _WORKSPACE,
        },
        "FlashbackRepoChange": {"name": "Answers by e-mail"},
        "OrganizationChange": {"name": "Acme"},
        "FlashbackNewUser": {
            "email": "grace@example.com",
            "firstName": "Grace",
            "lastName": "Hopper",
            "orgRole": 0,
        },
        "FlashbackUserChange": {"name": "Grace", "lastName": "Hopper"},
        "NameChange": {"name": "Grace"},
        "RoleChange": {"orgRole": 2},
        "NewAiApiKey": {"name": "Answering service", "aiType": "OPENAI"},
        "AiApiKeyChange": {"name": "Answers"},
        "NewAiLlm": {
            "name": "Models for letters",
            "aiType": "OPENAI",
            "key": "sk-example-0123456789abcdef",
            "workspaceId": _WORKSPACE,
        },
        "AiLlmChange": {"name": "Models of letters"},
        "FlashbackNewConversation": {"repoId": _REPO},
        "Prompt": {"prompt": "Draft a short letter to our customers.", "model": "gpt-4.1"},
        "ModelQuery": {"repoId": _REPO, "aiType": "OPENAI"},
        "EventQuery": {"context": 14, "skip": 0, "take": 20},
        "EventIds": {"ids": [1, 2]},
    }
)

WORDS: Final[Mapping[str, Sequence[object]]] = MappingProxyType(
    {
        "id": [_POLICY],
        "Workspace.id": [_WORKSPACE],
        "WorkspaceWithUsers.id": [_WORKSPACE],
        "Repo.id": [_REPO],
        "User.id": [_USER],
        "MemberUser.id": [_USER],
        "Profile.id": [_USER],
        "Person.id": [_USER],
        "Organization.id": [_ORG],
        "Violation.id": ["vio_01M7Z5P01F4RC8MEN98Y4PJ4HV_0"],
        "Alert.id": ["alr_01M7Z5P01F4RC8MEN98Y4PJ4HV_0"],
        "Violation.explanation": [_EXPLANATION],
        "Alert.message": [_EXPLANATION],
        "name": ["Customer data"],
        "Named.name": ["Support Europe"],
        "Workspace.name": ["Support Europe"],
        "WorkspaceWithUsers.name": ["Support Europe"],
        "Repo.name": ["Answers"],
        "Organization.name": ["Acme"],
        "User.name": ["Ada"],
        "MemberUser.name": ["Ada"],
        "Profile.name": ["Ada"],
        "Person.name": ["Ada"],
        "lastName": ["Byron"],
        "email": ["ada@example.com"],
        "content": [_RULE],
        "orgId": [_ORG],
        "workspaceId": [_WORKSPACE],
        "repoId": [_REPO],
        "repoName": ["Answers"],
        "userId": [_USER],
        "userName": ["Ada Byron"],
        "repoAiApiKeyId": ["key_01M7Z5P01F4RC8MEN98Y4PJ4HV"],
        "repoAiApiKeyName": ["Answering service"],
        "policyId": [_POLICY],
        "policyName": ["Customer data"],
        "policy_uuid": [_POLICY],
        "uuid": [_ORG],
        "conversationId": ["conv-8841"],
        "FlashbackConversation.id": ["conv-8841"],
        "FlashbackConversation.createdBy": [_USER],
        "FlashbackMessage.id": ["01a1fee4-0006-7077-925f-73afa0c1d2e5"],
        "FlashbackMessage.content": ["Draft a short letter to our customers."],
        "tokensIn": ["14"],
        "tokensOut": ["9"],
        "tokenCount": [14],
        "title": ["Draft a short letter to our customers."],
        "model": ["gpt-4.1"],
        "AiModel.id": ["gpt-4.1"],
        "AiModel.name": ["gpt-4.1"],
        "llmProvider": ["Models for letters"],
        "Prompted.message": ["Dear customers, thank you for your trust."],
        "createdAt": ["2026-01-10T09:00:00.000Z"],
        "lastUpdatedAt": ["2026-01-10T09:00:00.000Z"],
        "deletedAt": [None],
        "timestamp": ["2026-01-10T09:00:00.000Z"],
        "message": ["It is done."],
        "FlashbackFailure.message": ["content: Say something; it is blank."],
        "llmType": ["OPENAI"],
        "llmModel": ["gpt-4.1"],
        "host": ["gateway.example.com"],
        "total": [1],
        "skip": [0],
        "take": [50],
        "score": [85],
        "advice": ["The rule is clear but for details."],
        "description": ["Nothing says which records are meant."],
        "suggestion": ["Name the records."],
        "orgRoleDescription": ["OWNER"],
        "domain": [""],
        "AiApiKey.name": ["Answering service"],
        "AiLlm.name": ["Models for letters"],
        "AiLlm.key": ["****cdef"],
        "endpoint": ["https://api.openai.com/v1"],
        "SystemEvent.id": [1],
        "SystemEvent.context": ["policy"],
        "contextId": [_POLICY],
        "jsonData": ['{"change":"edited","fields":[]}'],
        "ts": [1_768_035_600_000],
        "start": [1_765_411_200_000],
        "end": [1_768_089_600_000],
        "scope": ["workspace"],
        "scopeId": [_WORKSPACE],
        "window": ["30d"],
        "timeBucketSize": ["6h"],
        "entityId": [_POLICY],
        "entityName": ["Customer data"],
    }
)

ANSWERS: Final[Mapping[str, object]] = MappingProxyType({})

PARAMETERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "policy_id": "The policy.",
        "workspace_id": "The workspace.",
        "repo_id": "The repo.",
        "user_id": "The person.",
        "tenant_id": "The organisation.",
        "ai_key_id": "The API key of an application.",
        "connection_id": "The connection.",
        "conversation_id": "The conversation.",
    }
)
