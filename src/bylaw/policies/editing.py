"""Writing policies: a new one, a new version of one, and the content of an old version again."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bylaw.core.errors import Conflict, Forbidden, InvalidInput
from bylaw.core.ids import PolicyId
from bylaw.core.paging import Slice
from bylaw.policies.content import content_digest, document
from bylaw.policies.entries import Change, Changed, record_new, store, touched
from bylaw.policies.model import Content, Current, Policy, Reach, Source, Status, Version
from bylaw.policies.parse import parse_content
from bylaw.policies.reading import read_version, stored_version, workspace_of, writable_policy
from bylaw.policies.rules import Reading
from bylaw.policies.store import PolicyUnit
from bylaw.tenancy.model import EVERYWHERE, Place, Workspace
from bylaw.tenancy.naming import checked_id, checked_reason
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting

MAX_POLICIES = 100_000
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}(/[a-z0-9][a-z0-9._-]{0,63})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPolicy:
    """What a new policy is to be; `content` is plain data.

    `status`: None means `approved`, or `pending_review` where the workspace reviews edits. Without an id it
    gets one. `version` is the number of its first version: what comes from elsewhere goes on from its own.
    """

    content: object
    place: Place = EVERYWHERE
    reach: Reach = "place"
    slug: str | None = None
    source: Source = field(default_factory=Source)
    status: Literal["approved", "pending_review"] | None = None
    is_active: bool = True
    reason: str = ""
    id: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What is to change in a content: `fields` replace theirs; the others stay, or fall back if `whole`.

    `revision` is the one that the editor read, or None to overwrite whatever is there.
    """

    fields: Mapping[str, object]
    whole: bool = False
    reason: str = ""
    revision: int | None = None


async def create_policy(acting: Acting[PolicyUnit], new: NewPolicy) -> Current:
    """Store a new policy with its first version and return both. Raises: InvalidInput, Conflict."""
    (made,) = await create_policies(acting, [new])
    return made


async def create_policies(acting: Acting[PolicyUnit], news: Sequence[NewPolicy]) -> Sequence[Current]:
    """Store new policies with their first versions and return them. Raises: InvalidInput, Conflict."""
    workspaces: dict[Place, Workspace | None] = {}
    made: list[Current] = []
    for new in news:
        acting.principal.require("policy:write", new.place)
        if new.place not in workspaces:
            await require_place(acting.unit, new.place)
            workspaces[new.place] = await workspace_of(acting.unit, new.place)
        made.append(_made(acting, new, workspaces[new.place]))
        await asyncio.sleep(0)
    if made:
        await require_room(acting.unit, len(made))
        await acting.unit.policies.add_all(made)
        await record_new(acting, made)
    return made


def _made(acting: Acting[PolicyUnit], new: NewPolicy, workspace: Workspace | None) -> Current:
    content = parse_content(new.content, Reading(schema=_schema(workspace)))
    status = _first_status(acting, new, workspace)
    now, actor = acting.clock.now_ms(), acting.principal.actor
    policy = Policy(
        id=PolicyId(acting.ids.ulid("pol_") if new.id is None else checked_id(new.id)),
        tenant_id=acting.unit.tenant_id,
        place=new.place,
        reach=new.reach,
        slug=checked_slug(new.slug),
        status=status,
        is_active=new.is_active,
        source=new.source,
        latest=new.version,
        approved=new.version if status == "approved" else None,
        created_by=actor,
        created_ms=now,
        updated_by=actor,
        updated_ms=now,
    )
    version = _version(acting, policy, content, number=new.version, reason=checked_reason(new.reason))
    return Current(policy=policy, version=version)


async def edit_policy(acting: Acting[PolicyUnit], policy_id: PolicyId, edit: Edit) -> Current:
    """Store a new version if the content changes, and return the policy with its current version.

    Where the workspace reviews edits, the new version waits and the approved one stays in force.
    Raises: InvalidInput; PreconditionFailed when somebody else changed it first.
    """
    draft = await begin_edit(acting, policy_id, revision=edit.revision, reason=edit.reason)
    fields = dict(edit.fields) if edit.whole else {**document(draft.base.content), **edit.fields}
    content = parse_content(fields, Reading(schema=_schema(draft.workspace), before=draft.base.content.rules))
    return await _finish(acting, draft, content)


