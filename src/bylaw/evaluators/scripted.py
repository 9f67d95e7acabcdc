"""The scripted evaluator: fixed answers, for tests, replays and examples."""

import asyncio
from collections.abc import Mapping, Sequence

from bylaw.core.canonical_json import digest
from bylaw.evaluators.protocol import Batch, Reply


class ScriptedEvaluator:
    """Answers each rule from `script`, by the rule's text or its key in the batch; abstains from the others.

    A script holds statuses, whole answers as data (the id is added), an exception that is raised, None for no
    answer, or anything else, which is answered as it is. With `release` it waits for that event first.
    `batches` records what was asked.
    """

    id = "scripted"

    def __init__(
        self, script: Mapping[str, object] | None = None, *, release: asyncio.Event | None = None
    ) -> None:
        self._script = dict(script or {})
        self._release = release
        self.batches: list[Batch] = []

    @property
    def digest(self) -> str:
        """What identifies it with its script."""
        return digest(
            {"evaluator": self.id, "script": {key: repr(said) for key, said in self._script.items()}}
        )

    async def evaluate(self, batch: Batch) -> Reply:
        """Return the scripted answers. Raises: what the script says."""
        self.batches.append(batch)
        if self._release is not None:
            await self._release.wait()
        return Reply(answers=self._answers(batch), model="script")

    def _answers(self, batch: Batch) -> Sequence[object]:
        answers: list[object] = []
        for question in batch.questions:
            said = self._script.get(question.text, self._script.get(question.id, "indeterminate"))
            if isinstance(said, Exception):
                raise said
            if isinstance(said, str):
                said = {"status": said}
            if said is not None:
                answers.append({**said, "id": question.id} if isinstance(said, Mapping) else said)
        return answers
