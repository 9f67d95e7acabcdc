"""What rules decide: the published vectors, the documented differences from CEL, and every code."""

import copy
import math
import threading
from typing import ClassVar

import pytest

from bylaw import rules
from bylaw.core.errors import RuleSyntax
from bylaw.rules.ast import Node
from bylaw.rules.interpret import Evaluation
from bylaw.rules.rule import decided

ABSENT = object()
SATISFIED, VIOLATED = "satisfied", "violated"

# A rule, one field with its values, and how each ends: the list of the AgentCert contract in this language.
VECTORS = [
    (
        "amount < 5000",
        "amount",
        [4999.99, 5000, ABSENT, None, "4999", True],
        [SATISFIED, VIOLATED, "missing", "null_value", "type_error", "type_error"],
    ),
    ("vendor_status == 'approved'", "vendor_status", ["approved", "Approved"], [SATISFIED, VIOLATED]),
    ('vendor_status == "approved"', "vendor_status", ["approved", "Approved"], [SATISFIED, VIOLATED]),
    (
        'tools_used.contains("policy_check")',
        "tools_used",
        [["a", "policy_check"], ["a"], ABSENT],
        [SATISFIED, VIOLATED, "missing"],
    ),
    (
        "retrieval_summary != null",
        "retrieval_summary",
        [None, ABSENT, "", "text"],
        [VIOLATED, VIOLATED, SATISFIED, SATISFIED],
    ),
    (
        "retrieval_summary.size() > 0",
        "retrieval_summary",
        ["", None, "a"],
        [VIOLATED, "null_value", SATISFIED],
    ),
    ('vendor_id != "bad"', "vendor_id", [ABSENT, "bad", "good"], ["missing", VIOLATED, SATISFIED]),
    ('exists(vendor_id) && vendor_id != "bad"', "vendor_id", [ABSENT, "good"], [VIOLATED, SATISFIED]),
    ('has(vendor_id) && vendor_id != "bad"', "vendor_id", [ABSENT, "good"], [VIOLATED, SATISFIED]),
    ('vendor_id == null || vendor_id != "bad"', "vendor_id", [ABSENT, "bad"], [SATISFIED, VIOLATED]),
    ("nope == 1 || amount < 5000", "amount", [10, 6000], [SATISFIED, "missing"]),
    ("nope == 1 && amount < 5000", "amount", [10, 6000], ["missing", VIOLATED]),
]
CASES = [
    (rule, {} if value is ABSENT else {name: value}, ending)
    for rule, name, values, endings in VECTORS
    for value, ending in zip(values, endings, strict=True)
]


def ending(rule: str, context: dict[str, object]) -> str:
    verdict = rules.compile(rule).evaluate(context)
    return verdict.code or verdict.status


@pytest.mark.parametrize(("rule", "context", "wanted"), CASES)
def test_the_published_vectors_hold(rule: str, context: dict[str, object], wanted: str) -> None:
    assert ending(rule, context) == wanted


@pytest.mark.parametrize(
    "rule", ["1 < amount < 5000", "amount = 5000", '__import__("os").system("x")', "x.any(i, i > 1)", "not x"]
)
def test_the_published_refusals_hold(rule: str) -> None:
    with pytest.raises(RuleSyntax):
        rules.compile(rule)


