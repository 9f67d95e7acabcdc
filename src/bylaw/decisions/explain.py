"""Explaining a decision, as data: why it came out so, why other policies did not apply, what would change it.

Nothing is recorded: the request is decided again as a dry run, by the policies of now. Rules are explained,
and changes tried, within `EXPLAIN_STEPS` each, so that a hard request cannot hold up the server.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec

from bylaw.decisions.changes import Edit, edits
from bylaw.decisions.compiled import Applied, Check, CompiledPolicy, CompiledRules
from bylaw.decisions.disclosure import disclosed, is_foreign
from bylaw.decisions.engine import Engine
from bylaw.decisions.extra import compile_extra
from bylaw.decisions.followed import Followed
from bylaw.decisions.mask import masking
from bylaw.decisions.model import Basis, Decision, Request, RuleResult, RuleStatus
from bylaw.decisions.select import CONDITION_STEPS, Selection, alike_of, lazy_text, select, topics_of
from bylaw.decisions.snapshot import Snapshot
from bylaw.evaluators.offline import explain as how_checked
from bylaw.policies.model import Outcome
from bylaw.rules import Budget
from bylaw.rules.conditions import State
from bylaw.rules.limits import RULE
from bylaw.tenancy.principal import Principal

READS: Final = "policy:read"
MOST_WHY_NOT: Final = 100
MOST_CHANGES: Final = 20
EXPLAIN_STEPS: Final = RULE.steps


class _Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an explanation."""


class KeyWhy(_Said, frozen=True, kw_only=True):
    """One key of a policy's conditions: what it asks (`wanted`), what there is (`found`), and its answer."""

    key: str
    wanted: object
    present: bool
    found: object
    state: State


class RuleWhy(_Said, frozen=True, kw_only=True):
    """One deterministic rule: its causes, and every clause with its value; `explanation` is plain data."""

    id: str
    explanation: dict[str, object]


class JudgedWhy(_Said, frozen=True, kw_only=True):
    """One rule in words: what it came to, whose verdict that is (`by`) and on what `basis`.

    `how` says what the offline evaluator looks for, and `why` what it leaves to a judge.
    """

    id: str
    status: RuleStatus
    by: str = ""
    basis: Basis | Literal[""] = ""
    code: str = ""
    how: str
    why: str = ""


class PolicyWhy(_Said, frozen=True, kw_only=True):
    """Why one policy applied and what its rules saw; an empty id stands for the rules of the request.

    `rules` are its deterministic ones, `judged` those in words.
    """

    id: str
    conditions: tuple[KeyWhy, ...] = ()
    rules: tuple[RuleWhy, ...] = ()
    judged: tuple[JudgedWhy, ...] = ()


class WhyNot(_Said, frozen=True, kw_only=True):
    """Why one policy did not apply: conditions do not hold (`keys`), another topic, unbound, or elsewhere."""

    id: str
    reason: Literal["conditions", "topic", "binding", "place", "not_in_force"]
    keys: tuple[KeyWhy, ...] = ()


class Change(_Said, frozen=True, kw_only=True):
    """One field that would make a violated rule satisfied: proved by deciding again.

    `outcome` is that of the whole decision then, None when an evaluator would have to be asked.
    """

    path: str
    now: object
    then: object
    policy_id: str
    rule_id: str
    outcome: Outcome | None


class Explanation(_Said, frozen=True, kw_only=True):
    """The decision and its explanation, without those of policies that the caller may not see.

    `why_not_left` is how many more policies did not apply, `rules_left` how many rules are not explained
    because those before them took all the steps.
    """

    decision: Decision
    why: tuple[PolicyWhy, ...]
    why_not: tuple[WhyNot, ...]
    why_not_left: int
    changes: tuple[Change, ...]
    rules_left: int = 0


async def explain(
    engine: Engine, request: Request, caller: Principal, *, followed: Followed | None = None
) -> Explanation:
    """Return what is decided about `request` now, and why; `followed` and Raises as `Engine.decide`."""
    request = msgspec.structs.replace(request, dry_run=True)
    decision = await engine.decide(request, caller, followed=followed)
    snapshot = engine.snapshots.of(caller.tenant_id)
    selection = select(snapshot, request, caller)
    effort, looked = Budget(EXPLAIN_STEPS), Budget(CONDITION_STEPS)
    own = _own(selection, snapshot, caller)
    results = {each.id: each.rules for each in decision.policies}
    why = [
        PolicyWhy(
            id=each.policy.id,
            conditions=_keys(each.policy, selection, request, looked),
            rules=_rules(each.policy.rules, selection, effort),
            judged=_judged(each.policy.rules, results[each.policy.id]),
        )
        for each in own
    ]
    extra = compile_extra(request)
    if extra.checks or extra.asks:
        judged = _judged(extra, decision.extra_rules)
        why.append(PolicyWhy(id="", rules=_rules(extra, selection, effort), judged=judged))
    checks = sum(len(each.policy.rules.checks) for each in own) + len(extra.checks)
    rest = list(_why_not(snapshot, selection, request, caller))
    await asyncio.sleep(0)
    return Explanation(
        decision=disclosed(decision, caller, snapshot),
        why=tuple(why),
        why_not=tuple(rest[:MOST_WHY_NOT]),
        why_not_left=max(0, len(rest) - MOST_WHY_NOT),
        changes=await _changes(engine, request, caller, selection=selection, extra=extra),
        rules_left=checks - sum(len(each.rules) for each in why),
    )


