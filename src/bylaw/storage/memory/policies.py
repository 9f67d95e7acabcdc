"""The policies of one tenant, in memory."""

from collections.abc import Collection, Mapping, Sequence

from typing_extensions import override

from bylaw.core.ids import PolicyId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.policies.model import Current, Outline, Policy, Version, outline, search_text, topic_key
from bylaw.policies.searching import Word, score
from bylaw.policies.store import Hit, PolicyFilter, TopicCount
from bylaw.storage.memory.heap import Heap
from bylaw.storage.memory.kinds import Kind, cut
from bylaw.storage.paging import start_of
from bylaw.storage.refusals import taken
from bylaw.storage.rows import policy_row, version_of, version_row
from bylaw.storage.sql import tables
from bylaw.storage.vectors import NOT_EMBEDDED
from bylaw.tenancy.model import EVERYWHERE, Place


class Identities(Kind[PolicyId, Policy]):
    """The identities, without their versions."""

    table = tables.policies
    kind = Policy
    noun = "policy"

    @override
    async def save(self, item: Policy, /) -> None:
        """Store the next revision. Raises: PreconditionFailed; Conflict (`exists`) for a taken slug."""
        others = [each for each in self.all() if each.id != item.id and each.deleted_ms is None]
        claims = item.slug is not None and item.deleted_ms is None
        if claims and any(each.slug == item.slug for each in others):
            raise taken(self.noun)
        await super().save(item)

    def all(self) -> Sequence[Policy]:
        """Return every policy, deleted or not."""
        return self._all()

    def count(self, place: Place) -> int:
        """Return how many undeleted policies lie in `place`."""
        return sum(each.deleted_ms is None and place.contains(each.place) for each in self._all())

    @override
    def _written(self, item: Policy) -> Mapping[str, object]:
        return policy_row(item)


