"""Agent Cert as a source: policies, and the agents that are bound to them."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from bylaw.api.fit import fit
from bylaw.api.native.imports import ImportedAgent, ImportedPolicy
from bylaw.cli.imports.found import KEYS, Found, read_as
from bylaw.cli.imports.source import Row, Source
from bylaw.core.errors import InvalidInput
from bylaw.policies.parse import FIELDS as CONTENT

_LEFT: Final[Mapping[str, str]] = {
    "receipts": "they are signed by the keys of the other server and stand in its log: they stay verifiable"
    " there, and nobody else may sign them anew",
    "API keys": KEYS,
    "earlier versions of policies": "the current text comes with its number; older ones stay with the"
    " receipts that name them",
    "credits, users of the dashboard": "there are none here",
}
# What a policy or an agent of ours says beside what comes of it, and what follows from the rest.
_FOLLOWS: Final = frozenset(
    {
        "digest",
        "latest",
        "approved",
        "is_in_force",
        "policy_in_force",
        "enforcement",
        "warnings",
        "judged",
        "match",
    }
)
_ACTOR: Final = re.compile(r"(user|key):\S{1,200}")


class _Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy beside what it says: from `reach` on, what only Bylaw tells."""

    id: str
    version: int = 1
    is_active: bool = True
    reach: str = "bound"
    workspace_id: str | None = None
    repo_id: str | None = None
    slug: str | None = None
    source: dict[str, object] = {}
    status: str = "approved"
    pending: int | None = None
    created_at: str | None = None
    created_by: str | None = None
    updated_at: str | None = None
    updated_by: str | None = None
    decided_by: str | None = None
    decided_reason: str | None = None
    deleted_at: str | None = None


class _Agent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent: its id is called `agent_id`, or `id`."""

    agent_id: str = ""
    id: str = ""
    name: str | None = None
    policy_id: str | None = None
    workspace_id: str | None = None
    repo_id: str | None = None
    require_policy: bool = False
    registered: bool = True
    created_at: str | None = None


def headers(key: str) -> Mapping[str, str]:
    """Return how a key is shown there."""
    return {"x-api-key": key}


def read(source: Source) -> Found:
    """Return every policy and every registered agent that the key may see."""
    found = Found()
    for row in source.by_cursor("/v1/policies", "policies"):
        found.take("policy", row, lambda row: _policy(row, found))
    seen = 0
    for row in source.by_cursor("/v1/agents", "agents"):
        if row.get("registered") is False and not row.get("policy_id") and not row.get("require_policy"):
            seen += 1
        else:
            found.take("agent", row, lambda row: _agent(row, found))
    if seen:
        found.leave("agents that were only seen", "they are seen here with their next decision", count=seen)
    for what, why in _LEFT.items():
        found.leave(what, why)
    return found


def _policy(row: Row, found: Found) -> ImportedPolicy:
    """Return a policy. Raises: InvalidInput that names what is missing or wrong."""
    content = {name: value for name, value in row.items() if name in CONTENT and value is not None}
    frame = {name: value for name, value in row.items() if name not in CONTENT and name not in _FOLLOWS}
    one = read_as(frame, _Policy, found=found, noun="policy")
    if one.deleted_at is not None:
        raise InvalidInput.of("deleted_at", "deleted", "It is deleted there.")
    if one.pending is not None:
        why = "approve or reject it there and import again, or write it again here"
        found.leave(f"an edit of policy {one.id} that waits for approval", why, count=1)
    if one.decided_by is not None:
        found.notes.append(f"policy {one.id}: who decided about it there ({one.decided_by}) is not kept.")
    return fit(
        {
            "id": one.id,
            "content": content,
            "workspace_id": one.workspace_id,
            "repo_id": one.repo_id,
            "reach": one.reach,
            "slug": one.slug,
            "source": one.source,
            "status": one.status,
            "is_active": one.is_active,
            "version": one.version,
            "created_at": one.created_at,
            "created_by": _actor(one.created_by, one.id, found),
            "updated_at": one.updated_at,
            "updated_by": _actor(one.updated_by, one.id, found),
        },
        ImportedPolicy,
    )


def _agent(row: Row, found: Found) -> ImportedAgent:
    """Return an agent. Raises: InvalidInput."""
    frame = {name: value for name, value in row.items() if name not in _FOLLOWS}
    one = read_as(frame, _Agent, found=found, noun="agent")
    ident = one.agent_id or one.id
    if not ident:
        raise InvalidInput.of("agent_id", "required", "An agent has it, and this one has not.")
    return ImportedAgent(
        id=ident,
        name=one.name or "",
        workspace_id=one.workspace_id,
        repo_id=one.repo_id,
        policy_id=one.policy_id,
        require_policy=one.require_policy,
        created_at=one.created_at,
    )


def _actor(said: str | None, policy_id: str, found: Found) -> str | None:
    """Return who did something, if it is somebody whom a policy here can name."""
    if said is None or _ACTOR.fullmatch(said):
        return said
    found.notes.append(f"policy {policy_id}: {said!r} is nobody here; the import is its author.")
    return None
