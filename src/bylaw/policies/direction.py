"""Whether a change of an expression allows more or less, where its form shows it.

Only what is certain counts: a conjunct more, an alternative less, a stricter limit, a shorter list. A changed
expression that none of these explains is `unclear`, and so are two changes that pull apart.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from bylaw.rules import ast
from bylaw.rules.parse import parse

Direction = Literal["same", "widens", "narrows", "unclear"]


def together(directions: Iterable[Direction]) -> Direction:
    """Return the direction of several changes at once: one that all share, or `unclear`."""
    moved = set(directions) - {"same"}
    if not moved:
        return "same"
    return moved.pop() if len(moved) == 1 else "unclear"


def expression_direction(old: str, new: str) -> Direction:
    """Return whether more satisfies `new` than `old` (`widens`), or less (`narrows`)."""
    return _compare(parse(old), parse(new))


def _compare(old: ast.Node, new: ast.Node) -> Direction:
    if _shape(old) == _shape(new):
        return "same"
    for operator in ("&&", "||"):
        before, after = _operands(old, operator), _operands(new, operator)
        if len(before) > 1 or len(after) > 1:
            return _joined(before, after, operator)
    if isinstance(old, ast.Binary) and isinstance(new, ast.Binary) and _shape(old.left) == _shape(new.left):
        return _lists(old, new) if old.operator == "in" else _limits(old, new)
    return "unclear"


def _joined(before: list[ast.Node], after: list[ast.Node], operator: str) -> Direction:
    removed, added = _without(before, after), _without(after, before)
    if not removed and not added:
        return "same"
    if not removed:
        return "narrows" if operator == "&&" else "widens"
    if not added:
        return "widens" if operator == "&&" else "narrows"
    return _compare(removed[0], added[0]) if len(removed) == len(added) == 1 else "unclear"


def _limits(old: ast.Binary, new: ast.Binary) -> Direction:
    """Return the direction between two limits on the same thing: a change of `<` to `<=` counts."""
    was, now = _number(old.right), _number(new.right)
    side = old.operator[0]
    if was is None or now is None or side not in "<>" or new.operator[0] != side:
        return "unclear"
    sign = 1 if side == "<" else -1
    reach_was, reach_now = (sign * was, "=" in old.operator), (sign * now, "=" in new.operator)
    if reach_was == reach_now:
        return "same"
    return "widens" if reach_now > reach_was else "narrows"


def _lists(old: ast.Binary, new: ast.Binary) -> Direction:
    """Return the direction between two lists of constants in which the same thing must be."""
    was, now = _constants(old.right), _constants(new.right)
    if was is None or now is None or new.operator != "in":
        return "unclear"
    if was == now:
        return "same"
    if was < now:
        return "widens"
    return "narrows" if now < was else "unclear"


def _operands(node: ast.Node, operator: str) -> list[ast.Node]:
    return list(node.operands) if isinstance(node, ast.Logic) and node.operator == operator else [node]


def _without(these: list[ast.Node], those: list[ast.Node]) -> list[ast.Node]:
    """Return these operands without those, each taken away once."""
    left = Counter(_shape(node) for node in those)
    rest = []
    for node in these:
        if left[_shape(node)]:
            left[_shape(node)] -= 1
        else:
            rest.append(node)
    return rest


def _number(node: ast.Node) -> int | float | None:
    value = node.value if isinstance(node, ast.Literal) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _constants(node: ast.Node) -> frozenset[object] | None:
    if isinstance(node, ast.ListOf) and all(isinstance(item.value, ast.Literal) for item in node.items):
        return frozenset(_shape(item) for item in node.items)
    return None


def _shape(value: object) -> object:
    """Return a syntax tree without places in the source; values of different types stay different."""
    if isinstance(value, tuple):
        return tuple(_shape(item) for item in value)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        parts = [_shape(getattr(value, name)) for name in names if name not in {"offset", "start", "end"}]
        return (type(value), *parts)
    return (type(value), value)
