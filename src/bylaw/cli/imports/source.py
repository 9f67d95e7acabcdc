"""The server from which is imported: asked politely, and trusted with nothing but the key for it."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse
from typing import Final, NoReturn, TypeVar
from urllib.parse import urlencode, urlsplit

from bylaw.cli.remote import NoRedirects
from bylaw.core.clock import Clock, SystemClock
from bylaw.core.errors import (
    BylawError,
    Corrupt,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

ATTEMPTS: Final = 6
LONGEST_WAIT_S: Final = 120  # whoever asks for more is asked again by a person
MOST_BYTES: Final = 64 << 20
MOST_ROWS: Final = 200_000  # twice what a tenant holds
MOST_EMPTY_PAGES: Final = 5  # in a row, of a list that says it goes on
_TIMEOUT_S: Final = 30  # without a byte
_WHOLE_ANSWER_MS: Final = 300_000
_PART: Final = 1 << 16
_PASSES: Final = frozenset({429, 500, 502, 503, 504})

Pause = Callable[[float], None]
Row = dict[str, object]
T = TypeVar("T")


class Source:
    """A server at `url`, asked with the headers that carry the key; it follows no redirect with them."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        pause: Pause = time.sleep,
        clock: Clock | None = None,
    ) -> None:
        _check_address(url)
        self.url = url.rstrip("/")
        self._headers = {"accept": "application/json", **headers}
        self._opener = urllib.request.build_opener(NoRedirects)
        self._pause = pause
        self._clock = SystemClock() if clock is None else clock

    def get(self, path: str, **query: str | int) -> object:
        """Return the JSON that is at `path`.

        Raises: Unauthenticated, Forbidden, NotFound; RateLimited, Unavailable when waiting does not help;
        Corrupt for an answer that is none.
        """
        asked = f"{path}?{urlencode(query)}" if query else path
        return persist(lambda: self._get(asked), pause=self._pause)

    def find(self, path: str, **query: str | int) -> object | None:
        """Return the JSON that is at `path`, or None where the key may not look, or nothing is there."""
        try:
            return self.get(path, **query)
        except (Forbidden, NotFound, InvalidInput):
            return None

    def by_offset(self, path: str, *, size: int = 100) -> list[Row]:
        """Return the rows of a list with `items` and `total`, or of a bare list, read to its end.

        What comes or goes meanwhile moves the others: a list that does not have as many rows as it says is
        read again. Raises: Corrupt when it never has.
        """
        found, total = self._once_by_offset(path, size)
        for _ in range(2):
            if len(found) >= total:
                break
            found, total = self._once_by_offset(path, size)
        if len(found) >= total:
            return list(found.values())
        raise Corrupt(
            f"{self._said(path)} says that it has {total} rows, and gives {len(found)}.", place=path
        )

    def by_cursor(self, path: str, name: str, *, size: int = 100) -> list[Row]:
        """Return the rows of a list that goes on at `next_cursor`, or of a bare list, read to its end.

        Raises: Corrupt when it has none: the same cursor again, too many rows, or empty pages only.
        """
        rows: list[Row] = []
        cursors: set[str] = set()
        empty = 0
        page = self.get(path, limit=size)
        while True:
            more = self.rows(page, path, "data", "items", name)
            rows += more
            empty = 0 if more else empty + 1
            cursor = page.get("next_cursor") if isinstance(page, dict) else None
            if not isinstance(cursor, str) or not cursor:
                return rows
            if cursor in cursors or len(rows) > MOST_ROWS:
                raise Corrupt(f"{self._said(path)} never ends: it goes on at the same place.", place=path)
            if empty >= MOST_EMPTY_PAGES:
                raise Corrupt(f"{self._said(path)} never ends: {empty} pages in a row are empty.", place=path)
            cursors.add(cursor)
            page = self.get(path, limit=size, cursor=cursor)

    def rows(self, page: object, path: str, *names: str) -> list[Row]:
        """Return the rows of an answer: those under one of `names`, or the answer itself. Raises: Corrupt."""
        found = page
        if isinstance(page, dict):
            found = next((page[name] for name in names if name in page), None)
        if not isinstance(found, list):
            raise Corrupt(f"{self._said(path)} has no list of {' or '.join(names)}.", place=path)
        return [each if isinstance(each, dict) else {"": each} for each in found]

    def _once_by_offset(self, path: str, size: int) -> tuple[dict[object, Row], int]:
        """Return the rows by id, each once as it was read last, and how many the list says it has."""
        found: dict[object, Row] = {}
        offset, total = 0, 0
        while offset < MOST_ROWS:
            page = self.get(path, limit=size, offset=offset)
            rows = self.rows(page, path, "items", "data")
            for row in rows:
                ident = row.get("id")
                found[ident if isinstance(ident, str) else offset + len(found)] = row
            said = page.get("total") if isinstance(page, dict) else None
            total = said if isinstance(said, int) else 0
            offset += len(rows)
            if not rows or (offset >= total if isinstance(said, int) else len(rows) < size):
                break
        return found, total

    def _get(self, asked: str) -> object:
        request = urllib.request.Request(self.url + asked, headers=self._headers)  # noqa: S310 - checked above
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                body = b"".join(self._parts(answer, asked))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error.code, error.headers, asked) from None
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", error)
            raise Unavailable(f"No server answers at {self.url}: {why}.") from None
        try:
            # Half a character in one row is for that row to be refused for.
            found: object = json.loads(body, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise Corrupt(f"{self._said(asked)} is no JSON: {error}.", place=asked) from None
        return found

    def _parts(self, answer: HTTPResponse, asked: str) -> Iterator[bytes]:
        """Yield an answer, which is neither too long nor takes too long. Raises: Corrupt, Unavailable."""
        until, size = self._clock.now_ms() + _WHOLE_ANSWER_MS, 0
        while part := answer.read(_PART):
            size += len(part)
            if size > MOST_BYTES:
                raise Corrupt(f"{self._said(asked)} has more than {MOST_BYTES >> 20} MiB.", place=asked)
            if self._clock.now_ms() > until:
                raise Unavailable(f"{self._said(asked)} does not come to its end.")
            yield part
        if answer.length:
            raise Unavailable(f"{self._said(asked)} was cut short.")

    def _refusal(self, status: int, headers: Message, asked: str) -> BylawError:
        """Return what a status means here."""
        said = f"{self._said(asked)} is refused with status {status}"
        match status:
            case 401:
                return Unauthenticated(f"{said}: it does not know the key.")
            case 403:
                return Forbidden(f"{said}: the key may not read that.", needs="another key")
            case 404:
                return NotFound.told(f"{said}: it is not there.")
            case _ if 300 <= status < 400:
                return InvalidInput(f"{said}: it is elsewhere. Name its address, the key goes nowhere else.")
            case _ if status in _PASSES:
                return RateLimited(f"{said}.", retry_after_s=self._wait_s(headers.get("retry-after", "")))
            case _:
                return InvalidInput(f"{said}.")

    def _wait_s(self, sent: str) -> int:
        """Return how many seconds to wait: as many as it says, or until the moment that it names."""
        if sent.isascii() and sent.isdecimal():
            return int(sent[:9])
        try:
            return max(0, int((parsedate_to_datetime(sent) - self._clock.now()).total_seconds()) + 1)
        except (ValueError, TypeError):
            return 0

    def _said(self, path: str) -> str:
        return f"What {self.url} has at {path.partition('?')[0]}"


def _check_address(url: str) -> None:
    """Return nothing for a plain address: it is kept with what comes, so no secret may stand in it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        raise InvalidInput("The address of the source is none.") from None
    if not usable:
        raise InvalidInput(f"{url!r} is not the address of a server: it begins with http:// or https://.")
    if "@" in parts.netloc or parts.query or parts.fragment or not url.isprintable():
        raise InvalidInput("Write only the address of the source, as https://host: its key goes into --key.")


def _no_number(said: str) -> NoReturn:
    raise ValueError(f"{said} is no number")


def persist(ask: Callable[[], T], *, pause: Pause) -> T:
    """Return what `ask` returns, asked again after a while when it can pass, a few times.

    Raises: what `ask` raises; RateLimited at once when the wait would be too long.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return ask()
        except (RateLimited, Unavailable) as error:
            wait_s = error.retry_after_s if isinstance(error, RateLimited) else 0
            if wait_s > LONGEST_WAIT_S:
                raise
            pause(wait_s or 0.5 * 2 ** (attempt - 1))
    return ask()
