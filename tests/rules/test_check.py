"""What saving refuses, with its hint; and what a context schema adds."""

import pytest

from bylaw import rules
from bylaw.core.errors import InvalidInput, RuleSyntax

SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "number"},
        "note": {"type": ["string", "null"]},
        "flag": {"type": "boolean"},
        "free": {},
        "either": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
        "loose": {"type": "object", "additionalProperties": True, "properties": {"a": {"type": "string"}}},
        "vendor": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "risk": {"properties": {"score": {"type": "integer"}}}},
        },
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "price": {"type": "number"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}


def refused(source: str, schema: object = None) -> RuleSyntax:
    with pytest.raises(RuleSyntax) as caught:
        rules.compile(source, schema=schema)
    return caught.value


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("tools_used.include('x')", "no function include()", "did you mean contains?"),
        ("x.any(i, i > 1)", "no function any()", "did you mean exists?"),
        ("len(x) > 1", "no function len()", "did you mean size?"),
        ("x.startswith('a')", "no function startswith()", "did you mean startsWith?"),
        ("now() > 5", "no function now()", "time comes from the context"),
        ("zzzzzz(x)", "no function zzzzzz()", ""),
        ("size(a, b) == 1", "size() is not called like this", "there is size() with 1 argument"),
        ("__import__('os').system('x') == 1", "no function", ""),
        ("amount + 1", "a rule must be true or false", "compare it with something"),
        ("null", "this is null_type", ""),
        ("'a'", "this is string", ""),
        ("1 < 'a'", "int < string cannot be compared", "drop the quotes"),
        ("1 == 'a'", "int == string cannot be compared", "drop the quotes"),
        ("1 < x < 5", "bool < int cannot be compared", "comparisons do not chain"),
        ("[1] < [2]", "list < list", ""),
        ("'a' && true", "each side of && must be true or false", ""),
        ("true || 1 + 2", "each side of ||", "compare it"),
        ("!1", "the operand of !", ""),
        ("1 ? true : false", "what stands before ?", ""),
        ("-'a' == 1", "- does not apply to string", ""),
        ("1 + 'a' == 1", "+ does not apply to int and string", ""),
        ("1.5 % 2.0 == 1.0", "% does not apply to double and double", ""),
        ("1 in 'abc'", "`in` needs a list or a map", "text.contains"),
        ("1 in ['a']", "a list of string never holds int", ""),
        ("'a'.b == 1", "string has no field 'b'", ""),
        ("1[0] == 1", "int has no elements", ""),
        ("[1]['a'] == 1", "the index of a list is a number", ""),
        ("{'a': 1}[null] == 1", "null_type is not a key", ""),
        ("{1.5: 1} == x", "double is not a key of a map", ""),
        ("[?1] == x", "must be an optional", ""),
        ("'abc'.contains(5)", "no string.contains(int)", "string.contains(string)"),
        ("x.charAt('a') == ''", "charAt(string)", "string.charAt(int)"),
        ("1.all(i, true)", "all() applies to a list or a map", ""),
        ("[1].all(i, i)", "the test of all() must be true or false", ""),
        ("[1].map(i, 1, i) == []", "the filter of map()", ""),
        ("1.optMap(i, i).hasValue()", "optMap() applies to an optional", ""),
        ("x.matches(y)", "must be written in the rule", ""),
        ("x.matches('(')", "not a regular expression of RE2", "patterns follow RE2"),
        ("x.matches('(?=a)')", "not a regular expression of RE2", ""),
        (f"x.matches('{'a' * 501}')", "at most 500 characters", ""),
        ("timestamp('soon') < timestamp(x)", "the text is not a timestamp", ""),
        ("duration('soon') < duration(x)", "is not a duration", ""),
        ("ip('1.2.3') == ip(x)", "is not an IP address", ""),
        ("Foo{a: 1}.b == 1", "no message type Foo", "write a map"),
        ("cel.index(0) == 1", "need their cel.block()", ""),
    ],
)
def test_what_cannot_work_is_refused_when_saved(source: str, message: str, hint: str) -> None:
    refusal = refused(source)
    assert message in refusal.message
    assert hint in refusal.hint


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("amont < 5", "there is no field 'amont' in the context", "did you mean amount?"),
        ("vendor.risk.scor < 5", "no field 'scor' in `vendor.risk`", "did you mean score?"),
        ("vendor['idd'] == 'a'", "no field 'idd'", "did you mean id?"),
        ("amount < '5'", "double or int < string", "drop the quotes"),
        ("amount == '5'", "double or int == string", ""),
        ("items.all(i, i.prce < 5)", "no field 'prce' in `i`", "did you mean price?"),
        ("items.exists(n, i, i.prce < 5)", "no field 'prce'", ""),
        ("items.filter(i, true)[0].prce < 5", "no field 'prce'", ""),
        ("items.exists(i, 5 in i.tags)", "a list of string never holds int", ""),
        ("'a' in items", "a list of map never holds string", ""),
        ("has(vendor.ip)", "no field 'ip'", ""),
        ("amount", "a rule must be true or false", ""),
        ("cel.bind(v, vendor, v.nope == 1)", "no field 'nope'", ""),
        ("loose.a == 1", "string == int", ""),
        ("either + 1 > 2", "+ does not apply", ""),
    ],
)
def test_a_schema_finds_misspelt_fields_and_wrong_types(source: str, message: str, hint: str) -> None:
    refusal = refused(source, SCHEMA)
    assert message in refusal.message
    assert hint in refusal.hint


