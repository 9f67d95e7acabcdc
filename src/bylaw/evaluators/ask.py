"""Asking an evaluator: the one boundary at which whatever it does becomes verdicts."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.protocol import Answer, Batch, Evaluator, Reply
from bylaw.evaluators.verdicts import Verdict, indeterminate, verdicts

_log = logging.getLogger(__name__)

_MANY: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking an evaluator, by its id: a verdict for each question, and what they cost.

    `cached`: all of it was known from before, at no cost.
    Units: `duration_ms` in milliseconds.
    """

    evaluator: str
    verdicts: Mapping[str, Verdict]
    model: str = ""
    prompt_digest: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    duration_ms: int = 0
    cached: bool = False


async def ask(
    evaluator: Evaluator, batch: Batch, *, ticks: Callable[[], int] = time.perf_counter_ns
) -> Asked:
    """Return what `evaluator` says about `batch`: failing and being late are indeterminate, never a pass.

    Units: `ticks` counts nanoseconds.
    """
    began = ticks()
    until = began + batch.timeout_ms * 1_000_000
    reply = Reply(answers=())
    try:
        async with asyncio.timeout(batch.timeout_ms / 1000):
            reply = await evaluator.evaluate(batch)
        found = await _counted(batch, reply, lambda: ticks() >= until)
    except TimeoutError:
        found = undecided(batch, "deadline")
    except Exception:  # noqa: BLE001 - the boundary: whatever an evaluator raises is an indeterminate verdict
        _log.exception("evaluator %s failed on %d rules", evaluator.id, len(batch.questions))
        found = undecided(batch, "evaluator_failed")
    return Asked(
        evaluator=evaluator.id,
        verdicts=found,
        model=reply.model,
        prompt_digest=reply.prompt_digest,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        duration_ms=(ticks() - began) // 1_000_000,
    )


async def _counted(batch: Batch, reply: Reply, is_late: Callable[[], bool]) -> Mapping[str, Verdict]:
    """Return the verdicts; many quotes are looked for in the facts by a thread, as each may take a while."""
    quotes = sum(len(each.evidence) for each in reply.answers if isinstance(each, Answer))
    if quotes > _MANY:
        return await asyncio.to_thread(verdicts, batch, reply, is_late=is_late)
    return verdicts(batch, reply, is_late=is_late)


def undecided(batch: Batch, code: str) -> Mapping[str, Verdict]:
    """Return an indeterminate verdict for each question of `batch`, for the reason `code`."""
    return {question.id: indeterminate(code) for question in batch.questions}
