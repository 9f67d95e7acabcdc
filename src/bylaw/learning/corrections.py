"""Corrections: where a message should have been led, said by somebody who may write policies there.

What is said last of a message holds: it replaces what was said of the same message in the same workspace. A
correction changes what is found, never what holds: firm policies stay in a decision whatever was corrected.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec

from bylaw.core.errors import Conflict, InvalidInput, NotFound
from bylaw.core.ids import PolicyId, ReceiptId, WorkspaceId
from bylaw.core.paging import Page, Slice, every
from bylaw.evaluators.patterns.masked import masked
from bylaw.jobs.model import NewJob
from bylaw.jobs.store import JobsUnit
from bylaw.policies.reading import readable_policy
from bylaw.policies.store import PolicyUnit
from bylaw.search.embedding import KIND as EMBEDS
from bylaw.search.routing import first_said
from bylaw.search.store import Correction, CorrectionFilter, CorrectionId, Corrections, said_digest
from bylaw.tenancy.entries import KIND, Change, change_entry, differences
from bylaw.tenancy.model import EVERYWHERE, Place, overlap
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting

READS: Final = "policy:read"
WRITES: Final = "policy:write"
# For one policy, or for none, in one workspace: more say little that is new.
MOST: Final = 100
MOST_POLICIES: Final = 3


class CorrectingUnit(PolicyUnit, JobsUnit, Protocol):
    """One transaction of one tenant, as far as correcting needs it."""

    @property
    def corrections(self) -> Corrections:
        """Where people say that messages lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCorrection:
    """What the customer said, turn by turn, and which policies are about it: none for an empty tuple.

    `receipt_id` is the decision that is corrected, `conversation_id` where it was said.
    """

    said: Sequence[str]
    policy_ids: tuple[PolicyId, ...]
    workspace_id: WorkspaceId | None = None
    conversation_id: str | None = None
    receipt_id: str | None = None

    @property
    def place(self) -> Place:
        """Where it holds."""
        return Place(workspace_id=self.workspace_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What is said of a message now; `is_unchanged` if it was before."""

    corrections: tuple[Correction, ...]
    is_unchanged: bool


async def correct(acting: Acting[CorrectingUnit], new: NewCorrection) -> Corrected:
    """Store where a message leads, in place of what was said of it there, and return that.

    Raises: Forbidden; NotFound for the workspace or a policy; Conflict (`too_many`); InvalidInput.
    """
    acting.principal.require(WRITES, new.place)
    await require_place(acting.unit, new.place)
    text = masked(first_said(new.said)).strip()
    if not any(each.isalpha() for each in text):
        raise InvalidInput.of("said", "empty", "Nothing was said that has a meaning.")
    if len(new.policy_ids) > MOST_POLICIES:
        message = f"A message leads to at most {MOST_POLICIES} policies."
        raise InvalidInput.of("policy_ids", "too_many", message)
    for policy_id in new.policy_ids:
        await _require_about(acting, policy_id, new.place)
    wanted: Sequence[PolicyId | None] = [*dict.fromkeys(new.policy_ids)] or [None]
    where = CorrectionFilter(digests={said_digest(text)}, only=frozenset({new.workspace_id}))
    stored = (await acting.unit.corrections.list(where, Slice(limit=MOST))).items
    kept = [each for each in stored if each.policy_id in wanted]
    fresh = [each for each in wanted if each not in {one.policy_id for one in kept}]
    if len(kept) == len(stored) and not fresh:
        return Corrected(corrections=tuple(kept), is_unchanged=True)
    await _drop(acting, [each for each in stored if each not in kept])
    made = [await _add(acting, new, text, policy_id) for policy_id in fresh]
    await acting.unit.jobs.enqueue(NewJob(kind=EMBEDS, dedupe=EMBEDS, priority=1))
    return Corrected(corrections=(*kept, *made), is_unchanged=False)


async def list_corrections(
    acting: Acting[CorrectingUnit],
    part: Slice,
    *,
    workspace_id: WorkspaceId | None = None,
    policy_id: PolicyId | None = None,
) -> Page[Correction]:
    """Return a page of the corrections where the caller reads policies, newest first. Raises: Forbidden."""
    acting.principal.require(READS)
    places = acting.principal.places(READS)
    if workspace_id is not None:
        places = overlap(places, [Place(workspace_id=workspace_id)])
    known = frozenset(each.workspace_id for each in places if each.repo_id is None)
    everywhere = EVERYWHERE in places
    led_to = None if policy_id is None else {policy_id}
    where = CorrectionFilter(only=None if everywhere else known, policy_ids=led_to)
    return await acting.unit.corrections.list(where, part)


async def delete_correction(acting: Acting[CorrectingUnit], ident: CorrectionId) -> None:
    """Forget a correction. Raises: Forbidden; NotFound, also for one out of the caller's sight."""
    acting.principal.require(WRITES)
    found = await acting.unit.corrections.get(ident)
    if found is None or not acting.principal.may(READS, _place(found)):
        raise NotFound("correction", ident)
    acting.principal.require(WRITES, _place(found))
    await _drop(acting, [found])


async def forget_conversation(acting: Acting[CorrectingUnit], conversation_id: str) -> int:
    """Forget every correction that came out of a conversation, and return how many those were."""
    return await _forget(acting, CorrectionFilter(conversation_id=conversation_id))


async def forget_receipt(acting: Acting[CorrectingUnit], receipt_id: ReceiptId) -> int:
    """Forget every correction of a decision whose body is erased, and return how many those were."""
    return await _forget(acting, CorrectionFilter(receipt_id=receipt_id))


async def _forget(acting: Acting[CorrectingUnit], where: CorrectionFilter) -> int:
    found = [each async for each in every(lambda part: acting.unit.corrections.list(where, part))]
    await _drop(acting, found)
    return len(found)


async def _require_about(acting: Acting[CorrectingUnit], policy_id: PolicyId, place: Place) -> None:
    """Return nothing if the caller may know a policy that can be about what is said in a place.

    Raises: NotFound; InvalidInput for one of another workspace, and for one without a topic.
    """
    policy = await readable_policy(acting, policy_id)
    if not (policy.place.contains(place) or place.contains(policy.place)):
        message = f"{policy_id} does not govern that workspace."
        raise InvalidInput.of("policy_ids", "other_place", message)
    version = await acting.unit.policies.version(policy_id, policy.current)
    if version is None or version.content.topic is None:
        message = f"{policy_id} has no topic, so nothing leads to it: it always holds."
        raise InvalidInput.of("policy_ids", "no_topic", message)


async def _add(
    acting: Acting[CorrectingUnit], new: NewCorrection, text: str, policy_id: PolicyId | None
) -> Correction:
    """Store and return a correction. Raises: Conflict (`too_many`)."""
    here = frozenset({new.workspace_id})
    where = CorrectionFilter(only=here, is_nobodys=policy_id is None)
    if policy_id is not None:
        where = replace(where, policy_ids={policy_id})
    if ((await acting.unit.corrections.list(where, Slice(limit=1, total=True))).total or 0) >= MOST:
        what = policy_id or "messages that no policy is about"
        message = f"There are {MOST} corrections for {what} there already: delete some."
        raise Conflict(message, reason="too_many")
    made = Correction(
        id=CorrectionId(acting.ids.uuid7()),
        tenant_id=acting.unit.tenant_id,
        workspace_id=new.workspace_id,
        policy_id=policy_id,
        digest=said_digest(text),
        text=text,
        conversation_id=new.conversation_id,
        receipt_id=new.receipt_id,
        created_by=acting.principal.actor,
        created_ms=acting.clock.now_ms(),
    )
    await acting.unit.corrections.add(made)
    await _record(acting, made, "created")
    return made


async def _drop(acting: Acting[CorrectingUnit], gone: Sequence[Correction]) -> None:
    """Forget corrections, and queue an entry for the log for each."""
    if gone:
        await acting.unit.corrections.remove([each.id for each in gone])
    for each in gone:
        await _record(acting, each, "deleted")


async def _record(acting: Acting[CorrectingUnit], about: Correction, change: Change) -> None:
    """Queue the entry for the log: of the message not even its digest, by which it could be guessed."""
    told = {"policy_id": about.policy_id, "workspace_id": about.workspace_id} if change == "created" else {}
    now = {name: msgspec.json.encode(value).decode() for name, value in told.items() if value}
    author, fields = acting.principal.actor, differences({}, now)
    entry = change_entry("correction", about.id, change=change, author=author, fields=fields)
    await acting.unit.outbox.add(KIND, entry)


def _place(correction: Correction) -> Place:
    return Place(workspace_id=correction.workspace_id)
