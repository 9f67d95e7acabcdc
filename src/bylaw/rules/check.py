"""What can be known to be wrong before a rule is ever evaluated.

Bottom up: each node gets a `Shape`, unknown where it depends on an undeclared context. Only what cannot
work for any context is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from bylaw.core.errors import RuleSyntax
from bylaw.rules import check_calls
from bylaw.rules.ast import (
    ONCE,
    Binary,
    Bind,
    Call,
    Conditional,
    Has,
    Index,
    ListOf,
    Literal,
    Logic,
    Macro,
    MapOf,
    Message,
    Name,
    Node,
    Select,
    Unary,
)
from bylaw.rules.limits import RULE, Limits
from bylaw.rules.names import TYPE_NAMES
from bylaw.rules.place import refusal
from bylaw.rules.schema import ANY, Shape, of, union
from bylaw.rules.suggest import name_near
from bylaw.rules.values import Duration, Optional, Timestamp, Type, UInt

_NUMBERS: Final = frozenset({int, UInt, float})
_COMPARED: Final = (_NUMBERS, *(frozenset({kind}) for kind in (str, bytes, bool, Timestamp, Duration)))
_SUMS: Final[dict[str, tuple[tuple[type, type, type], ...]]] = {
    "+": (
        (str, str, str),
        (bytes, bytes, bytes),
        (list, list, list),
        (Timestamp, Duration, Timestamp),
        (Duration, Timestamp, Timestamp),
        (Duration, Duration, Duration),
    ),
    "-": (
        (Timestamp, Duration, Timestamp),
        (Timestamp, Timestamp, Duration),
        (Duration, Duration, Duration),
    ),
    "*": (),
    "/": (),
    "%": (),
}
_ARITHMETIC: Final = (
    (int, int, int),
    (UInt, UInt, UInt),
    (float, float, float),
    (int, float, float),
    (float, int, float),
)


def check(
    node: Node, source: str, *, context: Shape = ANY, types: bool = False, limits: Limits = RULE
) -> Shape:
    """Return the shape of a whole rule.

    Raises: RuleSyntax.
    """
    checker = Checker(source=source, context=context, types=types, limits=limits)
    shape = checker.shape(node)
    if not shape.may_be(bool):
        raise checker.refuse(
            node, f"a rule must be true or false, this is {shape.words()}", "compare it with something"
        )
    return shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """One walk; `scope` holds what is known about the variables of macros."""

    source: str
    context: Shape
    types: bool
    limits: Limits
    scope: dict[str, Shape] = field(default_factory=dict)

    def shape(self, node: Node) -> Shape:
        """Return what is known about the value of `node`."""
        return _CHECK[type(node)](self, node)

    def refuse(self, node: Node, message: str, hint: str = "") -> RuleSyntax:
        """Return the error for `node`."""
        return refusal(self.source, node.offset, message, hint=hint)

    def within(self, variables: dict[str, Shape]) -> "Checker":
        """Return the checker for a macro's body."""
        return replace(self, scope={**self.scope, **variables})

    def condition(self, node: Node, what: str) -> None:
        """Refuse a node that cannot be true or false."""
        shape = self.shape(node)
        if not shape.may_be(bool):
            hint = "compare it with something" if not isinstance(node, Literal) else ""
            raise self.refuse(node, f"{what} must be true or false, not {shape.words()}", hint)


def _literal(_: Checker, node: Literal) -> Shape:
    return of(type(node.value))


def _name(at: Checker, node: Name) -> Shape:
    if not node.absolute and node.name in at.scope:
        return at.scope[node.name]
    if at.types and node.name in TYPE_NAMES:
        return ANY if not at.context.closed else of(Type)
    if node.name.startswith("@"):
        raise at.refuse(node, "cel.index(), cel.iterVar() and cel.accuVar() need their cel.block()")
    return _field(at, node, at.context, name=node.name, owner="the context")


def _field(at: Checker, node: Node, shape: Shape, *, name: str, owner: str) -> Shape:
    if name in shape.fields:
        return shape.fields[name]
    if shape.closed:
        raise at.refuse(node, f"there is no field {name!r} in {owner}", name_near(name, shape.fields))
    return ANY


