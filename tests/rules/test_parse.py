"""Reading: what the grammar accepts, what a refusal says, and where nodes say they are."""

from collections.abc import Callable

import pytest

from bylaw import rules
from bylaw.core.errors import RuleSyntax
from bylaw.rules import ast
from bylaw.rules.limits import CEL, RULE, Limits
from bylaw.rules.parse import parse
from bylaw.rules.values import UInt


def refused(source: str, limits: Limits = RULE) -> RuleSyntax:
    with pytest.raises(RuleSyntax) as caught:
        parse(source, limits)
    return caught.value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1", 1),
        ("-1", -1),
        ("0x1F", 31),
        ("-0x1f", -31),
        ("7u", UInt(7)),
        ("0xFFU", UInt(255)),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551615u", UInt(2**64 - 1)),
        ("true", True),
        ("null", None),
        ("'a'", "a"),
        ('"a\'b"', "a'b"),
        ("'''a\n'b'''", "a\n'b"),
        (r"r'\n'", r"\n"),
        (r"'\n\x41\101\u00e9\U0001F600\`\?'", "\nAAé😀`?"),
        (r"b'\xff\377é'", b"\xff\xff\xc3\xa9"),
        (r"bR'\x'", rb"\x"),
        (r"Br'\x'", rb"\x"),
        (r"b'abc'", b"abc"),
    ],
)
def test_a_literal_has_its_value_and_its_type(source: str, value: object) -> None:
    node = parse(source)
    assert isinstance(node, ast.Literal)
    assert node.value == value
    assert type(node.value) is type(value)
    assert (node.start, node.end) == (0, len(source))


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        ("", "the rule is empty", 1),
        ("  // nothing", "the rule is empty", 1),
        ("amount = 5000", "unexpected character '='", 8),
        ("1 <", "the rule ends too early", 4),
        ("a and b", "unexpected 'and'", 3),
        ("(a", "the rule ends too early: expected ')'", 3),
        ("a)", "unexpected ')'", 2),
        ("f(a,)", "expected another argument", 5),
        ("a.true", "expected a field name", 3),
        ("a.", "the rule ends too early: expected a field name", 3),
        (".1a", "a number is followed directly by a letter", 3),
        ("1a", "a number is followed directly by a letter", 2),
        ("9223372036854775808", "beyond 64 bits", 1),
        ("18446744073709551616u", "beyond 64 bits", 1),
        ("1" * 5000, "longer than 4096 characters", 4097),
        ("1" * 4000, "beyond 64 bits", 1),
        ("'abc", "not closed", 1),
        ("'a\nb'", "not closed", 1),
        ("'''a", "not closed", 1),
        (r"'\q'", "unknown escape", 2),
        (r"'\u12'", "needs more digits", 2),
        (r"'\08'", "needs more digits", 2),
        (r"'\ud800'", "not a Unicode character", 2),
        (r"'\U00110000'", "not a Unicode character", 2),
        (r"b'\u0041'", "unknown escape", 3),
        ("'\ud800'", "half of a surrogate pair", 2),
        ("a.``", "quoted field name", 3),
        ("`a`", "expected a value", 1),
        ("for == 1", "'for' is a reserved word", 1),
        (".", "expected a name", 2),
        ("{1}", "expected ':'", 3),
        ("has(1)", "takes a field path", 5),
        ("x.all(1, true)", "a plain name", 7),
        ("x.all(.a, true)", "a plain name", 7),
        ("x.all(i, i, true)", "need two names", 10),
        ("cel.bind(1, 2, 3)", "a plain name", 10),
        ("cel.other(1)", "cel.other", 5),
        ("M{1: 2}", "expected a field name", 3),
        ("a ?? b", "expected a value", 4),
        ("a\x00b", "unexpected character", 2),
        ("“a”", "unexpected character", 1),
    ],
)
def test_a_refusal_names_the_reason_and_the_column(source: str, message: str, column: int) -> None:
    refusal = refused(source)
    assert message in refusal.message
    assert (refusal.line, refusal.column) == (1, column) or "\n" in source


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("a = 1", "compare with =="),
        ("a =< 1", "compare with <="),
        ("a => 1", "compare with >="),
        ("a <== 1", "compare with <="),
        ("a !== 1", "compare with !="),
        ("a === 1", "compare with =="),
        ("a & b", "write && for and"),
        ("a and b", "write &&"),
        ("not a", "write !"),
        ("a or b", "write ||"),
        ("“a”", "use a straight quote"),
        (r"'\d'", "write \\\\ for a backslash"),
    ],
)
def test_a_refusal_hints_at_the_fix(source: str, hint: str) -> None:
    assert refused(source).hint == hint


