"""Bylaw against cel-expr-python on random expressions and contexts: every difference, and the reason for it.

`python -m bench.rules_differential [--pairs 20000] [--seed 0]` needs the engines' own environment
(`make bench-engines`). A difference has a reason when the slow reference, with one of Bylaw's documented
differences from CEL taken away, comes to the oracle's answer. Any other one makes the exit code 1.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from bench.rules import ENGINES_PYTHON, ROOT
from bylaw import rules
from bylaw.core.errors import RuleSyntax
from bylaw.rules import ast, cel
from bylaw.rules.limits import CEL
from bylaw.rules.parse import parse
from tests.reference import rules_values
from tests.reference.rules_evaluator import Walk, settled
from tests.reference.rules_generator import Contexts, Rules, Seeded
from tests.reference.rules_values import Failed, kind

BATCH = 400
Answer = list


class Without(Walk):
    """The reference with some of Bylaw's differences from CEL taken away."""

    reasons: frozenset[str] = frozenset()
    met: set[str]

    def _rounds(self, node: ast.Macro, target: object) -> Iterator[tuple[object, Walk]]:
        if kind(target) == "map":
            self.met.add("maps are walked in the order of their entries")
        return super()._rounds(node, target)

    def _side(self, node: ast.Node, other: ast.Node, operator: str) -> object:
        if "missing compared with null is null" in self.reasons:
            return self.value(node)
        return super()._side(node, other, operator)

    def _binary(self, node: ast.Binary) -> object:
        if "int and double calculate together" in self.reasons and node.operator in "+-*/":
            kinds = {kind(self.value(node.left)), kind(self.value(node.right))}
            if kinds == {"int", "double"}:
                raise Failed("type_error", at=node.offset)
        if (
            node.operator == "%"
            and self.value(node.left) == rules_values.INT_RANGE[0]
            and self.value(node.right) == -1
        ):
            self.met.add("the smallest integer % -1 is 0")
        return super()._binary(node)

    def _call(self, node: ast.Call) -> object:
        membership = (
            node.function == "contains"
            and node.target is not None
            and kind(self.value(node.target)) == "list"
        )
        if "list.contains is membership" in self.reasons and membership:
            raise Failed("type_error", at=node.offset)
        try:
            text = super()._call(node)
            if node.function == "string" and kind(self.value(node.args[0])) == "double":
                self.met.add("string(double) writes the shortest digits without an exponent up to 1e16")
        except Failed as failed:
            if node.function == "int" and kind(self.value(node.args[0])) == "bool":
                self.met.add("int(bool) is an addition of the oracle")
            if failed.code == "range" and node.function.startswith("get"):
                self.met.add("a local time beyond the year 9999 is an error")
            raise
        if "fractions show only the digits they need" in self.reasons and node.function == "string":
            return re.sub(
                r"\.(\d+)(?=[sZ]$)", lambda part: "." + part[1] + "0" * (-len(part[1]) % 3), str(text)
            )
        return text

    def _has(self, node: ast.Has) -> bool:
        path = node.path
        if "has() looks at every step" in self.reasons:
            if not isinstance(path, ast.Select):
                raise Failed("type_error", at=node.offset)
            operand = self.value(path.operand)
            if kind(operand) != "map":
                raise Failed("type_error", at=node.offset)
            return rules_values.entries(operand).find(path.field) is not None
        return super()._has(node)


REASONS = (
    "missing compared with null is null",
    "int and double calculate together",
    "list.contains is membership",
    "has() looks at every step",
    "fractions show only the digits they need",
)


def pairs(count: int, seed: int) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield random expressions, half of them rules, with contexts that the oracle can take."""
    for number in range(count):
        chooser = Seeded(seed * 1_000_003 + number)
        writer = Rules(chooser, extended=False)
        source = (
            writer.rule()
            if number % 2
            else writer.expression(writer.pick(("any", "int", "string", "ints", "double")), 4, {})
        )
        context = Contexts(chooser, wide=False).context()
        if "true: 'y'" not in source:  # the oracle's Python map cannot hold both 1 and true
            # … and it ends strings at NUL.
            yield source.replace("\\u0000", "_"), json.loads(json.dumps(context).replace("\\u0000", "_"))


def ours(source: str, context: dict[str, object]) -> Answer:
    """Return Bylaw's answer."""
    try:
        return tagged(cel.evaluate(source, context))
    except cel.CelError as error:
        return ["error", str(error)]


def verdict(source: str, context: dict[str, object]) -> Answer:
    """Return Bylaw's verdict as an answer; None when the rule is refused."""
    try:
        status = rules.compile(source).evaluate(context).status
    except RuleSyntax as error:
        return ["refused", str(error)]
    return ["error", status] if status == "indeterminate" else ["bool", status == "satisfied"]


