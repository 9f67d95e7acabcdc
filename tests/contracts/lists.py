"""Walking a list the way a client does."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bylaw.core.paging import Page, Slice

T = TypeVar("T")


async def every(fetch: Callable[[Slice], Awaitable[Page[T]]], *, limit: int = 2) -> list[T]:
    """Every item, page after page."""
    found: list[T] = []
    cursor: str | None = None
    for _ in range(50):
        page = await fetch(Slice(limit=limit, cursor=cursor))
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the list does not end")
