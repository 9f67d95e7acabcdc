"""A text as its reviewer sees it: sentences with their places, quoted words hidden, and its language."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bylaw.policies.advice.words import WORD, listed

MOST_READ: Final = 10_000  # characters; a rule has at most 8,000

_QUOTED: Final = re.compile(
    "(?<!\\w)['\u2018][^'\u2018\u2019\n]{1,80}['\u2019](?!\\w)"
    r"|\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|`[^`\n]{1,80}`"
)
# A sentence ends at a stop before a space, at an empty line, and before the next item of a list.
_END: Final = re.compile(
    r"(?<!^\d)(?<!\n\d)(?<!\be\.g)(?<!\bi\.e)(?<!\betc)(?<!\bvs)(?<!\bapprox)(?<!\bno)[.!?]+"
    "(?=[\\s\"'”\u2019)]|$)"
    r"|;(?=\s)|\n[ \t]*\n|\n(?=[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t])",
    re.IGNORECASE,
)
# A stretch between marks that would set off a new statement within a sentence.
_CLAUSE: Final = re.compile(r"(?:,\s*)?\b(?:and|but|or|then|also)\b\s+(?=[\w']+)|[,:]\s+", re.IGNORECASE)

_SPACES: Final = {ord(space): " " for space in "\n\r\t"}

_ENGLISH: Final = listed(
    """the a an of to and or if is are be not never always must should may any with without for in on by
    that this from when before after only do all unless more than than at least as it its your their"""
)
_FOREIGN: Final = listed(
    """der das den dem und oder nicht ist sind muss müssen darf dürfen keine keinen niemals immer wenn ohne
    mit für von bei auf eine einen einem wird werden le la les des une et ou est sont ne pas jamais
    toujours doit doivent sans avec pour dans si quand que qui aux du el los las un una y o es son nunca
    siempre debe deben sin con por para cuando no más il lo gli della delle di che è sono non mai sempre
    deve devono senza per se quando os não são é uma com sem ao sempre het een van voor niet nooit
    altijd moet moeten zonder met als en wanneer nie zawsze nigdy jest musi bez dla przed przez och att
    inte aldrig alltid måste utan för ve bir için değil asla her zaman"""
) - {"no", "as", "se", "un", "y", "o", "per", "die", "bez", "met", "son", "la", "si", "if"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence; `text` hides what is quoted, and starts at `start` of the whole."""

    text: str
    start: int

    @property
    def words(self) -> int:
        """How many words it has."""
        return sum(1 for _ in WORD.finditer(self.text))

    def clauses(self) -> list[str]:
        """Return its parts between commas, colons and joining words."""
        return [part for part in _CLAUSE.split(self.text) if part.strip()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text to review: the part that is read, with quoted words hidden, and its sentences."""

    text: str
    sentences: tuple[Sentence, ...]
    words: int
    is_cut: bool
    is_english: bool


def read(text: str) -> Reading:
    """Return `text` read for review; everything is as long and stands where it stood."""
    part = text[:MOST_READ]
    hidden = _QUOTED.sub(_hide, part)
    return Reading(
        text=hidden.translate(_SPACES),
        sentences=tuple(_sentences(hidden)),
        words=sum(1 for _ in WORD.finditer(hidden)),
        is_cut=len(text) > MOST_READ,
        is_english=_is_english(part),
    )


def _hide(found: re.Match[str]) -> str:
    """Return the quotation marks with as many letters between them as were there."""
    return found[0][0] + "q" * (len(found[0]) - 2) + found[0][-1]


def _sentences(text: str) -> Iterator[Sentence]:
    start = 0
    for end in (*(found.end() for found in _END.finditer(text)), len(text)):
        stretch = text[start:end]
        bare = stretch.lstrip(" \t\r\n-*•")
        if WORD.search(bare):
            yield Sentence(text=bare.rstrip().translate(_SPACES), start=end - len(bare))
            start = end
        elif not stretch.strip():
            start = end


def _is_english(text: str) -> bool:
    """Return whether nothing shows that the text is in another language."""
    letters = [character for character in text if character.isalpha()]
    if sum(ord(letter) > 0x24F for letter in letters) * 3 > len(letters):
        return False  # another script than Latin
    words = [found[0].casefold() for found in WORD.finditer(text)]
    return sum(word in _FOREIGN for word in words) <= sum(word in _ENGLISH for word in words)
