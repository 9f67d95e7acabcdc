"""The second half of step 3: what the evaluators of the panel say about the rules in words.

1. The offline evaluator is asked about all of them that may be judged by it: it costs nothing.
2. What it decides counts. What then can change nothing any more is dropped.
3. The model is asked about what is left, if there is a model; else what was said stays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bylaw.decisions.judge import Said, Waiting
from bylaw.decisions.model import Judgement
from bylaw.evaluators.ask import Asked
from bylaw.evaluators.panel import Panel, Prices
from bylaw.evaluators.protocol import Batch
from bylaw.evaluators.verdicts import indeterminate


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What is judged: the facts, in whose name, and until when.

    Units: `ticks` counts nanoseconds, and `until` is what it then says.
    """

    facts: Mapping[str, object]
    asker: str
    until: int
    ticks: Callable[[], int]


async def consult(panel: Panel, waiting: Waiting, matter: Matter) -> tuple[Judgement, ...]:
    """Settle every rule that waits, and return the judgements in the order in which they were made."""
    judgements: list[Judgement] = []
    said: dict[str, Said] = {}
    for seat in panel.seats():
        if seat.evaluator is None:
            said |= {
                ask.question.id: (indeterminate("no_evaluator"), None)
                for _, _, ask in waiting.rules
                if ask.question.evaluator == seat.name
            }
            continue
        waiting.drop_idle()
        questions = tuple(ask.question for _, _, ask in waiting.rules if seat.takes(ask.question))
        timeout_ms = (matter.until - matter.ticks()) // 1_000_000
        if timeout_ms <= 0:
            said |= {question.id: (indeterminate("deadline"), None) for question in questions}
        elif questions:
            batch = Batch(questions=questions, facts=matter.facts, timeout_ms=timeout_ms, asker=matter.asker)
            for asked in await panel.cache.ask(seat.evaluator, batch, ticks=matter.ticks):
                judgement = _judgement(asked, panel.prices)
                judgements.append(judgement)
                said |= {ident: (verdict, judgement) for ident, verdict in asked.verdicts.items()}
        waiting.settle({ident: each for ident, each in said.items() if each[0].status != "indeterminate"})
    waiting.settle(said)
    return tuple(judgements)


def _judgement(asked: Asked, prices: Prices) -> Judgement:
    return Judgement(
        evaluator=asked.evaluator,
        model=asked.model,
        prompt_digest=asked.prompt_digest,
        tokens_in=asked.tokens_in,
        tokens_out=asked.tokens_out,
        duration_ms=asked.duration_ms,
        cached=asked.cached,
        cost_micros=prices.cost_micros(asked),
    )
