"""How policies go over the wire that were listed or found."""

import msgspec

from bylaw.api.native.policy_views import PolicyView, view
from bylaw.core.ids import PolicyId
from bylaw.core.paging import Page, encode_cursor
from bylaw.policies.model import Current
from bylaw.search.query import Found, Match


class MatchView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a policy was found.

    `score`, 0 to 1, is compared inside one answer only. `similarity` is that of meanings, null where nobody
    has embedded the policy yet. `words` are those of the query that stand there, or whose kin does.
    """

    score: float
    similarity: float | None
    words: tuple[str, ...]


class ListedPolicyView(PolicyView, frozen=True):
    """A policy of a list; `match` says why it was found, null where nothing was searched for."""

    match: MatchView | None


class NearestView(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that comes nearer than others, though not near enough to be found."""

    id: PolicyId
    name: str
    topic: str | None
    similarity: float


class FoundView(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in all.

    `nearest`, where that is nothing, are up to three policies that come nearest, though not near. `waiting`
    contents of policies are not embedded yet: they are found by words. `note` says what people should know
    about how meanings are compared, and is empty if there is nothing to say.
    """

    total: int
    waiting: int
    note: str
    nearest: tuple[NearestView, ...] = ()


class PolicyList(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a list, newest first, or the best first with `q`; send `next_cursor` for the next part.

    `found` is null where nothing was searched for, `total` where it was not asked for.
    """

    data: tuple[ListedPolicyView, ...]
    next_cursor: str | None
    found: FoundView | None
    total: int | None = None


def listed(page: Page[Current]) -> PolicyList:
    """Return a page of policies as it goes over the wire."""
    data = tuple(_listed(current, None) for current in page.items)
    return PolicyList(data=data, next_cursor=page.next_cursor, found=None, total=page.total)


def found_view(found: Found, *, offset: int) -> PolicyList:
    """Return a part of what was found, after `offset`, as it goes over the wire."""
    after = offset + len(found.items)
    return PolicyList(
        data=tuple(_listed(each.current, each) for each in found.items),
        next_cursor=encode_cursor(after) if found.items and after < found.total else None,
        found=FoundView(
            total=found.total,
            waiting=found.waiting,
            note=found.note,
            nearest=tuple(map(_nearest, found.nearest)),
        ),
    )


def _nearest(match: Match) -> NearestView:
    content = match.current.version.content
    alike = round(match.similarity or 0.0, 4)
    return NearestView(id=match.current.policy.id, name=content.name, topic=content.topic, similarity=alike)


def _listed(current: Current, match: Match | None) -> ListedPolicyView:
    why = None
    if match is not None:
        alike = None if match.similarity is None else round(match.similarity, 4)
        why = MatchView(score=round(match.score, 4), similarity=alike, words=match.words)
    return ListedPolicyView(**msgspec.structs.asdict(view(current)), match=why)