def test_the_caret_stands_under_the_place_also_in_long_and_later_lines() -> None:
    refusal = refused("a == 1 &&\n  b = 2")
    assert (refusal.line, refusal.column) == (2, 5)
    assert refusal.caret == "  b = 2\n    ^"
    far = refused("a" * 300 + " = 1" + " " * 300)
    text, mark = far.caret.split("\n")
    assert text.startswith("…")
    assert text.endswith("…")
    assert text[len(mark) - 1] == "="


@pytest.mark.parametrize(
    ("source", "limits"),
    [
        ("(" * 41 + "a" + ")" * 41, RULE),
        ("[" * 5000 + "]" * 5000, CEL),
        ("-" * 500 + "a", RULE),
        ("a" + ".b" * 450, RULE),
        (" + ".join(["a"] * 150), RULE),
        ("+".join(["1"] * 5000), CEL),
        ("a.all(b, b.all(c, c.all(d, d.all(e, e.all(f, f)))))", RULE),
    ],
)
def test_every_size_is_bounded(source: str, limits: Limits) -> None:
    assert refused(source, limits)


EDGES: dict[str, tuple[Callable[[int], str], int, str]] = {
    "characters": (lambda n: "a" + " " * (n - 1), RULE.source, "longer than 4096"),
    "parts": (lambda n: f"[{', '.join(['a'] * (n - 1))}]", RULE.nodes, "more than 400 parts"),
    "parentheses": (lambda n: "(" * n + "a" + ")" * n, RULE.depth, "nested deeper than 40"),
    "lists": (lambda n: "[" * n + "]" * n, RULE.depth + 1, "nested deeper than 40"),
    "calls": (lambda n: "f(" * n + "a" + ")" * n, RULE.depth, "nested deeper than 40"),
    "indexes": (lambda n: "a[" * n + "0" + "]" * n, RULE.depth, "nested deeper than 40"),
    "terms": (lambda n: " + ".join(["a"] * n), RULE.height, "nested deeper than 100"),
    "fields": (lambda n: "a" + ".b" * (n - 1), RULE.height, "nested deeper than 100"),
    "loops": (lambda n: "a.all(i, " * n + "i" + ")" * n, RULE.comprehensions, "more than 4 loops"),
    "loops over loops": (lambda n: "a" + ".map(i, i)" * (n - 1), RULE.height, "nested deeper than 100"),
    "optionals": (lambda n: "a" + ".optMap(i, i)" * (n - 1), RULE.height, "nested deeper than 100"),
}


@pytest.mark.parametrize("name", EDGES)
def test_a_limit_is_the_largest_size_that_is_accepted(name: str) -> None:
    source, most, message = EDGES[name]
    parse(source(most))
    assert message in refused(source(most + 1)).message


def test_a_pattern_may_have_five_hundred_characters() -> None:
    rules.compile(f"s.matches('{'a' * RULE.pattern}')")
    with pytest.raises(RuleSyntax, match="at most 500 characters"):
        rules.compile(f"s.matches('{'a' * (RULE.pattern + 1)}')")


def test_chains_of_and_and_or_do_not_nest() -> None:
    parse(" && ".join(["a"] * 190))


