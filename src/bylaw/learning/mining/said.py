"""Rules that somebody says: a person who corrects, an outcome, the agent who gives a reason or states it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from bylaw.learning.mining.model import Kind, Quote
from bylaw.learning.mining.sentences import bare, for_all, sentences
from bylaw.learning.mining.transcript import Transcript, Turn, said_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A rule as somebody said it once; `before` is the turn that it answers or corrects, if there is one."""

    kind: Kind
    text: str
    quote: Quote
    before: Turn | None = None


_FORBIDS: Final = (
    r"cannot|can't|can not|may not|must not|mustn't|not (?:be )?(?:allowed|permitted|possible|eligible"
    r"|refundable"
    r"|available|applicable|accepted|covered)|(?:does|do)(?: not|n't) (?:allow|permit|cover|include|support"
    r"|offer|provide|accept|refund)|unable to|not able to|non-?refundable|prohibited|never"
)
_BINDS: Final = (
    r"must|only|at most|at least|no more than|maximum|minimum|(?:is|are) required|requires?|needs? to be"
    r"|ha(?:s|ve) to|always|regardless|up to"
)
_RULE: Final = re.compile(rf"\b(?:{_FORBIDS}|{_BINDS})\b", re.IGNORECASE)
_NARROWS: Final = re.compile(r"\b(?:not|only|no|unless|at most|no more than|maximum|up to)\b", re.IGNORECASE)
_FORBIDDING: Final = re.compile(rf"\b(?:{_FORBIDS})\b", re.IGNORECASE)
# Colleagues say it with less ceremony.
_ORDER: Final = re.compile(
    rf"\b(?:{_FORBIDS}|{_BINDS}|don't|do not|doesn't|does not|we don't|should(?: not|n't)?|make sure|ensure"
    r"|need to|needs to|has to|always|before|until|without)\b"
    r"|^(?:please )?(?:always|never|offer|ask|check|confirm|verify|use|send|tell|give|refund|escalate)\b",
    re.IGNORECASE,
)
_REFUSES: Final = re.compile(
    r"^(?:the agent|we|the agent is|we are) (?:still )?(?:cannot|unable to|is unable to|are unable to|not"
    r" able to"
    r"|is not able to|is not allowed to|are not able to|never|don't|do not|does not) (?:ever )?",
    re.IGNORECASE,
)
_I_REFUSE: Final = re.compile(
    r"^(?:i|we) (?:still )?(?:cannot|can't|can not) |^(?:i'm|i am|we're|we are) (?:unable|not able|not"
    r" allowed) to ",
    re.IGNORECASE,
)
_NO_SUBJECT: Final = re.compile(r"(?:cannot|can only|must|is|are|does|do)\b", re.IGNORECASE)
# Of this time, of this one, or no statement at all.
_PASSING: Final = re.compile(
    r"\[(?!id\])|\?|\b(?:seems?|appears?|might|perhaps|maybe|recommend|suggest|let me|let us|let's|i'll|i"
    r" will|we'll"
    r"|would you|could you|if you'd|thank|guideline:|budget|total|additional cost|currently|right now|today"
    r"|tomorrow|yesterday|options?|mentioned|exceeds?|insufficient|no longer|moment"
    r"|these (?:details|conditions|cases)|current conditions|something else|specific conditions|strict"
    r"|january|february|march|april|june|july|august|september|october|november|december)\b"
    r"|\b(?:unable|not able|cannot|can't) (?:to )?(?:find|locate|see|search|verify|proceed|process the"
    r"|determine|identify|retrieve)\b",
    re.IGNORECASE,
)
_CONDITIONAL_ASIDE: Final = re.compile(
    r"^if (?:you|the customer)(?:'re| is)? (?:can|could|need|would|want|have any|prefer|wish|like|unable"
    r"|choose)",
    re.IGNORECASE,
)
_POINTS_AWAY: Final = re.compile(
    r"^(?:this|it(?! is not (?:possible|allowed))|that|these|those|they|he|she|there|neither|both|such|all of"
    r"|the only|which|what|he's|she's|something)\b",
    re.IGNORECASE,
)
_CODE: Final = re.compile(r"\b(?!IDs?\b|OK\b|PIN\b|CV[VC]\b|VIP\b|FAQ\b)[A-Z]{2,}\b|\[id\]")
_MONEY: Final = re.compile(r"[$€£]\s?\d")
_RATE: Final = re.compile(
    r"\b(?:per|each|every|fee|over|above|below|under|more than|less than|up to)\b", re.IGNORECASE
)
_PLAIN_NUMBER: Final = re.compile(
    r"(?<![$€£\d.,])\b\d+(?!\s*(?:[-\u2013]|to)?\s*\d*\s*(?:business |working )?(?:hours?|days?|weeks?"
    r"|months?|years?|minutes?|percent|%|bags?|passengers?|items?|times|kg|lbs?|cards?|certificates?|people|nights?))\b"
)
_BECAUSE: Final = re.compile(
    r"^(?P<what>.+?),? (?:because|since|as|due to the fact that) (?P<why>.+)$", re.IGNORECASE
)
_SINCE: Final = re.compile(r"^(?:since|because|as) (?P<why>.+?), (?P<what>.+)$", re.IGNORECASE)
_WHICH: Final = re.compile(
    r"^(?P<why>(?:your|the|this)(?: [\w']+){1,3} (?:is|was)(?: currently)? [\w ]+?),? which"
    r"(?: means(?: that)?)? (?P<what>.+)$",
    re.IGNORECASE,
)
_SHORTEST: Final = 4
_LONGEST: Final = 40


