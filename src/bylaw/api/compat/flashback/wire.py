"""What goes over the wire about policies, field for field in the order in which the contract shows it.

Input is read leniently: what is not known is passed over, and null is the same as left out. Output is exact.
Reviewing and recommending speak another dialect than the rest: snake_case, lower case, and no `success`.
"""

from typing import Literal

import msgspec

from bylaw.policies.advice.model import IssueType, Severity
from bylaw.policies.model import Risk

ActionType = Literal[0, 1, 2]
Level = Literal[0, 1, 2]


class Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a request or an answer."""


class FlashbackFailure(Wire, frozen=True, kw_only=True):
    """What went wrong, for a person; the stable code is in `X-Error-Code`."""

    success: Literal[False] = False
    message: str


class FlashbackDone(Wire, frozen=True, kw_only=True):
    """It was done."""

    success: Literal[True] = True


class FlashbackConfirmation(Wire, frozen=True, kw_only=True):
    """It was done, in words."""

    success: Literal[True] = True
    message: str


class FlashbackNewPolicy(Wire, frozen=True, kw_only=True):
    """A policy to be made; without a workspace it holds in the whole organisation.

    `actionType`: 0 logs a violation, 1 alerts as well, 2 blocks and alerts.
    """

    name: str
    content: str
    risk_type: Risk
    action_type: ActionType
    org_id: str
    workspace_id: str | None = None
    repo_id: str | None = None


class PolicyChange(Wire, frozen=True, kw_only=True):
    """The fields that are to change, at least one; where it holds never changes."""

    name: str | None = None
    content: str | None = None
    risk_type: Risk | None = None
    action_type: ActionType | None = None
    org_id: str | None = None
    workspace_id: str | None = None
    repo_id: str | None = None


class Person(Wire, frozen=True, kw_only=True):
    """Who did something; a key that speaks for nobody has a name only."""

    id: str
    name: str
    last_name: str
    email: str


class Named(Wire, frozen=True, kw_only=True):
    """A workspace or repo by name."""

    id: str
    name: str


class Policy(Wire, frozen=True, kw_only=True):
    """A policy; without a workspace it holds in the whole organisation."""

    id: str
    org_id: str
    name: str
    content: str
    risk_type: Risk
    action_type: ActionType
    created_by: Person
    created_at: str
    last_updated_by: Person
    last_updated_at: str
    workspace_id: str | None
    repo_id: str | None
    workspace: Named | None
    repo: Named | None


class OnePolicy(Wire, frozen=True, kw_only=True):
    """One policy."""

    success: Literal[True] = True
    policy: Policy


class Policies(Wire, frozen=True, kw_only=True):
    """Policies, newest first."""

    success: Literal[True] = True
    policies: tuple[Policy, ...]


class Violation(Wire, frozen=True, kw_only=True):
    """A policy was violated; names are those of that day, and what was not told is empty."""

    id: str
    policy_id: str
    policy_name: str
    timestamp: str
    explanation: str
    conversation_id: str | None
    repo_id: str
    repo_name: str
    user_id: str
    user_name: str
    repo_ai_api_key_id: str
    repo_ai_api_key_name: str
    severity: Risk | None
    block: bool
    llm_type: str
    llm_model: str
    host: str


class Violations(Wire, frozen=True, kw_only=True):
    """A part of a list; `total` counts all that match."""

    success: Literal[True] = True
    violations: tuple[Violation, ...]
    total: int
    skip: int
    take: int


class Alert(Wire, frozen=True, kw_only=True):
    """A policy asked that people be told; names are those of that day, and what was not told is empty."""

    id: str
    policy_id: str
    policy_name: str
    timestamp: str
    message: str
    conversation_id: str | None
    repo_id: str
    repo_name: str
    user_id: str
    user_name: str
    repo_ai_api_key_id: str
    repo_ai_api_key_name: str
    llm_type: str
    llm_model: str
    host: str


class Alerts(Wire, frozen=True, kw_only=True):
    """A part of a list; `total` counts all that match."""

    success: Literal[True] = True
    alerts: tuple[Alert, ...]
    total: int
    skip: int
    take: int


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A wording to be reviewed; `policy_uuid` is the caller's own and need not name a policy."""

    policy_uuid: str
    content: str


class Drafts(msgspec.Struct, frozen=True, kw_only=True):
    """Wordings to be reviewed."""

    policies: list[Draft]


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend in a wording."""

    type: IssueType
    description: str
    suggestion: str


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """The review of one wording; `score` is between 0 and 100, higher is better."""

    policy_uuid: str
    score: int
    advice: str
    issues: tuple[Issue, ...]
    severity: Severity


class Reviews(msgspec.Struct, frozen=True, kw_only=True):
    """The reviews, in the order of what was sent."""

    results: tuple[Review, ...]


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What policies are wanted for; `level` is 0 for the organisation, 1 a workspace, 2 a repo."""

    level: Level
    uuid: str | None = None
    prompt: str


class RecommendedPolicy(
    msgspec.Struct, frozen=True, kw_only=True, rename={"risk_type": "riskType", "alert_type": "alertType"}
):
    """A policy that fits."""

    content: str
    risk_type: Literal["low", "medium", "high"]
    alert_type: Literal["log", "alert", "block"]


class Recommendations(msgspec.Struct, frozen=True, kw_only=True):
    """Policies that fit, best first; `tokens_in` and `tokens_out` are what a model was paid for it."""

    level: Level
    uuid: str
    tokens_in: int
    tokens_out: int
    recommended_policies: tuple[RecommendedPolicy, ...]
