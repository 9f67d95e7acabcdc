"""Run conformance cases through the engine's public door and judge what comes out."""

import math
from dataclasses import dataclass

from bylaw.rules import cel
from tests.contracts.cel.cases import Case, Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Whether a case passed, and what came out of it."""

    case: Case
    passed: bool
    got: str


def run(case: Case) -> Result:
    """Return how `case` ends: any exception other than `CelError` fails it."""
    try:
        got = cel.evaluate(case.expr, dict(case.bindings), container=case.container)
    except cel.CelError as error:
        return Result(case=case, passed=case.expected is Failure, got=f"error: {error}")
    except Exception as error:  # noqa: BLE001 - the runner reports what the engine let out
        return Result(case=case, passed=False, got=f"let out {type(error).__name__}: {error}")
    passed = case.expected is not Failure and same(got, case.expected)
    return Result(case=case, passed=passed, got=repr(got))


def same(got: object, want: object) -> bool:
    """Return whether two values are one CEL value: same type, same content, maps in any order."""
    if type(got) is not type(want):
        return False
    if isinstance(want, float) and isinstance(got, float):
        return got == want or (math.isnan(got) and math.isnan(want))
    if isinstance(want, list) and isinstance(got, list):
        return len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, dict) and isinstance(got, dict):
        return len(got) == len(want) and all(
            any(same(key, wanted) and same(got[key], want[wanted]) for key in got) for wanted in want
        )
    if isinstance(want, cel.Timestamp | cel.Duration) and isinstance(got, cel.Timestamp | cel.Duration):
        return got.ns == want.ns
    if isinstance(want, cel.Type) and isinstance(got, cel.Type):
        return got.name == want.name
    return got == want
