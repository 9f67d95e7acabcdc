"""What was found at a source: what can come, what cannot and why, and what stays behind."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from bylaw.api.fit import fit
from bylaw.api.native.imports import (
    ImportedAgent,
    ImportedPolicy,
    ImportedRepo,
    ImportedUser,
    ImportedWorkspace,
    ImportResult,
)
from bylaw.api.problems import FieldProblem
from bylaw.api.shape import moment
from bylaw.cli.imports.source import Row
from bylaw.core import strict_json
from bylaw.core.errors import InvalidInput
from bylaw.policies.editing import NewPolicy
from bylaw.policies.imports import Noun

# Why keys stay where they are.
KEYS: Final = (
    "a server keeps no text of a key: register the texts that clients use with POST /v1/keys (`key`), and"
    " they change only their base URL"
)
Record = ImportedWorkspace | ImportedRepo | ImportedUser | ImportedPolicy | ImportedAgent
Key = tuple[Noun, str]
T = TypeVar("T", bound=msgspec.Struct)


class LeftBehind(msgspec.Struct, frozen=True, kw_only=True):
    """Something that does not come; `count` is None where it was not counted."""

    what: str
    count: int | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """When a policy was made and last changed, and by whom, as the source tells."""

    created_at: str | None = None
    created_by: str | None = None
    updated_at: str | None = None
    updated_by: str | None = None


@dataclass(slots=True, kw_only=True)
class Found:
    """Everything that was read, each thing once.

    `tenant_id`: what the source calls the tenant, which clients may send. `notes` say what a person should
    know. `unknown` are fields of rows that nobody knows here. `paths`: what a field is called there.
    """

    tenant_id: str | None = None
    records: dict[Key, Record] = field(default_factory=dict)
    refused: dict[Key, ImportResult] = field(default_factory=dict)
    left: list[LeftBehind] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unknown: set[tuple[Noun, str]] = field(default_factory=set)
    paths: Mapping[str, str] = field(default_factory=dict)

    def take(self, noun: Noun, row: Row, read: Callable[[Row], Record]) -> Record | None:
        """Add what `read` makes of a row and return it; a row that is no use is refused by itself."""
        ident = row.get("id") or row.get("agent_id")
        named = ident if isinstance(ident, str) else ""
        try:
            record = read(row)
            self.add(noun, record)
        except InvalidInput as error:
            problems = tuple(
                FieldProblem(path=each.path, code=each.code, message=each.message) for each in error.problems
            )
            self.refuse(noun, named, *problems)
            return None
        return record

    def add(self, noun: Noun, record: Record) -> None:
        """Add something. Raises: InvalidInput, also when the source has another under the same id."""
        key = (noun, record.id)
        if key in self.refused or self.records.setdefault(key, record) != record:
            self.records.pop(key, None)
            message = "The source has two different ones under this id."
            raise InvalidInput.of("id", "twice", message)
        try:
            _check(record)
        except InvalidInput:
            del self.records[key]
            raise

    def refuse(self, noun: Noun, ident: str, *problems: FieldProblem) -> None:
        """Note that something cannot come, and why."""
        result = ImportResult(noun=noun, id=ident, outcome="refused", fields=(), problems=problems)
        key = (noun, ident or f"#{len(self.refused) + 1}")
        self.refused[key] = result

    def of(self, noun: Noun) -> Iterator[Record]:
        """Yield what can come of one kind."""
        return (record for (kind, _), record in self.records.items() if kind == noun)

    def has(self, noun: Noun, ident: str) -> bool:
        """Return whether something can come."""
        return (noun, ident) in self.records

    def leave(self, what: str, why: str, *, count: int | None = None) -> None:
        """Note that something stays behind."""
        self.left.append(LeftBehind(what=what, count=count, why=why))


def read_as(row: Row, kind: type[T], *, found: Found, noun: Noun) -> T:
    """Return a row as a `kind`, noting what it has beside. Raises: InvalidInput that names every misfit."""
    known = {each.encode_name for each in msgspec.structs.fields(kind)}
    found.unknown |= {(noun, str(name)) for name in row if name not in known}
    return fit(row, kind)


def imported(new: NewPolicy, *, status: str, when: When) -> ImportedPolicy:
    """Return a policy as it is sent on. Raises: InvalidInput."""
    source = new.source
    return fit(
        {
            "id": new.id,
            "content": new.content,
            "workspace_id": new.place.workspace_id,
            "repo_id": new.place.repo_id,
            "reach": new.reach,
            "slug": new.slug,
            "source": {
                "type": source.type,
                "conversation_id": source.conversation_id,
                "confidence": source.confidence,
            },
            "status": status,
            "is_active": new.is_active,
            "version": new.version,
            "created_at": when.created_at,
            "created_by": when.created_by,
            "updated_at": when.updated_at,
            "updated_by": when.updated_by,
        },
        ImportedPolicy,
    )


def _check(record: Record) -> None:
    """Return nothing if a record can be sent on as it is. Raises: InvalidInput."""
    try:
        strict_json.parse(msgspec.json.encode(record))
    except (OverflowError, UnicodeError, msgspec.MsgspecError) as error:
        raise InvalidInput.of("", "not_json", f"It cannot be sent on: {error}.") from None
    for name in ("created_at", "updated_at", "deleted_at"):
        moment(getattr(record, name, None), path=name)