def tagged(value: object) -> Answer:  # noqa: PLR0911 - one line per kind
    """Return a value as the oracle's process words it."""
    match kind(value):
        case "null":
            return ["null"]
        case "list":
            return ["list", [tagged(item) for item in value]]  # type: ignore[attr-defined]
        case "map":
            return ["map", sorted(([tagged(key), tagged(item)] for key, item in value.items()), key=repr)]  # type: ignore[attr-defined]
        case "bytes":
            return ["bytes", value.hex()]  # type: ignore[attr-defined]
        case "double":
            return ["double", repr(value)]
        case "timestamp":
            return [
                "timestamp",
                str(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value.ns // 1000)),
            ]  # type: ignore[attr-defined]
        case "duration":
            return ["duration", str(timedelta(microseconds=value.ns // 1000))]  # type: ignore[attr-defined]
        case "type":
            return ["type", value.name]  # type: ignore[attr-defined]
        case name:
            return [name, int(value) if name in ("int", "uint") else value]  # type: ignore[call-overload]


def agree(mine: Answer, theirs: Answer) -> bool:
    """Return whether two answers are one: the same value, or both an error."""
    if mine[0] in ("error", "type") or theirs[0] in ("error", "type"):
        return mine[0] == theirs[0]
    return mine == theirs or _loosely(mine) == _loosely(theirs)


def _loosely(answer: Answer) -> object:
    """Return an answer without what the oracle's Python values cannot carry: kinds of keys, and types."""
    if answer[0] == "list":
        return ["list", [_loosely(item) for item in answer[1]]]
    if answer[0] == "map":
        return ["map", sorted(([str(key[-1]), _loosely(item)] for key, item in answer[1]), key=repr)]
    return ["type"] if answer[0] == "type" else answer


def reference(source: str, context: Mapping[str, object], reasons: Iterable[str]) -> tuple[Answer, set[str]]:
    """Return the reference's answer without those differences, and which others it met on the way."""
    met: set[str] = set()
    walk = type("Walk", (Without,), {"reasons": frozenset(reasons), "met": met})(context)
    try:
        return tagged(settled(walk.value(parse(source, CEL)))), met
    except Failed as failed:
        return ["error", failed.code], met


def reason(source: str, context: dict[str, object], theirs: Answer) -> str:
    """Return why the answers differ, or nothing."""
    if "has() argument must be a field selection" in str(theirs):
        return "has() takes a name or an index too"
    for each in REASONS:
        if agree(reference(source, context, (each,))[0], theirs):
            return each
    answer, met = reference(source, context, REASONS)
    return "several of these at once" if agree(answer, theirs) else ", ".join(sorted(met))


def oracle(batch: list[tuple[str, dict[str, object]]]) -> list[Answer]:
    """Return what a fresh process of the oracle says; when it dies, every pair gets a process of its own."""
    done = subprocess.run(
        [str(ENGINES_PYTHON), "-m", "bench.rules_oracle"],
        input=json.dumps(batch),
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) == len(batch):
        return answers
    if len(batch) == 1:
        return [["crash", done.stderr[-200:]]]
    return [answer for pair in batch for answer in oracle([pair])]


def main() -> int:
    """Compare, print, and return 1 when a difference has no reason."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.rules_differential", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=5, help="examples for each reason")
    options = parser.parse_args()
    if not ENGINES_PYTHON.exists():
        print(f"skipped: {ENGINES_PYTHON} is absent; run `make bench-engines`")
        return 0
    todo = list(pairs(options.pairs, options.seed))
    batches = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        answers = [answer for batch in pool.map(oracle, batches) for answer in batch]
    outcomes: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for (source, context), theirs in zip(todo, answers, strict=True):
        mine, judged = ours(source, context), verdict(source, context)
        outcomes["decided" if mine[0] != "error" else "error"] += 1
        if judged[0] != "refused" and judged[0] != "error" and judged != mine:
            examples.setdefault("rule and value disagree", []).append(f"{source}  {mine} {judged}")
        if theirs[0] == "crash" or agree(mine, theirs):
            outcomes[theirs[0] if theirs[0] == "crash" else "equal"] += 1
            continue
        why = reason(source, context, theirs) or "UNEXPLAINED"
        outcomes[why] += 1
        examples.setdefault(why, []).append(
            f"{source}\n      bylaw {str(mine)[:150]}\n      oracle {str(theirs)[:150]}"
        )
    for outcome, number in outcomes.most_common():
        print(f"{number:>7}  {outcome}")
    for why, found in examples.items():
        print(f"\n{why}")
        for example in sorted(found, key=len)[: options.show]:
            print(f"   {example}")
    return 1 if {"UNEXPLAINED", "rule and value disagree"} & examples.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
