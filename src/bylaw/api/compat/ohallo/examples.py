"""Examples for the documentation: bodies, which the tests send, and words for answers."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

_ENTRY: Final = "01a1fee4-3087-7b11-a849-9a0726395d12"
_TENANT: Final = "01a1fee4-0001-7c22-9d10-2f6a5b7c8d90"
_WORKSPACE: Final = "01a1fee4-0002-7a33-8e21-3f7b6c8d9ea1"
_CONVERSATION: Final = "01a1fee4-0003-7d44-af32-408c7d9eafb2"
_RULE: Final = "Never grant a refund above 200 EUR before a manager has approved it."

EXAMPLES: Final[Mapping[str, Mapping[str, object]]] = MappingProxyType(
    {
        "NewEntry": {"topic": "refunds", "ruleText": _RULE, "conditions": {"min_refund": 200}},
        "EntryChange": {"ruleText": "Never grant a refund above 150 EUR before a manager has approved it."},
        "NewConversation": {
            "workspaceId": _WORKSPACE,
            "contactName": "Ada",
            "messages": [
                {"speaker": "contact", "text": "May I have my 320 EUR back?"},
                {"speaker": "human", "text": "You may: I have checked your order."},
            ],
        },
        "Outcome": {"outcome": "Refunded after a look at the order."},
        "Rejection": {"reason": "Regular customers may have more."},
    }
)

WORDS: Final[Mapping[str, Sequence[object]]] = MappingProxyType(
    {
        "Entry.id": [_ENTRY],
        "EntryPart.id": [_ENTRY],
        "ApiKey.id": ["key_01M7Z5P01F4RC8MEN98Y4PJ4HV"],
        "Conversation.id": [_CONVERSATION],
        "WholeConversation.id": [_CONVERSATION],
        "channelId": ["mail"],
        "contactId": ["contact-17"],
        "contactName": ["Ada"],
        "speaker": ["contact"],
        "text": ["May I have my 320 EUR back?"],
        "lastMessagePreview": ["You may: I have checked your order."],
        "lastMessageAt": ["2026-01-01T00:00:00.000Z"],
        "humanManaged": [False],
        "outcome": [None],
        "Conversation.status": ["open"],
        "WholeConversation.status": ["open"],
        "AttentionItem.id": ["att_01M7Z5P01F4RC8MEN98Y4PJ4HV"],
        "AttentionItem.type": ["policy_review"],
        "AttentionItem.reason": ["A refund of 320 EUR was asked for."],
        "AttentionItem.status": ["open"],
        "tenantId": [_TENANT],
        "brandId": [None],
        "workspaceId": [_WORKSPACE],
        "conversationId": [_CONVERSATION],
        "policyId": [_ENTRY],
        "receiptId": ["rcpt_01M7Z5P01F4RC8MEN98Y4PJ4HV"],
        "topic": ["refunds"],
        "ruleText": [_RULE],
        "conditions": [{"min_refund": 200}],
        "sourceType": ["manual"],
        "sourceConversationId": [None],
        "status": ["approved"],
        "confidence": [None],
        "total": [1],
        "name": ["Shop assistant"],
        "keyPrefix": ["sf_live_v1_k3J9"],
        "scopes": [["policy:read", "policy:write"]],
        "expiresAt": ["2036-01-01T00:00:00.000Z"],
        "createdAt": ["2026-01-01T00:00:00.000Z"],
        "updatedAt": ["2026-01-01T00:00:00.000Z"],
    }
)

ANSWERS: Final[Mapping[str, object]] = MappingProxyType({})

PARAMETERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "workspace_id": "The workspace.",
        "entry_id": "The entry.",
        "conversation_id": "The conversation, by the name that decisions use.",
        "attention_id": "The attention item.",
    }
)
