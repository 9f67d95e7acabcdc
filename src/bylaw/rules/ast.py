"""The syntax tree: one frozen node per construct, each with its place in the source.

`offset` is the character that stands for the node in messages and carets:

Literal, Name, ListOf, MapOf, Message   their first character (a leading dot counts)
Select                                  the first character of the field name
Index                                   the opening bracket
Unary, Binary, Logic, Conditional       the operator (`?` for a conditional; the first one of a chain)
Call, Macro, Has, Bind                  the first character of the function's own name (`bind` in `cel.bind`)

`start` and `end` delimit the node's own text, without parentheses around it.

Macros are kept, not expanded: `Has`, `Macro` and `Bind` say what was written. `&&` and `||` chains are
one flat `Logic`; all other binary operators nest to the left. Names that the library qualifies
(`math.greatest`, see `names`) are one `Call` without target.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from typing import Literal as OneOf

from bylaw.rules.values import UInt

Constant = None | bool | int | UInt | float | str | bytes
Sign = OneOf["!", "-"]
BinaryOperator = OneOf["==", "!=", "<", "<=", ">", ">=", "in", "+", "-", "*", "/", "%"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A place in the source."""

    offset: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Node):
    """A constant; a minus sign directly before a number belongs to it."""

    value: Constant


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Node):
    """A variable or a top-level field of the context; `.name` is `absolute`: never a macro's variable."""

    name: str
    absolute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Select(Node):
    """`operand.field`, or `operand.?field` when `optional`."""

    operand: Node
    field: str
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Index(Node):
    """`operand[key]`, or `operand[?key]` when `optional`."""

    operand: Node
    key: Node
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary(Node):
    """`!operand` or `-operand`."""

    operator: Sign
    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary(Node):
    """`left operator right` for comparison, membership and arithmetic."""

    operator: BinaryOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic(Node):
    """Two or more operands joined by the same `&&` or `||`."""

    operator: OneOf["&&", "||"]
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional(Node):
    """`test ? then : otherwise`."""

    test: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """`function(args)`, or `target.function(args)`; a qualified function has a dot in its name."""

    function: str
    target: Node | None
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One element of a list literal; `optional` is `?value`: left out when it holds nothing."""

    value: Node
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a map literal; `optional` is `?key: value`: left out when the value holds nothing."""

    key: Node
    value: Node
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Node):
    """`[a, b, ?c]`."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf(Node):
    """`{k: v, ?k: v}`."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Node):
    """`Type{field: value}`: part of the grammar, refused by the checker because contexts are JSON."""

    type_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Has(Node):
    """`has(path)`, also written `exists(path)`: whether every step of the path is there.

    `path` is a `Select` (any operand), a `Name` or an `Index`.
    """

    path: Select | Name | Index


MacroName = OneOf[
    "all",
    "exists",
    "existsOne",
    "filter",
    "map",
    "transformList",
    "transformMap",
    "transformMapEntry",
    "optMap",
    "optFlatMap",
    "sortBy",
]
ONCE: Final = frozenset({"optMap", "optFlatMap"})  # the macros that do not loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Macro(Node):
    """`target.name(variables…, args…)`: `args` are evaluated once per element with the variables bound.

    With one variable it is the element of a list or the key of a map; with two, index and element or key and
    value. `exists_one` and `existsOne` are both `existsOne`. `map` and the transforms have one argument
    (the result) or two (a filter, then the result); `all`, `exists`, `existsOne` and `filter` have the
    predicate; `sortBy` has the key; `optMap` and `optFlatMap` bind the value that an optional holds.
    """

    name: MacroName
    target: Node
    variables: tuple[str, ...]
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind(Node):
    """`cel.bind(variable, value, body)`: a failure of `value` appears where the variable is used.

    `cel.block([a, b], body)` is nested binds of `@index0`, `@index1`, …
    """

    variable: str
    value: Node
    body: Node


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below `node`, in source order."""
    match node:
        case Select():
            return (node.operand,)
        case Index():
            return (node.operand, node.key)
        case Unary():
            return (node.operand,)
        case Binary():
            return (node.left, node.right)
        case Logic():
            return node.operands
        case Conditional():
            return (node.test, node.then, node.otherwise)
        case _:
            return _children_of_calls(node)


def descendants(root: Node) -> Iterator[Node]:
    """Yield `root` and every node below it, without Python's stack."""
    todo = [root]
    while todo:
        node = todo.pop()
        yield node
        todo.extend(reversed(children(node)))


def _children_of_calls(node: Node) -> tuple[Node, ...]:
    match node:
        case Call():
            return node.args if node.target is None else (node.target, *node.args)
        case Macro():
            return (node.target, *node.args)
        case Bind():
            return (node.value, node.body)
        case Has():
            return (node.path,)
        case ListOf():
            return tuple(item.value for item in node.items)
        case MapOf():
            return tuple(part for entry in node.entries for part in (entry.key, entry.value))
        case _:
            return ()
