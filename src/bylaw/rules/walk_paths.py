"""What names, fields, elements and `has` mean."""

from bylaw.rules import operators
from bylaw.rules.ast import Has, Index, Name, Node, Select
from bylaw.rules.names import TYPE_NAMES
from bylaw.rules.values import Optional, Type
from bylaw.rules.verdict import Failure
from bylaw.rules.walk import ABSENT, Operand, Walk


def name(at: Walk, node: Name) -> object:
    """Return what a name stands for: a variable of a macro, a field of the context, or a type."""
    dotted = "." in node.name
    if not node.absolute:
        if dotted and node.name.partition(".")[0] in at.origins:
            return _qualified(at, node)
        if node.name in at.scope:
            return _held(at.scope[node.name])
    found = at.context.get(node.name, ABSENT)
    if found is not ABSENT:
        return found
    if dotted:
        return _qualified(at, node)
    if at.types and node.name in TYPE_NAMES:
        return Type(node.name)
    raise _missing(node.name)


def _held(value: object) -> object:
    """Return what a variable holds; `cel.bind` may have left a failure in it."""
    if isinstance(value, Failure):
        raise value
    return value


def _missing(path: str) -> Failure:
    return Failure("missing", f"`{path}` is missing", path=path)


def _qualified(at: Walk, node: Name) -> object:
    """Return what a dotted name stands for when no field of the context has that whole name."""
    root, *fields = node.name.split(".")
    found = ABSENT if node.absolute else at.scope.get(root, ABSENT)
    if found is ABSENT:
        found = at.context.get(root, ABSENT)
    if found is ABSENT:
        if node.name in TYPE_NAMES:
            return Type(node.name)
        raise _missing(node.name)
    for each in fields:
        found = operators.select(_held(found), each)
    return found


def select(at: Walk, node: Select) -> object:
    """Return a field."""
    operand = at.value(node.operand)
    if node.optional:
        return operators.optional_select(operand, node.field)
    try:
        return operators.select(operand, node.field)
    except Failure as failure:
        raise _with_path(at, failure, node, (node.operand, operand)) from None


def index(at: Walk, node: Index) -> object:
    """Return an element or the value of a key."""
    operand = at.value(node.operand)
    key = at.value(node.key)
    if node.optional:
        return operators.optional_index(operand, key)
    try:
        return operators.index(operand, key)
    except Failure as failure:
        inside = type(operand) is list or type(operand) is dict
        operands = (node.operand, operand), (node.key, key)
        raise _with_path(at, failure, node, *operands, suspect=int(inside)) from None


def _with_path(
    at: Walk, failure: Failure, node: Select | Index, *operands: Operand, suspect: int = 0
) -> Failure:
    """Return `failure` with the path to blame: of `node` when it is not there, else of one of its parts."""
    if failure.code not in {"missing", "range"}:
        return at.blamed(failure, *operands, suspect=suspect)
    failure.path = at.path(node)
    if failure.path and failure.code == "missing":
        failure.message = f"`{failure.path}` is missing"
    return failure


def has(at: Walk, node: Has) -> bool:
    """Return whether every step of a path is there; null counts as there."""
    path = node.path
    if isinstance(path, Name):
        return path.name in at.scope or path.name in at.context
    try:
        found = at.value(path)
        held_apart = path.optional or (type(found) is Optional and type(at.value(path.operand)) is Optional)
    except Failure as failure:
        if failure.code == "missing" or (failure.code == "range" and failure.offset in _indexes(path)):
            return False
        raise
    # An optional that a field holds is there; one that the path itself makes is there if it holds something.
    return found.present if held_apart and isinstance(found, Optional) else True


def _indexes(node: Node) -> set[int]:
    """Return the places of the indexes along a path."""
    found: set[int] = set()
    while isinstance(node, (Select, Index)):
        if isinstance(node, Index):
            found.add(node.offset)
        node = node.operand
    return found
