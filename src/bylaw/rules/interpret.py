"""The full meaning of an expression, walked node by node.

Slower than compiled code and always right: it decides whatever compiled code leaves undecided, and says why.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

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
from bylaw.rules.budget import Budget
from bylaw.rules.equality import map_key
from bylaw.rules.library import find
from bylaw.rules.library.collections import sort_by
from bylaw.rules.names import TYPE_NAMES
from bylaw.rules.operators import (
    BINARY,
    index,
    negate,
    no_overload,
    optional_index,
    optional_select,
    select,
)
from bylaw.rules.values import NOTHING, Optional, Type, from_key
from bylaw.rules.verdict import Failure

_ABSENT: Final = object()


@dataclass(slots=True, kw_only=True)
class Evaluation:
    """One walk over one context.

    `types` says whether a name that the context lacks may denote a type.
    """

    context: Mapping[str, object]
    budget: Budget
    types: bool
    scope: dict[str, object] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def value(self, node: Node) -> object:
        """Return the value of `node`.

        Raises: Failure, with its place.
        """
        self.budget.spend(1)
        try:
            return _MEANING[type(node)](self, node)
        except Failure as failure:
            if failure.offset < 0:
                failure.offset = node.offset
            raise

    def boolean(self, node: Node) -> bool:
        """Return the value of `node`, which must be a boolean; if not, it is `node` that fails."""
        found = self.value(node)
        if found is True or found is False:
            return found
        failure = no_overload("a condition", found)
        failure.offset = node.offset
        raise failure

    # --- leaves and paths

    def name(self, node: Name) -> object:
        """Return what a name stands for: a variable of a macro, a field of the context, or a type."""
        dotted = "." in node.name
        if not node.absolute:
            if dotted and node.name.partition(".")[0] in self.origins:
                return self._qualified(node)
            if node.name in self.scope:
                found = self.scope[node.name]
                if isinstance(found, Failure):
                    raise found
                return found
        found = self.context.get(node.name, _ABSENT)
        if found is not _ABSENT:
            return found
        if dotted:
            return self._qualified(node)
        if self.types and node.name in TYPE_NAMES:
            return Type(node.name)
        raise Failure("missing", f"`{node.name}` is missing", path=node.name)

    def _qualified(self, node: Name) -> object:
        """Return what a dotted name stands for when no field of the context has that whole name."""
        root, *fields = node.name.split(".")
        found = self.scope.get(root, _ABSENT) if not node.absolute else _ABSENT
        if found is _ABSENT:
            found = self.context.get(root, _ABSENT)
        if found is _ABSENT:
            if node.name in TYPE_NAMES:
                return Type(node.name)
            raise Failure("missing", f"`{node.name}` is missing", path=node.name)
        for each in fields:
            found = select(found, each)
        return found

    def select(self, node: Select) -> object:
        """Return a field."""
        operand = self.value(node.operand)
        if node.optional:
            return optional_select(operand, node.field)
        try:
            return select(operand, node.field)
        except Failure as failure:
            raise self._with_path(failure, node, node.operand) from None

    def index(self, node: Index) -> object:
        """Return an element or the value of a key."""
        operand = self.value(node.operand)
        key = self.value(node.key)
        if node.optional:
            return optional_index(operand, key)
        try:
            return index(operand, key)
        except Failure as failure:
            null = node.key if key is None and operand is not None else node.operand
            raise self._with_path(failure, node, null) from None

    def _with_path(self, failure: Failure, node: Select | Index, null: Node) -> Failure:
        """Return `failure` with the path to blame: of `node`, or of its part `null` when that is null."""
        if failure.code in {"missing", "null_value", "range"}:
            path = self.path(null if failure.code == "null_value" else node)
            failure.path = path
            if path and failure.code == "missing":
                failure.message = f"`{path}` is missing"
            elif path and failure.code == "null_value":
                failure.message = f"`{path}` is null: {failure.message}"
        return failure

    def path(self, node: Node) -> str:
        """Return the path of the context that `node` names, such as `items[3].price`, or nothing."""
        steps: list[str] = []
        while True:
            if isinstance(node, Select):
                steps.append(f".{node.field}")
                node = node.operand
            elif isinstance(node, Index):
                key = self._literal_key(node.key)
                if not key:
                    return ""
                steps.append(key)
                node = node.operand
            elif isinstance(node, Name):
                local = not node.absolute and node.name in self.scope
                root = self.origins.get(node.name, "") if local else node.name
                return root and root + "".join(reversed(steps))
            else:
                return ""

    def _literal_key(self, key: Node) -> str:
        if isinstance(key, Literal) and isinstance(key.value, (str, int)):
            return f"[{key.value!r}]"
        if isinstance(key, Name) and isinstance(self.scope.get(key.name), (str, int)):
            return f"[{self.scope[key.name]!r}]"
        return ""

    def has(self, node: Has) -> bool:
        """Return whether every step of a path is there; null counts as there."""
        path = node.path
        if isinstance(path, Name):
            return path.name in self.scope or path.name in self.context
        try:
            found = self.value(path)
            held_apart = path.optional or type(found) is Optional and type(self.value(path.operand)) is Optional
        except Failure as failure:
            if failure.code == "missing" or (failure.code == "range" and failure.offset in _indexes(path)):
                return False
            raise
        return found.present if held_apart and isinstance(found, Optional) else True

    # --- operators

    def unary(self, node: Unary) -> object:
        """Return `!x` or `-x`."""
        if node.operator == "!":
            return not self.boolean(node.operand)
        return negate(self.value(node.operand))

    def binary(self, node: Binary) -> object:
        """Return a comparison, membership or arithmetic."""
        if node.operator in {"==", "!="} and (_is_null(node.left) or _is_null(node.right)):
            left, right = self._or_null(node.left), self._or_null(node.right)
        else:
            left, right = self.value(node.left), self.value(node.right)
        return BINARY[node.operator](left, right, self.budget)

    def _or_null(self, node: Node) -> object:
        """Return the value of `node`, or null when it is a path with a missing step."""
        try:
            return self.value(node)
        except Failure as failure:
            if failure.code == "missing" and isinstance(node, (Name, Select, Index)):
                return None
            raise

    def logic(self, node: Logic) -> bool:
        """Return `&&` or `||`: the first operand that decides, else the first failure."""
        decisive = node.operator == "||"
        first: Failure | None = None
        for operand in node.operands:
            try:
                if self.boolean(operand) is decisive:
                    return decisive
            except Failure as failure:
                first = _earliest(first, failure)
        if first is not None:
            raise first
        return not decisive

    def conditional(self, node: Conditional) -> object:
        """Return one of two branches."""
        return self.value(node.then if self.boolean(node.test) else node.otherwise)

    def call(self, node: Call) -> object:
        """Return what a function gives."""
        parts = node.args if node.target is None else (node.target, *node.args)
        overloads = find(node.function, method=node.target is not None, count=len(parts))
        args = [self.value(part) for part in parts]
        return overloads.call(self.budget, *args)

    # --- constructors

    def list_of(self, node: ListOf) -> list[object]:
        """Return a list."""
        items: list[object] = []
        for item in node.items:
            found = self.value(item.value)
            if not item.optional:
                items.append(found)
            elif not isinstance(found, Optional):
                raise no_overload("an optional element", found)
            elif found.present:
                items.append(found.value)
        return items

    def map_of(self, node: MapOf) -> dict[object, object]:
        """Return a map, under internal keys."""
        entries: dict[object, object] = {}
        for entry in node.entries:
            key = self.value(entry.key)
            if type(key) is float:
                raise Failure("type_error", "a double is not a key of a map")
            internal = map_key(key)
            if internal in entries:
                raise Failure("invalid_argument", "a map has the same key twice")
            found = self.value(entry.value)
            if not entry.optional:
                entries[internal] = found
            elif not isinstance(found, Optional):
                raise no_overload("an optional entry", found)
            elif found.present:
                entries[internal] = found.value
        return entries

    def message(self, node: Message) -> object:
        """Return nothing: contexts are JSON."""
        raise Failure("unknown_function", f"there is no message type {node.type_name}")

    # --- macros

    def bind(self, node: Bind) -> object:
        """Return a body with one more variable; the variable carries its failure to where it is used."""
        try:
            found = self.value(node.value)
        except Failure as failure:
            if failure.code == "budget":
                raise
            found = failure
        with _Scope(self, (node.variable,)) as bound:
            bound.set((found,), self.path(node.value))
            return self.value(node.body)

    def macro(self, node: Macro) -> object:
        """Return what a macro gives."""
        target = self.value(node.target)
        if node.name in {"optMap", "optFlatMap"}:
            return self._optional_macro(node, target)
        with _Scope(self, node.variables) as bound:
            rounds = self._rounds(node, target, bound)
            match node.name:
                case "all" | "exists":
                    return self._quantifier(node, rounds)
                case "existsOne":
                    return sum([self.boolean(node.args[0]) for _ in rounds]) == 1
                case "filter":
                    return [item for item in rounds if self.boolean(node.args[0])]
                case "sortBy" if type(target) is list:
                    return sort_by(self.budget, target, [self.value(node.args[0]) for _ in rounds])
                case "transformMap":
                    return {map_key(key): self.value(node.args[-1]) for key in self._kept(node, rounds)}
                case "map" | "transformList":
                    return [self.value(node.args[-1]) for _ in self._kept(node, rounds)]
                case _:
                    raise no_overload(f"{node.name}()", target)

    def _rounds(self, node: Macro, target: object, bound: "_Scope") -> Iterator[object]:
        """Yield the first variable of each round, with the variables bound."""
        two = len(node.variables) == 2
        origin = self.path(node.target)
        if type(target) is list:
            for position, item in enumerate(target):
                self.budget.spend(1)
                bound.set((position, item) if two else (item,), origin and f"{origin}[{position}]")
                yield position if two else item
        elif type(target) is dict:
            for internal, item in target.items():
                self.budget.spend(1)
                key = from_key(internal)
                bound.set((key, item) if two else (key,), origin and f"{origin}[{key!r}]")
                yield key
        else:
            raise no_overload(f"{node.name}()", target)

    def _kept(self, node: Macro, rounds: Iterator[object]) -> Iterator[object]:
        if len(node.args) == 1:
            return rounds
        return (first for first in rounds if self.boolean(node.args[0]))

    def _quantifier(self, node: Macro, rounds: Iterator[object]) -> bool:
        decisive = node.name == "exists"
        first: Failure | None = None
        for _ in rounds:
            try:
                if self.boolean(node.args[0]) is decisive:
                    return decisive
            except Failure as failure:
                first = _earliest(first, failure)
        if first is not None:
            raise first
        return not decisive

    def _optional_macro(self, node: Macro, target: object) -> Optional:
        if not isinstance(target, Optional):
            raise no_overload(f"{node.name}()", target)
        if not target.present:
            return NOTHING
        with _Scope(self, node.variables) as bound:
            bound.set((target.value,), self.path(node.target))
            found = self.value(node.args[0])
        if node.name == "optMap":
            return Optional(found)
        if isinstance(found, Optional):
            return found
        raise no_overload("optFlatMap()", found)


class _Scope:
    """Variables of a macro; what they hid comes back at the end."""

    __slots__ = ("_evaluation", "_names", "_origins", "_scope")

    def __init__(self, evaluation: Evaluation, names: tuple[str, ...]) -> None:
        self._evaluation = evaluation
        self._names = names

    def __enter__(self) -> "_Scope":
        evaluation = self._evaluation
        self._scope, self._origins = evaluation.scope, evaluation.origins
        evaluation.scope, evaluation.origins = dict(self._scope), dict(self._origins)
        return self

    def set(self, values: tuple[object, ...], origin: str) -> None:
        """Bind the variables to `values`; the last one came from the path `origin`."""
        evaluation = self._evaluation
        for name, found in zip(self._names, values, strict=True):
            evaluation.scope[name] = found
            evaluation.origins[name] = ""
        evaluation.origins[self._names[-1]] = origin

    def __exit__(self, *_: object) -> None:
        self._evaluation.scope, self._evaluation.origins = self._scope, self._origins


def _is_null(node: Node) -> bool:
    return isinstance(node, Literal) and node.value is None


def _indexes(node: Node) -> set[int]:
    """Return the places of the indexes along a path."""
    found: set[int] = set()
    while isinstance(node, (Select, Index)):
        if isinstance(node, Index):
            found.add(node.offset)
        node = node.operand
    return found


def _earliest(first: Failure | None, failure: Failure) -> Failure:
    """Return the failure to report; an exhausted budget ends everything at once."""
    if failure.code == "budget":
        raise failure
    return failure if first is None else first


_MEANING: Final[dict[type[Node], Callable[[Evaluation, Node], object]]] = {
    Literal: lambda _, node: node.value,
    Name: Evaluation.name,
    Select: Evaluation.select,
    Index: Evaluation.index,
    Has: Evaluation.has,
    Unary: Evaluation.unary,
    Binary: Evaluation.binary,
    Logic: Evaluation.logic,
    Conditional: Evaluation.conditional,
    Call: Evaluation.call,
    ListOf: Evaluation.list_of,
    MapOf: Evaluation.map_of,
    Message: Evaluation.message,
    Bind: Evaluation.bind,
    Macro: Evaluation.macro,
}
