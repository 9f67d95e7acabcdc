"""A thing of the inbox: who may see to it, who does, and a remark about it with an entry for the log."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from bylaw.core.errors import Conflict
from bylaw.core.ids import UserId
from bylaw.inbox.model import Care, Remark, RemarkKind, Thing, noun_of
from bylaw.inbox.store import InboxUnit
from bylaw.review.model import AttentionItem
from bylaw.review.queue import READS_ATTENTION, RESOLVES
from bylaw.tenancy.entries import KIND, change_entry, differences
from bylaw.tenancy.principal import Acting

READS: Final = READS_ATTENTION
WRITES: Final = RESOLVES


def require_handling(acting: Acting[InboxUnit], thing: Thing) -> None:
    """Return nothing if the caller may see to a thing that they may read.

    Raises: Forbidden; Conflict (`held_call`) for an item that only points to an approval.
    """
    acting.principal.require(WRITES, thing.occasion.place)
    if isinstance(thing, AttentionItem) and thing.type == "approval":
        raise Conflict(
            "This only points to a held call: assign and comment its approval, which has the same receipt.",
            reason="held_call",
        )


async def remark_on(
    acting: Acting[InboxUnit],
    thing: Thing,
    kind: RemarkKind,
    *,
    assignee: UserId | None = None,
    text: str = "",
) -> Remark:
    """Store a remark about a thing and return it; the log is told who made it, and never its text."""
    remark = Remark(
        id=acting.ids.uuid7(),
        tenant_id=acting.unit.tenant_id,
        about=thing.id,
        receipt_id=thing.occasion.receipt_id,
        kind=kind,
        author=acting.principal.actor,
        assignee=assignee,
        text=text,
        created_ms=acting.clock.now_ms(),
    )
    await acting.unit.remarks.add(remark)
    told = {"place": _json(thing.occasion.place)}
    if assignee is not None:
        told["assignee"] = _json(assignee)
    change = "commented" if kind == "comment" else kind
    entry = change_entry(
        noun_of(thing), thing.id, change=change, author=remark.author, fields=differences({}, told)
    )
    await acting.unit.outbox.add(KIND, entry)
    return remark


async def cared_for(unit: InboxUnit, things: Sequence[Thing]) -> Mapping[str, Care]:
    """Return who sees to each thing and how many comments there are about it, by its id."""
    people = {
        ident: await unit.tenancy.users.get(ident)
        for ident in {thing.assignee for thing in things}
        if ident is not None
    }
    counts = await unit.remarks.comments([thing.id for thing in things])
    return {
        thing.id: Care(
            assignee=None if thing.assignee is None else people[thing.assignee],
            comments=counts.get(thing.id, 0),
        )
        for thing in things
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
