"""What a review of wording says: issues with their places, a score, and one sentence."""

from dataclasses import dataclass
from typing import Literal

IssueType = Literal["ambiguity", "verbosity", "clarity", "scope", "actionability"]
Severity = Literal["none", "low", "medium", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing to mend in a wording.

    `code` is the stable name of the check. Units: `start` and `end` count code points of the text.
    """

    type: IssueType
    code: str
    severity: Severity
    start: int
    end: int
    description: str
    suggestion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The review of one text: `score` is between 0 and 100, higher is better; issues in reading order."""

    score: int
    severity: Severity
    advice: str
    issues: tuple[Issue, ...]
