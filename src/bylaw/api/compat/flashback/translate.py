"""Between the contract's policies and ours: one rule in words, in a place, with a risk and an action.

A policy of another shape is shown as well as the contract can: its rules one a line, what it withholds in
words, and one that holds a call for review as one that blocks. What cannot be said so stays as it is when it
is changed, or the change is refused.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from bylaw.api.compat.flashback import wire
from bylaw.api.recommending import Fitting
from bylaw.core.clock import rfc3339
from bylaw.core.errors import Conflict, InvalidInput, Problem
from bylaw.core.ids import RepoId, WorkspaceId
from bylaw.decisions.effects import Occasion
from bylaw.policies import editing
from bylaw.policies.advice.model import Advice
from bylaw.policies.advice.recommend import PlaceKind
from bylaw.policies.model import Action, Content, Mask, NaturalRule, Policy, Risk
from bylaw.policies.wording import asks_for_attention
from bylaw.review import model as review
from bylaw.tenancy.model import Place

_ACTIONS: Final[tuple[Action, ...]] = ("log", "alert", "block")
_ACTION_TYPES: Final[Mapping[Action, wire.ActionType]] = MappingProxyType(
    {"log": 0, "alert": 1, "review": 2, "block": 2}
)
_ALERT_TYPES: Final[Mapping[Action, Literal["log", "alert", "block"]]] = MappingProxyType(
    {"log": "log", "alert": "alert", "review": "block", "block": "block"}
)
_RISKS: Final[Mapping[Risk, Literal["low", "medium", "high"]]] = MappingProxyType(
    {"LOW": "low", "MEDIUM": "medium", "HIGH": "high"}
)
LEVELS: Final[tuple[PlaceKind, ...]] = ("tenant", "workspace", "repo")

# Where a problem of a policy lies in what was sent.
PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rules[0].text": "content",
        "rules[0]": "content",
        "workspace_id": "workspaceId",
        "repo_id": "repoId",
        "last_name": "lastName",
        "org_role": "orgRole",
    }
)


def place_of(workspace_id: str | None, repo_id: str | None) -> Place:
    """Return the place that two ids name; null and nothing name none."""
    return Place(
        workspace_id=WorkspaceId(workspace_id) if workspace_id else None,
        repo_id=RepoId(repo_id) if repo_id else None,
    )


def new_policy(new: wire.FlashbackNewPolicy, *, ident: str) -> editing.NewPolicy:
    """Return the policy that is meant; its rule rejects, however it is worded: the action says the rest."""
    content = {
        "name": new.name,
        "rules": [{"type": "nl", "text": new.content.strip(), "effect": "reject"}],
        "risk": new.risk_type,
        "action": _ACTIONS[new.action_type],
    }
    place = place_of(new.workspace_id, new.repo_id)
    return editing.NewPolicy(content=content, place=place, id=ident)


def changed_fields(policy: Policy, content: Content, change: wire.PolicyChange) -> Mapping[str, object]:
    """Return the fields of `content` that a change of its policy changes.

    Raises: InvalidInput when it names nothing to change, or another place; Conflict (`other_shape`) for a new
    text where it would stand for more than one rule in words.
    """
    _require_same_place(policy, change)
    if (change.name, change.content, change.risk_type, change.action_type) == (None, None, None, None):
        raise InvalidInput("Send at least one of name, content, riskType and actionType.")
    fields: dict[str, object] = {}
    if change.name is not None:
        fields["name"] = change.name
    if change.risk_type is not None:
        fields["risk"] = change.risk_type
    if change.action_type is not None and change.action_type != _ACTION_TYPES[content.action]:
        fields["action"] = _ACTIONS[change.action_type]
    if change.content is not None and change.content.strip() != text_of(content):
        fields["rules"] = [_reworded(content, change.content.strip())]
    return fields


def policy(
    policy: Policy,
    content: Content,
    *,
    people: tuple[wire.Person, wire.Person],
    places: tuple[wire.Named | None, wire.Named | None],
) -> wire.Policy:
    """Return a policy as the contract shows it, made and last changed by `people`, in `places`."""
    return wire.Policy(
        id=policy.id,
        org_id=policy.tenant_id,
        name=content.name,
        content=text_of(content),
        risk_type=content.risk,
        action_type=_ACTION_TYPES[content.action],
        created_by=people[0],
        created_at=rfc3339(policy.created_ms),
        last_updated_by=people[1],
        last_updated_at=rfc3339(policy.updated_ms),
        workspace_id=policy.place.workspace_id,
        repo_id=policy.place.repo_id,
        workspace=places[0],
        repo=places[1],
    )


def text_of(content: Content) -> str:
    """Return everything that `content` demands as text, one thing a line."""
    lines = [rule.text if isinstance(rule, NaturalRule) else rule.expr for rule in content.rules]
    if content.mask is not None:
        lines.append(_withheld(content.mask))
    return "\n".join(lines)


def violation(one: review.Violation) -> wire.Violation:
    """Return a violation as the contract shows it."""
    occasion, names = one.occasion, one.names
    return wire.Violation(
        id=one.id,
        policy_id=one.policy.id,
        policy_name=one.policy.name,
        timestamp=rfc3339(occasion.at_ms),
        explanation=one.explanation,
        conversation_id=occasion.conversation_id or None,
        repo_id=occasion.repo_id,
        repo_name=names.repo,
        user_id=occasion.user_id,
        user_name=names.user,
        repo_ai_api_key_id=occasion.key_id,
        repo_ai_api_key_name=names.key,
        severity=one.policy.risk,
        block=one.block,
        llm_type=_llm_type(occasion),
        llm_model=occasion.model,
        host=occasion.host,
    )


def alert(one: review.Alert) -> wire.Alert:
    """Return an alert as the contract shows it."""
    occasion, names = one.occasion, one.names
    return wire.Alert(
        id=one.id,
        policy_id=one.policy.id,
        policy_name=one.policy.name,
        timestamp=rfc3339(occasion.at_ms),
        message=one.message,
        conversation_id=occasion.conversation_id or None,
        repo_id=occasion.repo_id,
        repo_name=names.repo,
        user_id=occasion.user_id,
        user_name=names.user,
        repo_ai_api_key_id=occasion.key_id,
        repo_ai_api_key_name=names.key,
        llm_type=_llm_type(occasion),
        llm_model=occasion.model,
        host=occasion.host,
    )


def providers_of(llm_types: frozenset[str] | None) -> frozenset[str] | None:
    """Return the providers that are meant by types, which are shown in upper case."""
    if llm_types is None:
        return None
    return frozenset(spelt for each in llm_types for spelt in (each, each.lower(), each.upper()))


def reviewed(draft: wire.Draft, advice: Advice) -> wire.Review:
    """Return the review of a wording as the contract shows it."""
    return wire.Review(
        policy_uuid=draft.policy_uuid,
        score=advice.score,
        advice=advice.advice,
        issues=tuple(
            wire.Issue(type=issue.type, description=issue.description, suggestion=issue.suggestion)
            for issue in advice.issues
        ),
        severity=advice.severity,
    )


def recommended(found: Fitting) -> wire.RecommendedPolicy:
    """Return a policy that fits as the contract shows it."""
    return wire.RecommendedPolicy(
        content=found.content, risk_type=_RISKS[found.risk], alert_type=_ALERT_TYPES[found.action]
    )


def _require_same_place(policy: Policy, change: wire.PolicyChange) -> None:
    """Return nothing if the change leaves the policy where it is. Raises: InvalidInput."""
    stored = {
        "orgId": (change.org_id, policy.tenant_id),
        "workspaceId": (change.workspace_id, policy.place.workspace_id),
        "repoId": (change.repo_id, policy.place.repo_id),
    }
    problems = [
        Problem(
            path=path, code="cannot_change", message="Where a policy holds never changes: make another one."
        )
        for path, (sent, held) in stored.items()
        if sent is not None and sent != held
    ]
    if problems:
        raise InvalidInput(problems[0].message, *problems)


def _reworded(content: Content, text: str) -> Mapping[str, object]:
    """Return the only rule with another text; what a person settled about it stays."""
    rule = content.rules[0] if len(content.rules) == 1 and content.mask is None else None
    if not isinstance(rule, NaturalRule):
        message = (
            "The content of this policy stands for more than one rule in words: change it with"
            " PATCH /v1/policies/{policy_id}."
        )
        raise Conflict(message, reason="other_shape")
    asked = asks_for_attention(rule.text) != rule.attention
    return {
        "type": "nl",
        "id": rule.id,
        "text": text,
        "effect": rule.effect,
        "message": rule.message,
        **({"attention": rule.attention} if asked else {}),
    }


def _withheld(mask: Mask) -> str:
    return f"Withhold {', '.join((*mask.fields, *mask.personal_data))}."


def _llm_type(occasion: Occasion) -> str:
    return occasion.provider.upper()
