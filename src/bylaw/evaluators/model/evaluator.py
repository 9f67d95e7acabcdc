"""The model evaluator: a batch of rules in few calls, and nothing believed that the code can check.

1. The facts become a record (`record`), the rules calls of at most `MOST_RULES` and about `MOST_TOKENS`.
   Rules share a call with those of their place alone, which the same people may write; those that came with
   the request are a place of their own. One that looks like an order to the judge, and one of a high risk,
   is asked alone; of these no more than `MOST_ALONE`, for each costs a record: more of them share calls.
2. Each call is asked `samples` times at once, with the rules in another order each time (`prompt`).
3. Each answer is read against the record (`reading`), and the votes on each rule are counted (`votes`).
4. With `alone`, the rules are also asked over the agent's own lines, in which nobody else can write: what
   is found there passes in no company.
5. Where the record holds an order to the judge (`orders`), no rule passes (`injection_suspected`).

It raises nothing of its own: what fails is an indeterminate answer with a code.
Source: ADR-0020.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from bylaw.core.canonical_json import digest
from bylaw.evaluators.model import prompt, record
from bylaw.evaluators.model.allowance import Places, Tokens
from bylaw.evaluators.model.breaker import BreakerState
from bylaw.evaluators.model.calling import CHARS_OF_TOKEN, Caller, Means, Unanswered
from bylaw.evaluators.model.orders import hold_order, rule_is_order
from bylaw.evaluators.model.prompt import prompt_of
from bylaw.evaluators.model.reading import PASSES, answers_of, undecided, without_passes
from bylaw.evaluators.model.record import Record, own_words, record_of
from bylaw.evaluators.model.votes import agreed
from bylaw.evaluators.protocol import Answer, Batch, Question, Reply
from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.model import Usage
from bylaw.providers.structured import Form, Rung, StructuredModel

MOST_RULES: Final = 8
MOST_TOKENS: Final = 3_000
MOST_ALONE: Final = 4
_MOST_NAMED: Final = 200
# What is left of the time for reading the answers: a tenth, and at most this.
_RESERVE_S: Final = 0.1
_MEANS: Final = Means()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeOptions:
    """How a model is asked.

    `temperature` None is 0 for one sample and 0.3 for several. `tokens_per_day` is for each tenant and this
    process, 0 for no limit. `alone` asks once more, over the agent's own lines.
    Units: `record_chars` in characters, `answer_tokens` in tokens.
    """

    temperature: float | None = None
    samples: int = 1
    record_chars: int = 60_000
    answer_tokens: int = 4_096
    calls_per_tenant: int = 8
    tokens_per_day: int = 0
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vote:
    """One reading of one call; `system` is what the model was told beside the record."""

    answers: tuple[Answer, ...]
    system: str
    usage: Usage
    model: str = ""


class ModelEvaluator:
    """Judges rules in plain language by asking a model at one endpoint."""

    id = "model"

    def __init__(
        self,
        providers: Providers,
        endpoint: Endpoint,
        model: str,
        options: JudgeOptions | None = None,
        *,
        means: Means = _MEANS,
    ) -> None:
        self._options = options = JudgeOptions() if options is None else options
        self._means = means
        self._model = StructuredModel(providers, endpoint, model, ticks=means.ticks)
        self._tokens = Tokens(options.tokens_per_day, means.clock)
        self._caller = Caller(self._model, self._tokens, Places(options.calls_per_tenant), means)
        self._temperature = options.temperature
        if self._temperature is None:
            self._temperature = 0.0 if options.samples == 1 else 0.3

    @property
    def digest(self) -> str:
        """What identifies it with its settings; the credentials are not among them."""
        return digest(
            {
                "evaluator": self.id,
                "provider": self._model.endpoint.provider,
                "address": self._model.endpoint.address,
                "model": self._model.model,
                "prompt": prompt.VERSION,
                "record": record.VERSION,
                "temperature": self._temperature,
                "samples": self._options.samples,
                "record_chars": self._options.record_chars,
                "alone": self._options.alone,
            }
        )

    @property
    def model(self) -> str:
        """The name of the model, as its provider calls it."""
        return self._model.model

    @property
    def tokens_per_day(self) -> int:
        """How many tokens each tenant may use in a day, 0 for any number."""
        return self._options.tokens_per_day

    @property
    def rests(self) -> bool:
        """Whether the model is left alone, by everybody or by some tenant."""
        return not self._caller.breakers.is_closed

    def state_of(self, asker: str) -> BreakerState:
        """Return whether a tenant asks the model (`closed`), leaves it alone or tries it (`half_open`)."""
        return self._caller.breakers.state_of(asker)

    @property
    def rung(self) -> Rung:
        """How the endpoint is held to the form of an answer."""
        return self._model.rung

    def spent(self, asker: str) -> int:
        """Return the tokens that a tenant used today, with what is held for calls under way."""
        return self._tokens.spent(asker)

    async def evaluate(self, batch: Batch) -> Reply:
        """Return an answer to every rule, in time or not at all."""
        timeout_s = batch.timeout_ms / 1000
        until = self._means.ticks() + timeout_s - min(_RESERVE_S, timeout_s / 10)
        shown = await asyncio.to_thread(record_of, batch.facts, most_chars=self._options.record_chars)
        own = own_words(shown)
        for each in batch.questions:
            rule_is_order(each.text)  # remembered: where there are many, others get their turn meanwhile
            await asyncio.sleep(0)
        async with asyncio.TaskGroup() as tasks:

            def ask(part: Sequence[Question], seen: Record, turn: int) -> asyncio.Task[_Vote]:
                return tasks.create_task(self._vote(part, seen, turn, asker=batch.asker, until=until))

            asked, alone = list[list[asyncio.Task[_Vote]]](), list[asyncio.Task[_Vote]]()
            for part in calls_of(batch.questions):
                asked.append([ask(part, shown, turn) for turn in _turns(len(part), self._options.samples)])
                if self._options.alone and own.lines:
                    alone.append(ask(part, own, 0))
                await asyncio.sleep(0)
            order = tasks.create_task(hold_order(shown.lines))
        calls = [[each.result() for each in votes] for votes in asked]
        found = {answer.id: answer for each in alone for answer in each.result().answers}
        answers = tuple(_held(answer, found) for votes in calls for answer in _counted(votes))
        every = [*(each for votes in calls for each in votes), *(each.result() for each in alone)]
        usage = sum((each.usage for each in every), start=Usage())
        return Reply(
            answers=without_passes(answers, "injection_suspected") if order.result() else answers,
            model=next((each.model for each in every if each.model), self._model.model),
            prompt_digest=digest([votes[0].system for votes in calls]),
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
        )

    async def _vote(
        self, part: Sequence[Question], shown: Record, turn: int, *, asker: str, until: float
    ) -> _Vote:
        asked = prompt_of(part, shown, random=self._means.random, turn=turn)
        form = Form(
            system=asked.system,
            user=asked.user,
            schema=asked.schema,
            name="verdicts",
            temperature=self._temperature,
            most_tokens=self._options.answer_tokens,
        )
        found = await self._caller.ask(
            form, lambda answer: answers_of(answer, asked, shown.unread), asker=asker, until=until
        )
        if isinstance(found, Unanswered):
            silent = tuple(undecided(each.id, found.code) for each in part)
            return _Vote(answers=silent, system=asked.system, usage=found.usage)
        named = "".join(each for each in found.model[:_MOST_NAMED] if each.isprintable())
        return _Vote(answers=found.value, system=asked.system, usage=found.usage, model=named)


def calls_of(questions: Sequence[Question]) -> Iterator[tuple[Question, ...]]:
    """Yield the rules that are asked together: the order in which they come does not matter."""
    high = [each for each in questions if each.risk == "HIGH"]
    alone = high if len(high) <= MOST_ALONE else []
    groups: dict[object, list[Question]] = {}
    for each in sorted(questions, key=lambda question: question.id):
        # A rule may speak to the judge about those of others, so these are not there.
        company = (each.place, each.risk == "HIGH")
        key = each.id if each in alone or rule_is_order(each.text) else company
        groups.setdefault(key, []).append(each)
    for group in groups.values():
        part: list[Question] = []
        size = 0
        for each in group:
            tokens = len(each.text.encode()) // CHARS_OF_TOKEN + 1
            if part and (len(part) == MOST_RULES or size + tokens > MOST_TOKENS):
                yield tuple(part)
                part, size = [], 0
            part.append(each)
            size += tokens
        yield tuple(part)


def _turns(rules: int, samples: int) -> Iterator[int]:
    """Yield by how much the rules are turned for each sample, the control among them."""
    return (sample * max(1, (rules + 1) // samples) for sample in range(samples))


def _counted(votes: Sequence[_Vote]) -> Iterator[Answer]:
    """Yield one answer for each rule of a call; each vote has them in an order of its own."""
    by_id = [{answer.id: answer for answer in vote.answers} for vote in votes]
    return (agreed([answers[ident] for answers in by_id]) for ident in by_id[0])


def _held(answer: Answer, alone: Mapping[str, Answer]) -> Answer:
    """Return an answer, or why it is no pass: the agent's own lines alone break the rule."""
    found = alone.get(answer.id)
    if answer.status not in PASSES or found is None or found.status != "violated":
        return answer
    return msgspec.structs.replace(found, status="indeterminate", code="disagreement")
