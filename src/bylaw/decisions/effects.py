"""Effects: what a decision leaves behind for people, as plain rows with deterministic ids.

The rows are committed with the receipt and projected from there, any number of times, to the same result.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from bylaw.core.clock import from_rfc3339
from bylaw.core.ids import RepoId, WorkspaceId
from bylaw.decisions.model import (
    AttentionType,
    Combined,
    Decision,
    Judgement,
    Obligation,
    PolicyResult,
    Request,
    ToolCall,
)
from bylaw.decisions.request import call_digest
from bylaw.policies.model import Action, Outcome, Risk
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Principal

APPROVAL_LASTS_MS: Final = 24 * 60 * 60 * 1000
EXTRA_NAME: Final = "Rules of the request"


class _Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an effect."""


class Occasion(_Row, frozen=True, kw_only=True):
    """The decision that something came from: who, where, when. An empty text means that it was not given.

    `provider` is in lower case, so that it is found however it was written.
    Units: `at_ms` in milliseconds since the epoch.
    """

    tenant_id: str
    receipt_id: str
    at_ms: int
    phase: str
    agent_id: str = ""
    user_id: str = ""
    key_id: str = ""
    conversation_id: str = ""
    workspace_id: str = ""
    repo_id: str = ""
    model: str = ""
    provider: str = ""
    host: str = ""

    @property
    def place(self) -> Place:
        """Where it was decided."""
        return Place(
            workspace_id=WorkspaceId(self.workspace_id) if self.workspace_id else None,
            repo_id=RepoId(self.repo_id) if self.repo_id else None,
        )


class PolicySnapshot(_Row, frozen=True, kw_only=True):
    """A policy version as it was when it was applied; an empty id stands for the rules of the request."""

    id: str
    name: str
    version: int
    digest: str
    risk: Risk
    action: Action


class ViolationEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="violation"):
    """A policy was violated; `block` says whether the call was stopped by it."""

    id: str
    occasion: Occasion
    policy: PolicySnapshot
    explanation: str
    block: bool


class AlertEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="alert"):
    """A policy asked that people be told."""

    id: str
    occasion: Occasion
    policy: PolicySnapshot
    message: str


class AttentionEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="attention"):
    """A person should look: `type` is `approval`, `policy_review` or `escalation` (a rule asks for it)."""

    id: str
    occasion: Occasion
    policy: PolicySnapshot
    type: str
    reason: str


class ApprovalEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="approval"):
    """A tool call waits for an approval, bound to the exact call and to the versions that ask for it."""

    id: str
    occasion: Occasion
    tool: str
    call_digest: str
    policies: tuple[PolicySnapshot, ...]
    reason: str
    expires_ms: int


class EvaluationEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="evaluation"):
    """A model judged rules of a policy for the decision, at this cost in tokens; where it cost none, no row.

    What one call cost is shared by the rules that it was about, each alike. An empty `policy_id` stands for
    the rules of the request.
    """

    id: str
    occasion: Occasion
    tokens_in: int
    tokens_out: int
    policy_id: str = ""


class Passed(_Row, frozen=True, kw_only=True):
    """A call of a model that was passed on through a connection, and what it used in tokens."""

    connection_id: str
    tokens_in: int
    tokens_out: int


class CallEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="call"):
    """A model was called, and the decision is about what it answered."""

    id: str
    occasion: Occasion
    passed: Passed


EffectRow = ViolationEffect | AlertEffect | AttentionEffect | ApprovalEffect | EvaluationEffect | CallEffect


def obligations(request: Request, combined: Combined, receipt_id: str) -> tuple[Obligation, ...]:
    """Return what has to follow, in the order of the policies; `receipt_id` is empty on a dry run."""
    if not combined.attention and "review" not in (
        combined.extra_outcome,
        *[policy.outcome for policy in combined.policies],
    ):
        return ()
    found: list[Obligation] = []
    held = combined.outcome == "review" and is_approvable(request)
    if held:
        reason = "The call waits for a person's approval."
        found.append(Obligation(kind="approval", id=_ident("apr", receipt_id), reason=reason))
    asking = [(policy.id, policy.name, policy.outcome) for policy in combined.policies]
    asking.append(("", EXTRA_NAME, combined.extra_outcome))
    for position, (ident, name, outcome) in enumerate(asking):
        if outcome == "review" or ident in combined.attention:
            review: AttentionType = "approval" if held else "policy_review"
            kind = review if outcome == "review" else "escalation"
            found.append(
                Obligation(
                    kind="attention",
                    id=_ident("att", receipt_id, position),
                    reason=f"{name}: {_ASKS[kind]}",
                    policy_id=ident,
                    type=kind,
                )
            )
    return tuple(found)


_ASKS: Final[Mapping[AttentionType, str]] = {
    "approval": "the call waits for a person's approval.",
    "policy_review": "a person should review the decision.",
    "escalation": "a rule asks for a person.",
}


def is_approvable(request: Request) -> bool:
    """Return whether the request is a tool call that a person can approve."""
    return request.phase == "tool_call" and isinstance(request.tool_call, ToolCall)


