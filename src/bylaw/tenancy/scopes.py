"""Scopes: the words by which a key or a role says what its holder may do."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from bylaw.core.errors import InvalidInput, Problem

SCOPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "policy:read": "read policies, their versions and what they govern",
        "policy:write": "create, edit, archive and delete policies; choose policies for a call",
        "policy:approve": "approve and reject policies and pending edits",
        "decisions:write": "ask for decisions",
        "receipts:read": "read receipts, violations and alerts",
        "agents:read": "read agents",
        "agents:write": "register agents and bind policies to them",
        "conversations:read": "read conversations and attention items",
        "conversations:write": "store conversations, resolve attention items, decide approvals",
        "gateway:use": "send model and tool traffic through the gateway",
        "workspaces:write": "create and change workspaces and repos, and the roles of people in them",
        "admin": "everything, keys included",
    }
)

_DIRECT: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "policy:read": frozenset({"policy:write", "policy:approve"}),
        "policy:approve": frozenset({"policy:write"}),
        "agents:read": frozenset({"agents:write"}),
        "conversations:read": frozenset({"conversations:write"}),
    }
)

# For each scope, every scope whose holder has it as well. The table is flat: no chain has two steps.
HELD_THROUGH: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {scope: _DIRECT.get(scope, frozenset()) | {scope, "admin"} for scope in SCOPES}
)

# The same where a workspace separates approvers: writing does not imply approving.
HELD_STRICTLY_THROUGH: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {**HELD_THROUGH, "policy:approve": frozenset({"policy:approve", "admin"})}
)


def parse_scopes(words: Iterable[object], *, path: str = "scopes") -> frozenset[str]:
    """Return `words` as scopes.

    Raises: InvalidInput that names every unknown word, with the scope it resembles; or that there is none.
    """
    scopes: set[str] = set()
    problems: list[Problem] = []
    for index, word in enumerate(words):
        if isinstance(word, str) and word in SCOPES:
            scopes.add(word)
        else:
            problems.append(
                Problem(path=f"{path}[{index}]", code="unknown_scope", message=_unknown_scope(word))
            )
    if not scopes and not problems:
        problems.append(Problem(path=path, code="required", message="Name at least one scope."))
    if problems:
        raise InvalidInput("The scopes are not usable.", *problems)
    return frozenset(scopes)


def _unknown_scope(word: object) -> str:
    near = difflib.get_close_matches(str(word), SCOPES, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(SCOPES)}."
    return f"{str(word)[:60]!r} is not a scope; {hint}"
