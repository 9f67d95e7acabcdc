"""The conditions of a policy as rows of a form: a fact, how it compares, and with what."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bylaw.dashboard.pages.policy_situation import Unreadable

# What the form offers: an operator of conditions, or one of these three words.
HOWS: Final = {
    "is": "is, or is one of",
    "ne": "is not",
    "not_in": "is none of",
    "gte": "is at least",
    "gt": "is over",
    "lte": "is at most",
    "lt": "is under",
    "between": "is between (two numbers)",
    "contains": "contains",
    "there": "is there",
    "missing": "is not there",
}
_THERE: Final = {"there": True, "missing": False}
_MANY: Final = frozenset({"not_in", "between"})
_VALUE: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*?)\s*(?:,|$)')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class FactField:
    """A condition as it is edited; several values are separated by commas, a text may stand in quotes."""

    name: str = ""
    how: str = "is"
    value: str = ""

    def wanted(self) -> object:
        """Return what the API is told about the fact. Raises: Unreadable."""
        if self.how in _THERE:
            return {"exists": _THERE[self.how]}
        values = [_read(each) for each in _split(self.value)]
        if not values:
            raise Unreadable("value", "Say what it is compared with.")
        many = self.how in _MANY or (self.how == "is" and (self.name == "keywords" or len(values) > 1))
        said = values if many else values[0]
        if not many and len(values) > 1:
            raise Unreadable("value", f"Only one value can follow “{HOWS.get(self.how, self.how)}”.")
        return said if self.how == "is" else {self.how: said}


def facts_of(said: Mapping[str, object]) -> tuple[tuple[FactField, ...], Mapping[str, object]]:
    """Return the conditions that rows can show and give back as they were, and all the others."""
    found: list[FactField] = []
    rest: dict[str, object] = {}
    for name, wanted in said.items():
        rows = tuple(_rows(name, wanted))
        if rows and _is_same(rows, {name: wanted}):
            found += rows
        else:
            rest[name] = wanted
    return tuple(found), rest


def conditions_in(facts: Sequence[FactField]) -> dict[str, object]:
    """Return what rows say, those about one fact together. Raises: Unreadable."""
    made: dict[str, object] = {}
    for at, fact in enumerate(facts):
        name = fact.name.strip()
        if not name and not fact.value.strip():
            continue
        if not name:
            raise Unreadable(f"facts[{at}]", "Say which fact this is about.")
        try:
            wanted = fact.wanted()
        except Unreadable as error:
            raise Unreadable(f"facts[{at}]", str(error)) from None
        before = made.get(name, {})
        if not (isinstance(before, dict) and isinstance(wanted, dict)) and name in made:
            raise Unreadable(f"facts[{at}]", f"{name} is compared above already: one of the two goes.")
        made[name] = {**before, **wanted} if isinstance(before, dict) and isinstance(wanted, dict) else wanted
    return made


def _rows(name: str, wanted: object) -> Iterator[FactField]:
    if not isinstance(wanted, dict):
        yield FactField(name=name, value=_written(wanted))
        return
    for how, value in wanted.items():
        if how == "exists":
            yield FactField(name=name, how="there" if value is True else "missing")
        else:
            yield FactField(name=name, how=how, value=_written(value))


def _is_same(rows: Sequence[FactField], said: Mapping[str, object]) -> bool:
    """Return whether a form can hold these rows and give back exactly what they were made of."""
    if not all(row.how in HOWS and "\r" not in row.name + row.value for row in rows):
        return False
    try:
        again = conditions_in(rows)
    except Unreadable:
        return False
    return json.dumps(again, sort_keys=True) == json.dumps(said, sort_keys=True)


def _split(text: str) -> list[str]:
    """Return the values between commas, as they are written; none for nothing."""
    if not text.strip():
        return []
    found, at = [], 0
    while at <= len(text):
        match = _VALUE.match(text, at)
        if match is None:  # a quote that is text, or does not end
            return [text.strip()]
        found.append(match[1])
        if not match[0].endswith(","):
            break
        at = match.end()
    return found


def _read(word: str) -> object:
    """Return a value: a number, true or false, and otherwise text."""
    if _NUMBER.fullmatch(word) or word in {"true", "false"}:
        return json.loads(word)
    if len(word) > 1 and word.startswith('"') and word.endswith('"'):
        try:
            return json.loads(word)
        except ValueError:
            return word
    return word


def _written(value: object) -> str:
    values = value if isinstance(value, list) else [value]
    return ", ".join(_word(each) for each in values)


def _word(value: object) -> str:
    is_text = isinstance(value, str) and value and value == value.strip() and not re.search(r'[,"\n]', value)
    if is_text and isinstance(_read(str(value)), str):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
