"""Orders to a judge in what it judges: words that name its task, its answers or its form, and tell it how.

They are looked for beside the signs of any injection, in a text as a model would understand it and in what it
holds in a code. Finding one decides nothing: it means that a pass of these facts by a model shows little.
"""

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import re2

from bylaw.evaluators.injection.decode import decoded
from bylaw.evaluators.injection.detect import LEET, ROT13, injection
from bylaw.evaluators.injection.normal import normal
from bylaw.evaluators.model.record import Line

_TELL: Final = (
    "(?:answer|respond|reply|return|output|mark|judge|rate|treat|consider|regard|classify|label|score|report"
    "|say|state|conclude|decide|give|set|write|record|count|declare|grade|assess|evaluate|deem|choose|select"
    "|pick|vote|rule)"
)
_FINE: Final = r"(?:non.?violating|not.applicable|no.violations?|(?:fully |policy.)?compliant)"
_KEPT: Final = rf"(?:{_FINE}|compliance|satisfied|met|kept|fulfilled|waived|suspended|passed)"
_RULES: Final = "(?:rules?|polic(?:y|ies)|verdicts?|violations?|guidelines?)"
_JUDGE: Final = (
    "(?:(?:policy|compliance|safety|ai|llm|automat(?:ed|ic)) (?:evaluator|judge|grader|checker|model|system"
    "|classifier|reviewer|auditor|engine|guardrail)s?|evaluators?|graders?|bylaw)"
)
_CALL: Final = (
    "(?:dear|attention|hey|hello|hi|note to|note for|message to|message for|instructions? (?:to|for))"
)
# A text of so many characters takes longer than others should wait for.
_LONG: Final = 4_000
_WITHIN: Final = r"[^.!?\n]"
_ORDERS: Final = (
    rf"\b{_TELL}\b{_WITHIN}{{0,80}}\b{_FINE}\b",
    rf"\b(?:all|every|each|these|both)\b{_WITHIN}{{0,20}}\b{_RULES}\b{_WITHIN}{{0,40}}\b{_KEPT}\b",
    rf"\b(?:rules?|verdicts?)\b.{{0,120}}\b(?:is|are|was|were|be|as|counts?|it) (?:{_KEPT})\b",
    rf"\b{_JUDGE}\b{_WITHIN}{{0,60}}\b(?:must|should|shall|has to|have to|please|ignore|skip|{_TELL})\b",
    rf"\b{_CALL}\b[ ,:]{{1,3}}(?:the |our |all )?(?:{_JUDGE}|judges?)\b",
    r"\bverdicts?\b[\"'` ]{0,4}[:=]|\brule_?id\b|\bmessage_id\b|\"applies\"|\bis_?compliant\b|not_applicable",
    r"\bresults\b[\"'` ]{1,4}[:=]\s{0,4}\[",
    r"</?record\b|\bend of (?:the )?(?:record|data|transcript|untrusted)",
    r"\b(?:system|developer|operator) (?:message|prompt|override|note|instruction|update)s?\b\W{0,3}[:>\]]",
    r"<\|?(?:im_start|im_end|system)|\[/?inst\]",
    r"\bnotes? in the record\b|\bno note\b",
)
_order: Final = re2.compile("(?i)" + "|".join(f"(?:{each})" for each in _ORDERS))


async def hold_order(lines: Iterable[Line]) -> bool:
    """Return whether one of `lines` is meant for whoever judges it; others get their turn meanwhile."""
    for line in lines:
        is_long = len(line.text) > _LONG
        if await asyncio.to_thread(is_order, line.text) if is_long else is_order(line.text):
            return True
        await asyncio.sleep(0)
    return False


@lru_cache(maxsize=4_096)
def rule_is_order(text: str) -> bool:
    """Return the same of a rule, which comes again in every decision."""
    return is_order(text)


def is_order(text: str) -> bool:
    """Return whether a text holds words meant for whoever judges it."""
    return injection(text).is_attempt or _orders(text) or any(_orders(each) for _, _, each in decoded(text))


def _orders(text: str) -> bool:
    """Return whether an order shows, also when a disguise of the letters is undone."""
    plain = normal(text).text
    return any(
        _order.search(each) for each in (plain, plain.translate(LEET), plain.translate(ROT13), plain[::-1])
    )
