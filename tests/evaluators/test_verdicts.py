import asyncio
import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.evaluators.ask import ask
from bylaw.evaluators.protocol import Answer, Batch, Question, Reply
from bylaw.evaluators.scripted import ScriptedEvaluator
from bylaw.evaluators.verdicts import verdicts


def batch(*texts: str, facts=None, timeout_ms: int = 60_000) -> Batch:
    questions = tuple(
        Question(id=f"r{number}", text=text, effect="reject", digest=f"sha256:{text}")
        for number, text in enumerate(texts, 1)
    )
    return Batch(
        questions=questions,
        facts={"agent_output": "hello world"} if facts is None else facts,
        timeout_ms=timeout_ms,
    )


async def judge(script, *texts, **options):
    asked = await ask(ScriptedEvaluator(script), batch(*texts, **options))
    return [(asked.verdicts[f"r{n}"].status, asked.verdicts[f"r{n}"].code) for n in range(1, len(texts) + 1)]


async def test_each_rule_gets_its_own_answer():
    answers = {"a": "satisfied", "b": "violated", "c": "not_applicable"}
    assert await judge(answers, "a", "b", "c", "d") == [
        ("satisfied", ""),
        ("violated", ""),
        ("not_applicable", ""),
        ("indeterminate", "abstained"),
    ]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (None, "missing"),
        ({"status": "perhaps"}, "malformed"),
        ({"status": "satisfied", "confidence": 2}, "malformed"),
        ({"status": "satisfied", "confidence": float("nan")}, "malformed"),
        ({"status": "satisfied", "confidence": float("inf")}, "malformed"),
        ({"status": "satisfied", "evidence": "hello"}, "malformed"),
        ({"status": "satisfied", "evidence": ["Hello"]}, "evidence_not_found"),
        ({"status": "violated", "evidence": [""]}, "evidence_not_found"),
        (17, "missing"),
        ({"status": "indeterminate", "code": "it says kim@example.org"}, "malformed"),
        ({"status": "indeterminate", "code": "disagreement"}, "disagreement"),
    ],
)
async def test_what_does_not_count_leaves_only_its_rule_open(said, code):
    assert await judge({"a": said, "b": "satisfied"}, "a", "b") == [
        ("indeterminate", code),
        ("satisfied", ""),
    ]


def test_two_answers_to_one_rule_are_none_and_an_answer_to_no_rule_is_ignored():
    answers = [Answer(id="r1", status="satisfied"), {"id": "r1", "status": "violated"}, {"id": "r9"}]
    found = verdicts(batch("a"), Reply(answers=answers))
    assert {key: verdict.code for key, verdict in found.items()} == {"r1": "duplicate"}


async def test_evidence_that_stands_in_the_facts_counts():
    found = await ask(
        ScriptedEvaluator({"a": {"status": "violated", "evidence": ["lo wo", "4.5"], "rationale": "rude"}}),
        batch("a", facts={"messages": [{"content": "hello world"}], "n": 4.5}),
    )
    assert (found.verdicts["r1"].status, found.verdicts["r1"].evidence) == ("violated", ("lo wo", "4.5"))


@pytest.mark.parametrize("quote", ["hello world\0again", "worldagain", "\0", "world again"])
def test_no_quote_goes_on_from_one_value_to_the_next(quote):
    answers = [Answer(id="r1", status="violated", evidence=(quote,))]
    found = verdicts(batch("a", facts={"x": ["hello world", "again"]}), Reply(answers=answers))
    assert found["r1"].code == "evidence_not_found"


def test_what_is_not_looked_for_in_time_is_late_and_what_was_found_before_is_not():
    answers = [
        Answer(id="r1", status="violated", evidence=("hello",)),
        Answer(id="r2", status="satisfied"),
        Answer(id="r3", status="violated", evidence=("world",)),
        Answer(id="r4", status="violated", evidence=("hello",)),
    ]
    moments = iter([False, True])
    found = verdicts(batch("a", "b", "c", "d"), Reply(answers=answers), is_late=lambda: next(moments))
    assert [each.code or each.status for each in found.values()] == [
        "violated",
        "satisfied",
        "deadline",
        "violated",
    ]


