"""Sentences, and how they are turned from what one says to one into what holds for all."""

import re
from collections.abc import Iterator
from typing import Final

_MOST_READ: Final = 50_000  # characters of a line
_LONGEST: Final = 800
_MARKS: Final = re.compile(r"^[\s>*#\u2022\u2013-]+(?=\S)|^\s*\d{1,2}[.)]\s+")
_END: Final = re.compile(r"(?<=[.!?])[\"')*\]]*\s+(?=[\"'(*\[]?[A-Z])")
_HEADING: Final = re.compile(r"^[A-Z][\w'/()-]*(?: [\w'/(),-]+){0,5}: +(?=\S)")
_DRESS: Final = re.compile(r"\*\*|__|`")
_LEAD: Final = re.compile(
    r"^(?:(?:i(?:'m| am)|we(?:'re| are)) (?:very |so |really |truly )?(?:sorry|afraid)\b[^,.]{0,60}?,?"
    r" but\b,?"
    r"|(?:i(?:'m| am)|we(?:'re| are)) (?:sorry|afraid)(?: that)?,?"
    r"|(?:i|we) (?:understand|apologi[sz]e|appreciate|see|hear|know|realize)\b[^,.]{0,80}, but\b,?"
    r"|(?:but|and|so|yes|no|ok(?:ay)?|also|however|additionally|therefore|unfortunately|actually|in addition"
    r"|as a reminder|for (?:your|the) (?:information|record)|hi|hello|hey|sorry)\b,?"
    r"|(?:please )?(?:note|be aware|remember|keep in mind)(?: that|(?! of\b)),?"
    r"|(?:according to|based on|as per|per|under) (?:the|our)(?: [\w']+){0,3} (?:polic(?:y|ies)|rules)"
    r"(?: (?:i have|guidelines))?,?"
    r"|(?:the|our)(?: [\w']+)? policy (?:states|says|requires|is that)(?: that)?"
    r"|next time,?|in (?:the )?future,?|going forward,?|from now on,?)\s+",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(
    r",? which is not the case(?: here)?|,? (?:under|per|due to) (?:the|our) (?:current |strict"
    r" )?polic(?:y|ies)"
    r"(?: guidelines| requirements)?|,? (?:for you|at this time|in this case|for this situation)(?=[.,]|$)"
    r"|,? as per (?:the|our) polic(?:y|ies)"
    r"|,? so (?:you|i|we|let|if)\b.*$|,? but (?:i|we|you|if|please)\b.*$",
    re.IGNORECASE,
)
_VOICE: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"\b(?:you are|you're)\b", "the customer is"),
        (r"\byou were\b", "the customer was"),
        (r"\b(?:you have|you've)\b", "the customer has"),
        (r"\byou (?:do not|don't) have\b", "the customer does not have"),
        (r"\byou (?:do not|don't)\b", "the customer does not"),
        (r"\byou (need|want|wish|use|book|cancel|buy|pay)\b", r"the customer \1s"),
        (r"\byour\b", "the customer's"),
        (r"\byou\b", "the customer"),
        (r"\bmyself\b", "the agent"),
        (r"\bmy\b", "the agent's"),
        (r"\bI'm\b|\bI am\b", "the agent is"),
        (r"\bI need\b", "the agent needs"),
        (r"\bI\b|\bme\b", "the agent"),
        (r"\bthis (reservation|booking|order|account|ticket|request|cancellation)\b", r"the \1"),
        (r"\bit's been\b", "it has been"),
        (r"\bit's\b", "it is"),
        (r"\bcan't\b|\bcan not\b", "cannot"),
    )
)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a text, each as it stands there; what is longer than any rule is left out."""
    for line in text.splitlines():
        bare = _MARKS.sub("", line).strip()
        parts = (part.strip() for part in _END.split(bare[:_MOST_READ]))
        yield from (part for part in parts if part and len(part) <= _LONGEST)


def bare(sentence: str) -> str:
    """Return what a sentence says without regrets, references and asides."""
    said = _HEADING.sub("", _DRESS.sub("", sentence).replace("\u2019", "'").strip())
    while (shorter := _LEAD.sub("", said, count=1)) != said:
        said = shorter
    return _TAIL.sub("", said).strip(" .!,;:")


def for_all(said: str) -> str:
    """Return what somebody said to somebody as it holds for every customer and agent, as a sentence."""
    for pattern, words in _VOICE:
        said = pattern.sub(words, said)
    said = " ".join(said.split())
    return f"{said[:1].upper()}{said[1:]}." if said else ""
