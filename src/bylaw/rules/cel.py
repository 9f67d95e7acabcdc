"""Plain CEL: the value of any expression over any bindings, as the conformance cases need it.

Values go in and come out as Python's `bool`, `int`, `float`, `str`, `bytes`, `None`, `list` and `dict`,
and as the classes here. The language is that of rules with larger limits, and with four differences: an
expression may have any type, unknown functions and wrong types are found when they are reached, patterns
may be computed, and type names always denote types. The differences from CEL that remain are listed in
docs/explanation/rules-differences.md.
"""

from collections.abc import Callable, Mapping

from bylaw.core.errors import RuleSyntax
from bylaw.rules.budget import Budget
from bylaw.rules.equality import map_key
from bylaw.rules.interpret import Evaluation
from bylaw.rules.limits import CEL
from bylaw.rules.names import DOTTED_TYPES
from bylaw.rules.parse import parse
from bylaw.rules.values import BoolKey, Duration, Optional, Timestamp, Type, UInt, from_key
from bylaw.rules.verdict import Failure

__all__ = ["CelError", "Duration", "Optional", "Timestamp", "Type", "UInt", "evaluate"]


class CelError(Exception):
    """An expression has no value; `code` is `syntax` or one of the codes of `bylaw.rules.verdict`."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def evaluate(source: str, bindings: Mapping[str, object] | None = None, *, container: str = "") -> object:
    """Return the value of `source`, where `bindings` gives its variables; their names may hold dots.

    With a `container` such as `com.example`, `x` also means the variables `com.example.x` and `com.x`.
    Raises: CelError.
    """
    variables = {name: _rekeyed(value, map_key, bool) for name, value in (bindings or {}).items()}
    nearer = _relative(variables, container)
    names = DOTTED_TYPES.union(name for name in (*variables, *nearer) if "." in name)
    budget = Budget(CEL.steps)
    try:
        node = parse(source, CEL, names=names)
        evaluation = Evaluation(context=variables, budget=budget, types=True, scope=nearer)
        return _rekeyed(evaluation.value(node), from_key, BoolKey)
    except RuleSyntax as error:
        raise CelError(error.message, "syntax") from None
    except Failure as failure:
        raise CelError(failure.message, failure.code) from None
    except (RecursionError, MemoryError):
        raise CelError("the expression needs more memory than one evaluation may take", "budget") from None


def _relative(variables: Mapping[str, object], container: str) -> dict[str, object]:
    """Return the variables by the names they have inside `container`."""
    found: dict[str, object] = {}
    while container:
        for name, value in variables.items():
            if name.startswith(f"{container}."):
                found.setdefault(name[len(container) + 1 :], value)
        container = container.rpartition(".")[0]
    return found


def _rekeyed(root: object, rekey: Callable[[object], object], odd: type) -> object:
    """Return `root` with the keys of maps passed through `rekey`; as it is without keys of the `odd` type."""
    if not _has_key(root, odd):
        return root
    holder: list[object] = [None]
    todo: list[tuple[object, list[object] | dict[object, object], object]] = [(root, holder, 0)]
    while todo:
        value, place, slot = todo.pop()
        if isinstance(value, list):
            copied: list[object] = [None] * len(value)
            todo.extend((item, copied, position) for position, item in enumerate(value))
            value = copied
        elif isinstance(value, dict):
            renamed = {rekey(key): item for key, item in value.items()}
            todo.extend((item, renamed, key) for key, item in renamed.items())
            value = renamed
        elif isinstance(value, Optional):
            value = Optional(_rekeyed(value.value, rekey, odd), present=value.present)
        place[slot] = value  # type: ignore[call-overload]  # a list is slotted by positions
    return holder[0]


def _has_key(root: object, odd: type) -> bool:
    todo = [root]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo.extend(value)
        elif isinstance(value, dict):
            if any(type(key) is odd for key in value):
                return True
            todo.extend(value.values())
        elif isinstance(value, Optional):
            todo.append(value.value)
    return False
