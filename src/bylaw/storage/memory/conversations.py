"""The conversations of one tenant, in memory."""

from collections.abc import Collection, Mapping

from typing_extensions import override

from bylaw.core.paging import Page, Slice
from bylaw.learning.model import Conversation, ConversationId, search_text
from bylaw.learning.store import ConversationFilter
from bylaw.storage.memory.kinds import Kind
from bylaw.storage.rows import conversation_row
from bylaw.storage.sql import tables


class MemoryConversations(Kind[ConversationId, Conversation]):
    """The conversations of one tenant."""

    table = tables.conversations
    kind = Conversation
    noun = "conversation"

    async def list(self, where: ConversationFilter, part: Slice) -> Page[Conversation]:
        """Return a page of those that match and are not forgotten."""
        rows = self._heap.all(tables.attention)
        mine = [row for row in rows if (row["tenant_id"], row["status"]) == (self._tenant_id, "open")]
        watched = {row["conversation_id"] for row in mine}
        return self._page(
            part,
            lambda each: (
                _matches(each, where)
                and (where.has_attention is None or (each.id in watched) == where.has_attention)
            ),
        )

    async def forgotten(self, idents: Collection[str], /) -> frozenset[str]:
        """Return which of these were forgotten."""
        rows = (self._heap.get(self.table, self._tenant_id, each) for each in idents)
        return frozenset(
            str(row["id"]) for row in rows if row is not None and row["forgotten_ms"] is not None
        )

    @override
    def _written(self, item: Conversation) -> Mapping[str, object]:
        return conversation_row(item)


def _matches(item: Conversation, where: ConversationFilter) -> bool:
    return (
        item.forgotten_ms is None
        and (where.within is None or any(place.contains(item.place) for place in where.within))
        and (where.status is None or item.status == where.status)
        and (where.contact_id is None or item.contact_id == where.contact_id)
        and (where.account_id is None or item.account_id == where.account_id)
        and (where.human_managed is None or item.human_managed == where.human_managed)
        and (where.text is None or where.text.casefold() in search_text(item))
        and _is_theirs(item, where)
    )


def _is_theirs(item: Conversation, where: ConversationFilter) -> bool:
    is_open = item.owner in {"", where.reader} or any(place.contains(item.place) for place in where.open_in)
    return (
        (where.owned is None or bool(item.owner) == where.owned)
        and (where.owners is None or item.owner in where.owners)
        and (where.reader is None or is_open)
        and (where.repo_id is None or item.place.repo_id == where.repo_id)
        and (where.from_ms is None or item.created_ms >= where.from_ms)
        and (where.to_ms is None or item.created_ms < where.to_ms)
        and (where.deleted or item.deleted_ms is None)
    )
