"""Cases beside policies say what is expected; a typing error in one must not pass."""

import asyncio
from xml.etree import ElementTree as ET

import pytest

from bylaw.backtest.cases import run_cases
from bylaw.backtest.junit import junit
from bylaw.backtest.local import LocalPolicies
from bylaw.policies.packs.load import load_folder

PACK = """
pack: shop
policies:
  refunds:
    name: Refunds
    action: review
    conditions: {phase: tool_call}
    rules:
      - {id: small, expr: tool_call.arguments.amount < 100}
      - {id: kind, text: Reject a rude answer.}
"""
REQUEST = "{phase: tool_call, tool_call: {name: refund, arguments: {amount: 500}}}"


def run(tmp_path, cases):
    (tmp_path / "cases").mkdir()
    (tmp_path / "bylaw.yaml").write_text(PACK)
    (tmp_path / "cases" / "shop.yaml").write_text("cases:\n" + cases)
    folder = load_folder(tmp_path)
    return asyncio.run(run_cases(LocalPolicies(folder), folder.cases))


def case(expect, verdicts="{}"):
    return f"  - {{name: a case, request: {REQUEST}, verdicts: {verdicts}, expect: {expect}}}\n"


def test_a_case_passes_when_everything_it_names_is_so(tmp_path):
    done = run(
        tmp_path,
        case(
            "{outcome: review, policies: {shop/refunds:"
            " {outcome: review, rules: {small: violated, kind: not_applicable}}}}",
            "{refunds/kind: satisfied}",
        ),
    )
    assert done.failed == 0
    assert done.results[0].line == 2


@pytest.mark.parametrize(
    ("expect", "verdicts", "words"),
    [
        ("{outcome: allow}", "{}", "outcome: expected allow, found review"),
        ("{compliant: true}", "{}", "compliant: expected True, found False"),
        ("{policies: {shop/refunds: {applies: false}}}", "{}", "applies: expected False"),
        (
            "{policies: {shop/refunds: {rules: {small: satisfied}}}}",
            "{}",
            "shop/refunds/small: expected satisfied",
        ),
        ("{policies: {shop/refunds: {rules: {smal: violated}}}}", "{}", "smal: there is no such rule"),
        ("{policies: {shop/refund: {applies: false}}}", "{}", "no policy 'shop/refund'"),
        ("{outcome: review}", "{refunds/kin: satisfied}", "no rule in words 'refunds/kin'"),
        ("{outcome: review}", "{refunds/small: satisfied}", "no rule in words 'refunds/small'"),
    ],
)
def test_a_case_fails_with_what_was_found(tmp_path, expect, verdicts, words):
    done = run(tmp_path, case(expect, verdicts))
    assert done.failed == 1
    assert words in "\n".join(done.results[0].misses)


def test_coverage_tells_which_rules_were_seen_both_ways(tmp_path):
    small = case("{}").replace("amount: 500", "amount: 5")
    done = run(tmp_path, case("{}") + small)
    tried = {each.rule: (each.statuses, each.is_tried) for each in done.coverage}
    assert tried["small"] == ({"satisfied": 1, "violated": 1}, True)
    assert tried["kind"] == ({"indeterminate": 1, "not_applicable": 1}, False)


def test_junit_carries_the_file_the_line_and_the_miss(tmp_path):
    root = ET.XML(junit(run(tmp_path, case("{outcome: allow}"))))
    assert (root.get("tests"), root.get("failures")) == ("1", "1")
    found = root.find("testsuite/testcase")
    assert (found.get("file"), found.get("line")) == ("cases/shop.yaml", "2")
    assert "expected allow" in found.find("failure").get("message")


def test_a_refused_request_fails_the_case(tmp_path):
    done = run(tmp_path, "  - {name: odd, request: {workspace_id: nowhere}, expect: {outcome: allow}}\n")
    assert "refused" in done.results[0].misses[0]
