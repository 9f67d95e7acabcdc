"""The conversations of one tenant, in SQL."""

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Table, and_, exists, not_, or_, select
from typing_extensions import override

from bylaw.core.paging import Page, Slice
from bylaw.learning.model import Conversation, ConversationId
from bylaw.learning.store import ConversationFilter
from bylaw.storage.rows import conversation_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.kinds import Kind
from bylaw.storage.sql.lists import Condition, contains, equals, inside_any, one_of


class SqlConversations(Kind[ConversationId, Conversation]):
    """The conversations of one tenant."""

    table = tables.conversations
    kind = Conversation
    noun = "conversation"

    async def list(self, where: ConversationFilter, part: Slice) -> Page[Conversation]:
        """Return a page of those that match and are not forgotten."""
        columns = self.table.c
        conditions: list[Condition] = [
            columns.forgotten_ms.is_(None),
            *equals(columns.status, where.status),
            *equals(columns.contact_id, where.contact_id),
            *equals(columns.account_id, where.account_id),
            *equals(columns.human_managed, where.human_managed),
            *equals(columns.repo_id, where.repo_id),
            *one_of(columns.owner, where.owners),
            *_whose(self.table, where),
        ]
        if where.from_ms is not None:
            conditions.append(columns.created_ms >= where.from_ms)
        if where.to_ms is not None:
            conditions.append(columns.created_ms < where.to_ms)
        if where.within is not None:
            conditions.append(inside_any(self.table, where.within))
        if where.text is not None:
            conditions.append(contains(columns.search_text, where.text.casefold()))
        if where.has_attention is not None:
            items = tables.attention.c
            its_own = and_(items.tenant_id == self._tenant_id, items.conversation_id == columns.id)
            attention = exists().where(its_own, items.status == "open")
            conditions.append(attention if where.has_attention else not_(attention))
        return await self._page(part, *conditions)

    async def forgotten(self, idents: Collection[str], /) -> frozenset[str]:
        """Return which of these were forgotten."""
        columns = self.table.c
        these = self._own(columns.id.in_(idents), columns.forgotten_ms.is_not(None))
        return frozenset(row["id"] for row in await self._session.rows(select(columns.id).where(these)))

    @override
    def _written(self, item: Conversation) -> Mapping[str, object]:
        return conversation_row(item)


def _whose(table: Table, where: ConversationFilter) -> Iterator[Condition]:
    """Yield what is asked of who has a conversation alone, and of its deletion."""
    owner = table.c.owner
    if where.owned is not None:
        yield owner != "" if where.owned else owner == ""
    if where.reader is not None:
        yield or_(owner.in_(["", where.reader]), inside_any(table, where.open_in))
    if not where.deleted:
        yield table.c.deleted_ms.is_(None)
