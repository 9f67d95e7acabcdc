"""What a receipt claims about a decision: who asked, which versions applied, and what each rule came to."""

from collections.abc import Sequence
from typing import Final

from bylaw.decisions.model import Decision, Judgement, MaskResult, PolicyResult, Request
from bylaw.decisions.model import RuleResult as Judged
from bylaw.receipts.model import (
    AppliedMask,
    AppliedPolicy,
    Assessment,
    DecisionClaim,
    EvaluatorUsed,
    Redaction,
    RuleResult,
)
from bylaw.rules import LANG
from bylaw.tenancy.principal import Principal

_MOST: Final = 100_000


class Claims:
    """Makes claims; what is claimed of a policy whose rules all hold is made once and kept.

    The engine shares the result of such a policy between decisions, so the same object has the same claim.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[PolicyResult, AppliedPolicy]] = {}

    def of(
        self,
        decision: Decision,
        request: Request,
        caller: Principal,
        *,
        assessment: Assessment | None = None,
    ) -> DecisionClaim:
        """Return what a receipt of `decision` claims, with its `assessment` where one was asked for."""
        return DecisionClaim(
            agent=request.agent_id or "",
            asked_by=caller.actor,
            assessment=assessment,
            compliant=decision.compliant,
            effective_rules_digest=decision.effective_rules_digest,
            evaluators=_evaluators(decision.evaluators),
            extra_rules=tuple([_rule(each) for each in decision.extra_rules]),
            extra_rules_digest=decision.extra_rules_digest,
            follows=request.follows or "",
            key=caller.id if caller.kind == "key" else "",
            outcome=decision.outcome,
            outcome_of=request.outcome_of or "",
            phase=request.phase,
            policies=tuple([self._policy(each) for each in decision.policies]),
            posture=decision.posture,
            repo=decision.repo_id or "",
            risk=decision.risk,
            user=request.user_id or caller.user_id or "",
            workspace=decision.workspace_id or "",
        )

    def _policy(self, result: PolicyResult) -> AppliedPolicy:
        key = (result.id, result.via)
        kept = self._kept.get(key)
        if kept is not None and kept[0] is result:
            return kept[1]
        claim = AppliedPolicy(
            condition=result.conditions.state,
            digest=result.digest,
            id=result.id,
            mask=None if result.mask is None else _mask(result.mask),
            outcome=result.outcome,
            rules=tuple([_rule(each) for each in result.rules]),
            version=result.version,
            via=result.via,
        )
        if result.status == "satisfied" and result.mask is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = (result, claim)
        return claim


def _evaluators(judgements: Sequence[Judgement]) -> tuple[EvaluatorUsed, ...]:
    """Return who judged, each once: what was known from before and what was asked is of the same."""
    used = [
        EvaluatorUsed(id=each.evaluator, model=each.model, prompt_digest=each.prompt_digest)
        for each in judgements
    ]
    return tuple(dict.fromkeys(used))


def _mask(mask: MaskResult) -> AppliedMask:
    return AppliedMask(
        code=mask.code,
        path=mask.path,
        redactions=tuple(
            [Redaction(count=each.count, kind=each.kind, path=each.path) for each in mask.redactions]
        ),
    )


def _rule(rule: Judged) -> RuleResult:
    if rule.kind == "deterministic":
        basis = LANG
    else:
        basis = rule.basis if rule.judgement is None else rule.judgement.evaluator
    return RuleResult(basis=basis, code=rule.code, id=rule.id, kind=rule.kind, status=rule.status)
