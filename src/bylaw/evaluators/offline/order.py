"""Rules about calls of tools beside one another: in which order, and how many at once."""

import re
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.offline.acts import AGENT, CALL, CALLED, IDENTIFIER, bare
from bylaw.evaluators.offline.calls import (
    Turn,
    current,
    is_like,
    is_named,
    may_call,
    turns,
)
from bylaw.evaluators.offline.grammar import (
    ALWAYS,
    AT_MOST,
    MUST,
    NEVER,
    NOT,
    NUMBER,
    group,
    matches,
    number,
    wordings,
)
from bylaw.evaluators.offline.reading import Facts, Reader
from bylaw.evaluators.offline.shape import ABSTAINED, ELSEWHERE, Ruling, Shape
from bylaw.evaluators.protocol import EvaluatorBasis

_CALLING: Final = r"(?:calling|using|invoking|running|executing|having called|a call (?:to|of))"
_FIRST: Final = r"(?P<first>[`'\"]?[A-Za-z_][\w.:-]*[`'\"]?)"
_THEN: Final = r"(?P<then>[`'\"]?[A-Za-z_][\w.:-]*[`'\"]?)"
_ORDER: Final = wordings(
    rf"(?:{ALWAYS} |{AGENT}?(?:{MUST}) )?{CALL} {_FIRST} before (?:you (?:call|use|run) |{_CALLING} "
    rf"|any |a call to )?{_THEN}",
    rf"{_FIRST} {MUST} be {CALLED} before (?:{_CALLING} )?{_THEN}(?: is (?:called|used|run))?",
    rf"(?:{NEVER}|{AGENT}{NOT}) {CALL} {_THEN} (?:without (?:first )?|before )(?:{_CALLING}"
    rf" )?{_FIRST}(?: first)?",
    rf"(?:{NEVER}|{AGENT}{NOT}) {CALL} {_THEN} (?:unless|until) you have called {_FIRST}(?:"
    rf" (?:first|before))?",
    rf"(?:{NEVER}|{AGENT}{NOT}) {CALL} {_THEN} (?:unless|until) {_FIRST} (?:has been|was|is) called(?:"
    rf" (?:first|before))?",
    rf"{_THEN} {NOT} be {CALLED} (?:before|without) (?:{_CALLING} )?{_FIRST}(?: first)?",
    rf"{_THEN} {NOT} be {CALLED} (?:before|until|unless) {_FIRST} (?:has been|was|is) called(?: first)?",
    rf"before {_CALLING} {_THEN},? (?:{ALWAYS} |you must )?{CALL} {_FIRST}(?: first)?",
    rf"(?:{ALWAYS} |{AGENT}?(?:{MUST}) )?{CALL} {_FIRST} prior to (?:{_CALLING} )?{_THEN}",
    rf"(?:{ALWAYS} |{AGENT}?(?:{MUST}) )?{CALL} {_FIRST} first,? (?:and )?then {_THEN}",
    rf"{_THEN} (?:must|may|can|should) only be {CALLED} after (?:{_CALLING} )?{_FIRST}(?: (?:has been"
    rf"|was) called)?",
)
_ONCE: Final = (
    r"(?:simultaneously|at once|at the same time|in the same (?:turn|message|response|step)|together)"
)
_CALLS_ONE: Final = r"(?:tool|function) calls?"
_ONE: Final = wordings(
    rf"(?:{ALWAYS} |{AGENT}?(?:{MUST}|may|can) )?(?:only )?(?:make|issue|do|perform) (?:only |at most "
    rf"|no more than |exactly )?"
    rf"(?:one|a single|1) {_CALLS_ONE} (?:at a time|at once|per (?:turn|message|step|response))",
    rf"(?:{ALWAYS} |{AGENT}?(?:{MUST}|may|can) )?(?:only )?(?:call|use) (?:only |at most |no more"
    rf" than )?(?:one|a single|1)"
    r" (?:tool|function) (?:at a time|at once|per (?:turn|message|step|response))",
    rf"(?:{NEVER}|{AGENT}{NOT}) (?:make|issue|call|use) (?:more than one|multiple|several|two)"
    rf" (?:{_CALLS_ONE}|tools)"
    rf" (?:{_ONCE}|at a time|per (?:turn|message|step|response))",
    rf"(?:{ALWAYS} |{AGENT}?(?:{MUST}|may|can) )?(?:(?:make|issue|use) )?{AT_MOST} {NUMBER} {_CALLS_ONE}"
    rf" (?:{_ONCE}|per (?:turn|message|step|response))",
    r"no (?:parallel|simultaneous) (?:tool|function) calls?",
    r"(?:at most |no more than |only )?(?:one|a single|1) (?:tool|function) call per (?:turn|message"
    r"|step|response)",
)
_USING: Final = r"(?:make a (?:tool|function) call|call a (?:tool|function)|use a tool|take a tool call)"
_ANSWER: Final = (
    r"(?:respond|reply|answer|talk|write|speak|send a message)(?: to (?:the |a )?(?:user|customer))?"
)
_MAY_NOT: Final = r"(?:you (?:should|must|may|can) (?:not|never)|you cannot|do not|don't|never)"
_APART: Final = wordings(
    rf"(?:and )?if you {_USING},? {_MAY_NOT} {_ANSWER}(?: {_ONCE})?",
    rf"(?:and )?if you {_ANSWER},? {_MAY_NOT} {_USING}(?: {_ONCE})?",
    rf"(?:{NEVER}) (?:{_USING}|{_ANSWER}) and (?:{_USING}|{_ANSWER})(?: the (?:user|customer))? {_ONCE}",
    rf"(?:{NEVER}) (?:{_ANSWER}|write text) (?:while|when|beside|alongside) (?:making|issuing)? ?a"
    rf" (?:tool|function) call",
)
# What somebody gives, and no tool: "without user_approval".
_GIVEN: Final = re.compile(r"\W?(?:user|human|manager|customer|admin|explicit|prior|written)_", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Kept when a call of one tool comes after a call of another."""

    first: str
    then: str

    name = "order"
    basis: EvaluatorBasis = "structured"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        return f"Looks in the messages before a call of {self.then} for a call of {self.first}."

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        before = turns(reader.facts)
        call = current(reader.facts)
        if before is None and (call is None or is_named(call, (self.then,))):
            return ABSTAINED if call or may_call(reader.facts) else ELSEWHERE
        made = [each for turn in before or () for each in turn.calls]
        if call is not None and (not made or made[-1] != call):
            made.append(call)
        known = False
        found = False
        for each in made:
            if is_named(each, (self.then,)):
                found = True
                if not known:
                    said = f"{self.then} is called before {self.first}."
                    return Ruling(status="violated", rationale=said, evidence=(each.name,))
            known = known or is_named(each, (self.first,))
        if any(is_like(each, (self.first, self.then)) for each in made):
            return ABSTAINED
        return Ruling(status="satisfied", rationale=f"{self.first} is called first.") if found else ELSEWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce:
    """Kept when no turn has more than `most` calls, or with `is_alone`, no text beside a call."""

    is_alone: bool
    most: int = 1

    name = "at_once"
    basis: EvaluatorBasis = "structured"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        what = "text beside a call" if self.is_alone else f"more than {self.most} call{'s' * (self.most > 1)}"
        return f"Looks at the agent's turns in the messages: {what} in one of them breaks the rule."

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        seen = turns(reader.facts)
        for turn in seen or ():
            if self.is_alone and turn.calls and turn.said:
                said = "There is text beside a call."
                return Ruling(status="violated", rationale=said, evidence=(turn.said.partition("\n")[0],))
            if not self.is_alone and len(turn.calls) > self.most:
                names = tuple(dict.fromkeys(call.name for call in turn.calls))
                return Ruling(
                    status="violated", rationale="Several tools are called at once.", evidence=names
                )
        return self._beside(reader.facts, seen)

    def _beside(self, facts: Facts, seen: tuple[Turn, ...] | None) -> Ruling:
        """Return what the call to judge shows: the messages need not show it yet."""
        said = facts.get("agent_output")
        call = current(facts)
        if self.is_alone and call is not None and isinstance(said, str) and said.strip():
            return Ruling(
                status="violated", rationale="There is text beside the call.", evidence=(said.strip()[:200],)
            )
        if not seen and (call is not None or may_call(facts)):
            return ABSTAINED
        if not seen:
            return ELSEWHERE
        return Ruling(status="satisfied", rationale="Every turn of the agent keeps to it.")


def read_order(wording: str) -> Shape | None:
    """Return the shape of a rule about the order of calls, or about calls at once."""
    return _order(wording) or _at_once(wording)


def _order(wording: str) -> Order | None:
    for found in matches(_ORDER, wording):
        first, then = bare(found["first"]), bare(found["then"])
        if _GIVEN.match(found["first"]):
            continue
        if IDENTIFIER.search(found["first"]) and IDENTIFIER.search(found["then"]) and first != then:
            return Order(first=first, then=then)
    return None


def _at_once(wording: str) -> AtOnce | None:
    for patterns, is_alone in ((_ONE, False), (_APART, True)):
        for found in matches(patterns, wording):
            return AtOnce(is_alone=is_alone, most=round(number(group(found, "number") or "one")))
    return None
