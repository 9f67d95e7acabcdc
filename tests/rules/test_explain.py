"""Explanations: the smallest cause, what would change it, and every part's value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw import rules
from bylaw.rules.shown import LONGEST, shown
from bylaw.rules.trace import MOST_STEPS
from bylaw.rules.values import CIDR, FALSE_KEY, IP, NOTHING, Duration, Optional, Timestamp, Type, UInt

Context = dict[str, object]
Causes = list[tuple[str, str, str, str]]


def causes(rule: str, context: dict[str, object]) -> Causes:
    found = rules.compile(rule).explain(context).causes
    return [(cause.path, cause.seen, cause.needs, cause.than) for cause in found]


@pytest.mark.parametrize(
    ("rule", "context", "wanted"),
    [
        ("amount < 5000", {"amount": 7000}, [("amount", "7000", "<", "5000")]),
        ("5000 > amount", {"amount": 7000}, [("amount", "7000", "<", "5000")]),
        ("a.b == 'x'", {"a": {"b": "y"}}, [("a.b", '"y"', "==", '"x"')]),
        ("a == 1 && b == 2", {"a": 1, "b": 3}, [("b", "3", "==", "2")]),
        ("a == 1 || b == 2", {"a": 3, "b": 3}, [("a", "3", "==", "1"), ("b", "3", "==", "2")]),
        ("!(a == 1 && b == 2)", {"a": 1, "b": 2}, [("a", "1", "!=", "1"), ("b", "2", "!=", "2")]),
        ("!(a == 1 || b == 2)", {"a": 0, "b": 2}, [("b", "2", "!=", "2")]),
        ("!(a in ['x'])", {"a": "x"}, [("a", '"x"', "not in", '["x"]')]),
        ("has(a.b)", {"a": {}}, [("a.b", "", "present", "")]),
        ("has(a)", {}, [("a", "", "present", "")]),
        ("!has(a.b)", {"a": {"b": 1}}, [("a.b", "", "absent", "")]),
        ("flag", {"flag": False}, [("flag", "false", "==", "true")]),
        ("!flag", {"flag": True}, [("flag", "true", "==", "false")]),
        ("x != null", {}, [("x", "missing", "!=", "null")]),
        ("tools.contains('x')", {"tools": ["y"]}, [("tools", '["y"]', "contains", '"x"')]),
        ("!s.startsWith('x')", {"s": "xy"}, [("s", '"xy"', "not startsWith", '"x"')]),
        ("a ? b == 1 : c == 1", {"a": True, "b": 2, "c": 1}, [("b", "2", "==", "1")]),
        ("items.all(i, i.p < 5)", {"items": [{"p": 1}, {"p": 9}, {"p": 8}]}, [("items[1].p", "9", "<", "5")]),
        ("!items.exists(i, i.p == 9)", {"items": [{"p": 1}, {"p": 9}]}, [("items[1].p", "9", "!=", "9")]),
        ("items.exists(i, i == 9)", {"items": [1]}, [("items", "[1]", "exists", "i == 9")]),
        ("!items.all(i, i > 0)", {"items": [1]}, [("items", "[1]", "not all", "i > 0")]),
        ("cel.bind(v, a.b, v < 3)", {"a": {"b": 5}}, [("a.b", "5", "<", "3")]),
        ("size(a) > 3", {"a": [1]}, [("", "1", ">", "3")]),
        ("isIP(a)", {"a": "x"}, [("", "", "", "")]),
        ("a.b.c < 1", {"a": {}}, [("a.b", "", "present", "")]),
        ("1 / a > 0", {"a": 0}, [("", "", "", "")]),
        ("a < 1", {"a": 0}, []),
    ],
)
def test_the_smallest_cause_says_what_would_change_it(
    rule: str, context: dict[str, object], wanted: Causes
) -> None:
    assert causes(rule, context) == wanted


def test_the_deciding_element_is_kept_however_long_the_list() -> None:
    context: dict[str, object] = {"items": [{"p": n} for n in range(3_000)]}
    explained = rules.compile("items.all(i, i.p < 2999)").explain(context)
    assert explained.causes[0].element == "items[2999]"
    assert len(explained.tree()) < 5_000
    assert len(json.dumps(explained.to_dict())) < 10_000


def test_a_tree_shows_every_part_with_its_value() -> None:
    explained = rules.compile("size(items) <= 2 && !(a.b == 'x')").explain({"items": [1], "a": {"b": "x"}})
    assert explained.tree().split("\n") == [
        "violated: size(items) <= 2 && !(a.b == 'x')",
        '  because `a.b` is "x", and "x" == "x"',
        "└─ size(items) <= 2 && !(a.b == 'x')  →  false",
        "   ├─ size(items) <= 2  →  true",
        "   │  └─ size(items)  →  1",
        "   │     └─ items  →  [1]",
        "   └─ !(a.b == 'x')  →  false",
        "      └─ a.b == 'x'  →  true",
        '         └─ a.b  →  "x"',
    ]


@pytest.mark.parametrize(
    ("rule", "context", "line"),
    [
        ("has(a.b)", {"a": {}}, "because `a.b` is absent"),
        ("!has(a.b)", {"a": {"b": 1}}, "because `a.b` is present"),
        ("l.exists(i, i > 5)", {"l": [1]}, "because no element of `l` fulfils i > 5"),
        ("!l.all(i, i > 0)", {"l": [1]}, "because every element of `l` fulfils i > 0"),
        ("l.contains('a')", {"l": []}, "because `l` is []: l.contains('a') is false"),
        ("a.b > 1", {}, "because `a` is missing"),
        ("a", {"a": 5}, "because `a` is int: a rule must be true or false, not int"),
        ("isIP(a)", {"a": "x"}, "because `isIP(a)` is false"),
    ],
)
def test_a_cause_reads_as_a_sentence(rule: str, context: dict[str, object], line: str) -> None:
    assert line in rules.compile(rule).explain(context).tree()


NOT_NEEDED: list[tuple[str, Context, list[str]]] = [
    ("a < 5 && b < 5", {"a": 7, "b": 9}, ["a < 5  →  false", "b < 5  →  false (not needed)"]),
    ("a < 5 || b < 5", {"a": 1, "b": 1}, ["a < 5  →  true", "b < 5  →  true (not needed)"]),
    ("a < 5 && b < 5", {"a": 7}, ["a < 5  →  false", "b < 5  →  missing (not needed)"]),
    ("a ? b : c", {"a": True, "b": True, "c": 5}, ["b  →  true", "c  →  5 (not needed)"]),
    ("a + b > 5", {"b": 2}, ["a  →  missing", "b  →  2 (not needed)"]),
    ("a.startsWith(b)", {"b": "x"}, ["a  →  missing", 'b  →  "x" (not needed)']),
    (
        "l.all(i, i.p < 5 && i.q < 5)",
        {"l": [{"p": 9, "q": 2}]},
        ["[l[0]] i.p < 5 && i.q < 5  →  false", "i.q < 5  →  true (not needed)", "i.q  →  2"],
    ),
    ("true || a", {"a": 5}, ["a  →  5 (not needed)"]),
    (
        "a || (b && c)",
        {"a": True, "b": False, "c": 1},
        ["b && c  →  false (not needed)", "b  →  false", "c  →  1 (not needed)"],
    ),
    (
        "a || l.all(x, l.all(y, l.all(z, true)))",
        {"a": True, "l": [1] * 300},
        ["l.all(x, l.all(y, l.all(z, true)))  →  not needed"],
    ),
]


@pytest.mark.parametrize(("rule", "context", "lines"), NOT_NEEDED)
def test_what_was_not_needed_is_shown_and_marked(rule: str, context: Context, lines: list[str]) -> None:
    explained = rules.compile(rule).explain(context)
    drawn = [line.lstrip(" │├└─") for line in explained.tree().split("\n")]
    assert [line for line in drawn if line in lines] == lines
    assert json.dumps(explained.to_dict()).count('"not_needed": true') == explained.tree().count("not needed")


def test_what_was_not_needed_changes_neither_verdict_nor_cause_nor_what_is_left_to_others() -> None:
    rule = rules.compile("a < 5 && l.all(x, l.all(y, x + y >= 0))")
    context: Context = {"a": 7, "l": list(range(300))}
    decided, explained = rules.Budget(), rules.Budget()
    verdict = rule.evaluate(context, decided)
    found = rule.explain(context, explained)
    assert found.verdict == verdict
    assert [cause.path for cause in found.causes] == ["a"]
    assert explained.left >= decided.left // 2 - 10
    assert rules.compile("a > 5").explain(context, explained).verdict.status == "satisfied"


def test_an_operand_that_would_take_too_much_says_only_that_it_was_not_needed() -> None:
    data = rules.compile("a || l.all(x, l.all(y, true))").explain({"a": True, "l": [1] * 500}).to_dict()
    skipped = {"text": "l.all(x, l.all(y, true))", "offset": 7, "not_needed": True}
    assert data["steps"]["parts"][1] == skipped  # type: ignore[index]


def test_the_tree_of_a_rule_with_much_that_is_not_needed_stays_small() -> None:
    rule = rules.compile(" || ".join(["a"] + ["l.all(i, i.p == 1 || i.q == 2)"] * 20))
    explained = rule.explain({"a": True, "l": [{"p": 1, "q": 2}] * 50})
    assert explained.root is not None
    assert len(explained.tree().split("\n")) < 2 * MOST_STEPS


def test_a_cause_names_the_path_whose_value_cannot_be_used() -> None:
    found = rules.compile("a.b < 1 && c").explain({"a": {"b": None}, "c": True}).causes
    assert [(cause.code, cause.path) for cause in found] == [("null_value", "a.b")]
    found = rules.compile("true && a").explain({"a": "x"}).causes
    assert [(cause.text, cause.offset, cause.path) for cause in found] == [("a", 8, "a")]
    found = rules.compile("a.b").explain({"a": {"b": 5}}).causes
    assert [cause.path for cause in found] == ["a.b"]


def test_an_exhausted_budget_is_explained_without_a_cause_of_its_own() -> None:
    rule = rules.compile("l.all(a, l.all(b, l.all(c, a + b + c >= 0)))")
    explained = rule.explain({"l": list(range(300))})
    assert explained.verdict.code == "budget"
    assert "more steps" in explained.tree()
    assert explained.to_dict()["code"] == "budget"
    assert "because" in rules.compile("a == 1").explain([]).tree()  # type: ignore[arg-type]


def test_an_explanation_as_data_is_json_with_values_cut() -> None:
    data = (
        rules.compile("l.all(i, i.gone) && note == 'x'").explain({"note": "y" * 5_000, "l": [{}]}).to_dict()
    )
    assert json.loads(json.dumps(data)) == data
    assert data["status"] == "violated"
    assert data["position"] == {"offset": 17, "line": 1, "column": 18}
    cause = data["causes"][0]  # type: ignore[index]
    assert len(cause["seen"]) == LONGEST
    assert data["steps"]["parts"][0]["code"] == "missing"  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        (float("inf"), "Infinity"),
        (UInt(5), "5"),
        (10**300, "an integer of more than 640 bits"),
        ('a\n"', '"a\\n\\""'),
        (b"\xff", 'b"\\u00ff"'),
        ([1, [2]], "[1, [2]]"),
        ({"a": {FALSE_KEY: 1}, 2: []}, '{"a": {false: 1}, 2: []}'),
        (Timestamp(0), 'timestamp("1970-01-01T00:00:00Z")'),
        (Duration(1_500_000_000), 'duration("1.5s")'),
        (Type("int"), "int"),
        (Optional([1]), "optional.of([1])"),
        (NOTHING, "optional.none()"),
        (object(), "an object of the host"),
        ("x" * 500, '"' + "x" * 198 + "…"),
        (list(range(1_000_000)), None),
    ],
)
def test_values_are_shown_like_literals(value: object, text: str | None) -> None:
    assert len(shown(value)) <= LONGEST
    if text is not None:
        assert shown(value) == text


def test_addresses_are_shown_like_calls() -> None:
    explained = rules.compile("ip(a) == ip('10.0.0.1') || cidr(b) == cidr('10.0.0.0/8')")
    tree = explained.explain({"a": "10.0.0.2", "b": "10.1.0.0/16"}).tree()
    assert 'ip("10.0.0.2")' in tree
    assert 'cidr("10.1.0.0/16")' in tree
    assert IP is not CIDR


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_json_value_is_shown_within_the_limit(value: object) -> None:
    assert len(shown(value, 40)) <= 40


@pytest.mark.parametrize(
    ("late", "cause", "code"),
    [({"price": 250}, "`items[40].price` is 250, and 250 >= 100", ""), ({}, "", "missing")],
    ids=["decides", "fails"],
)
def test_a_late_round_that_tells_something_new_is_explained_to_its_smallest_part(late, cause, code):
    rule = rules.compile("items.all(i, i.price < 100)")
    explanation = rule.explain({"items": [{"price": 1}] * 40 + [late] + [{"price": 2}] * 5})
    (found,) = explanation.causes
    assert (found.path, found.element, found.code) == ("items[40].price", "items[40]", code)
    assert cause in found.message
    rounds = [part.element for part in explanation.root.parts if part.element]
    assert rounds == ["items[0]", "items[1]", "items[40]"]


def test_a_loop_that_takes_all_the_steps_is_explained_by_its_first_rounds():
    rule = rules.compile("items.all(i, items.all(j, i + j >= 0))")
    explanation = rule.explain({"items": list(range(400))})
    assert explanation.verdict == rule.evaluate({"items": list(range(400))})
    (found,) = explanation.causes
    assert (found.code, found.offset) == ("budget", explanation.verdict.position.offset)
    assert [part.element for part in explanation.root.parts if part.element][:2] == ["items[0]", "items[1]"]
