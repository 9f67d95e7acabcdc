"""Verdicts: what counts of an evaluator's reply. One per question, whatever the evaluator did.

Reasons for an indeterminate verdict: `abstained` (the evaluator said so, or a word of its own), `missing`,
`duplicate`, `malformed`, `evidence_not_found` (a quote that does not occur in the facts), `only_similar`
(likeness never decides, it may only raise a flag), `deadline` (also where the time is over before each quote
is looked for), from `ask` `evaluator_failed`, and `no_evaluator`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from bylaw.evaluators.protocol import Answer, AnswerStatus, Batch, EvaluatorBasis, Reply
from bylaw.policies.model import Effect

# Reasons that would be the same next time; any other blames this one call.
LASTING: Final = frozenset(
    {"abstained", "too_long", "unread", "only_similar", "disagreement", "injection_suspected"}
)
MOST_EVIDENCE: Final = 100
# Between the values of facts: no text that came as JSON holds it.
_BETWEEN: Final = "\0"
# All that likeness may come to: the status of a rule, and the rule's effect.
_RAISED: Final = ("violated", "flag")
# A code is kept and signed: it is a word, and has no room for what the facts say.
_CODE: Final = re.compile("[a-z_]{0,40}")
_SAID: Final = {
    "missing": "the evaluator did not answer this rule",
    "duplicate": "the evaluator answered this rule more than once",
    "malformed": "the evaluator's answer could not be read",
    "evidence_not_found": "the evaluator quoted something that the facts do not contain",
    "deadline": "the evaluator did not answer in time",
    "evaluator_failed": "the evaluator failed",
    "no_evaluator": "no evaluator judges rules in plain language here",
    "abstained": "the evaluator cannot tell",
    "only_similar": "it is only like what the rule speaks of",
    "too_long": "the text is too long for the evaluator to read to its end",
    "unread": "a part of the facts is no text, and the evaluator reads texts only",
    "no_result": "the model did not answer this rule",
    "bad_verdict": "the model answered with a verdict that this rule does not have",
    "contradiction": "the model contradicts itself",
    "no_evidence": "the model quotes nothing that the facts contain",
    "wrong_subject": "the model holds against the agent what a customer said",
    "disagreement": "the model does not agree with itself when asked again",
    "manipulated": "the model failed a control question: something may have told it how to answer",
    "injection_suspected": "the facts hold words that tell a judge how to decide",
    "declined": "the model declines to answer",
    "truncated": "the model's answer was cut off",
    "busy": "as many questions as may be are with the model already",
    "over_budget": "the tokens of the day are used up",
    "rate_limited": "the model's provider asks to slow down",
    "model_refused": "the model's provider refuses the call",
    "model_unavailable": "the model cannot be reached or fails",
    "breaker_open": "the model failed or was late several times in a row and is left alone for a while",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What counts about one rule."""

    status: AnswerStatus
    code: str = ""
    message: str = ""
    rationale: str = ""
    evidence: tuple[str, ...] = ()
    confidence: float | None = None
    basis: EvaluatorBasis = "model"


def indeterminate(code: str) -> Verdict:
    """Return the verdict of a rule that was not judged, for the reason `code`."""
    return Verdict(status="indeterminate", code=code, message=_SAID.get(code, code))


def verdicts(
    batch: Batch, reply: Reply, *, is_late: Callable[[], bool] = lambda: False
) -> Mapping[str, Verdict]:
    """Return one verdict for each question of `batch`; an answer to no question counts for nothing."""
    answers: dict[str, list[object]] = {question.id: [] for question in batch.questions}
    for item in reply.answers:
        ident = _id_of(item)
        if ident in answers:
            answers[ident].append(item)
    quotes = _Quotes(batch.facts, is_late)
    return {
        question.id: _verdict(answers[question.id], question.effect, quotes) for question in batch.questions
    }


class _Quotes:
    """Looks for quotes in facts: each once, in one text of all that can be quoted, until it is late.

    No quote goes on from one value to the next.
    """

    def __init__(self, facts: Mapping[str, object], is_late: Callable[[], bool]) -> None:
        self._facts = facts
        self._is_late = is_late
        self._text: str | None = None
        self._known: dict[str, bool] = {}

    def fault(self, evidence: Iterable[str]) -> str:
        """Return why what is quoted does not count, empty when it does."""
        for quote in evidence:
            if quote not in self._known and self._is_late():
                return "deadline"
            if not self._holds(quote):
                return "evidence_not_found"
        return ""

    def _holds(self, quote: str) -> bool:
        if self._text is None:
            self._text = _BETWEEN.join(quotable(self._facts))
        if quote not in self._known:
            self._known[quote] = bool(quote) and _BETWEEN not in quote and quote in self._text
        return self._known[quote]


def _verdict(items: list[object], effect: Effect, quotes: _Quotes) -> Verdict:
    if len(items) != 1:
        return indeterminate("duplicate" if items else "missing")
    try:
        answer = items[0] if isinstance(items[0], Answer) else msgspec.convert(items[0], Answer)
    except msgspec.ValidationError:
        return indeterminate("malformed")
    if answer.confidence is not None and not 0 <= answer.confidence <= 1:
        return indeterminate("malformed")
    if len(answer.evidence) > MOST_EVIDENCE or not _CODE.fullmatch(answer.code):
        return indeterminate("malformed")
    if fault := quotes.fault(answer.evidence):
        return indeterminate(fault)
    status, code = answer.status, (answer.code or "abstained") if answer.status == "indeterminate" else ""
    if answer.basis == "similarity" and status != "indeterminate" and (status, effect) != _RAISED:
        status, code = "indeterminate", "only_similar"
    return Verdict(
        status=status,
        code=code,
        message=_SAID.get(code, _SAID["abstained"]) if code else "",
        rationale=answer.rationale,
        evidence=answer.evidence,
        confidence=answer.confidence,
        basis=answer.basis,
    )


def _id_of(item: object) -> str:
    """Return which question an answer is about, empty when it does not say."""
    ident = item.id if isinstance(item, Answer) else item.get("id") if isinstance(item, Mapping) else None
    return ident if isinstance(ident, str) else ""


def quotable(value: object) -> Iterator[str]:
    """Yield every text and number inside `value`, as it would be quoted."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple)):
            waiting.extend(item)
        elif isinstance(item, str):
            yield item
        elif item is not None:
            yield str(item).lower() if isinstance(item, bool) else str(item)
