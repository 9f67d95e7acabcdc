"""The engine: one decision, from the request to the answer.

0. route    `routing`: which topics it is about, for a request that asks for that
1. select   `select`: the policies that govern it, the bound or named one; `extra`: the request's own rules
2. apply    `select`: conditions
3. judge    `judge`: deterministic rules; `consult`: then those in words, each evaluator once
4. combine  `combine`: the strictest outcome, compliance, posture, reasons
5. mask     `mask`: what may be shown of the request
6. tell     `disclosure`: what the caller may know of it, once it is stored whole

Effects and the receipt belong to the caller: `effects` and `bylaw.receipts`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bylaw.core.clock import Clock, rfc3339
from bylaw.core.errors import DeadlineExceeded
from bylaw.core.ids import Ids
from bylaw.decisions.combine import combine, effective_rules_digest
from bylaw.decisions.compiled import CompiledRules, compile_rules
from bylaw.decisions.consult import Matter, consult
from bylaw.decisions.disclosure import disclosed, is_foreign
from bylaw.decisions.effects import obligations
from bylaw.decisions.extra import compile_extra, extra_digest
from bylaw.decisions.followed import Followed
from bylaw.decisions.judge import Allowance, Tally, Waiting, check_all, waiting
from bylaw.decisions.mask import carry_out, masking
from bylaw.decisions.model import Combined, Decision, Judgement, Request, RuleResult
from bylaw.decisions.request import matter_of
from bylaw.decisions.routing import Router, routed
from bylaw.decisions.select import Selection, placed, select, standing_of
from bylaw.decisions.snapshot import Snapshots
from bylaw.evaluators.panel import Panel
from bylaw.policies.model import Chosen, NaturalRule
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Principal

# What an evaluator leaves of a deadline for everything after it: a fifth, and at most this.
_RESERVE_MS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Decides requests by the newest snapshots.

    Units: `ticks` counts nanoseconds.
    """

    snapshots: Snapshots
    panel: Panel
    clock: Clock
    ids: Ids
    router: Router | None = None
    ticks: Callable[[], int] = time.perf_counter_ns

    def placed(self, request: Request, caller: Principal) -> Request:
        """Return `request` where the caller may ask. Raises: as `select.placed`."""
        return placed(self.snapshots.of(caller.tenant_id), request, caller)

    def disclosed(self, decision: Decision, caller: Principal) -> Decision:
        """Return what `caller` is told of a decision, by where its policies are now."""
        return disclosed(decision, caller, self.snapshots.of(caller.tenant_id))

    def is_foreign(self, policy_id: str, caller: Principal) -> bool:
        """Return whether `caller` is told nothing of a policy but that it applied."""
        return is_foreign(policy_id, caller, self.snapshots.of(caller.tenant_id))

    async def routed(self, request: Request, caller: Principal) -> Request:
        """Return `request` with the topics to which it leads, if it asks for that. Raises: as `routed`."""
        return await routed(self.router, self.snapshots, request, caller)

    def place_of(self, request: Request, caller: Principal) -> Place:
        """Return where `request` is decided. Raises: NotFound for an unknown place."""
        return standing_of(self.snapshots.of(caller.tenant_id), request).place

    async def decide(
        self,
        request: Request,
        caller: Principal,
        *,
        began: int | None = None,
        followed: Followed | None = None,
    ) -> Decision:
        """Return what is decided about `request`; its deadline runs from `began` by `ticks`, or from now.

        `followed` is the decision on what was asked, whoever named it being trusted: without, each rule is
        judged, whatever the request `follows`.
        Raises: as `select`; InvalidInput for a rule of the request that is not usable; DeadlineExceeded. A
        failing or late evaluator is an indeterminate result, not an error.
        """
        began = self.ticks() if began is None else began
        selection = select(self.snapshots.of(caller.tenant_id), request, caller)
        extra = compile_extra(request)
        facts, allowance = selection.facts, Allowance()
        tallies = [check_all(each.policy.rules, facts, allowance) for each in selection.applied]
        extra_tally = check_all(extra, facts, allowance)
        asks = waiting(selection.applied, tallies, extra_tally)
        if asks is not None and followed is not None:
            asks.leave(followed)
        judgements = () if asks is None else await self._consult(request, caller, asks, began=began)
        combined = combine(selection, tallies, extra, extra_tally)
        if masks := masking(request, selection.applied):
            combined = await carry_out(request, masks, combined)
        left_ms = _left_ms(request, self.ticks() - began)
        if left_ms is not None and left_ms <= 0:
            raise DeadlineExceeded("The deadline passed before there was an answer; nothing was recorded.")
        return self._answer(
            request,
            selection,
            combined,
            extra=extra,
            judgements=judgements,
            began=began,
        )

    async def try_rule(
        self, rule: NaturalRule, request: Request, caller: Principal, *, evaluator: Chosen | None = None
    ) -> tuple[RuleResult, tuple[Judgement, ...]]:
        """Return what one rule in words comes to over the facts of `request`, and who judged it.

        `evaluator` is the only one that may judge it, None when anyone may.
        """
        tally = Tally(compile_rules((rule,), "rule", evaluator=evaluator))
        judgements = await self._consult(request, caller, Waiting([(None, tally)]), began=self.ticks())
        return tally.results[0], judgements

    async def _consult(
        self, request: Request, caller: Principal, asks: Waiting, *, began: int
    ) -> tuple[Judgement, ...]:
        """Settle every rule in `asks`, and return the judgements that there were."""
        now = self.ticks()
        left_ms = _left_ms(request, now - began)
        timeout_ms = self.panel.timeout_ms
        if left_ms is not None:
            timeout_ms = min(timeout_ms, left_ms - min(left_ms // 5, _RESERVE_MS))
        matter = Matter(
            facts=matter_of(request),
            asker=caller.tenant_id,
            until=now + timeout_ms * 1_000_000,
            ticks=self.ticks,
        )
        return await consult(self.panel, asks, matter)

    def _answer(
        self,
        request: Request,
        selection: Selection,
        combined: Combined,
        *,
        extra: CompiledRules,
        judgements: tuple[Judgement, ...],
        began: int,
    ) -> Decision:
        receipt_id = None if request.dry_run else self.ids.ulid("rcpt_")
        place = selection.standing.place
        extra_rules_digest = extra_digest(extra)
        return Decision(
            receipt_id=receipt_id,
            outcome=combined.outcome,
            compliant=combined.compliant,
            posture=combined.posture,
            risk=combined.risk,
            reasons=combined.reasons,
            policies=combined.policies,
            extra_rules=combined.extra_rules,
            obligations=obligations(request, combined, receipt_id or ""),
            evaluators=judgements,
            workspace_id=place.workspace_id,
            repo_id=place.repo_id,
            extra_rules_digest=extra_rules_digest,
            effective_rules_digest=effective_rules_digest(selection.applied, extra_rules_digest),
            snapshot_revision=selection.revision,
            decided_at=rfc3339(self.clock.now_ms()),
            duration_us=(self.ticks() - began) // 1_000,
            dry_run=request.dry_run,
            masked=combined.masked,
            routed=request.routed,
        )


def _left_ms(request: Request, taken: int) -> int | None:
    """Return what is left of the request's deadline after `taken` nanoseconds, None when it has none."""
    deadline_ms = request.deadline_ms
    if not isinstance(deadline_ms, int):
        return None
    return deadline_ms - taken // 1_000_000
