"""Rules about what a call of a tool has to be given."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.offline.acts import IDENTIFIER, TOOL, bare
from bylaw.evaluators.offline.calls import Call, is_like, is_named, key_of, leaves, made, may_call
from bylaw.evaluators.offline.grammar import MUST, group, matches, wordings
from bylaw.evaluators.offline.limits import is_blank
from bylaw.evaluators.offline.reading import Reader
from bylaw.evaluators.offline.shape import ABSTAINED, ELSEWHERE, Ruling, Shape, strictest
from bylaw.evaluators.offline.subject import facts_called
from bylaw.evaluators.protocol import EvaluatorBasis
from bylaw.rules.spelling import MISSING, Path

_NAMED: Final = (
    r"(?:an? |the |its )?(?:non-empty |(?P<valid>valid) )?"
    r"(?P<whole>[`'\"]?(?P<name>\w+)[`'\"]?(?: (?:argument|parameter|field))?)"
)
_CALLS: Final = r"(?:(?:any |all |every |each |the )?(?:tool )?(?:calls?|invocations?) (?:to|of) )"
_HAS: Final = (
    rf"(?:{MUST} (?:include|contain|pass|specify)|(?P<loose>{MUST} (?:have|give|be given)|requires?|needs?))"
)
_REQUIRES: Final = wordings(
    rf"{_CALLS}?{TOOL} (?:calls? )?{_HAS} {_NAMED}",
    rf"{_NAMED} is (?P<loose>required|mandatory) (?:for|in) (?:every |any |each |all )?"
    rf"{_CALLS}?{TOOL}(?: calls?)?",
)


# What a call needs that need not be passed to it: "requires authentication" names no argument.
_EXPLICIT: Final = re.compile(r"\w_\w|[`'\"]| (?:argument|parameter|field)$", re.IGNORECASE)
# What people write where they have nothing to say.
_NOTHING: Final = re.compile(
    r"\W*(?:n\W?a|none|null|nil|nothing|tbd|todo|unknown|undefined|x+)?\W*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """Kept when a call of the tool has an argument of that name that says something.

    Missing, it is broken where the rule `is_explicit` that it is an argument; whether what is there
    `is_valid` takes a judge.
    """

    tool: str
    field: str
    is_explicit: bool = True
    is_valid: bool = False

    name = "required"
    basis: EvaluatorBasis = "structured"
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        missing = "missing, the rule is broken" if self.is_explicit else "with it, the rule is kept"
        return f"Looks for the argument {self.field} of a call of {self.tool}; {missing}."

    @property
    def gap(self) -> str:
        """What it leaves to a judge."""
        if self.is_valid:
            return f"Whether {self.field} is valid takes a judge."
        return "" if self.is_explicit else f"Whether {self.field} is an argument takes a judge."

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        calls = made(reader.facts)
        if facts_called(self.tool, reader.facts) or (not calls and may_call(reader.facts)):
            return ABSTAINED
        return strictest([self._of(call) for call in calls], ELSEWHERE)

    def _of(self, call: Call) -> Ruling:
        """Return what one call shows."""
        if not is_named(call, (self.tool,)):
            return ABSTAINED if is_like(call, (self.tool,)) else ELSEWHERE
        if call.arguments is None:
            return ABSTAINED
        value = Path(self.field).find(call.arguments)
        if value is MISSING or is_blank(value):
            is_open = not self.is_explicit or self._is_elsewhere(call.arguments)
            said = f"{self.field} is not there."
            lacks = Ruling(status="violated", rationale=said, evidence=(call.name,))
            return ABSTAINED if is_open else lacks
        if self.is_valid or not any(_says(each) for _, _, each in leaves(value)):
            return ABSTAINED
        return Ruling(status="satisfied", rationale=f"{self.field} is there.", evidence=(call.name,))

    def _is_elsewhere(self, arguments: Mapping[str, object]) -> bool:
        """Return whether it may be passed under another name, or within something else."""
        own = key_of(self.field)
        return any(
            (own in name or own in around) and _says(value) for name, around, value in leaves(arguments)
        )


def _says(value: object) -> bool:
    """Return whether a value says something, and is not written in place of it."""
    return not is_blank(value) and not (isinstance(value, str) and _NOTHING.fullmatch(value))


def read_required(wording: str) -> Shape | None:
    """Return the shape of a rule about what a call has to be given."""
    for found in matches(_REQUIRES, wording):
        if IDENTIFIER.search(found["tool"]):
            return Required(
                tool=bare(found["tool"]),
                field=found["name"],
                is_explicit=not group(found, "loose") or _EXPLICIT.search(found["whole"]) is not None,
                is_valid=bool(group(found, "valid")),
            )
    return None
