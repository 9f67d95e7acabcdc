"""What notices say (`data`), type by type: ids, versions, times, who, and where to read more.

Never what was said to or by an agent, nor why somebody changed something: that is stored where it can be
erased. Fields are only ever added.
"""

from collections.abc import Mapping

import msgspec

from bylaw.policies.model import Action, Risk


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """What every notice says: its place, null for the whole tenant, and paths of this server to read more."""

    workspace_id: str | None
    repo_id: str | None
    links: Mapping[str, str]


class PolicyRef(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a policy; `name` is what the policy is called now, null once it is deleted."""

    id: str
    version: int
    digest: str
    name: str | None


class PolicyTold(_Told, frozen=True, kw_only=True):
    """A policy changed. `by` is who did it, `source` where the policy came from.

    `receipt_id` is the entry of the log that proves it.
    """

    policy: PolicyRef
    by: str
    source: str
    receipt_id: str


class BindingTold(_Told, frozen=True, kw_only=True):
    """An agent is bound to a policy now, or no longer."""

    policy_id: str
    agent_id: str
    by: str
    receipt_id: str


class AppliedRef(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a policy as a decision applied it; of the rules of a request the id is empty."""

    id: str
    version: int
    digest: str
    name: str
    risk: Risk
    action: Action


class DecisionRef(msgspec.Struct, frozen=True, kw_only=True):
    """The decision that something came from; null is what nobody named. `decided_at` is RFC 3339."""

    receipt_id: str
    decided_at: str
    phase: str
    agent_id: str | None
    user_id: str | None
    key_id: str | None
    conversation_id: str | None


class ViolationTold(_Told, frozen=True, kw_only=True):
    """A decision found a policy violated; `explanation` is the policy's own text, `block` what came of it."""

    id: str
    decision: DecisionRef
    policy: AppliedRef
    explanation: str
    block: bool


class AlertTold(_Told, frozen=True, kw_only=True):
    """A policy asked that people be told; `message` is the policy's own text."""

    id: str
    decision: DecisionRef
    policy: AppliedRef
    message: str


class AttentionTold(_Told, frozen=True, kw_only=True):
    """Somebody should look at a decision; `reason` names the policy and what it asks for."""

    id: str
    kind: str
    reason: str
    decision: DecisionRef
    policy: AppliedRef


class ResolvedTold(_Told, frozen=True, kw_only=True):
    """Somebody looked at what needed attention; `decision_receipt_id` is null where no decision asked."""

    id: str
    kind: str
    by: str
    decision_receipt_id: str | None


class RequestTold(_Told, frozen=True, kw_only=True):
    """A tool call waits for a person until `expires_at`; `call_digest` covers its name and arguments."""

    id: str
    tool: str
    call_digest: str
    expires_at: str
    decision: DecisionRef
    policies: tuple[AppliedRef, ...]


class AssignedTold(_Told, frozen=True, kw_only=True):
    """What waits is in the hands of `assignee` now, a person; null says that it is in nobody's."""

    id: str
    assignee: str | None
    by: str
    receipt_id: str


class ApprovalTold(_Told, frozen=True, kw_only=True):
    """What became of a call that waited. `by` is who answered, null for nobody.

    `decision_receipt_id` is the decision that was held, or for `approval.spent` the one that went through.
    """

    id: str
    tool: str
    call_digest: str
    by: str | None
    agent_id: str | None
    decision_receipt_id: str
    receipt_id: str | None


class WebhookTold(_Told, frozen=True, kw_only=True):
    """A webhook was switched off by the server, and why."""

    webhook_id: str
    host: str
    reason: str


class TestTold(_Told, frozen=True, kw_only=True):
    """Somebody tries a webhook."""

    webhook_id: str
    by: str


Told = (
    PolicyTold
    | BindingTold
    | ViolationTold
    | AlertTold
    | AttentionTold
    | ResolvedTold
    | RequestTold
    | AssignedTold
    | ApprovalTold
    | WebhookTold
    | TestTold
)
