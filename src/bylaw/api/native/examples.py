"""One example of each body that the native API takes, for its documentation; the tests send them."""

from collections.abc import Mapping
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
        "PolicyEdit": {
            "rules": [{"expr": "tool_call.arguments.amount < 4000"}],
            "reason": "The limit was lowered.",
        },
        "Revocation": {"revoked_at": "2026-01-01T00:00:00Z"},
        "PacksToPlan": {"documents": [_PACK]},
        "PacksToApply": {"documents": [_PACK], "reason": "Agreed with finance."},
        "Rollback": {"version": 1, "reason": "The new limit held up too many invoices."},
        "Request": _REQUEST,
        "BatchRequest": {"requests": [_REQUEST, {**_REQUEST, "dry_run": True}]},
        "Reason": {"reason": "Agreed with finance."},
    }
)
