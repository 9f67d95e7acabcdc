"""Searching policies by words, without a model: a literal word of a rule is always found, and so are its kin.

Each word looks for itself and for its stem, so `escalate` finds `escalation`. A policy that holds any of the
words is found; the more of them, and the more literally, the earlier it comes, and sooner still when its
topic has them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bylaw.policies.model import Content, search_text, topic_key

MAX_WORDS: Final = 12
MAX_PIECE: Final = 30  # an index of pieces finds no longer words
# What a word is worth where it stands as it is, where only its stem does, and where the topic has its stem.
LITERAL, STEM, TOPIC = 2, 1, 2

_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_ENDING: Final = re.compile(r"(?<=[a-z]{4})(?:ications?|ions?|ings?|ies|ied|ed|es|s|e|y)$")
_COMMON: Final = re.compile(
    "an?|and|are|as|at|be|by|do|for|from|how|i|if|in|is|it|may|me|must|my|no|not|of|on|or|our|shall|should|so"
    "|that|the|their|then|there|these|they|this|to|was|we|what|when|where|which|who|why|will|with|you|your"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word that is looked for, case-folded, and the stem that its kin share with it."""

    text: str
    stem: str


def words_of(query: str) -> tuple[Word, ...]:
    """Return what a query looks for: nothing if it is blank; common words only when there are no others."""
    found = list(dict.fromkeys(_WORD.findall(query.casefold())))
    rare = [word for word in found if not _COMMON.fullmatch(word)]
    if not found and query.strip():
        found = [query.strip().casefold()]
    return tuple(Word(word, _ENDING.sub("", word)) for word in (rare or found)[:MAX_WORDS])


def pieces_of(text: str) -> frozenset[str]:
    """Return what an index keeps of a case-folded text.

    A word of up to MAX_PIECE marks stands in the text exactly when it stands in one of the pieces.
    """
    return frozenset(
        word[start : start + 2 * MAX_PIECE]
        for word in _WORD.findall(text)
        for start in range(0, max(len(word) - MAX_PIECE, 1), MAX_PIECE)
    )


def is_indexed(word: Word) -> bool:
    """Return whether an index of pieces tells where a word stands."""
    return len(word.text) <= MAX_PIECE and _WORD.fullmatch(word.text) is not None


def parts_of(text: str) -> tuple[Word, ...]:
    """Return the longest of the words, or parts of words, that whatever holds `text` holds; none without."""
    found = [word[:MAX_PIECE] for word in _WORD.findall(text.casefold())]
    return tuple(Word(word, word) for word in sorted(found, key=len)[-1:])


def score(content: Content, words: Iterable[Word]) -> int:
    """Return how well `content` answers a query; 0 when it holds none of its words."""
    text = search_text(content)
    topic = "" if content.topic is None else topic_key(content.topic)
    return sum(
        (LITERAL if word.text in text else STEM if word.stem in text else 0) + TOPIC * (word.stem in topic)
        for word in words
    )
