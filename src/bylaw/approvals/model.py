"""An approval as a value: one human answer to one exact tool call."""

from dataclasses import dataclass
from typing import Literal

from bylaw.core.ids import UserId
from bylaw.decisions.effects import Occasion, PolicySnapshot

ApprovalStatus = Literal["pending", "approved", "refused", "spent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApproval:
    """A tool call that waits for a human, or what became of it.

    `call_digest` covers the name and the arguments of the call; `policies` are the versions that asked for
    the review. It is good for the agent, place and conversation of its `occasion`, until `expires_ms`, once:
    `spent_on` is the receipt of the decision that used it. `assignee` is the person who sees to it.
    `revision` rises with every change.
    Units: milliseconds since the epoch.
    """

    id: str
    occasion: Occasion
    tool: str
    call_digest: str
    policies: tuple[PolicySnapshot, ...]
    reason: str
    expires_ms: int
    status: ApprovalStatus = "pending"
    decided_by: str | None = None
    decided_ms: int | None = None
    decided_reason: str | None = None
    spent_on: str | None = None
    spent_ms: int | None = None
    assignee: UserId | None = None
    revision: int = 1