def said_rules(transcripts: Iterable[Transcript]) -> Iterator[Saying]:
    """Yield every rule that agents say, people who took over say, and outcomes say, in order."""
    transcripts = list(transcripts)
    for each, turn in said_by(transcripts, "agent"):
        for sentence in sentences(turn.text):
            for kind, text in _told(sentence):
                yield Saying(kind=kind, text=text, quote=_quote(sentence, each, turn))
    for each, turn in said_by(transcripts, "human"):
        before = _corrected(each, turn)
        for sentence in sentences(turn.text):
            text = _ordered(sentence)
            if text:
                quote = _quote(sentence, each, turn)
                yield Saying(kind="correction", text=text, quote=quote, before=before)
    for each in transcripts:
        for sentence in sentences(each.outcome):
            text = _ordered(sentence)
            if text:
                quote = Quote(
                    conversation_id=each.id, message=len(each.turns), speaker="outcome", text=sentence
                )
                yield Saying(kind="outcome", text=text, quote=quote)


def _quote(sentence: str, each: Transcript, turn: Turn) -> Quote:
    return Quote(conversation_id=each.id, message=turn.index, speaker=turn.speaker, text=sentence)


def _corrected(each: Transcript, turn: Turn) -> Turn | None:
    """Return the agent's turn that a person's follows, if they speak after it."""
    spoken = [other for other in each.turns[: turn.index] if other.text]
    agents = [other for other in spoken if other.speaker == "agent"]
    return agents[-1] if agents else None


def _told(sentence: str) -> Iterator[tuple[Kind, str]]:
    """Yield the rules in an agent's sentence: the reason of a refusal, or what it states."""
    said = bare(sentence)
    if not _RULE.search(said):
        return
    for pattern in (_SINCE, _WHICH, _BECAUSE):
        found = pattern.match(said)
        if found is None:
            continue
        why, what = found["why"].strip(" ,"), found["what"].strip(" ,")
        is_general = pattern is not _WHICH and _RULE.search(why)
        text = _general(why if is_general else f"if {why}, {_consequence(what)}")
        if text:
            yield "reason", text
        return
    text = _general(said)
    if text:
        yield "statement", text


def _consequence(what: str) -> str:
    """Return what follows, as an order where the agent refuses; without a subject it is of the same thing."""
    refused = _I_REFUSE.match(said := bare(what))
    if refused is not None:
        return f"do not {said[refused.end() :]}"
    return f"it {said}" if _NO_SUBJECT.match(said) else said


def rules_in(text: str) -> Iterator[str]:
    """Yield the rules that a text states."""
    for sentence in sentences(text):
        yield from (rule for _, rule in _told(sentence))


def _ordered(sentence: str) -> str:
    said = bare(re.sub(r"^no\b[,.!]?\s*", "", sentence, flags=re.IGNORECASE))
    return _general(said) if _ORDER.search(said) else ""


def _general(said: str) -> str:
    """Return a saying as a rule for all, or nothing where it is of this time or of this one only."""
    words = len(said.split())
    if not _SHORTEST <= words <= _LONGEST or _PASSING.search(said) or _POINTS_AWAY.match(said):
        return ""
    if _CODE.search(said) or _CONDITIONAL_ASIDE.match(said) or _PLAIN_NUMBER.search(said):
        return ""
    if _MONEY.search(said) and not _RATE.search(said):
        return ""
    text = for_all(said)
    refused = _REFUSES.match(text)
    if refused is not None:
        text = f"Do not {text[refused.end() :]}"
    return text


def forbids(text: str) -> bool:
    """Return whether a rule says that something is not to be, or to be only so."""
    return bool(_FORBIDDING.search(text) or _NARROWS.search(text))
