"""Awkward and hostile input ends in a refusal at save or in a verdict, within bounded steps and memory."""

import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from bylaw import rules
from bylaw.core.errors import RuleSyntax
from bylaw.rules.limits import RULE
from tests.rules.hostile import BUDGET, HOSTILE, REFUSED, Context, Hostile, nested

ROOT = Path(__file__).resolve().parents[2]
MEMORY_LIMIT_BYTES = 32 * 2**20
FEW_STEPS, FEW_BYTES = 1_000, 256 * 1_024


def ending(rule: str, context: Context) -> str:
    """Return how a rule ends: `refused`, its status, or the code of its indeterminacy."""
    try:
        compiled = rules.compile(rule)
    except RuleSyntax:
        return REFUSED
    verdict = compiled.evaluate(context)
    return verdict.code or verdict.status


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_hostile_input_ends_as_documented_in_bounded_memory(hostile: Hostile) -> None:
    context = hostile.context()
    tracemalloc.start()
    try:
        assert ending(hostile.rule, context) in hostile.ends
        assert tracemalloc.get_traced_memory()[1] < MEMORY_LIMIT_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("hostile", [each for each in HOSTILE if each.spends], ids=lambda each: each.name)
def test_large_values_have_a_price(hostile: Hostile) -> None:
    budget = rules.Budget()
    rules.compile(hostile.rule).evaluate(hostile.context(), budget)
    assert RULE.steps - budget.left >= hostile.spends


@pytest.mark.parametrize("hostile", [each for each in HOSTILE if each.spends], ids=lambda each: each.name)
def test_large_values_are_paid_for_before_they_are_touched(hostile: Hostile) -> None:
    """Who cannot pay gets nothing done: no copy, no list, no wrapped key."""
    rule, context = rules.compile(hostile.rule), hostile.context()
    budget = rules.Budget(FEW_STEPS)
    tracemalloc.start()
    try:
        assert rule.evaluate(context, budget).code == BUDGET
        assert tracemalloc.get_traced_memory()[1] < FEW_BYTES
    finally:
        tracemalloc.stop()


GROWING: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: "(" * n + "b" + ")" * n,
    "lists": lambda n: "[" * n + "1" + "]" * n + " == x",
    "maps": lambda n: "{'a': " * n + "1" + "}" * n + " == x",
    "calls": lambda n: "string(" * n + "x" + ")" * n + " == ''",
    "negations": lambda n: "!" * n + "b",
    "minus signs": lambda n: "-" * n + "x == 1",
    "sums": lambda n: " + ".join(["x"] * n) + " > 0",
    "sums to the right": lambda n: "x + (" * n + "x" + ")" * n + " > 0",
    "conditionals": lambda n: "b ? b : " * n + "b",
    "conditions": lambda n: "(b ? b : b) ? b : (" * n + "b" + ")" * n,
    "chains": lambda n: " && ".join(["b || x == 1"] * n),
    "chains in chains": lambda n: "b && (b || (" * n + "b" + "))" * n,
    "comparisons": lambda n: "(x == 1) == (" * n + "b" + ")" * n,
    "fields": lambda n: "m" + ".m" * n + " == 1",
    "indexes": lambda n: "l" + "[0]" * n + " == 1",
    "indexes of indexes": lambda n: "l[" * n + "0" + "]" * n + " == 1",
    "loops": lambda n: "l.all(i, " * n + "b" + ")" * n,
    "loops in a row": lambda n: "l" + ".map(i, i)" * n + " == l",
    "binds": lambda n: "cel.bind(v, b, " * n + "v" + ")" * n,
    "methods": lambda n: "t" + ".trim()" * n + " == t",
    "optionals": lambda n: "m" + ".?m" * n + ".orValue(1) == 1",
    "presence": lambda n: "has(m" + ".m" * n + ".m)",
}


