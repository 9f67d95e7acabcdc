"""Asking an evaluator: the one boundary at which whatever it does becomes verdicts."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bylaw.evaluators.protocol import Batch, Evaluator, Reply
from bylaw.evaluators.verdicts import Verdict, indeterminate, verdicts

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking: a verdict for each question, the reply if there was one, and how long it took.

    Units: `duration_ms` in milliseconds.
    """

    verdicts: Mapping[str, Verdict]
    reply: Reply | None
    duration_ms: int


async def ask(
    evaluator: Evaluator, batch: Batch, *, ticks: Callable[[], int] = time.perf_counter_ns
) -> Asked:
    """Return what `evaluator` says about `batch`: failing and being late are indeterminate, never a pass.

    Units: `ticks` counts nanoseconds.
    """
    began = ticks()
    reply: Reply | None = None
    try:
        async with asyncio.timeout(batch.timeout_ms / 1000):
            reply = await evaluator.evaluate(batch)
        found = verdicts(batch, reply)
    except TimeoutError:
        found = _all(batch, "deadline")
    except Exception:  # noqa: BLE001 - the boundary: whatever an evaluator raises is an indeterminate verdict
        _log.exception("evaluator %s failed on %d rules", evaluator.id, len(batch.questions))
        found = _all(batch, "evaluator_failed")
    return Asked(verdicts=found, reply=reply, duration_ms=(ticks() - began) // 1_000_000)


def _all(batch: Batch, code: str) -> Mapping[str, Verdict]:
    return {question.id: indeterminate(code) for question in batch.questions}
