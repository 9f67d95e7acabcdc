"""Rules about facts by name: a limit for a number, a value, or that it is there."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isnan
from operator import ge, gt, le, lt
from typing import Final

from bylaw.evaluators.injection.normal import normal
from bylaw.evaluators.offline.grammar import (
    AT_LEAST,
    AT_MOST,
    NOT,
    NUMBER,
    OVER,
    STOP,
    UNDER,
    Wording,
    group,
    matches,
    number,
    wordings,
)
from bylaw.evaluators.offline.reading import Facts, Reader
from bylaw.evaluators.offline.shape import ABSTAINED, Ruling, Shape
from bylaw.evaluators.offline.subject import fact, facts_called, subject_of
from bylaw.evaluators.offline.things import quoted_of
from bylaw.evaluators.patterns import plain
from bylaw.evaluators.protocol import EvaluatorBasis
from bylaw.rules.spelling import MISSING

Relation = Callable[[float, float], bool]

_NAME: Final = r"(?:the |an? |any )?`?(?P<name>[A-Za-z_][\w.]*(?: [a-z]\w*){0,2}?)`?"
_AMOUNT: Final = (
    rf"(?P<sign>[$€£])?{NUMBER}"
    r"(?: ?(?P<unit>%|percent|per cent|usd|eur|gbp|chf|dollars|us dollars|euros?|pounds|€|£))?"
)
_BE: Final = r"(?:must|should|shall|has to|have to|needs to)(?: always)? be"
# The wording of a limit, and how the fact must stand to the number.
_LIMITS: Final[tuple[tuple[tuple[Wording, ...], Relation, str], ...]] = (
    (
        wordings(
            rf"{_NAME} {NOT} (?:exceed|surpass|be {OVER}|go {OVER}) {_AMOUNT}",
            rf"{_NAME} {_BE} {AT_MOST} {_AMOUNT}",
            rf"{_NAME} (?:is|are) (?:limited to|capped at) {_AMOUNT}",
            rf"{STOP} (?:it )?(?:if|when|whenever) {_NAME} (?:exceeds|is {OVER}|{OVER}) {_AMOUNT}",
            rf"(?:if|when|whenever) {_NAME} (?:exceeds|is {OVER}) {_AMOUNT},? (?:then )?{STOP}(?: (?:it"
            rf"|this|the [\w ]{{1,30}}))?",
        ),
        le,
        "at most",
    ),
    (wordings(rf"{_NAME} {_BE} {UNDER} {_AMOUNT}"), lt, "below"),
    (
        wordings(
            rf"{_NAME} {_BE} {AT_LEAST} {_AMOUNT}",
            rf"{_NAME} {NOT} (?:be|go|fall|drop) {UNDER} {_AMOUNT}",
            rf"{STOP} (?:it )?(?:if|when|whenever) {_NAME} (?:is )?{UNDER} {_AMOUNT}",
        ),
        ge,
        "at least",
    ),
    (wordings(rf"{_NAME} {_BE} {OVER} {_AMOUNT}"), gt, "above"),
)
_PRESENCE: Final = wordings(
    rf"{_NAME} (?:is|are) (?:always )?(?:required|mandatory)",
    rf"{_NAME} must (?:always )?be (?:present|given|provided|set|filled in|specified)",
    rf"{_NAME} {NOT} be (?:empty|missing|blank|null|absent)",
)
_VALUES: Final = wordings(
    rf"{_NAME} (?:must|should|shall)(?: always)? (?:be|equal)(?: (?:set|equal) to| one of| either|"
    rf" any of)?:? (?P<what>.+)",
    rf"{_NAME} (?P<not>{NOT}) (?:be|equal)(?: (?:set|equal) to| one of| any of)?:? (?P<what>.+)",
    rf"{STOP} (?:it )?(?:if|when|whenever) {_NAME} (?P<not>is)(?: (?:set|equal) to| one of)? (?P<what>.+)",
    rf"{STOP} (?:it )?(?:if|when|whenever) {_NAME} is not(?: (?:set|equal) to| one of)? (?P<what>.+)",
)
_TRUTHS: Final = {"true": True, "false": False}
CURRENCIES: Final = {
    "$": "USD",
    "dollars": "USD",
    "us dollars": "USD",
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "£": "GBP",
    "pounds": "GBP",
}
_PERCENT: Final = frozenset({"%", "percent", "per cent"})
_IS_PERCENT: Final = re.compile(r"(?:percent|percentage|pct)", re.IGNORECASE)
_PERCENT_ENDS: Final = ("_percent", "_percentage", "_pct")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Decided when one fact of that name is a number, and of the unit that the rule names."""

    field: str
    relation: Relation
    bound: float
    said: str
    unit: str = ""

    name = "limit"
    basis: EvaluatorBasis = "structured"

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        limit = f"{self.said} {self.bound:g}{self.unit and ' ' + self.unit}"
        return (
            f"Compares the number {self.field} of the metadata or the tool's arguments: {limit}."
            " Without it, the case is undecided."
        )

    @property
    def gap(self) -> str:
        """What it leaves to a judge."""
        if self.unit == "%":
            return f"Only a fact whose name says percent is compared: {self.field}_percent."
        return f"Only an amount beside which currency is {self.unit} is compared." if self.unit else ""

    @property
    def rewording(self) -> str:
        """The limit without its unit, which compares the number alone."""
        name = f"{self.field}_percent" if self.unit == "%" else self.field
        return f"{name} must be {self.said} {self.bound:g}" if self.unit else ""

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        return self.compared(self._value(reader.facts))

    def compared(self, value: object) -> Ruling:
        """Return what one value shows."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return ABSTAINED
        if isinstance(value, float) and isnan(value):
            return ABSTAINED
        if self.unit == "%" and 0 < value <= 1:  # a part of one, or a percent
            return ABSTAINED
        kept = self.relation(value, self.bound)
        said = f"{self.field} is {'within' if kept else 'outside'} the limit."
        return Ruling(status="satisfied" if kept else "violated", rationale=said, evidence=(str(value),))

    def is_other(self, currency: object) -> bool:
        """Return whether a currency is said, and is not that of the limit."""
        is_money = self.unit not in {"", "%"}
        return is_money and currency is not None and str(currency).upper() != self.unit

    def _value(self, facts: Facts) -> object:
        """Return the fact that is compared: none of another unit, or of one that is not said."""
        if not self.unit:
            return fact(self.field, facts)
        if self.unit == "%":
            names = [self.field] if _IS_PERCENT.search(self.field) else []
            names += [self.field + end for end in _PERCENT_ENDS]
            return next(
                (found for found in (fact(name, facts) for name in names) if found is not MISSING), MISSING
            )
        currency = fact("currency", facts)
        is_same = isinstance(currency, str) and currency.upper() == self.unit
        return fact(self.field, facts) if is_same else fact(f"{self.field}_{self.unit.lower()}", facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """Kept when a fact of that name is there and says something."""

    field: str

    name = "presence"
    basis: EvaluatorBasis = "structured"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        return (
            f"Looks for {self.field} in the metadata and the tool's arguments; missing, the rule is broken."
        )

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        kept = any(not is_blank(value) for value in facts_called(self.field, reader.facts))
        said = f"{self.field} is {'there' if kept else 'not there'}."
        return Ruling(status="satisfied" if kept else "violated", rationale=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """Kept when a fact has one of the values, or with `is_forbidden`, none of them."""

    field: str
    values: tuple[str | bool, ...]
    is_forbidden: bool

    name = "value"
    basis: EvaluatorBasis = "structured"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        values = ", ".join(
            str(value).lower() if isinstance(value, bool) else repr(value) for value in self.values
        )
        must = "must not be" if self.is_forbidden else "must be"
        return (
            f"Compares {self.field} of the metadata or the tool's arguments: it {must} {values}."
            " Without it, the case is undecided."
        )

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        value = fact(self.field, reader.facts)
        if not isinstance(value, (str, bool)) or {type(each) for each in self.values} != {type(value)}:
            return ABSTAINED
        folded = value.casefold() if isinstance(value, str) else value
        if self.is_forbidden and isinstance(value, str) and _is_near(value, self.values):
            return ABSTAINED
        is_one = folded in {each.casefold() if isinstance(each, str) else each for each in self.values}
        kept = is_one != self.is_forbidden
        shown = str(value).lower() if isinstance(value, bool) else value
        return Ruling(
            status="satisfied" if kept else "violated",
            rationale=f"{self.field} is {'one' if is_one else 'none'} of the values.",
            evidence=(shown,) if shown else (),
        )


def is_blank(value: object) -> bool:
    """Return whether a fact says nothing."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not plain(value).strip())


