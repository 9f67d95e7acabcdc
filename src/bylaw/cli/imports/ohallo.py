"""oHallo as a source: the entries of workspaces, whatever their status."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

from msgspec import UNSET, UnsetType

from bylaw.api.compat.ohallo import translate
from bylaw.api.compat.ohallo.wire import EntryPart, NewEntry
from bylaw.api.native.imports import ImportedPolicy, ImportedWorkspace
from bylaw.cli.imports.found import KEYS, Found, When, imported, read_as
from bylaw.cli.imports.source import Row, Source
from bylaw.core.errors import InvalidInput, Problem
from bylaw.core.ids import WorkspaceId
from bylaw.tenancy.model import Place

T = TypeVar("T")

_DECIDE_FIRST: Final = "approve or reject it there and import again, or write it again here"
_LEFT: Final[Mapping[str, str]] = {
    "conversations and attention items": "they are records of what happened there; the ids of conversations"
    " that entries name are kept",
    "reasons of rejections": "the contract does not show them",
    "knowledge-base entries, guardrails, brands, channels": "they are no policy entries",
}


def headers(key: str) -> Mapping[str, str]:
    """Return how a key is shown there."""
    return {"authorization": f"Bearer {key}"}


def read(source: Source, workspaces: Sequence[tuple[str, str | None]]) -> Found:
    """Return the entries of `workspaces`: their ids, each with the name that it is to have, if it is told."""
    found = Found(paths=translate.PATHS)
    for workspace_id, name in workspaces:
        found.add("workspace", ImportedWorkspace(id=workspace_id, name=name))
        _read_workspace(source, workspace_id, found)
    _leave(source, found)
    return found


def _read_workspace(source: Source, workspace_id: str, found: Found) -> None:
    path = f"/api/workspaces/{quote(workspace_id, safe='')}/policy-entries"
    for row in (*source.by_offset(path), *source.by_offset(f"{path}/pending")):
        before = found.records.get(("policy", str(row.get("id"))))
        if isinstance(before, ImportedPolicy) and before.status != row.get("status") == "pending_review":
            found.leave(f"a change of entry {before.id} that waits for review", _DECIDE_FIRST, count=1)
        else:
            found.take("policy", row, lambda row: _entry(row, workspace_id, found))


def _entry(row: Row, workspace_id: str, found: Found) -> ImportedPolicy:
    """Return an entry as a policy. Raises: InvalidInput that names what is missing or wrong."""
    part = read_as(row, EntryPart, found=found, noun="policy")
    needed = {"id": part.id, "topic": part.topic, "ruleText": part.rule_text, "status": part.status}
    missing = [name for name, said in needed.items() if not said]
    if missing:
        why = "An entry has it, and this one has not."
        raise InvalidInput(why, *(Problem(path=name, code="required", message=why) for name in missing))
    found.tenant_id = _or_none(part.tenant_id) or found.tenant_id
    if part.workspace_id is not UNSET and part.workspace_id != workspace_id:
        message = "It says that it belongs to another workspace than the one that lists it."
        raise InvalidInput.of("workspaceId", "wrong_workspace", message)
    entry = NewEntry(
        topic=str(part.topic),
        rule_text=str(part.rule_text),
        conditions=_or_none(part.conditions),
        source_type=_or_none(part.source_type) or "manual",
        source_conversation_id=_or_none(part.source_conversation_id),
        confidence=_or_none(part.confidence),
    )
    place = Place(workspace_id=WorkspaceId(workspace_id))
    new = translate.new_policy(entry, place=place, ident=str(part.id))
    when = When(created_at=_or_none(part.created_at), updated_at=_or_none(part.updated_at))
    return imported(new, status=str(part.status), when=when)


def _leave(source: Source, found: Found) -> None:
    keys = source.find("/api/api-keys")
    count = len(keys) if isinstance(keys, list) else None
    found.leave("API keys", KEYS, count=count)
    for what, why in _LEFT.items():
        found.leave(what, why)


def _or_none(said: T | UnsetType | None) -> T | None:
    return None if isinstance(said, UnsetType) else said
