"""What a request to decide has to say: who acts, or what is said or done."""

from typing import Final

import msgspec

from bylaw.api.fit import fit
from bylaw.core.errors import InvalidInput, Problem
from bylaw.decisions.model import Request

# Fields that say how and where to decide, and nothing that could be decided about.
_AROUND: Final = frozenset(
    {
        "workspace_id",
        "repo_id",
        "phase",
        "topics",
        "route",
        "routed",
        "policy_id",
        "policy_rules",
        "approval_id",
        "follows",
        "dry_run",
        "deadline_ms",
    }
)
_SAYING: Final = tuple(name for name in Request.__struct_fields__ if name not in _AROUND)


def read_asked(value: object) -> Request:
    """Return the parsed `value` as a request that says who or what. Raises: InvalidInput."""
    request = fit(value, Request)
    require_said(request)
    return request


def require_said(request: Request) -> None:
    """Return nothing if `request` says who or what. Raises: InvalidInput that names the fields that do.

    Without, there is nothing to decide about: no policy would apply, and the answer would be `allow`.
    """
    for name in _SAYING:
        value = getattr(request, name)
        if value is not msgspec.UNSET and value is not None:
            return
    fields = ", ".join(_SAYING)
    message = f"This says neither who acts nor what is said or done: send at least one of {fields}."
    raise InvalidInput(message, *(Problem(path=name, code="required", message=message) for name in _FIRST))


# Those that a caller most probably left out.
_FIRST: Final = ("agent_id", "user_intent", "agent_output", "tool_call")
