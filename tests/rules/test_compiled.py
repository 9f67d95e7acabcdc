"""Compiled code against the walk over the tree: they never disagree, on official cases and on random ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw import rules
from bylaw.core.errors import RuleSyntax
from bylaw.rules.budget import Budget
from bylaw.rules.interpret import Evaluation
from bylaw.rules.limits import CEL
from bylaw.rules.names import DOTTED_TYPES
from bylaw.rules.parse import parse
from bylaw.rules.program import compile_value, written
from bylaw.rules.runtime import NAMES, UNDECIDED
from bylaw.rules.verdict import Failure
from tests.contracts.cel.cases import load
from tests.contracts.cel.run import same
from tests.reference.rules_generator import Contexts, Rules, Scripted
from tests.shared import REASON, SHARED

WORDS = {
    "and",
    "as",
    "b",
    "bail",
    "c",
    "def",
    "else",
    "except",
    "False",
    "for",
    "given",
    "if",
    "in",
    "is",
    "left",
    "main",
    "n",
    "None",
    "not",
    "or",
    "out",
    "pass",
    "return",
    "satisfied",
    "True",
    "try",
    "undecided",
    "violated",
    "append",
    "ns",
    "s0",
    "scope",
    "types",
    *NAMES,
}


@pytest.mark.skipif(SHARED is None, reason=REASON)
def test_compiled_official_cases_give_the_walked_value_or_leave_it_undecided() -> None:
    assert SHARED is not None
    compared = 0
    for case in load(SHARED / "data" / "cel-spec"):
        if case.left_out:
            continue
        try:
            node = parse(case.expr, CEL, names=DOTTED_TYPES)
        except RuleSyntax:
            continue
        context = dict(case.bindings)
        try:
            got = compile_value(node, types=True)(context, Budget(CEL.steps))
        except UNDECIDED:
            continue
        walked = Evaluation(context=context, budget=Budget(CEL.steps), types=True).value(node)
        assert same(got, walked), case.name
        compared += 1
    assert compared > 1_000


@pytest.mark.parametrize("source", ["x.matches(y)", "'a'.matches(y)", "f(x)", "M{a: 1}"])
def test_what_only_plain_cel_allows_is_compiled_all_the_same(source: str) -> None:
    context: dict[str, object] = {"x": "abc", "y": "b"}
    node = parse(source)
    try:
        walked: object = Evaluation(context=context, budget=Budget(), types=True).value(node)
    except Failure as failure:
        walked = failure.code
    try:
        got: object = compile_value(node, types=True)(context, Budget())
    except Failure as failure:
        got = failure.code
    assert got == walked


def test_a_bad_pattern_fails_when_it_is_reached() -> None:
    run = compile_value(parse("x || 'a'.matches('(')"), types=True)
    assert run({"x": True}, Budget()) is True
    with pytest.raises(Failure, match="RE2"):
        run({"x": False}, Budget())


@given(st.binary(min_size=40, max_size=400), st.binary(min_size=40, max_size=400))
def test_compiled_and_walked_rules_agree(script: bytes, facts: bytes) -> None:
    source = Rules(Scripted(script)).rule()
    context = Contexts(Scripted(facts)).context()
    try:
        rule = rules.compile(source)
    except RuleSyntax:
        return
    try:
        walked = Evaluation(context=context, budget=Budget(), types=rule.types).value(rule.node)
        means = {True: ("satisfied", ""), False: ("violated", ""), None: ("indeterminate", "null_value")}
        plain = walked is None or isinstance(walked, bool)
        expected = means[walked] if plain else ("indeterminate", "not_boolean")
    except Failure as failure:
        expected = ("indeterminate", failure.code)
    verdict = rule.evaluate(context)
    assert (verdict.status, verdict.code or "") == expected


@pytest.mark.parametrize(
    "source",
    [
        "user_text.inner_text < 5 && 'other text' in user_text",
        "x_y.all(loop_name, loop_name.field_name == 'inner text')",
        "x.y.z == null || has(x.y.z) || x in ['a', 'b'] || x in [1, 2.5]",
        "x.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p + 1 - 2 == y[0] ? [x] == y : -x < y['key text']",
        "x.exists(i, j, i < j) && x.exists_one(k, k == 1) && x.map(m, m > 1, m).filter(o, o != 2).size() > 1",
        "timestamp(x) > timestamp(y) && x.matches('user.text') && x.startsWith('user') && x.contains('text')",
        "cel.bind(bound, x, bound.?field.hasValue()) && {'a': x}.a == 1 && y[x] == null",
    ],
)
def test_emitted_source_holds_only_words_of_the_compiler(source: str) -> None:
    text, _ = written(parse(source), types=False, decides=True)
    words = {
        word
        for word in text.replace(".", " ").translate(str.maketrans("()[]{},:=<>+-*&'\n", " " * 17)).split()
        if not word.isdigit() and not (word[0] in "kftxs" and word[1:].isdigit()) and word != "|"
    }
    assert words <= WORDS


def test_deep_code_becomes_functions_so_that_pythons_compiler_never_nests_deep() -> None:
    source = "a" + ".b" * 80 + " == 1 || " + "!" * 90 + "c"
    text, _ = written(parse(source), types=False, decides=True)
    deepest = max(_depth(line) for line in text.splitlines())
    assert deepest < 40
    context: object = {"b": 1}
    for _ in range(79):
        context = {"b": context}
    assert rules.compile(source).evaluate({"a": context, "c": False}).status == "satisfied"


def _depth(line: str) -> int:
    depth = deepest = 0
    for letter in line:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    return deepest
