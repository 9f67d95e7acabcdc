"""One adapter per rule engine, and the child process that measures one of them.

`python -m bench.rules_engines ENGINE` prints one JSON line: figures, `{"absent": reason}` when the engine
does not import, or `{"wrong": rules}`. An adapter compiles rules ahead of time and answers a whole policy the
fastest way that its own API offers; only one that decides every variant as the reference does is timed.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from bench import rules_workload as workload
from bench.rules_workload import Context

Decide = Callable[[Context], list[bool]]


class Engine(Protocol):
    """A rule engine: its rules in its dialect, one rule compiled, and a whole policy as one function."""

    rules: Mapping[str, object]

    def compile(self, source: object) -> object:
        """Return one compiled rule."""

    def policy(self, sources: Mapping[str, object]) -> Decide:
        """Return the function that decides all rules about one context, in order."""


class Python:
    """Hand-written lambdas: the floor."""

    rules = workload.PYTHON

    def compile(self, source):
        return source

    def policy(self, sources):
        functions = list(sources.values())
        return lambda context: [function(context) for function in functions]


class Bylaw:
    """The product, through its public door."""

    rules = workload.CEL

    def __init__(self):
        from bylaw import rules

        self.door = rules

    def compile(self, source):
        return self.door.compile(source)

    def policy(self, sources):
        rules = [self.compile(source) for source in sources.values()]
        return lambda context: [rule.evaluate(context).status == "satisfied" for rule in rules]


class CelExpr:
    """Google's C++ runtime; one activation for all rules."""

    rules = workload.CEL

    def __init__(self):
        from cel_expr_python import cel

        self.environment = cel.NewEnv(variables=dict.fromkeys(workload.CONTEXT, cel.Type.DYN))
        self.truth = cel.Type.BOOL

    def compile(self, source):
        return self.environment.compile(source)

    def policy(self, sources):
        programs = [self.compile(source) for source in sources.values()]
        activation, truth = self.environment.Activation, self.truth

        def decide(context):
            facts = activation(context)
            values = [program.eval(facts) for program in programs]
            return [value.type() == truth and value.value() is True for value in values]

        return decide


class CelRust:
    """The Rust crate's binding; one context for all rules."""

    rules = workload.CEL

    def __init__(self):
        import cel

        self.cel = cel

    def compile(self, source):
        return self.cel.compile(source)

    def policy(self, sources):
        programs = [self.compile(source) for source in sources.values()]

        def decide(context):
            facts = self.cel.Context(context)
            return [program.execute(facts) for program in programs]

        return decide


class CelRustLazy(CelRust):
    """The same with a resolver that converts a variable when a rule asks for it."""

    def policy(self, sources):
        programs = [self.compile(source) for source in sources.values()]

        def decide(context):
            facts = self.cel.Context()
            facts.set_variable_resolver(context.get)
            return [program.execute(facts) for program in programs]

        return decide


