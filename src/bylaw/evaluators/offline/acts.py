"""Rules about calls of tools: which are allowed, and within which limits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.offline.calls import (
    Call,
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
    APPROVAL,
    MUST,
    NEVER,
    NOT,
    STOP,
    TAIL,
    group,
    matches,
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


CALL: Final = r"(?:call|use|invoke|run|execute|trigger|make a call to|make calls to)"
CALLED: Final = r"(?:called|used|invoked|run|executed|triggered)"
AGENT: Final = r"(?:(?:the |any |this )?(?:agent|assistant|bot|ai|model|you) )"
TOOL: Final = r"(?:(?:the )?(?P<tool>[`'\"]?[A-Za-z_*][\w.*:-]*[`'\"]?)(?: (?:tool|function))?)"
_FORBIDS: Final = wordings(
    rf"(?:{NEVER}|{AGENT}{NOT}) {CALL} {_tools('tools')}{TAIL}",
    rf"{_tools('tools')} {NOT} be {CALLED}{TAIL}",
    rf"{STOP} (?:(?:any|all|every) )?(?:calls? (?:to|of)|uses? of) {_tools('tools')}",
    rf"(?:calls? (?:to|of)|use of) {_tools('tools')} (?:is|are) (?:forbidden|prohibited|banned|not"
    rf" allowed|not permitted)",
)
_APPROVES: Final = wordings(
    rf"(?:(?:any |all |every )?calls? (?:to|of) |(?:any |all )?uses? of ){_tools('tools')} {APPROVAL}",
    rf"{_tools('tools')} (?:calls? )?{APPROVAL}",
)
_ALLOWS: Final = wordings(
    rf"(?:you (?:may|can|must|should) )?only {CALL} {_tools('tools')}{TAIL}",
    rf"{AGENT}(?:may|can|must|should) only {CALL} {_tools('tools')}{TAIL}",
    rf"only {_tools('tools')} (?:may|can) be {CALLED}{TAIL}",
)
_WITHIN: Final = wordings(
    rf"{NEVER} {CALL} {TOOL} with (?:an? |the )?`?(?P<name>\w+)`? (?P<limit>.+)",
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
# A name that only a tool has: "call PayPal" and "use e-mail" speak of something else.
IDENTIFIER: Final = re.compile(r"\w_\w|\*")
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


def read_act(wording: str) -> Shape | None:
    """Return the shape of a rule about calls of tools."""
    return _argument(wording) or _calls(wording)


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
