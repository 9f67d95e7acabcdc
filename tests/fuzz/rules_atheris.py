"""Fuzz the rule language with coverage: `python -m tests.fuzz.rules_atheris [-max_total_time=60] [CORPUS]`.

Each input is taken one of three ways: as text (any text compiles or is refused), as decisions of the grammar
(engine and reference agree), or as text of plain CEL (a value or a CelError). Anything else is a crash. Other
options of libFuzzer pass through.
"""

import contextlib
import sys

import atheris

with atheris.instrument_imports(include=["bylaw.rules"]):
    from bylaw import rules
    from bylaw.core.errors import RuleSyntax
    from bylaw.rules import cel
    from bylaw.rules.parse import parse

from tests.reference.rules_evaluator import Outcome, judge
from tests.reference.rules_generator import Contexts, Rules, Scripted

CONTEXT = {
    "a": {"b": [1, 2.5, None], "c": "text"},
    "l": [{"a": 1}, {}],
    "n": 7,
    "s": "2026-01-01T00:00:00Z",
    "t": True,
}
SECONDS = 60


def one_input(data: bytes) -> None:
    """Try one input; an exception is a finding."""
    way, body = data[:1], data[1:]
    if way < b"\x60":
        text(body.decode("utf-8", "surrogateescape"))
    elif way < b"\xc0":
        grammar(body)
    else:
        plain(body.decode("utf-8", "replace"))


def text(source: str) -> None:
    """Check that any text compiles or is refused, and decides or is indeterminate."""
    try:
        rule = rules.compile(source)
    except RuleSyntax:
        return
    verdict = rule.evaluate(CONTEXT)
    if (verdict.status == "indeterminate") != bool(verdict.code):
        raise AssertionError(verdict)
    rule.explain(CONTEXT)


def grammar(script: bytes) -> None:
    """Check that the engine and the reference agree."""
    half = len(script) // 2
    source = Rules(Scripted(script[:half])).rule()
    context = Contexts(Scripted(script[half:])).context()
    try:
        rule = rules.compile(source)
    except RuleSyntax:
        return
    verdict = rule.evaluate(context)
    at = verdict.position.offset if verdict.code else 0
    mine = Outcome(status=verdict.status, code=verdict.code, path=verdict.path, offset=at)
    wanted = judge(parse(source), context)
    if mine != wanted:
        raise AssertionError(f"{source!r} over {context!r}: engine {mine}, reference {wanted}")


def plain(source: str) -> None:
    """Check that plain CEL gives a value or a CelError."""
    with contextlib.suppress(cel.CelError):
        cel.evaluate(source, CONTEXT)


def main() -> None:
    """Fuzz for the time given, a minute when none is."""
    options = sys.argv
    if not any(option.startswith(("-max_total_time", "-runs")) for option in options):
        options = [*options, f"-max_total_time={SECONDS}"]
    atheris.Setup(options, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