@pytest.mark.parametrize(
    "source",
    [
        "amount < 5",
        "note == null || note == 'x'",
        "flag",
        "either",
        "free.anything.at.all == 1",
        "loose.b == 1",
        "items.all(i, i.price < 100 && 'x' in i.tags)",
        "items.map(i, i.price).exists(p, p > 1)",
        "type(amount) == int",
        "vendor.?risk.hasValue()",
        "items.sortBy(i, i.price)[0].price > 1.0",
        "cel.bind(v, vendor, v.id == 'x')",
        "{'a': 1}.a == 1 && {'a': 1}['a'] == 1",
        "[1, 'a'].exists(x, x == 'a')",
        "items.transformMap(i, item, item.price)[0] > 1",
        "optional.of(1).optMap(x, x + 1).hasValue()",
        "size(items) + 1 < 10 && -size(items) < 0",
    ],
)
def test_a_schema_allows_what_fits(source: str) -> None:
    assert rules.compile(source, schema=SCHEMA).source == source


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "text"}, "schema.type"),
        ({"properties": []}, "schema.properties"),
        ({"properties": {"a": {"type": 5}}}, "schema.properties.a.type"),
        ({"properties": {"a": 1}}, "schema.properties.a"),
        ({"anyOf": []}, "schema.anyOf"),
        ({"type": "array", "items": {"type": ["nope"]}}, "schema.items.type"),
        ([], "schema"),
        ({"properties": {"a": {}}, "x": object()}, "schema"),
    ],
)
def test_an_unusable_schema_is_refused_with_its_place(schema: object, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        rules.compile("true", schema=schema)
    assert caught.value.problems[0].path == path


def test_a_schema_that_nests_too_deep_is_refused() -> None:
    schema: dict[str, object] = {}
    for _ in range(60):
        schema = {"properties": {"a": schema}}
    with pytest.raises(InvalidInput, match="nests deeper"):
        rules.compile("true", schema=schema)


def test_a_field_named_like_a_type_is_a_field_unless_the_rule_asks_for_types() -> None:
    assert rules.compile("type == 'invoice'").evaluate({"type": "invoice"}).status == "satisfied"
    assert rules.compile("type == 'invoice'").evaluate({}).code == "missing"
    assert rules.compile("type(x) == net.IP || type(x) == int").evaluate({"x": 5}).status == "satisfied"
    assert rules.compile("type(x) == int").evaluate({"x": 5, "int": 7}).status == "violated"


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("amount < 5", ("amount",)),
        (
            "vendor != null && vendor.risk.score < limits['max'].score",
            ("limits.max.score", "vendor.risk.score"),
        ),
        (
            "items.all(i, i.price < top && i.tags.exists(t, t.x == 1))",
            ("items[].price", "items[].tags[].x", "top"),
        ),
        ("m[k.j] == 1 && l[0].a == 2", ("k.j", "l[].a", "m[]")),
        ("cel.bind(v, a.b, v.c == 1)", ("a.b.c",)),
        ("f.map(x, x + 1).exists(y, y > z)", ("f[]", "z")),
        ("type(x) == int && has(a.b)", ("a.b", "x")),
        ("1 == 1", ()),
    ],
)
def test_a_rule_says_which_fields_it_reads(source: str, fields: tuple[str, ...]) -> None:
    assert rules.compile(source).fields == fields


def test_the_same_text_compiles_once_per_schema() -> None:
    assert rules.compile("amount < 5") is rules.compile("amount < 5")
    assert rules.compile("amount < 5", schema=SCHEMA) is rules.compile("amount < 5", schema=dict(SCHEMA))
    assert rules.compile("amount < 5", schema=SCHEMA) is not rules.compile("amount < 5")
    assert rules.compile("true").lang == rules.LANG == "cel/1"