async def roll_back(
    acting: Acting[PolicyUnit],
    policy_id: PolicyId,
    *,
    number: int,
    reason: str = "",
    revision: int | None = None,
) -> Current:
    """Store the content of version `number` as a new version, and return the policy as `edit_policy` does."""
    why = reason or f"rolled back to version {number}"
    draft = await begin_edit(acting, policy_id, revision=revision, reason=why)
    old = await read_version(acting, policy_id, number=number)
    content = parse_content(document(old.content), Reading(schema=_schema(draft.workspace)))
    return await _finish(acting, draft, content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A policy about to get a version: what it is based on, who reviews it, and why it changes."""

    policy: Policy
    base: Version
    workspace: Workspace | None
    reason: str


async def begin_edit(
    acting: Acting[PolicyUnit], policy_id: PolicyId, *, revision: int | None, reason: str
) -> Draft:
    """Return what a policy says now, to be changed. Raises: Forbidden, NotFound, PreconditionFailed."""
    policy = await writable_policy(acting, policy_id, revision=revision)
    number = policy.current if policy.pending is None else policy.pending
    return Draft(
        policy=policy,
        base=await stored_version(acting.unit, policy, number=number),
        workspace=await workspace_of(acting.unit, policy.place),
        reason=checked_reason(reason),
    )


async def _finish(acting: Acting[PolicyUnit], draft: Draft, content: Content) -> Current:
    changed = edited(acting, draft, content)
    if changed is None:
        policy = draft.policy
    else:
        policy = changed.policy
        await store(acting, [changed])
    if changed is not None and policy.current == changed.version.number:
        return Current(policy=policy, version=changed.version)
    return Current(policy=policy, version=await stored_version(acting.unit, policy, number=policy.current))


def edited(acting: Acting[PolicyUnit], draft: Draft, content: Content) -> Changed | None:
    """Return the policy with `content` as its new version, to be stored; None if it says so already."""
    old = draft.policy
    if content_digest(content) == draft.base.digest:
        return None
    version = _version(acting, old, content, number=old.latest + 1, reason=draft.reason)
    reviewed = draft.workspace is not None and draft.workspace.waits_for_approval
    waits = old.approved is not None and reviewed
    policy = replace(
        touched(acting, old),
        latest=version.number,
        approved=old.approved if waits or old.approved is None else version.number,
        pending=version.number if waits else None,
    )
    change: Change = "edited" if policy.approved == version.number else "proposed"
    return Changed(policy=policy, version=version, change=change, reason=version.reason, is_new=True)


def _version(
    acting: Acting[PolicyUnit], policy: Policy, content: Content, *, number: int, reason: str
) -> Version:
    return Version(
        policy_id=policy.id,
        number=number,
        content=content,
        digest=content_digest(content),
        author=acting.principal.actor,
        reason=reason,
        created_ms=acting.clock.now_ms(),
    )


def _first_status(acting: Acting[PolicyUnit], new: NewPolicy, workspace: Workspace | None) -> Status:
    """Return the status of a new policy; where edits are reviewed, approving it at once is an approval."""
    reviewed = workspace is not None and workspace.waits_for_approval
    if new.status is None:
        return "pending_review" if reviewed else "approved"
    if new.status == "approved" and reviewed:
        if workspace is not None and workspace.separate_approvers:
            raise Forbidden("Somebody else approves this: nobody approves their own here.", needs="approver")
        acting.principal.require("policy:approve", new.place)
    return new.status


def _schema(workspace: Workspace | None) -> Mapping[str, object] | None:
    return None if workspace is None else workspace.context_schema


def checked_slug(slug: str | None) -> str | None:
    """Return a slug, or None, as it is. Raises: InvalidInput."""
    if slug is not None and not _SLUG.fullmatch(slug):
        message = "A slug has lower-case letters, digits, '.', '_' and '-', in one part or two (pack/policy)."
        raise InvalidInput.of("slug", "bad_slug", message)
    return slug


async def require_room(unit: PolicyUnit, more: int) -> None:
    """Return nothing if the tenant may hold as many `more`. Raises: Conflict (`too_many`)."""
    counted = await unit.policies.outlines(Slice(limit=1, total=True))
    if counted.total is not None and counted.total + more > MAX_POLICIES:
        raise Conflict(f"There are {MAX_POLICIES} policies, the most a tenant holds.", reason="too_many")
