"""Runs of the learning loop as values: over what, with which settings, and what became of every draft."""

from dataclasses import dataclass, field
from typing import Final, Literal, NewType

from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.learning.mining.model import Draft
from bylaw.tenancy.model import Place

RunId = NewType("RunId", str)
MinerName = Literal["offline", "model"]
Cause = Literal["resolved", "imported", "asked"]
RunStatus = Literal["waiting", "running", "finished", "failed"]
Why = Literal["duplicate", "rejected_before", "weak", "too_many", "unstorable", "forgotten"]

# In these a run is still to be carried out, or goes on.
UNFINISHED: Final = frozenset[RunStatus]({"waiting", "running"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How a workspace learns.

    `similarity`: from which on two rules say the same. `suppress_days`: for how long a rejected rule is not
    proposed again. `most_per_conversation`: how many proposals one conversation may bear at once.
    `keep_days`: how long after its beginning a conversation that is over is kept; 0 is for good.
    """

    enabled: bool = True
    minimum_confidence: float = 0.5
    most_per_conversation: int = 3
    suppress_days: int = 180
    similarity: float = 0.85
    miner: MinerName = "offline"
    keep_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningSettings:
    """The choices of one workspace, whose id it bears; without a row they are the defaults."""

    id: WorkspaceId
    tenant_id: TenantId
    choices: Choices = field(default_factory=Choices)
    created_ms: int
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What became of a draft: the policy that proposes it, or why it is held back and because of which.

    `notes` are what a reviewer should know: a policy in force that says otherwise, one that is near, a
    permission.
    """

    draft: Draft
    policy_id: str | None = None
    held_back: Why | None = None
    because_of: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run read and found. `miner` says who drafted, `note` what did not go as it should."""

    miner: str
    embedder: str
    read: int
    findings: tuple[Finding, ...] = ()
    note: str = ""

    @property
    def drawn_on(self) -> frozenset[str]:
        """The conversations that its findings show, and whose words are in them."""
        return frozenset[str]().union(*(each.draft.drawn_on for each in self.findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One pass over the resolved conversations of a workspace, or what one of them bears among the others.

    A dry run proposes nothing: its findings say what it would. One that failed was given up by its job.
    """

    id: RunId
    tenant_id: TenantId
    place: Place
    cause: Cause
    conversation_id: str | None = None
    dry_run: bool = False
    status: RunStatus = "waiting"
    asked_by: str
    report: Report | None = None
    created_ms: int
    finished_ms: int | None = None
    revision: int = 1
