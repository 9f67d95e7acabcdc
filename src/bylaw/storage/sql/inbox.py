"""What people say about the things of one tenant's inbox, in SQL."""

from collections.abc import Collection, Mapping

from sqlalchemy import and_, func, select, update

from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.inbox.model import Remark
from bylaw.storage.refusals import require_own
from bylaw.storage.rows import from_row, to_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import Condition, Listing
from bylaw.storage.sql.session import Session

_R = tables.remarks.c


class SqlRemarks:
    """The remarks of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def add(self, remark: Remark) -> None:
        """Store a new remark."""
        require_own(remark, self._tenant_id)
        await self._session.insert_new(tables.remarks, to_row(remark))

    async def list(self, about: str, part: Slice) -> Page[Remark]:
        """Return a page of the remarks about one thing."""
        wanted = select(tables.remarks).where(self._own(_R.about == about))
        return await Listing(wanted, _R.created_ms, _R.id).page(
            self._session,
            part,
            read=lambda row: from_row(Remark, row),
            key=lambda remark: (remark.created_ms, remark.id),
        )

    async def comments(self, about: Collection[str]) -> Mapping[str, int]:
        """Return how many comments there are about each of these things, those without any left out."""
        theirs = self._own(_R.about.in_(sorted(about)), _R.kind == "comment")
        counted = select(_R.about, func.count().label("times")).where(theirs).group_by(_R.about)
        return {row["about"]: row["times"] for row in await self._session.rows(counted)} if about else {}

    async def erase(self, receipt_id: str) -> None:
        """Erase the text of every comment about what one decision left."""
        theirs = self._own(_R.receipt_id == receipt_id, _R.kind == "comment")
        await self._session.change(update(tables.remarks).where(theirs).values(text=None))

    def _own(self, *where: Condition) -> Condition:
        return and_(_R.tenant_id == self._tenant_id, *where)
