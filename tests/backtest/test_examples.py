"""The packs that ship, and the example that replays real traffic."""

import asyncio
import json

import pytest

from bylaw.backtest import mapping as mappings
from bylaw.backtest.cases import run_cases
from bylaw.backtest.local import LocalPolicies
from bylaw.backtest.replay import read, replay
from bylaw.backtest.report import summarise, text
from bylaw.policies.packs.load import load_folder
from tests.architecture.source import PACKAGE, ROOT
from tests.shared import REASON, SHARED

AIRLINE = ROOT / "examples" / "airline"
STARTER = PACKAGE / "policies" / "shipped" / "starter"


@pytest.mark.parametrize("directory", [STARTER, AIRLINE / "policies"], ids=["starter", "airline"])
def test_every_case_of_a_pack_is_as_expected(directory):
    folder = load_folder(directory)
    run = asyncio.run(run_cases(LocalPolicies(folder), folder.cases))
    assert {result.name: result.misses for result in run.results if result.misses} == {}


def test_every_rule_of_the_starter_pack_is_seen_to_hold_and_not_to():
    folder = load_folder(STARTER)
    run = asyncio.run(run_cases(LocalPolicies(folder), folder.cases))
    assert [f"{each.policy}/{each.rule}" for each in run.coverage if not each.is_tried] == []


@pytest.mark.skipif(SHARED is None, reason=REASON)
def test_no_right_call_of_the_recorded_airline_traffic_is_blocked():
    mapping = mappings.load(AIRLINE / "mapping.yaml")
    with (SHARED / "data/tau-airline/conversations.jsonl").open() as lines:
        conversations = [read(json.loads(line), mapping, at=f"line {n}") for n, line in enumerate(lines, 1)]
    policies = LocalPolicies(load_folder(AIRLINE / "policies"))
    engine = policies.engine()
    decided = asyncio.run(replay(conversations, lambda request: engine.decide(request, policies.caller)))
    report = summarise(conversations, decided)
    assert (report.conversations, report.calls, report.right, report.wrong) == (100, 149, 37, 112)
    assert report.false_blocks == ()
    assert len(report.false_holds) <= 3
    assert len(report.caught) >= 65
    assert "0 were blocked" in text(report)
    counted = sum(count.allow + count.flag + count.review + count.block for count in report.tools)
    assert counted == report.calls
