"""Conversations as mining reads them: turn by turn, with personal data, names and ids masked first.

Whatever is found later is found in masked text, so nothing that was masked reaches a proposal.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from bylaw.evaluators.patterns.masked import masked
from bylaw.learning.model import Conversation, Speaker, ToolCall

_NAME_FIELD: Final = re.compile(
    r"(?:first|last|full|sur|given|middle|family|customer|user)?_?name", re.IGNORECASE
)
_SHORTEST_NAME: Final = 3
_MOST_NAMES: Final = 500
_MOST_RESULT: Final = 100_000  # characters of a result that are looked through for names


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one party said at a time, masked, with the calls made beside it; `index` is counted from 0."""

    index: int
    speaker: Speaker
    text: str
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A conversation without what names anybody; `names` finds those that it tells."""

    id: str
    turns: tuple[Turn, ...]
    outcome: str = ""
    names: re.Pattern[str] | None = field(default=None, compare=False, repr=False)

    def masked(self, text: str) -> str:
        """Return a text of this conversation, such as an argument of a call, as its turns are masked."""
        return masked(text, self.names)

    def asked_before(self, index: int) -> str:
        """Return what the contact said last before a turn, or nothing."""
        said = (turn.text for turn in reversed(self.turns[:index]) if turn.speaker == "contact" and turn.text)
        return next(said, "")


def transcript(conversation: Conversation) -> Transcript:
    """Return what was said in a conversation, masked."""
    names = _names(conversation)
    turns = (
        Turn(index=index, speaker=each.speaker, text=masked(each.text, names), calls=each.calls)
        for index, each in enumerate(conversation.messages)
    )
    outcome = masked(conversation.outcome or "", names)
    return Transcript(id=conversation.id, turns=tuple(turns), outcome=outcome, names=names)


def _names(conversation: Conversation) -> re.Pattern[str] | None:
    """Return what finds the names that the conversation's own fields and calls tell."""
    told = [conversation.contact_name, *re.split(r"[^\w]+", conversation.contact_email.partition("@")[0])]
    for message in conversation.messages:
        for call in message.calls:
            told += _named(call.arguments)
            if len(call.result) <= _MOST_RESULT:
                told += _named(_parsed(call.result))
    words = {word for name in told for word in re.split(r"[\W\d_]+", name) if len(word) >= _SHORTEST_NAME}
    if not words:
        return None
    words = set(sorted(words)[:_MOST_NAMES])
    # As names are written: a customer called Will is masked, the word `will` is not.
    shapes = sorted({word.capitalize() for word in words} | {word.upper() for word in words})
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, shapes))})\b")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _named(value: object) -> Iterator[str]:
    """Yield the texts in plain data that stand under a name's key."""
    waiting: list[object] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            for key, inner in each.items():
                if isinstance(inner, str) and _NAME_FIELD.fullmatch(str(key)):
                    yield inner
                else:
                    waiting.append(inner)
        elif isinstance(each, list):
            waiting += each


def said_by(transcripts: Iterable[Transcript], *speakers: Speaker) -> Iterator[tuple[Transcript, Turn]]:
    """Yield every turn of these speakers in which something is said."""
    for each in transcripts:
        for turn in each.turns:
            if turn.speaker in speakers and turn.text:
                yield each, turn