async def test_quotes_are_looked_for_within_the_time_of_the_batch():
    moments = iter([0, 1, 10**9, 10**9, 10**9, 10**9])
    said = {"status": "violated", "evidence": ["hello"]}
    asked = await ask(
        ScriptedEvaluator({"a": said, "b": said | {"evidence": ["world"]}}),
        batch("a", "b", timeout_ms=1_000),
        ticks=lambda: next(moments),
    )
    assert [each.code or each.status for each in asked.verdicts.values()] == ["violated", "deadline"]


@pytest.mark.parametrize(
    ("status", "effect", "counts"),
    [
        ("satisfied", "reject", "indeterminate"),
        ("not_applicable", "reject", "indeterminate"),
        ("violated", "reject", "indeterminate"),
        ("satisfied", "flag", "indeterminate"),
        ("violated", "flag", "violated"),
    ],
)
def test_likeness_never_decides_and_may_only_raise_a_flag(status, effect, counts):
    asked = batch("a")
    asked = replace(asked, questions=(replace(asked.questions[0], effect=effect),))
    found = verdicts(asked, Reply(answers=[Answer(id="r1", status=status, basis="similarity")]))["r1"]
    assert (found.status, found.code) == (counts, "only_similar" if counts == "indeterminate" else "")


async def test_a_message_holds_none_of_an_evaluators_own_words():
    said = {"status": "indeterminate", "code": "disagreement", "rationale": "Is hello a greeting?"}
    found = await ask(ScriptedEvaluator({"a": said}), batch("a"))
    assert found.verdicts["r1"].rationale == said["rationale"]
    assert "hello" not in found.verdicts["r1"].message


async def test_an_evaluator_that_fails_is_indeterminate_and_logged(caplog):
    with caplog.at_level(logging.ERROR):
        assert await judge({"a": ValueError("no")}, "a", "b") == [("indeterminate", "evaluator_failed")] * 2
    assert "scripted failed on 2 rules" in caplog.text


async def test_an_evaluator_that_is_late_is_indeterminate():
    evaluator = ScriptedEvaluator({"a": "satisfied"}, release=asyncio.Event())
    asked = await ask(evaluator, batch("a", timeout_ms=1))
    assert (asked.verdicts["r1"].code, asked.model) == ("deadline", "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "status", "x"]), inner)
    ),
    max_leaves=6,
)


@given(
    st.lists(
        json_values | st.fixed_dictionaries({"id": st.sampled_from(["r1", "r2"]), "status": json_values}),
        max_size=5,
    )
)
def test_whatever_is_replied_every_rule_gets_one_verdict(answers):
    found = verdicts(batch("a", "b"), Reply(answers=answers))
    assert set(found) == {"r1", "r2"}
    assert all(
        verdict.status == "indeterminate" or {"id": key, "status": verdict.status} in answers
        for key, verdict in found.items()
    )


def test_a_script_with_other_answers_has_another_digest():
    assert ScriptedEvaluator({"a": "satisfied"}).digest != ScriptedEvaluator({"a": "violated"}).digest


async def test_looking_for_many_quotes_keeps_nobody_waiting():
    ends = " ".join(f"word {number} end" for number in range(500))
    facts, beats, is_done = {"agent_output": "word " * 20_000 + ends}, 0, asyncio.Event()

    async def others():
        nonlocal beats
        while not is_done.is_set():
            beats += 1
            await asyncio.sleep(0)

    class Quoting:
        id = digest = "quoting"

        async def evaluate(self, batch):
            answers = [
                Answer(id=each.id, status="violated", evidence=(f"d {number} end",))
                for number, each in enumerate(batch.questions)
            ]
            nonlocal beats
            beats = 0
            return Reply(answers=answers)

    waiting = asyncio.create_task(others())
    asked = await ask(Quoting(), batch(*map(str, range(500)), facts=facts))
    is_done.set()
    await waiting
    assert {each.status for each in asked.verdicts.values()} == {"violated"}
    assert beats > 2