def _own(selection: Selection, snapshot: Snapshot, caller: Principal) -> list[Applied]:
    """Return what applies and is explained to the caller."""
    return [each for each in selection.applied if not is_foreign(each.policy.id, caller, snapshot)]


def _rules(compiled: CompiledRules, selection: Selection, effort: Budget) -> tuple[RuleWhy, ...]:
    """Return why each rule came out as it did, without those for which the effort does not suffice."""
    found: list[RuleWhy] = []
    for check in compiled.checks:
        had = effort.left
        explanation = check.rule.explain(selection.facts, effort)
        if effort.left < 0 and had < EXPLAIN_STEPS:
            break
        found.append(RuleWhy(id=check.satisfied.id, explanation=explanation.to_dict()))
    return tuple(found)


def _judged(compiled: CompiledRules, results: Sequence[RuleResult]) -> tuple[JudgedWhy, ...]:
    """Return how each rule in words was judged; `results` are those of all the rules, in their order."""
    found: list[JudgedWhy] = []
    for ask in compiled.asks:
        result, offline = results[ask.position], how_checked(ask.question.text, ask.effect)
        judgement = result.judgement
        found.append(
            JudgedWhy(
                id=result.id,
                status=result.status,
                by="" if judgement is None else judgement.evaluator,
                basis="" if judgement is None or result.status == "indeterminate" else result.basis,
                code=result.code,
                how=offline.how,
                why=offline.why,
            )
        )
    return tuple(found)


def _keys(
    policy: CompiledPolicy, selection: Selection, request: Request, looked: Budget
) -> tuple[KeyWhy, ...]:
    """Return what each key came to; `looked` is as much as a decision may look at, for all its policies."""
    return tuple(
        KeyWhy(key=each.key, wanted=each.wanted, present=each.present, found=each.found, state=each.state)
        for each in policy.conditions.explain(selection.facts, lazy_text(request), looked)
    )


def _why_not(
    snapshot: Snapshot, selection: Selection, request: Request, caller: Principal
) -> Iterator[WhyNot]:
    """Yield why each other policy that the caller may read did not apply, the nearest miss first."""
    applied = {each.policy.id for each in selection.applied}
    looked = Budget(CONDITION_STEPS)
    missed: dict[str, list[WhyNot]] = {"conditions": [], "topic": [], "binding": [], "place": []}
    for ident, entry in snapshot.entries.items():
        if ident in applied or not caller.sees(READS, entry.place):
            continue
        policy = entry.policy
        if entry.place not in selection.standing.places:
            missed["place"].append(WhyNot(id=ident, reason="place"))
        elif entry.reach == "bound" and ident != selection.named:
            missed["binding"].append(WhyNot(id=ident, reason="binding"))
        elif _is_off_topic(policy, request):
            missed["topic"].append(WhyNot(id=ident, reason="topic"))
        else:
            keys = _keys(policy, selection, request, looked)
            missed["conditions"].append(WhyNot(id=ident, reason="conditions", keys=keys))
    for found in missed.values():
        yield from found
    if selection.standing.dormant is not None:
        yield WhyNot(id=selection.standing.dormant, reason="not_in_force")


def _is_off_topic(policy: CompiledPolicy, request: Request) -> bool:
    """Return whether topics leave a policy out: those that are given, or those to which routing led."""
    topics, alike = topics_of(request), alike_of(request)
    if alike is not None and not policy.firm:
        topics = alike
    return topics is not None and policy.topic_key is not None and policy.topic_key not in topics


async def _changes(
    engine: Engine, request: Request, caller: Principal, *, selection: Selection, extra: CompiledRules
) -> tuple[Change, ...]:
    """Return the single fields that would make a violated rule satisfied, each decided again."""
    snapshot = engine.snapshots.of(caller.tenant_id)
    own = _own(selection, snapshot, caller)
    by_id = {each.policy.id: each.policy.rules for each in own} | {"": extra}
    asks = any(each.policy.rules.asks for each in selection.applied) or bool(extra.asks)
    effort = Budget(EXPLAIN_STEPS)
    violated = [
        (ident, check)
        for ident, compiled in by_id.items()
        for check in compiled.checks
        if check.evaluate(selection.facts, effort).status == "violated"
    ]
    cost = EXPLAIN_STEPS - effort.left  # of deciding once
    if masking(request, selection.applied):
        cost += len(msgspec.json.encode(request))  # of which every character may have to be looked at
    effort = Budget(EXPLAIN_STEPS)
    found: list[Change] = []
    for ident, check in violated:
        for edit in edits(request, check.rule.explain(selection.facts, effort)):
            after = select(snapshot, edit.request, caller).facts
            if check.evaluate(after, effort).status == "satisfied":
                outcome = None if asks else (await engine.decide(edit.request, caller)).outcome
                found.append(_change(edit, ident, check, outcome))
                effort.left -= cost
            if effort.left < 0 or len(found) == MOST_CHANGES:
                return tuple(found)
            await asyncio.sleep(0)
    return tuple(found)


def _change(edit: Edit, policy_id: str, check: Check, outcome: Outcome | None) -> Change:
    return Change(
        path=edit.path,
        now=edit.now,
        then=edit.then,
        policy_id=policy_id,
        rule_id=check.satisfied.id,
        outcome=outcome,
    )
