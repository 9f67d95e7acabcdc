"""Steps 1 and 2 of a decision: which policies apply, and why each of them does.

1. select   Policies that govern the place of the request, or that of its agent, of the topics that are given
            or without one; and the policy bound to the agent, or the one that is named in its stead. Topics
            to which routing led leave out none that is firm.
2. apply    Conditions: a policy whose conditions do not hold is left out. Undetermined ones never leave it
out.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from bylaw.core.errors import Conflict, InvalidInput, NotFound, Problem
from bylaw.decisions.compiled import Applied, CompiledPolicy
from bylaw.decisions.model import ConditionResult, Object, OptionalId, Request, Routed, Via
from bylaw.decisions.request import facts_of, text_of
from bylaw.decisions.snapshot import Snapshot, Standing
from bylaw.policies.model import topic_key
from bylaw.rules import Budget
from bylaw.tenancy.model import EVERYWHERE, Place, overlap
from bylaw.tenancy.principal import Principal

ASKING_SCOPE: Final = "decisions:write"
NAMED_SCOPE: Final = "policy:write"
# What the conditions of one decision may look at; beyond that they are undetermined.
CONDITION_STEPS: Final = 50_000


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is judged by, over which facts.

    `revision` is that of the snapshot; `named` is the policy that is named or bound. `lacks_policy`: one is
    required, and none that applies counts.
    """

    revision: int
    standing: Standing
    facts: Object
    applied: tuple[Applied, ...]
    named: str | None
    lacks_policy: bool


def select(snapshot: Snapshot, request: Request, caller: Principal) -> Selection:
    """Return what `request` is judged by, sorted by policy id.

    Raises: NotFound for an unknown place or policy; Conflict (`policy_inactive`) for one that is not in
    force; Forbidden when another policy than the agent's bound one is named without the scope for it.
    """
    standing = standing_of(snapshot, request)
    facts = facts_of(request)
    is_plain = not (request.policy_id or request.topics or request.routed)
    if standing.certain is not None and is_plain:
        named, applied = standing.bound, standing.certain
        lacks_policy = standing.requires_policy and not applied
    else:
        named = special(snapshot, standing, request, caller)
        applied = _found(standing, request, facts, named)
        lacks_policy = standing.requires_policy and not any(
            _counts(snapshot, each, caller, standing.place) for each in applied
        )
    return Selection(
        revision=snapshot.revision,
        standing=standing,
        facts=facts,
        applied=applied,
        named=None if named is None else named.policy.id,
        lacks_policy=lacks_policy,
    )


def standing_of(snapshot: Snapshot, request: Request) -> Standing:
    """Return where a request stands. Raises: NotFound for an unknown place."""
    return snapshot.standing(_sent(request.agent_id), _sent(request.workspace_id), _sent(request.repo_id))


def _found(standing: Standing, request: Request, facts: Object, named: Applied | None) -> tuple[Applied, ...]:
    """Return what applies, sorted by id: what is named, and what governs the place and these facts."""
    topics, alike = topics_of(request), alike_of(request)
    seen = _Seen(facts, lazy_text(request), Budget(CONDITION_STEPS))
    found = [] if named is None else [_applied(named.policy, named.via, seen)]
    for table in standing.tables:
        found += [
            _applied(policy, "place", seen)
            for policy in (table.find(facts, topics) if alike is None else table.find_alike(facts, alike))
            if named is None or policy is not named.policy
        ]
    return tuple(sorted([each for each in found if each is not None], key=_by_id))


def _counts(snapshot: Snapshot, applied: Applied, caller: Principal, place: Place) -> bool:
    """Return whether a policy is one that was required: not one that governs nobody until it is named.

    Otherwise whoever may ask could lift the requirement by naming any; choosing takes the scope for it.
    """
    return (
        applied.via != "explicit"
        or snapshot.entries[applied.policy.id].reach == "place"
        or caller.may(NAMED_SCOPE, place)
    )


class _Seen(msgspec.Struct, frozen=True):
    """What the conditions of a decision look at, and how much more of it they may."""

    facts: Object
    text: Callable[[], str]
    budget: Budget


def _applied(policy: CompiledPolicy, via: Via, seen: _Seen) -> Applied | None:
    """Return the policy as it applies, None when its conditions do not hold."""
    if not policy.conditions.any_at_all:
        return policy.applied[via]
    found = policy.conditions.evaluate(seen.facts, seen.text, seen.budget)
    if found.state == "applies":
        return policy.applied[via]
    if found.state == "does_not_apply":
        return None
    conditions = ConditionResult(state="undetermined", missing=found.missing, unclear=found.unclear)
    return Applied(policy, via, conditions)


def placed(snapshot: Snapshot, request: Request, caller: Principal) -> Request:
    """Return `request` where the caller may ask: at the place it names, or at the one of theirs inside that.

    So a key that is limited to a workspace cannot leave its policies behind by naming no place, or another.
    Raises: NotFound for a place in which the caller may not ask; InvalidInput when it has to be named.
    """
    if caller.may(ASKING_SCOPE, EVERYWHERE):
        return request
    workspace_id, repo_id = _sent(request.workspace_id), _sent(request.repo_id)
    named = snapshot.around(workspace_id, repo_id)[-1]
    inside = overlap((named,), caller.places(ASKING_SCOPE))
    if not inside:
        raise NotFound("workspace", workspace_id or "") if repo_id is None else NotFound("repo", repo_id)
    if len(inside) > 1:
        message = "Name the place: you may ask in several, and their policies differ."
        raise InvalidInput(message, Problem(path="workspace_id", code="required", message=message))
    place = inside[0]
    return msgspec.structs.replace(
        request,
        workspace_id=request.workspace_id if place.workspace_id is None else place.workspace_id,
        repo_id=request.repo_id if place.repo_id is None else place.repo_id,
    )


def special(snapshot: Snapshot, standing: Standing, request: Request, caller: Principal) -> Applied | None:
    """Return the policy that is named, or else the bound one. Raises: as `select`."""
    named = _sent(request.policy_id)
    bound = standing.bound
    if named is None or (bound is not None and named == bound.policy.id):
        return bound
    entry, around = snapshot.entries.get(named), snapshot.place_of(named)
    is_here = around is not None and any(around.contains(place) for place in standing.places)
    if not is_here and named != standing.dormant:
        raise NotFound("policy", named)
    if entry is None:
        raise Conflict(
            f"Policy {named!r} is not in force: approve and activate it, or name another.",
            reason="policy_inactive",
        )
    if bound is not None:
        caller.require(NAMED_SCOPE, standing.place)
    return entry.policy.applied["explicit"]


def topics_of(request: Request) -> tuple[str, ...] | None:
    """Return the topics that narrow what governs the place, None when the request gives none."""
    topics = request.topics
    return tuple(dict.fromkeys(map(topic_key, topics))) if isinstance(topics, list) and topics else None


def alike_of(request: Request) -> tuple[str, ...] | None:
    """Return the topics to which routing led, None where it led to none, or topics were given."""
    routed = request.routed
    if request.topics or not isinstance(routed, Routed) or not routed.topics:
        return None
    return tuple(dict.fromkeys(map(topic_key, routed.topics)))


def lazy_text(request: Request) -> Callable[[], str]:
    """Return a function that gives the request's folded text, made when it is first asked for."""
    made: list[str] = []

    def text() -> str:
        if not made:
            made.append(text_of(request))
        return made[0]

    return text


def _by_id(applied: Applied) -> str:
    return applied.policy.id


def _sent(ident: OptionalId) -> str | None:
    return ident if isinstance(ident, str) else None
