"""One overload of a function: its name, the exact types it takes, what it costs and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bylaw.rules.budget import TEXT_PER_STEP

Run = Callable[..., object]  # takes the budget, then one value per parameter
Cost = Callable[..., int]  # takes what `run` takes after the budget; gives steps

_SIZED: Final = frozenset({str, bytes, list, dict, object})


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """An overload. As a method the first parameter is what stands before the dot.

    `object` in `params` or `result` stands for any type. `cost` is spent before `run` is called; without
    one the arguments are too small to matter, or `run` itself spends before it touches them.
    """

    name: str
    params: tuple[type, ...]
    result: type
    run: Run
    method: bool
    cost: Cost | None


def by_size(*args: object) -> int:
    """Return the steps of looking at every element and every character of `args` once."""
    steps = 0
    for arg in args:
        if type(arg) is list or type(arg) is dict:
            steps += len(arg)
        elif type(arg) is str or type(arg) is bytes:
            steps += len(arg) // TEXT_PER_STEP
    return steps


def by_search(*args: object) -> int:
    """Return the steps of searching or rewriting `args`, which costs twice as much as looking at them."""
    return 2 * by_size(*args)


def function(
    name: str, params: tuple[type, ...], result: type, run: Run, *, cost: Cost | None = by_size
) -> Function:
    """Return the overload of a function that is called as `name(…)`; see `by_size` for what it costs."""
    needed = cost if _SIZED.intersection(params) else None
    return Function(name=name, params=params, result=result, run=run, method=False, cost=needed)


def method(
    name: str, params: tuple[type, ...], result: type, run: Run, *, cost: Cost | None = by_size
) -> Function:
    """Return the overload of a function that is called as `first.name(…)`; see `by_size` for its cost."""
    needed = cost if _SIZED.intersection(params) else None
    return Function(name=name, params=params, result=result, run=run, method=True, cost=needed)


def both(
    name: str, params: tuple[type, ...], result: type, run: Run, *, cost: Cost | None = by_size
) -> tuple[Function, Function]:
    """Return the overloads of a function that may be called in either form."""
    return function(name, params, result, run, cost=cost), method(name, params, result, run, cost=cost)
