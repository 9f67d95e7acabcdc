"""Every type of notice there is, with what it means and an example; and which types a webhook wants."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, get_args

from bylaw.core.errors import InvalidInput, Problem
from bylaw.notify.told import (
    AlertTold,
    AppliedRef,
    ApprovalTold,
    AssignedTold,
    AttentionTold,
    BindingTold,
    DecisionRef,
    PolicyRef,
    PolicyTold,
    RequestTold,
    ResolvedTold,
    TestTold,
    Told,
    ViolationTold,
    WebhookTold,
)
from bylaw.policies.entries import Change

MOST_TYPES: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeType:
    """A type of notice: what happened, and what is said of it."""

    text: str
    example: Told


_POLICY: Final = "pol_01M7Z5P01F4RC8MEN98Y4PJ4HV"
_DIGEST: Final = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
_RECEIPT: Final = "rcpt_01M7Z5QF2V6W6N9D8K1B3A4C5E"
_ENTRY: Final = "rcpt_019a8d3e-7c11-7b52-9d53-1c2f0a6b7e10"
_TOLD_LINKS: Final = {"policy": f"/v1/policies/{_POLICY}", "receipt": f"/v1/receipts/{_ENTRY}"}
_DECISION_LINKS: Final = {"policy": f"/v1/policies/{_POLICY}", "receipt": f"/v1/receipts/{_RECEIPT}"}

_APPLIED: Final = AppliedRef(
    id=_POLICY, version=3, digest=_DIGEST, name="Invoice approval", risk="HIGH", action="review"
)
_DECISION: Final = DecisionRef(
    receipt_id=_RECEIPT,
    decided_at="2026-11-21T09:30:00.000Z",
    phase="tool_call",
    agent_id="refund-agent-7",
    user_id=None,
    key_id="019a8d3e-7c11-7b52-9d53-1c2f0a6b7e11",
    conversation_id="conv-8841",
)


def _policy() -> PolicyTold:
    return PolicyTold(
        workspace_id="support-eu",
        repo_id=None,
        links=_TOLD_LINKS,
        policy=PolicyRef(id=_POLICY, version=3, digest=_DIGEST, name="Invoice approval"),
        by="user:ada",
        source="manual",
        receipt_id=_ENTRY,
    )


def _binding() -> BindingTold:
    return BindingTold(
        workspace_id="support-eu",
        repo_id=None,
        links=_TOLD_LINKS,
        policy_id=_POLICY,
        agent_id="refund-agent-7",
        by="user:ada",
        receipt_id=_ENTRY,
    )


def _approval(by: str | None, receipt_id: str | None = _ENTRY) -> ApprovalTold:
    return ApprovalTold(
        workspace_id="support-eu",
        repo_id=None,
        links={"approval": "/v1/approvals/apr_01M7Z5QF2V6W6N9D8K1B3A4C5E"},
        id="apr_01M7Z5QF2V6W6N9D8K1B3A4C5E",
        tool="pay_invoice",
        call_digest=_DIGEST,
        by=by,
        agent_id="refund-agent-7",
        decision_receipt_id=_RECEIPT,
        receipt_id=receipt_id,
    )


def _assigned(noun: str, path: str, ident: str) -> AssignedTold:
    return AssignedTold(
        workspace_id="support-eu",
        repo_id=None,
        links={noun: f"/v1/{path}/{ident}", "receipt": f"/v1/receipts/{_ENTRY}"},
        id=ident,
        assignee="ada",
        by="user:grace",
        receipt_id=_ENTRY,
    )


_CHANGES: Final[Mapping[Change, str]] = MappingProxyType(
    {
        "created": "A policy was made, and is in force unless it is switched off.",
        "proposed": "A policy, or an edit of one, waits for approval. The learning loop's have its `source`.",
        "edited": "A policy has a new version, in force at once.",
        "approved": "A proposed policy or version was approved.",
        "rejected": "A proposed policy or version was rejected.",
        "archived": "A policy was archived, and is in force no more.",
        "restored": "An archived policy is approved again.",
        "activated": "A policy was switched on.",
        "deactivated": "A policy was switched off.",
        "reach_changed": "A policy governs its whole place now, or only the agents bound to it.",
        "moved": "A policy lies in another place now, which is the one that is told.",
        "deleted": "A policy was deleted.",
        "undeleted": "A deleted policy is back, switched off.",
    }
)

TYPES: Final[Mapping[str, NoticeType]] = MappingProxyType(
    {
        **{f"policy.{each}": NoticeType(text=_CHANGES[each], example=_policy()) for each in get_args(Change)},
        "policy.bound": NoticeType(text="An agent was bound to a policy.", example=_binding()),
        "policy.unbound": NoticeType(text="An agent is bound to a policy no longer.", example=_binding()),
        "violation.created": NoticeType(
            text="A decision found a policy violated.",
            example=ViolationTold(
                workspace_id="support-eu",
                repo_id=None,
                links=_DECISION_LINKS,
                id="vio_01M7Z5QF2V6W6N9D8K1B3A4C5E_0",
                decision=_DECISION,
                policy=_APPLIED,
                explanation="Above 5,000 a person approves.",
                block=False,
            ),
        ),
        "alert.created": NoticeType(
            text="A policy asked that people be told of a decision.",
            example=AlertTold(
                workspace_id="support-eu",
                repo_id=None,
                links=_DECISION_LINKS,
                id="alr_01M7Z5QF2V6W6N9D8K1B3A4C5E_0",
                decision=_DECISION,
                policy=_APPLIED,
                message="Above 5,000 a person approves.",
            ),
        ),
        "attention.created": NoticeType(
            text="A person should look at a decision.",
            example=AttentionTold(
                workspace_id="support-eu",
                repo_id=None,
                links={**_DECISION_LINKS, "attention": "/v1/attention/att_01M7Z5QF2V6W6N9D8K1B3A4C5E_0"},
                id="att_01M7Z5QF2V6W6N9D8K1B3A4C5E_0",
                kind="approval",
                reason="Invoice approval: the call waits for a person's approval.",
                decision=_DECISION,
                policy=_APPLIED,
            ),
        ),
        "attention.assigned": NoticeType(
            text="What needs attention is in the hands of a person now, or in nobody's any more.",
            example=_assigned("attention", "attention", "att_01M7Z5QF2V6W6N9D8K1B3A4C5E_0"),
        ),
        "attention.resolved": NoticeType(
            text="A person looked at what needed attention.",
            example=ResolvedTold(
                workspace_id="support-eu",
                repo_id=None,
                links={**_DECISION_LINKS, "attention": "/v1/attention/att_01M7Z5QF2V6W6N9D8K1B3A4C5E_0"},
                id="att_01M7Z5QF2V6W6N9D8K1B3A4C5E_0",
                kind="approval",
                by="user:ada",
                decision_receipt_id=_RECEIPT,
            ),
        ),
        "approval.requested": NoticeType(
            text="A tool call waits for a person's approval.",
            example=RequestTold(
                workspace_id="support-eu",
                repo_id=None,
                links={**_DECISION_LINKS, "approval": "/v1/approvals/apr_01M7Z5QF2V6W6N9D8K1B3A4C5E"},
                id="apr_01M7Z5QF2V6W6N9D8K1B3A4C5E",
                tool="pay_invoice",
                call_digest=_DIGEST,
                expires_at="2026-11-22T09:30:00.000Z",
                decision=_DECISION,
                policies=(_APPLIED,),
            ),
        ),
        "approval.assigned": NoticeType(
            text="A call that waits is in the hands of a person now, or in nobody's any more.",
            example=_assigned("approval", "approvals", "apr_01M7Z5QF2V6W6N9D8K1B3A4C5E"),
        ),
        "approval.approved": NoticeType(
            text="A person approved the call that waited.", example=_approval("user:ada")
        ),
        "approval.refused": NoticeType(
            text="A person refused the call that waited.", example=_approval("user:ada")
        ),
        "approval.spent": NoticeType(
            text="The approved call was made, and the approval is used up.", example=_approval("user:ada")
        ),
        "approval.expired": NoticeType(
            text="The call waited too long, or was approved and not made in time.",
            example=_approval(None, None),
        ),
        "webhook.disabled": NoticeType(
            text="The server switched a webhook off: its receiver is gone, or failed for days.",
            example=WebhookTold(
                workspace_id=None,
                repo_id=None,
                links={"webhook": "/v1/webhooks/019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12"},
                webhook_id="019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12",
                host="hooks.example.com",
                reason="Nothing was delivered for 5 days.",
            ),
        ),
        "webhook.test": NoticeType(
            text="Somebody tries this webhook; sent whatever types it wants.",
            example=TestTold(
                workspace_id=None,
                repo_id=None,
                links={"webhook": "/v1/webhooks/019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12"},
                webhook_id="019a8d3e-7c11-7b52-9d53-1c2f0a6b7e12",
                by="user:ada",
            ),
        ),
    }
)
WILDCARDS: Final = ("*", *sorted({f"{each.partition('.')[0]}.*" for each in TYPES}))


def checked_types(words: Sequence[str], *, path: str = "types") -> tuple[str, ...]:
    """Return the types that are wanted, each once; none means all.

    Raises: InvalidInput that names every unknown one, with the type it resembles.
    """
    problems = [
        Problem(path=f"{path}[{index}]", code="unknown_type", message=_unknown(word))
        for index, word in enumerate(words)
        if word not in TYPES and word not in WILDCARDS
    ]
    if len(words) > MOST_TYPES:
        problems.append(Problem(path=path, code="too_many", message=f"At most {MOST_TYPES} types."))
    if problems:
        raise InvalidInput("The types of notices are not usable.", *problems)
    return tuple(dict.fromkeys(words)) or ("*",)


def wants(types: Iterable[str], kind: str) -> bool:
    """Return whether a notice of `kind` is among `types`, which may be wildcards."""
    return not {"*", kind, f"{kind.partition('.')[0]}.*"}.isdisjoint(types)


def _unknown(word: str) -> str:
    known = (*TYPES, *WILDCARDS)
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"use one of {', '.join(known)}."
    return f"{word[:60]!r} is not a type of notice; {hint}"
