"""Planning packs: what to create, update or archive so that what is stored says what the files say."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bylaw.core import canonical_json
from bylaw.core.canonical_json import Json
from bylaw.core.errors import InvalidInput, NotFound, Problem
from bylaw.core.ids import PolicyId
from bylaw.core.paging import MAX_LIMIT
from bylaw.policies.content import content_digest
from bylaw.policies.diff import Diff, diff_contents
from bylaw.policies.model import Content, Current, Policy, Version
from bylaw.policies.packs.model import Pack, PackedPolicy
from bylaw.policies.parse import parse_content
from bylaw.policies.reading import every_policy, read_policy, stored_version, workspace_of
from bylaw.policies.rules import Reading
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.tenancy.model import Place, Workspace
from bylaw.tenancy.principal import Acting

Kind = Literal["create", "update", "unchanged", "archive"]
Switch = Literal["restore", "activate", "deactivate", "reach_place", "reach_bound"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A policy of a pack, and how the stored one differs from it.

    `content` is the text in the file, `digest` is its digest; `base` is the newest text of `current`, the
    stored policy, and `diff` is against that. `switches` change more than the text. `note` says what a
    person should know.
    """

    packed: PackedPolicy
    content: Content
    digest: str
    workspace: Workspace | None
    current: Current | None = None
    base: Version | None = None
    diff: Diff | None = None
    switches: tuple[Switch, ...] = ()
    note: str = ""

    @property
    def kind(self) -> Kind:
        """What is to be done."""
        if self.current is None:
            return "create"
        return "update" if self.diff is not None or self.switches else "unchanged"

    @property
    def slug(self) -> str:
        """The name of the policy: `pack/key`."""
        return self.packed.slug

    @property
    def agreement(self) -> list[Json]:
        """What is agreed to with this step, and on which revision."""
        stored: list[Json] = [] if self.current is None else _revision(self.current)
        return [self.kind, self.slug, stored, self.digest, list(self.switches)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A stored policy that its pack no longer contains."""

    current: Current
    slug: str
    workspace: Workspace | None
    kind: Kind = "archive"
    note: str = "no file of the pack contains it"

    @property
    def agreement(self) -> list[Json]:
        """What is agreed to with this step, and on which revision."""
        return [self.kind, self.slug, *_revision(self.current)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything to be done, in order; `digest` names exactly this plan on exactly this state."""

    steps: tuple[Write | Archive, ...]

    @property
    def is_empty(self) -> bool:
        """Whether what is stored says what the files say already."""
        return all(step.kind == "unchanged" for step in self.steps)

    @property
    def digest(self) -> str:
        """The digest of what somebody agrees to when they see the plan."""
        return canonical_json.digest([step.agreement for step in self.steps])


async def plan_packs(acting: Acting[PolicyUnit], packs: Sequence[Pack], *, prune: bool = False) -> Plan:
    """Return what would make the stored policies say what `packs` say.

    With `prune`, approved policies that these packs made and no longer contain are archived.
    Raises: InvalidInput that names every policy which cannot be as its file says.
    """
    problems: list[Problem] = []
    steps: list[Write | Archive] = []
    stored = await _stored(acting, packs)
    wanted = [packed for pack in packs for packed in pack.policies]
    workspaces = {place: await workspace_of(acting.unit, place) for place in {each.place for each in wanted}}
    for packed in wanted:
        try:
            current = stored.get(packed.slug)
            steps.append(await _step(acting, packed, current, workspace=workspaces[packed.place]))
        except InvalidInput as error:
            problems += [replace(problem, path=f"{packed.file} {problem.path}") for problem in error.problems]
        await asyncio.sleep(0)
    if problems:
        raise InvalidInput("The packs are not usable here.", *problems)
    if prune:
        steps += await _pruned(acting, packs)
    return Plan(steps=tuple(steps))


async def _stored(acting: Acting[PolicyUnit], packs: Sequence[Pack]) -> dict[str, Current]:
    """Return the stored policies by the slug of the packed one: found by slug, or else by the id it names."""
    wanted = {packed.slug: packed for pack in packs for packed in pack.policies}
    slugs = sorted(wanted)
    found: dict[str, Current] = {}
    for start in range(0, len(slugs), MAX_LIMIT):
        where = PolicyFilter(slugs=frozenset(slugs[start : start + MAX_LIMIT]))
        async for current in every_policy(acting, where):
            found[str(current.policy.slug)] = current
    for slug, packed in wanted.items():
        if packed.id is not None and slug not in found:
            named = await _named(acting, PolicyId(packed.id))
            if named is not None:
                found[slug] = named
    return found


async def _named(acting: Acting[PolicyUnit], policy_id: PolicyId) -> Current | None:
    try:
        return await read_policy(acting, policy_id)
    except NotFound:
        return None


async def _step(
    acting: Acting[PolicyUnit], packed: PackedPolicy, current: Current | None, *, workspace: Workspace | None
) -> Write:
    if workspace is None and packed.place.workspace_id is not None:
        message = (
            f"There is no workspace {packed.place.workspace_id!r}: make it first, with this id, or leave"
            " place out to govern the whole tenant."
        )
        raise _problem(packed, "unknown_place", message)
    if current is not None and current.policy.place != packed.place:
        raise _problem(packed, "place_changed", "A policy stays in its place: give this one another key.")
    base = None if current is None else await _base(acting, current)
    reading = Reading(
        schema=None if workspace is None else workspace.context_schema,
        path=packed.path,
        before=() if base is None else base.content.rules,
    )
    content = parse_content(packed.fields, reading)
    digest = content_digest(content)
    planned = Write(packed=packed, content=content, digest=digest, workspace=workspace)
    if current is None or base is None:
        return replace(planned, note=_note(None, workspace, changes=True))
    changes = digest not in {base.digest, current.version.digest}
    return replace(
        planned,
        current=current,
        base=base,
        diff=diff_contents(base.content, content) if changes else None,
        switches=_switches(current.policy, packed),
        note=_note(current.policy, workspace, changes=changes),
    )


async def _base(acting: Acting[PolicyUnit], current: Current) -> Version:
    """Return the version on which an edit builds: the pending one, if there is one."""
    pending = current.policy.pending
    if pending is None:
        return current.version
    return await stored_version(acting.unit, current.policy, number=pending)


def _switches(policy: Policy, packed: PackedPolicy) -> tuple[Switch, ...]:
    switches: list[Switch] = []
    if policy.status == "archived":
        switches.append("restore")
    if policy.is_active != packed.is_active:
        switches.append("activate" if packed.is_active else "deactivate")
    if policy.reach != packed.reach:
        switches.append("reach_place" if packed.reach == "place" else "reach_bound")
    return tuple(switches)


def _note(policy: Policy | None, workspace: Workspace | None, *, changes: bool) -> str:
    if policy is not None and policy.status == "rejected":
        return "it was rejected and stays so: give a new one another key"
    if policy is not None and policy.status == "pending_review":
        return "it waits for approval"
    if changes and workspace is not None and workspace.waits_for_approval:
        return "it will wait for approval"
    return "an edit waits for approval" if policy is not None and policy.pending is not None else ""


async def _pruned(acting: Acting[PolicyUnit], packs: Sequence[Pack]) -> list[Archive]:
    steps: list[Archive] = []
    workspaces: dict[Place, Workspace | None] = {}
    for pack in packs:
        kept = {packed.slug for packed in pack.policies}
        where = PolicyFilter(slug_prefix=f"{pack.name}/", statuses=frozenset({"approved"}))
        async for current in every_policy(acting, where):
            slug, place = current.policy.slug, current.policy.place
            if slug is None or slug in kept:
                continue
            if place not in workspaces:
                workspaces[place] = await workspace_of(acting.unit, place)
            steps.append(Archive(current=current, slug=slug, workspace=workspaces[place]))
    return sorted(steps, key=lambda step: step.slug)


def _revision(current: Current) -> list[Json]:
    return [current.policy.id, current.policy.revision]


def _problem(packed: PackedPolicy, code: str, message: str) -> InvalidInput:
    return InvalidInput.of(f"{packed.path}.place", code, message)