class Cedar:
    """One policy set, one request: permit all, forbid unless each rule holds."""

    rules = workload.CEDAR
    instants = ("until", "at", "checked_at")

    def __init__(self):
        import cedarpy

        self.cedar = cedarpy
        self.entities = cedarpy.Entities.from_json_str("[]")
        self.request = {"principal": 'Agent::"a"', "action": 'Action::"book"', "resource": 'Booking::"b"'}

    def compile(self, source):
        return self.cedar.PolicySet.from_str(f"permit(principal, action, resource) when {{ {source} }};")

    def facts(self, value, key=""):
        if isinstance(value, float) or key == "total":
            return {"__extn": {"fn": "decimal", "arg": f"{value:.4f}"}}
        if isinstance(value, dict):
            return {name: self.facts(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.facts(inner) for inner in value]
        return {"__extn": {"fn": "datetime", "arg": value}} if key in self.instants else value

    def policy(self, sources):
        texts = [
            f'@id("{name}") forbid(principal, action, resource) unless {{ {source} }};'
            for name, source in sources.items()
        ]
        policies = self.cedar.PolicySet.from_str("permit(principal, action, resource);\n" + "\n".join(texts))

        def decide(context):
            request = {**self.request, "context": json.dumps(self.facts(context))}
            answer = self.cedar.is_authorized(request, policies, self.entities)
            broken = set(answer.diagnostics.id_annotations_by_reason.values())
            return [name not in broken for name in sources]

        return decide


class Rego:
    """rego-cpp: one compiled bundle whose `deny` set names the rules that do not hold."""

    rules = workload.REGO

    def __init__(self):
        import regopy

        self.rego = regopy

    def bundle(self, sources):
        module = ["package bench", "import rego.v1"]
        for name, bodies in sources.items():
            module.append(f'deny contains "{name}" if not {name}')
            module += [
                f"{name} if {{ {body} }}" for body in ([bodies] if isinstance(bodies, str) else bodies)
            ]
        interpreter = self.rego.Interpreter()
        interpreter.add_module("bench", "\n".join(module) + "\n")
        return interpreter.build(None, ["bench/deny"])

    def compile(self, source):
        return self.bundle({"only": source})

    def policy(self, sources):
        bundle, interpreter = self.bundle(sources), self.rego.Interpreter()

        def decide(context):
            interpreter.set_input(self.rego.Input(context))
            answer = str(interpreter.query_bundle_entrypoint(bundle, "bench/deny"))
            return [f'"{name}"' not in answer for name in sources]

        return decide


class SimpleEval:
    """Python expressions walked by simpleeval; the nearest thing to `eval` that people dare to use."""

    rules = workload.SIMPLEEVAL

    def __init__(self):
        import re
        from datetime import datetime

        from simpleeval import EvalWithCompoundTypes

        functions = {
            "len": len,
            "all": all,
            "any": any,
            "moment": datetime.fromisoformat,
            "matches": lambda text, pattern: re.search(pattern, text) is not None,
        }
        self.evaluator = EvalWithCompoundTypes(functions=functions, names={})

    def compile(self, source):
        return source, self.evaluator.parse(source)

    def policy(self, sources):
        parsed = [self.compile(source) for source in sources.values()]
        evaluator = self.evaluator

        def decide(context):
            evaluator.names = {**context, "True": True, "False": False, "None": None}
            return [evaluator.eval(source, previously_parsed=tree) for source, tree in parsed]

        return decide


ENGINES: dict[str, type] = {
    "python lambdas": Python,
    "bylaw": Bylaw,
    "cel-expr-python": CelExpr,
    "common-expression-language": CelRust,
    "common-expression-language, lazy": CelRustLazy,
    "cedarpy": Cedar,
    "regopy": Rego,
    "simpleeval": SimpleEval,
}


def seconds(*calls: Callable[[], object], batch_s: float = 0.03, batches: int = 7) -> list[float]:
    """Return the median time of one call of each, in batches taken in turn so that noise meets all alike."""
    counts = [_count(call, batch_s) for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(batches):
        for call, count, mine in zip(calls, counts, times, strict=True):
            began = time.perf_counter()
            for _ in range(count):
                call()
            mine.append((time.perf_counter() - began) / count)
    return [statistics.median(mine) for mine in times]


def _count(call: Callable[[], object], batch_s: float) -> int:
    """Return how many calls fill a batch."""
    count = 1
    while True:
        began = time.perf_counter()
        for _ in range(count):
            call()
        spent = time.perf_counter() - began
        if spent >= batch_s / 2:
            return count
        count = max(count * 2, int(count * batch_s / 2 / max(spent, 1e-7)))


def resident_kb() -> int:
    """Return the memory that this process holds."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4


def wrong(engine: Engine, decide: Decide) -> list[str]:
    """Return the rules whose decision differs from the hand-written one on any variant."""
    found = []
    for number, context in enumerate([*workload.variants(), workload.large_context()]):
        wanted = workload.decisions(context)
        for name, got in zip(engine.rules, decide(context), strict=True):
            if (got is True) != wanted[name]:
                found.append(f"{name} on variant {number}: {got!r}")
    return found


def measure(name: str) -> dict[str, object]:
    """Return the figures of one engine, in microseconds and kilobytes, or why there are none."""
    try:
        engine: Engine = ENGINES[name]()
    except ImportError as error:
        return {"absent": str(error)}
    decide = engine.policy(engine.rules)
    if found := wrong(engine, decide):
        return {"wrong": found}
    floor = Python().policy({name: workload.PYTHON[name] for name in engine.rules})
    small, large = workload.CONTEXT, workload.large_context()
    without = engine.policy({key: source for key, source in engine.rules.items() if key != "r16"})
    times = seconds(
        lambda: decide(small), lambda: decide(large), lambda: floor(small), lambda: without(small)
    )
    names = ("small_us", "large_us", "floor_us", "no_regex_us")
    figures: dict[str, object] = {name: spent * 1e6 for name, spent in zip(names, times, strict=True)}
    figures["rules"] = len(engine.rules)
    if name != "python lambdas":
        figures["compile_us"], figures["rule_kb"] = keeping(engine, copies=40 if name == "regopy" else 1000)
    return figures


def keeping(engine: Engine, *, copies: int) -> tuple[float, float]:
    """Return the microseconds and kilobytes of one more rule; no text comes twice, so no cache helps."""
    sources = list(engine.rules.values())
    kept = [engine.compile(source) for source in sources]
    fresh = [varied(sources[number % len(sources)], number) for number in range(copies)]
    gc.collect()
    before, began = resident_kb(), time.perf_counter()
    kept += [engine.compile(source) for source in fresh]
    spent = time.perf_counter() - began
    gc.collect()
    return spent / copies * 1e6, (resident_kb() - before) / copies


def varied(source: object, number: int) -> object:
    """Return the same rule with blanks at its end that no other number gives."""
    blanks = f"{number:b}".replace("0", " ").replace("1", "\t")
    return f"{source}{blanks}" if isinstance(source, str) else [f"{body}{blanks}" for body in source]


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
