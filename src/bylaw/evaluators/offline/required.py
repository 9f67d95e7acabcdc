"""Rules about what a call of a tool has to be given."""

from dataclasses import dataclass
from typing import Final

from bylaw.evaluators.offline.acts import IDENTIFIER, TOOL, bare
from bylaw.evaluators.offline.calls import current, is_like, is_named
from bylaw.evaluators.offline.grammar import MUST, matches, wordings
from bylaw.evaluators.offline.limits import is_blank
from bylaw.evaluators.offline.reading import Reader
from bylaw.evaluators.offline.shape import ABSTAINED, ELSEWHERE, Ruling, Shape
from bylaw.evaluators.protocol import EvaluatorBasis
from bylaw.rules.spelling import MISSING, Path

_NAMED: Final = (
    r"(?:an? |the |its )?(?:non-empty |valid )?[`'\"]?(?P<name>\w+)[`'\"]?(?: (?:argument|parameter|field))?"
)
_CALLS: Final = r"(?:(?:any |all |every |each |the )?(?:tool )?(?:calls?|invocations?) (?:to|of) )"
_HAS: Final = rf"(?:{MUST} (?:include|have|contain|give|pass|specify|be given)|requires?|needs?)"
_REQUIRES: Final = wordings(
    rf"{_CALLS}?{TOOL} (?:calls? )?{_HAS} {_NAMED}",
    rf"{_NAMED} is (?:required|mandatory) (?:for|in) (?:every |any |each |all )?{_CALLS}?{TOOL}(?: calls?)?",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Required:
    """Kept when a call of the tool has an argument of that name that says something."""

    tool: str
    field: str

    name = "required"
    basis: EvaluatorBasis = "structured"
    gap = ""
    rewording = ""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""
        return f"Looks for the argument {self.field} of a call of {self.tool}; missing, the rule is broken."

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
        call = current(reader.facts)
        if call is None or not is_named(call, (self.tool,)):
            is_open = is_like(call, (self.tool,)) if call else reader.facts.get("phase") == "decision"
            return ABSTAINED if is_open else ELSEWHERE
        if call.arguments is None:
            return ABSTAINED
        value = Path(self.field).find(call.arguments)
        kept = value is not MISSING and not is_blank(value)
        said = f"{self.field} is {'there' if kept else 'not there'}."
        return Ruling(status="satisfied" if kept else "violated", rationale=said, evidence=(call.name,))


def read_required(wording: str) -> Shape | None:
    """Return the shape of a rule about what a call has to be given."""
    for found in matches(_REQUIRES, wording):
        if IDENTIFIER.search(found["tool"]):
            return Required(tool=bare(found["tool"]), field=found["name"])
    return None