def _is_near(value: str, values: tuple[str | bool, ...]) -> bool:
    """Return whether a value is one of others only for who reads over spaces, marks and look-alikes."""
    if value.casefold() in {each.casefold() for each in values if isinstance(each, str)}:
        return False
    return _bare(value) in {_bare(each) for each in values if isinstance(each, str)}


def _bare(value: str) -> str:
    return "".join(filter(str.isalnum, normal(value).text)) or value


def read_limit(wording: str) -> Shape | None:
    """Return the shape of a rule about one fact."""
    for limit in limits(wording):
        return limit
    for found in matches(_PRESENCE, wording):
        # a name that can only be a field's
        if re.search(r"\w[_.]\w", found["name"]):
            return Present(field=found["name"])
    return _value(wording)


def limits(wording: str) -> Iterator[Limit]:
    """Yield the limits that a wording states for a number."""
    for patterns, relation, said in _LIMITS:
        for found in matches(patterns, wording):
            name = _field(found["name"])
            unit = (group(found, "sign") or group(found, "unit")).lower()
            if name:
                yield Limit(
                    field=name,
                    relation=relation,
                    bound=number(found["number"]),
                    said=said,
                    unit="%" if unit in _PERCENT else CURRENCIES.get(unit, unit.upper()),
                )


def _value(wording: str) -> Value | None:
    for found in matches(_VALUES, wording):
        name = _field(found["name"])
        quoted = quoted_of(found["what"])
        truth = _TRUTHS.get(found["what"].lower())
        is_forbidden = bool(group(found, "not"))
        if name and truth is not None:
            return Value(field=name, values=(truth,), is_forbidden=is_forbidden)
        if name and quoted and not quoted.joined:
            values = tuple(thing.words for thing in quoted.each)
            return Value(field=name, values=values, is_forbidden=is_forbidden)
    return None


def _field(words: str) -> str:
    """Return the name of the fact that words mean, nothing when they mean a text or somebody."""
    found = subject_of(words.replace("`", ""))
    if found is None or found.kind != "field":
        return "" if " " in words or found else words
    return words.replace(" ", "_")
