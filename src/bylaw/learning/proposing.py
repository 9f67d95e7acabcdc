"""Proposals: policies that wait for review, made of what a run found. Nothing here is ever in force."""

from dataclasses import replace
from typing import Final

from bylaw.core.errors import InvalidInput, RuleSyntax
from bylaw.learning.mining.model import Draft, Kind
from bylaw.learning.report import Finding, Run
from bylaw.policies.editing import NewPolicy, create_policy
from bylaw.policies.lifecycle import decide_policy
from bylaw.policies.model import Policy, Source
from bylaw.policies.store import PolicyUnit
from bylaw.tenancy.principal import Acting, system_principal

SOURCE_TYPE: Final = "learning_loop"
_MAX_NAME: Final = 80
_WITHDRAWN: Final = "Withdrawn: the conversations on which it rests were forgotten."
_SHOWN: Final[dict[Kind, str]] = {
    "correction": "A person who took over from the agent said so",
    "outcome": "The outcome that a person wrote says so",
    "reason": "The agent gave it as the reason of a refusal",
    "statement": "The agent stated it",
    "question": "The agent asked for it before it went on",
    "refusal": "A tool refused calls for this reason",
    "habit": "Calls of tools that succeeded keep to it",
    "limit": "Calls of tools that succeeded reach it and never go beyond",
    "model": "A model drafted it from what was said",
}


async def withdraw(acting: Acting[PolicyUnit], policy: Policy) -> None:
    """Store that a proposal is withdrawn if it waits for review: what it rests on was forgotten."""
    if policy.status == "pending_review" and policy.deleted_ms is None:
        by_us = replace(acting, principal=system_principal(policy.tenant_id))
        await decide_policy(by_us, policy.id, "reject", reason=_WITHDRAWN)


def is_withdrawn(policy: Policy) -> bool:
    """Return whether a policy was withdrawn: no person rejected it, so that it may be proposed again."""
    by_us = policy.decided_by == system_principal(policy.tenant_id).actor
    return by_us and policy.status == "rejected" and policy.decided_reason == _WITHDRAWN


async def propose(acting: Acting[PolicyUnit], run: Run, finding: Finding) -> Finding:
    """Store the policy that proposes a finding, and return it with the policy's id, or why there is none."""
    draft = finding.draft
    source = Source(
        type=SOURCE_TYPE,
        conversation_id=draft.supports[0] if draft.supports else None,
        confidence=draft.confidence,
        rationale=rationale(finding),
        evidence=tuple(each.text for each in draft.quotes),
    )
    new = NewPolicy(
        content=content(draft),
        place=run.place,
        source=source,
        status="pending_review",
        reason=f"Proposed by the learning loop, run {run.id}.",
    )
    try:
        made = await create_policy(acting, new)
    except (InvalidInput, RuleSyntax) as error:
        return replace(finding, held_back="unstorable", notes=(*finding.notes, error.message))
    return replace(finding, policy_id=made.policy.id)


def content(draft: Draft) -> dict[str, object]:
    """Return what a proposal says, as plain data. A person reviews what it finds until it was approved."""
    rule: dict[str, object] = {"text": draft.text}
    if draft.expr:
        rule = {"expr": draft.expr, "message": draft.text}
    examples = [
        {"name": f"{each.name} ({number})", "expect": each.expect, "request": dict(each.request)}
        for number, each in enumerate(draft.examples, 1)
    ]
    name = draft.text if len(draft.text) <= _MAX_NAME else f"{draft.text[: _MAX_NAME - 1].rsplit(' ', 1)[0]}…"
    whole: dict[str, object] = {"name": name, "rules": [rule], "examples": examples}
    if draft.topic:
        whole["topic"] = draft.topic
    if draft.expr:
        whole["conditions"] = {"phase": "tool_call"}
    return whole


def rationale(finding: Finding) -> str:
    """Return why a rule is proposed, in sentences: what shows it, what speaks against it, and the notes."""
    draft = finding.draft
    count = len(draft.supports)
    told = [f"{_SHOWN[draft.kind]}, in {count} conversation{'' if count == 1 else 's'}."]
    if draft.against:
        told.append(f"{draft.against} show otherwise.")
    if draft.tried is not None:
        tried = draft.tried
        told.append(
            f"Tried on recorded calls: {tried.satisfied} keep to it, {tried.violated} do not,"
            f" {tried.undecided} cannot be told."
        )
    return " ".join([*told, *finding.notes])
