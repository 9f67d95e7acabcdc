import json
from pathlib import Path

import jsonschema
import pytest

from bylaw.core.errors import InvalidInput
from bylaw.policies.packs.documents import load_document
from bylaw.policies.packs.load import load_folder, parse_cases, parse_packs
from bylaw.policies.packs.model import WrittenPolicy, WrittenRule, cases_schema, pack_schema, schema_text
from bylaw.policies.parse import FIELDS
from bylaw.policies.rules import FIELDS as RULE_FIELDS

ROOT = Path(__file__).resolve().parents[3]
MINIMAL = {"pack": "p", "policies": {"a": {"name": "A", "rules": [{"text": "t"}]}}}
CASE = {"cases": [{"name": "n", "request": {}, "expect": {}}]}


def variants():
    yield MINIMAL, parse_packs, pack_schema
    for path, value in [
        ("pack", "Not a name"),
        ("pack", 3),
        ("policies", []),
        ("extra", 1),
        ("format", "bylaw.pack/9"),
        ("defaults", {"risk": "high"}),
        ("defaults", {"risk": "HIGH", "place": {"workspace": "w"}}),
        ("defaults", {"place": {"repo": "r"}}),
    ]:
        yield {**MINIMAL, path: value}, parse_packs, pack_schema
    for path, value in [
        ("name", ""),
        ("rules", []),
        ("rules", [{}]),
        ("rules", [{"expr": "a", "text": "b"}]),
        ("rules", [{"expr": "a", "message": "m", "attention": True, "id": "x", "lang": "cel/1"}]),
        ("rules", [{"text": "a", "effect": "stop"}]),
        ("action", "deny"),
        ("on_indeterminate", None),
        ("conditions", {"a": [1, {"gt": 2}]}),
        ("conditions", 3),
        ("examples", [{"name": "e", "expect": "pass", "request": {}}]),
        ("examples", [{"name": "e", "expect": "maybe", "request": {}}]),
        ("active", "yes"),
        ("topic", None),
        ("reach", "bound"),
        ("id", "pol_1"),
        ("mask", None),
        ("mask", {}),
        ("mask", {"fields": []}),
        ("mask", {"fields": ["tool_result.orders.*.email"]}),
        ("mask", {"fields": ["messages.*.content", "user_intent"], "personal_data": ["email", "iban"]}),
        ("mask", {"fields": ["messages.content"]}),
        ("mask", {"fields": ["tool_result..x"]}),
        ("mask", {"fields": ["agent_output.x"]}),
        ("mask", {"fields": ["metadata.x"]}),
        ("mask", {"fields": ["tool_result" + ".a" * 33]}),
        ("mask", {"personal_data": ["name"]}),
    ]:
        policy = {"name": "A", "rules": [{"text": "t"}], path: value}
        yield {"pack": "p", "policies": {"a": policy}}, parse_packs, pack_schema
    for without_rules in (
        {"name": "A", "mask": {"fields": ["tool_result"]}},
        {"name": "A", "mask": {"fields": ["tool_result"]}, "rules": []},
        {"name": "A", "mask": None},
        {"name": "A", "mask": {}},
        {"name": "A"},
    ):
        yield {"pack": "p", "policies": {"a": without_rules}}, parse_packs, pack_schema
    yield CASE, parse_cases, cases_schema
    for case in (
        {},
        {"name": "n", "request": {}, "expect": {"outcome": "no"}},
        {"name": "n", "request": {}, "expect": {"policies": {"a": {"rules": {"r1": "violated"}}}}},
        {"name": "n", "request": 1, "expect": {}},
        {"name": "n", "request": {}, "expect": {}, "verdicts": {"a/r1": "satisfied"}},
    ):
        yield {"cases": [case]}, parse_cases, cases_schema


@pytest.mark.parametrize(("data", "parse", "schema"), list(variants()))
def test_the_schema_and_the_loader_agree(data, parse, schema):
    document = load_document(json.dumps(data), file="f.yaml")
    valid = jsonschema.Draft202012Validator(schema()).is_valid(data)
    if valid:
        parse([document])
    else:
        with pytest.raises(InvalidInput):
            parse([document])


def test_the_schema_knows_every_field():
    assert set(FIELDS) <= set(WrittenPolicy.__struct_fields__)
    assert set(WrittenRule.__struct_fields__) == set(RULE_FIELDS)


@pytest.mark.parametrize(("name", "schema"), [("pack", pack_schema), ("cases", cases_schema)])
def test_the_published_schema_is_the_one_of_the_code(name, schema):
    published = ROOT / "docs" / "reference" / f"{name}.schema.json"
    assert published.read_text(encoding="utf-8") == schema_text(schema())
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "examples").glob("*/policies")), ids=lambda path: path.parent.name
)
def test_every_shipped_pack_is_usable(folder):
    loaded = load_folder(folder)
    assert loaded.packs
    validator = jsonschema.Draft202012Validator(pack_schema())
    for document in loaded.documents:
        validator.validate(document.value)
    assert loaded.warnings == ()
