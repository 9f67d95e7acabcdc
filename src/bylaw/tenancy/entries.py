"""What a change of places, people, keys and agents leaves behind: an entry for the log.

An entry says which fields are what now and what they were, as JSON text. Names and addresses stay out, so
that they can be erased: of another name of a key or connection it says that there is one. Of a context schema
there is its digest.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeVar

import msgspec

from bylaw.core.canonical_json import Json
from bylaw.tenancy.model import Agent, ApiKey, Connection, Repo, User, Workspace
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.store import TenancyUnit

KIND: Final = "change"

Change = Literal["created", "changed", "deleted", "restored", "revoked"]
Item = Agent | ApiKey | Connection | Repo | User | Workspace
R = TypeVar("R", Agent, ApiKey, Connection, Repo, User, Workspace)

_NOUNS: Final[tuple[tuple[type, str], ...]] = (
    (Agent, "agent"),
    (ApiKey, "api_key"),
    (Connection, "connection"),
    (Repo, "repo"),
    (User, "user"),
    (Workspace, "workspace"),
)
_TOLD: Final = frozenset(
    {
        "context_schema",
        "endpoint",
        "expires_ms",
        "org_role",
        "place",
        "policy_id",
        "provider",
        "rate_per_minute",
        "registered",
        "require_policy",
        "review_edits",
        "route_decisions",
        "scopes",
        "separate_approvers",
        "user_id",
        "workspace_id",
        "workspace_roles",
    }
)

_RENAMED: Final = frozenset({ApiKey.__name__, Connection.__name__})


async def record(acting: Acting[TenancyUnit], old: R | None, new: R) -> None:
    """Queue an entry that says how `new` differs from `old`, if it is told; raise the change counter."""
    fields = differences({} if old is None else _fields(old), _fields(new))
    if type(new).__name__ in _RENAMED and old is not None and old.name != new.name:
        fields.append({"name": "name", "now": "", "was": ""})
    change = _change(old, new)
    if fields or change != "changed":
        entry = change_entry(_noun(new), new.id, change=change, author=acting.principal.actor, fields=fields)
        await acting.unit.outbox.add(KIND, entry)
    await acting.unit.changes.bump()


def change_entry(
    noun: str, ident: str, *, change: str, author: str, fields: Sequence[Json] = ()
) -> Mapping[str, Json]:
    """Return an entry of the kind `change`: what became of something, and by whom."""
    return {"author": author, "change": change, "fields": [*fields], "id": ident, "noun": noun}


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[Json]:
    """Return the fields of an entry: those, as JSON text, that are not what they were."""
    return [
        {"name": name, "now": value, "was": before.get(name, "")}
        for name, value in now.items()
        if value != before.get(name)
    ]


def _noun(item: Item) -> str:
    if isinstance(item, ApiKey) and item.is_session:
        return "session"
    return next(noun for kind, noun in _NOUNS if isinstance(item, kind))


def _change(old: Item | None, new: Item) -> Change:
    if old is None:
        return "created"
    if isinstance(new, ApiKey):
        return "changed" if new.revoked_ms is None else "revoked"
    if isinstance(new, Agent) or isinstance(old, Agent):
        return "changed"
    if new.deleted_ms is not None:
        return "deleted"
    return "changed" if isinstance(old, ApiKey) or old.deleted_ms is None else "restored"


def _fields(item: Item) -> dict[str, str]:
    return {
        name: _text(name, getattr(item, name)) for name in sorted(_TOLD & item.__dataclass_fields__.keys())
    }


def _text(name: str, value: object) -> str:
    encoded = msgspec.json.encode(value, order="deterministic")
    if name == "context_schema" and value is not None:
        return f'"sha256:{hashlib.sha256(encoded).hexdigest()}"'
    return encoded.decode()
