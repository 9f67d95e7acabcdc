"""What a request can say to rules and conditions, and in which phases it says it."""

from collections.abc import Mapping
from typing import Final

from bylaw.policies.model import Phase

# The fields that rules see as they were sent. The others steer the decision and are no facts.
FACTS: Final = (
    "agent_id",
    "user_id",
    "conversation_id",
    "workspace_id",
    "repo_id",
    "phase",
    "user_intent",
    "agent_output",
    "messages",
    "tool_result",
    "tools_used",
    "retrieval_summary",
    "rationale",
    "model",
    "provider",
    "host",
    "platform",
    "topics",
)
ROOTS: Final = (*FACTS, "metadata", "tool_call")
CALL_FIELDS: Final = ("name", "arguments", "id")

# The phases whose requests have a field that others lack; the first is the one that is about it.
PHASES: Final[Mapping[str, tuple[Phase, ...]]] = {
    "tool_call": ("tool_call", "tool_result"),
    "tool_result": ("tool_result",),
    "agent_output": ("output", "decision"),
}
