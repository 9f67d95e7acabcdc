"""Reading the texts of one request, so that others get their turn meanwhile.

Of a text, `MOST_READ` characters are read: of a longer one nothing is said to be absent, and nothing of a
message with a part that is no text.
"""

import asyncio
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import re2

from bylaw.evaluators.injection.normal import Normal, normal
from bylaw.evaluators.offline.coded import uncoded

# What is read of one text.
MOST_READ: Final = 100_000
# Characters that are read until others get their turn.
_TURN: Final = 10_000
# What beginning a search costs, and what a character outside ASCII does, in characters read.
_BEGINNING: Final = 200
_FOREIGN: Final = 8
_STRETCH: Final = 4_096
# A long text is read in windows: what stands across an end of one stands whole in the next.
_WINDOW: Final = 8_192
_OVERLAP: Final = 2_200
# Words of a phrase that are further apart than this may lie in two windows.
_FAR_APART: Final = re2.compile(r"[\s_-]{800}")

Facts = Mapping[str, object]
# Between the parts of a call: no phrase and no number goes on across it.
APART: Final = "\n\0\n"
# Where a message, or a part of one, says something; and what it has beside that which says nothing.
_SAID: Final = ("content", "text")
_ASIDE: Final = frozenset(
    {
        "annotations",
        "author",
        "cache_control",
        "created",
        "created_at",
        "finish_reason",
        "function_call",
        "id",
        "index",
        "is_error",
        "metadata",
        "model",
        "name",
        "role",
        "sender",
        "status",
        "time",
        "timestamp",
        "tool_call_id",
        "tool_calls",
        "tool_use_id",
        "type",
    }
)


@dataclass(frozen=True)
class Seen:
    """A text, or a window of a long one, as it is searched; `plain` is its plain form with all places.

    At an end at which it `begins` or `ends` within the text, what stands there may be cut.
    """

    text: str
    plain: Normal
    begins: bool = False
    ends: bool = False

    @cached_property
    def data(self) -> bytes:
        """The plain form with a space on each side, so that every word has something around it."""
        return b" " + self.plain.text.encode() + b" "

    def is_whole(self, quote: str) -> bool:
        """Return whether a quote stands in it away from where it is cut."""
        return quote in self.text[int(self.begins) : len(self.text) - int(self.ends)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search came to: quotes, and whether finding none shows that there is none."""

    quotes: tuple[str, ...] = ()
    shows_absence: bool = True


Search = Callable[[Seen], Found]


@dataclass(slots=True)
class Reader:
    """Reads the texts of one request, each but once, and gives others their turn meanwhile."""

    facts: Facts
    _left: int = _TURN
    _seen: dict[str, tuple[Seen, ...]] = field(default_factory=dict)
    _coded: dict[str, str] = field(default_factory=dict)

    async def read(self, text: str, search: Search) -> Found:
        """Return what `search` finds in the part of `text` that is read.

        What stands there in a code is not quoted, and nothing of it is ruled out.
        """
        found = await self._read(text, search)
        if not found.shows_absence:
            return found
        if text not in self._coded:
            await self.spend(len(text))
            seen = _cut(text)
            is_long = len(seen) > _TURN
            self._coded[text] = await asyncio.to_thread(uncoded, seen) if is_long else uncoded(seen)
        coded = self._coded[text]
        if not coded or not is_read(coded):
            return found if not coded else Found(quotes=found.quotes, shows_absence=False)
        meant = await self._read(coded, search)
        is_absent = meant.shows_absence and not (meant.quotes and not found.quotes)
        return Found(quotes=found.quotes, shows_absence=is_absent)

    async def _read(self, text: str, search: Search) -> Found:
        windows = self._seen.get(text)
        if windows is None:
            windows = self._seen[text] = await self._look(_cut(text))
        quotes: dict[str, None] = {}
        shows_absence = len(windows) == 1 or _FAR_APART.search(text) is None
        for seen in windows:
            await self.spend(len(seen.text) + _BEGINNING)
            found = search(seen)
            quotes |= dict.fromkeys(filter(seen.is_whole, found.quotes))
            shows_absence = shows_absence and found.shows_absence
        return Found(quotes=tuple(quotes), shows_absence=shows_absence)

    async def spend(self, characters: int) -> None:
        """Count what was read, and give others their turn when it was enough."""
        self._left -= characters
        if self._left < 0:
            self._left = _TURN
            await asyncio.sleep(0)

    async def _look(self, text: str) -> tuple[Seen, ...]:
        windows = []
        size = len(text) if len(text) <= _WINDOW + _OVERLAP else _WINDOW
        for start in range(0, max(len(text) - _OVERLAP, 1), max(size - _OVERLAP, 1)):
            part = text[start : start + size]
            plain = await self._normal(part)
            windows.append(Seen(part, plain, begins=start > 0, ends=start + size < len(text)))
            if start + size >= len(text):
                break
        return tuple(windows)

    async def _normal(self, text: str) -> Normal:
        if text.isascii():
            return normal(text)
        pieces: list[str] = []
        places = array("L")
        for start in range(0, len(text), _STRETCH):
            piece = normal(text[start : start + _STRETCH])
            pieces.append(piece.text)
            places.extend(
                range(start, start + len(piece.text))
                if piece.places is None
                else (start + place for place in piece.places)
            )
            await self.spend(_STRETCH * _FOREIGN)
        return Normal("".join(pieces), places)


def _cut(text: str) -> str:
    if is_read(text):
        return text
    begun = text[:MOST_READ]
    return begun.rpartition(" ")[0] or begun


def is_read(text: str) -> bool:
    """Return whether a text is read to its end."""
    return len(text) <= MOST_READ


def texts(value: object) -> Iterator[str]:
    """Yield what a text, a message or a list of them says."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name in _SAID:
            yield from texts(value.get(name))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def is_text(value: object) -> bool:
    """Return whether what is said is text alone: an image, a file or an unknown field is not read here."""
    if isinstance(value, Mapping):
        said = [value[name] for name in _SAID if name in value]
        if any(value[name] not in (None, "", [], {}) for name in value.keys() - _ASIDE - {*_SAID}):
            return False
        return (bool(said) or "role" in value) and all(map(is_text, said))
    if isinstance(value, list):
        return all(map(is_text, value))
    return value is None or isinstance(value, str)


def argument_texts(call: Mapping[str, object]) -> str:
    """Return what the arguments of a call say, as one text in which nothing runs on."""
    parts: list[str] = []
    waiting = [call.get("arguments")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += [*item, *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif item is not None:
            parts.append(str(item))
    return APART.join(parts)