@pytest.mark.parametrize(
    ("rule", "context", "wanted"),
    [
        # null and missing
        ("a.b.c == null", {}, SATISFIED),
        ("a.b.c == null", {"a": {"b": {}}}, SATISFIED),
        ("a.b.c != null", {"a": {"b": {"c": 1}}}, SATISFIED),
        ("a.b.c == null", {"a": 5}, "type_error"),
        ("a.b.c == null", {"a": None}, "null_value"),
        ("null == a", {}, SATISFIED),
        ("a[0] == null", {"a": []}, "range"),
        ("a['b'] == null", {"a": {}}, SATISFIED),
        ("a + 1 == null", {}, "missing"),
        ("a == b", {"a": 1}, "missing"),
        ("a == b", {"a": None, "b": None}, SATISFIED),
        ("has(a.b.c)", {}, VIOLATED),
        ("has(a.b.c)", {"a": {"b": {"c": None}}}, SATISFIED),
        ("has(a.b)", {"a": 5}, "type_error"),
        ("exists(a[3])", {"a": [1]}, VIOLATED),
        ("exists(a[0])", {"a": [1]}, SATISFIED),
        ("a.b > 1", {"a": {"b": None}}, "null_value"),
        # numbers
        ("x == 5", {"x": 5.0}, SATISFIED),
        ("x == 9007199254740992", {"x": 2**53 + 1}, VIOLATED),
        ("x == 9007199254740992.0", {"x": 2**53 + 1}, VIOLATED),
        ("x > 5", {"x": 2**70}, SATISFIED),
        ("x == y", {"x": 2**70, "y": 2**70 + 1}, VIOLATED),
        ("x * 2 > 0", {"x": 2**70}, "range"),
        ("x + 1 > 0", {"x": 2**63 - 1}, "range"),
        ("x - y == 0", {"x": 5, "y": 5}, SATISFIED),
        ("x - y < 0", {"x": -(2**63), "y": 1}, "range"),
        ("x + 0.5 == 1.5", {"x": 1}, SATISFIED),
        ("x + 0.5 > 1.0", {"x": 10**400}, "range"),
        ("-x == 1", {"x": -(2**63)}, "range"),
        ("x / 0 == 1", {"x": 1}, "divide_by_zero"),
        ("x % 0 == 1", {"x": 1}, "divide_by_zero"),
        ("x / 0.0 > 1.0", {"x": 1}, SATISFIED),
        ("x / -0.0 < -1.0", {"x": 1.0}, SATISFIED),
        ("x / y == x / y", {"x": 0.0, "y": 0.0}, VIOLATED),
        ("-7 / 2 == -3 && -7 % 2 == -1", {}, SATISFIED),
        ("true == 1", {}, None),
        ("x == 1", {"x": True}, VIOLATED),
        ("x in [1, 2]", {"x": True}, VIOLATED),
        ("1 in x", {"x": [True]}, VIOLATED),
        ("1 in x", {"x": [1.0]}, SATISFIED),
        ("x == 0", {"x": False}, VIOLATED),
        ("x < 5", {"x": math.nan}, VIOLATED),
        ("x == x", {"x": math.nan}, VIOLATED),
        # no coercion
        ("x < 5", {"x": "4"}, "type_error"),
        ("x == 4", {"x": "4"}, VIOLATED),
        ("x && true", {"x": "abc"}, "type_error"),
        ("x && true", {"x": None}, "null_value"),
        ("!x", {"x": 0}, "type_error"),
        ("x", {"x": 5}, "not_boolean"),
        ("x", {"x": None}, "null_value"),
        ("x", {"x": True}, SATISFIED),
        # absorption
        ("x < 5 || true", {}, SATISFIED),
        ("true || x < 5", {}, SATISFIED),
        ("x < 5 && false", {}, VIOLATED),
        ("x < 5 && true", {}, "missing"),
        ("x.exists(i, 1 / i > 0)", {"x": [0, 1]}, SATISFIED),
        ("x.all(i, 1 / i > 0)", {"x": [0, -1]}, VIOLATED),
        ("x.all(i, 1 / i > 0)", {"x": [0, 1]}, "divide_by_zero"),
        ("x.exists_one(i, 1 / i > 0)", {"x": [0, 1]}, "divide_by_zero"),
        ("x ? true : nope", {"x": True}, SATISFIED),
        # lists, maps, text
        ("x.contains('a')", {"x": ["a"]}, SATISFIED),
        ("x.contains('a')", {"x": "cat"}, SATISFIED),
        ("x.contains('a')", {"x": {"a": 1}}, "type_error"),
        ("x.contains(y)", {"x": [[1]], "y": [1.0]}, SATISFIED),
        ("'a' in x", {"x": {"a": 1}}, SATISFIED),
        ("'a' in x", {"x": "cat"}, "type_error"),
        ("x in ['a', 'b']", {"x": ["a"]}, VIOLATED),
        ("size(x) == 6", {"x": "héllo😀"}, SATISFIED),
        ("x == 'approved'", {"x": "approved\0evil"}, VIOLATED),
        ("x == 'approved'", {"x": "\ud800"}, VIOLATED),
        ("x.matches('a')", {"x": "\ud800"}, "invalid_argument"),
        ("x.matches('(a+)+$')", {"x": "a" * 28 + "!"}, VIOLATED),
        ("x[0] == 1 && x[1] == 2", {"x": [1, 2]}, SATISFIED),
        ("x[2] == 1", {"x": [1, 2]}, "range"),
        ("x[-1] == 1", {"x": [1, 2]}, "range"),
        ("x[y] == 1", {"x": [1, 2], "y": 0.5}, "invalid_argument"),
        ("x[y] == 2", {"x": [1, 2], "y": 1.0}, SATISFIED),
        ("x.a == 1", {"x": [1]}, "type_error"),
        ("{'a': 1, 'a': 2}.a == 1", {}, "invalid_argument"),
        ("{x: 1}[x] == 1", {"x": 1.5}, "type_error"),
        ("{1: 'a', true: 'b'}[true] == 'b' && {1: 'a', true: 'b'}[1u] == 'a'", {}, SATISFIED),
        ("{1: 2}[1.5] == 1", {}, "missing"),
        ("x.map(i, i * 2) == [2, 4] && x.filter(i, i > 1) == [2]", {"x": [1, 2]}, SATISFIED),
        ("x.map(i, i > 1, i * 2) == [4]", {"x": [1, 2]}, SATISFIED),
        ("x.all(k, k == 'a') && x.exists(k, v, v == 1)", {"x": {"a": 1}}, SATISFIED),
        ("x.exists_one(i, i == 1)", {"x": [1, 2]}, SATISFIED),
        ("x.transformMap(k, v, v + 1) == {'a': 2}", {"x": {"a": 1}}, SATISFIED),
        ("x.all(i, i > 0)", {"x": "abc"}, "type_error"),
        ("x.all(i, i > 0)", {"x": None}, "null_value"),
        ("x.exists(i, v, i == v)", {"x": "abc"}, "type_error"),
        ("has(x.y[5].z)", {"x": {"y": [1]}}, VIOLATED),
        ("x == y", {"x": "a" * 5_000, "y": "a" * 5_000}, SATISFIED),
        # time
        ("timestamp(x) < timestamp('2027-01-01T00:00:00Z')", {"x": "2026-01-01T00:00:00+02:00"}, SATISFIED),
        ("timestamp(x) < timestamp('2027-01-01T00:00:00Z')", {"x": "soon"}, "invalid_argument"),
        ("timestamp(x) < timestamp('2027-01-01T00:00:00Z')", {"x": None}, "null_value"),
        (
            "timestamp(x) - timestamp(y) <= duration('1h')",
            {"x": "2026-01-01T01:00:00Z", "y": "2026-01-01T00:00:00Z"},
            SATISFIED,
        ),
        # bind and optionals
        ("cel.bind(v, x.y, true || v == 1)", {}, SATISFIED),
        ("cel.bind(v, x.y, v == 1)", {}, "missing"),
        ("x.?y.orValue(5) == 5", {"x": {}}, SATISFIED),
        ("x.?y.optMap(v, v + 1).orValue(0) == 3", {"x": {"y": 2}}, SATISFIED),
    ],
)
def test_each_case_ends_as_documented(rule: str, context: dict[str, object], wanted: str | None) -> None:
    if wanted is None:
        with pytest.raises(RuleSyntax):
            rules.compile(rule)
        return
    kept = copy.deepcopy(context)
    assert ending(rule, context) == wanted
    assert repr(context) == repr(kept), "a rule never changes its context"


