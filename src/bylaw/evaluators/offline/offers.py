"""Rules about amounts that are said: discounts, refunds and credits in percent or money."""

import re
from dataclasses import dataclass
from operator import le
from typing import Final

from bylaw.evaluators.offline.amounts import ACTS, Amount
from bylaw.evaluators.offline.grammar import (
    NEVER,
    NOT,
    NUMBER,
    OVER,
    STOP,
    TAIL,
    any_of,
    listed,
    matches,
    number,
    wordings,
)
from bylaw.evaluators.offline.limits import CURRENCIES, Limit
from bylaw.evaluators.offline.reading import Found, Reader, Seen
from bylaw.evaluators.offline.shape import ABSTAINED, ASIDE, Ruling, Shape
from bylaw.evaluators.offline.subject import ANSWER
from bylaw.evaluators.patterns import MOST_QUOTES
from bylaw.evaluators.protocol import EvaluatorBasis

_NOUN: Final = (
    r"(?P<noun>discount|refund|rebate|credit|price reduction|voucher|compensation|markdown"
    r"|commission|surcharge|goodwill credit|store credit|gift card)s?"
)
_GIVE: Final = any_of(
    *listed("offer give grant promise propose approve apply issue quote provide authori[sz]e allow advertise")
)
_LIMIT: Final = (
    rf"(?P<sign>[$€£])?{NUMBER} ?(?P<unit>%|percent|per cent|usd|eur|gbp|dollars|euros"
    rf"|pounds|€|£)?(?: off)?"
)
_OFFERS: Final = wordings(
    rf"(?:{NEVER}|(?:the )?(?:agent|assistant|bot|ai|model) {NOT}) {_GIVE} (?:an? |any |customers?"
    rf" an? )?{_NOUN} (?:of )?{OVER} {_LIMIT}{TAIL}",
    rf"(?:{NEVER}|(?:the )?(?:agent|assistant|bot|ai|model) {NOT}) {_GIVE} (?:more than|over)"
    rf" {_LIMIT} (?:in |as (?:an? )?)?{_NOUN}{TAIL}",
    rf"(?:the |any |an? )?{_NOUN} {NOT} (?:exceed|be {OVER}|go {OVER}) {_LIMIT}{TAIL}",
    rf"{_NOUN} (?:of )?{OVER} {_LIMIT} (?:is|are) (?:forbidden|prohibited|not allowed|not permitted){TAIL}",
    rf"no {_NOUN} (?:of )?{OVER} {_LIMIT}{TAIL}",
    rf"{STOP} (?:any )?(?:outputs?|answers?|repl(?:y|ies)|responses?|messages?)? ?(?:that )?(?:offers?"
    rf"|offering|promis(?:es|ing)|grants?|granting|with) (?:an? |any )?{_NOUN} (?:of )?{OVER} {_LIMIT}",
)
_PERCENT: Final = frozenset({"%", "percent", "per cent"})
_SIGNS: Final = {
    **dict.fromkeys(("$", "usd", "dollars"), r"(?:\$ ?{n}|{n} ?(?:usd|dollars?|bucks)\b|usd ?{n})"),
    **dict.fromkeys(("€", "eur", "euros"), r"(?:€ ?{n}|{n} ?(?:€|eur\b|euros?\b)|eur ?{n})"),
    **dict.fromkeys(("£", "gbp", "pounds"), r"(?:£ ?{n}|{n} ?(?:gbp|pounds?)\b|gbp ?{n})"),
}
_DIGITS: Final = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,12}(?:\.\d{1,6})?)"
# A sentence with one of these may say the opposite, ask, or speak of somebody else's offer.
_TURNED: Final = re.compile(
    r"\b"
    + any_of(
        *listed(
            "not never no cannot without instead unable unfortunately if unless would could"
            " used_to previous(?:ly)? ask(?:ed)? request\\w* competitors? declin\\w* refus\\w*"
            " reject\\w* den(?:y|ied) over above was were mistake orders? you_(?:said|mentioned|asked|wanted)"
        )
    )
    + r"\b|n['\u2019]t\b|\?",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Broken by an amount above the bound in a plain sentence; never shown to be kept: words offer too."""

    noun: str
    bound: float
    unit: str

    name = "offer"
    basis: EvaluatorBasis = "pattern"
    gap = "That nothing above the limit is offered, in whatever words, takes a judge."

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        return (
            f"Looks for a {self.noun} of more than {self.bound:g} {self.unit} in the agent's"
            f" answer, and compares such a fact."
        )

    @property
    def rewording(self) -> str:
        """The limit for a fact, which a number decides."""
        field = f"{self.noun.replace(' ', '_')}_{'percent' if self.unit in _PERCENT else 'amount'}"
        return f"{field} must not exceed {self.bound:g}"

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        if ANSWER.is_to_come(reader.facts, ("input",)):
            return ASIDE
        limited = await self._limit.rule(reader)
        if limited.status == "violated":
            return limited
        if reader.facts.get("phase") == "tool_call":
            return await self._passed(reader)
        text = reader.facts.get("agent_output")
        if not isinstance(text, str):
            return limited
        found = await reader.read(text, self._search)
        if found.quotes:
            said = "More is offered than the limit."
            return Ruling(status="violated", rationale=said, evidence=found.quotes)
        return ABSTAINED

    async def _passed(self, reader: Reader) -> Ruling:
        """Return what the amount shows that the call to judge passes."""
        if self.noun not in ACTS or self.unit in _PERCENT:
            return ABSTAINED
        return await Amount(act=self.noun, bound=self.bound, unit=self._limit.unit).rule(reader)

    @property
    def _limit(self) -> Limit:
        """The same limit for a fact of that name."""
        unit = "%" if self.unit in _PERCENT else CURRENCIES.get(self.unit, self.unit.upper())
        return Limit(
            field=self.noun.replace(" ", "_"), relation=le, bound=self.bound, said="at most", unit=unit
        )

    def _search(self, seen: Seen) -> Found:
        quotes = [
            sentence.strip()
            for sentence in _SENTENCE.split(seen.text)
            if not _TURNED.search(sentence) and min(self._amounts(sentence), default=0) > self.bound
        ]
        return Found(quotes=tuple(quotes[:MOST_QUOTES]), shows_absence=False)

    def _amounts(self, sentence: str) -> list[float]:
        """Return the amounts of a sentence, none when one of them is not about the noun."""
        found = [*self._pattern.finditer(sentence)]
        about = [*re.finditer(rf"\b(?:{self.noun}(?:s|ed|ing)?|off)\b", sentence, re.IGNORECASE)]
        if not all(any(_is_near(each, noun, sentence) for noun in about) for each in found):
            return []
        return [float(next(filter(None, each.groups())).replace(",", "")) for each in found]

    @property
    def _pattern(self) -> re.Pattern[str]:
        written = "{n} ?(?:%|percent\\b|per cent\\b)" if self.unit in _PERCENT else _SIGNS[self.unit]
        return re.compile(written.replace("{n}", _DIGITS), re.IGNORECASE)


def _is_near(amount: re.Match[str], noun: re.Match[str], sentence: str) -> bool:
    """Return whether three words at most stand between an amount and what it is of."""
    between = sentence[min(amount.end(), noun.end()) : max(amount.start(), noun.start())]
    return len(between.split()) <= 3


def read_offer(wording: str) -> Shape | None:
    """Return the shape of a rule about amounts that are said."""
    for found in matches(_OFFERS, wording):
        unit = (found["sign"] or found["unit"] or "").lower()
        if unit in _PERCENT or unit in _SIGNS:
            return Offer(noun=found["noun"].lower(), bound=number(found["number"]), unit=unit)
    return None
