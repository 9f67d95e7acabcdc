"""What is counted of verdicts on labelled cases."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.backtest.labelled import LabelledCase, examples_of, read_cases
from bylaw.backtest.proportion import percentile, proportion
from bylaw.backtest.scoring import judge_cases, score
from bylaw.core.errors import InvalidInput
from bylaw.decisions.request import read
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.panel import Panel, Prices
from bylaw.evaluators.scripted import ScriptedEvaluator
from bylaw.policies.model import NaturalRule
from bylaw.policies.packs.load import load_folder

NOTHING = ScriptedEvaluator()


def case(text: str, expected: str, said: str = "hello", *, effect: str = "reject") -> LabelledCase:
    request = read({"phase": "output", "agent_output": said, "dry_run": True})
    rule = NaturalRule(id="r1", text=text, effect=effect)
    return LabelledCase(label=text, rules=(rule,), request=request, expected=expected)


async def scored(panel: Panel, *cases: LabelledCase, **options):
    return score(await judge_cases(panel, cases), **options)


async def test_what_is_right_wrong_missed_and_undecided_is_counted_apart():
    said = {"a": "violated", "b": "violated", "c": "satisfied", "d": "indeterminate", "e": "not_applicable"}
    cases = [case("a", "violated"), case("b", "satisfied"), case("c", "violated"), case("d", "violated")]
    found = await scored(Panel(offline=ScriptedEvaluator(said)), *cases, case("e", "satisfied"))
    whole = found.whole
    assert whole.confusion == {
        "violated": {"satisfied": 1, "violated": 1, "indeterminate": 1},
        "satisfied": {"satisfied": 1, "violated": 1, "indeterminate": 0},
    }
    assert [(each.count, each.of) for each in (whole.precision, whole.recall, whole.missed)] == [
        (1, 2),
        (1, 3),
        (1, 3),
    ]
    assert (whole.abstention.count, whole.abstention.of) == (1, 5)
    assert (found.undecided, list(found.rules)) == ({"abstained": 1}, ["a", "b", "c", "d", "e"])


async def test_a_rule_that_is_flagged_counts_as_broken():
    found = await scored(
        Panel(offline=ScriptedEvaluator({"a": "violated"})), case("a", "violated", effect="flag")
    )
    assert found.whole.recall.value == 1.0


async def test_tokens_cost_and_who_decided_are_summed_up():
    class Paid(ScriptedEvaluator):
        async def evaluate(self, batch):
            reply = await super().evaluate(batch)
            return type(reply)(answers=reply.answers, tokens_in=1_000, tokens_out=100)

    panel = Panel(offline=OfflineEvaluator(), model=Paid({"Be kind.": "satisfied"}),
                  prices=Prices(tokens_in=300, tokens_out=1500))  # fmt: skip
    found = await scored(
        panel, case("Be kind.", "satisfied"), case("Never mention 'hello'.", "violated"),
    )  # fmt: skip
    assert found.bases == {"model": 1, "pattern": 1}
    assert (found.tokens_in, found.tokens_out, found.cost_micros) == (1_000, 100, 4_500)


async def test_the_threshold_is_the_lowest_that_keeps_to_the_false_alarms():
    sure = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}
    said = {text: {"status": "violated", "confidence": each} for text, each in sure.items()}
    cases = [case("a", "violated"), case("b", "satisfied"), case("c", "violated"), case("d", "satisfied")]
    panel = Panel(offline=ScriptedEvaluator(said))
    none = (await scored(panel, *cases, at_most=0.0)).threshold
    half = (await scored(panel, *cases, at_most=0.5)).threshold
    every = (await scored(panel, *cases, at_most=1.0)).threshold
    assert [each.confidence for each in (none, half, every)] == [0.9, 0.7, 0.6]
    assert [each.recall.value for each in (none, half, every)] == [0.5, 1.0, 1.0]


async def test_there_is_no_threshold_where_nobody_says_how_sure_they_are():
    panel = Panel(offline=ScriptedEvaluator({"a": "violated"}))
    assert (await scored(panel, case("a", "violated"), at_most=0.1)).threshold is None


def test_an_interval_is_wilsons():
    # Newcombe (1998), table I: 81 of 263, and 0 of 20.
    assert (proportion(81, 263).low, proportion(81, 263).high) == (0.2553, 0.3662)
    assert (proportion(0, 20).low, proportion(0, 20).high) == (0.0, 0.1611)
    assert (proportion(0, 0).value, proportion(0, 0).low, proportion(0, 0).high) == (None, 0.0, 1.0)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_value_and_is_mirrored(counted):
    count, of = counted
    found, mirrored = proportion(count, of), proportion(of - count, of)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low == pytest.approx(1 - mirrored.high, abs=2e-4)


@given(st.lists(st.floats(0, 1_000), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_one_of_the_numbers_with_as_many_not_above_it(numbers, part):
    found = percentile(numbers, part)
    assert found in numbers
    assert sum(each <= found for each in numbers) >= part * len(numbers) - 1e-9


CASE = {"rule": "Be kind.", "context": {"agent_output": "hi"}, "expected": "satisfied"}


@pytest.mark.parametrize("name", ["cases.jsonl", "cases.yaml", "cases.json"])
def test_cases_are_read_from_lines_and_from_lists(tmp_path, name):
    file = tmp_path / name
    file.write_text(json.dumps(CASE) if name.endswith("l") and "json" in name else json.dumps([CASE]))
    (found,) = read_cases(file)
    assert (found.label, found.expected, found.request.agent_output) == ("Be kind.", "satisfied", "hi")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"rule": "a", "context": {}}', "line 1: Object missing required field `expected`"),
        (json.dumps(CASE | {"context": {"agent_outptu": "hi"}}), "line 1: context:"),
        (json.dumps(CASE | {"expected": "fine"}), "line 1: Invalid enum value 'fine'"),
        ("\n{bad", r"cases\.jsonl: line 2: Not JSON at column 2"),
        (json.dumps(CASE | {"more": 1}), "line 1: Object contains unknown field `more`"),
    ],
)
def test_a_case_that_cannot_be_used_is_named(tmp_path, text, words):
    file = tmp_path / "cases.jsonl"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=words):
        read_cases(file)


def test_examples_of_policies_in_words_are_cases(tmp_path):
    (tmp_path / "bylaw.yaml").write_text("""
format: bylaw.pack/1
pack: p
policies:
  words:
    name: Words
    evaluator: offline
    rules: [{text: "Never mention 'lawsuit'."}]
    examples:
      - {name: fine, expect: pass, request: {agent_output: hello}}
      - {name: bad, expect: violate, request: {agent_output: a lawsuit}}
  mixed:
    name: Mixed
    rules: [{text: "Be kind."}, {expr: "true"}]
    examples:
      - {name: fine, expect: pass, request: {agent_output: hello}}
""")
    cases, others = examples_of(load_folder(tmp_path))
    assert [(each.label, each.expected, each.evaluator) for each in cases] == [
        ("p/words", "satisfied", "offline"),
        ("p/words", "violated", "offline"),
    ]
    assert others == 1