@pytest.mark.parametrize(
    ("rule", "context", "code", "path", "column"),
    [
        ("1 < vendor.risk.score", {"vendor": {"risk": {}}}, "missing", "vendor.risk.score", 17),
        ("items.all(i, i.price < 5)", {"items": [{"price": 1}, {}]}, "missing", "items[1].price", 16),
        ("m.all(k, v, v.x > 1)", {"m": {"a": {}}}, "missing", "m['a'].x", 15),
        ("a.b.c > 1", {"a": {"b": None}}, "null_value", "a.b", 5),
        ("a[7] > 1", {"a": []}, "range", "a[7]", 2),
        ("cel.bind(v, a.b, v.c > 1)", {"a": {"b": {}}}, "missing", "a.b.c", 20),
        ("f(x) || a['k'] > 1", {}, None, "", 0),
        ("a['k'] > 1", {"a": {}}, "missing", "a['k']", 2),
        ("a[b + 0].c > 1", {"a": [{}], "b": 0}, "missing", "", 10),
        ("a[b].c > 1", {"a": [{}], "b": 0}, "missing", "", 6),
        ("true &&\n  a > 'x'", {"a": 5}, "type_error", "a", 5),
        ("[1].all(i, a)", {"a": 5}, "type_error", "a", 12),
        ("amount < 5000", {"amount": None}, "null_value", "amount", 8),
        ("5000 > a.b", {"a": {"b": None}}, "null_value", "a.b", 6),
        ("a < b", {"a": 1, "b": None}, "null_value", "b", 3),
        ("a < null", {"a": 1}, None, "", 0),
        ("a < [c][0]", {"a": 1, "c": None}, "null_value", "", 3),
        ("5 > a[0]", {"a": ["x"]}, "type_error", "a[0]", 3),
        ("a - b > 0", {"a": 1, "b": "x"}, "type_error", "b", 3),
        ("a - b > 0", {"a": "x", "b": 1}, "type_error", "a", 3),
        ("-a > 0", {"a": "x"}, "type_error", "a", 1),
        ("a in b", {"a": "x", "b": "xy"}, "type_error", "b", 3),
        ("a in b", {"a": [], "b": {}}, "type_error", "a", 3),
        ("a.startsWith(b)", {"a": "x", "b": 1}, "type_error", "b", 3),
        ("a.contains(b)", {"a": 1, "b": "x"}, "type_error", "a", 3),
        ("a.contains(b)", {"a": "x", "b": 1}, "type_error", "b", 3),
        ("size(a.b) > 1", {"a": {"b": 5}}, "type_error", "a.b", 1),
        ("a.sum() > 1", {"a": [1, None]}, "null_value", "a", 3),
        ("a.map(i, i < 5) == []", {"a": [1, "x"]}, "type_error", "a[1]", 12),
        ("a.map(i, i) == []", {"a": "x"}, "type_error", "a", 3),
        ("a.sortBy(i, i.p) == []", {"a": [{"p": None}]}, "null_value", "a", 3),
        ("a.b.c > 1", {"a": {"b": 5}}, "type_error", "a.b", 5),
        ("a[b] > 1", {"a": [1], "b": "x"}, "type_error", "b", 2),
        ("a[b] > 1", {"a": 1, "b": 0}, "type_error", "a", 2),
        ("a['k'] > 1", {"a": [1]}, "type_error", "a", 2),
        ("{a: 1} == {'x': 1}", {"a": None}, "null_value", "a", 1),
        ("[?a] == []", {"a": 1}, "type_error", "a", 1),
        ("{?'k': a} == {}", {"a": 1}, "type_error", "a", 1),
        ("a.optMap(v, v).hasValue()", {"a": 1}, "type_error", "a", 3),
        ("m.all(k, v, v > 1)", {"m": {"x" * 300: "y"}}, "type_error", "", 15),
        ("a && true", {"a": None}, "null_value", "a", 1),
        ("int(a.b) > 1", {"a": {"b": "x"}}, "invalid_argument", "a.b", 1),
        ("-a > 0", {"a": -(2**63)}, "range", "a", 1),
        ("a.b", {"a": {"b": 5}}, "not_boolean", "a.b", 3),
        ("a.b", {"a": {"b": None}}, "null_value", "a.b", 3),
    ],
)
def test_an_indeterminate_verdict_names_path_and_place(
    rule: str, context: dict[str, object], code: str | None, path: str, column: int
) -> None:
    if code is None:
        with pytest.raises(RuleSyntax):
            rules.compile(rule)
        return
    verdict = rules.compile(rule).evaluate(context)
    assert (verdict.status, verdict.code, verdict.path, verdict.position.column) == (
        "indeterminate",
        code,
        path,
        column,
    )
    assert verdict.message
    assert verdict == rules.compile(rule).explain(context).verdict


