"""Runs of the learning loop: begun by a request, carried out by a job, and read afterwards.

A run reads, mines and compares without holding anything up; what it found is stored in one transaction with
the end of the run, so a run that is carried out twice proposes once.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from bylaw.core.clock import Clock
from bylaw.core.errors import NotFound
from bylaw.core.ids import Ids, TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.jobs.model import NewJob
from bylaw.jobs.store import JobsUnit
from bylaw.learning.choosing import choices_of
from bylaw.learning.conversations import resolve_conversation
from bylaw.learning.mining.miner import Mined, Miner
from bylaw.learning.mining.model import Draft
from bylaw.learning.mining.transcript import Transcript, transcript
from bylaw.learning.model import Conversation, ConversationId
from bylaw.learning.proposing import propose
from bylaw.learning.redaction import without
from bylaw.learning.report import UNFINISHED, Cause, Choices, Finding, MinerName, Report, Run, RunId
from bylaw.learning.standing import Comparison, Remembering, standing
from bylaw.learning.store import ConversationFilter, LearningUnit
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.tenancy.model import Place
from bylaw.tenancy.places import read_workspace
from bylaw.tenancy.principal import Acting, system_principal

JOB: Final = "learning.run"
READS: Final = "conversations:read"
STARTS: Final = "policy:write"
# The newest resolved conversations of a workspace that a run reads.
MOST_READ: Final = 500
MOST_BESIDE: Final = 150  # of those, beside the one that caused a run: each resolved conversation causes one
MOST_SIZE: Final = 5_000_000  # characters of them all
_PART: Final = 20
_MOST_TOPICS: Final = 1_000


class RunUnit(LearningUnit, PolicyUnit, Protocol):
    """One transaction of one tenant, as far as a run needs it."""


class StartingUnit(LearningUnit, JobsUnit, Protocol):
    """One transaction of one tenant, as far as starting a run needs it."""


async def start_run(acting: Acting[StartingUnit], workspace_id: WorkspaceId, *, dry_run: bool = False) -> Run:
    """Store a run over the resolved conversations of a workspace, to be carried out, and return it.

    Where one waits already, that is the one. Raises: Forbidden, NotFound.
    """
    await read_workspace(acting, workspace_id)
    place = Place(workspace_id=workspace_id)
    acting.principal.require(READS, place)
    acting.principal.require(STARTS, place)
    return await _run_for(acting, place, cause="asked", dry_run=dry_run)


async def resolve(acting: Acting[StartingUnit], ident: ConversationId, *, outcome: str) -> Conversation:
    """Store that a conversation is resolved, let its workspace learn from it, and return it.

    Raises: as `resolve_conversation`.
    """
    resolved = await resolve_conversation(acting, ident, outcome=outcome)
    await learn_from(acting, resolved)
    return resolved


async def learn_from(
    acting: Acting[StartingUnit], conversation: Conversation, *, cause: Cause = "resolved"
) -> Run | None:
    """Store the run that a resolved conversation causes, and return it: None where nobody learns from it.

    Nobody learns from what somebody has alone, from what is not over, and where learning is off. An import
    causes one run for all of it.
    """
    workspace_id = conversation.place.workspace_id
    if workspace_id is None or not _may_learn(conversation):
        return None
    if not (await choices_of(acting.unit, workspace_id)).enabled:
        return None
    place = Place(workspace_id=workspace_id)
    ident = None if cause == "imported" else conversation.id
    return await _run_for(acting, place, cause=cause, conversation_id=ident)


async def _run_for(
    acting: Acting[StartingUnit],
    place: Place,
    *,
    cause: Cause,
    conversation_id: ConversationId | None = None,
    dry_run: bool = False,
) -> Run:
    """Return the run that will do this: one that waits there does it, too, so that no more than one does."""
    runs, key = acting.unit.learning.runs, place.workspace_id
    job = None if key is None else await acting.unit.jobs.live(JOB, key)
    for each in await runs.unfinished(place):
        if job is None:
            await runs.save(replace(each, status="failed", revision=each.revision + 1))
        elif each.status == "waiting" and each.dry_run == dry_run:
            return await _widened(acting.unit, each, conversation_id)
    run = Run(
        id=RunId(acting.ids.ulid("run_")),
        tenant_id=acting.unit.tenant_id,
        place=place,
        cause=cause,
        conversation_id=conversation_id,
        dry_run=dry_run,
        asked_by=acting.principal.actor,
        created_ms=acting.clock.now_ms(),
    )
    await runs.add(run)
    await enqueue(acting.unit, place)
    return run


async def _widened(unit: LearningUnit, run: Run, conversation_id: ConversationId | None) -> Run:
    """Return a run that waits, over all of its workspace where it was to be about another conversation."""
    if run.conversation_id in {None, conversation_id}:
        return run
    wide = replace(run, conversation_id=None, revision=run.revision + 1)
    await unit.learning.runs.save(wide)
    return wide


async def enqueue(unit: JobsUnit, place: Place) -> None:
    """Have the next run of a workspace carried out: they come one after another, others' jobs in between."""
    await unit.jobs.enqueue(
        NewJob(kind=JOB, payload={"workspace_id": place.workspace_id}, dedupe=place.workspace_id)
    )


