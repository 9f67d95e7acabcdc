"""Texts as the ids of word pieces, as BERT's uncased models were trained on.

Equal, id for id, to what the `tokenizers` library makes of the same vocabulary, which
`tests/search/golden/record.py` records; but for some 500 rare marks that Unicode has since version 8 only. A
text is
1. cleaned: control characters go, white space becomes a space, Chinese characters stand alone;
2. decomposed (NFD), its accents dropped, each character lowered by itself;
3. split at white space and around punctuation;
4. each word cut greedily into the longest pieces of the vocabulary, or unknown as a whole.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

_UNKNOWN: Final = "[UNK]"
_BEGIN: Final = "[CLS]"
_END: Final = "[SEP]"
_SPECIAL: Final = re.compile(r"(\[(?:PAD|UNK|CLS|SEP|MASK)\])")
_LONGEST_WORD: Final = 100
_MOST_CHARACTERS: Final = 32_768
_MOST_REMEMBERED: Final = 50_000
_CHINESE: Final = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class _Table(dict[int, str]):
    """What becomes of each character, worked out when it is first seen; for `str.translate`."""

    def __init__(self, of: Callable[[str], str]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, code: int) -> str:
        found = self._of(chr(code))
        if len(self) < _MOST_REMEMBERED:
            self[code] = found
        return found


class WordPiece:
    """The word pieces of a vocabulary, of which the n-th line is the piece with id n."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._ids = {piece: place for place, piece in enumerate(vocabulary)}
        self._unknown = (self._ids[_UNKNOWN],)
        self._begin, self._end = self._ids[_BEGIN], self._ids[_END]
        self._cleaned = _Table(_clean)
        self._plain = _Table(_plain)
        self._known: dict[str, tuple[int, ...]] = {}

    def ids(self, text: str, limit: int) -> list[int]:
        """Return at most `limit` ids, the marks of begin and end among them, which an empty text has too.

        Of a text, the first 32,768 characters count.
        """
        found = [self._begin]
        for part in _SPECIAL.split(text[:_MOST_CHARACTERS]):
            if len(found) >= limit:
                break
            if _SPECIAL.fullmatch(part):
                found.append(self._ids[part])
                continue
            for word in self._words(part):
                found += self._pieces(word)
                if len(found) >= limit:
                    break
        return [*found[: limit - 1], self._end]

    def _words(self, text: str) -> list[str]:
        cleaned = text.translate(self._cleaned)
        if not cleaned.isascii():
            cleaned = unicodedata.normalize("NFD", cleaned)
        return cleaned.translate(self._plain).split()

    def _pieces(self, word: str) -> tuple[int, ...]:
        known = self._known.get(word)
        if known is None:
            known = self._cut(word)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[word] = known
        return known

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > _LONGEST_WORD:
            return self._unknown
        found, begin = list[int](), 0
        while begin < len(word):
            mark = "##" if begin else ""
            for end in range(len(word), begin, -1):
                piece = self._ids.get(mark + word[begin:end])
                if piece is not None:
                    break
            else:
                return self._unknown
            found.append(piece)
            begin = end
        return tuple(found)


def _clean(character: str) -> str:
    if character in "\t\n\r":
        return " "
    if character == "\ufffd" or unicodedata.category(character) in {"Cc", "Cf", "Co"}:
        return ""
    if character.isspace():
        return " "
    code = ord(character)
    return f" {character} " if any(low <= code <= high for low, high in _CHINESE) else character


def _plain(character: str) -> str:
    """Return a decomposed character without accents, lowered, with room around punctuation."""
    if unicodedata.category(character) == "Mn":
        return ""
    lowered = character.lower()
    return "".join(f" {each} " if _is_punctuation(each) else each for each in lowered)


def _is_punctuation(character: str) -> bool:
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character).startswith("P")
