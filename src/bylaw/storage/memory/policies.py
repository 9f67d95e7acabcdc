"""The policies of one tenant, in memory."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from typing_extensions import override

from bylaw.core.ids import PolicyId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.policies.matching import admits, facets_of, governs
from bylaw.policies.model import Current, Outline, Policy, Version, outline, search_text, topic_key
from bylaw.policies.searching import Word, score
from bylaw.policies.store import Hit, PolicyFilter, Spelled, TopicCount
from bylaw.storage.memory.corrections import MemoryCorrections
from bylaw.storage.memory.heap import Heap, Row
from bylaw.storage.memory.kinds import Kind, cut
from bylaw.storage.paging import start_of
from bylaw.storage.refusals import taken
from bylaw.storage.rows import from_row, policy_row, version_of, version_row
from bylaw.storage.sql import tables
from bylaw.storage.vectors import NOT_EMBEDDED
from bylaw.tenancy.model import Place


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

    def last_spelled(self) -> int:
        """Return the highest number of a change; 0 where there are no policies."""
        return max((number for number, _ in self._numbered()), default=0)

    def spelled_after(self, number: int) -> Sequence[tuple[int, Policy]]:
        """Return what changed after `number`, deleted or not, with its own number, by rising number."""
        fresh = [(last, row) for last, row in self._numbered() if last > number]
        return [(last, from_row(Policy, row)) for last, row in sorted(fresh, key=lambda each: each[0])]

    def _numbered(self) -> Iterator[tuple[int, Row]]:
        for row in self._heap.all(self.table):
            number = row["spelled"]
            if row["tenant_id"] == self._tenant_id and isinstance(number, int):
                yield number, row

    @override
    def _written(self, item: Policy) -> Mapping[str, object]:
        return {**policy_row(item), "spelled": self.last_spelled() + 1}


class MemoryPolicies:
    """The policies of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id
        self._identities = Identities(heap, tenant_id)
        self._has_changed = False

    async def get(self, policy_id: PolicyId) -> Policy | None:
        """Return the policy, deleted or not, or None."""
        return await self._identities.get(policy_id)

    async def add_all(self, made: Sequence[Current]) -> None:
        """Store new policies with their first versions. Raises: Conflict (`exists`)."""
        self._has_changed = True
        for current in made:
            await self._identities.add(current.policy)
            self._add_version(current.version)

    async def save_all(self, changed: Sequence[tuple[Policy, Version | None]]) -> None:
        """Store the next revisions of different policies, each with its new version if there is one.

        Raises: PreconditionFailed; Conflict (`exists`) when a slug or the number of a version is taken.
        """
        self._has_changed = True
        for policy, version in changed:
            await self._identities.save(policy)
            if version is not None:
                self._add_version(version)
        gone = [policy.id for policy, _ in changed if policy.deleted_ms is not None]
        await MemoryCorrections(self._heap, self._tenant_id).remove_of(gone)

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

    async def packs(self, where: PolicyFilter) -> Mapping[str, int]:
        """Return how many policies that match each pack made; those of none under the empty name."""
        return Counter((item.policy.slug or "").rpartition("/")[0] for item in self._matching(where))

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

    async def last_spelled(self) -> int | None:
        """Return the highest number of a change, 0 without any; None if some may still be taken back."""
        return None if self._has_changed else self._identities.last_spelled()

    async def spelled_after(self, number: int, *, limit: int) -> Sequence[Spelled]:
        """Return up to `limit` policies that changed after `number`, as they are now, by rising number."""
        fresh = self._identities.spelled_after(number)[:limit]
        return [_spelled(last, self._with(policy, policy.current)) for last, policy in fresh]

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


def _spelled(number: int, current: Current) -> Spelled:
    policy, version = current.policy, current.version
    return Spelled(
        number=number,
        id=policy.id,
        created_ms=policy.created_ms,
        digest=version.digest,
        text=search_text(version.content),
        facets=None if policy.deleted_ms is not None else facets_of(current),
    )


def _is_kept(policy: Policy, where: PolicyFilter) -> bool:
    """Return whether a policy is as much deleted as is wanted."""
    if where.only_deleted:
        return policy.deleted_ms is not None
    return where.include_deleted or policy.deleted_ms is None


def _matches(item: Current, where: PolicyFilter) -> bool:
    policy, content = item.policy, item.version.content
    facets = facets_of(item)
    return (
        (where.or_policy == policy.id or governs(facets, where))
        and admits(facets, where)
        and _is_kept(policy, where)
        and _is_named(policy, where)
        and (where.text is None or where.text.casefold() in search_text(content))
        and (where.digests is None or item.version.digest in where.digests)
    )


def _is_named(policy: Policy, where: PolicyFilter) -> bool:
    slug = "" if policy.slug is None else policy.slug
    return (
        (where.ids is None or policy.id in where.ids)
        and (where.slugs is None or policy.slug in where.slugs)
        and (where.slug_prefix is None or (policy.slug is not None and slug.startswith(where.slug_prefix)))
    )
