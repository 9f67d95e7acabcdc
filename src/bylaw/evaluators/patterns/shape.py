"""Shapes: where in a text something stands, and the checksum that tells it from what only looks like it.

Characters that nobody sees are read over: a soft hyphen hides nothing.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

Span = tuple[int, int]

MOST_QUOTES: Final = 20
# How many numbers are checked of a text that is full of look-alikes: to find some, and to rule all out.
MOST_TRIED: Final = 5_000
MOST_DOUBTED: Final = 500
# A text is searched in stretches, so that others get their turn; no match is longer than `_LONGEST`.
_STRETCH: Final = 4_096
_LONGEST: Final = 700
# What checking a look-alike costs, in characters read.
_CHECKING: Final = 128

DASHES: Final = r"\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
_SPACES: Final = r" \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
GAP: Final = f"[{_SPACES}{DASHES}]"
WIDE_GAP: Final = rf"[\s.{DASHES}]{{1,3}}"
# No letter and no digit stands before, or after: an underscore is neither.
START: Final = r"(?<![^\W_])"
END: Final = r"(?![^\W_])"

BREAK: Final = re.compile(r"[\W_]+")
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
)


@dataclass(frozen=True, slots=True)
class Visible:
    """A text without the characters that nobody sees; `hidden` is before which character each stood."""

    text: str
    hidden: tuple[int, ...] = ()

    def span(self, start: int, end: int) -> Span:
        """Return where in the text as it was sent a span of `text` stands."""
        return start + bisect_right(self.hidden, start), end + bisect_right(self.hidden, end - 1)


def plain(text: str) -> str:
    """Return `text` without the characters that nobody sees."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def visible(text: str) -> Visible:
    """Return the same, and where they stood."""
    seen = plain(text)
    if len(seen) == len(text):
        return Visible(text)
    places = (found.start() for found in _INVISIBLE.finditer(text))
    hidden = tuple(place - rank for rank, place in enumerate(places))
    return Visible(seen, hidden)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a kind of data looks like, and the checksum that tells it from what only looks like it.

    `needs` is a character without which it cannot be there. `dropped` groups at its end may belong to what
    follows: `4111 1111 1111 1111 12/27`.
    """

    pattern: re.Pattern[str]
    checks: Callable[[str], bool] | None = None
    dropped: int = 0
    needs: str = ""

    def search(self, text: str) -> Iterator[Span | int]:
        """Yield where it stands in `text`, in order; and in between how many characters' work it took.

        A number may stand beside another one: what fails the checksum is tried again without its last
        groups, and from its next group on.
        """
        if self.needs not in text:
            return
        seen = visible(text)
        position, size = 0, len(seen.text)
        for begin in range(0, size, _STRETCH):
            stop = min(begin + _STRETCH, size)
            while (found := self.pattern.search(seen.text, position, stop + _LONGEST)) is not None:
                start = found.start()
                if start >= stop:
                    break
                position = start + 2
                for end in self._ends(found):
                    if self.checks is None or self.checks(seen.text[start:end]):
                        position = end
                        yield seen.span(start, end)
                        break
                    yield _CHECKING
            position = max(position, stop)
            yield stop - begin

    def _ends(self, found: re.Match[str]) -> Iterator[int]:
        """Yield where it may end, the longest first."""
        yield found.end()
        if self.dropped:
            breaks = [each.start() for each in BREAK.finditer(found[0])]
            for end in breaks[: -self.dropped - 1 : -1]:
                yield found.start() + end


def quote(pattern: re.Pattern[str], text: str) -> list[str]:
    """Return the first places of `text` that match `pattern`, which reads over what nobody sees."""
    seen = visible(text)
    found = islice(pattern.finditer(seen.text), MOST_QUOTES)
    return [text[slice(*seen.span(*each.span()))] for each in found]


def first_quotes(shape: Shape, text: str) -> list[str]:
    """Return the first places of `text` that have the shape."""
    tried = islice(shape.search(text), MOST_TRIED)
    spans = (each for each in tried if not isinstance(each, int))
    return [text[slice(*span)] for span in islice(spans, MOST_QUOTES)]


def is_empty(shape: Shape, text: str) -> bool:
    """Return whether a text is searched to its end and has nothing of the shape."""
    tried = list(islice(shape.search(text), MOST_DOUBTED))
    return len(tried) < MOST_DOUBTED and all(isinstance(each, int) for each in tried)
