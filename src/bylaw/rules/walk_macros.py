"""What macros mean."""

from collections.abc import Iterator
from typing import Final

from bylaw.rules.ast import ONCE, Bind, Macro
from bylaw.rules.equality import map_key
from bylaw.rules.library.collections import sort_by
from bylaw.rules.operators import no_overload
from bylaw.rules.values import NOTHING, Optional, from_key
from bylaw.rules.verdict import Failure
from bylaw.rules.walk import Scope, Walk, earliest, inner_path

_ROUND: Final = 2  # steps to begin a round: a variable and the path it came from


def bind(at: Walk, node: Bind) -> object:
    """Return a body with one more variable; the variable carries its failure to where it is used."""
    try:
        found = at.value(node.value)
    except Failure as failure:
        if failure.code == "budget":
            raise
        found = failure
    origin = at.path(node.value)
    with Scope(at, (node.variable,)) as bound:
        bound.set((found,), origin)
        return at.value(node.body)


def macro(at: Walk, node: Macro) -> object:
    """Return what a macro gives."""
    target = at.value(node.target)
    try:
        return _optional(at, node, target) if node.name in ONCE else _looped(at, node, target)
    except Failure as failure:
        raise at.blamed(failure, (node.target, target)) from None


def _looped(at: Walk, node: Macro, target: object) -> object:
    origin = at.path(node.target)
    with Scope(at, node.variables) as bound:
        rounds = _rounds(at, node, target, (bound, origin))
        match node.name:
            case "all" | "exists":
                return _quantifier(at, node, rounds)
            case "existsOne":
                return sum([at.boolean(node.args[0]) for _ in rounds]) == 1
            case "filter":
                return [item for item in rounds if at.boolean(node.args[0])]
            case "sortBy" if type(target) is list:
                return sort_by(at.budget, target, [at.value(node.args[0]) for _ in rounds])
            case "transformMap":
                return {map_key(key): at.value(node.args[-1]) for key in _kept(at, node, rounds)}
            case "transformMapEntry":
                return _merged(at, node, rounds)
            case "map" | "transformList":
                return [at.value(node.args[-1]) for _ in _kept(at, node, rounds)]
            case _:
                raise no_overload(f"{node.name}()", target)


def _merged(at: Walk, node: Macro, rounds: Iterator[object]) -> dict[object, object]:
    """Return the entries that the rounds give, together: each key comes once."""
    result = node.args[-1]
    entries: dict[object, object] = {}
    for _ in _kept(at, node, rounds):
        found = at.value(result)
        if type(found) is not dict:
            raise at.blamed(no_overload(f"{node.name}()", found), (result, found))
        at.budget.spend(len(found))
        if not entries.keys().isdisjoint(found):
            raise Failure("invalid_argument", "two rounds give the same key")
        entries |= found
    return entries


def _rounds(at: Walk, node: Macro, target: object, bound: tuple[Scope, str]) -> Iterator[object]:
    """Yield the first variable of each round, with the variables bound."""
    scope, origin = bound
    two = len(node.variables) == 2
    if type(target) is list:
        for position, item in enumerate(target):
            at.budget.spend(_ROUND)
            scope.set((position, item) if two else (item,), inner_path(origin, position))
            yield position if two else item
    elif type(target) is dict:
        for internal, item in target.items():
            at.budget.spend(_ROUND)
            key = from_key(internal)
            scope.set((key, item) if two else (key,), inner_path(origin, key) if two else "")
            yield key
    else:
        raise no_overload(f"{node.name}()", target)


def _kept(at: Walk, node: Macro, rounds: Iterator[object]) -> Iterator[object]:
    """Return the rounds that pass the filter, if there is one."""
    if len(node.args) == 1:
        return rounds
    return (first for first in rounds if at.boolean(node.args[0]))


def _quantifier(at: Walk, node: Macro, rounds: Iterator[object]) -> bool:
    """Return `all` or `exists`: the first element that decides, else the first failure."""
    decisive = node.name == "exists"
    first: Failure | None = None
    for _ in rounds:
        try:
            if at.boolean(node.args[0]) is decisive:
                return decisive
        except Failure as failure:
            first = earliest(first, failure)
    if first is not None:
        raise first
    return not decisive


def _optional(at: Walk, node: Macro, target: object) -> Optional:
    if not isinstance(target, Optional):
        raise no_overload(f"{node.name}()", target)
    if not target.present:
        return NOTHING
    origin = at.path(node.target)
    with Scope(at, node.variables) as bound:
        bound.set((target.value,), origin)
        found = at.value(node.args[0])
    if node.name == "optMap":
        return Optional(found)
    if isinstance(found, Optional):
        return found
    raise no_overload("optFlatMap()", found)
