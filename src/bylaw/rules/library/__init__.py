"""The functions of the language, found by name, form and number of arguments; chosen by exact types."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from bylaw.rules.budget import Budget
from bylaw.rules.library import calendar, collections, network, numbers, patterns, standard, text
from bylaw.rules.library.function import Function
from bylaw.rules.operators import no_overload
from bylaw.rules.verdict import Failure


@dataclass(frozen=True, slots=True)
class Key:
    """What a call names: `name`, whether something stands before a dot, how many arguments in all."""

    name: str
    method: bool
    count: int


class Overloads:
    """The functions of one key: what a call costs is spent here, before any of them runs."""

    __slots__ = ("_exact", "_general", "name", "variants")

    def __init__(self, variants: tuple[Function, ...]) -> None:
        self.name = variants[0].name
        self.variants = variants
        self._exact = {each.params: each for each in variants if object not in each.params}
        self._general = tuple(each for each in variants if object in each.params)

    def call(self, budget: Budget, *args: object) -> object:
        """Return what the overload for the exact types of `args` gives.

        Raises: Failure, also when there is no such overload.
        """
        kinds = tuple(map(type, args))
        found = self._exact.get(kinds)
        if found is not None:
            return _run(found, budget, args)
        for each in self._general:
            if all(want is object or want is kind for want, kind in zip(each.params, kinds, strict=True)):
                return _run(each, budget, args)
        raise no_overload(f"{self.name}()", *args)

    def suspect(self, args: list[object]) -> int:
        """Return the first argument that no overload takes after those before it."""
        fitting = self.variants
        for position, arg in enumerate(args):
            fitting = tuple(each for each in fitting if each.params[position] in {object, type(arg)})
            if not fitting:
                return position
        return 0


def _run(function: Function, budget: Budget, args: tuple[object, ...]) -> object:
    if function.cost is not None:
        budget.spend(function.cost(*args))
    return function.run(budget, *args)


def _collect(functions: tuple[Function, ...]) -> Mapping[Key, Overloads]:
    found: dict[Key, list[Function]] = {}
    for each in functions:
        found.setdefault(Key(each.name, each.method, len(each.params)), []).append(each)
    return MappingProxyType({key: Overloads(tuple(variants)) for key, variants in found.items()})


REGISTRY: Final = _collect(
    (
        *standard.FUNCTIONS,
        *calendar.FUNCTIONS,
        *text.FUNCTIONS,
        *numbers.FUNCTIONS,
        *collections.FUNCTIONS,
        *network.FUNCTIONS,
        *patterns.FUNCTIONS,
    )
)


def find(name: str, *, method: bool, count: int) -> Overloads:
    """Return the overloads that a call can mean.

    Raises: Failure with the code `unknown_function`.
    """
    found = REGISTRY.get(Key(name, method, count))
    if found is None:
        raise Failure("unknown_function", f"there is no function {name}() with {count - method} arguments")
    return found
