"""Python source for functions and macros."""

from collections.abc import Callable
from typing import Final

from bylaw.rules import codegen_operators as operators
from bylaw.rules.ast import (
    Binary,
    Call,
    Conditional,
    Has,
    Index,
    ListOf,
    Literal,
    Logic,
    Macro,
    Name,
    Node,
    Select,
    Unary,
    descendants,
)
from bylaw.rules.codegen import Code, Emitter, deeper
from bylaw.rules.codegen_operators import SHORT
from bylaw.rules.library import REGISTRY, Key, Overloads
from bylaw.rules.regex import compile_pattern
from bylaw.rules.values import Timestamp
from bylaw.rules.verdict import Failure

_LOOPS: Final = frozenset({"all", "exists", "existsOne", "filter", "map", "transformList"})
_WALKED_LOOPS: Final = frozenset({"sortBy", "transformMap", "transformMapEntry"})


def call(e: Emitter, node: Call) -> Code:
    """Return code for a function: inline for the usual shapes, by its overloads otherwise."""
    parts = node.args if node.target is None else (node.target, *node.args)
    overloads = REGISTRY.get(Key(node.function, node.target is not None, len(parts)))
    if overloads is None:
        return e.walked(node)
    args = [e.value(part) for part in parts]
    inline = _INLINE.get(node.function)
    if inline is not None:
        code = inline(e, args, parts, overloads)
        if code is not None:
            return code
    text = ", ".join(arg.text for arg in args)
    return deeper(f"{e.constant(overloads.call)}({e.budget()}, {text})", _result(overloads), *args)


def _result(overloads: Overloads) -> type | None:
    """Return the type that all overloads give."""
    kinds = {variant.result for variant in overloads.variants}
    kind = kinds.pop()
    return None if kinds or kind is object else kind


def _general(e: Emitter, overloads: Overloads, *args: str) -> str:
    return f"{e.constant(overloads.call)}({e.budget()}, {', '.join(args)})"


def _size(e: Emitter, args: list[Code], _: tuple[Node, ...], overloads: Overloads) -> Code | None:
    held = e.fresh("t")
    test = f"type({held} := {args[0].text}) is list or type({held}) is str or type({held}) is dict"
    return deeper(f"(len({held}) if {test} else {_general(e, overloads, held)})", int, *args)


def _affix(function: str) -> "Inline":
    def emit(e: Emitter, args: list[Code], parts: tuple[Node, ...], overloads: Overloads) -> Code | None:
        if not _is_text(parts[1]):
            return None
        held, wanted = e.fresh("t"), args[1].text
        test = f"type({held} := {args[0].text}) is str"
        text = f"({function}({held}, {wanted}) if {test} else {_general(e, overloads, held, wanted)})"
        return deeper(text, bool, *args)

    return emit


def _contains(e: Emitter, args: list[Code], parts: tuple[Node, ...], overloads: Overloads) -> Code | None:
    if not _is_text(parts[1]):
        return None
    held, wanted = e.fresh("t"), args[1].text
    kind = f"(type({held} := {args[0].text}) is str or type({held}) is list)"
    test = f"{kind} and len({held}) < {SHORT} and (type({held}) is str or plain({held}))"
    text = f"({wanted} in {held} if {test} else {_general(e, overloads, held, wanted)})"
    return deeper(text, bool, *args)


def _matches(e: Emitter, args: list[Code], parts: tuple[Node, ...], overloads: Overloads) -> Code | None:
    pattern = parts[1].value if isinstance(parts[1], Literal) else None
    if not isinstance(pattern, str):
        return None
    try:
        compiled = compile_pattern(pattern)
    except Failure:
        return None
    if e.scope and compiled.size > SHORT:
        return None  # in a loop, every reading by a large pattern is charged
    matcher = e.constant(compiled.matches)
    held = e.fresh("t")
    test = f"type({held} := {args[0].text}) is str and len({held}) < {SHORT}"
    text = f"({matcher}({held}) if {test} else {_general(e, overloads, held, args[1].text)})"
    return deeper(text, bool, *args)


