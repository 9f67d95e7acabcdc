"""Rules about calls of tools: which are allowed, within which limits, in which order, how many at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.offline.calls import (
    Call,
    Turn,
    are_named,
    current,
    hides_calls,
    is_like,
    is_named,
    key_of,
    made,
    may_call,
    speaks_of_approval,
    turns,
)
from bylaw.evaluators.offline.grammar import (
    ALWAYS,
    APPROVAL,
    AT_MOST,
    MUST,
    NEVER,
    NOT,
    NUMBER,
    STOP,
    TAIL,
    group,
    matches,
    number,
    wordings,
)
from bylaw.evaluators.offline.limits import Limit, limits
from bylaw.evaluators.offline.reading import Facts, Reader, argument_texts
from bylaw.evaluators.offline.shape import ABSTAINED, COVERED, ELSEWHERE, Ruling, Shape, strictest
from bylaw.evaluators.offline.subject import facts_called
from bylaw.evaluators.offline.sums import is_rescaled
from bylaw.evaluators.protocol import EvaluatorBasis
from bylaw.rules.spelling import Path

_NAME: Final = r"[`'\"]?[A-Za-z_*][\w.*:-]*[`'\"]?"
_KIND: Final = r"(?:tools?|functions?|actions?|apis?)"
_LIST: Final = rf"{_NAME}(?:(?:, | or |, or | and |, and ){_NAME})*"


def _tools(name: str) -> str:
    return rf"(?:(?:the|any|a) )?(?:{_KIND} )?(?P<{name}>{_LIST})(?P<{name}_kind> {_KIND})?"


_CALL: Final = r"(?:call|use|invoke|run|execute|trigger|make a call to|make calls to)"
_CALLING: Final = r"(?:calling|using|invoking|running|executing|having called|a call (?:to|of))"
_CALLED: Final = r"(?:called|used|invoked|run|executed|triggered)"
_AGENT: Final = r"(?:(?:the |any |this )?(?:agent|assistant|bot|ai|model|you) )"
TOOL: Final = r"(?:(?:the )?(?P<tool>[`'\"]?[A-Za-z_*][\w.*:-]*[`'\"]?)(?: (?:tool|function))?)"
_FORBIDS: Final = wordings(
    rf"(?:{NEVER}|{_AGENT}{NOT}) {_CALL} {_tools('tools')}{TAIL}",
    rf"{_tools('tools')} {NOT} be {_CALLED}{TAIL}",
    rf"{STOP} (?:(?:any|all|every) )?(?:calls? (?:to|of)|uses? of) {_tools('tools')}",
    rf"(?:calls? (?:to|of)|use of) {_tools('tools')} (?:is|are) (?:forbidden|prohibited|banned|not"
    rf" allowed|not permitted)",
)
_APPROVES: Final = wordings(
    rf"(?:(?:any |all |every )?calls? (?:to|of) |(?:any |all )?uses? of ){_tools('tools')} {APPROVAL}",
    rf"{_tools('tools')} (?:calls? )?{APPROVAL}",
)
_ALLOWS: Final = wordings(
    rf"(?:you (?:may|can|must|should) )?only {_CALL} {_tools('tools')}{TAIL}",
    rf"{_AGENT}(?:may|can|must|should) only {_CALL} {_tools('tools')}{TAIL}",
    rf"only {_tools('tools')} (?:may|can) be {_CALLED}{TAIL}",
)
_WITHIN: Final = wordings(
    rf"{NEVER} {_CALL} {TOOL} with (?:an? |the )?`?(?P<name>\w+)`? (?P<limit>.+)",
    rf"{STOP} (?:(?:any|all|every) )?(?:calls? (?:to|of) )?{TOOL} (?:calls? )?(?:if|when|with|where)"
    r" (?:its |the |an? )?`?(?P<name>\w+)`? (?:is )?(?P<limit>.+)",
    rf"(?:calls? (?:to|of) )?{TOOL} (?:calls? )?with (?:an? |the )?`?(?P<name>\w+)`? (?P<limit>.+?)"
    rf" (?:{APPROVAL}|(?:is|are) (?:forbidden|prohibited|not allowed|not permitted))",
)
_ARGUMENTS: Final = wordings(
    rf"(?:the )?`?(?P<name>\w+)`? (?:argument |parameter )?(?:of|in|for|passed to|given to) (?:the |any )?"
    rf"(?:calls? (?:to|of) )?{TOOL} (?P<duty>(?:{NOT}|{MUST}) .+)",
    rf"{TOOL}(?:'s)? `?(?P<name>\w+)`? (?P<duty>(?:{NOT}|{MUST}) .+)",
    rf"(?:in|for|with) {TOOL},? (?:the )?`?(?P<name>\w+)`? (?P<duty>(?:{NOT}|{MUST}) .+)",
)
_FIRST: Final = r"(?P<first>[`'\"]?[A-Za-z_][\w.:-]*[`'\"]?)"
_THEN: Final = r"(?P<then>[`'\"]?[A-Za-z_][\w.:-]*[`'\"]?)"
_ORDER: Final = wordings(
    rf"(?:{ALWAYS} |{_AGENT}?(?:{MUST}) )?{_CALL} {_FIRST} before (?:you (?:call|use|run) |{_CALLING} "
    rf"|any |a call to )?{_THEN}",
    rf"{_FIRST} {MUST} be {_CALLED} before (?:{_CALLING} )?{_THEN}(?: is (?:called|used|run))?",
    rf"(?:{NEVER}|{_AGENT}{NOT}) {_CALL} {_THEN} (?:without (?:first )?|before )(?:{_CALLING}"
    rf" )?{_FIRST}(?: first)?",
    rf"(?:{NEVER}|{_AGENT}{NOT}) {_CALL} {_THEN} (?:unless|until) you have called {_FIRST}(?:"
    rf" (?:first|before))?",
    rf"(?:{NEVER}|{_AGENT}{NOT}) {_CALL} {_THEN} (?:unless|until) {_FIRST} (?:has been|was|is) called(?:"
    rf" (?:first|before))?",
    rf"{_THEN} {NOT} be {_CALLED} (?:before|without) (?:{_CALLING} )?{_FIRST}(?: first)?",
    rf"{_THEN} {NOT} be {_CALLED} (?:before|until|unless) {_FIRST} (?:has been|was|is) called(?: first)?",
    rf"before {_CALLING} {_THEN},? (?:{ALWAYS} |you must )?{_CALL} {_FIRST}(?: first)?",
    rf"(?:{ALWAYS} |{_AGENT}?(?:{MUST}) )?{_CALL} {_FIRST} prior to (?:{_CALLING} )?{_THEN}",
    rf"(?:{ALWAYS} |{_AGENT}?(?:{MUST}) )?{_CALL} {_FIRST} first,? (?:and )?then {_THEN}",
    rf"{_THEN} (?:must|may|can|should) only be {_CALLED} after (?:{_CALLING} )?{_FIRST}(?: (?:has been"
    rf"|was) called)?",
)
_ONCE: Final = (
    r"(?:simultaneously|at once|at the same time|in the same (?:turn|message|response|step)|together)"
)
_CALLS_ONE: Final = r"(?:tool|function) calls?"
_ONE: Final = wordings(
    rf"(?:{ALWAYS} |{_AGENT}?(?:{MUST}|may|can) )?(?:only )?(?:make|issue|do|perform) (?:only |at most "
    rf"|no more than |exactly )?"
    rf"(?:one|a single|1) {_CALLS_ONE} (?:at a time|at once|per (?:turn|message|step|response))",
    rf"(?:{ALWAYS} |{_AGENT}?(?:{MUST}|may|can) )?(?:only )?(?:call|use) (?:only |at most |no more"
    rf" than )?(?:one|a single|1)"
    r" (?:tool|function) (?:at a time|at once|per (?:turn|message|step|response))",
    rf"(?:{NEVER}|{_AGENT}{NOT}) (?:make|issue|call|use) (?:more than one|multiple|several|two)"
    rf" (?:{_CALLS_ONE}|tools)"
    rf" (?:{_ONCE}|at a time|per (?:turn|message|step|response))",
    rf"(?:{ALWAYS} |{_AGENT}?(?:{MUST}|may|can) )?(?:(?:make|issue|use) )?{AT_MOST} {NUMBER} {_CALLS_ONE}"
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
# A name that only a tool has: "call PayPal" and "use e-mail" speak of something else.
IDENTIFIER: Final = re.compile(r"\w_\w|\*")
# What somebody gives, and no tool: "without user_approval".
_GIVEN: Final = re.compile(r"\W?(?:user|human|manager|customer|admin|explicit|prior|written)_", re.IGNORECASE)
_CALLED_BY_NAME: Final = re.compile(r"\w[_.]\w|\*|[`'\"]")
_INVOKES: Final = re.compile(r"\b(?:call|invok|trigger)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Kept when no call is of the tools, or with `is_allowed`, when every call is."""

    tools: tuple[str, ...]
    is_allowed: bool = False
    is_approved: bool = False

    name = "calls"
    basis: EvaluatorBasis = "structured"
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        which = "any tool other than" if self.is_allowed else "one of" if len(self.tools) > 1 else "the tool"
        named = ", ".join(self.tools)
        return (
            f"Looks at the call and the agent's turns in the messages: a call of {which} {named}"
            " breaks the rule."
        )

    @property
    def gap(self) -> str:
        """What it leaves to a judge."""
        return COVERED if self.is_approved else ""

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        made = _made(reader.facts)
        if not made and not self.is_allowed and are_named(self.tools, str(reader.facts.get("agent_output"))):
            return ABSTAINED  # code that calls it, maybe
        if made is None:
            return ABSTAINED if may_call(reader.facts) else ELSEWHERE
        wrong = [call for call in made if is_named(call, self.tools) != self.is_allowed]
        if not wrong and not self.is_allowed and await self._is_near(made, reader):
            return ABSTAINED
        if wrong and self.is_approved and speaks_of_approval(reader.facts):
            return ABSTAINED
        if wrong:
            said = "A tool is called that must not be."
            return Ruling(status="violated", rationale=said, evidence=(wrong[0].name,))
        if current(reader.facts) is None and hides_calls(reader.facts):
            return ABSTAINED
        return Ruling(status="satisfied", rationale="No such tool is called.")

    async def _is_near(self, made: Sequence[Call], reader: Reader) -> bool:
        """Return whether a call is of a tool in whose name one of them stands, or passes the name on."""
        for call in made:
            passed = argument_texts({"arguments": call.arguments})
            await reader.spend(len(passed))
            if is_like(call, self.tools) or are_named(self.tools, f"{key_of(call.name)}\n{passed}"):
                return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A limit for one argument of the call to judge, when it is of that tool."""

    tool: str
    limit: Limit
    is_approved: bool = False

    name = "argument"
    basis: EvaluatorBasis = "structured"
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        limit = f"{self.limit.said} {self.limit.bound:g}{self.limit.unit and ' ' + self.limit.unit}"
        return f"Compares the argument {self.limit.field} of a call of {self.tool}: it must be {limit}."

    @property
    def gap(self) -> str:
        """What it leaves to a judge."""
        return COVERED if self.is_approved else ""

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        facts = reader.facts
        if facts_called(self.tool, facts) or (current(facts) is None and may_call(facts)):
            return ABSTAINED  # what is called like the tool may be a field
        ruling = strictest([self._of(call) for call in made(facts)], ELSEWHERE)
        is_open = ruling.status == "violated" and self.is_approved and speaks_of_approval(facts)
        return ABSTAINED if is_open else ruling

    def _of(self, call: Call) -> Ruling:
        """Return what one call shows."""
        if not is_named(call, (self.tool,)):
            return ABSTAINED if is_like(call, (self.tool,)) else ELSEWHERE
        is_money = self.limit.unit != "%"
        if call.arguments is None or (is_money and is_rescaled(call.arguments, self.limit.unit)):
            return ABSTAINED
        return self.limit.compared(Path(self.limit.field).find(call.arguments))


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


def read_act(wording: str) -> Shape | None:
    """Return the shape of a rule about calls of tools."""
    return _order(wording) or _at_once(wording) or _argument(wording) or _calls(wording)


def _calls(wording: str) -> Calls | None:
    for patterns, is_allowed, is_approved in (
        (_FORBIDS, False, False),
        (_ALLOWS, True, False),
        (_APPROVES, False, True),
    ):
        for found in matches(patterns, wording):
            names = tuple(re.split(r",? or |,? and |, ", found["tools"]))
            known = _CALLED_BY_NAME if _INVOKES.search(wording) else IDENTIFIER
            is_clear = bool(group(found, "tools_kind")) or "calls to" in wording or "calls of" in wording
            if is_clear or all(known.search(name) and "_case" not in name for name in names):
                tools = tuple(map(bare, names))
                return Calls(tools=tools, is_allowed=is_allowed, is_approved=is_approved)
    return None


def _argument(wording: str) -> Argument | None:
    for found in matches(_WITHIN, wording):
        limit = next(limits(f"reject if {found['name']} is {found['limit']}"), None)
        is_approved = "approv" in wording.lower() or "review" in wording.lower()
        if limit and IDENTIFIER.search(found["tool"]):
            return Argument(tool=bare(found["tool"]), limit=limit, is_approved=is_approved)
    for found in matches(_ARGUMENTS, wording):
        limit = next(limits(f"{found['name']} {found['duty']}"), None)
        if limit and IDENTIFIER.search(found["tool"]):
            return Argument(tool=bare(found["tool"]), limit=limit)
    return None


def bare(name: str) -> str:
    """Return the name of a tool without the marks around it."""
    return name.strip("`'\"").rstrip(":.")


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


def _made(facts: Facts) -> list[Call] | None:
    """Return the calls that are known, None when nothing is: of `tools_used` only the names."""
    call, seen, used = current(facts), turns(facts), facts.get("tools_used")
    if call is not None:
        return [call]
    if seen is None and not isinstance(used, list):
        return None
    made = [each for turn in seen or () for each in turn.calls]
    names = used if isinstance(used, list) else []
    return made + [Call(name=str(name), arguments=None) for name in names]
