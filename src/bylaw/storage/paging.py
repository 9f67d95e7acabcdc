"""How every store cuts a list: newest first, continued after the last item that was seen."""

from collections.abc import Callable, Sequence

from bylaw.core.errors import InvalidInput
from bylaw.core.paging import Page, Slice, T, decode_cursor, encode_cursor

SortKey = tuple[int | str, ...]
BY_TIME = (int, str)


def start_of(part: Slice, *kinds: type) -> SortKey | None:
    """Return the sort key after which `part` begins, or None for the beginning.

    Raises: InvalidInput for a foreign cursor, or a limit or offset out of range.
    """
    if part.limit < 1 or part.offset < 0:
        message = "A page has at least one item and starts at 0 or later."
        raise InvalidInput.of("limit", "out_of_range", message)
    return None if part.cursor is None else decode_cursor(part.cursor, *kinds)


def page_of(
    found: Sequence[T], part: Slice, key: Callable[[T], SortKey], *, total: int | None = None
) -> Page[T]:
    """Return the page of `found`, which has one item beyond the limit when the list goes on."""
    items = tuple(found[: part.limit])
    more = len(found) > part.limit
    return Page(items=items, next_cursor=encode_cursor(*key(items[-1])) if more else None, total=total)
