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
_CALL: Final[Mapping[str, object]] = {"properties": dict.fromkeys(CALL_FIELDS, True)}

# The phases whose requests have a field that others lack; the first is the one that is about it.
PHASES: Final[Mapping[str, tuple[Phase, ...]]] = {
    "tool_call": ("tool_call", "tool_result"),
    "tool_result": ("tool_result",),
    "agent_output": ("output", "decision"),
}


def context_of(metadata: object) -> object:
    """Return the JSON Schema of a rule's context, where `metadata` is the one that a workspace declares.

    The keys of `metadata` stand at the top of a context, beside the fields of the request, which are always
    known; whoever describes such a field means the field. What is no schema is returned as it is.
    """
    if not isinstance(metadata, Mapping):
        return metadata
    for keyword in ("anyOf", "oneOf"):
        choices = metadata.get(keyword)
        if isinstance(choices, list):
            return {keyword: [context_of(each) for each in choices]}
    keys = metadata.get("properties", {})
    if not isinstance(keys, Mapping):
        return metadata
    fields = {**dict.fromkeys(FACTS, True), "metadata": metadata, "tool_call": _CALL}
    others = metadata.get("additionalProperties", not keys)
    return {**metadata, "properties": {**keys, **fields, **keys}, "additionalProperties": others}
