"""What somebody else wrote, with all that hides in it: nobody approves what they do not see."""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

LONG: Final = 400  # characters of a text that is shown folded away

# Letters and marks that are drawn as nothing, or as a space, though Unicode does not call them so.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
# Scripts whose letters look like Latin ones.
_ALIKE: Final = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text as it is, or one character of it that misleads: `about` says what it is then."""

    text: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a value that is shown part by part; `size` counts the characters of a text."""

    depth: int
    name: Sequence[Piece] = ()
    value: Sequence[Piece] = ()
    kind: str = "mark"
    tail: str = ""
    size: int = 0

    @property
    def is_long(self) -> bool:
        """Whether the text is so long that it can be folded away."""
        return self.size > LONG


class Exact(str):
    """A number as JSON wrote it, digit by digit."""

    __slots__ = ()


def exactly(document: bytes) -> object:
    """Return what a JSON document says, with every number as it stands there."""
    return json.loads(document, parse_int=Exact, parse_float=Exact)


def revealed(text: str) -> Sequence[Piece]:
    """Return a text in pieces; those that mislead are one character each."""
    found: list[Piece] = []
    start = 0
    for at, character in enumerate(text):
        about = _about(text, at, character)
        if about:
            found += [Piece(text=text[start:at])] if at > start else []
            found.append(Piece(text=f"U+{ord(character):04X}", about=about))
            start = at + 1
    return (*found, Piece(text=text[start:])) if start < len(text) else tuple(found)


def lines(value: object) -> Sequence[Line]:
    """Return a JSON value line by line, exactly: every text as JSON writes it, apart from what misleads."""
    return tuple(_lines(value, 0, (), ""))


def misleading(found: Sequence[Line]) -> int:
    """Return how many characters mislead."""
    return sum(1 for line in found for piece in (*line.name, *line.value) if piece.about)


def _lines(value: object, depth: int, name: Sequence[Piece], tail: str) -> Iterator[Line]:
    inner: list[tuple[Sequence[Piece], object]]
    if isinstance(value, Mapping) and value:
        opens, closes, inner = "{", "}", [(revealed(_written(str(key))), each) for key, each in value.items()]
    elif isinstance(value, list) and value:
        opens, closes, inner = "[", "]", [((), each) for each in value]
    else:
        yield _leaf(value, depth, name, tail)
        return
    yield Line(depth=depth, name=name, value=(Piece(text=opens),))
    for number, (key, each) in enumerate(inner, 1):
        yield from _lines(each, depth + 1, key, "," if number < len(inner) else "")
    yield Line(depth=depth, value=(Piece(text=closes),), tail=tail)


def _leaf(value: object, depth: int, name: Sequence[Piece], tail: str) -> Line:
    if isinstance(value, str) and not isinstance(value, Exact):
        text = revealed(_written(value))
        return Line(depth=depth, name=name, value=text, kind="text", tail=tail, size=len(value))
    return Line(depth=depth, name=name, value=(Piece(text=_written(value)),), kind="plain", tail=tail)


def _written(value: object) -> str:
    return str(value) if isinstance(value, Exact) else json.dumps(value, ensure_ascii=False)


def _about(text: str, at: int, character: str) -> str:
    """Return what a character is if it misleads, or an empty text."""
    if character.isascii():
        return "" if character.isprintable() or character == "\n" else _named(character)
    kind = unicodedata.category(character)
    if kind in _UNSEEN or character in _BLANK or (kind == "Zs") or _is_variation(character):
        return _named(character)
    if kind.startswith("L") and _script(character) in _ALIKE and _is_among_latin(text, at):
        return f"{_named(character)}, which looks like another letter"
    return ""


def _named(character: str) -> str:
    return unicodedata.name(character, "a character without a name").lower()


def _is_variation(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0e" or "\U000e0100" <= character <= "\U000e01ef"


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _is_among_latin(text: str, at: int) -> bool:
    """Return whether the word around `at` holds a Latin letter too."""
    start, end = at, at + 1
    while start and text[start - 1].isalpha():
        start -= 1
    while end < len(text) and text[end].isalpha():
        end += 1
    return any(_script(each) == "LATIN" for each in text[start:end])
