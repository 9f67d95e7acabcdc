"""Verdicts: what counts of an evaluator's reply. One per question, whatever the evaluator did.

Reasons for an indeterminate verdict: `abstained` (the evaluator said so, or a word of its own), `missing`,
`duplicate`, `malformed`, `evidence_not_found` (a quote that does not occur in the facts), and from `ask`:
`deadline`, `evaluator_failed`, `no_evaluator`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from bylaw.evaluators.protocol import Answer, AnswerStatus, Batch, EvaluatorBasis, Reply

# Reasons that blame this one call: the same question may be answered next time.
FAULTS: Final = frozenset(
    {
        "missing",
        "duplicate",
        "malformed",
        "evidence_not_found",
        "deadline",
        "evaluator_failed",
        "no_evaluator",
    }
)
MOST_EVIDENCE: Final = 100
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
    "too_long": "the text is too long for the evaluator to read to its end",
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


def verdicts(batch: Batch, reply: Reply) -> Mapping[str, Verdict]:
    """Return one verdict for each question of `batch`; an answer to no question counts for nothing."""
    answers: dict[str, list[object]] = {question.id: [] for question in batch.questions}
    for item in reply.answers:
        ident = _id_of(item)
        if ident in answers:
            answers[ident].append(item)
    texts: list[str] = []
    return {ident: _verdict(items, batch, texts) for ident, items in answers.items()}


def _verdict(items: list[object], batch: Batch, texts: list[str]) -> Verdict:
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
    if answer.evidence and not texts:
        texts.extend(quotable(batch.facts))
    if not all(quote and any(quote in text for text in texts) for quote in answer.evidence):
        return indeterminate("evidence_not_found")
    code = (answer.code or "abstained") if answer.status == "indeterminate" else ""
    return Verdict(
        status=answer.status,
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
