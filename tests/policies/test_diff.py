import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.policies.diff import diff_contents
from bylaw.policies.direction import expression_direction, together
from bylaw.policies.parse import parse_content
from bylaw.policies.rules import Reading

BASE = {"name": "n", "rules": [{"expr": "amount < 5000"}, {"text": "Reject it."}]}


def diff(old, new):
    first = parse_content({**BASE, **old})
    return diff_contents(first, parse_content({**BASE, **new}, Reading(before=first.rules)))


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ("a < 5", "a<5", "same"),
        ("a < 5", "a < 5.0", "same"),
        ("a < 5", "a < 6", "widens"),
        ("a < 5", "a <= 5", "widens"),
        ("a <= 5", "a < 5", "narrows"),
        ("a > 5", "a > 6", "narrows"),
        ("a > 5", "a >= 5", "widens"),
        ("a < 5", "a <= 4", "narrows"),
        ("a < 5", "a < 4.5", "narrows"),
        ("a < 5", "b < 5", "unclear"),
        ("a < 5", "a > 5", "unclear"),
        ("a < 5", "a < limit", "unclear"),
        ("a < 5", "a < 5 && b", "narrows"),
        ("a && b && c", "c && a", "widens"),
        ("a || b", "a", "narrows"),
        ("a", "b || a", "widens"),
        ("a < 5 && b", "b && a < 6", "widens"),
        ("a < 5 || b", "b || a < 4", "narrows"),
        ("a && b", "a || b", "unclear"),
        ("a && b", "c && d", "unclear"),
        ("(a < 5 || b) && c", "c && (a < 9 || b)", "widens"),
        ("s in ['x']", "s in ['x', 'y']", "widens"),
        ("s in ['x', 'y']", "s in ['y']", "narrows"),
        ("s in ['x', 'y']", "s in ['y', 'x']", "same"),
        ("s in ['x']", "s in ['y']", "unclear"),
        ("s in ['x']", "s in list", "unclear"),
        ("s in [1]", "s in [1.0]", "unclear"),
        ("s == 'a  b'", "s == 'a b'", "unclear"),
        ("a == true", "a == 1", "unclear"),
        ("a < 5", "!(a < 5)", "unclear"),
    ],
)
def test_a_changed_expression_says_whether_it_allows_more(old, new, direction):
    assert expression_direction(old, new) == direction
    opposite = {"widens": "narrows", "narrows": "widens"}.get(direction, direction)
    assert expression_direction(new, old) == opposite


atoms = st.one_of(
    st.builds(
        "{} {} {}".format, st.sampled_from("xy"), st.sampled_from(["<", "<=", ">", ">="]), st.integers(0, 4)
    ),
    st.builds("{} in {}".format, st.sampled_from("xy"), st.lists(st.integers(0, 4), max_size=3)),
)
expressions = st.recursive(
    atoms,
    lambda inner: st.builds(
        lambda operator, parts: "(" + f" {operator} ".join(parts) + ")",
        st.sampled_from(["&&", "||"]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=5,
)


def allowed(expression: str) -> set[tuple[int, int]]:
    code = compile(expression.replace("&&", "and").replace("||", "or"), "x", "eval")
    worlds = itertools.product(range(-1, 6), repeat=2)
    return {(x, y) for x, y in worlds if eval(code, {"x": x, "y": y})}  # noqa: S307 - built above


@st.composite
def pairs(draw):
    """Two expressions that share parts, so that a direction is often found."""
    parts = draw(st.lists(expressions, min_size=2, max_size=4))
    operator = draw(st.sampled_from([" && ", " || "]))
    old = draw(st.lists(st.sampled_from(parts), min_size=1, max_size=3, unique=True))
    new = draw(st.lists(st.sampled_from(parts), min_size=1, max_size=3, unique=True))
    return operator.join(old), operator.join(new)


@given(pairs() | st.tuples(atoms, atoms))
def test_a_direction_that_is_claimed_is_true(pair):
    old, new = allowed(pair[0]), allowed(pair[1])
    direction = expression_direction(*pair)
    assert direction != "same" or old == new
    assert direction != "widens" or old <= new
    assert direction != "narrows" or new <= old


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        ({}, {}, "same"),
        ({}, {"description": "d", "risk": "HIGH"}, "same"),
        ({}, {"action": "log"}, "widens"),
        ({"action": "alert"}, {"action": "review"}, "narrows"),
        ({}, {"on_indeterminate": "review"}, "same"),
        ({}, {"on_indeterminate": "block"}, "narrows"),
        ({}, {"topic": "returns"}, "widens"),
        ({"topic": "returns"}, {}, "narrows"),
        ({"topic": "a"}, {"topic": "b"}, "unclear"),
        ({}, {"conditions": {}}, "same"),
        ({}, {"conditions": {"tier": "gold"}}, "widens"),
        ({"conditions": {"tier": "gold"}}, {"conditions": None}, "narrows"),
        ({"conditions": {"a": 1}}, {"conditions": {"a": 2}}, "unclear"),
        ({"conditions": {"a": 1}}, {"conditions": {"b": 1}}, "unclear"),
        ({}, {"rules": [{"expr": "amount < 5000"}]}, "widens"),
        ({}, {"rules": [*BASE["rules"], {"expr": "b"}]}, "narrows"),
        ({}, {"rules": [{"expr": "amount < 6000"}, {"text": "Reject it."}]}, "widens"),
        ({}, {"rules": [{"expr": "amount < 5000"}, {"text": "Reject it all."}]}, "unclear"),
        ({}, {"rules": [{"expr": "amount < 5000"}, {"text": "Reject it.", "effect": "flag"}]}, "widens"),
        ({}, {"rules": [{"expr": "amount < 5000"}, {"text": "Reject it.", "message": "m"}]}, "same"),
        ({}, {"rules": [{"text": "Reject it."}, {"text": "b"}]}, "unclear"),
        ({}, {"rules": [{"id": "r1", "text": "words"}, {"text": "Reject it."}]}, "unclear"),
        ({}, {"action": "log", "rules": [*BASE["rules"], {"expr": "b"}]}, "unclear"),
    ],
)
def test_a_diff_says_whether_the_policy_allows_more(old, new, direction):
    assert diff(old, new).direction == direction


def test_a_diff_names_fields_and_rules_and_reads_as_text():
    found = diff(
        {}, {"action": "review", "rules": [{"expr": "amount < 10"}, {"text": "Flag it."}, {"expr": "b"}]}
    )
    assert [(change.field, change.old, change.new) for change in found.fields] == [
        ("action", "block", "review")
    ]
    assert [(change.change, change.id) for change in found.rules] == [
        ("removed", "r1"),
        ("changed", "r4"),
        ("added", "r3"),
        ("added", "r5"),
    ]
    assert '-      "expr": "amount < 5000",' in found.text
    assert '+  "action": "review",' in found.text
    assert diff({}, {}).text == ""


def test_a_reworded_rule_is_a_change_not_two():
    found = diff({}, {"rules": [{"expr": "amount < 10"}, {"text": "Reject it."}]})
    assert [(change.change, change.old["id"], change.new["id"]) for change in found.rules] == [
        ("changed", "r1", "r3")
    ]


def test_directions_that_pull_apart_are_unclear():
    assert together([]) == "same"
    assert together(["same", "widens", "widens"]) == "widens"
    assert together(["narrows", "widens"]) == "unclear"
