"""Rules about facts by name: a limit for a number, a value, or that it is there."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Final

from bylaw.evaluators.offline.grammar import (
    AT_LEAST,
    AT_MOST,
    NOT,
    NUMBER,
    OVER,
    STOP,
    UNDER,
    matches,
    number,
    wordings,
)
from bylaw.evaluators.offline.reading import Reader
from bylaw.evaluators.offline.shape import ABSTAINED, Ruling, Shape
from bylaw.evaluators.offline.subject import fact
from bylaw.evaluators.protocol import EvaluatorBasis
from bylaw.rules.spelling import MISSING

Relation = Callable[[float, float], bool]

_NAME: Final = r"(?:the )?`?(?P<name>[A-Za-z_][\w.]*)`?"
_BE: Final = r"(?:must|should|shall) be"
# The wording of a limit, and how the fact must stand to the number.
_LIMITS: Final[tuple[tuple[tuple[re.Pattern[str], ...], Relation, str], ...]] = (
    (
        wordings(
            rf"{_NAME} {NOT} (?:exceed|be {OVER}|go {OVER}) {NUMBER}",
            rf"{_NAME} {_BE} {AT_MOST} {NUMBER}",
            rf"{STOP} (?:if|when) {_NAME} (?:exceeds|is {OVER}) {NUMBER}",
        ),
        le,
        "at most",
    ),
    (wordings(rf"{_NAME} {_BE} {UNDER} {NUMBER}"), lt, "below"),
    (
        wordings(
            rf"{_NAME} {_BE} {AT_LEAST} {NUMBER}",
            rf"{_NAME} {NOT} (?:be|go|fall) {UNDER} {NUMBER}",
            rf"{STOP} (?:if|when) {_NAME} is {UNDER} {NUMBER}",
        ),
        ge,
        "at least",
    ),
    (wordings(rf"{_NAME} {_BE} {OVER} {NUMBER}"), gt, "above"),
)
_PRESENCE: Final = wordings(
    rf"{_NAME} (?:is|are) (?:always )?(?:required|mandatory)",
    rf"{_NAME} must (?:always )?be (?:present|given|provided|set|filled in|specified)",
    rf"{_NAME} {NOT} be (?:empty|missing|blank|null|absent)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Decided when one fact of that name is a number."""

    field: str
    relation: Relation
    bound: float
    said: str

    name = "limit"
    basis: EvaluatorBasis = "structured"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        limit = f"{self.said} {self.bound:g}"
        return f"Compares the number {self.field} of the metadata or the tool's arguments: {limit}."

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        value = fact(self.field, reader.facts)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return ABSTAINED
        kept = self.relation(value, self.bound)
        said = f"{self.field} is {'within' if kept else 'outside'} the limit."
        return Ruling(status="satisfied" if kept else "violated", rationale=said, evidence=(str(value),))


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
        kept = fact(self.field, reader.facts) not in (MISSING, None, "")
        said = f"{self.field} is {'there' if kept else 'not there'}."
        return Ruling(status="satisfied" if kept else "violated", rationale=said)


def read_limit(wording: str) -> Shape | None:
    """Return the shape of a rule about one fact."""
    for patterns, relation, said in _LIMITS:
        for found in matches(patterns, wording):
            return Limit(field=found["name"], relation=relation, bound=number(found["number"]), said=said)
    for found in matches(_PRESENCE, wording):
        # a name that can only be a field's
        if re.search(r"\w[_.]\w", found["name"]):
            return Present(field=found["name"])
    return None
