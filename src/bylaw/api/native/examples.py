"""Examples for the documentation of the native API: bodies, which the tests send, and words for answers."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

_PACK: Final = {
    "file": "finance.yaml",
    "document": {
        "pack": "finance",
        "policies": {
            "invoice-limit": {
                "name": "Invoice limit",
                "conditions": {"phase": "tool_call"},
                "rules": [{"expr": "tool_call.arguments.amount < 5000"}],
            }
        },
    },
}

_INVITATION: Final = "the text of an invitation, 40 letters and digits"

_TICKET: Final = "v1.4c7d3a90f1b2.8uKVaXPR1jaTAJKT6VBVy4FkqVNkFTHgz4VYRqKQS4M="
_STATE: Final = "3nUq0sVx9bYc2Lw7KfTz5Ja8RdGe1HmP4oQi6XuWvZB"

_REQUEST: Final = {
    "agent_id": "refund-agent-7",
    "conversation_id": "conv-8841",
    "phase": "tool_call",
    "user_intent": "The customer wants the money back.",
    "tool_call": {"name": "pay_invoice", "arguments": {"invoice": "F-204", "amount": 7200}},
    "metadata": {"supplier": "Northwind"},
}

EXAMPLES: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {
        "NewTenant": {"name": "Acme", "id": "acme"},
        "RulesToExplain": {"text": "Reject any output that mentions 'lawsuit'."},
        "RuleToTry": {
            "rule": "Reject any output that mentions 'lawsuit'.",
            "context": {"phase": "output", "agent_output": "I will file a lawsuit."},
        },
        "NewKey": {
            "name": "Checkout agent",
            "scopes": ["decisions:write", "receipts:read"],
            "rate_per_minute": 6000,
            "expires_at": "2036-01-01T00:00:00Z",
        },
        "NewWorkspace": {"name": "Support Europe", "id": "support-eu"},
        "WorkspaceChange": {"require_policy": True},
        "NewRepo": {"name": "refund-agent"},
        "RepoChange": {"name": "refund-agent-2"},
        "NewUser": {"email": "ada@example.com", "name": "Ada", "org_role": "WORKSPACES"},
        "UserChange": {"name": "Ada L."},
        "NewSignIn": {"email": "ada@example.com", "password": "nine green lanterns"},
        "Returned": {"ticket": _TICKET, "state": _STATE, "code": "SplxlOBeZQQYbYS6WxSbIA"},
        "NewOrganisation": {
            "organisation": "Acme",
            "name": "Ada",
            "email": "ada@example.com",
            "password": "nine green lanterns",
        },
        "FirstPassword": {"token": _INVITATION, "password": "nine green lanterns"},
        "PasswordChange": {"old": "nine green lanterns", "new": "ten blue lanterns"},
        "RoleInWorkspace": {"role": "WRITE"},
        "NewAgent": {"id": "refund-agent-7", "name": "Refunds", "require_policy": True},
        "AgentChange": {"name": "Refunds and returns"},
        "Binding": {"policy_id": "pol_01M7Z5P01F4RC8MEN98Y4PJ4HV"},
        "NewPolicy": {
            "name": "Invoice approval",
            "topic": "invoices",
            "rules": [
                {"expr": "tool_call.arguments.amount < 5000", "message": "Above 5,000 a person approves."},
                {"text": "Flag as unusual when the supplier is new.", "effect": "flag"},
            ],
            "conditions": {"phase": "tool_call", "tool_call.name": "pay_invoice"},
            "risk": "HIGH",
            "action": "review",
        },
        "DraftPolicy": {
            "name": "Invoice approval",
            "rules": [{"expr": "tool_call.arguments.amount < 5000"}],
            "conditions": {"phase": "tool_call"},
            "examples": [{"name": "A large invoice", "expect": "violate", "request": _REQUEST}],
            "request": _REQUEST,
        },
        "ToRoute": {"said": ["Hello!", "The shoes arrived damaged. Can I have my money back?"]},
        "NewCorrection": {
            "said": ["Hello!", "My parcel came open and half of it is missing."],
            "policy_ids": [],
        },
        "TopicRenaming": {"topic": "refunds", "to": "returns", "dry_run": True},
        "PolicyEdit": {
            "rules": [{"expr": "tool_call.arguments.amount < 4000"}],
            "reason": "The limit was lowered.",
        },
        "Revocation": {"revoked_at": "2026-01-01T00:00:00Z"},
        "PackText": {"file": "finance.yaml", "text": "pack: finance\npolicies: {}\n"},
        "PacksToPlan": {"documents": [_PACK]},
        "PacksToApply": {"documents": [_PACK], "reason": "Agreed with finance."},
        "Import": {
            "workspaces": [{"id": "w-311", "name": "Support Europe"}],
            "policies": [
                {
                    "id": "7d1f0a52-77c5-4c02-9f0e-52f3d18a9f60",
                    "workspace_id": "w-311",
                    "content": {"name": "No promises", "rules": [{"text": "Never promise a date."}]},
                    "created_at": "2025-03-01T09:00:00.000Z",
                    "created_by": "user:u-17",
                }
            ],
            "reason": "Imported from https://old.example.com.",
        },
        "Rollback": {"version": 1, "reason": "The new limit held up too many invoices."},
        "Request": _REQUEST,
        "BatchRequest": {"requests": [_REQUEST, {**_REQUEST, "dry_run": True}]},
        "Reason": {"reason": "Agreed with finance."},
        "Assignee": {"user_id": "01a1fee4-3087-7b11-a849-9a0726395d12"},
        "Comment": {"text": "I called the supplier: the invoice is theirs."},
        "Numbers": {"numbers": [1, 2]},
        "LearningChoices": {"minimum_confidence": 0.6, "most_per_conversation": 2},
        "NewRun": {"workspace_id": "support-eu", "dry_run": True},
        "ConversationsToImport": {
            "workspace_id": "support-eu",
            "conversations": [
                {
                    "id": "conv-8841",
                    "outcome": "Refunded after the return arrived.",
                    "messages": [
                        {"role": "user", "content": "Can I have my money back before I send it?"},
                        {"role": "assistant", "content": "I can refund it right away."},
                        {"role": "human", "content": "No, we never refund before the return arrives."},
                    ],
                }
            ],
        },
        "NewConnection": {
            "workspace_id": "support-eu",
            "name": "Models for support",
            "provider": "openai",
            "key": "sk-example-0123456789abcdef",
        },
        "ConnectionChange": {"name": "Models of support"},
        "NewWebhook": {
            "url": "https://hooks.example.com/bylaw",
            "types": ["policy.*", "approval.requested"],
            "workspace_id": "support-eu",
            "description": "Tells the channel of the support team.",
        },
        "WebhookChange": {"types": ["*"], "is_active": True},
        "Rotation": {"overlap_h": 24},
        "Replay": {"since": "2026-11-20T00:00:00Z", "which": "failed"},
    }
)

_RECEIPT: Final = "rcpt_01M7Z5P01F4RC8MEN98Y4PJ4HV"
_POLICY: Final = "pol_01M7Z5P01F4RC8MEN98Y4PJ4HV"
_APPROVAL: Final = "apr_01M7Z5P01F4RC8MEN98Y4PJ4HV"
_KEY: Final = "key_01M7Z5P01F4RC8MEN98Y4PJ4HV"
_UUID: Final = "01a1fee4-3087-7b11-a849-9a0726395d12"
_DIGEST: Final = "sha256:" + "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
_LOG: Final = "bylaw.local/5d88a67a60a7/main"
_NOTE: Final = (
    f"{_LOG}\n2048\nuKVaXPR1+jaTAJKT6VBVy4FkqVNkFTHgz4VYRqKQS4M=\n\n\u2014 {_LOG} "
    "Pgj2mQGq8hQ0dYv3xkJ0T8gq2v9mS1Zc4bHn7wR5uX0aLk3eFf6iOp1sTtUyVzAaBbCcDdEeFfGgHhIiJjKkLlMmNnOo\n"
)

WORDS: Final[Mapping[str, Sequence[object]]] = MappingProxyType(
    {
        "id": [_POLICY],
        "TenantView.id": ["acme"],
        "TenantView.name": ["Acme"],
        "WorkspaceView.id": ["support-eu"],
        "WorkspaceView.name": ["Support Europe"],
        "RepoView.id": [_UUID],
        "RepoView.name": ["refund-agent"],
        "UserView.id": [_UUID],
        "UserView.name": ["Ada"],
        "OrganisationView.id": ["acme"],
        "OrganisationView.name": ["Acme"],
        "PersonView.id": [_UUID],
        "PersonView.name": ["Ada"],
        "PersonInCareView.id": [_UUID],
        "PersonInCareView.name": ["Ada"],
        "RemarkView.id": [_UUID],
        "RemarkView.text": ["I called the supplier: the invoice is theirs."],
        "CallingKeyView.id": [_KEY],
        "CallingKeyView.name": ["Password"],
        "OwnWorkspaceView.id": ["support-eu"],
        "OwnWorkspaceView.name": ["Support Europe"],
        "SessionView.id": [_KEY],
        "SessionView.name": ["Password"],
        "OpenedView.session": ["bylaw_session_k3J9xw0Qm7Tz2bVn5Rc8Ld1Yf4Hs6Gp"],
        "InvitationView.token": [_INVITATION],
        "Choice.id": ["acme"],
        "Choice.name": ["Acme"],
        "KeyView.id": [_KEY],
        "KeyView.name": ["Checkout agent"],
        "MintedKeyView.id": [_KEY],
        "MintedKeyView.name": ["Checkout agent"],
        "MintedKeyView.key": ["sf_live_v1_k3J9xw0Qm7Tz2bVn5Rc8Ld1Yf4Hs6Gp"],
        "AgentView.id": ["refund-agent-7"],
        "AgentView.name": ["Refunds"],
        "OutcomesPoint.allow": [214],
        "OutcomesPoint.flag": [9],
        "OutcomesPoint.review": [4],
        "OutcomesPoint.block": [2],
        "ReceiptView.id": [_RECEIPT],
        "VerificationView.id": [_RECEIPT],
        "RuleResult.id": ["r1"],
        "ExpressionView.id": ["r1"],
        "TextView.id": ["r2"],
        "RuleChangeView.id": ["r1"],
        "RuleWhy.id": ["r1"],
        "Obligation.id": [_APPROVAL],
        "ApprovalView.id": [_APPROVAL],
        "CheckView.name": ["receipts"],
        "Welcome.name": ["Bylaw"],
        "PartView.name": ["request"],
        "JobView.status": ["dead"],
        "JobDetail.status": ["dead"],
        "StepView.name": ["inclusion"],
        "Decision.extra_rules": [[]],
        "Decision.evaluators": [[]],
        "VerificationView.status": ["verified"],
        "StepView.result": ["pass"],
        "StepView.reason": [""],
        "attention": [False],
        "latest": [3],
        "description": ["Large invoices need a person."],
        "evaluator": ["offline"],
        "verifier_keys": [[f"{_LOG}+7d5c1f09+AW5vdCBhIHJlYWwga2V5"]],
        "policy_id": [_POLICY],
        "receipt_id": [_RECEIPT],
        "receipt": [_RECEIPT],
        "approval_id": [_APPROVAL],
        "agent_id": ["refund-agent-7"],
        "user_id": [_UUID],
        "conversation_id": ["conv-8841"],
        "workspace_id": ["support-eu"],
        "request_id": [_UUID],
        "kid": ["ed25519-7d5c1f09"],
        "name": ["Invoice approval"],
        "email": ["ada@example.com"],
        "org_role": ["WORKSPACES"],
        "workspace_roles": [{"support-eu": "WRITE"}],
        "scopes": [["decisions:write", "receipts:read"]],
        "prefix": ["sf_live_v1_k3J9"],
        "topic": ["invoices"],
        "rules": [["r1"]],
        "expr": ["tool_call.arguments.amount < 5000"],
        "lang": ["cel/1"],
        "message": ["Above 5,000 a person approves."],
        "reason": ["Agreed with finance."],
        "reasons": [["Invoice approval: above 5,000 a person approves."]],
        "action": ["review"],
        "outcome": ["review"],
        "risk": ["HIGH"],
        "reach": ["place"],
        "status": ["violated", "approved", "pending", "open", 200],
        "phase": ["tool_call"],
        "tool": ["pay_invoice"],
        "digest": [_DIGEST],
        "call_digest": [_DIGEST],
        "effective_rules_digest": [_DIGEST],
        "extra_rules_digest": [_DIGEST],
        "log": [_LOG],
        "origin": [_LOG],
        "note": [_NOTE],
        "size": [2048],
        "old_size": [1024],
        "index": [2047],
        "hashes": [["uKVaXPR1+jaTAJKT6VBVy4FkqVNkFTHgz4VYRqKQS4M="]],
        "compliant": [False],
        "dry_run": [False],
        "is_empty": [False],
        "at": ["2026-01-01T00:00:00Z"],
        "created_at": ["2026-01-01T00:00:00Z"],
        "updated_at": ["2026-01-01T00:00:00Z"],
        "decided_at": ["2026-01-01T00:00:00Z"],
        "issued_at": ["2026-01-01T00:00:00Z"],
        "expires_at": ["2036-01-01T00:00:00Z"],
        "since": ["2026-01-01T00:00:00Z"],
        "created_by": [f"key:{_KEY}"],
        "updated_by": [f"key:{_KEY}"],
        "author": [f"key:{_KEY}"],
        "version": ["0.1.0", 3],
        "next_cursor": [None],
        "detail": [""],
        "file": ["finance.yaml"],
        "ticket": [_TICKET],
        "BegunView.address": [f"https://login.example.com/authorize?response_type=code&state={_STATE}"],
        "single_sign_on": ["Example Login"],
    }
)

ANSWERS: Final[Mapping[str, object]] = MappingProxyType(
    {
        "read_bundle": {"format": "bylaw-bundle/1", "receipt": "eyJhZ2VudCI6InJlZnVuZC1hZ2VudC03In0="},
        "read_envelope": {
            "payload": "eyJmb3JtYXQiOiJieWxhdy5yZWNlaXB0LzEifQ==",
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"keyid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "sig": "c2lnbmF0dXJl"}],
        },
        "read_checkpoint": _NOTE,
        "read_checkpoints": _NOTE + _NOTE,
        "export_log": '{"kind":"checkpoint","note":"…"}\n',
        "read_metrics": 'bylaw_decisions_total{outcome="allow",posture="governed",dry_run="no"} 42.0\n',
        "read_keys": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "ed25519-7d5c1f09", "x": "11qYAYKx"}]},
        "read_openapi": {"openapi": "3.1.0", "info": {"title": "Bylaw"}, "paths": {}},
    }
)

PARAMETERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tenant_id": "The tenant.",
        "workspace_id": "The workspace.",
        "repo_id": "The repo.",
        "user_id": "The user.",
        "key_id": "The API key.",
        "session_id": "The session: its id is that of the key that it is.",
        "agent_id": "The agent, by the name that its decisions use.",
        "policy_id": "The policy.",
        "receipt_id": "The receipt, and the decision that it is of.",
        "approval_id": "The approval.",
        "job_id": "The job.",
        "attention_id": "The item of the attention queue.",
        "conversation_id": "The conversation.",
        "run_id": "The run of the learning loop.",
        "connection_id": "The connection.",
        "correction_id": "The correction.",
        "webhook_id": "The webhook.",
        "delivery_id": "The delivery.",
        "model": "Only decisions about this model.",
        "kid": "The signing key.",
        "number": "The number of the version.",
        "old": "The number of the older version.",
        "new": "The number of the newer version.",
        "status": "Only those with this status.",
        "risk": "Only those of this risk.",
        "action": "Only those with this action.",
        "reach": "Only those with this reach.",
        "slug": "Only the one with this slug.",
        "topic": "Only those of this topic.",
        "source_type": "Only those that came from here.",
        "is_active": "Only those that are, or are not, switched on.",
        "in_force": "Only those by which decisions are checked, or not.",
        "waits": "Only those that wait, or do not wait, for review: new ones and pending edits.",
        "has_pending": "Only those with, or without, a version that waits for review.",
        "kind": "Only those of this kind.",
        "type": "Only those of this type.",
        "outcome": "Only those with this outcome.",
        "limit": "Most items to return.",
    }
)
