"""What a judge costs beside its model: building the prompt, reading the answer, and the way to a server.

The server is the scripted one of the tests, in this process, so a round trip includes its work.
"""

import asyncio
import os
import statistics
import time

import uvloop

from bench.report import Table
from bylaw.evaluators.model.evaluator import calls_of
from bylaw.evaluators.model.orders import hold_order
from bylaw.evaluators.model.prompt import prompt_of
from bylaw.evaluators.model.reading import answers_of
from bylaw.evaluators.model.record import record_of
from bylaw.providers.structured import parsed
from bylaw.tenancy.model import EVERYWHERE
from tests.decisions.world import place
from tests.evaluators.model.judging import batch, evaluator_of, question
from tests.model_server.minds import judge
from tests.model_server.server import Asked, serving

RULES = tuple(f"The agent must not say 'word{number}'." for number in range(8))


def facts_of(characters):
    said = "The parcel left our house on Monday and will be with you in two or three days. "
    count = max(1, characters // (2 * len(said)))
    messages = [{"role": ("user", "assistant")[n % 2], "content": said} for n in range(count)]
    return {"phase": "output", "messages": messages, "agent_output": said * count + "word3"}


def run(*, quick: bool) -> list[Table]:
    rounds = 20 if quick else 200
    sizes = (200, 4_000, 40_000)
    return [
        Table(
            title="Own work for one call of a judge, median ms",
            columns=("rules", "characters", "record", "prompt", "search for orders", "reading"),
            rows=[
                uvloop.run(own(rules, size, max(5, rounds // (1 + size // 4_000))))
                for rules in (1, 8)
                for size in sizes
            ],
            notes=[
                "Record: facts to lines. Search: while the model answers. Reading: JSON, quotes, verdicts."
            ],
        ),
        Table(
            title="A batch of 3 rules over 200 characters, asked and answered, median ms",
            columns=("dialect", "first call", "kept connection"),
            rows=[uvloop.run(round_trip(dialect, rounds)) for dialect in ("openai", "anthropic", "ollama")],
            notes=["The scripted server answers at once, in the same process; its work is in the figures."],
        ),
        Table(
            title="What asking six rules apart costs: calls, and thousands of characters sent",
            columns=("company", "calls", *(f"{size} characters" for size in sizes)),
            rows=[company(name, questions, sizes) for name, questions in COMPANIES.items()],
            notes=["The calls of a decision go out together. A token is about 4 characters."],
        ),
    ]


def apart(*wheres, high=0):
    """Return six rules that stand in these places in turn, the first `high` of them of a high risk."""
    return [
        question(text, place=wheres[at % len(wheres)], risk="HIGH" if at < high else "MEDIUM")
        for at, text in enumerate(RULES[:6])
    ]


COMPANIES = {
    "one place": apart(EVERYWHERE),
    "two places": apart(EVERYWHERE, place("w1")),
    "three places": apart(EVERYWHERE, place("w1"), place("w1", "r1")),
    "one place, two of a high risk": apart(EVERYWHERE, high=2),
    "one place, six of a high risk": apart(EVERYWHERE, high=6),
}


def company(name, questions, sizes):
    parts, sent = [*calls_of(questions)], []
    for size in sizes:
        record = record_of(facts_of(size), most_chars=60_000)
        told = [prompt_of(part, record, random=os.urandom) for part in parts]
        sent.append(sum(len(each.system) + len(each.user) for each in told) / 1_000)
    return (name, len(parts), *sent)


async def own(rules, characters, rounds):
    facts, spent = facts_of(characters), {}
    questions = batch(*RULES[:rules]).questions

    def timed(name, began):
        spent.setdefault(name, []).append(1e3 * (time.perf_counter() - began))
        return time.perf_counter()

    for _ in range(rounds):
        began = time.perf_counter()
        record = record_of(facts, most_chars=60_000)
        began = timed("record", began)
        (part,) = calls_of(questions)
        told = prompt_of(part, record, random=os.urandom)
        began = timed("prompt", began)
        await hold_order(record.lines)
        timed("orders", began)
        messages = [{"role": "system", "content": told.system}, {"role": "user", "content": told.user}]
        answer = judge()(Asked(dialect="openai", headers={}, body={"messages": messages})).text
        began = time.perf_counter()
        answers_of(parsed(answer), told, record.unread)
        timed("reading", began)
    return (rules, characters, *(statistics.median(each) for each in spent.values()))


async def round_trip(dialect, rounds):
    first, kept = [], []
    async with serving(judge()) as server:
        evaluator = evaluator_of(server, dialect)
        asked = batch(*RULES[:3], facts=facts_of(200))
        await evaluator.evaluate(asked)
        for _ in range(rounds):
            began = time.perf_counter()
            await evaluator.evaluate(asked)
            kept.append(1e3 * (time.perf_counter() - began))
        for _ in range(min(rounds, 20)):
            for each in server.clients:
                await each.aclose()
            await asyncio.sleep(0)
            began = time.perf_counter()
            await evaluator.evaluate(asked)
            first.append(1e3 * (time.perf_counter() - began))
    return (dialect, statistics.median(first), statistics.median(kept))
