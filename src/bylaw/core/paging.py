"""Pages: how a long list is cut, and the opaque cursors that continue it."""

import base64
import binascii
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bylaw.core.errors import InvalidInput, Problem

T = TypeVar("T")

MAX_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which part of a list is wanted: at most `limit` items after `cursor`, or else after `offset` items.

    `total` asks for the number of all items that match, which costs a count.
    """

    limit: int = 50
    cursor: str | None = None
    offset: int = 0
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One part of a list; `next_cursor` is None on the last, `total` is None unless it was asked for."""

    items: tuple[T, ...]
    next_cursor: str | None = None
    total: int | None = None


async def every(read: Callable[[Slice], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """Yield every item of a list, which `read` gives page by page."""
    part: Slice | None = Slice(limit=MAX_LIMIT)
    while part is not None:
        page = await read(part)
        for item in page.items:
            yield item
        part = None if page.next_cursor is None else Slice(limit=MAX_LIMIT, cursor=page.next_cursor)


def encode_cursor(*keys: int | str) -> str:
    """Return the sort keys of the last item as one opaque word that fits a URL."""
    return base64.urlsafe_b64encode(json.dumps(keys, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(text: str, *kinds: type) -> tuple[int | str, ...]:
    """Return the sort keys inside `text`, one of each of `kinds`.

    Raises: InvalidInput when it is not a cursor of this list.
    """
    try:
        keys = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        keys = None
    if not isinstance(keys, list) or tuple(type(key) for key in keys) != kinds:
        problem = Problem(path="cursor", code="bad_cursor", message="Send next_cursor as it was received.")
        raise InvalidInput("The cursor is not one of this list.", problem)
    return tuple(keys)
