"""What somebody else wrote, with all that hides in it: nobody approves what they do not see."""

import json
import re
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
    suspects = "".join(each for each in set(text) if not each.isascii() or not each.isprintable())
    found: list[Piece] = []
    start, word, is_mixed = 0, range(0), False
    for match in re.finditer(f"[{re.escape(suspects)}]", text) if suspects else ():
        at, character = match.start(), match.group()
        about = _about(character)
        if not about and _is_alike(character):
            if at not in word:
                word = _word(text, at)
                is_mixed = any(_script(each) == "LATIN" for each in text[word.start : word.stop])
            about = f"{_named(character)}, which looks like another letter" if is_mixed else ""
        if about:
            found += [Piece(text=text[start:at])] if at > start else []
            found.append(Piece(text=f"U+{ord(character):04X}", about=about))
            start = at + 1
    return (*found, Piece(text=text[start:])) if start < len(text) else tuple(found)


def beginning(value: object, most: int) -> object:
    """Return a JSON value as far as its first `most` characters go; a text that is cut ends in three dots."""
    return _begun(value, [most])


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


def _begun(value: object, left: list[int]) -> object:
    if isinstance(value, str) and not isinstance(value, Exact):
        begun = value if len(value) <= left[0] else f"{value[: left[0]]}..."
        left[0] -= len(value)
        return begun
    left[0] -= 1
    if isinstance(value, Mapping):
        return {key: _begun(each, left) for key, each in value.items() if left[0] > 0}
    if isinstance(value, list):
        return [_begun(each, left) for each in value if left[0] > 0]
    return value


def _about(character: str) -> str:
    """Return what a character is if it misleads wherever it stands, or an empty text."""
    if character.isascii():
        return "" if character.isprintable() or character == "\n" else _named(character)
    kind = unicodedata.category(character)
    hides = kind in _UNSEEN or kind == "Zs" or character in _BLANK or _is_variation(character)
    return _named(character) if hides else ""


def _is_alike(character: str) -> bool:
    """Return whether a letter looks like a Latin one: it misleads in a word with Latin ones."""
    return unicodedata.category(character).startswith("L") and _script(character) in _ALIKE


def _named(character: str) -> str:
    return unicodedata.name(character, "a character without a name").lower()


def _is_variation(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0e" or "\U000e0100" <= character <= "\U000e01ef"


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _word(text: str, at: int) -> range:
    """Return where the word around `at` begins and ends."""
    start, end = at, at + 1
    while start and text[start - 1].isalpha():
        start -= 1
    while end < len(text) and text[end].isalpha():
        end += 1
    return range(start, end)
