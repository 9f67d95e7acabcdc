"""What every evaluation by walking the tree carries: the context, the budget and the variables in reach."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from bylaw.rules.ast import Index, Literal, Name, Node, Select
from bylaw.rules.budget import Budget
from bylaw.rules.operators import not_a_truth
from bylaw.rules.values import INT_MAX, type_name
from bylaw.rules.verdict import Failure

ABSENT: Final = object()
Operand = tuple[Node, object]  # a part of an operation, and its value

_LONGEST_KEY: Final = 200
_OF_OPERANDS: Final = frozenset({"null_value", "type_error"})
_BLAMED: Final = (_OF_OPERANDS, _OF_OPERANDS | {"invalid_argument", "range"})


@dataclass(slots=True, kw_only=True)
class Walk(ABC):
    """One walk over one context.

    `types` says whether a name that the context lacks may denote a type. `scope` holds the variables of
    macros and `origins` the paths of the context that they come from, where they come from one.
    """

    context: Mapping[str, object]
    budget: Budget
    types: bool
    scope: dict[str, object] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    @abstractmethod
    def value(self, node: Node) -> object:
        """Return the value of `node`.

        Raises: Failure, with its place.
        """

    def boolean(self, node: Node) -> bool:
        """Return the value of `node`, which must be a boolean; if not, it is `node` that fails."""
        found = self.value(node)
        if found is True or found is False:
            return found
        failure = self.blamed(not_a_truth("a condition", found), (node, found))
        failure.offset = node.offset
        raise failure

    def blamed(self, failure: Failure, *operands: Operand, suspect: int = 0) -> Failure:
        """Return `failure`, of an operation itself and not of a part of it, with the path to blame.

        For null it is that of the first operand that is null (of any, when null is inside one); for a wrong
        type that of the operand `suspect`, or of the first with a path when the suspect has none. A value
        that is not usable is to blame where it is the only operand.
        """
        if failure.offset >= 0 or failure.path or failure.code not in _BLAMED[len(operands) == 1]:
            return failure
        suspects = [operands[suspect], *operands]
        if failure.code == "null_value":
            suspects = [operand for operand in operands if operand[1] is None] or list(operands)
        for node, value in suspects:
            failure.path = self.path(node)
            if failure.path:
                kind = "null" if value is None else type_name(value)
                failure.message = f"`{failure.path}` is {kind}: {failure.message}"
                break
        return failure

    def path(self, node: Node) -> str:
        """Return the path of the context that `node` names, such as `items[3].price`, or nothing."""
        steps: list[str] = []
        while isinstance(node, (Select, Index)):
            step = f".{node.field}" if isinstance(node, Select) else self._key(node.key)
            if not step:
                return ""
            steps.append(step)
            node = node.operand
        if not isinstance(node, Name):
            return ""
        local = not node.absolute and node.name in self.scope
        root = self.origins.get(node.name, "") if local else node.name
        return root and root + "".join(reversed(steps))

    def _key(self, node: Node) -> str:
        """Return `[3]` or `['name']` for a key that is written out or held by a variable."""
        if isinstance(node, Literal):
            return key_step(node.value)
        return key_step(self.scope.get(node.name)) if isinstance(node, Name) else ""


def key_step(key: object) -> str:
    """Return the step of a path that takes `key`, such as `[3]`; nothing for one too long to be shown."""
    if (type(key) is str and len(key) <= _LONGEST_KEY) or (type(key) is int and abs(key) <= INT_MAX):
        return f"[{key!r}]"
    return ""


def inner_path(origin: str, key: object) -> str:
    """Return the path of what `origin` holds under `key`, or nothing when either has no path."""
    step = key_step(key)
    return origin + step if origin and step else ""


class Scope:
    """The variables of one macro; what they hid comes back at the end."""

    __slots__ = ("_names", "_origins", "_scope", "_walk")

    def __init__(self, walk: Walk, names: tuple[str, ...]) -> None:
        self._walk = walk
        self._names = names
        self._scope, self._origins = walk.scope, walk.origins

    def __enter__(self) -> Self:
        self._walk.scope, self._walk.origins = dict(self._scope), dict(self._origins)
        return self

    def set(self, values: tuple[object, ...], origin: str) -> None:
        """Bind the variables to `values`; the last one came from the path `origin`."""
        walk = self._walk
        for name, found in zip(self._names, values, strict=True):
            walk.scope[name] = found
            walk.origins[name] = ""
        walk.origins[self._names[-1]] = origin

    def __exit__(self, *_: object) -> None:
        self._walk.scope, self._walk.origins = self._scope, self._origins


def earliest(first: Failure | None, failure: Failure) -> Failure:
    """Return the failure to report; an exhausted budget ends everything at once."""
    if failure.code == "budget":
        raise failure
    return failure if first is None else first
