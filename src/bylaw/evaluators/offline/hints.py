"""What keeps a rule from being looked up, and how it could be said so that it can."""

import re
from typing import Final

_HINTS: Final[tuple[tuple[re.Pattern[str], str, str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), why, rewording)
    for pattern, why, rewording in (
        (
            r"\b(?:unless|except|without|only if|provided that|before|until)\b",
            "It has an exception or a condition that the text alone does not show.",
            "State the condition as a deterministic rule, or as a condition of the policy.",
        ),
        (
            r"\b(?:competitors?|profanity|swear|offensive|insult\w*|rude|slang)\b",
            "It names a meaning; which words have it is not written down.",
            "List the words in quotes: Never mention 'Globex' or 'Initech'.",
        ),
        (
            r"[$€£]|\b(?:usd|eur|gbp|dollars?|euros?|pounds?|percent)\b|\d ?%",
            "It compares an amount that is only described.",
            "Name the fact that holds the amount: discount_percent must not exceed 20.",
        ),
        (
            (
                r"\b(?:polite|kind|friendly|professional|empath\w*|tone|respectful|helpful|accurate"
                r"|truthful|honest|appropriate)\b"
            ),
            "It asks for a manner or a quality, which no words show.",
            "",
        ),
        (
            r"\b(?:advice|opinions?|recommend\w*|promis\w*|guarantee\w*|speculat\w*)\b",
            "It names a meaning that can be said in many words.",
            "List the phrases in quotes that must not occur: Never say 'we guarantee'.",
        ),
        (
            r"\b(?:ask|confirm|verify|obtain|collect)\b",
            "Whether something was asked or confirmed can be said in many words.",
            "Name the call that must come before: verify_customer must be called before cancel_order.",
        ),
    )
)
_ELSE: Final = "It is worded in none of the forms that can be looked up word for word."


def hint(text: str) -> tuple[str, str]:
    """Return what stands in the way of looking a rule up, and a form that would do, if one is near."""
    for pattern, why, rewording in _HINTS:
        if pattern.search(text):
            return why, rewording
    return _ELSE, ""