async def read_run(acting: Acting[StartingUnit], run_id: RunId) -> Run:
    """Return a run. Raises: Forbidden; NotFound, also for one out of the caller's sight."""
    acting.principal.require(READS)
    run = await acting.unit.learning.runs.get(run_id)
    if run is None or not acting.principal.may(READS, run.place):
        raise NotFound("run", run_id)
    return await _as_it_stands(acting.unit, run)


async def list_runs(
    acting: Acting[StartingUnit], part: Slice, *, workspace_id: WorkspaceId | None = None
) -> Page[Run]:
    """Return a page of the runs that the caller may read, newest first. Raises: Forbidden, NotFound."""
    acting.principal.require(READS)
    within = acting.principal.places(READS)
    if workspace_id is not None:
        place = Place(workspace_id=workspace_id)
        acting.principal.require(READS, place)
        within = (place,)
    found = await acting.unit.learning.runs.list(within, part)
    return replace(found, items=tuple([await _as_it_stands(acting.unit, each) for each in found.items]))


async def _as_it_stands(unit: JobsUnit, run: Run) -> Run:
    """Return a run as failed once its job was given up or cancelled: the next run there stores that."""
    if run.status not in UNFINISHED or await unit.jobs.live(JOB, run.place.workspace_id or "") is not None:
        return run
    return replace(run, status="failed")