def _select(at: Checker, node: Select) -> Shape:
    operand = at.shape(node.operand)
    if not operand.may_be(dict, Optional):
        raise at.refuse(node, f"{operand.words()} has no field {node.field!r}")
    found = _field(at, node, operand, name=node.field, owner=_text(at, node.operand))
    return of(Optional) if node.optional or operand.kinds == {Optional} else found


def _text(at: Checker, node: Node) -> str:
    text = at.source[node.start : node.end]
    return f"`{text}`" if len(text) <= 40 else "this map"


def _index(at: Checker, node: Index) -> Shape:
    operand, key = at.shape(node.operand), at.shape(node.key)
    if not operand.may_be(dict, list, Optional):
        raise at.refuse(node, f"{operand.words()} has no elements")
    if operand.kinds == {list} and not key.may_be(int, UInt, float):
        raise at.refuse(node.key, f"the index of a list is a number, not {key.words()}")
    if operand.kinds == {dict} and not key.may_be(str, int, UInt, bool, float):
        raise at.refuse(node.key, f"{key.words()} is not a key of a map")
    if node.optional or operand.kinds == {Optional}:
        return of(Optional)
    if operand.kinds == {dict} and isinstance(node.key, Literal) and isinstance(node.key.value, str):
        return _field(at, node.key, operand, name=node.key.value, owner=_text(at, node.operand))
    return operand.element() if operand.kinds == {list} else ANY


def _unary(at: Checker, node: Unary) -> Shape:
    if node.operator == "!":
        at.condition(node.operand, "the operand of !")
        return of(bool)
    operand = at.shape(node.operand)
    if not operand.may_be(int, float):
        raise at.refuse(node, f"- does not apply to {operand.words()}")
    return of(*(operand.kinds & {int, float} or {int, float}))


def _logic(at: Checker, node: Logic) -> Shape:
    for operand in node.operands:
        at.condition(operand, f"each side of {node.operator}")
    return of(bool)


def _conditional(at: Checker, node: Conditional) -> Shape:
    at.condition(node.test, "what stands before ?")
    return union([at.shape(node.then), at.shape(node.otherwise)])


def _binary(at: Checker, node: Binary) -> Shape:
    left, right = at.shape(node.left), at.shape(node.right)
    if node.operator in {"+", "-", "*", "/", "%"}:
        return _arithmetic(at, node, left, right)
    if node.operator == "in":
        _membership(at, node, left, right)
    elif node.operator in {"==", "!="}:
        if not _comparable(left, right, equality=True):
            raise _mismatch(at, node, left, right)
    elif not _comparable(left, right, equality=False):
        raise _mismatch(at, node, left, right)
    return of(bool)


def _comparable(left: Shape, right: Shape, *, equality: bool) -> bool:
    if equality:
        none = type(None)
        if not left.kinds or not right.kinds or none in left.kinds or none in right.kinds:
            return True
        if not left.kinds.isdisjoint(right.kinds):
            return True
    return any(left.may_be(*family) and right.may_be(*family) for family in _COMPARED)


def _mismatch(at: Checker, node: Binary, left: Shape, right: Shape) -> RuleSyntax:
    hint = ""
    if isinstance(node.left, Binary) and left.kinds == {bool} and right.may_be(int, float, str):
        hint = "comparisons do not chain: write a < b && b < c"
    elif {str} in (left.kinds, right.kinds) and (left.kinds & _NUMBERS or right.kinds & _NUMBERS):
        hint = "text and numbers never compare: drop the quotes, or convert with double(...)"
    return at.refuse(node, f"{left.words()} {node.operator} {right.words()} cannot be compared", hint)


def _membership(at: Checker, node: Binary, left: Shape, right: Shape) -> None:
    if not right.may_be(list, dict):
        hint = "use text.contains(part)" if right.kinds == {str} else ""
        raise at.refuse(node, f"`in` needs a list or a map on its right, not {right.words()}", hint)
    if right.kinds == {list} and not _comparable(left, right.element(), equality=True):
        raise at.refuse(node, f"a list of {right.element().words()} never holds {left.words()}")


