"""Reading a rule: which shape its wording has, in full, or none.

Families are tried from the narrowest to the widest. A rule of several sentences is read when each of them
is, and then all of them have to be kept.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bylaw.evaluators.offline.acts import read_act
from bylaw.evaluators.offline.amounts import read_amount
from bylaw.evaluators.offline.commands import read_commands
from bylaw.evaluators.offline.counts import Count, read_count
from bylaw.evaluators.offline.formats import Form, read_form
from bylaw.evaluators.offline.grammar import LONGEST_RULE, number, sentences, tidy
from bylaw.evaluators.offline.limits import read_limit
from bylaw.evaluators.offline.links import Links, read_links
from bylaw.evaluators.offline.mentions import Forbidden, Wanted, read_mention
from bylaw.evaluators.offline.offers import read_offer
from bylaw.evaluators.offline.order import read_order
from bylaw.evaluators.offline.reading import Reader
from bylaw.evaluators.offline.recipients import read_recipients
from bylaw.evaluators.offline.required import read_required
from bylaw.evaluators.offline.shape import ABSTAINED, Ruling, Shape, strictest
from bylaw.evaluators.protocol import EvaluatorBasis
from bylaw.policies.model import Effect

MOST_SENTENCES = 10
_NUMBER: Final = r"-?\d[\d,]*(?:\.\d+)?"
_RANGE: Final = re.compile(
    rf"(?P<name>.+ (?:must|should|shall|has to|have to|needs to)(?: always)? be) between"
    rf" (?P<low>(?P<sign>[$€£]?){_NUMBER}) and (?P<high>(?P=sign){_NUMBER})(?P<unit>(?: ?%| [a-z]+)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """Several rules in one text: kept when all of them are."""

    shapes: tuple[Shape, ...]

    name = "several"

    @property
    def basis(self) -> EvaluatorBasis:
        """Structured when all of them are."""
        return "pattern" if any(shape.basis == "pattern" for shape in self.shapes) else "structured"

    @property
    def how(self) -> str:
        """What each of them looks for."""
        return " ".join(shape.how for shape in self.shapes)

    @property
    def gap(self) -> str:
        """What any of them leaves to a judge."""
        return " ".join(dict.fromkeys(shape.gap for shape in self.shapes if shape.gap))

    @property
    def rewording(self) -> str:
        """What would leave less to a judge."""
        return " ".join(dict.fromkeys(shape.rewording for shape in self.shapes if shape.rewording))

    async def rule(self, reader: Reader) -> Ruling:
        """Return the strictest of what the facts show about each."""
        rulings = [await shape.rule(reader) for shape in self.shapes]
        return strictest(rulings, ABSTAINED)


@lru_cache(maxsize=4_096)
def shape_of(text: str, effect: Effect) -> Shape | None:
    """Return the shape of a rule in plain language, None when it has none that is known."""
    if len(text) > LONGEST_RULE:
        return None
    wording = tidy(text)
    whole = _one(wording, effect)
    parts = (sentences(wording), _clauses(wording), _ends(wording))
    return whole or next(filter(None, (_several(each, effect) for each in parts)), None)


def asks_alone(text: str, effect: Effect) -> bool:
    """Return whether a rule is wholly about what is asked: nothing in an answer can keep it or break it."""
    shape = shape_of(text, effect)
    parts = shape.shapes if isinstance(shape, Every) else (shape,)
    return all(map(_asks_alone, parts))


def _asks_alone(shape: Shape | None) -> bool:
    match shape:
        case Forbidden():
            return shape.subject.is_asked and not shape.waits
        case Wanted() | Count() | Form() | Links():
            return shape.subject.is_asked
        case _:
            return False


def _one(wording: str, effect: Effect) -> Shape | None:
    return (
        read_order(wording)
        or read_act(wording)
        or read_required(wording)
        or read_commands(wording)
        or read_amount(wording)
        or read_recipients(wording)
        or read_count(wording)
        or read_form(wording)
        or read_links(wording)
        or read_offer(wording)
        or read_limit(wording)
        or read_mention(wording, effect)
    )


def _several(parts: list[str], effect: Effect) -> Every | None:
    if not 1 < len(parts) <= MOST_SENTENCES:
        return None
    shapes = [_one(tidy(part), effect) for part in parts]
    known = tuple(shape for shape in shapes if shape is not None)
    return Every(shapes=known) if len(known) == len(shapes) else None


def _ends(wording: str) -> list[str]:
    """Return the two limits that a range states; one that nothing is in was meant otherwise."""
    found = _RANGE.fullmatch(wording)
    if found is None:
        return []
    name, low, high, unit = found.group("name", "low", "high", "unit")
    if number(low.lstrip("$€£")) > number(high.lstrip("$€£")):
        return []
    return [f"{name} at least {low}{unit}", f"{name} at most {high}{unit}"]


def _clauses(wording: str) -> list[str]:
    """Return the sentences of a rule, and what a condition of its own follows in one of them."""
    return [
        clause for part in sentences(wording) for clause in part.replace(", and if ", "\nif ").split("\n")
    ]
