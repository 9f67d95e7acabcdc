"""Assigning: a thing that waits is in the hands of one person, or of nobody.

Only somebody who may act where the thing lies can have it. Whoever may so no longer, or leaves, loses what
waits in their hands (`let_go`); the remarks still tell that they had it. What nobody waits for any more stays
with whoever had it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar, assert_never

from bylaw.approvals.model import PendingApproval
from bylaw.approvals.store import ApprovalFilter
from bylaw.core.errors import Conflict, InvalidInput, PreconditionFailed
from bylaw.core.ids import UserId
from bylaw.core.paging import every
from bylaw.inbox.model import Thing
from bylaw.inbox.store import InboxUnit
from bylaw.inbox.things import WRITES, remark_on, require_handling
from bylaw.review.model import AttentionItem
from bylaw.review.store import AttentionFilter
from bylaw.tenancy.model import Place, User
from bylaw.tenancy.principal import Acting, describe
from bylaw.tenancy.revisions import require_revision
from bylaw.tenancy.roles import principal_of

T = TypeVar("T", AttentionItem, PendingApproval)


async def assign(acting: Acting[InboxUnit], thing: T, to: UserId | None, *, revision: int | None = None) -> T:
    """Store a thing as in the hands of a person, or of nobody, and return it; it may be so already.

    Raises: Forbidden; PreconditionFailed; InvalidInput (`unknown_user`, `may_not_act`) for the person;
    Conflict (`held_call`, or `closed` when nobody waits for the thing any more).
    """
    require_handling(acting, thing)
    require_revision(thing.revision, revision)
    if not _waits(thing, acting.clock.now_ms()):
        raise Conflict("Nobody waits for this any more, so nobody has to see to it.", reason="closed")
    if to is not None:
        _require_hands(await acting.unit.tenancy.users.get(to), thing.occasion.place)
    return thing if thing.assignee == to else await _hand(acting, thing, to)


async def let_go(acting: Acting[InboxUnit], user_id: UserId) -> None:
    """Take from a person what waits in their hands where they may not act, or not any more."""
    unit = acting.unit
    user = await unit.tenancy.users.get(user_id)
    items = AttentionFilter(status="open", assignee=user_id)
    calls = ApprovalFilter(status="pending", assignee=user_id)
    attention = [each async for each in every(lambda part: unit.review.attention.list(items, part))]
    approvals = [each async for each in every(lambda part: unit.approvals.list(calls, part))]
    await _take(acting, user, attention)
    await _take(acting, user, approvals)


async def people_for(acting: Acting[InboxUnit], place: Place) -> Sequence[User]:
    """Return everybody who may act in a place where the caller may, by name. Raises: Forbidden."""
    acting.principal.require(WRITES, place)
    found = [user async for user in every(acting.unit.tenancy.users.list) if _may_act(user, place)]
    return sorted(found, key=lambda user: (user.full_name.casefold(), user.id))


async def _hand(acting: Acting[InboxUnit], thing: T, to: UserId | None) -> T:
    handed: T = replace(thing, assignee=to, revision=thing.revision + 1)
    match handed:
        case AttentionItem():
            await acting.unit.review.attention.save(handed)
        case PendingApproval():
            await acting.unit.approvals.save(handed)
        case _:
            assert_never(handed)
    if to is None:
        await remark_on(acting, handed, "unassigned", assignee=thing.assignee)
    else:
        await remark_on(acting, handed, "assigned", assignee=to)
    return handed


async def _take(acting: Acting[InboxUnit], user: User | None, things: Sequence[T]) -> None:
    for thing in things:
        if not _may_act(user, thing.occasion.place):
            with suppress(PreconditionFailed):  # somebody closed it just now, or it is in other hands
                await _hand(acting, thing, None)


def _waits(thing: Thing, now_ms: int) -> bool:
    if isinstance(thing, AttentionItem):
        return thing.status == "open"
    return thing.status == "pending" and now_ms < thing.expires_ms


def _may_act(user: User | None, place: Place) -> bool:
    return user is not None and user.deleted_ms is None and principal_of(user).may(WRITES, place)


def _require_hands(user: User | None, place: Place) -> None:
    if user is None or user.deleted_ms is not None:
        raise InvalidInput.of("user_id", "unknown_user", "There is nobody with this id here.")
    if not _may_act(user, place):
        message = (
            f"{user.full_name} may not act {describe(place)}: choose somebody with the role WRITE there."
        )
        raise InvalidInput.of("user_id", "may_not_act", message)
