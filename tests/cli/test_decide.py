"""`bylaw decide`: what it takes as a request, and what it says of places that no pack names."""

import io
import json
import sys
from types import SimpleNamespace

import pytest

PACK = """\
pack: shop
policies:
  limit:
    name: Limit
    action: block
    rules:
      - expr: amount < 5000
"""
REQUEST = '{"phase": "decision", "metadata": {"amount": 7000}}'


@pytest.fixture
def packs(tmp_path):
    directory = tmp_path / "packs"
    directory.mkdir()
    (directory / "shop.yaml").write_text(PACK, encoding="utf-8")
    return directory


def test_a_request_is_a_file_or_written_out_or_standard_input(run, tmp_path, packs, monkeypatch):
    path = tmp_path / "request.json"
    path.write_text(REQUEST, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(REQUEST.encode())))
    said = [run("decide", given, "--policies", packs) for given in (path, f"@{path}", f" {REQUEST}", "-")]
    assert said == [said[0]] * 4
    assert said[0][0] == 1
    assert "Limit" in said[0][1]


def test_what_is_neither_json_nor_a_file_is_told_what_it_could_be(run, packs):
    code, _, said = run("decide", "request.jsn", "--policies", packs)
    assert code == 2
    assert "'request.jsn' is neither JSON nor a file" in said


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ('{"agent_id": "a", "agent_id": "b"}', "a name stands twice"),
        ('{"metadata": {"amount": NaN}}', "NaN is not a JSON number"),
        (
            '{"metadata": {"amount": 18446744073709551616}}',
            "metadata.amount: The integer has more than 64 bits",
        ),
    ],
)
def test_what_the_server_refuses_to_read_is_refused_here(run, packs, given, code):
    ended, _, said = run("decide", given, "--policies", packs)
    assert ended == 2
    assert code.lower() in said.lower()
    assert run("rules", "eval", "true", "--context", given)[0] == 2


@pytest.mark.parametrize(
    ("place", "warned"),
    [
        ({"workspace_id": "w1"}, ["workspace_id"]),
        ({"workspace_id": "w1", "repo_id": "r1"}, ["workspace_id", "repo_id"]),
        ({"repo_id": "r1"}, ["repo_id"]),
        ({}, []),
    ],
)
def test_a_place_that_no_pack_names_has_no_policies_of_its_own(run, packs, place, warned):
    code, out, said = run("decide", json.dumps({**json.loads(REQUEST), **place}), "--policies", packs)
    assert (code, "Limit" in out) == (1, True)
    assert [line.split()[1].rstrip(":") for line in said.splitlines()] == warned


def test_a_repo_that_a_pack_puts_into_another_workspace_is_refused(run, packs):
    there = PACK.replace("pack: shop", "pack: inner").replace(
        "name:", "place: {workspace: w2, repo: r2}\n    name:"
    )
    (packs / "inner.yaml").write_text(there, encoding="utf-8")
    elsewhere = json.dumps({**json.loads(REQUEST), "workspace_id": "w1", "repo_id": "r2"})
    code, _, said = run("decide", elsewhere, "--policies", packs)
    assert (code, "No repo with id 'r2'" in said) == (1, True)


PLACED = """\
pack: eu
policies:
  there: {name: There, place: {workspace: w2}, rules: [{expr: amount < 1}]}
  refunds: {name: Refunds, topic: refunds, rules: [{expr: amount < 1}]}
  calls: {name: Calls, conditions: {phase: tool_call}, rules: [{expr: amount < 1}]}
  some: {name: Some, reach: bound, rules: [{expr: amount < 1}]}
"""


def test_a_policy_that_has_no_say_is_listed_with_the_reason(run, packs):
    (packs / "placed.yaml").write_text(PLACED, encoding="utf-8")
    asked = json.dumps({**json.loads(REQUEST), "topics": ["billing"]})
    code, out, _ = run("decide", asked, "--policies", packs)
    assert code == 1
    assert out.partition("left out\n")[2].splitlines() == [
        "  eu/calls: its conditions do not hold: phase",
        "  eu/refunds: has another topic than the request names",
        '  eu/some: holds for agents that are bound to it; try it with "policy_id": "eu/some"',
        '  eu/there: holds elsewhere; a request from there says "workspace_id": "w2"',
    ]
    assert "left out" not in run("decide", REQUEST, "--policies", packs / "shop.yaml")[1]


def test_of_many_policies_without_a_say_some_are_listed_and_the_rest_counted(run, packs):
    many = "".join(
        f"  p{n}: {{name: P, place: {{workspace: w2}}, rules: [{{expr: amount < 1}}]}}\n" for n in range(130)
    )
    (packs / "many.yaml").write_text(f"pack: many\npolicies:\n{many}", encoding="utf-8")
    _, out, _ = run("decide", REQUEST, "--policies", packs)
    assert out.splitlines()[-1] == "  and 110 more"
    assert out.count("holds elsewhere") == 20
