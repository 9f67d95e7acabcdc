"""What the wording of a plain-language rule proposes when it is saved: its effect, and attention by a person.

A proposal is stored with the rule and can be changed there; it is never made again while judging.
"""

import re
from typing import Final

from bylaw.policies.model import Effect

# Imperatives that stop something. When one is present the stricter effect is proposed.
_STOPS: Final = re.compile(
    r"\b(reject|block|deny|refuse|decline|forbid|prohibit|disallow|never|cannot|can't)\b"
    r"|\b(do|must|may|should|shall|will)\s+not\b|\bdon't\b|\bmustn't\b|\bnot\s+(allowed|permitted)\b",
    re.IGNORECASE,
)

# "Flag as ...", "be flagged", "mark it as risky", "warn the customer": verbs, not the noun in "a red flag".
_FLAGS: Final = re.compile(
    r"(?:^|[.;:,\n]\s*|\bthen\s+|\b(?:please|and|or|must|should|shall|to|always)\s+)(?:flag|warn|mark)\b"
    r"|\bflag\s+(?:it|this|that|them|these|those|the|any|every|all|as|for)\b"
    r"|\b(?:be|is|are|gets?)\s+(?:flagged|marked)\b",
    re.IGNORECASE,
)

_ASKS: Final = re.compile(
    r"\b(?:create|open|raise|add|file)\b[^.;\n]{0,40}\b(?:attention\s+item|ticket|review\s+item)\b"
    r"|\b(?:escalate|hand\s+(?:it\s+|this\s+|them\s+)?over|route|refer|transfer)\b[^.;\n]{0,60}"
    r"\b(?:human|person|people|manager|supervisor|team|colleague|specialist|staff)\b",
    re.IGNORECASE,
)

_NEGATED: Final = re.compile(
    r"\b(?:not|never|without|no\s+need\s+to|don't|cannot|can't)\b[^.;\n]{0,12}$", re.IGNORECASE
)


def proposed_effect(text: str) -> Effect:
    """Return `flag` when the wording only asks to flag, else `reject`."""
    lines = _tidy(text)
    return "flag" if _FLAGS.search(lines) and not _STOPS.search(lines) else "reject"


def asks_for_attention(text: str) -> bool:
    """Return whether the wording asks that a person be involved: an attention item, a ticket, a hand-over."""
    lines = _tidy(text)
    starts = (found.start() for found in _ASKS.finditer(lines))
    return any(not _NEGATED.search(lines[max(0, start - 30) : start]) for start in starts)


def _tidy(text: str) -> str:
    """Return `text` without runs of space, over which the expressions would walk again and again."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if not line.isspace())