class MemoryPolicies:
    """The policies of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id
        self._identities = Identities(heap, tenant_id)

    async def get(self, policy_id: PolicyId) -> Policy | None:
        """Return the policy, deleted or not, or None."""
        return await self._identities.get(policy_id)

    async def add_all(self, made: Sequence[Current]) -> None:
        """Store new policies with their first versions. Raises: Conflict (`exists`)."""
        for current in made:
            await self._identities.add(current.policy)
            self._add_version(current.version)

    async def save_all(self, changed: Sequence[tuple[Policy, Version | None]]) -> None:
        """Store the next revisions of different policies, each with its new version if there is one.

        Raises: PreconditionFailed; Conflict (`exists`) when a slug or the number of a version is taken.
        """
        for policy, version in changed:
            await self._identities.save(policy)
            if version is not None:
                self._add_version(version)

    async def version(self, policy_id: PolicyId, number: int) -> Version | None:
        """Return one version or None; those of a deleted policy too."""
        row = self._heap.get(tables.versions, self._tenant_id, policy_id, number)
        return None if row is None else version_of(row)

    async def versions(self, policy_id: PolicyId, part: Slice) -> Page[Version]:
        """Return a page of the versions, newest first."""
        rows = self._heap.all(tables.versions)
        mine = (self._tenant_id, policy_id)
        found = [version_of(row) for row in rows if (row["tenant_id"], row["policy_id"]) == mine]
        return cut(found, part, lambda version: (version.number,), kinds=(int,))

    async def list(self, where: PolicyFilter, part: Slice) -> Page[Current]:
        """Return a page of the policies that match, each with its current version."""
        return cut(self._matching(where), part, lambda item: (item.policy.created_ms, item.policy.id))

    async def search(self, words: Sequence[Word], where: PolicyFilter, part: Slice) -> Page[Hit]:
        """Return a page of the policies that match and whose current version has any of `words`."""
        start_of(part)
        scored = [(score(item.version.content, words), item) for item in self._matching(where)]
        found = [(worth, item) for worth, item in scored if worth or not words]
        found.sort(key=lambda each: (each[0], each[1].policy.created_ms, each[1].policy.id), reverse=True)
        items = tuple(
            Hit(
                id=item.policy.id,
                digest=item.version.digest,
                created_ms=item.policy.created_ms,
                worth=worth,
            )
            for worth, item in found[part.offset : part.offset + part.limit]
        )
        return Page(items=items, total=len(found) if part.total else None)

    async def topics(self, where: PolicyFilter) -> Sequence[TopicCount]:
        """Return the topics of the policies that match, each once, by `topic_key`."""
        spelled: dict[str, list[str]] = {}
        for item in sorted(self._matching(where), key=lambda each: each.policy.id):
            if item.version.content.topic is not None:
                topic = item.version.content.topic
                spelled.setdefault(topic_key(topic), []).append(topic)
        return [TopicCount(topic=each[-1], policies=len(each)) for _, each in sorted(spelled.items())]

    async def currents(self, ids: Collection[PolicyId]) -> Sequence[Current]:
        """Return those of these policies that are not deleted, each with its current version."""
        found = [await self.get(ident) for ident in sorted(set(ids))]
        undeleted = [policy for policy in found if policy is not None and policy.deleted_ms is None]
        return [self._with(policy, policy.current) for policy in undeleted]

    async def places(self, ids: Collection[PolicyId]) -> Mapping[PolicyId, Place]:
        """Return where these policies are, deleted or not; unknown ones are left out."""
        found = {ident: await self.get(ident) for ident in set(ids)}
        return {ident: policy.place for ident, policy in found.items() if policy is not None}

    async def outlines(self, part: Slice) -> Page[Outline]:
        """Return a page of all undeleted policies without their texts, by falling id."""
        found = [policy for policy in self._identities.all() if policy.deleted_ms is None]
        page = cut(found, part, lambda policy: (policy.id,), kinds=(str,))
        outlines = tuple(outline(self._with(policy, policy.current)) for policy in page.items)
        return Page(items=outlines, next_cursor=page.next_cursor, total=page.total)

    def _matching(self, where: PolicyFilter) -> Sequence[Current]:
        every = [self._with(policy, policy.current) for policy in self._identities.all()]
        return [item for item in every if _matches(item, where)]

    def _with(self, policy: Policy, number: int) -> Current:
        row = self._heap.get(tables.versions, self._tenant_id, policy.id, number)
        return Current(policy=policy, version=version_of({} if row is None else row))

    def _add_version(self, version: Version) -> None:
        row = {**version_row(version), "tenant_id": self._tenant_id}
        if not self._heap.insert_new(tables.versions, row):
            raise taken("version")
        self._heap.insert_new(tables.vectors, {**row, **NOT_EMBEDDED})


def _is_kept(policy: Policy, where: PolicyFilter) -> bool:
    """Return whether a policy is as much deleted as is wanted."""
    if where.only_deleted:
        return policy.deleted_ms is not None
    return where.include_deleted or policy.deleted_ms is None


def _matches(item: Current, where: PolicyFilter) -> bool:
    policy, content = item.policy, item.version.content
    topic = None if content.topic is None else topic_key(content.topic)
    return (
        _governs(policy, where)
        and _is_kept(policy, where)
        and _is_readable(policy.place, where)
        and (where.statuses is None or policy.status in where.statuses)
        and (where.is_active is None or policy.is_active == where.is_active)
        and _stands(policy, where)
        and _is_named(policy, where)
        and (where.source_types is None or policy.source.type in where.source_types)
        and (where.topic is None or topic == topic_key(where.topic))
        and (where.actions is None or content.action in where.actions)
        and (where.risks is None or content.risk in where.risks)
        and (where.text is None or where.text.casefold() in search_text(content))
        and (where.digests is None or item.version.digest in where.digests)
    )


def _stands(policy: Policy, where: PolicyFilter) -> bool:
    waits = policy.status == "pending_review" or policy.pending is not None
    return (
        (where.has_pending is None or (policy.pending is not None) == where.has_pending)
        and (where.in_force is None or policy.is_in_force == where.in_force)
        and (where.waits is None or waits == where.waits)
    )


def _governs(policy: Policy, where: PolicyFilter) -> bool:
    if where.or_policy == policy.id:
        return True
    return (where.place is None or _lies(policy.place, where.place, where)) and (
        where.reach is None or policy.reach == where.reach
    )


def _lies(place: Place, wanted: Place, where: PolicyFilter) -> bool:
    match where.match:
        case "exact":
            return place == wanted
        case "within":
            return wanted.contains(place)
        case "effective":
            return place.contains(wanted)
        case "near":
            return near(place, wanted)


def _is_named(policy: Policy, where: PolicyFilter) -> bool:
    slug = "" if policy.slug is None else policy.slug
    return (
        (where.ids is None or policy.id in where.ids)
        and (where.slugs is None or policy.slug in where.slugs)
        and (where.slug_prefix is None or (policy.slug is not None and slug.startswith(where.slug_prefix)))
    )


def _is_readable(place: Place, where: PolicyFilter) -> bool:
    readable = where.readable
    return readable is None or place == EVERYWHERE or any(near(place, other) for other in readable)


def near(place: Place, other: Place) -> bool:
    """Return whether one of two places contains the other."""
    return place.contains(other) or other.contains(place)
