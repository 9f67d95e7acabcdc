"""The golden vectors hold, and are what the script writes."""

import json
from pathlib import Path

import pytest

from bylaw.core.canonical_json import canonical
from bylaw.receipts.audit import audit
from bylaw.receipts.checkpoint import parse_all
from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust, verify
from tests.receipts.golden import make

FOLDER = Path(__file__).parent / "golden"


def read(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def trust(case):
    return Trust(
        keys=None if case["keys"] is None else key_set(case["keys"].encode()),
        kept=() if case["kept"] is None else parse_all(case["kept"].encode()),
    )


BUNDLES, FLIPPED, LOGS = read("bundles.json"), read("flipped_bits.json"), read("logs.json")


@pytest.mark.parametrize("case", BUNDLES, ids=lambda case: case["name"])
def test_a_bundle_comes_to_what_the_vector_says(case):
    found = verify(case["file"].encode(), trust(case))
    failed = {step.name: step.result for step in found.steps if step.result == "fail"}
    expected = {name: result for name, result in case["steps"].items() if result == "fail"}
    assert found.status == case["status"], found.steps
    if found.status != "refused":
        assert failed == expected
    assert [step.number for step in found.steps] == list(range(1, len(found.steps) + 1))
    results = {step.name: step.result for step in found.steps}
    assert case["steps"].items() <= results.items() or found.status == "refused"


@pytest.mark.parametrize("flip", FLIPPED["flips"], ids=lambda flip: flip["field"])
def test_one_flipped_bit_never_verifies(flip):
    data = json.loads(FLIPPED["file"])
    outer, _, inner = flip["field"].partition("#")
    if inner:
        receipt = json.loads(data["receipt"])
        put(receipt, inner, flip["value"])
        data["receipt"] = canonical(receipt).decode()
    else:
        put(data, outer, flip["value"])
    both = trust(FLIPPED)
    by_keys, by_kept = (
        verify(json.dumps(data).encode(), each).status for each in (both, Trust(kept=both.kept))
    )
    assert by_kept in {"invalid", "refused"}
    if flip["field"] in FLIPPED["unused_with_outside_keys"]:
        assert by_keys == "verified"
    else:
        assert by_keys == by_kept


def put(value, pointer, changed):
    *names, last = pointer.split("/")[1:]
    for name in names:
        value = value[int(name)] if isinstance(value, list) else value[name]
    place = int(last) if isinstance(value, list) else last
    assert value[place] != changed
    value[place] = changed


@pytest.mark.parametrize("case", LOGS, ids=lambda case: case["name"])
def test_a_log_comes_to_what_the_vector_says(case):
    found = audit(case["file"].encode().splitlines(keepends=True), trust(case))
    assert [finding.code for finding in found.findings][: len(case["codes"])] == case["codes"], found.findings
    assert bool(found.found) == bool(case["codes"])
    assert found.status == case["status"]


def test_the_vectors_are_what_the_script_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(make, "FOLDER", tmp_path)
    make.main()
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (FOLDER / path.name).read_bytes(), path.name