def test_operators_bind_as_in_cel() -> None:
    tree = parse("a || b && c == d + e * -f.g[0] ? 1 : 2")
    assert isinstance(tree, ast.Conditional)
    assert isinstance(tree.test, ast.Logic)
    both = tree.test.operands[1]
    assert isinstance(both, ast.Logic)
    relation = both.operands[1]
    assert isinstance(relation, ast.Binary)
    assert isinstance(relation.right, ast.Binary)
    assert (relation.operator, relation.right.operator) == ("==", "+")
    left = parse("10 - 3 - 2")
    assert isinstance(left, ast.Binary)
    assert isinstance(left.left, ast.Binary)


def test_offsets_point_at_operators_and_spans_hold_brackets() -> None:
    source = "!(a.b[0] < 5) || f(x)"
    logic = parse(source)
    assert isinstance(logic, ast.Logic)
    assert source[logic.offset :].startswith("||")
    negation = logic.operands[0]
    assert isinstance(negation, ast.Unary)
    assert source[negation.start : negation.end] == "!(a.b[0] < 5)"
    less = negation.operand
    assert isinstance(less, ast.Binary)
    assert source[less.start : less.end] == "a.b[0] < 5"
    assert source[less.offset] == "<"
    assert isinstance(less.left, ast.Index)
    assert source[less.left.offset] == "["
    assert isinstance(less.left.operand, ast.Select)
    assert source[less.left.operand.offset] == "b"
    call = logic.operands[1]
    assert isinstance(call, ast.Call)
    assert source[call.offset] == "f"


def test_optional_syntax_and_qualified_names_are_read() -> None:
    select = parse("a.?b")
    assert isinstance(select, ast.Select)
    assert select.optional
    index = parse("a[?0]")
    assert isinstance(index, ast.Index)
    assert index.optional
    items = parse("[?a, b]")
    assert isinstance(items, ast.ListOf)
    assert [item.optional for item in items.items] == [True, False]
    entries = parse("{?'a': b, 'c': d,}")
    assert isinstance(entries, ast.MapOf)
    assert [entry.optional for entry in entries.entries] == [True, False]
    call = parse("math.greatest(1, 2)")
    assert isinstance(call, ast.Call)
    assert (call.function, call.target) == ("math.greatest", None)
    name = parse(".a")
    assert isinstance(name, ast.Name)
    assert name.absolute


def test_a_dotted_name_is_one_name_when_asked_for_the_longest_first() -> None:
    name = parse("a.b.c", names=frozenset({"a.b", "a.b.c"}))
    assert isinstance(name, ast.Name)
    assert name.name == "a.b.c"
    rest = parse(".a.b.d", names=frozenset({"a.b"}))
    assert isinstance(rest, ast.Select)
    assert isinstance(rest.operand, ast.Name)
    assert rest.operand.absolute


def test_macros_are_nodes_of_their_own() -> None:
    macro = parse("x.exists_one(i, i > 1)")
    assert isinstance(macro, ast.Macro)
    assert (macro.name, macro.variables) == ("existsOne", ("i",))
    assert isinstance(parse("has(a.b)"), ast.Has)
    assert isinstance(parse("exists(a)"), ast.Has)
    bind = parse("cel.block([1, cel.index(0)], cel.index(1))")
    assert isinstance(bind, ast.Bind)
    assert (bind.variable, isinstance(bind.body, ast.Bind)) == ("@index0", True)
    assert isinstance(parse("cel.iterVar(0, 1)"), ast.Name)
    assert isinstance(parse("Type{a: 1, ?b: 2}"), ast.Message)
    assert isinstance(parse("some.Type{}"), ast.Message)
    assert isinstance(parse("x.all(i)"), ast.Call)


def test_every_node_is_reached_once() -> None:
    tree = parse("a.b[0] + -c == {d: [e]}.f ? has(g.h) && x.all(i, i) : cel.bind(j, k, f(j).m(l))")
    names = [node.name for node in ast.descendants(tree) if isinstance(node, ast.Name)]
    assert names == ["a", "c", "d", "e", "g", "x", "i", "k", "j", "l"]