def largest(growing: str) -> rules.Rule:
    """Return the largest rule of a shape that is accepted."""
    low, high = 1, 4_096
    while high - low > 1:
        middle = (low + high) // 2
        if ending(GROWING[growing](middle), {}) == REFUSED:
            high = middle
        else:
            low = middle
    return rules.compile(GROWING[growing](low))


LARGE_CONTEXT: Context = {"x": 1, "b": True, "t": " t ", "l": [[0], [1]], "m": nested(3)}


@pytest.mark.parametrize("growing", GROWING)
def test_the_largest_rule_of_a_shape_is_decided(growing: str) -> None:
    verdict = largest(growing).evaluate(LARGE_CONTEXT)
    assert verdict.code not in ("budget", "unknown_function")


@pytest.mark.slow
@pytest.mark.parametrize("stack_bytes", [64 * 1024, 256 * 1024])
def test_hostile_input_ends_as_documented_on_a_small_stack(stack_bytes: int) -> None:
    """A stack overflow ends the process, so this one runs in a process of its own."""
    script = (
        "import json, sys, threading\n"
        "from tests.rules.hostile import HOSTILE\n"
        "from tests.rules.test_hostile import GROWING, LARGE_CONTEXT, ending, largest\n"
        "wrong = []\n"
        "def run():\n"
        "    for hostile in HOSTILE:\n"
        "        try:\n"
        "            ended = ending(hostile.rule, hostile.context())\n"
        "        except BaseException as error:\n"
        "            ended = repr(error)\n"
        "        if ended not in hostile.ends:\n"
        "            wrong.append([hostile.name, ended])\n"
        "    for growing in GROWING:\n"
        "        try:\n"
        "            rule = largest(growing)\n"
        "            rule.evaluate(LARGE_CONTEXT), rule.explain(LARGE_CONTEXT)\n"
        "        except BaseException as error:\n"
        "            wrong.append([growing, repr(error)])\n"
        "threading.stack_size(int(sys.argv[1]))\n"
        "thread = threading.Thread(target=run)\n"
        "thread.start()\n"
        "thread.join()\n"
        "print(json.dumps(wrong))\n"
    )
    assert json.loads(_limited(script, str(stack_bytes))) == []


def _limited(script: str, *arguments: str) -> str:
    """Return what `script` prints when it may take 2 GB of addresses and no more."""
    gigabytes = 2 * 2**30
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (gigabytes, gigabytes)),
    )
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