@pytest.mark.parametrize("context", [None, [], 5, "x"])
def test_a_context_that_is_no_object_is_a_type_error(context: object) -> None:
    rule = rules.compile("x == 1")
    assert rule.evaluate(context).code == "type_error"  # type: ignore[arg-type]
    assert rule.explain(context).verdict.code == "type_error"  # type: ignore[arg-type]


def test_objects_of_the_host_are_not_compared() -> None:
    assert ending("x == y", {"x": object(), "y": object()}) == "type_error"


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        ("amount < 5000", None, "`amount` is null: < cannot be applied to null_type and int"),
        ("amount < 5000", "x", "`amount` is string: < cannot be applied to string and int"),
        ("amount", 5, "`amount` is int: a rule must be true or false, not int"),
        ("amount || false", 5, "`amount` is int: a condition must be true or false, not int"),
        ("[amount][0]", 5, "a rule must be true or false, not int"),
    ],
)
def test_a_verdict_says_what_stood_where_something_else_is_needed(
    rule: str, value: object, message: str
) -> None:
    assert rules.compile(rule).evaluate({"amount": value}).message == message


class Broken(Evaluation):
    """A walk on which something goes wrong that no rule should be able to bring about."""

    error: ClassVar[type[Exception]]

    def value(self, node: Node) -> object:  # noqa: ARG002 - whatever it is asked
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"), [(ValueError, "type_error"), (RecursionError, "budget"), (MemoryError, "budget")]
)
def test_whatever_goes_wrong_in_an_evaluation_is_an_outcome(error: type[Exception], code: str) -> None:
    walk = Broken(context={}, budget=rules.Budget(), types=False)
    Broken.error = error
    with pytest.raises(rules.Failure) as caught:
        decided(rules.compile("x == 1").node, walk)
    assert caught.value.code == code