def _timestamp(e: Emitter, args: list[Code], _: tuple[Node, ...], overloads: Overloads) -> Code | None:
    held = e.fresh("t")
    test = f"type({held} := {args[0].text}) is str and len({held}) < 65"
    text = f"(moment({held}) if {test} else {_general(e, overloads, held)})"
    return deeper(text, Timestamp, *args)


def _is_text(node: Node) -> bool:
    return isinstance(node, Literal) and type(node.value) is str


Inline = Callable[[Emitter, list[Code], tuple[Node, ...], Overloads], Code | None]

_INLINE: Final[dict[str, Inline]] = {
    "size": _size,
    "startsWith": _affix("starts_with"),
    "endsWith": _affix("ends_with"),
    "contains": _contains,
    "matches": _matches,
    "timestamp": _timestamp,
}


# --- macros


def macro(e: Emitter, node: Macro) -> Code:
    """Return code for a macro that loops: a call of a function with the loop.

    A loop that is not compiled leaves compiled code at once: walked here, it could take a whole budget, and
    the walk that follows another one.
    """
    if node.name not in _LOOPS:
        return Code("bail()") if node.name in _WALKED_LOOPS else e.walked(node)
    target = e.value(node.target)
    names = tuple(e.fresh("x") for _ in node.variables)
    held, function = e.fresh("s"), e.fresh("f")
    e.spends = True
    body = _body(e.inner(node.variables, names), node)
    steps = 1 + sum(map(_weight, node.args))
    head = [
        f"def {function}({held}, {e.parameters()}):",
        f"    if type({held}) is not list and type({held}) is not dict: bail()",
        f"    b.left -= len({held}) * {steps}",
        "    if b.left < 0: overdrawn()",
        *([f"    if type({held}) is not list: {held} = elements({held})"] if len(names) == 1 else []),
        f"    s0 = pairs({held})" if len(names) == 2 else f"    s0 = {held}",
    ]
    loop = f"    for {', '.join(names)} in s0:"
    e.functions.append("\n".join([*head, *body[0], loop, *body[1], *body[2]]) + "\n")
    kind = bool if node.name in {"all", "exists", "existsOne"} else list
    return deeper(f"{function}({target.text}, {e.parameters()})", kind, target)


def _body(e: Emitter, node: Macro) -> tuple[list[str], list[str], list[str]]:
    """Return the lines before the loop, in the loop and after it."""
    if node.name in {"map", "transformList"}:
        test = f"if {e.condition(node.args[0]).text}: " if len(node.args) == 2 else ""
        append = f"        {test}out.append({e.value(node.args[-1]).text})"
        return ["    out = []"], [append], ["    return out"]
    test = e.condition(node.args[0]).text
    match node.name:
        case "all":
            return [], [f"        if not {test}: return False"], ["    return True"]
        case "exists":
            return [], [f"        if {test}: return True"], ["    return False"]
        case "filter":
            item = e.scope[node.variables[0]]
            return ["    out = []"], [f"        if {test}: out.append({item})"], ["    return out"]
        case _:
            return ["    n = 0"], [f"        if {test}: n += 1"], ["    return n == 1"]


def _weight(root: Node) -> int:
    """Return the steps that one round through `root` costs; looking through short values is dearer."""
    return sum(17 if _looks_through(node) else 1 for node in descendants(root))


def _looks_through(node: Node) -> bool:
    return isinstance(node, Call) or (isinstance(node, Binary) and node.operator == "in")


_EMIT: Final[dict[type[Node], Callable[..., Code]]] = {
    Literal: operators.literal,
    Name: operators.name,
    Select: operators.select,
    Index: operators.index,
    Has: operators.has,
    Unary: operators.unary,
    Binary: operators.binary,
    Logic: operators.logic,
    Conditional: operators.conditional,
    ListOf: operators.list_of,
    Call: call,
    Macro: macro,
}


def emit(e: Emitter, node: Node) -> Code:
    """Return code for `node`."""
    family = _EMIT.get(type(node))
    return e.walked(node) if family is None else family(e, node)
