"""Python source for names, paths, operators and literals."""

from typing import Final

from bylaw.rules.ast import (
    Binary,
    Conditional,
    Has,
    Index,
    ListOf,
    Literal,
    Logic,
    Name,
    Node,
    Select,
    Unary,
)
from bylaw.rules.codegen import Code, Emitter, deeper
from bylaw.rules.equality import NUMBERS
from bylaw.rules.names import TYPE_NAMES
from bylaw.rules.values import Duration, Timestamp

SHORT: Final = 256  # elements or characters that a step without charge may look at

_ORDER: Final = {"<": "less", "<=": "less_or_equal", ">": "greater", ">=": "greater_or_equal"}
_FLIPPED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ARITHMETIC: Final = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
_WORDS: Final[dict[object, str]] = {None: "None", True: "True", False: "False"}


def literal(e: Emitter, node: Literal) -> Code:
    """Return code for a constant."""
    kind = type(node.value)
    if node.value is None or kind is bool:
        return Code(_WORDS[node.value], kind)
    return Code(e.constant(node.value), kind)


def name(e: Emitter, node: Name) -> Code:
    """Return code for a macro's variable or a field of the context."""
    if not node.absolute and node.name in e.scope:
        return Code(e.scope[node.name])
    if "." in node.name or (e.types and node.name in TYPE_NAMES):
        return e.walked(node)
    return Code(f"c[{e.constant(node.name)}]")


def select(e: Emitter, node: Select) -> Code:
    """Return code for a field of a map."""
    if node.optional:
        return e.walked(node)
    return _item(e, e.value(node.operand), node.field)


def _item(e: Emitter, operand: Code, key: str) -> Code:
    held = e.fresh("t")
    text = f"({held} if type({held} := {operand.text}) is dict else bail())[{e.constant(key)}]"
    return deeper(text, None, operand)


def index(e: Emitter, node: Index) -> Code:
    """Return code for an element of a list or the value of a key."""
    if node.optional:
        return e.walked(node)
    operand = e.value(node.operand)
    key = node.key.value if isinstance(node.key, Literal) else None
    if isinstance(key, str):
        return _item(e, operand, key)
    if type(key) is int and key >= 0:
        held, constant = e.fresh("t"), e.constant(key)
        text = (
            f"({held}[{constant}] if type({held} := {operand.text}) is list else index({held}, {constant}))"
        )
        return deeper(text, None, operand)
    subscript = e.value(node.key)
    return deeper(f"index({operand.text}, {subscript.text})", None, operand, subscript)


def _maybe(e: Emitter, node: Node) -> Code:
    """Return code for a path that is `MISSING` when a step is missing."""
    if isinstance(node, Name) and (node.absolute or node.name not in e.scope) and "." not in node.name:
        key = e.constant(node.name)
        return Code(f"(c[{key}] if {key} in c else MISSING)")
    if isinstance(node, Select) and not node.optional:
        operand, key, held = _maybe(e, node.operand), e.constant(node.field), e.fresh("t")
        text = (
            f"(({held}[{key}] if {key} in {held} else MISSING) "
            f"if type({held} := {operand.text}) is dict else absent({held}))"
        )
        return e.outlined(deeper(text, None, operand))
    return e.value(node)


def has(e: Emitter, node: Has) -> Code:
    """Return code that tests whether a path is there."""
    path = node.path
    if isinstance(path, Name) and path.name not in e.scope and "." not in path.name:
        return Code(f"({e.constant(path.name)} in c)", bool)
    if isinstance(path, Select) and not path.optional:
        operand, held = _maybe(e, path.operand), e.fresh("t")
        text = (
            f"({e.constant(path.field)} in {held} "
            f"if type({held} := {operand.text}) is dict else absent_is_false({held}))"
        )
        return deeper(text, bool, operand)
    return e.walked(node)


# --- operators


def unary(e: Emitter, node: Unary) -> Code:
    """Return code for `!` or `-`."""
    if node.operator == "!":
        operand = e.condition(node.operand)
        return deeper(f"(not {operand.text})", bool, operand)
    operand = e.value(node.operand)
    return deeper(f"negate({operand.text})", None, operand)


def logic(e: Emitter, node: Logic) -> Code:
    """Return code for a chain of `&&` or `||`; a failure before the deciding operand leaves compiled code."""
    operands = [e.condition(operand) for operand in node.operands]
    word = " and " if node.operator == "&&" else " or "
    return deeper("(" + word.join(operand.text for operand in operands) + ")", bool, *operands)


def conditional(e: Emitter, node: Conditional) -> Code:
    """Return code for one of two branches."""
    test, then, otherwise = e.condition(node.test), e.value(node.then), e.value(node.otherwise)
    kind = then.kind if then.kind is otherwise.kind else None
    text = f"({then.text} if {test.text} else {otherwise.text})"
    return deeper(text, kind, test, then, otherwise)


def list_of(e: Emitter, node: ListOf) -> Code:
    """Return code for a list."""
    if any(item.optional for item in node.items):
        return e.walked(node)
    items = [e.value(item.value) for item in node.items]
    return deeper("[" + ", ".join(item.text for item in items) + "]", list, *items)


def binary(e: Emitter, node: Binary) -> Code:
    """Return code for a comparison, membership or arithmetic."""
    if node.operator in {"==", "!="}:
        if _compares_element_with_null(node):
            return Code(e.walked(node).text, bool)
        code = _equality(e, node.left, node.right)
        return code if node.operator == "==" else deeper(f"(not {code.text})", bool, code)
    if node.operator == "in":
        return _membership(e, node)
    if node.operator in _ORDER:
        return _order(e, node)
    return _arithmetic(e, node)


