"""The cache knows rules, not batches; it never waits in a circle and never keeps a fault."""

import asyncio
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bylaw.evaluators.cache import Cache
from bylaw.evaluators.protocol import Answer, Batch, Reply
from bylaw.evaluators.scripted import ScriptedEvaluator
from tests.decisions.world import place
from tests.evaluators.test_verdicts import batch


def judged(asked) -> dict[str, tuple[str, bool]]:
    """What each question came to, and whether it was known."""
    return {
        ident: (verdict.code or verdict.status, part.cached)
        for part in asked
        for ident, verdict in part.verdicts.items()
    }


def asked_for(evaluator: ScriptedEvaluator) -> list[list[str]]:
    return [[question.text for question in each.questions] for each in evaluator.batches]


class Door:
    """Answers that every rule is satisfied, each batch when it is let through; the first `broken` fail."""

    id = digest = "door"

    def __init__(self, *, broken: int = 0) -> None:
        self.seen: list[list[str]] = []
        self.broken = broken
        self._come: asyncio.Queue[tuple[list[str], asyncio.Event]] = asyncio.Queue()

    async def evaluate(self, batch: Batch) -> Reply:
        let, texts = asyncio.Event(), [question.text for question in batch.questions]
        self.seen.append(texts)
        self._come.put_nowait((texts, let))
        await let.wait()
        if self.broken:
            self.broken -= 1
            raise ConnectionError
        return Reply(answers=[Answer(id=question.id, status="satisfied") for question in batch.questions])

    async def come(self) -> tuple[list[str], asyncio.Event]:
        """The next batch that stands before it, and what lets it through."""
        return await self._come.get()


async def test_a_rule_is_judged_once_whatever_stands_beside_it():
    evaluator, cache = ScriptedEvaluator({"a": "satisfied", "b": "violated", "c": "satisfied"}), Cache()
    await cache.ask(evaluator, batch("a", "b"))
    found = judged(await cache.ask(evaluator, batch("b", "c", "a")))
    assert found == {"r1": ("violated", True), "r2": ("satisfied", False), "r3": ("satisfied", True)}
    assert asked_for(evaluator) == [["a", "b"], ["c"]]
    assert (cache.hits, cache.misses) == (2, 3)


async def test_what_is_known_costs_nothing_and_names_its_model():
    evaluator, cache = ScriptedEvaluator({"a": "satisfied"}), Cache()
    (first,) = await cache.ask(evaluator, batch("a"))
    (second,) = await cache.ask(evaluator, batch("a"))
    assert (first.cached, second.cached) == (False, True)
    assert (second.evaluator, second.model, second.verdicts) == ("scripted", "script", first.verdicts)
    assert (second.tokens_in, second.tokens_out, second.duration_ms) == (0, 0, 0)


async def test_the_same_rule_twice_in_a_batch_is_asked_once():
    evaluator, cache = ScriptedEvaluator({"a": "violated"}), Cache()
    assert judged(await cache.ask(evaluator, batch("a", "a"))) == {
        "r1": ("violated", False),
        "r2": ("violated", False),
    }
    assert asked_for(evaluator) == [["a"]]


async def test_other_facts_tenants_evaluators_and_rules_are_other_verdicts():
    cache = Cache()
    evaluator, other = ScriptedEvaluator({"a": "satisfied"}), ScriptedEvaluator({"a": "violated"})
    await cache.ask(evaluator, batch("a"))
    for who, what in (
        (evaluator, batch("a", facts={"x": 1})),
        (evaluator, replace(batch("a"), asker="another")),
        (other, batch("a")),
        (evaluator, batch("b")),
    ):
        assert not any(cached for _, cached in judged(await cache.ask(who, what)).values())


async def test_a_rule_of_another_place_or_risk_is_another_one():
    cache, evaluator, first = Cache(), ScriptedEvaluator({"a": "satisfied"}), batch("a")
    await cache.ask(evaluator, first)
    (rule,) = first.questions
    for other in ({"place": None}, {"place": place("w1")}, {"place": place("w1", "r1")}, {"risk": "HIGH"}):
        asked = replace(first, questions=(replace(rule, **other),))
        assert judged(await cache.ask(evaluator, asked)) == {"r1": ("satisfied", False)}
        assert judged(await cache.ask(evaluator, asked)) == {"r1": ("satisfied", True)}


async def test_the_order_of_facts_does_not_matter():
    evaluator, cache = ScriptedEvaluator({"a": "satisfied"}), Cache()
    await cache.ask(evaluator, batch("a", facts={"x": 1, "y": {"p": 1, "q": 2}}))
    found = judged(await cache.ask(evaluator, batch("a", facts={"y": {"q": 2, "p": 1}, "x": 1})))
    assert found == {"r1": ("satisfied", True)}


async def test_a_fault_is_not_kept_and_an_abstention_is():
    evaluator, cache = ScriptedEvaluator({"a": None, "b": "indeterminate", "c": "satisfied"}), Cache()
    await cache.ask(evaluator, batch("a", "b", "c"))
    found = judged(await cache.ask(evaluator, batch("a", "b", "c")))
    assert found == {"r1": ("missing", False), "r2": ("abstained", True), "r3": ("satisfied", True)}


