"""One overload of a function: its name, the exact types it takes, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass

Run = Callable[..., object]  # takes the budget, then one value per parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """An overload. As a method the first parameter is what stands before the dot.

    `object` in `params` or `result` stands for any type.
    """

    name: str
    params: tuple[type, ...]
    result: type
    run: Run
    method: bool


def function(name: str, params: tuple[type, ...], result: type, run: Run) -> Function:
    """Return the overload of a function that is called as `name(…)`."""
    return Function(name=name, params=params, result=result, run=run, method=False)


def method(name: str, params: tuple[type, ...], result: type, run: Run) -> Function:
    """Return the overload of a function that is called as `first.name(…)`."""
    return Function(name=name, params=params, result=result, run=run, method=True)


def both(name: str, params: tuple[type, ...], result: type, run: Run) -> tuple[Function, Function]:
    """Return the overloads of a function that may be called in either form."""
    return function(name, params, result, run), method(name, params, result, run)