def _compares_element_with_null(node: Binary) -> bool:
    """Return whether a missing element may stand for null here: rare, and left to the walk."""
    sides = node.left, node.right
    return any(isinstance(side, Index) for side in sides) and any(
        isinstance(side, Literal) and side.value is None for side in sides
    )


def _is_number(held: str, code: Code) -> str:
    return f"(type({held} := {code.text}) is float or type({held}) is int)"


def _equality(e: Emitter, left: Node, right: Node) -> Code:
    if isinstance(left, Literal) and not isinstance(right, Literal):
        left, right = right, left
    if isinstance(right, Literal):
        if right.value is None:
            return _is_null(e, left)
        return _equals_constant(e, e.value(left), right)
    a, z = e.value(left), e.value(right)
    first, second = e.fresh("t"), e.fresh("t")
    text = (
        f"({first} == {second} if (type({first} := {a.text}) is str) & (type({second} := {z.text}) is str) "
        f"and len({first}) < {SHORT} else equal({first}, {second}, {e.budget()}))"
    )
    return deeper(text, bool, a, z)


def _is_null(e: Emitter, node: Node) -> Code:
    if not isinstance(node, (Name, Select)):
        operand = e.value(node)
        return deeper(f"({operand.text} is None)", bool, operand)
    operand, held = _maybe(e, node), e.fresh("t")
    return deeper(f"(({held} := {operand.text}) is None or {held} is MISSING)", bool, operand)


def _equals_constant(e: Emitter, operand: Code, right: Literal) -> Code:
    kind, constant, held = type(right.value), literal(e, right).text, e.fresh("t")
    if kind in {int, float}:
        test = _is_number(held, operand)
    else:
        test = f"type({held} := {operand.text}) is {kind.__name__}" if kind in {str, bool, bytes} else "False"
    if test == "False":
        return deeper(f"same_scalar({operand.text}, {constant})", bool, operand)
    text = f"({held} == {constant} if {test} else same_scalar({held}, {constant}))"
    return deeper(text, bool, operand)


def _membership(e: Emitter, node: Binary) -> Code:
    constants = _constants(node.right)
    if constants is not None:
        return _among(e, e.value(node.left), constants)
    container, held = e.value(node.right), e.fresh("t")
    if isinstance(node.left, Literal) and type(node.left.value) is str:
        wanted = literal(e, node.left).text
        text = (
            f"({wanted} in {held} if type({held} := {container.text}) is dict "
            f"or type({held}) is list and len({held}) < {SHORT} and plain({held}) "
            f"else within({wanted}, {held}, {e.budget()}))"
        )
        return deeper(text, bool, container)
    item = e.value(node.left)
    return deeper(f"within({item.text}, {container.text}, {e.budget()})", bool, item, container)


def _constants(node: Node) -> tuple[object, ...] | None:
    """Return the elements of a list of constants that are all text or all numbers."""
    if not isinstance(node, ListOf) or not node.items:
        return None
    found = [item.value.value for item in node.items if isinstance(item.value, Literal) and not item.optional]
    kinds = {type(value) for value in found}
    uniform = kinds == {str} or kinds <= NUMBERS
    return tuple(found) if uniform and len(found) == len(node.items) else None


def _among(e: Emitter, item: Code, constants: tuple[object, ...]) -> Code:
    held = e.fresh("t")
    text_only = type(constants[0]) is str
    test = f"type({held} := {item.text}) is str" if text_only else _is_number(held, item)
    known, ordered = e.constant(frozenset(constants)), e.constant(constants)
    return deeper(f"({held} in {known} if {test} else among({held}, {ordered}))", bool, item)


def _order(e: Emitter, node: Binary) -> Code:
    operator, left, right = node.operator, node.left, node.right
    if isinstance(left, Literal) and not isinstance(right, Literal):
        operator, left, right = _FLIPPED[operator], right, left  # type: ignore[assignment]  # an operator still
    a, z = e.value(left), e.value(right)
    if a.kind is z.kind and a.kind in {Timestamp, Duration}:
        return deeper(f"({a.text}.ns {operator} {z.text}.ns)", bool, a, z)
    if a.kind in {int, float} and z.kind in {int, float}:
        return deeper(f"({a.text} {operator} {z.text})", bool, a, z)
    first = e.fresh("t")
    if isinstance(right, Literal) and z.kind in {int, float, str}:
        test = f"type({first} := {a.text}) is str" if z.kind is str else _is_number(first, a)
        return deeper(f"({first} {operator} {z.text} if {test} else bail())", bool, a, z)
    second = e.fresh("t")
    general = f"{_ORDER[operator]}({first}, {second}, {e.budget()})"
    test = f"{_is_number(first, a)} & {_is_number(second, z)}"
    return deeper(f"({first} {operator} {second} if {test} else {general})", bool, a, z)


def _arithmetic(e: Emitter, node: Binary) -> Code:
    a, z = e.value(node.left), e.value(node.right)
    function = _ARITHMETIC[node.operator]
    if node.operator not in {"+", "-"}:
        return deeper(f"{function}({a.text}, {z.text}, {e.budget()})", None, a, z)
    first, second, result = e.fresh("t"), e.fresh("t"), e.fresh("t")
    general = f"{function}({first}, {second}, {e.budget()})"
    text = (
        f"(({result} if -9223372036854775808 <= ({result} := {first} {node.operator} {second}) "
        f"<= 9223372036854775807 else bail()) "
        f"if (type({first} := {a.text}) is int) & (type({second} := {z.text}) is int) else {general})"
    )
    return deeper(text, None, a, z)
