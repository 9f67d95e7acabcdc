"""Where people of one tenant say that messages lead, in SQL."""

from collections.abc import Collection

from sqlalchemy import and_, delete, or_, select, update
from typing_extensions import override

from bylaw.core.ids import PolicyId
from bylaw.core.paging import Page, Slice
from bylaw.search.store import Correction, CorrectionFilter, CorrectionId
from bylaw.storage.sql import tables
from bylaw.storage.sql.kinds import Kind
from bylaw.storage.sql.lists import Condition, equals, one_of
from bylaw.storage.vectors import FORGOTTEN, NOT_EMBEDDED

_C, _V = tables.corrections.c, tables.vectors.c


class SqlCorrections(Kind[CorrectionId, Correction]):
    """The corrections of one tenant."""

    table = tables.corrections
    kind = Correction
    noun = "correction"

    @override
    async def add(self, item: Correction, /) -> None:
        """Store a new correction, and list its text to be embedded. Raises: Conflict (`exists`)."""
        await super().add(item)
        listed = {"tenant_id": self._tenant_id, "digest": item.digest, **NOT_EMBEDDED}
        await self._session.insert_all(tables.vectors, [listed])
        again = self._vectors(_V.digest == item.digest, _V.embedder == FORGOTTEN)
        await self._session.change(update(tables.vectors).where(again).values(embedder=""))

    async def list(self, where: CorrectionFilter, part: Slice) -> Page[Correction]:
        """Return a page of those that match, newest first."""
        conditions = [
            *one_of(_C.policy_id, where.policy_ids),
            *equals(_C.conversation_id, where.conversation_id),
            *equals(_C.receipt_id, where.receipt_id),
        ]
        if where.is_nobodys:
            conditions.append(_C.policy_id.is_(None))
        if where.digests is not None:
            conditions.append(_C.digest.in_(sorted(where.digests)))
        if where.only is not None:
            named = _C.workspace_id.in_(sorted(each for each in where.only if each is not None))
            conditions.append(or_(named, _C.workspace_id.is_(None)) if None in where.only else named)
        return await self._page(part, *conditions)

    async def remove(self, idents: Collection[CorrectionId]) -> None:
        """Forget corrections, and what a text means that nobody says any more."""
        await self._remove(_C.id.in_(sorted(idents)))

    async def remove_of(self, policy_ids: Collection[PolicyId]) -> None:
        """Forget what leads to these policies, which are deleted."""
        await self._remove(_C.policy_id.in_(sorted(policy_ids)))

    async def _remove(self, which: Condition) -> None:
        these = self._own(which)
        digests = {row["digest"] for row in await self._session.rows(select(_C.digest).where(these))}
        if not digests:
            return
        await self._session.change(delete(tables.corrections).where(these))
        among = self._own(_C.digest.in_(sorted(digests)))
        digests -= {row["digest"] for row in await self._session.rows(select(_C.digest).where(among))}
        blank = {"embedder": FORGOTTEN, "about": None, "procedure": None}
        gone = self._vectors(_V.digest.in_(sorted(digests)))
        await self._session.change(update(tables.vectors).where(gone).values(**blank))

    def _vectors(self, *where: Condition) -> Condition:
        return and_(_V.tenant_id == self._tenant_id, *where)
