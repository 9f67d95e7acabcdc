"""The offline evaluator: each rule is read as a shape, and the shape rules on the facts."""

import asyncio

from bylaw.core.canonical_json import digest
from bylaw.evaluators.offline.reading import Reader
from bylaw.evaluators.offline.shape import ABSTAINED
from bylaw.evaluators.offline.wording import shape_of
from bylaw.evaluators.protocol import Answer, Batch, Question, Reply


class OfflineEvaluator:
    """Decides by words, shapes and numbers alone; needs nothing and reaches nowhere."""

    id = "offline"
    digest = digest({"evaluator": "offline", "version": 17})

    async def evaluate(self, batch: Batch) -> Reply:
        """Return an answer to every rule: to many of them, that it abstains."""
        reader = Reader(batch.facts)
        answers: list[Answer] = []
        for question in batch.questions:
            answers.append(await _answer(question, reader))
            await asyncio.sleep(0)  # others get their turn, and deadlines hold
        return Reply(answers=answers)


async def _answer(question: Question, reader: Reader) -> Answer:
    shape = shape_of(question.text, question.effect)
    ruling = ABSTAINED if shape is None else await shape.rule(reader)
    return Answer(
        id=question.id,
        status=ruling.status,
        rationale=ruling.rationale,
        evidence=ruling.evidence,
        basis="pattern" if shape is None else shape.basis,
        code=ruling.code,
    )
