"""Syntax trees to Python source in which no text of the user appears.

Every name is made here (`k7` a constant, `t3` a value needed twice, `x1` a macro's variable, `f2` a part
of its own); constants, field names and functions arrive as arguments of `make`. Emitted code handles the
usual types by exact checks and leaves everything else to the functions of `runtime`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from bylaw.rules.ast import Node

_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression; `kind` is its exact type if that is certain, `depth` how deep it nests."""

    text: str
    kind: type | None = None
    depth: int = 0


@dataclass(slots=True, kw_only=True)
class Emitter:
    """What is written so far, and the variables of macros around the current place.

    `emit` turns a node into code; it is handed in so that the families of nodes can live in modules of their
    own. `spends` says that the rule has functions beside `main`: all of them share one budget from the start.
    """

    emit: Callable[["Emitter", Node], Code]
    types: bool
    constants: list[object] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    scope: dict[str, str] = field(default_factory=dict)
    spends: bool = False
    charges: bool = False
    _counter: list[int] = field(default_factory=lambda: [0])

    def fresh(self, letter: str) -> str:
        """Return a name that nothing else has."""
        self._counter[0] += 1
        return f"{letter}{self._counter[0]}"

    def constant(self, value: object) -> str:
        """Return the name of a constant."""
        for position, known in enumerate(self.constants):
            if type(known) is type(value) and isinstance(value, str) and known == value:
                return f"k{position}"
        self.constants.append(value)
        return f"k{len(self.constants) - 1}"

    def budget(self) -> str:
        """Return code for the budget, which a rule makes when it is first needed."""
        self.charges = True
        return "(b := Budget() if b is None else b)"

    def value(self, node: Node) -> Code:
        """Return code for the value of `node`."""
        return self.outlined(self.emit(self, node))

    def outlined(self, code: Code) -> Code:
        """Return `code`, as a function of its own when its text nests deep: Python's compiler recurses."""
        if code.depth < _DEEPEST:
            return code
        name = self.fresh("f")
        self.spends = True
        self.functions.append(f"def {name}({self.parameters()}):\n    return {code.text}\n")
        return Code(f"{name}({self.parameters()})", code.kind)

    def condition(self, node: Node) -> Code:
        """Return code that is exactly true or false, or raises."""
        code = self.value(node)
        if code.kind is bool:
            return code
        held = self.fresh("t")
        text = f"(({held} := {code.text}) is True or {held} is not False and bail())"
        return Code(text, bool, code.depth + 1)

    def parameters(self) -> str:
        """Return the names that every emitted function is given."""
        return ", ".join(("c", "b", *self.scope.values()))

    def inner(self, variables: tuple[str, ...], names: tuple[str, ...]) -> "Emitter":
        """Return the emitter for a macro's body, where `variables` are called `names`."""
        return replace(self, scope={**self.scope, **dict(zip(variables, names, strict=True))})

    def walked(self, node: Node) -> Code:
        """Return code that walks `node` instead of being compiled from it."""
        scope = ", ".join(f"{self.constant(name)}: {held}" for name, held in self.scope.items())
        return Code(f"walk({self.constant(node)}, c, {self.budget()}, scope={{{scope}}}, types={self.types})")


def deeper(text: str, kind: type | None, *parts: Code) -> Code:
    """Return `text`, which holds the text of `parts`."""
    return Code(text, kind, 1 + max((part.depth for part in parts), default=0))
