"""The example of an airline: its cases, its own conversations, and recorded traffic."""

import asyncio
import json

import pytest

from bylaw.backtest import mapping as mappings
from bylaw.backtest.cases import run_cases
from bylaw.backtest.local import LocalPolicies
from bylaw.backtest.replay import read, replay
from bylaw.backtest.report import summarise, text
from bylaw.policies.packs.load import load_folder
from tests.architecture.source import ROOT
from tests.shared import REASON, SHARED

AIRLINE = ROOT / "examples" / "airline"


def replayed(recording):
    """Return the report of the conversations in a recording, under the policies of the example."""
    mapping = mappings.load(AIRLINE / "mapping.yaml")
    with recording.open(encoding="utf-8") as lines:
        conversations = [read(json.loads(line), mapping, at=f"line {n}") for n, line in enumerate(lines, 1)]
    policies = LocalPolicies(load_folder(AIRLINE))
    engine = policies.engine()
    decided = asyncio.run(replay(conversations, lambda request: engine.decide(request, policies.caller)))
    return summarise(conversations, decided)


def test_every_case_of_the_airline_is_as_expected_and_every_rule_is_seen_to_hold_and_not_to():
    folder = load_folder(AIRLINE)
    run = asyncio.run(run_cases(LocalPolicies(folder), folder.cases))
    assert {result.name: result.misses for result in run.results if result.misses} == {}
    assert [f"{each.policy}/{each.rule}" for each in run.coverage if not each.is_tried] == []


def test_of_our_own_conversations_every_wrong_call_is_stopped_and_no_right_one_blocked():
    report = replayed(AIRLINE / "conversations.jsonl")
    assert (report.conversations, report.right, report.wrong) == (8, 4, 5)
    assert (report.false_blocks, report.passed) == ((), ())
    assert [line.conversation for line in report.false_holds] == ["cancels-what-the-airline-called-off"]
    assert [line.outcome for line in report.lines] == [
        "allow", "block", "review", "review", "review", "allow", "block", "block", "flag"
    ]  # fmt: skip


@pytest.mark.skipif(SHARED is None, reason=REASON)
def test_no_right_call_of_the_recorded_airline_traffic_is_blocked():
    report = replayed(SHARED / "data/tau-airline/conversations.jsonl")
    assert (report.conversations, report.calls, report.right, report.wrong) == (100, 149, 37, 112)
    assert report.false_blocks == ()
    assert len(report.false_holds) <= 3
    assert len(report.caught) >= 65
    assert "0 were blocked" in text(report)
    counted = sum(count.allow + count.flag + count.review + count.block for count in report.tools)
    assert counted == report.calls
