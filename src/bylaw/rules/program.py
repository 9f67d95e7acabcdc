"""Syntax trees to Python functions: source, code object, function, once per rule."""

from collections.abc import Callable
from typing import Final, Protocol

from bylaw.rules.ast import Node
from bylaw.rules.budget import Budget
from bylaw.rules.codegen import Emitter
from bylaw.rules.codegen_calls import emit
from bylaw.rules.runtime import NAMES
from bylaw.rules.verdict import Verdict

SATISFIED: Final = Verdict(status="satisfied")


class Decide(Protocol):
    """A compiled rule."""

    def __call__(self, context: dict[str, object], budget: Budget | None = None, /) -> Verdict:
        """Return what the rule says about `context`; `budget` may be shared with other rules."""


def written(node: Node, *, types: bool, decides: bool) -> tuple[str, list[object]]:
    """Return Python source that defines `main`, and the constants `k0`, `k1`, … that it uses.

    With `decides`, `main(c, given)` returns a verdict; otherwise `main(c, b)` returns the value, or
    raises. What an attempt took from the given budget is given back before the walk starts over.
    """
    e = Emitter(emit=emit, types=types)
    if not decides:
        result = e.value(node).text
        return "\n".join([*e.functions, f"def main(c, b):\n    return {result}\n"]), e.constants
    condition = e.condition(node).text
    paid = e.spends or e.charges
    main = [
        "def main(c, given=None):",
        "    if type(c) is dict:",
        *(["        left = 0 if given is None else given.left", "        b = given"] if paid else []),
        *(["        if b is None: b = Budget()"] if e.spends else []),
        "        try:",
        f"            return satisfied if {condition} else violated",
        "        except UNDECIDED: pass",
        *(["        if given is not None: given.left = left"] if paid else []),
        "    return undecided(c, given)",
    ]
    return "\n".join([*e.functions, *main]) + "\n", e.constants


def compile_decision(
    node: Node, *, types: bool, violated: Verdict, undecided: Callable[[object, Budget | None], Verdict]
) -> Decide:
    """Return the function that decides `node`, and calls `undecided` where compiled code cannot."""
    source, constants = written(node, types=types, decides=True)
    found: Decide = _function(source, constants, satisfied=SATISFIED, violated=violated, undecided=undecided)  # type: ignore[assignment]  # made by exec
    return found


def compile_value(node: Node, *, types: bool) -> Callable[[dict[str, object], Budget], object]:
    """Return the function that gives the value of `node`, or raises one of `runtime.UNDECIDED`."""
    source, constants = written(node, types=types, decides=False)
    found: Callable[[dict[str, object], Budget], object] = _function(source, constants)  # type: ignore[assignment]  # as above
    return found


def _function(source: str, constants: list[object], **given: object) -> object:
    names = [*(f"k{position}" for position in range(len(constants))), *given]
    body = "".join(f"    {line}\n" for line in source.splitlines())
    whole = f"def make({', '.join(names)}):\n{body}    return main\n"
    defined: dict[str, object] = {}
    exec(compile(whole, "<rule>", "exec"), NAMES, defined)  # noqa: S102 - the text is ours, see codegen
    make = defined["make"]
    return make(*constants, *given.values())  # type: ignore[operator]  # defined above