def _arithmetic(at: Checker, node: Binary, left: Shape, right: Shape) -> Shape:
    numeric = _ARITHMETIC[:2] if node.operator == "%" else _ARITHMETIC
    results = {
        result
        for first, second, result in (*numeric, *_SUMS[node.operator])
        if left.may_be(first) and right.may_be(second)
    }
    if not results:
        raise at.refuse(node, f"{node.operator} does not apply to {left.words()} and {right.words()}")
    return of(*results)


def _has(at: Checker, node: Has) -> Shape:
    at.shape(node.path)
    return of(bool)


def _list(at: Checker, node: ListOf) -> Shape:
    shapes = [ANY if item.optional else at.shape(item.value) for item in node.items]
    for item in node.items:
        if item.optional and not at.shape(item.value).may_be(Optional):
            raise at.refuse(item.value, "an element after ? must be an optional")
    return Shape(kinds=frozenset({list}), items=union(shapes) if shapes else None)


def _map(at: Checker, node: MapOf) -> Shape:
    fields: dict[str, Shape] = {}
    for entry in node.entries:
        key = at.shape(entry.key)
        if not key.may_be(str, int, UInt, bool):
            raise at.refuse(entry.key, f"{key.words()} is not a key of a map")
        found = at.shape(entry.value)
        if isinstance(entry.key, Literal) and isinstance(entry.key.value, str):
            fields[entry.key.value] = ANY if entry.optional else found
    return Shape(kinds=frozenset({dict}), fields=fields)


def _message(at: Checker, node: Message) -> Shape:
    raise at.refuse(node, f"there is no message type {node.type_name}: contexts are JSON", "write a map")


def _bind(at: Checker, node: Bind) -> Shape:
    return at.within({node.variable: at.shape(node.value)}).shape(node.body)


_LOOPED: Final = (list, dict)
_TRANSFORMS: Final = frozenset({"map", "transformList", "transformMap", "transformMapEntry"})


def _macro(at: Checker, node: Macro) -> Shape:
    target = at.shape(node.target)
    if node.name in ONCE:
        if not target.may_be(Optional):
            raise at.refuse(node, f"{node.name}() applies to an optional, not {target.words()}")
        at.within(dict.fromkeys(node.variables, ANY)).shape(node.args[0])
        return of(Optional)
    if not target.may_be(*_LOOPED):
        raise at.refuse(node, f"{node.name}() applies to a list or a map, not {target.words()}")
    body = at.within(_variables(node, target))
    if node.name in _TRANSFORMS:
        return _transformed(node, body)
    if node.name == "sortBy":
        body.shape(node.args[0])
        return target
    body.condition(node.args[0], f"the test of {node.name}()")
    if node.name == "filter":
        return Shape(kinds=frozenset({list}), items=target.items)
    return of(bool)


def _transformed(node: Macro, body: Checker) -> Shape:
    for test in node.args[:-1]:
        body.condition(test, f"the filter of {node.name}()")
    result = body.shape(node.args[-1])
    if node.name == "transformMapEntry" and not result.may_be(dict):
        raise body.refuse(node.args[-1], f"{node.name}() takes a map for each round, not {result.words()}")
    if node.name in {"transformMap", "transformMapEntry"}:
        return of(dict)
    return Shape(kinds=frozenset({list}), items=result)


def _variables(node: Macro, target: Shape) -> dict[str, Shape]:
    item = target.element() if target.kinds == {list} else ANY
    if len(node.variables) == 1:
        return {node.variables[0]: item}
    first = of(int) if target.kinds == {list} else ANY
    return {node.variables[0]: first, node.variables[1]: item}


def _call(at: Checker, node: Call) -> Shape:
    parts = node.args if node.target is None else (node.target, *node.args)
    shapes = tuple(at.shape(part) for part in parts)
    return check_calls.result(at.source, node, shapes, at.limits)


_CHECK: Final[dict[type[Node], Callable[..., Shape]]] = {
    Literal: _literal,
    Name: _name,
    Select: _select,
    Index: _index,
    Unary: _unary,
    Binary: _binary,
    Logic: _logic,
    Conditional: _conditional,
    Has: _has,
    ListOf: _list,
    MapOf: _map,
    Message: _message,
    Bind: _bind,
    Macro: _macro,
    Call: _call,
}