def test_every_thread_has_its_own_budget() -> None:
    rule = rules.compile("l.all(a, l.all(b, a + b >= 0))")
    endings: list[str] = []
    contexts = [{"l": list(range(60))}, {"l": list(range(5_000))}] * 2

    def decide(context: Context) -> None:
        endings.append(rule.evaluate(context).code or rule.evaluate(context).status)

    threads = [threading.Thread(target=decide, args=(context,)) for context in contexts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(endings) == [BUDGET, BUDGET, "satisfied", "satisfied"]


def test_the_rules_of_one_decision_can_share_a_budget() -> None:
    rule = rules.compile("l.all(a, l.all(b, a + b >= 0))")
    context: Context = {"l": list(range(60))}
    budget = rules.Budget()
    endings = [rule.evaluate(context, budget).code for _ in range(30)]
    assert endings[0] == ""
    assert endings[-1] == BUDGET
    assert endings == sorted(endings)


def test_a_hostile_rule_leaves_the_recursion_limit_alone() -> None:
    before = sys.getrecursionlimit()
    assert ending("x == y", {"x": nested(30_000), "y": nested(30_000)}) in (BUDGET, "satisfied")
    assert sys.getrecursionlimit() == before


def test_a_rule_near_a_full_stack_still_ends_in_a_verdict() -> None:
    """Whoever calls from deep inside other code gets the answer or a RecursionError, never a wrong answer."""
    rule = rules.compile("x.all(i, i.a.b.c == 1 && (i.d ? true : i.a.b.d < 2)) || !has(x[0].a)")
    context = {"x": [{"a": {"b": {"c": 1, "d": 1}}, "d": False}]}
    seen: set[str] = set()

    def descend() -> None:
        with contextlib.suppress(RecursionError):
            descend()
        if len(seen) < 3:
            try:
                verdict = rule.evaluate(context)
            except RecursionError:
                return
            seen.add(verdict.code or verdict.status)

    descend()
    assert seen <= {"satisfied", BUDGET}
    assert "satisfied" in seen


@pytest.mark.parametrize("seed", range(20))
def test_random_brackets_are_refused_or_compiled_quickly(seed: int) -> None:
    choose = random.Random(seed)
    for _ in range(150):
        length = choose.randint(1, 160)
        text = "".join(choose.choice("!!((()[]{}?:.,+-*/%<>=&|'\"`a1 \\\n") for _ in range(length))
        ending(text, {"a": [1, {"a": 2}]})


AWKWARD: list[tuple[str, Context, str]] = [
    # a missing place is never true and never false, unless the rule asks for null or the rest decides
    ("x < 5", {"y": 1}, "missing"),
    ("m.x < 5", {"m": {"y": 1}}, "missing"),
    ("m.x != 'bad'", {"m": {"y": 1}}, "missing"),
    ("x < 5 || true", {"y": 1}, "satisfied"),
    ("true || x < 5", {"y": 1}, "satisfied"),
    ("x < 5 && false", {"y": 1}, "violated"),
    ("x < 5 && true", {"y": 1}, "missing"),
    ("has(m.x) && m.x < 5", {"m": {"y": 1}}, "violated"),
    ("has(m.x.y.z)", {"m": {}}, "violated"),
    ("has(x)", {}, "violated"),
    ("m.x == null", {"m": {}}, "satisfied"),
    ("m.x != null", {}, "violated"),
    ("null == m.x", {}, "satisfied"),
    ("x == y", {"y": None}, "missing"),
    # null is a value, but not one to calculate with
    ("x < 5", {"x": None}, "null_value"),
    ("x == null", {"x": None}, "satisfied"),
    ("x != null", {"x": 5}, "satisfied"),
    ("x", {"x": None}, "null_value"),
    ("x.y == 1", {"x": None}, "null_value"),
    # numbers
    ("x == 5", {"x": 5.0}, "satisfied"),
    ("x < 5", {"x": 4.5}, "satisfied"),
    ("x + 1 > 5", {"x": 5.5}, "satisfied"),
    ("x < 5", {"x": "4"}, "type_error"),
    ("x == 4", {"x": "4"}, "violated"),
    ("x == 1", {"x": True}, "violated"),
    ("x < 5", {"x": True}, "type_error"),
    ("x + 1 == 2", {"x": True}, "type_error"),
    ("x in [1]", {"x": True}, "violated"),
    ("x == {'a': 1}", {"x": {"a": True}}, "violated"),
    ("x == [0]", {"x": [False]}, "violated"),
    ("x > 5", {"x": 2**70}, "satisfied"),
    ("m.y == 1", {"m": {"x": 2**70, "y": 1}}, "satisfied"),
    ("x == 9007199254740992", {"x": 2**53 + 1}, "violated"),
    ("x == 9007199254740993.0", {"x": 2**53 + 1}, "violated"),
    ("x == 9223372036854775807", {"x": 2.0**63}, "violated"),
    ("x + 1 > 0", {"x": 2**63 - 1}, "range"),
    ("-x > 0", {"x": -(2**63)}, "range"),
    ("x / y == 0", {"x": 1, "y": 0}, "divide_by_zero"),
    ("x % y == 0", {"x": 1, "y": 0}, "divide_by_zero"),
    ("x / y > 0.0", {"x": 1.0, "y": 0.0}, "satisfied"),
    ("x / -2 == -3 && x % -2 == 1", {"x": 7}, "satisfied"),
    # text
    ("x && true", {"x": "abc"}, "type_error"),
    ("x || true", {"x": "abc"}, "satisfied"),
    ("x ? true : false", {"x": 1}, "type_error"),
    ("x", {"x": "abc"}, "not_boolean"),
    ("x", {"x": 1}, "not_boolean"),
    ("size(x) == 6", {"x": "héllo😀"}, "satisfied"),
    ("x == 'é'", {"x": "e\u0301"}, "violated"),
    ("x < 'b'", {"x": "a😀"}, "satisfied"),
    # lists
    ("x.contains('a')", {"x": ["a", "b"]}, "satisfied"),
    ("x.contains('a')", {"x": "abc"}, "satisfied"),
    ("x.contains('c')", {}, "missing"),
    ("x.contains(1.0)", {"x": [1]}, "satisfied"),
    ("'a' in x", {"x": ["a"]}, "satisfied"),
    ("'a' in x", {"x": "a"}, "type_error"),
    ("'a' in x", {"x": None}, "null_value"),
    ("x.exists(i, 1 / i > 0)", {"x": [0, 1]}, "satisfied"),
    ("x.exists(i, 1 / i > 0)", {"x": [0, 2]}, "divide_by_zero"),
    ("x.all(i, 1 / i > 0)", {"x": [0, 2]}, "violated"),
    ("x.all(i, i.a > 0)", {"x": [{"a": 1}, {}]}, "missing"),
    ("x.all(i, i > 0)", {"x": []}, "satisfied"),
    ("x.exists_one(i, 1 / i > 0)", {"x": [0, 1]}, "divide_by_zero"),
    ("x.all(i, true)", {"x": None}, "null_value"),
    ("x.all(i, true)", {"x": "abc"}, "type_error"),
    # time
    ("timestamp(x) < timestamp('2027-01-01T00:00:00Z')", {"x": "2026-01-01T00:00:00Z"}, "satisfied"),
    ("timestamp(x) < timestamp('2027-01-01T00:00:00Z')", {"x": "2026-02-30T00:00:00Z"}, "invalid_argument"),
    ("timestamp(x) == timestamp(0)", {"x": "1970-01-01T01:00:00+01:00"}, "satisfied"),
    ("duration(x) == duration('90m')", {"x": "1h30m"}, "satisfied"),
]


@pytest.mark.parametrize(("rule", "context", "ends"), AWKWARD)
def test_awkward_values_have_one_documented_meaning(rule: str, context: Context, ends: str) -> None:
    assert ending(rule, context) == ends


@pytest.mark.parametrize(
    "rule",
    [
        "nope(x)",
        "a == 'x' &&\n b <",
        "1 < 'a'",
        "x.append(9)",
        "1 < x < 5",
        "x = 5",
        "x.y(1)",
        "",
        " ",
        "x and y",
        "x y",
    ],
)
def test_what_cannot_be_a_rule_is_refused_when_saved(rule: str) -> None:
    with pytest.raises(RuleSyntax) as refusal:
        rules.compile(rule)
    assert refusal.value.line >= 1
    assert refusal.value.column >= 1
    assert "^" in refusal.value.caret


def test_a_missing_place_is_named_with_its_position() -> None:
    verdict = rules.compile("true &&\n  m.x.y < 5").evaluate({"m": {"x": {}}})
    assert (verdict.code, verdict.path, verdict.position.line, verdict.position.column) == (
        "missing",
        "m.x.y",
        2,
        7,
    )


def test_evaluating_leaves_the_context_as_it_was() -> None:
    context: Context = {"l": [3, 1, 2], "m": {"a": {"b": [1]}}, "s": "x"}
    before = json.dumps(context)
    for rule in (
        "l.sort()[0] == 1",
        "l.reverse() == [2, 1, 3]",
        "(l + l).distinct() == l",
        "m.transformMap(k, v, 1) == {'a': 1}",
        "cel.bind(x, m, x.a.b + [2] == [1, 2])",
        "l.map(i, i + 1).filter(i, i > 1) == [4, 2, 3]",
    ):
        assert ending(rule, context) == "satisfied", rule
    assert json.dumps(context) == before
