"""What was found, sent on in batches, each with all on which it hangs; and what became of it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from bylaw.api.native.imports import (
    Import,
    ImportedAgent,
    ImportedPolicy,
    ImportedRepo,
    ImportedUser,
    ImportedWorkspace,
    ImportResult,
    ImportView,
)
from bylaw.cli.imports.found import Found, Key, LeftBehind, Record
from bylaw.cli.imports.source import Pause, persist
from bylaw.cli.remote import Remote
from bylaw.policies.imports import Noun

MOST: Final = 200
MOST_BYTES: Final = 256 << 10  # a quarter of what a server takes unless it is told otherwise
NOUNS: Final[tuple[Noun, ...]] = ("workspace", "repo", "user", "policy", "agent")


class ImportReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do (`dry_run`).

    `tenant_id` is the tenant here, `source_tenant_id` what the source calls its own, if it tells. `complete`:
    everything of the source that can come is here, and says the same.
    """

    source: str
    source_tenant_id: str | None
    tenant_id: str
    dry_run: bool
    complete: bool
    counts: Mapping[Noun, Mapping[str, int]]
    results: tuple[ImportResult, ...]
    left_behind: tuple[LeftBehind, ...]
    notes: tuple[str, ...]


class Target(Protocol):
    """Where an import goes."""

    def send(self, sent: Import) -> ImportView:
        """Return what became of a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTarget:
    """A running server; a batch that it cannot take now is sent again, which does nothing twice."""

    remote: Remote
    pause: Pause

    def send(self, sent: Import) -> ImportView:
        """Return what became of a batch."""
        return persist(lambda: self.remote.send("POST", "/v1/imports", sent, ImportView), pause=self.pause)


def send(found: Found, target: Target, *, source: str, update: bool, dry_run: bool) -> ImportReport:
    """Return what became of everything that was found."""
    tenant_id, results = "", dict[Key, ImportResult](found.refused)
    for batch in batches(found):
        sent = Import(
            workspaces=tuple(each for each in batch if isinstance(each, ImportedWorkspace)),
            repos=tuple(each for each in batch if isinstance(each, ImportedRepo)),
            users=tuple(each for each in batch if isinstance(each, ImportedUser)),
            policies=tuple(each for each in batch if isinstance(each, ImportedPolicy)),
            agents=tuple(each for each in batch if isinstance(each, ImportedAgent)),
            reason=f"Imported from {source}.",
            update=update,
            dry_run=dry_run,
        )
        view = target.send(sent)
        tenant_id = view.tenant_id
        for result in view.results:
            key = (result.noun, result.id)
            if key not in results or results[key].outcome == "unchanged":
                results[key] = _in_their_words(result, found.paths)
    counts: dict[Noun, Counter[str]] = {}
    for result in results.values():
        counts.setdefault(result.noun, Counter())[result.outcome] += 1
    return ImportReport(
        source=source,
        source_tenant_id=found.tenant_id,
        tenant_id=tenant_id,
        dry_run=dry_run,
        complete=not any(each.outcome in {"different", "refused"} for each in results.values()),
        counts={noun: counts[noun] for noun in NOUNS if noun in counts},
        results=tuple(sorted(results.values(), key=lambda each: (NOUNS.index(each.noun), each.id))),
        left_behind=tuple(found.left),
        notes=(*_remarks(found, tenant_id), *dict.fromkeys(found.notes), *_unjudged(results.values())),
    )


def _unjudged(results: Iterable[ImportResult]) -> Iterator[str]:
    """Yield what there is to say of rules that nobody there judges."""
    counts = [each.unjudged for each in results if each.unjudged]
    if counts:
        rules = "1 rule" if sum(counts) == 1 else f"{sum(counts)} rules"
        policies = "1 policy" if len(counts) == 1 else f"{len(counts)} policies"
        are = "it is" if sum(counts) == 1 else "they are"
        yield (
            f"Nobody there can judge {rules} in words, in {policies}: {are} undecided until a model is named"
            f" (BYLAW_JUDGE_MODEL), or {are} worded otherwise (bylaw evaluators explain)."
        )


def batches(found: Found) -> Iterator[Sequence[Record]]:
    """Yield what was found in parts that a server takes; each holds what its parts hang on."""
    held: dict[Key, Record] = {}
    size = 0
    for noun in NOUNS:
        for record in found.of(noun):
            needed = {key: each for key, each in _with_parents(found, record) if key not in held}
            more = sum(len(msgspec.json.encode(each)) for each in needed.values())
            if held and (len(held) + len(needed) > MOST or size + more > MOST_BYTES):
                yield tuple(held.values())
                held, size = {}, 0
                needed = dict(_with_parents(found, record))
                more = sum(len(msgspec.json.encode(each)) for each in needed.values())
            held |= needed
            size += more
    if held:
        yield tuple(held.values())


def _with_parents(found: Found, record: Record) -> Iterator[tuple[Key, Record]]:
    """Yield what a record hangs on, as far as it was found, and the record itself."""
    for key in _parents(record):
        parent = found.records.get(key)
        if parent is not None:
            yield from _with_parents(found, parent)
    yield (_noun(record), record.id), record


def _parents(record: Record) -> Iterator[Key]:
    match record:
        case ImportedRepo():
            yield "workspace", record.workspace_id
        case ImportedUser():
            for workspace_id in record.workspace_roles:
                yield "workspace", workspace_id
        case ImportedPolicy() | ImportedAgent():
            yield "workspace", record.workspace_id or ""
            yield "repo", record.repo_id or ""
            if isinstance(record, ImportedAgent):
                yield "policy", record.policy_id or ""
        case ImportedWorkspace():
            pass


def _noun(record: Record) -> Noun:
    kinds: Mapping[type, Noun] = {
        ImportedWorkspace: "workspace",
        ImportedRepo: "repo",
        ImportedUser: "user",
        ImportedPolicy: "policy",
        ImportedAgent: "agent",
    }
    return kinds[type(record)]


def _in_their_words(result: ImportResult, paths: Mapping[str, str]) -> ImportResult:
    """Return a result with its problems at the fields as the source calls them."""
    problems = tuple(
        msgspec.structs.replace(each, path=paths.get(each.path, each.path)) for each in result.problems
    )
    return msgspec.structs.replace(result, problems=problems)


def _remarks(found: Found, tenant_id: str) -> Iterator[str]:
    """Yield what a person should know about the whole."""
    if tenant_id and found.tenant_id not in {None, tenant_id}:
        yield (
            f"The tenant is {found.tenant_id!r} there and {tenant_id!r} here: clients that name theirs"
            " (orgId) are refused, unless you import into a tenant of that id."
        )
    for noun in NOUNS:
        fields = sorted(name for kind, name in found.unknown if kind == noun)
        if fields:
            named = ", ".join(fields)
            yield f"Fields of each {noun} there that nobody knows here, and that do not come: {named}."
