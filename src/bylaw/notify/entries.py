"""What people changed, as notices: told from the entries that their changes left for the log."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Protocol

import msgspec

from bylaw.core.ids import AgentId, PolicyId
from bylaw.decisions.effects import Occasion
from bylaw.notify.effects import links_of, made
from bylaw.notify.model import Notice, NoticeId
from bylaw.notify.store import NotifyUnit
from bylaw.notify.told import ApprovalTold, AssignedTold, BindingTold, PolicyRef, PolicyTold, Told
from bylaw.policies.model import Current
from bylaw.policies.store import Policies
from bylaw.receipts.issue import PREFIX as RECEIPT_PREFIX
from bylaw.tenancy.changes import Entry
from bylaw.tenancy.model import EVERYWHERE, Place

# What waits for people, by the first word of its notices, and where it is read.
_WAITING: Final[Mapping[str, str]] = MappingProxyType({"approval": "approvals", "attention": "attention"})


class Held(Protocol):
    """A call that waits or waited for a person, as far as notices tell of it."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def occasion(self) -> Occasion:
        """The decision that held it."""

    @property
    def tool(self) -> str:
        """The tool that is called."""

    @property
    def call_digest(self) -> str:
        """What covers the name and the arguments of the call."""

    @property
    def status(self) -> str:
        """What became of it."""

    @property
    def decided_by(self) -> str | None:
        """Who answered."""

    @property
    def expires_ms(self) -> int:
        """Until when it waits."""


class HeldCalls(Protocol):
    """The calls of one tenant that wait or waited for a person."""

    async def get(self, ident: str) -> Held | None:
        """Return one, or None."""


class TellingUnit(NotifyUnit, Protocol):
    """One transaction of one tenant, as far as telling of changes needs it."""

    @property
    def policies(self) -> Policies:
        """Its policies."""

    @property
    def approvals(self) -> HeldCalls:
        """Its calls that wait for a person."""


async def notices_of(unit: TellingUnit, entries: Sequence[Entry]) -> list[Notice]:
    """Return the notices that these entries of the tenant are; what is not told is left out."""
    changed = {PolicyId(_policy(each)["id"]) for each in entries if each.kind == "policy_version"}
    currents = {each.policy.id: each for each in await unit.policies.currents(list(changed))}
    found: list[Notice] = []
    for entry in entries:
        match entry.kind:
            case "policy_version":
                found.append(await _of_policy(unit, entry, currents))
            case "approval":
                found += await _of_approval(unit, entry)
            case "change":
                found += [*await _of_binding(unit, entry), *_of_assignment(entry)]
            case _:
                pass
    return found


def approval_told(held: Held, *, decision: str, by: str | None, receipt_id: str | None) -> ApprovalTold:
    """Return what is said of a call that waited; `decision` is the receipt of the one it is about."""
    return ApprovalTold(
        workspace_id=held.occasion.workspace_id or None,
        repo_id=held.occasion.repo_id or None,
        links=links_of(held.occasion, approval=f"/v1/approvals/{held.id}"),
        id=held.id,
        tool=held.tool,
        call_digest=held.call_digest,
        by=by,
        agent_id=held.occasion.agent_id or None,
        decision_receipt_id=decision,
        receipt_id=receipt_id,
    )


async def _of_policy(unit: TellingUnit, entry: Entry, currents: Mapping[PolicyId, Current]) -> Notice:
    ref = _policy(entry)
    policy_id = PolicyId(ref["id"])
    current = currents.get(policy_id)
    stored = await unit.policies.get(policy_id) if current is None else current.policy
    place = EVERYWHERE if stored is None else stored.place
    version = ref["version"]
    told = PolicyTold(
        workspace_id=place.workspace_id,
        repo_id=place.repo_id,
        links=_links(entry, policy_id),
        policy=PolicyRef(
            id=policy_id,
            version=int(version) if version.isdecimal() else 0,
            digest=ref["digest"],
            name=None if current is None else current.version.content.name,
        ),
        by=_text(entry, "author"),
        source="" if stored is None else stored.source.type,
        receipt_id=RECEIPT_PREFIX + entry.id,
    )
    return _notice(entry, f"policy.{_text(entry, 'change')}", told, place=place)


