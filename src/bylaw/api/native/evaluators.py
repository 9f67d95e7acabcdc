"""Evaluators: who judges rules in words here, how a rule will be judged, and a rule tried on facts."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter
from fastapi import Request as Http
from msgspec import UNSET

from bylaw.api.answers import Reply
from bylaw.api.fit import fit
from bylaw.api.native.evaluator_views import (
    EvaluatorsView,
    EvaluatorView,
    JudgedRulesView,
    JudgedRuleView,
    RulesToExplain,
    RuleToTry,
    TriedRuleView,
    WordedRule,
    judged_rule_view,
)
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs, parts_of
from bylaw.api.said import require_said
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import PolicyId
from bylaw.decisions.model import Request
from bylaw.decisions.select import ASKING_SCOPE
from bylaw.evaluators.judging import judging
from bylaw.policies.model import Chosen, Content, Effect, NaturalRule
from bylaw.policies.reading import readable_policy, stored_version
from bylaw.policies.wording import proposed_effect
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["evaluators"], route_class=Route)

Reading = Annotated[Acting[Unit], needs("policy:read")]


@router.get("/v1/evaluators")
async def list_evaluators(acting: Reading, http: Http) -> Reply[EvaluatorsView]:
    """List who judges rules in words here, in the order in which they are asked, and how they do."""
    parts = parts_of(http)
    panel, judge = parts.engine.panel, parts.judge
    offline = EvaluatorView(
        id="offline",
        is_configured=True,
        digest=panel.offline.digest,
        model="",
        breaker=None,
        tokens_today=0,
        tokens_per_day=0,
    )
    model = EvaluatorView(
        id="model",
        is_configured=judge is not None,
        digest="" if judge is None else judge.digest,
        model="" if judge is None else judge.model,
        breaker=None if judge is None else judge.state_of(acting.unit.tenant_id),
        tokens_today=0 if judge is None else judge.spent(acting.unit.tenant_id),
        tokens_per_day=0 if judge is None else judge.tokens_per_day,
    )
    return Reply(EvaluatorsView(evaluators=(offline, model), hit_rate=panel.cache.hit_rate))


@router.post("/v1/evaluators/explain")
async def explain_rules(
    acting: Reading, sent: Annotated[RulesToExplain, body(RulesToExplain)], http: Http
) -> Reply[JudgedRulesView]:
    """Say how rules in words will be judged here: by whom, by which words, and what is left undecided."""
    has_model = parts_of(http).engine.panel.model is not None
    policy = None if sent.policy_id is None else await readable_policy(acting, PolicyId(sent.policy_id))
    if [sent.text is None, not sent.rules, policy is None].count(False) != 1:
        raise InvalidInput.of("text", "required", "Give one of text, rules and policy_id.")
    if policy is not None:
        if sent.evaluator is not None:
            message = "A policy says itself who judges its rules: leave it out."
            raise InvalidInput.of("evaluator", "unsupported", message)
        version = await stored_version(acting.unit, policy, number=policy.latest)
        return Reply(JudgedRulesView(rules=judged_rules(version.content, has_model=has_model)))
    asked = sent.rules if sent.text is None else (WordedRule(text=sent.text),)
    settled = [
        ("", each.text, proposed_effect(each.text) if each.effect is UNSET else each.effect) for each in asked
    ]
    return Reply(JudgedRulesView(rules=_judged(settled, sent.evaluator, has_model=has_model)))


@router.post("/v1/evaluators/try")
async def try_rule(
    acting: Annotated[Acting[Unit], needs(ASKING_SCOPE)],
    sent: Annotated[RuleToTry, body(RuleToTry)],
    http: Http,
) -> Reply[TriedRuleView]:
    """Judge a rule in words over the facts of a decision request: nothing is kept, but tokens are spent."""
    request = fit({"dry_run": True, **sent.context}, Request)
    require_said(request)
    effect = proposed_effect(sent.rule) if sent.effect is UNSET else sent.effect
    result, judgements = await parts_of(http).engine.try_rule(
        NaturalRule(id="x1", text=sent.rule, effect=effect),
        request,
        acting.principal,
        evaluator=sent.evaluator,
    )
    return Reply(TriedRuleView(result=result, evaluators=judgements))


def judged_rules(content: Content, *, has_model: bool) -> tuple[JudgedRuleView, ...]:
    """Return how the rules in words of a policy are judged here."""
    rules = [(rule.id, rule.text, rule.effect) for rule in content.rules if isinstance(rule, NaturalRule)]
    return _judged(rules, content.evaluator, has_model=has_model)


def _judged(
    rules: Iterable[tuple[str, str, Effect]], chosen: Chosen | None, *, has_model: bool
) -> tuple[JudgedRuleView, ...]:
    return tuple(
        judged_rule_view(ident, text, effect, judging(text, effect, chosen, has_model=has_model))
        for ident, text, effect in rules
    )
