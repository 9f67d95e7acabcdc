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

from bylaw.evaluators.injection.normal import Normal, normal

# What is read of one text, and of all texts until others get their turn: together how long they ever wait.
MOST_READ: Final = 100_000
_TURN: Final = 50_000
# What beginning a search costs, and what a character outside ASCII does, in characters read.
_BEGINNING: Final = 500
_FOREIGN: Final = 8
_STRETCH: Final = 4_096

Facts = Mapping[str, object]
# Between the parts of a call: no phrase and no number goes on across it.
APART: Final = "\n\0\n"
# Where a message, or a part of one, says something.
_SAID: Final = ("content", "text")


@dataclass(frozen=True)
class Seen:
    """A text as it is searched: the part that is read, and its plain form with all places."""

    text: str
    plain: Normal

    @cached_property
    def data(self) -> bytes:
        """The plain form with a space on each side, so that every word has something around it."""
        return b" " + self.plain.text.encode() + b" "


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
    _seen: dict[str, Seen] = field(default_factory=dict)

    async def read(self, text: str, search: Search) -> Found:
        """Return what `search` finds in the part of `text` that is read."""
        seen = self._seen.get(text)
        if seen is None:
            seen = self._seen[text] = await self._look(_cut(text))
        await self._spend(len(seen.text) + _BEGINNING)
        return search(seen)

    async def _look(self, text: str) -> Seen:
        if text.isascii():
            return Seen(text, normal(text))
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
            await self._spend(_STRETCH * _FOREIGN)
        return Seen(text, Normal("".join(pieces), places))

    async def _spend(self, characters: int) -> None:
        self._left -= characters
        if self._left < 0:
            self._left = _TURN
            await asyncio.sleep(0)


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
    """Return whether what is said is text alone: an image or a file is not read here."""
    if isinstance(value, Mapping):
        said = [value[name] for name in _SAID if name in value]
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
