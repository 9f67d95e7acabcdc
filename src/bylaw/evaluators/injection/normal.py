"""A text as a model would understand it, in plain ASCII, with the place of each character in the original.

Case, accents, full-width and styled letters, look-alikes of other alphabets and invisible characters are
undone; letters that tags smuggle along are written out. Any other character becomes one that no sign has.
"""

import re
import unicodedata
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_OTHER: Final = "\x7f"
_RUNS: Final = re.compile(r"[\x00-\x7f]+|[^\x00-\x7f]")
_TAGS: Final = range(0xE0020, 0xE007F)
# Letters of Cyrillic, Greek and others that look like Latin ones, each beside its double.
DOUBLES: Final = {
    ord(odd): plain
    for plain, odds in {
        "a": "\u0430\u0410\u03b1\u0391\u0251",
        "b": "\u0412\u042c\u044c\u0392",
        "c": "\u0441\u0421\u03f2",
        "d": "\u0501\u0500",
        "e": "\u0435\u0415\u0395\u0454\u03b5",
        "g": "\u0261\u050d",
        "h": "\u04bb\u041d\u0397",
        "i": "\u0456\u0406\u03b9\u0399\u0131\u04cf\u0196\u0269",
        "j": "\u0458\u0408",
        "k": "\u043a\u041a\u03ba\u039a",
        "l": "\u04c0",
        "m": "\u043c\u041c\u039c",
        "n": "\u043f\u03b7\u039d",
        "o": "\u043e\u041e\u03bf\u039f",
        "p": "\u0440\u0420\u03c1\u03a1",
        "q": "\u051b",
        "r": "\u0433",
        "s": "\u0455\u0405",
        "t": "\u0442\u0422\u03c4\u03a4",
        "u": "\u03c5\u057d",
        "v": "\u03bd\u0475",
        "w": "\u0461\u051d",
        "x": "\u0445\u0425\u03c7\u03a7",
        "y": "\u0443\u0423\u04af\u03a5",
        "z": "\u0396",
    }.items()
    for odd in odds
}
_SMALL_CAPITALS: Final = dict(
    zip(
        map(ord, "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0493\u0262\u029c\u026a\u1d0a\u1d0b"),
        "abcdeffghijk",
        strict=True,
    )
) | dict(
    zip(
        map(ord, "\u029f\u1d0d\u0274\u1d0f\u1d18\u0280\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22"),
        "lmnoprtuvwyz",
        strict=True,
    )
)
_QUOTES: Final = dict.fromkeys(map(ord, "\u2018\u2019\u201a\u2039\u203a"), "'") | dict.fromkeys(
    map(ord, "\u201c\u201d\u201e\u00ab\u00bb"), '"'
)
_FORMAT: Final = frozenset(["Cf", "Mn", "Me", "Cc"])


@dataclass(frozen=True, slots=True)
class Normal:
    """The plain text, and the place of each of its characters in the original: None where all are equal."""

    text: str
    places: Sequence[int] | None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the plain text stands in the original."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def normal(text: str) -> Normal:
    """Return `text` in plain ASCII, in time that grows with its length."""
    if text.isascii():
        return Normal(text.lower(), None)
    pieces: list[str] = []
    places = array("L")
    for found in _RUNS.finditer(text):
        piece, start = found[0], found.start()
        if piece.isascii():
            pieces.append(piece.lower())
            places.extend(range(start, found.end()))
        else:
            plain = _plain(piece)
            pieces.append(plain)
            places.extend([start] * len(plain))
    return Normal("".join(pieces), places)


@lru_cache(maxsize=4_096)
def _plain(character: str) -> str:
    """Return what one character outside ASCII stands for; nothing for one that is not seen."""
    code = ord(character)
    if code in _TAGS:
        return chr(code - 0xE0000).lower()
    known = DOUBLES.get(code) or _SMALL_CAPITALS.get(code) or _QUOTES.get(code)
    if known:
        return known
    if unicodedata.category(character) in _FORMAT:
        return ""
    parts = unicodedata.normalize("NFKD", character)
    plain = "".join(part.lower() for part in parts if part.isascii())
    if plain:
        return plain
    return DOUBLES.get(ord(parts[0]), _OTHER)
