"""Conversations forgotten, on request or when their time is over, with what was learnt from them.

Their words go out of the reports of runs, out of the evidence of policies and out of what corrects routing; a
proposal that waits for review and rests on nothing else is withdrawn. What a policy says stays, examples
included: versions never change, and what names anybody was masked before anything was proposed.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Final, Protocol

from bylaw.core.canonical_json import Json
from bylaw.core.clock import DAY_MS, Clock
from bylaw.core.errors import NotFound
from bylaw.core.ids import Ids, PolicyId, TenantId
from bylaw.core.paging import Slice
from bylaw.learning.conversations import READS, WRITES, emptied
from bylaw.learning.corrections import CorrectingUnit
from bylaw.learning.corrections import forget_conversation as forget_corrections
from bylaw.learning.mining.model import Draft
from bylaw.learning.model import OVER, Conversation, ConversationId
from bylaw.learning.proposing import withdraw
from bylaw.learning.redaction import FORGOTTEN, without
from bylaw.learning.report import LearningSettings
from bylaw.learning.store import ConversationFilter, LearningUnit
from bylaw.tenancy.entries import KIND, change_entry, differences
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting, system_principal

_PART: Final = 20  # conversations of one transaction: others write in between


class ForgettingUnit(LearningUnit, CorrectingUnit, Protocol):
    """One transaction of one tenant, as far as forgetting needs it."""


Begin = Callable[..., AbstractAsyncContextManager[ForgettingUnit]]


async def forget_conversation(acting: Acting[ForgettingUnit], ident: ConversationId) -> None:
    """Forget a conversation that was imported or that agents had; one that is forgotten already stays so.

    Raises: Forbidden; NotFound, also for one that somebody has alone.
    """
    acting.principal.require(READS)
    found = await acting.unit.conversations.get(ident)
    if found is None or found.owner or not acting.principal.may(READS, found.place):
        raise NotFound("conversation", ident)
    acting.principal.require(WRITES, found.place)
    if found.forgotten_ms is None:
        await _forget(acting, [found])


async def expire(begin: Begin, tenant_id: TenantId, *, clock: Clock, ids: Ids) -> int:
    """Forget the conversations of a tenant whose time in their workspace is over; return how many it were.

    `begin(writes=...)` opens a transaction of the tenant; it takes as many as needed, each a short one.
    """
    async with begin(writes=False) as unit:
        keeping = await unit.learning.settings.keeping()
    forgotten = 0
    for settings in keeping:
        found = _PART
        while found == _PART:
            async with begin(writes=True) as unit:
                acting = Acting(unit=unit, principal=system_principal(tenant_id), clock=clock, ids=ids)
                over = await _over(acting, settings)
                await _forget(acting, over, keep_days=settings.choices.keep_days)
            found = len(over)
            forgotten += found
    return forgotten


async def _over(acting: Acting[ForgettingUnit], settings: LearningSettings) -> Sequence[Conversation]:
    """Return some of the conversations of a workspace whose time is over, none if there are none."""
    until_ms = acting.clock.now_ms() - settings.choices.keep_days * DAY_MS
    found: list[Conversation] = []
    for status in sorted(OVER):
        where = ConversationFilter(
            within=(Place(workspace_id=settings.id),), status=status, owned=False, to_ms=until_ms
        )
        part = Slice(limit=_PART - len(found))
        found += (await acting.unit.conversations.list(where, part)).items
        if len(found) == _PART:
            break
    return found


async def _forget(
    acting: Acting[ForgettingUnit], conversations: Sequence[Conversation], *, keep_days: int = 0
) -> None:
    """Forget conversations, queue an entry for the log for each, and clear what draws on them."""
    now_ms = acting.clock.now_ms()
    for each in conversations:
        await acting.unit.conversations.save(emptied(each, now_ms=now_ms))
        await forget_corrections(acting, each.id)
    await acting.unit.outbox.add(KIND, *(_entry(acting, each.id, keep_days) for each in conversations))
    drawing = [await acting.unit.learning.runs.drawing_on(each.id) for each in conversations]
    for run_id in sorted({run_id for each in drawing for run_id in each}):
        run = await acting.unit.learning.runs.get(run_id)
        if run is None or run.report is None:
            continue
        gone = await acting.unit.conversations.forgotten(run.report.drawn_on)
        report = without(run.report, gone)
        await acting.unit.learning.runs.save(replace(run, report=report, revision=run.revision + 1))
        for finding in run.report.findings:
            if finding.policy_id is not None and finding.draft.drawn_on & gone:
                await _clear(acting, PolicyId(finding.policy_id), finding.draft, gone)


async def _clear(
    acting: Acting[ForgettingUnit], policy_id: PolicyId, draft: Draft, gone: frozenset[str]
) -> None:
    """Take what was forgotten out of a policy's evidence; withdraw a proposal that rests on nothing else."""
    policy = await acting.unit.policies.get(policy_id)
    if policy is None:
        return
    kept = {place for place, each in enumerate(draft.quotes) if each.conversation_id not in gone}
    evidence = tuple(
        each if place in kept else FORGOTTEN for place, each in enumerate(policy.source.evidence)
    )
    if evidence != policy.source.evidence:
        source = replace(policy.source, evidence=evidence)
        policy = replace(policy, source=source, revision=policy.revision + 1)
        await acting.unit.policies.save_all([(policy, None)])
    if gone.issuperset(draft.supports):
        await withdraw(acting, policy)


def _entry(acting: Acting[ForgettingUnit], ident: ConversationId, keep_days: int) -> Mapping[str, Json]:
    """Return what the log is told: who forgot which conversation, and for how many days those are kept."""
    author, kept = acting.principal.actor, differences({}, {"keep_days": str(keep_days)} if keep_days else {})
    return change_entry("conversation", ident, change="deleted", author=author, fields=kept)