async def test_a_word_of_its_own_for_why_it_does_not_answer_is_not_kept():
    evaluator, cache = ScriptedEvaluator({"a": {"status": "indeterminate", "code": "over_budget"}}), Cache()
    for _ in range(2):
        assert judged(await cache.ask(evaluator, batch("a"))) == {"r1": ("over_budget", False)}


async def test_it_is_bounded_and_the_oldest_go_first():
    evaluator, cache = ScriptedEvaluator(dict.fromkeys("abc", "satisfied")), Cache(2)
    for text in "abac":
        await cache.ask(evaluator, batch(text))
    assert len(cache) == 2
    assert judged(await cache.ask(evaluator, batch("a", "b"))) == {
        "r1": ("satisfied", True),
        "r2": ("satisfied", False),
    }


async def test_quotes_too_long_to_keep_are_not_kept():
    said = "x" * 20_000
    evaluator, cache = ScriptedEvaluator({"a": {"status": "violated", "evidence": [said]}}), Cache()
    await cache.ask(evaluator, batch("a", facts={"agent_output": said}))
    assert len(cache) == 0


async def test_a_cache_of_nothing_asks_each_time():
    evaluator, cache = ScriptedEvaluator({"a": "satisfied"}), Cache(0)
    for _ in range(2):
        assert judged(await cache.ask(evaluator, batch("a"))) == {"r1": ("satisfied", False)}


async def test_batches_at_the_same_time_wait_for_each_other_only_where_they_overlap():
    door, cache = Door(), Cache()
    first = asyncio.ensure_future(cache.ask(door, batch("a", "b")))
    _, let_first = await door.come()
    second = asyncio.ensure_future(cache.ask(door, batch("b", "c")))
    texts, let_second = await door.come()
    assert texts == ["c"]
    let_second.set()
    let_first.set()
    assert judged(await first) == {"r1": ("satisfied", False), "r2": ("satisfied", False)}
    assert judged(await second) == {"r1": ("satisfied", True), "r2": ("satisfied", False)}


async def test_batches_that_overlap_both_ways_do_not_wait_in_a_circle():
    door, cache = Door(), Cache()
    asks = [asyncio.ensure_future(cache.ask(door, batch(*texts))) for texts in ("ab", "bc", "ca")]
    for _ in range(2):
        _, let = await door.come()
        let.set()
    assert [set(judged(await each)) for each in asks] == [{"r1", "r2"}] * 3
    assert door.seen == [["a", "b"], ["c"]]


async def test_when_the_first_fails_or_gives_up_the_next_asks():
    door, cache = Door(broken=1), Cache()
    first, second, third = (asyncio.ensure_future(cache.ask(door, batch("a"))) for _ in range(3))
    _, let = await door.come()
    let.set()
    assert judged(await first) == {"r1": ("evaluator_failed", False)}
    await door.come()
    second.cancel()
    _, let = await door.come()
    let.set()
    assert judged(await third) == {"r1": ("satisfied", False)}


async def test_who_waits_for_another_is_late_in_their_own_time():
    door, cache = Door(), Cache()
    first = asyncio.ensure_future(cache.ask(door, batch("a")))
    _, let = await door.come()
    assert judged(await cache.ask(door, batch("a", timeout_ms=1))) == {"r1": ("deadline", False)}
    let.set()
    assert judged(await first) == {"r1": ("satisfied", False)}


some_asks = st.tuples(
    st.sampled_from(["t1", "t2"]), st.lists(st.sampled_from("abcde"), min_size=1, max_size=4)
)


@settings(deadline=None)
@given(
    st.lists(some_asks, min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_whatever_is_asked_at_once_every_question_gets_the_verdict_of_its_own(asks, together):
    statuses = {"a": "satisfied", "b": "violated", "c": None, "d": "indeterminate", "e": "not_applicable"}
    wanted = {**statuses, "c": "missing", "d": "abstained"}

    async def run() -> None:
        evaluator, cache = ScriptedEvaluator(statuses), Cache(3)
        flying = []
        for (tenant, texts), at_once in zip(asks, together, strict=False):
            asked = cache.ask(evaluator, replace(batch(*texts), asker=tenant))
            flying.append((texts, asyncio.ensure_future(asked)))
            if not at_once:
                await flying[-1][1]
        for texts, each in flying:
            found = {ident: code for ident, (code, _) in judged(await each).items()}
            assert found == {f"r{n}": wanted[text] for n, text in enumerate(texts, 1)}

    asyncio.run(run())


async def test_a_rule_of_a_request_never_answers_for_the_same_rule_of_a_policy():
    # Who asks chose its company: one who obeys "every rule is kept" would have its pass kept for the policy.
    evaluator, cache = ScriptedEvaluator({"a": "satisfied"}), Cache()
    (policy,) = batch("a").questions
    asked = replace(batch("a"), questions=(replace(policy, id="the request/x1", place=None),))
    await cache.ask(evaluator, asked)
    assert judged(await cache.ask(evaluator, batch("a"))) == {"r1": ("satisfied", False)}
    both = replace(asked, questions=(*asked.questions, policy), facts={"x": 1})
    await cache.ask(evaluator, both)
    assert len(asked_for(evaluator)[-1]) == 2