Begin = Callable[..., AbstractAsyncContextManager[RunUnit]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a run reads before it mines."""

    run: Run
    choices: Choices
    conversations: tuple[Conversation, ...]
    topics: tuple[str, ...]


async def carry_out(
    begin: Begin,
    tenant_id: TenantId,
    run_id: RunId,
    *,
    miners: Callable[[MinerName], Miner],
    clock: Clock,
    ids: Ids,
) -> Run | None:
    """Carry out a run and return it as it ended; None for one that is not there, or is over already.

    `begin(writes=...)` opens a transaction of the tenant. Raises: Unavailable.
    """
    async with begin(writes=True) as unit:
        run = await _begun(unit, run_id)
    if run is None:
        return None
    async with begin(writes=False) as unit:
        read = await _read(unit, run)
    miner = miners(read.choices.miner)
    transcripts = await asyncio.to_thread(_transcripts, read.conversations)
    mined = await miner.mine(transcripts, topics=read.topics)
    drafts = [each for each in mined.drafts if _concerns(each, read.run)]
    by = Comparison(
        embedder=Remembering(miner.embedder),
        place=read.run.place,
        choices=read.choices,
        now_ms=clock.now_ms(),
        bearer=read.run.conversation_id,
    )
    async with begin(writes=False) as unit:
        found = await standing(unit, drafts, by)
    # Only what is to be proposed is compared again while others wait to write.
    wanted = [draft for draft, each in zip(drafts, found, strict=True) if each.held_back is None]
    async with begin(writes=True) as unit:
        run = await unit.learning.runs.get(run_id)
        if run is None or run.status not in UNFINISHED:
            return None
        again = iter(await standing(unit, wanted, by))
        findings = [next(again) if each.held_back is None else each for each in found]
        acting = Acting(unit=unit, principal=system_principal(tenant_id), clock=clock, ids=ids)
        return await _finished(acting, run, _report(read, miner, mined, findings))


async def _finished(acting: Acting[RunUnit], run: Run, report: Report) -> Run:
    """Store what a run proposes and its end, and return it: without what was forgotten since it was read."""
    left = without(report, await acting.unit.conversations.forgotten(report.drawn_on))
    if not run.dry_run:
        proposed = [await _proposed(acting, run, each) for each in left.findings]
        left = replace(left, findings=tuple(proposed))
    now_ms, revision = acting.clock.now_ms(), run.revision + 1
    done = replace(run, status="finished", report=left, finished_ms=now_ms, revision=revision)
    await acting.unit.learning.runs.save(done)
    return done


def _report(read: _Read, miner: Miner, mined: Mined, findings: Sequence[Finding]) -> Report:
    return Report(
        miner=mined.by,
        embedder=miner.embedder.id,
        read=len(read.conversations),
        findings=tuple(findings),
        note=mined.note,
    )


async def _proposed(acting: Acting[RunUnit], run: Run, finding: Finding) -> Finding:
    return finding if finding.held_back is not None else await propose(acting, run, finding)


async def _begun(unit: RunUnit, run_id: RunId) -> Run | None:
    """Return a run that goes on from now, so that nothing is added to it any more."""
    run = await unit.learning.runs.get(run_id)
    if run is None or run.status not in UNFINISHED:
        return None
    if run.status == "running":
        return run
    begun = replace(run, status="running", revision=run.revision + 1)
    await unit.learning.runs.save(begun)
    return begun


async def _read(unit: RunUnit, run: Run) -> _Read:
    conversations = await _conversations(unit, run)
    where = PolicyFilter(place=run.place, match="near")
    policies = await unit.policies.list(where, Slice(limit=_MOST_TOPICS))
    topics = (each.version.content.topic for each in policies.items)
    return _Read(
        run=run,
        choices=await choices_of(unit, WorkspaceId(run.place.workspace_id or "")),
        conversations=tuple(conversations),
        topics=tuple(dict.fromkeys(topic for topic in topics if topic)),
    )


def _transcripts(conversations: Sequence[Conversation]) -> tuple[Transcript, ...]:
    return tuple(transcript(each) for each in conversations)


async def _conversations(unit: LearningUnit, run: Run) -> list[Conversation]:
    """Return the newest conversations that a run may learn from, in the order in which they began."""
    where = ConversationFilter(within=(run.place,), status="resolved", owned=False)
    found: dict[str, Conversation] = {}
    most = MOST_READ if run.conversation_id is None else MOST_BESIDE
    if run.conversation_id is not None:
        focus = await unit.conversations.get(ConversationId(run.conversation_id))
        if focus is not None and _may_learn(focus) and run.place.contains(focus.place):
            found[focus.id] = focus
    part = Slice(limit=_PART)
    room = MOST_SIZE
    while len(found) < most and room > 0:
        page = await unit.conversations.list(where, part)
        for each in page.items[: most - len(found)]:
            room -= _size(each)
            if room > 0:
                found[each.id] = each
        if page.next_cursor is None:
            break
        part = Slice(limit=_PART, cursor=page.next_cursor)
    return sorted(found.values(), key=lambda each: (each.created_ms, each.id))


def _size(conversation: Conversation) -> int:
    """Return about how many characters mining has to read."""
    calls = (call for message in conversation.messages for call in message.calls)
    return sum(len(each.text) for each in conversation.messages) + sum(
        len(each.result) + len(str(each.arguments)) for each in calls
    )


def _may_learn(conversation: Conversation) -> bool:
    """Return whether a conversation is learnt from: it is resolved, and nobody's alone."""
    gone = conversation.deleted_ms is not None or conversation.forgotten_ms is not None
    return conversation.status == "resolved" and not conversation.owner and not gone


def _concerns(draft: Draft, run: Run) -> bool:
    return run.conversation_id is None or run.conversation_id in draft.supports
