"""Rules that show in what agents ask for before they act: an item that many conversations ask for."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from bylaw.learning.mining.model import Quote
from bylaw.learning.mining.said import Saying
from bylaw.learning.mining.sentences import bare, for_all, sentences
from bylaw.learning.mining.transcript import Transcript, Turn

_PROVIDE: Final = re.compile(
    r"\b(?:provide|share|tell|give|confirm|let me know|(?:may|can|could) i (?:please )?have|i(?:'ll)? need)"
    r"(?: me)?(?: with)? (?P<what>(?:your|the|a|an)\b.+)$",
    re.IGNORECASE,
)
_WOULD: Final = re.compile(
    r"\b(?:would you (?:also )?like|do you (?:also )?(?:want|wish)) to (?P<what>(?:add|purchase|buy"
    r"|include)\b.+)$",
    re.IGNORECASE,
)
# What for, and what then.
_REST: Final = re.compile(
    r",? \b(?:so|if|once|in order|before|as well|since|because|when|from|from the|along|i|i'll|we|let|such"
    r" as|you'd|you would"
    r"|to (?:help|assist|proceed|access|check|find|locate|verify|continue|begin|start|get|look|see|retrieve"
    r"|complete|use|cancel|modify|change|update|book|search|identify|confirm)"
    r"|for (?:me|us|verification|your|this|the|any)|of (?:your|the|this))\b.*$|\([^)]*\)|[?.:!].*$",
    re.IGNORECASE,
)
_PASSING: Final = re.compile(
    r"[\[\"]|(?<!\$)\b\d|\b(?:options?|these|those|this|that|following|above|proceed|any|anything|further"
    r"|else|like|prefer"
    r"|details|correct|choice|moment|which|corresponds|few|most|want|wish|alternative|specific)\b",
    re.IGNORECASE,
)
_DANGLING: Final = re.compile(r"(?:,? (?:and|or|please|with|for|the))+$")
_LONGEST: Final = 14


def asked_rules(transcripts: Iterable[Transcript]) -> Iterator[Saying]:
    """Yield what agents ask their customer for, once for each conversation and item."""
    for each in transcripts:
        told: dict[str, Saying] = {}
        for turn in each.turns:
            if turn.speaker == "agent" and turn.text:
                for text, sentence in _asked(turn):
                    quote = Quote(conversation_id=each.id, message=turn.index, speaker="agent", text=sentence)
                    told.setdefault(text, Saying(kind="question", text=text, quote=quote))
        yield from told.values()


def _asked(turn: Turn) -> Iterator[tuple[str, str]]:
    for sentence in sentences(turn.text):
        said = bare(sentence)
        wanted = _WOULD.search(said)
        if wanted is not None and sentence.rstrip().endswith("?"):
            item = _item(wanted["what"])
            if item:
                yield for_all(f"ask whether you want to {item}"), sentence
            continue
        found = _PROVIDE.search(said)
        item = _item(found["what"]) if found is not None else ""
        if item:
            yield for_all(f"ask for {item}"), sentence


def _item(what: str) -> str:
    """Return what is asked for, without what for; nothing where it is of this conversation only."""
    item = _DANGLING.sub("", _REST.sub("", what).strip(" ,"))
    return "" if _PASSING.search(item) or not 1 < len(item.split()) <= _LONGEST else item
