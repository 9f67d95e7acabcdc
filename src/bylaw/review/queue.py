"""The review queue: reading what decisions left for people, and resolving what was looked at."""

from dataclasses import replace
from typing import Final, Protocol

from bylaw.core.errors import NotFound
from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.review.model import Alert, AttentionItem, Violation
from bylaw.review.store import AttentionFilter, Review, ReviewFilter
from bylaw.tenancy.model import Place, overlap
from bylaw.tenancy.naming import checked_reason
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision

READS: Final = "receipts:read"
READS_ATTENTION: Final = "conversations:read"
RESOLVES: Final = "conversations:write"


class ReviewUnit(Protocol):
    """One transaction of one tenant, as far as review needs it."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def review(self) -> Review:
        """What its decisions left for people."""


async def list_violations(acting: Acting[ReviewUnit], where: ReviewFilter, part: Slice) -> Page[Violation]:
    """Return a page of the violations that the caller may read: none for a person who reads nowhere.

    Raises: Forbidden.
    """
    within = readable(acting, READS, where.within)
    return await acting.unit.review.violations.list(replace(where, within=within), part)


async def list_alerts(acting: Acting[ReviewUnit], where: ReviewFilter, part: Slice) -> Page[Alert]:
    """Return a page of the alerts that the caller may read: none for a person who reads nowhere.

    Raises: Forbidden.
    """
    within = readable(acting, READS, where.within)
    return await acting.unit.review.alerts.list(replace(where, within=within), part)


async def list_attention(
    acting: Acting[ReviewUnit], where: AttentionFilter, part: Slice
) -> Page[AttentionItem]:
    """Return a page of the attention items that the caller may read. Raises: Forbidden."""
    within = readable(acting, READS_ATTENTION, where.within)
    return await acting.unit.review.attention.list(replace(where, within=within), part)


async def read_attention(acting: Acting[ReviewUnit], ident: str) -> AttentionItem:
    """Return one attention item. Raises: Forbidden; NotFound, also for one out of the caller's sight."""
    acting.principal.require(READS_ATTENTION)
    item = await acting.unit.review.attention.get(ident)
    if item is None or not acting.principal.may(READS_ATTENTION, item.occasion.place):
        raise NotFound("attention item", ident)
    return item


async def resolve_attention(
    acting: Acting[ReviewUnit], ident: str, *, reason: str = "", revision: int | None = None
) -> AttentionItem:
    """Store an attention item as resolved and return it; resolving it again changes nothing.

    Raises: NotFound, Forbidden, PreconditionFailed; InvalidInput for a reason that is too long.
    """
    item = await read_attention(acting, ident)
    acting.principal.require(RESOLVES, item.occasion.place)
    require_revision(item.revision, revision)
    why = checked_reason(reason)
    if item.status == "resolved":
        return item
    resolved = replace(
        item,
        status="resolved",
        resolved_by=acting.principal.actor,
        resolved_ms=acting.clock.now_ms(),
        resolved_reason=why,
        revision=item.revision + 1,
    )
    await acting.unit.review.attention.save(resolved)
    return resolved


def readable(acting: Acting[ReviewUnit], scope: str, wanted: tuple[Place, ...] | None) -> tuple[Place, ...]:
    """Return the places that are wanted and in which the scope is held. Raises: Forbidden.

    A key that speaks for a person needs the scope itself; the person behind it may hold it nowhere.
    """
    replace(acting.principal, speaks_for=None).require(scope)
    held = acting.principal.places(scope)
    return held if wanted is None else overlap(wanted, held)
