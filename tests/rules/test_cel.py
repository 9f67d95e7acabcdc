"""Plain CEL: values in and out, names with dots, containers and errors."""

import threading

import pytest

from bylaw import rules
from bylaw.rules import cel
from bylaw.rules.values import NOTHING


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        5,
        1.5,
        "a",
        b"a",
        [1, [2]],
        {"a": {"b": 1}},
        cel.UInt(5),
        cel.Timestamp(5),
        cel.Duration(ns=5),
        {True: {False: 1}},
        {1: 2},
        [{True: 1}],
        cel.Type("int"),
        cel.Optional({True: 1}),
        NOTHING,
    ],
)
def test_values_come_back_as_they_went_in(value: object) -> None:
    got = cel.evaluate("x", {"x": value})
    assert got == value
    assert type(got) is type(value)


def test_boolean_keys_stay_apart_from_numbers_inside() -> None:
    assert cel.evaluate("{true: 'b', 1: 'n'}[true] + {true: 'b', 1: 'n'}[1]") == "bn"
    assert list(cel.evaluate("{true: 1, 5u: 2}")) == [True, 5]  # type: ignore[call-overload]
    assert cel.evaluate("m[true] + m[false]", {"m": {True: 1, False: 2}}) == 3


def test_numbers_and_classes_compare_and_hash() -> None:
    assert cel.UInt(5) == cel.UInt(5) == 5
    assert repr(cel.UInt(5)) == "UInt(5)"
    assert {cel.Timestamp(1), cel.Timestamp(ns=1)} == {cel.Timestamp(1)}
    assert cel.Duration(1).ns == 1
    assert cel.Type("int").name == "int"


def test_names_may_hold_dots_and_the_longest_one_wins() -> None:
    assert cel.evaluate("a.b.c", {"a.b.c": 1, "a.b": {"c": 2}, "a": {"b": {"c": 3}}}) == 1
    assert cel.evaluate("a.b.d", {"a.b": {"d": 2}, "a": {"b": {"d": 3}}}) == 2
    assert cel.evaluate("net.IP", {"net": {"IP": 7}}) == 7
    assert cel.evaluate("net.IP") == cel.Type("net.IP")
    assert cel.evaluate("[{'b': 1}].all(a, a.b == 1)", {"a.b": 2}) is True
    with pytest.raises(cel.CelError):
        cel.evaluate("a.b.c", {"a.b.c.d": 1})


def test_a_container_brings_names_near() -> None:
    variables = {"com.example.x": 1, "com.x": 2, "x": 3, "com.y": 4}
    assert cel.evaluate("[x, .x, y]", variables, container="com.example") == [1, 3, 4]
    with pytest.raises(cel.CelError, match="missing"):
        cel.evaluate(".example.x", variables, container="com")


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("1 +", "syntax"),
        ("x", "missing"),
        ("1 / 0", "divide_by_zero"),
        ("[1, 2, 3].map(i, lists.range(900000)).size()", "budget"),
        ("'a' && true", "type_error"),
        ("(" * 100 + "1" + ")" * 100, "syntax"),
    ],
)
def test_an_expression_without_a_value_raises_with_its_code(source: str, code: str) -> None:
    with pytest.raises(cel.CelError) as caught:
        rules.cel.evaluate(source)
    assert caught.value.code == code
    assert str(caught.value)


def test_running_out_of_pythons_stack_is_an_error_of_the_expression() -> None:
    source = "(1 + " * 50 + "1" + ")" * 50
    seen: set[str] = set()

    def deeper() -> None:
        try:
            cel.evaluate(source)
        except cel.CelError as error:
            seen.add(error.code)
            return
        deeper()

    # A thread of its own: measuring of coverage ends in a thread that meets the limit.
    thread = threading.Thread(target=deeper)
    thread.start()
    thread.join()
    assert seen == {"budget"}
    assert cel.evaluate(source) == 51
