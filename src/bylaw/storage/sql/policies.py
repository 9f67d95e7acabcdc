"""The policies of one tenant, in SQL."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import (
    LABEL_STYLE_TABLENAME_PLUS_COL,
    ColumnElement,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    desc,
    false,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from typing_extensions import override

from bylaw.core.ids import PolicyId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.policies.model import Current, Outline, Policy, Version
from bylaw.policies.searching import LITERAL, STEM, TOPIC, Word, parts_of
from bylaw.policies.store import Facets, Hit, PolicyFilter, Spelled, TopicCount
from bylaw.storage.paging import start_of
from bylaw.storage.refusals import outdated, require_own, taken
from bylaw.storage.rows import from_row, policy_row, version_of, version_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.corrections import SqlCorrections
from bylaw.storage.sql.kinds import Kind
from bylaw.storage.sql.lists import (
    Condition,
    Listing,
    contains,
    one_of,
)
from bylaw.storage.sql.session import Session
from bylaw.storage.sql.wanted import IN_FORCE, about, places, said
from bylaw.storage.sql.words import SqlWords
from bylaw.storage.vectors import NOT_EMBEDDED
from bylaw.tenancy.model import Place

_POLICIES = tables.policies
_P = _POLICIES.c
_V = tables.versions.c
_BATCH = 100  # policies of one statement, whose rows are made while nothing else has its turn
_OUTLINED = (
    _P.id,
    _P.workspace_id,
    _P.repo_id,
    _P.reach,
    _P.current,
    _V.digest,
    IN_FORCE.label("is_in_force"),
)

_SPELLED = (
    *(_P.spelled, _P.id, _P.created_ms, _P.workspace_id, _P.repo_id, _P.reach, _P.status, _P.is_active),
    *(_P.pending, _P.source_type, _P.deleted_ms, IN_FORCE.label("is_in_force")),
    *(_V.digest, _V.topic_key, _V.action, _V.risk, _V.search_text),
)


class _Identities(Kind[PolicyId, Policy]):
    """The identities, without their versions."""

    table = _POLICIES
    kind = Policy
    noun = "policy"

    @override
    async def add_all(self, items: Sequence[Policy], /) -> None:
        """Store new items. Raises: Conflict (`exists`)."""
        for item in items:
            require_own(item, self._tenant_id)
        rows = await self._numbered(items)
        if await self._session.insert_new(_POLICIES, *rows) < len(rows):
            raise taken(self.noun)

    async def save_all(self, items: Sequence[Policy], /) -> Sequence[PolicyId]:
        """Store the next revisions; what is read first still holds then (`Database`).

        Return those whose words are others than before, or are looked for in another place.
        """
        for item in items:
            require_own(item, self._tenant_id)
        wanted = select(_P.id, _P.revision, _P.workspace_id, _P.current, _P.deleted_ms)
        these = wanted.where(self._own(_P.id.in_([item.id for item in items])))
        stored = {row["id"]: row for row in await self._session.rows(these)}
        for item in items:
            found = stored[item.id]["revision"] if item.id in stored else None
            if found != item.revision - 1:
                raise outdated(self.noun, item.id, current=found)
        claims = {item.slug: item.id for item in items if item.slug is not None and item.deleted_ms is None}
        held = select(_P.slug, _P.id).where(self._own(_P.slug.in_(claims), _P.deleted_ms.is_(None)))
        if claims and any(claims[row["slug"]] != row["id"] for row in await self._session.rows(held)):
            raise taken(self.noun)
        rows = [{**row, "this": row["id"]} for row in await self._numbered(items)]
        await self._session.change_each(update(_POLICIES).where(self._own(_P.id == bindparam("this"))), rows)
        return [item.id for item in items if _stands(item) != _stood(stored[item.id])]

    async def last_spelled(self) -> int:
        """Return the highest number of a change; 0 where there are no policies."""
        return await self._session.number(select(func.max(_P.spelled)).where(self._own()))

    async def _numbered(self, items: Sequence[Policy]) -> Sequence[Mapping[str, object]]:
        last = await self.last_spelled()
        return [{**policy_row(item), "spelled": number} for number, item in enumerate(items, last + 1)]


class SqlPolicies:
    """The policies of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._identities = _Identities(session, tenant_id)
        self._words = SqlWords(session, tenant_id)
        self._has_changed = False

    async def get(self, policy_id: PolicyId) -> Policy | None:
        """Return the policy, deleted or not, or None."""
        return await self._identities.get(policy_id)

    async def add_all(self, made: Sequence[Current]) -> None:
        """Store new policies with their first versions. Raises: Conflict (`exists`)."""
        self._has_changed = True
        for start in range(0, len(made), _BATCH):
            batch = made[start : start + _BATCH]
            await self._identities.add_all([current.policy for current in batch])
            await self._add_versions([current.version for current in batch])
            await self._words.spell([current.policy.id for current in batch])

    async def save_all(self, changed: Sequence[tuple[Policy, Version | None]]) -> None:
        """Store the next revisions of different policies, each with its new version if there is one.

        Raises: PreconditionFailed; Conflict (`exists`) when a slug or the number of a version is taken.
        """
        self._has_changed = True
        for start in range(0, len(changed), _BATCH):
            batch = changed[start : start + _BATCH]
            respelled = await self._identities.save_all([policy for policy, _ in batch])
            await self._add_versions([version for _, version in batch if version is not None])
            if respelled:
                await self._words.spell(respelled)
            if gone := [policy.id for policy, _ in batch if policy.deleted_ms is not None]:
                await SqlCorrections(self._session, self._tenant_id).remove_of(gone)

    async def _add_versions(self, versions: Sequence[Version]) -> None:
        rows = [{**version_row(version), "tenant_id": self._tenant_id} for version in versions]
        if await self._session.insert_new(tables.versions, *rows) < len(rows):
            raise taken("version")
        mine = {"tenant_id": self._tenant_id, **NOT_EMBEDDED}
        await self._session.insert_all(tables.vectors, [{**mine, "digest": each.digest} for each in versions])

    async def version(self, policy_id: PolicyId, number: int) -> Version | None:
        """Return one version or None; those of a deleted policy too."""
        wanted = self._versions(policy_id).where(_V.number == number)
        row = await self._session.row(wanted)
        return None if row is None else version_of(row)

    async def versions(self, policy_id: PolicyId, part: Slice) -> Page[Version]:
        """Return a page of the versions, newest first."""
        listing = Listing(self._versions(policy_id), _V.number, kinds=(int,))
        return await listing.page(self._session, part, read=version_of, key=lambda version: (version.number,))

    async def list(self, where: PolicyFilter, part: Slice) -> Page[Current]:
        """Return a page of the policies that match, each with its current version."""
        found = await self._found(where)
        # Each place is a list of its own, in the order of an index; they are merged.
        lists = union_all(*(found.where(place) for place in places(where))).subquery()
        merged = select(lists.c.created_ms, lists.c.id)
        page = await Listing(merged, lists.c.created_ms, lists.c.id).page(
            self._session, part, read=lambda row: (row["created_ms"], row["id"]), key=lambda key: key
        )
        return Page(
            items=await self._whole([ident for _, ident in page.items]),
            next_cursor=page.next_cursor,
            total=page.total,
        )

    async def search(self, words: Sequence[Word], where: PolicyFilter, part: Slice) -> Page[Hit]:
        """Return a page of the policies that match and whose current version has any of `words`."""
        start_of(part)
        held = None if where.include_deleted or not words else await self._words.holding(words)
        found = (await self._found(where, with_text=held is None)).where(or_(*places(where)))
        if held is None:
            worth = _score(words)
            if words:
                stems = (contains(_V.search_text, word.stem) for word in words)
                found = found.where(or_(false(), *stems))
        else:
            ranked = self._words.ranked(words, held, where)
            worth, found = ranked.c.worth, found.join(ranked, ranked.c.policy_id == _P.id)
        counted = found.add_columns(worth.label("worth"), func.count().over().label("total"))
        # A name alone would be that of a version, where those are joined.
        best = counted.order_by(desc("worth"), _P.created_ms.desc(), _P.id.desc())
        best = best.limit(part.limit).offset(part.offset)
        rows = await self._session.rows(self._with_digests(best))
        total = rows[0]["total"] if rows else 0
        if part.total and part.offset and not rows:
            total = await self._session.number(select(func.count()).select_from(found.subquery()))
        return Page(items=tuple(map(_hit, rows)), total=total if part.total else None)

    def _with_digests(self, found: Select[*tuple[object, ...]]) -> Select[*tuple[object, ...]]:
        """Return the statement of what was found with the digests, which are read for these rows alone."""
        these = found.subquery()
        said = select(these, _V.digest).select_from(these).join(_POLICIES, _P.id == these.c.id)
        said = said.join(tables.versions, _same(_P.current)).where(_P.tenant_id == self._tenant_id)
        return said.order_by(these.c.worth.desc(), these.c.created_ms.desc(), these.c.id.desc())

    async def topics(self, where: PolicyFilter) -> Sequence[TopicCount]:
        """Return the topics of the policies that match, each once, by `topic_key`."""
        matching = (await self._found(where, with_text=True)).where(or_(*places(where)))
        each = matching.with_only_columns(
            _V.topic_key, func.count().label("policies"), func.max(_P.id).label("spelled")
        )
        each = each.where(_V.topic_key.is_not(None)).group_by(_V.topic_key).order_by(_V.topic_key)
        rows = await self._session.rows(each)
        said = {item.policy.id: item for item in await self._whole([row["spelled"] for row in rows])}
        counts = [(said[row["spelled"]].version.content.topic, row["policies"]) for row in rows]
        return [TopicCount(topic=topic or "", policies=policies) for topic, policies in counts]

    async def packs(self, where: PolicyFilter) -> Mapping[str, int]:
        """Return how many policies that match each pack made; those of none under the empty name."""
        letters = func.replace(_P.slug, "/", "")
        pack = func.coalesce(func.rtrim(_P.slug, letters), "")  # as far as the last slash, or nothing
        matching = (await self._found(where)).where(or_(*places(where)))
        rows = await self._session.rows(
            matching.with_only_columns(pack.label("pack"), func.count().label("policies")).group_by(pack)
        )
        return {row["pack"].removesuffix("/"): row["policies"] for row in rows}

    async def _found(self, where: PolicyFilter, *, with_text: bool = False) -> Select[*tuple[object, ...]]:
        """Return the statement of the keys of the policies that match; with what they say if that decides."""
        sayings = said(where)
        found = select(_P.created_ms, _P.id).where(_P.tenant_id == self._tenant_id, *about(where), *sayings)
        if sayings or with_text:
            found = found.join_from(_POLICIES, tables.versions, _same(_P.current))
        indexed = where.text is not None and not where.include_deleted
        held = await self._words.seldom(parts_of(where.text or "")) if indexed else None
        return found if held is None else found.where(_P.id.in_(held))

    async def _whole(self, ids: Sequence[PolicyId]) -> tuple[Current, ...]:
        """Return these policies in this order: only what is shown is read whole."""
        if not ids:
            return ()
        these = self._with(_P.current).where(_P.id.in_(ids))
        found = {item.policy.id: item for item in map(_current, await self._session.rows(these))}
        return tuple(found[ident] for ident in ids)

    async def currents(self, ids: Collection[PolicyId]) -> Sequence[Current]:
        """Return those of these policies that are not deleted, each with its current version."""
        wanted = self._with(_P.current).where(*one_of(_P.id, ids), _P.deleted_ms.is_(None))
        return [_current(row) for row in await self._session.rows(wanted)]

    async def places(self, ids: Collection[PolicyId]) -> Mapping[PolicyId, Place]:
        """Return where these policies are, deleted or not; unknown ones are left out."""
        wanted = select(_P.id, _P.workspace_id, _P.repo_id)
        wanted = wanted.where(_P.tenant_id == self._tenant_id, *one_of(_P.id, ids))
        rows = await self._session.rows(wanted)
        return {row["id"]: Place(workspace_id=row["workspace_id"], repo_id=row["repo_id"]) for row in rows}

    async def outlines(self, part: Slice) -> Page[Outline]:
        """Return a page of all undeleted policies without their texts, by falling id."""
        wanted = select(*_OUTLINED).join_from(tables.policies, tables.versions, _same(_P.current))
        own = wanted.where(_P.tenant_id == self._tenant_id, _P.deleted_ms.is_(None))
        return await Listing(own, _P.id, kinds=(str,)).page(
            self._session, part, read=_outline, key=lambda outline: (outline.id,)
        )

    async def last_spelled(self) -> int | None:
        """Return the highest number of a change, 0 without any; None if some may still be taken back."""
        return None if self._has_changed else await self._identities.last_spelled()

    async def spelled_after(self, number: int, *, limit: int) -> Sequence[Spelled]:
        """Return up to `limit` policies that changed after `number`, as they are now, by rising number."""
        wanted = select(*_SPELLED).join_from(tables.policies, tables.versions, _same(_P.current))
        fresh = wanted.where(_P.tenant_id == self._tenant_id, _P.spelled > number)
        return [_spelled(row) for row in await self._session.rows(fresh.order_by(_P.spelled).limit(limit))]

    def _versions(self, policy_id: PolicyId) -> Select[*tuple[object, ...]]:
        return select(tables.versions).where(_V.tenant_id == self._tenant_id, _V.policy_id == policy_id)

    def _with(self, number: ColumnElement[int]) -> Select[*tuple[object, ...]]:
        """Return the statement of every policy with its version of that number."""
        both = select(tables.policies, tables.versions)
        both = both.join_from(tables.policies, tables.versions, _same(number))
        return both.where(_P.tenant_id == self._tenant_id).set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)


