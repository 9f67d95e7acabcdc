"""The full meaning of an expression, walked node by node.

Slower than compiled code and always right: it decides whatever compiled code leaves undecided, and says why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from bylaw.rules import walk_macros, walk_paths
from bylaw.rules.ast import (
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
from bylaw.rules.equality import entry_key
from bylaw.rules.library import find
from bylaw.rules.operators import BINARY, negate, no_overload, suspect
from bylaw.rules.values import Optional
from bylaw.rules.verdict import Failure
from bylaw.rules.walk import Walk, earliest


@dataclass(slots=True, kw_only=True)
class Evaluation(Walk):
    """The walk that gives values."""

    @override
    def value(self, node: Node) -> object:
        self.budget.spend(1)
        try:
            return _MEANING[type(node)](self, node)
        except Failure as failure:
            if failure.offset < 0:
                failure.offset = node.offset
            raise


def settled(walk: Walk, node: Node) -> object:
    """Return the value of `node`.

    Raises: Failure, also for whatever else goes wrong on the walk.
    """
    try:
        return walk.value(node)
    except (RecursionError, MemoryError):
        raise Failure("budget", "the rule needs more memory than one evaluation may take", offset=0) from None
    except (TypeError, ValueError, LookupError, ArithmeticError):
        raise Failure("type_error", "the rule met a value it cannot use", offset=0) from None


def _literal(_: Walk, node: Literal) -> object:
    return node.value


def _unary(at: Walk, node: Unary) -> object:
    if node.operator == "!":
        return not at.boolean(node.operand)
    operand = at.value(node.operand)
    try:
        return negate(operand)
    except Failure as failure:
        raise at.blamed(failure, (node.operand, operand)) from None


def _binary(at: Walk, node: Binary) -> object:
    if node.operator in {"==", "!="} and (_is_null(node.left) or _is_null(node.right)):
        left, right = _or_null(at, node.left), _or_null(at, node.right)
    else:
        left, right = at.value(node.left), at.value(node.right)
    try:
        return BINARY[node.operator](left, right, at.budget)
    except Failure as failure:
        which = suspect(node.operator, left, right)
        raise at.blamed(failure, (node.left, left), (node.right, right), suspect=which) from None


def _is_null(node: Node) -> bool:
    return isinstance(node, Literal) and node.value is None


def _or_null(at: Walk, node: Node) -> object:
    """Return the value of `node`, or null when it is a path with a missing step."""
    try:
        return at.value(node)
    except Failure as failure:
        if failure.code == "missing" and isinstance(node, (Name, Select, Index)):
            return None
        raise


def _logic(at: Walk, node: Logic) -> bool:
    """Return `&&` or `||`: the first operand that decides, else the first failure."""
    decisive = node.operator == "||"
    first: Failure | None = None
    for operand in node.operands:
        try:
            if at.boolean(operand) is decisive:
                return decisive
        except Failure as failure:
            first = earliest(first, failure)
    if first is not None:
        raise first
    return not decisive


def _conditional(at: Walk, node: Conditional) -> object:
    return at.value(node.then if at.boolean(node.test) else node.otherwise)


def _call(at: Walk, node: Call) -> object:
    parts = node.args if node.target is None else (node.target, *node.args)
    overloads = find(node.function, method=node.target is not None, count=len(parts))
    args = [at.value(part) for part in parts]
    try:
        return overloads.call(at.budget, *args)
    except Failure as failure:
        operands = zip(parts, args, strict=True)
        raise at.blamed(failure, *operands, suspect=overloads.suspect(args)) from None


def _list(at: Walk, node: ListOf) -> list[object]:
    items: list[object] = []
    for item in node.items:
        found = at.value(item.value)
        if not item.optional:
            items.append(found)
        elif not isinstance(found, Optional):
            raise at.blamed(no_overload("an optional element", found), (item.value, found))
        elif found.present:
            items.append(found.value)
    return items


def _map(at: Walk, node: MapOf) -> dict[object, object]:
    """Return a map under internal keys."""
    entries: dict[object, object] = {}
    for entry in node.entries:
        key = at.value(entry.key)
        try:
            internal = entry_key(key)
        except Failure as failure:
            raise at.blamed(failure, (entry.key, key)) from None
        if internal in entries:
            raise Failure("invalid_argument", "a map has the same key twice")
        found = at.value(entry.value)
        if not entry.optional:
            entries[internal] = found
        elif not isinstance(found, Optional):
            raise at.blamed(no_overload("an optional entry", found), (entry.value, found))
        elif found.present:
            entries[internal] = found.value
    return entries


def _message(_: Walk, node: Message) -> object:
    raise Failure("unknown_function", f"there is no message type {node.type_name}")


_MEANING: Final[dict[type[Node], Callable[..., object]]] = {
    Literal: _literal,
    Name: walk_paths.name,
    Select: walk_paths.select,
    Index: walk_paths.index,
    Has: walk_paths.has,
    Unary: _unary,
    Binary: _binary,
    Logic: _logic,
    Conditional: _conditional,
    Call: _call,
    ListOf: _list,
    MapOf: _map,
    Message: _message,
    Bind: walk_macros.bind,
    Macro: walk_macros.macro,
}