async def _of_approval(unit: TellingUnit, entry: Entry) -> Sequence[Notice]:
    held = await unit.approvals.get(_text(entry, "approval"))
    if held is None:
        return ()
    told = approval_told(
        held,
        decision=_text(entry, "receipt"),
        by=_text(entry, "approver") or None,
        receipt_id=RECEIPT_PREFIX + entry.id,
    )
    kind = f"approval.{_text(entry, 'change')}"
    return (made(f"ntc_{entry.id}", kind, told, occasion=held.occasion, at_ms=entry.created_ms),)


async def _of_binding(unit: TellingUnit, entry: Entry) -> Sequence[Notice]:
    moves = list(_bindings(entry)) if _text(entry, "noun") == "agent" else []
    if not moves:
        return ()
    agent = await unit.tenancy.agents.get(AgentId(_text(entry, "id")))
    place = EVERYWHERE if agent is None else agent.place
    return [
        _notice(
            entry,
            f"policy.{change}",
            BindingTold(
                workspace_id=place.workspace_id,
                repo_id=place.repo_id,
                links=_links(entry, policy_id),
                policy_id=policy_id,
                agent_id=_text(entry, "id"),
                by=_text(entry, "author"),
                receipt_id=RECEIPT_PREFIX + entry.id,
            ),
            place=place,
            part=f"_{change}",
        )
        for change, policy_id in moves
    ]


def _of_assignment(entry: Entry) -> Sequence[Notice]:
    noun, ident, change = (_text(entry, name) for name in ("noun", "id", "change"))
    if noun not in _WAITING or change not in {"assigned", "unassigned"}:
        return ()
    now = {str(each.get("name")): json.loads(each.get("now") or "null") for each in _fields(entry)}
    place = msgspec.convert(now.get("place"), Place)
    told = AssignedTold(
        workspace_id=place.workspace_id,
        repo_id=place.repo_id,
        links={noun: f"/v1/{_WAITING[noun]}/{ident}", "receipt": f"/v1/receipts/{RECEIPT_PREFIX}{entry.id}"},
        id=ident,
        assignee=now.get("assignee") if change == "assigned" else None,
        by=_text(entry, "author"),
        receipt_id=RECEIPT_PREFIX + entry.id,
    )
    return (_notice(entry, f"{noun}.assigned", told, place=place),)


def _fields(entry: Entry) -> Iterator[Mapping[str, str]]:
    """Yield what an entry tells of the fields of a thing."""
    said = entry.payload.get("fields")
    yield from (
        each for each in (said if isinstance(said, (list, tuple)) else ()) if isinstance(each, Mapping)
    )


def _bindings(entry: Entry) -> Iterator[tuple[str, str]]:
    """Yield what became of an agent's bindings, each with the policy."""
    for each in _fields(entry):
        if each.get("name") == "policy_id":
            for change, when in (("unbound", "was"), ("bound", "now")):
                policy_id = json.loads(each.get(when) or "null")
                if isinstance(policy_id, str):
                    yield change, policy_id


def _notice(entry: Entry, kind: str, told: Told, *, place: Place, part: str = "") -> Notice:
    return Notice(
        id=NoticeId(f"ntc_{entry.id}{part}"),
        tenant_id=entry.tenant_id,
        type=kind,
        workspace_id=place.workspace_id or "",
        data=msgspec.to_builtins(told),
        created_ms=entry.created_ms,
    )


def _links(entry: Entry, policy_id: str) -> Mapping[str, str]:
    return {"policy": f"/v1/policies/{policy_id}", "receipt": f"/v1/receipts/{RECEIPT_PREFIX}{entry.id}"}


def _policy(entry: Entry) -> Mapping[str, str]:
    """Return the version that an entry names: `id`, `version` and `digest`, as text."""
    said = entry.payload.get("policy")
    ref: Mapping[str, object] = said if isinstance(said, Mapping) else {}
    return {name: str(ref.get(name, "")) for name in ("id", "version", "digest")}


def _text(entry: Entry, name: str) -> str:
    return str(entry.payload.get(name, ""))
