"""What people look at: violations, alerts, attention items and what evaluations cost, as values."""

from dataclasses import dataclass
from typing import Literal

from bylaw.core.ids import UserId
from bylaw.decisions.effects import Occasion, PolicySnapshot

AttentionStatus = Literal["open", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the repo, the user and the key of an occasion were called when it was first listed.

    Empty is what nobody knows by a name.
    """

    repo: str = ""
    user: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A policy version was violated by one decision; `block` says whether the call was stopped by it."""

    id: str
    occasion: Occasion
    policy: PolicySnapshot
    explanation: str
    block: bool
    names: Names = Names()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A policy version asked that people be told about one decision."""

    id: str
    occasion: Occasion
    policy: PolicySnapshot
    message: str
    names: Names = Names()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the model that judged rules for one decision cost for one policy, in tokens.

    An empty `policy_id` stands for the rules of the request.
    """

    id: str
    occasion: Occasion
    tokens_in: int
    tokens_out: int
    policy_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """A call of a model that the gateway passed on, and what it used in tokens."""

    id: str
    occasion: Occasion
    connection_id: str
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionItem:
    """Something that a person should look at.

    `type` is `approval`, `policy_review`, `escalation`, or a word of whoever raised it. `occasion` holds the
    time and the place; `policy` is None when no policy raised it. `assignee` is the person who sees to it.
    `resolved_reason` says what was done. `revision` rises with every change.
    """

    id: str
    occasion: Occasion
    policy: PolicySnapshot | None
    type: str
    reason: str
    status: AttentionStatus = "open"
    resolved_by: str | None = None
    resolved_ms: int | None = None
    resolved_reason: str | None = None
    assignee: UserId | None = None
    revision: int = 1
