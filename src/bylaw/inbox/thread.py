"""The thread of a thing: what people said about it, and through whose hands it went.

Comments are only ever added. Their text is never in the log, so it can be erased with what was asked.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from bylaw.core.errors import InvalidInput
from bylaw.core.ids import ReceiptId, UserId
from bylaw.core.paging import Page, Slice
from bylaw.inbox.model import Remark, Thing
from bylaw.inbox.store import InboxUnit
from bylaw.inbox.things import remark_on, require_handling
from bylaw.tenancy.model import User
from bylaw.tenancy.principal import Acting

MAX_COMMENT: Final = 4_000
_PERSON: Final = "user:"


async def read_thread(acting: Acting[InboxUnit], thing: Thing, part: Slice) -> Page[Remark]:
    """Return a page of the remarks about a thing that the caller may read, newest first."""
    return await acting.unit.remarks.list(thing.id, part)


async def people_in(unit: InboxUnit, remarks: Sequence[Remark]) -> Mapping[str, User]:
    """Return everybody who made these remarks, or had the thing, by their id, those who left too."""
    authors = [each.author.removeprefix(_PERSON) for each in remarks if each.author.startswith(_PERSON)]
    known = {*authors, *(each.assignee for each in remarks if each.assignee is not None)}
    found = [await unit.tenancy.users.get(UserId(ident)) for ident in sorted(known)]
    return {user.id: user for user in found if user is not None}


async def comment(acting: Acting[InboxUnit], thing: Thing, text: str) -> Remark:
    """Store a comment about a thing that the caller may read, whatever became of it, and return it.

    Raises: Forbidden; Conflict (`held_call`); InvalidInput when it is blank or too long.
    """
    require_handling(acting, thing)
    said = text.strip()
    if not said:
        raise InvalidInput.of("text", "required", "Write something first.")
    if len(said) > MAX_COMMENT:
        message = f"At most {MAX_COMMENT:,} characters; this has {len(said):,}."
        raise InvalidInput.of("text", "too_long", message)
    return await remark_on(acting, thing, "comment", text=said)


async def erase_comments(acting: Acting[InboxUnit], receipt_id: ReceiptId) -> None:
    """Erase what people wrote about what one decision left: it may say again what was asked."""
    await acting.unit.remarks.erase(receipt_id)
