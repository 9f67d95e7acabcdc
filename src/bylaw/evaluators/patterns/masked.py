"""Texts without what names anybody, for what is kept and shown of conversations."""

import re
from typing import Final

from bylaw.evaluators.patterns.personal import cards, emails, ibans, phones
from bylaw.evaluators.patterns.secrets import secrets

_FINDERS: Final = (
    ("secret", secrets),
    ("card", cards),
    ("iban", ibans),
    ("email", emails),
    ("phone", phones),
)
_ROUNDS: Final = 20  # a finder gives some quotes at a time
# Instead of a text with more such data than that many rounds find: it is a list, and says no rule.
_WITHHELD: Final = "[withheld]"
# What names somebody or something: letters with digits, or many digits.
_ID: Final = re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d])[\w#]{5,}\b|#?\b\d{5,}\b")
_NUMBERED_WORD: Final = re.compile(r"\d+(?:st|nd|rd|th|am|pm|hrs?|mins?|kg|lbs?|k|x)\b", re.IGNORECASE)


def masked(text: str, names: re.Pattern[str] | None = None) -> str:
    """Return a text with personal data, secrets, these names and ids replaced by their kind: `[email]`."""
    for kind, find in _FINDERS:
        for _ in range(_ROUNDS):
            quotes = find(text)
            if not quotes:
                break
            for quote in sorted(set(quotes), key=len, reverse=True):
                text = text.replace(quote, f"[{kind}]")
        else:
            return _WITHHELD
    if names is not None:
        text = names.sub("[name]", text)
    return _ID.sub(lambda found: found[0] if _NUMBERED_WORD.fullmatch(found[0]) else "[id]", text)