def effects_of(
    decision: Decision,
    request: Request,
    caller: Principal,
    *,
    passed: Passed | None = None,
    approval_lasts_ms: int = APPROVAL_LASTS_MS,
) -> tuple[EffectRow, ...]:
    """Return what the decision leaves behind; nothing on a dry run. The same decision leaves the same rows.

    `passed` is the call of a model whose answer it is about, where we made that call.
    Units: `approval_lasts_ms` in milliseconds from the decision.
    """
    if decision.receipt_id is None:
        return ()
    occasion = _occasion(decision, decision.receipt_id, request, caller)
    rows: list[EffectRow] = list(_told(decision.policies, occasion))
    snapshots = {policy.id: snapshot(policy) for policy in decision.policies}
    snapshots[""] = extra_snapshot(decision)
    for obligation in decision.obligations:
        if obligation.kind == "approval" and isinstance(request.tool_call, ToolCall):
            rows.append(
                ApprovalEffect(
                    id=obligation.id,
                    occasion=occasion,
                    tool=request.tool_call.name,
                    call_digest=call_digest(request.tool_call),
                    policies=holding(decision),
                    reason=" ".join(decision.reasons),
                    expires_ms=occasion.at_ms + approval_lasts_ms,
                )
            )
        else:
            rows.append(
                AttentionEffect(
                    id=obligation.id,
                    occasion=occasion,
                    policy=snapshots[obligation.policy_id],
                    type=obligation.type,
                    reason=obligation.reason,
                )
            )
    rows += _spent(decision, occasion)
    if passed is not None:
        rows.append(CallEffect(id=_ident("cal", occasion.receipt_id), occasion=occasion, passed=passed))
    return tuple(rows)


def holding(decision: Decision) -> tuple[PolicySnapshot, ...]:
    """Return the policies that hold the decision for review: what an approval of it is bound to."""
    held = [snapshot(policy) for policy in decision.policies if policy.outcome == "review"]
    if any(each.kind == "attention" and each.policy_id == "" for each in decision.obligations):
        held.append(extra_snapshot(decision))
    return tuple(held)


def snapshot(policy: PolicyResult) -> PolicySnapshot:
    """Return the policy version as it was applied."""
    return PolicySnapshot(
        id=policy.id,
        name=policy.name,
        version=policy.version,
        digest=policy.digest,
        risk=policy.risk,
        action=policy.action,
    )


def extra_snapshot(decision: Decision) -> PolicySnapshot:
    """Return the rules of the request, as the one policy that they have the effect of."""
    return PolicySnapshot(
        id="", name=EXTRA_NAME, version=0, digest=decision.extra_rules_digest, risk="HIGH", action="block"
    )


_TELLS: Final[frozenset[Outcome]] = frozenset({"flag", "review", "block"})


def _told(policies: Iterable[PolicyResult], occasion: Occasion) -> Iterator[EffectRow]:
    """Yield a violation for each violated policy, and an alert for each that asks for more than a log."""
    for position, policy in enumerate(policies):
        if policy.status == "violated":
            yield ViolationEffect(
                id=_ident("vio", occasion.receipt_id, position),
                occasion=occasion,
                policy=snapshot(policy),
                explanation=_said(policy, "violated"),
                block=policy.outcome == "block",
            )
        if policy.outcome in _TELLS:
            yield AlertEffect(
                id=_ident("alr", occasion.receipt_id, position),
                occasion=occasion,
                policy=snapshot(policy),
                message=_said(policy, "violated", "flagged", "indeterminate"),
            )


def _spent(decision: Decision, occasion: Occasion) -> Iterator[EffectRow]:
    """Yield what the evaluators of the decision cost, by policy; what was kept from before costs nothing."""
    shares: Counter[tuple[str, str]] = Counter()
    for judgement, times in Counter([each for each in decision.evaluators if not each.cached]).items():
        asked = [*_about(decision, judgement)] or [""]
        for name in ("tokens_in", "tokens_out"):
            whole = times * getattr(judgement, name)
            for n, ident in enumerate(asked):
                # The first rules have what does not divide: all shares together are the whole.
                shares[ident, name] += whole // len(asked) + (n < whole % len(asked))
    for position, ident in enumerate(dict.fromkeys(ident for ident, _ in shares)):
        tokens_in, tokens_out = shares[ident, "tokens_in"], shares[ident, "tokens_out"]
        if tokens_in or tokens_out:
            yield EvaluationEffect(
                id=_ident("evl", occasion.receipt_id, position),
                occasion=occasion,
                tokens_in=tokens_in,
                tokens_out=tokens_out,
                policy_id=ident,
            )


def _about(decision: Decision, judgement: Judgement) -> Iterator[str]:
    """Yield the policy of each rule that a judgement was about, nothing for one of the request."""
    owned = [(policy.id, policy.rules) for policy in decision.policies]
    for ident, rules in (*owned, ("", decision.extra_rules)):
        yield from (ident for rule in rules if rule.judgement == judgement)


def _said(policy: PolicyResult, *statuses: str) -> str:
    """Return what the rules say; never an evaluator's rationale, which may quote what is erased later."""
    said = [rule.message for rule in policy.rules if rule.status in statuses]
    if policy.mask is not None and "indeterminate" in statuses:
        said.append(policy.mask.message)
    return " ".join(filter(None, said))


def _occasion(decision: Decision, receipt_id: str, request: Request, caller: Principal) -> Occasion:
    return Occasion(
        tenant_id=caller.tenant_id,
        receipt_id=receipt_id,
        at_ms=from_rfc3339(decision.decided_at),
        phase=request.phase,
        agent_id=request.agent_id or "",
        user_id=request.user_id or caller.user_id or "",
        key_id=caller.id if caller.kind == "key" else "",
        conversation_id=request.conversation_id or "",
        workspace_id=decision.workspace_id or "",
        repo_id=decision.repo_id or "",
        model=request.model or "",
        provider=(request.provider or "").lower(),
        host=request.host or "",
    )


def _ident(prefix: str, receipt_id: str, position: int | None = None) -> str:
    """Return the id of an effect, made from the receipt's; empty when there is none."""
    if not receipt_id:
        return ""
    tail = "" if position is None else f"_{position}"
    return f"{prefix}_{receipt_id.removeprefix('rcpt_')}{tail}"
