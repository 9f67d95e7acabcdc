"""What a recognised wording is: it says how it is checked, and rules on facts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from bylaw.evaluators.offline.reading import Reader
from bylaw.evaluators.protocol import AnswerStatus, EvaluatorBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What was shown about a rule, and by which quotes; `code` says why nothing was."""

    status: AnswerStatus
    rationale: str = ""
    evidence: tuple[str, ...] = ()
    code: str = ""


ABSTAINED: Final = Ruling(status="indeterminate", code="abstained")
TOO_LONG: Final = Ruling(status="indeterminate", code="too_long")
ELSEWHERE: Final = Ruling(status="not_applicable", rationale="No tool is called that it speaks of.")
COVERED: Final = "Whether an approval that the facts speak of covers the call takes a judge."
ASIDE: Final = Ruling(
    status="not_applicable", rationale="It speaks of the answer, and nothing is answered yet."
)
# What does not apply counts only when nothing else does.
_STRICTEST: Final = ("violated", "indeterminate", "satisfied", "not_applicable")


def strictest(rulings: Iterable[Ruling], nothing: Ruling) -> Ruling:
    """Return the strictest of several rulings, `nothing` when there is none."""
    return min(rulings, key=lambda ruling: _STRICTEST.index(ruling.status), default=nothing)


class Shape(Protocol):
    """A wording that was recognised in full, as something that can be looked up in facts."""

    @property
    def name(self) -> str:
        """One word for the kind of wording."""

    @property
    def basis(self) -> EvaluatorBasis:
        """On what its rulings rest."""

    @property
    def how(self) -> str:
        """One sentence that names what is looked for, and where."""

    @property
    def gap(self) -> str:
        """What it leaves to a judge; empty when it decides whatever it can read."""

    @property
    def rewording(self) -> str:
        """A wording near it that would leave less to a judge; empty when there is none."""

    async def rule(self, reader: Reader) -> Ruling:
        """Return what the facts show."""
