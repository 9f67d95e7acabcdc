"""Conditions: whether a policy applies, decided by a JSON object over the facts of a request.

All keys must hold (AND). What a key asks depends on the shape of its value:

`"keywords": ["refund", …]`        one of the phrases is in the text, case folded, at word boundaries
`"min_x": 5`, `"max_x": 9`         the number `x` is at least, at most that
`"x": "gold"` (or number, …)       `x` equals it; a list `x` holds it
`"x": ["a", "b"]`                  `x` is one of them; a list `x` holds one of them
`"x": {"gt": 5, "lt": 9}`          operators: gt gte lt lte eq ne in not_in contains exists between

Keys are found spelled in camelCase or snake_case, singular or plural, and by dotted path (`tool_call.name`);
operators may be written in camelCase too.
A key that is not among the facts, or is null where a value is needed, leaves the conditions undetermined, and
so does a shape that nobody knows: stored untouched, never an error, never a silent no. The same goes for a
search that is longer than the budget allows: what is not looked at is never taken for a no.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeGuard

from bylaw.core.canonical_json import Json
from bylaw.rules.budget import COMPARED_PER_STEP, Budget
from bylaw.rules.spelling import MISSING, Path, fold, phrase_in, snake
from bylaw.rules.verdict import Failure

State = Literal["applies", "does_not_apply", "undetermined"]
Facts = Mapping[str, object]
Scalar = None | bool | int | float | str

# Over a fact or MISSING: True, False, or None when that cannot be said. Raises Failure beyond the budget.
_Check = Callable[[object, Budget], bool | None]

_ITEMS_PER_STEP: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicability:
    """Whether conditions hold; `missing` names keys without a fact, `unclear` those that do not compare."""

    state: State
    missing: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyResult:
    """What one key asked (`wanted`), what there was (`found`, if `present`), and the answer."""

    key: str
    wanted: Json
    present: bool
    found: object
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """A necessary condition that an index can use: the fact at `path` is, or holds, one of `values`."""

    path: Path
    values: tuple[Scalar, ...]


APPLIES = Applicability(state="applies")
_DOES_NOT_APPLY = Applicability(state="does_not_apply")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """One key: where its fact is (None: the text of the request), and the check that it must pass."""

    key: str
    wanted: Json
    path: Path | None
    check: _Check

    def fact(self, facts: Facts, text: Callable[[], str]) -> object:
        """Return the fact, or MISSING."""
        if self.path is None:
            return text() or MISSING
        return self.path.find(facts)

    def holds(self, fact: object, budget: Budget) -> bool | None:
        """Return what the check says about `fact`, None also when that would take more than the budget."""
        try:
            return self.check(fact, budget)
        except Failure:
            return None


class Conditions:
    """Compiled conditions; none at all always apply."""

    __slots__ = ("_tests", "any_at_all", "any_of")

    def __init__(self, tests: tuple[_Test, ...], any_of: AnyOf | None) -> None:
        self._tests = tests
        self.any_at_all = bool(tests)
        self.any_of = any_of

    @property
    def reads(self) -> Mapping[str, str]:
        """The fact that each key asks for: `order_value` for `min_order_value`, `text` for `keywords`."""
        return {test.key: _name(test) for test in self._tests}

    @property
    def unclear(self) -> tuple[str, ...]:
        """The keys whose value has a shape that nobody knows: undetermined, whatever the facts."""
        return tuple(test.key for test in self._tests if test.check is _unclear)

    def evaluate(self, facts: Facts, text: Callable[[], str], budget: Budget | None = None) -> Applicability:
        """Return whether they apply to `facts`; `text` gives the folded text of the request when asked.

        Shape: a key that does not hold decides alone; otherwise every undetermined key is named.
        """
        budget = Budget() if budget is None else budget
        missing: list[str] = []
        unclear: list[str] = []
        for test in self._tests:
            fact = test.fact(facts, text)
            holds = test.holds(fact, budget)
            if holds is False:
                return _DOES_NOT_APPLY
            if holds is None:
                (missing if fact is MISSING or fact is None else unclear).append(_name(test))
        if missing or unclear:
            return Applicability(state="undetermined", missing=tuple(missing), unclear=tuple(unclear))
        return APPLIES

    def explain(
        self, facts: Facts, text: Callable[[], str], budget: Budget | None = None
    ) -> tuple[KeyResult, ...]:
        """Return what every key asked, found and answered; in the same order and steps as `evaluate`."""
        budget = Budget() if budget is None else budget
        states: dict[bool | None, State] = {True: "applies", False: "does_not_apply", None: "undetermined"}
        results = []
        for test in self._tests:
            fact = test.fact(facts, text)
            state = states[test.holds(fact, budget)]
            present = fact is not MISSING
            # A whole conversation explains nothing; the phrases that were looked for do.
            found = fact if present and test.path is not None else None
            results.append(
                KeyResult(key=test.key, wanted=test.wanted, present=present, found=found, state=state)
            )
        return tuple(results)


def compile_conditions(conditions: Mapping[str, Json] | None) -> Conditions:
    """Return `conditions` ready to be evaluated; every JSON object compiles."""
    tests = tuple(_test(key, wanted) for key, wanted in sorted((conditions or {}).items()))
    return Conditions(tests, next(filter(None, map(_index_hint, tests)), None))


def _test(key: str, wanted: Json) -> _Test:
    """Return the test of one key, chosen by its name and the shape of its value."""
    path = Path(key)
    if path.canonical == "keyword":
        return _Test(key=key, wanted=wanted, path=None, check=_keywords(wanted))
    if _is_bound(path):
        check = _OPERATORS["gte" if path.canonical.startswith("min") else "lte"](wanted)
        return _Test(key=key, wanted=wanted, path=path.without_prefix(), check=check)
    if isinstance(wanted, Mapping):
        return _Test(key=key, wanted=wanted, path=path, check=_operators(wanted))
    check = _equal(wanted) if _is_scalar(wanted) else _one_of(wanted)
    return _Test(key=key, wanted=wanted, path=path, check=check)


def _is_bound(path: Path) -> bool:
    return path.canonical.startswith(("min_", "max_"))


def _index_hint(test: _Test) -> AnyOf | None:
    """Return the values to which the key limits its fact, when it is an equality or a choice."""
    if test.path is None or _is_bound(Path(test.key)):
        return None
    values = test.wanted if isinstance(test.wanted, (list, tuple)) else (test.wanted,)
    scalars = tuple(value for value in values if value is None or isinstance(value, (bool, int, float, str)))
    return AnyOf(path=test.path, values=scalars) if scalars and len(scalars) == len(values) else None


def _name(test: _Test) -> str:
    """Return what the caller has to send for the test to be decided."""
    return "text" if test.path is None else test.path.text


def _unclear(_fact: object, _budget: Budget) -> bool | None:
    return None


def _keywords(wanted: Json) -> _Check:
    words = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(words, (list, tuple)):
        return _unclear
    phrases = tuple(fold(word) for word in words if isinstance(word, str) and word.strip())
    if len(phrases) != len(words) or not phrases:
        return _unclear

    def check(text: object, budget: Budget) -> bool | None:
        if not isinstance(text, str):
            return None
        return any(phrase_in(text, phrase, budget) for phrase in phrases)

    return check


def _equal(wanted: Json) -> _Check:
    def check(fact: object, budget: Budget) -> bool | None:
        if fact is None:
            return True if wanted is None else None
        if isinstance(fact, list):
            budget.spend(len(fact) // _ITEMS_PER_STEP)
            return any(_same(item, wanted) for item in fact)
        return None if fact is MISSING or isinstance(fact, dict) else _same(fact, wanted)

    return check


def _one_of(wanted: Json) -> _Check:
    if not (isinstance(wanted, (list, tuple)) and wanted and all(map(_is_scalar, wanted))):
        return _unclear

    def check(fact: object, budget: Budget) -> bool | None:
        if fact is None:
            return True if None in wanted else None
        if fact is MISSING or isinstance(fact, dict):
            return None
        items = fact if isinstance(fact, list) else (fact,)
        budget.spend(len(items) * len(wanted) // _ITEMS_PER_STEP)
        return any(_same(item, choice) for item in items for choice in wanted)

    return check


def _operators(wanted: Mapping[str, Json]) -> _Check:
    """Return the check that all operators of an object hold; an unknown one makes it unclear."""
    named = [(snake(name), operand) for name, operand in wanted.items()]
    if not named or any(name not in _OPERATORS for name, _ in named):
        return _unclear
    checks = tuple(_OPERATORS[name](operand) for name, operand in named)

    def check(fact: object, budget: Budget) -> bool | None:
        answers = [each(fact, budget) for each in checks]
        return False if False in answers else None if None in answers else True

    return check


def _ordered(holds: Callable[[int | float, int | float], bool]) -> Callable[[Json], _Check]:
    def compile_(operand: Json) -> _Check:
        if not _is_number(operand):
            return _unclear
        return lambda fact, _: holds(fact, operand) if _is_number(fact) else None

    return compile_


def _between(operand: Json) -> _Check:
    if not (isinstance(operand, (list, tuple)) and len(operand) == 2):
        return _unclear
    return _operators({"gte": operand[0], "lte": operand[1]})


def _contains(operand: Json) -> _Check:
    def check(fact: object, budget: Budget) -> bool | None:
        if isinstance(fact, str) and isinstance(operand, str):
            budget.spend(len(fact) // COMPARED_PER_STEP)
            return operand in fact
        if not isinstance(fact, list):
            return None
        budget.spend(len(fact) // _ITEMS_PER_STEP)
        return any(_same(item, operand) for item in fact)

    return check if _is_scalar(operand) else _unclear


def _exists(operand: Json) -> _Check:
    if not isinstance(operand, bool):
        return _unclear
    return lambda fact, _: (fact is not MISSING and fact is not None) is operand


def _negated(compile_: Callable[[Json], _Check]) -> Callable[[Json], _Check]:
    def compile_negated(operand: Json) -> _Check:
        check = compile_(operand)

        def negated(fact: object, budget: Budget) -> bool | None:
            answer = check(fact, budget)
            return None if answer is None else not answer

        return negated

    return compile_negated


def _eq(operand: Json) -> _Check:
    return _equal(operand) if _is_scalar(operand) else _unclear


_OPERATORS: Mapping[str, Callable[[Json], _Check]] = {
    "gt": _ordered(lambda left, right: left > right),
    "gte": _ordered(lambda left, right: left >= right),
    "lt": _ordered(lambda left, right: left < right),
    "lte": _ordered(lambda left, right: left <= right),
    "eq": _eq,
    "ne": _negated(_eq),
    "in": _one_of,
    "not_in": _negated(_one_of),
    "contains": _contains,
    "exists": _exists,
    "between": _between,
}


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _same(fact: object, wanted: object) -> bool:
    """Return whether two scalars are equal; a boolean is not a number."""
    return fact == wanted and isinstance(fact, bool) is isinstance(wanted, bool)
