"""The vectors of what one tenant saved, in SQL."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from bylaw.core.ids import TenantId
from bylaw.policies.content import ContentDocument, restore_content
from bylaw.search.store import Meaning, Numbered, Unembedded
from bylaw.storage.sql import tables
from bylaw.storage.sql.compared import SqlCompared, compared
from bylaw.storage.sql.session import Session
from bylaw.storage.vectors import FORGOTTEN, meaning_of, meaning_row

_T = tables.vectors.c
_V = tables.versions.c
_C = tables.corrections.c


class SqlVectors:
    """The vectors of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._mine = _T.tenant_id == tenant_id

    async def waiting(self, embedder: str) -> int:
        """Return how many contents and messages have no vectors of this embedder."""
        return await self._session.number(select(func.count()).where(*self._others(embedder)))

    async def newest(self) -> int:
        """Return the highest number that was given; 0 while nobody has embedded anything."""
        return await self._session.number(select(func.max(_T.number)).where(self._mine))

    async def has_unembedded(self) -> bool:
        """Return whether some content or message has no vectors of anybody."""
        none = select(_T.number).where(self._mine, _T.embedder == "").limit(1)
        return await self._session.row(none) is not None

    async def unembedded(self, embedder: str, *, limit: int) -> Sequence[Unembedded]:
        """Return up to `limit` contents and messages that have no vectors of this embedder."""
        wanted = select(_T.digest).where(*self._others(embedder)).order_by(_T.embedder).limit(limit)
        digests = [row["digest"] for row in await self._session.rows(wanted)]
        messages = select(_C.digest, func.max(_C.text).label("text")).group_by(_C.digest)
        spoken = messages.where(_C.tenant_id == self._tenant_id, _C.digest.in_(digests))
        # Contents of one digest are equal.
        said = select(_V.digest, func.max(_V.content).label("content")).group_by(_V.digest)
        these = said.where(_V.tenant_id == self._tenant_id, _V.digest.in_(digests))
        return [
            *(
                Unembedded(
                    digest=row["digest"], content=restore_content(cast("ContentDocument", row["content"]))
                )
                for row in await self._session.rows(these)
            ),
            *(
                Unembedded(digest=row["digest"], content=row["text"])
                for row in await self._session.rows(spoken)
            ),
        ]

    async def keep(self, embedder: str, meanings: Sequence[Meaning]) -> None:
        """Store the vectors of what is listed; others are passed over."""
        last = await self.newest()
        kept = update(tables.vectors).where(self._mine, _T.digest == bindparam("this"))
        rows = [
            {**meaning_row(each), "this": each.digest, "embedder": embedder, "number": number}
            for number, each in enumerate(meanings, last + 1)
        ]
        await self._session.change_each(kept, rows)

    async def after(self, embedder: str, number: int, *, limit: int) -> Sequence[Numbered]:
        """Return up to `limit` vectors of this embedder with numbers above `number`, by rising number."""
        mine = (self._mine, _T.number > number, _T.embedder == embedder)
        wanted = select(_T.number, _T.digest, _T.about, _T.procedure).where(*mine)
        return [meaning_of(row) for row in await self._session.rows(wanted.order_by(_T.number).limit(limit))]

    async def compared(self) -> SqlCompared | None:
        """Return what compares them in the database, None where it cannot."""
        return await compared(self._session, self._tenant_id)

    def _others(self, embedder: str) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions of what others have told, as ranges of an index."""
        return (
            self._mine,
            or_(_T.embedder < embedder, and_(_T.embedder > embedder, _T.embedder < FORGOTTEN)),
        )