def test_a_shared_budget_bounds_many_rules() -> None:
    rule = rules.compile("items.all(i, i >= 0)")
    context: dict[str, object] = {"items": list(range(1_000))}
    budget = rules.Budget(20_000)
    statuses = [rule.evaluate(context, budget).status for _ in range(20)]
    assert statuses[0] == SATISFIED
    assert statuses[-1] == "indeterminate"
    assert rule.evaluate(context, budget).code == "budget"
    assert rule.evaluate(context).status == SATISFIED


def test_a_failed_attempt_of_compiled_code_does_not_count_twice() -> None:
    rule = rules.compile("nope > 1 && items.all(i, i >= 0)")
    budget = rules.Budget(50_000)
    rule.evaluate({"items": list(range(1_000))}, budget)
    assert budget.left > 40_000


@pytest.mark.parametrize("stack_bytes", [64 * 1024, 0])
def test_a_rule_may_run_in_many_threads_at_once(stack_bytes: int) -> None:
    rule = rules.compile("items.all(i, i.price < limit) && name.matches('^[a-z]+$')")
    wrong: list[str] = []

    def run(limit: int) -> None:
        context = {"items": [{"price": price} for price in range(50)], "limit": limit, "name": "abc"}
        wanted = SATISFIED if limit >= 50 else VIOLATED
        wrong.extend(v.status for _ in range(100) if (v := rule.evaluate(context)).status != wanted)

    before = threading.stack_size(stack_bytes)
    try:
        threads = [threading.Thread(target=run, args=(40 + 5 * n,)) for n in range(5)]
        for thread in threads:
            thread.start()
    finally:
        threading.stack_size(before)
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_context_nested_thirty_thousand_deep_is_walked_without_pythons_stack() -> None:
    deep: dict[str, object] = {}
    for _ in range(30_000):
        deep = {"a": deep}
    twin: dict[str, object] = {}
    for _ in range(30_000):
        twin = {"a": twin}
    for rule in ("x == y", "x in [y]", "[x] == [y]", "size(x) == 1 && x.a.a != y"):
        explained = rules.compile(rule).explain({"x": deep, "y": twin})
        assert explained.verdict.status == SATISFIED
        assert explained.tree()


SECRET = "078-05-1120"


@pytest.mark.parametrize(
    "rule",
    [
        *(f"{name}(v) == {name}(v)" for name in ("int", "uint", "double", "bool", "timestamp", "duration")),
        *(f"{name}(v) == {name}(w)" for name in ("ip", "cidr")),
        "timestamp(0).getHours(v) > 0",
        "v.format([1]) == 'x'",
        "int('%s'.format([v])) > 0",
        "v > 1",
        "v",
        "v.b > 1",
        "[1][v] > 1",
        "{v: 1, w: 2} == {}",
        "m[v] > 1",
        "int(n) > 0",
        "uint(n) > 0u",
        "[1][n] > 0",
        "v.substring(99) == ''",
    ],
)
@pytest.mark.parametrize("value", [SECRET, f"%{SECRET}", f"{SECRET}%.9q", SECRET * 40])
def test_no_message_holds_a_value(rule: str, value: str) -> None:
    context: dict[str, object] = {"v": value, "w": value, "m": {}, "n": 9_078_051_120_907_805_112_090.5}
    verdict = rules.compile(rule).evaluate(context)
    assert verdict.status != "satisfied"
    assert "078" not in verdict.message + verdict.path


def test_a_value_that_is_not_usable_is_named_by_its_path_and_type() -> None:
    verdict = rules.compile("int(tool_result.ssn) > 0").evaluate({"tool_result": {"ssn": SECRET}})
    assert (verdict.path, verdict.message) == (
        "tool_result.ssn",
        "`tool_result.ssn` is string: the text is not an integer",
    )
