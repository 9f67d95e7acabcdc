"""Agent Cert's contract: what it has beside the native API, among whose paths it lies."""

from types import MappingProxyType
from typing import Final

from bylaw.api.compat.agentcert.page import router
from bylaw.api.family import Family
from bylaw.api.openapi import Examples
from bylaw.api.problems import ProblemBody, details

AGENTCERT: Final = Family(
    name="agentcert",
    prefixes=(),
    routers=(router,),
    dress=details,
    fails_with=ProblemBody,
    examples=Examples(
        whole=MappingProxyType(
            {
                "NewReceipt": {
                    "agent_id": "refund-agent-7",
                    "platform": "custom",
                    "user_intent": "Approve invoice #123 for vendor Acme",
                    "agent_output": "Approved. Vendor is on the list and the amount is under the limit.",
                    "tools_used": ["vendor_lookup", "policy_check"],
                    "retrieval_summary": "Vendor record: approved.",
                    "policy_rules": ["amount < 5000"],
                    "metadata": {"amount": 4200, "vendor_status": "approved"},
                }
            }
        ),
        words=MappingProxyType({}),
        answers=MappingProxyType({}),
    ),
    parameters=MappingProxyType({"id": "The id of a receipt.", "receipt_id": "The id of a receipt."}),
)
