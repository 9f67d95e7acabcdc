"""Policies that come from another server, with the ids, times and state they have there.

What they say is checked as everything is that is written here. The log tells of them what it would tell if
each step had been taken here, by whoever brings them. What is here already follows only if that is wished,
and if it was changed there later than here; where it holds and how far it reaches never changes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from bylaw.core.errors import Forbidden, InvalidInput
from bylaw.core.ids import PolicyId
from bylaw.core.paging import Slice
from bylaw.policies.content import content_digest, document
from bylaw.policies.editing import NewPolicy, checked_slug, require_room
from bylaw.policies.entries import Change, record_steps
from bylaw.policies.model import Content, Current, Policy, Status, Version
from bylaw.policies.parse import parse_content
from bylaw.policies.reading import stored_version
from bylaw.policies.rules import Reading
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.tenancy.arrivals import Outcome, check_moment
from bylaw.tenancy.model import Workspace
from bylaw.tenancy.naming import checked_id, checked_reason
from bylaw.tenancy.principal import Acting

_BEGINS: Final[Mapping[Status, tuple[Change, ...]]] = MappingProxyType(
    {
        "approved": ("created",),
        "pending_review": ("proposed",),
        "rejected": ("proposed", "rejected"),
        "archived": ("created", "archived"),
    }
)
_GOES_ON: Final[Mapping[tuple[Status, Status], tuple[Change, ...]]] = MappingProxyType(
    {
        ("pending_review", "approved"): ("approved",),
        ("pending_review", "rejected"): ("rejected",),
        ("pending_review", "archived"): ("approved", "archived"),
        ("approved", "archived"): ("archived",),
        ("archived", "approved"): ("restored",),
    }
)
_WAS_APPROVED: Final[frozenset[Status]] = frozenset({"approved", "archived"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyElsewhere:
    """A policy as it is elsewhere; who and when are None where that is not told."""

    new: NewPolicy
    status: Status = "approved"
    created_by: str | None = None
    created_ms: int | None = None
    updated_by: str | None = None
    updated_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyArrival:
    """A policy that comes: as it is to be, as it is here if it is, and the fields in which the two differ.

    `version` is what its text is to be, a new one if `is_new`. `is_newer`: it was changed there later than
    here.
    """

    wanted: Policy
    version: Version
    is_new: bool = True
    stored: Policy | None = None
    differs: tuple[str, ...] = ()
    may_follow: bool = True
    is_newer: bool = True

    def outcome(self, *, update: bool) -> Outcome:
        """Return what becomes of it."""
        if self.stored is None:
            return "imported"
        if not self.differs:
            return "unchanged"
        return "updated" if update and self.may_follow and self.is_newer else "different"

    @property
    def steps(self) -> tuple[Change, ...]:
        """What the log tells: each step by which it comes to be as it is to be."""
        before, after = self.stored, self.wanted
        if before is None:
            return _BEGINS[after.status] + (() if after.is_active else ("deactivated",))
        edit: tuple[Change, ...] = ()
        if self.is_new:
            edit = ("proposed",) if before.approved is None else ("edited",)
        switch: tuple[Change, ...] = ()
        if before.is_active != after.is_active:
            switch = ("activated",) if after.is_active else ("deactivated",)
        return edit + _GOES_ON.get((before.status, after.status), ()) + switch


async def meet_policy(
    acting: Acting[PolicyUnit], foreign: PolicyElsewhere, workspace: Workspace | None
) -> PolicyArrival:
    """Return a policy that comes to `workspace` beside what is here under its id.

    Raises: InvalidInput; Forbidden where nobody approves their own.
    """
    policy_id = PolicyId(checked_id(foreign.new.id or ""))
    checked_slug(foreign.new.slug)
    _check_moments(acting, foreign)
    schema = None if workspace is None else workspace.context_schema
    stored = await acting.unit.policies.get(policy_id)
    if stored is None:
        _require_approver(foreign.status, workspace)
        await _require_free(acting.unit, foreign.new.slug)
        content = parse_content(foreign.new.content, Reading(schema=schema))
        version = _version(acting, foreign, content, number=foreign.new.version)
        return PolicyArrival(wanted=_policy(acting, foreign, number=version.number), version=version)
    number = stored.current if stored.pending is None else stored.pending
    base = await stored_version(acting.unit, stored, number=number)
    content = parse_content(foreign.new.content, Reading(schema=schema, before=base.content.rules))
    edits = _edits(base.content, content)
    number = max(stored.latest + 1, foreign.new.version) if edits else base.number
    wanted = _following(stored, foreign, number=number)
    stays, follows = _stays(stored, _policy(acting, foreign, number=1), foreign), _follows(stored, wanted)
    if edits or follows:
        _require_approver(foreign.status, workspace)
    return PolicyArrival(
        wanted=wanted,
        version=_version(acting, foreign, content, number=number) if edits else base,
        is_new=bool(edits),
        stored=stored,
        differs=(*stays, *edits, *follows),
        may_follow=not stays,
        is_newer=_is_newer(stored, foreign),
    )


async def bring_policies(acting: Acting[PolicyUnit], came: Sequence[PolicyArrival], *, reason: str) -> None:
    """Store the policies that come, and what follows of those that are here already.

    Raises: Conflict (`exists`) when somebody was faster, or a slug is taken; PreconditionFailed.
    """
    unit, fresh = acting.unit, [each for each in came if each.stored is None]
    if fresh:
        await require_room(unit, len(fresh))
        await unit.policies.add_all([Current(policy=each.wanted, version=each.version) for each in fresh])
    following = [each for each in came if each.stored is not None]
    if following:
        await unit.policies.save_all(
            [(each.wanted, each.version if each.is_new else None) for each in following]
        )
    await record_steps(acting, [(each.version, each.steps) for each in came], reason=reason)


def _check_moments(acting: Acting[PolicyUnit], foreign: PolicyElsewhere) -> None:
    """Return nothing if a policy may have come to be and changed then. Raises: InvalidInput."""
    created_ms, updated_ms = foreign.created_ms, foreign.updated_ms
    check_moment(acting, created_ms, path="created_at")
    check_moment(acting, updated_ms, path="updated_at")
    if created_ms is not None and updated_ms is not None and updated_ms < created_ms:
        raise InvalidInput.of("updated_at", "bad_time", "That is before it was created.")


def _policy(acting: Acting[PolicyUnit], foreign: PolicyElsewhere, *, number: int) -> Policy:
    """Return a policy as it is elsewhere; who and when are here and now where that is not told."""
    new, actor, now = foreign.new, acting.principal.actor, acting.clock.now_ms()
    created_by = actor if foreign.created_by is None else foreign.created_by
    updated_ms = now if foreign.updated_ms is None else foreign.updated_ms
    created_ms = min(now, updated_ms) if foreign.created_ms is None else foreign.created_ms
    return Policy(
        id=PolicyId(new.id or ""),
        tenant_id=acting.unit.tenant_id,
        place=new.place,
        reach=new.reach,
        slug=new.slug,
        status=foreign.status,
        is_active=new.is_active,
        source=new.source,
        latest=number,
        approved=number if foreign.status in _WAS_APPROVED else None,
        created_by=created_by,
        created_ms=created_ms,
        updated_by=created_by if foreign.updated_by is None else foreign.updated_by,
        updated_ms=created_ms if foreign.updated_ms is None else foreign.updated_ms,
    )


def _following(stored: Policy, foreign: PolicyElsewhere, *, number: int) -> Policy:
    """Return what is here, with the state that it has elsewhere and version `number` as its text."""
    return replace(
        stored,
        status=foreign.status,
        is_active=foreign.new.is_active,
        latest=max(stored.latest, number),
        approved=number if foreign.status in _WAS_APPROVED else None,
        updated_by=stored.updated_by if foreign.updated_by is None else foreign.updated_by,
        updated_ms=stored.updated_ms if foreign.updated_ms is None else foreign.updated_ms,
        revision=stored.revision + 1,
    )


def _version(
    acting: Acting[PolicyUnit], foreign: PolicyElsewhere, content: Content, *, number: int
) -> Version:
    """Return a text that comes: its author here, who vouches for it, is whoever brings it."""
    return Version(
        policy_id=PolicyId(foreign.new.id or ""),
        number=number,
        content=content,
        digest=content_digest(content),
        author=acting.principal.actor,
        reason=checked_reason(foreign.new.reason),
        created_ms=acting.clock.now_ms(),
    )


def _edits(old: Content, new: Content) -> tuple[str, ...]:
    """Return in which fields two texts differ."""
    before, after = document(old), document(new)
    names = dict.fromkeys((*before, *after))
    return tuple(name for name in names if before.get(name) != after.get(name))


def _stays(stored: Policy, there: Policy, foreign: PolicyElsewhere) -> tuple[str, ...]:
    """Return in which fields that never follow a policy differs from what it is elsewhere."""
    differs = {
        "place": stored.place != there.place,
        "reach": stored.reach != there.reach,
        "slug": stored.slug != there.slug,
        "source": stored.source != there.source,
        "created_at": foreign.created_ms not in {None, stored.created_ms},
        "created_by": foreign.created_by not in {None, stored.created_by},
        "status": stored.status != there.status and (stored.status, there.status) not in _GOES_ON,
        "pending": stored.pending is not None,
        "deleted": stored.deleted_ms is not None,
    }
    return tuple(name for name, differing in differs.items() if differing)


def _follows(stored: Policy, wanted: Policy) -> tuple[str, ...]:
    """Return in which fields beside its text a policy is to follow."""
    differs = {
        "status": stored.status != wanted.status and (stored.status, wanted.status) in _GOES_ON,
        "is_active": stored.is_active != wanted.is_active,
        "updated_at": stored.updated_ms != wanted.updated_ms,
        "updated_by": stored.updated_by != wanted.updated_by,
    }
    return tuple(name for name, differing in differs.items() if differing)


def _is_newer(stored: Policy, foreign: PolicyElsewhere) -> bool:
    """Return whether it was changed there later than here: by its time, or by its version without one."""
    if foreign.updated_ms is None:
        return foreign.new.version > stored.latest
    return foreign.updated_ms > stored.updated_ms


async def _require_free(unit: PolicyUnit, slug: str | None) -> None:
    """Return nothing if no policy here has this slug. Raises: InvalidInput."""
    if slug is not None:
        held = await unit.policies.list(PolicyFilter(slugs=frozenset({slug})), Slice(limit=1))
        if held.items:
            raise InvalidInput.of("slug", "exists", f"Another policy is called {slug!r} here.")


def _require_approver(status: Status, workspace: Workspace | None) -> None:
    """Return nothing if a text may come as approved. Raises: Forbidden where nobody approves their own."""
    if workspace is not None and workspace.separate_approvers and status in _WAS_APPROVED:
        message = f"Somebody else approves this in {workspace.id!r}, where nobody approves their own."
        raise Forbidden(message, needs="approver")
