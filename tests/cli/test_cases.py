"""`bylaw test` says of every case whether it came out as expected, and of every rule whether it was tried."""

import json
from xml.etree import ElementTree as ET

import pytest

PACK = """\
pack: shop
policies:
  refunds:
    name: Refunds
    rules:
      - {id: small, expr: tool_call.arguments.amount < 100}
"""
CASE = """\
  - name: a refund of AMOUNT
    request: {tool_call: {name: refund, arguments: {amount: AMOUNT}}}
    expect: {outcome: OUTCOME}
"""


@pytest.fixture
def folder(tmp_path):
    """Return a function that writes a pack with cases: amounts and the outcomes that are expected."""
    (tmp_path / "shop.yaml").write_text(PACK, encoding="utf-8")

    def folder(**cases):
        text = [
            CASE.replace("AMOUNT", amount.removeprefix("of_")).replace("OUTCOME", outcome)
            for amount, outcome in cases.items()
        ]
        (tmp_path / "cases").mkdir()
        (tmp_path / "cases" / "shop.yaml").write_text("cases:\n" + "".join(text), encoding="utf-8")
        return tmp_path

    return folder


def test_cases_that_come_out_as_expected_are_listed(run, folder):
    code, out, _ = run("test", folder(of_50="allow", of_500="block"), "--coverage")
    assert code == 0
    assert "passed  a refund of 50\n" in out
    assert "2 passed, 0 failed\n1 of 1 rules were seen both to hold and not to\n" in out


def test_a_case_that_does_not_says_where_it_stands_and_why(run, folder, tmp_path):
    code, out, _ = run("test", folder(of_500="allow"), "--junit", tmp_path / "report.xml")
    assert code == 1
    assert "FAILED  a refund of 500\n" in out
    assert "cases/shop.yaml:2  " in out
    assert "  half tried: shop/refunds/small" in out
    (case,) = ET.parse(tmp_path / "report.xml").iter("testcase")
    assert case.find("failure") is not None


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--coverage"], 1)])
def test_a_rule_that_is_half_tried_fails_only_when_that_is_asked(run, folder, options, code):
    assert run("test", folder(of_50="allow"), *options)[0] == code


def test_results_and_coverage_are_given_as_data(run, folder):
    code, out, _ = run("test", folder(of_50="allow", of_500="allow"), "--json")
    found = json.loads(out)
    assert (code, found["passed"], found["failed"]) == (1, 1, 1)
    assert [bool(case["misses"]) for case in found["cases"]] == [False, True]
    assert [(each["rule"], each["is_tried"]) for each in found["coverage"]] == [("small", True)]


def test_a_folder_without_cases_is_not_a_success(run, tmp_path):
    (tmp_path / "shop.yaml").write_text(PACK, encoding="utf-8")
    code, _, err = run("test", tmp_path)
    assert (code, "No cases in" in err) == (2, True)


def test_a_mapping_of_recordings_beside_the_packs_is_no_pack(run, folder):
    where = folder(of_50="allow")
    (where / "mapping.yaml").write_text(
        "{format: bylaw.replay/1, decide: {tools: [refund]}}", encoding="utf-8"
    )
    assert run("test", where)[0] == 0


def test_a_file_that_is_no_pack_at_all_is_told_so_once(run, folder):
    where = folder(of_50="allow")
    (where / "compose.yaml").write_text("{services: {}, volumes: {}}", encoding="utf-8")
    code, _, err = run("test", where)
    (line,) = [line for line in err.splitlines() if "compose.yaml" in line]
    assert (code, "neither pack nor policies" in line) == (2, True)