def _stands(policy: Policy) -> tuple[object, ...]:
    """Return what decides which words of a policy are looked for, and where."""
    return policy.place.workspace_id, policy.current, policy.deleted_ms is None


def _stood(row: RowMapping) -> tuple[object, ...]:
    """Return the same of a stored policy."""
    return row["workspace_id"], row["current"], row["deleted_ms"] is None


def _same(number: ColumnElement[int]) -> Condition:
    """Return whether a version is that of a policy with this number."""
    return and_(_V.tenant_id == _P.tenant_id, _V.policy_id == _P.id, _V.number == number)


def _score(words: Sequence[Word]) -> ColumnElement[int]:
    """Return how well a version answers a query, as `searching.score` does."""
    worth: ColumnElement[int] = literal(0)
    for word in words:
        whole, part = contains(_V.search_text, word.text), contains(_V.search_text, word.stem)
        worth += case((whole, LITERAL), (part, STEM), else_=0)
        worth += case((contains(_V.topic_key, word.stem), TOPIC), else_=0)
    return worth


def _hit(row: RowMapping) -> Hit:
    return Hit(id=row["id"], digest=row["digest"], created_ms=row["created_ms"], worth=row["worth"])


def _spelled(row: RowMapping) -> Spelled:
    facets = Facets(
        place=Place(workspace_id=row["workspace_id"], repo_id=row["repo_id"]),
        reach=row["reach"],
        status=row["status"],
        is_active=row["is_active"],
        has_pending=row["pending"] is not None,
        in_force=row["is_in_force"],
        source_type=row["source_type"],
        topic=row["topic_key"],
        action=row["action"],
        risk=row["risk"],
    )
    return Spelled(
        number=row["spelled"],
        id=row["id"],
        created_ms=row["created_ms"],
        digest=row["digest"],
        text=row["search_text"],
        facets=None if row["deleted_ms"] is not None else facets,
    )


def _outline(row: RowMapping) -> Outline:
    return Outline(
        id=row["id"],
        place=Place(workspace_id=row["workspace_id"], repo_id=row["repo_id"]),
        reach=row["reach"],
        is_in_force=row["is_in_force"],
        number=row["current"],
        digest=row["digest"],
    )


def _current(row: RowMapping) -> Current:
    policy = {column.name: row[column] for column in _P}
    version = {column.name: row[column] for column in _V}
    return Current(policy=from_row(Policy, policy), version=version_of(version))
