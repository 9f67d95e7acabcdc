"""What a rule is about, in a word or two: a topic that the workspace has, or the word that tells it best."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from bylaw.learning.mining.transcript import Transcript
from bylaw.policies.model import topic_key

_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_EMPTY: Final = re.compile(
    "about|after|agent|assist|book|help|basic|checked|class|detail|existing|multiple|partial|possible|"
    "purchase|purchased|separate|turn|allow|allowed|available|provide|information|also|"
    "always|answer|another|anything|because|been|before|being|between|call|calls|cannot|"
    "could|customer|customers|different|does|done|each|either|ever|every|from|have|here|"
    "into|just|like|made|make|more|most|must|need|needs|never|next|only|other|over|"
    "please|same|should|since|some|such|take|than|that|their|them|then|there|these|they|"
    "this|those|time|tool|unless|until|used|using|want|wants|were|what|when|where|"
    "whether|which|while|will|with|within|without|would|your"
)
_COMMON: Final = 0.5  # a word of more of the conversations tells nothing


class Topics:
    """Finds topics among the words of customers, and those that a workspace has."""

    def __init__(self, transcripts: Iterable[Transcript], known: Sequence[str] = ()) -> None:
        words: Counter[str] = Counter()
        count = 0
        for each in transcripts:
            count += 1
            said = " ".join(turn.text for turn in each.turns if turn.speaker == "contact")
            words.update(set(_stems(said)))
        self._common = (
            {word for word, held in words.items() if held > _COMMON * count} if count > 1 else set()
        )
        self._words = words
        self._known = sorted(set(known), key=topic_key)

    def of(self, rule: str) -> str:
        """Return the topic of a rule, or nothing where no word tells one."""
        stems = _stems(rule)
        held = set(stems)
        for topic in self._known:
            wanted = _stems(topic_key(topic))
            if wanted and held.issuperset(wanted):
                return topic
        telling = [stem for stem in stems if stem not in self._common] or stems
        return max(telling, key=lambda stem: (self._words[stem], -telling.index(stem)), default="")


def _stems(text: str) -> list[str]:
    """Return the words of a text that say something, in the singular, in order."""
    words = (found.casefold() for found in _WORD.findall(text))
    return [_singular(word) for word in words if not (_EMPTY.fullmatch(word) or word.endswith("ed"))]


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
