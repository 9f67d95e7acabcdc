"""Finding policies: by the words that stand in them, and by what they mean.

1. Words: every policy that holds one of the words of the query, or its kin, is found, without any model.
2. Meaning: up to `NEAR` policies whose vectors are near to that of the query are found too.
3. The best `HEAD` by words and those that are near are ranked by both (`fusion`); whatever else has the words
   follows in the order of the words alone.

A policy that nobody has embedded yet is found by its words, and counts as near as the others found by them.
Where nothing is found, the nearest few are told apart from that: what they have to do with it is for people.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from bylaw.core.ids import PolicyId
from bylaw.core.paging import Slice
from bylaw.policies.model import Current, search_text
from bylaw.policies.searching import Word, words_of
from bylaw.policies.store import Hit, PolicyFilter
from bylaw.search.finder import Finder
from bylaw.search.floats import Floats
from bylaw.search.fusion import WORDS, fuse, taught
from bylaw.search.nearest import Nearest
from bylaw.search.store import SearchUnit
from bylaw.search.words import ByWords
from bylaw.tenancy.principal import Acting

HEAD: Final = 200
NEAR: Final = 50
# What is less like the query than this, or than so great a part of the best, is not near.
LEAST: Final = 0.3
_PART: Final = 0.6
# What is less like it than this is as far from it as texts are that have nothing to do with one another.
_FAINT: Final = 0.2
_FEW: Final = 3
# How many of the nearest are looked at, until enough of them are of policies that match.
_WIDTHS: Final = (NEAR + 14, 4 * NEAR, 32 * NEAR)
_EVERYTHING: Final = 1_000_000
_NOBODY: Final = "nobody"

# Tells of a vector how like it is to messages that people led to policies, by the policy.
Teach = Callable[[Floats], Awaitable[Mapping[PolicyId, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A policy that was found, and why.

    `score`, 0 to 1, is compared inside one answer only. `similarity` is that of meanings, None if nobody has
    embedded the policy or the query. `words` are those of the query that stand in it, or whose kin does.
    """

    current: Current
    score: float
    similarity: float | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A part of what was found, the best first, and how many it is in all.

    Where that is nothing, `nearest` are those few that come nearest, though not near; their score is 0.
    `waiting`: how many contents are not embedded yet, so found by words alone. `note` is what people should
    know about how meanings were compared, or empty.
    """

    items: tuple[Match, ...] = ()
    total: int = 0
    nearest: tuple[Match, ...] = ()
    waiting: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked:
    """The head of an answer: hits with scores, the best first; how alike they are, where that is known."""

    hits: Sequence[tuple[Hit, float]]
    alike: Mapping[PolicyId, float]


async def search_policies(
    acting: Acting[SearchUnit],
    finder: Finder,
    query: str,
    *,
    where: PolicyFilter,
    part: Slice,
    teach: Teach | None = None,
) -> Found:
    """Return the policies that match and answer `query`, as far as the caller may see them; none if blank.

    `teach` raises those to which people led messages that are near to the query.
    """
    acting.principal.require("policy:read")
    words = words_of(query)
    if not words:
        return Found()
    where = replace(where, readable=acting.principal.places("policy:read"))
    unit = acting.unit
    index = await finder.nearest(unit)
    told = await finder.words(unit)
    page, meant = await asyncio.gather(
        told.search(words, where, Slice(limit=HEAD, total=True)), _meant(finder, query, index)
    )
    many = 0 if page.total is None else page.total
    ranked = _by_words(page.items)
    if index is not None and meant is not None:
        near = await _near(told, index, meant, where)
        near = await _with_words(told, words, near, page.items, are_all=many <= HEAD)
        led = {} if teach is None else await teach(meant)
        hits = [*page.items, *near]
        hits += await _led(told, words, led, where, but={hit.id for hit in hits})
        alike = _alike(hits, await index.scores(meant, {hit.digest for hit in hits}), led)
        if alike:
            ranked = _by_both(hits, alike)
    window = list(ranked.hits[part.offset : part.offset + part.limit])
    if len(window) < part.limit and many > HEAD:
        wanted = Slice(limit=part.limit - len(window), offset=max(0, part.offset - len(ranked.hits)))
        head = {hit.id for hit, _ in ranked.hits}
        window += await _rest(told, words, where, wanted, but=head)
    faint: tuple[Match, ...] = ()
    if index is not None and meant is not None and not ranked.hits:
        faint = await _faint(unit, told, index, meant, where=where)
    return Found(
        items=await _shown(unit, words, window, ranked.alike),
        total=many + sum(hit.worth == 0 for hit, _ in ranked.hits),
        nearest=faint,
        waiting=await unit.vectors.waiting(_NOBODY if index is None else (await finder.embedder()).id),
        note="" if index is None else (await finder.embedder()).note,
    )


async def _meant(finder: Finder, query: str, index: Nearest | None) -> Floats | None:
    return None if index is None else await finder.meant(query)


async def _faint(
    unit: SearchUnit, told: ByWords, index: Nearest, meant: Floats, *, where: PolicyFilter
) -> tuple[Match, ...]:
    """Return those few that match and come nearest to what is meant, where nothing is near."""
    hits = (await _near(told, index, meant, where, least=_FAINT))[:_FEW]
    alike = await index.scores(meant, {hit.digest for hit in hits})
    shown = [(hit, 0.0) for hit in hits]
    return await _shown(unit, (), shown, {hit.id: alike[hit.digest] for hit in hits})


async def _near(
    told: ByWords, index: Nearest, meant: Floats, where: PolicyFilter, *, least: float = LEAST
) -> Sequence[Hit]:
    """Return the policies that match and whose contents are near to what is meant, the nearest first."""
    few = told.few(where)
    for many in () if few is not None else _WIDTHS:
        alike = await index.search(meant, many, least=least)
        hits = await _saying(told, alike, where, least)
        if len(alike) < many or _are_all(hits, alike, least):
            return _nearest(hits, alike, least)
    # Most of the nearest are out of the question: look among what is not.
    if few is None:
        few = {hit.digest for hit in (await told.search((), where, Slice(limit=_EVERYTHING))).items}
    alike = await index.search(meant, NEAR, least=least, allowed=few)
    return _nearest(await _saying(told, alike, where, least), alike, least)


def _are_all(hits: Sequence[Hit], alike: Mapping[str, float], least: float) -> bool:
    """Return whether `hits` are as many as are wanted, or nothing that is less alike than these is near."""
    enough = len({hit.digest for hit in hits}) >= NEAR
    return enough or min(alike.values()) < _least(hits, alike, least)


def _nearest(hits: Sequence[Hit], alike: Mapping[str, float], least: float) -> Sequence[Hit]:
    least = _least(hits, alike, least)
    near = [hit for hit in hits if alike[hit.digest] >= least]
    return sorted(near, key=lambda hit: (-alike[hit.digest], hit.id))[:NEAR]


def _least(hits: Sequence[Hit], alike: Mapping[str, float], least: float) -> float:
    """Return how alike a content has to be to be near, beside the best of `hits`."""
    return max([least, *(_PART * alike[hit.digest] for hit in hits)])


async def _saying(
    told: ByWords, alike: Mapping[str, float], where: PolicyFilter, least: float
) -> Sequence[Hit]:
    """Return the policies that match and now say one of these contents, if it is at all near."""
    digests = frozenset(digest for digest, score in alike.items() if score >= least)
    if not digests:
        return ()
    return (await told.search((), replace(where, digests=digests), Slice(limit=_EVERYTHING))).items


async def _with_words(
    told: ByWords, words: Sequence[Word], near: Sequence[Hit], found: Sequence[Hit], *, are_all: bool
) -> Sequence[Hit]:
    """Return those of `near` that words did not find, with what words are worth there."""
    known = {hit.id for hit in found}
    others = [hit for hit in near if hit.id not in known]
    if are_all or not others:
        return others
    where = PolicyFilter(ids=frozenset(hit.id for hit in others))
    page = await told.search(words, where, Slice(limit=len(others)))
    worth = {hit.id: hit.worth for hit in page.items}
    return [replace(hit, worth=worth.get(hit.id, 0)) for hit in others]


async def _led(
    told: ByWords,
    words: Sequence[Word],
    led: Mapping[PolicyId, float],
    where: PolicyFilter,
    *,
    but: AbstractSet[PolicyId],
) -> Sequence[Hit]:
    """Return the policies that match to which messages were led, and that nothing else found."""
    others = frozenset(led.keys() - but)
    if not others:
        return ()
    hits = (await told.search((), replace(where, ids=others), Slice(limit=len(others)))).items
    return await _with_words(told, words, hits, (), are_all=False)


def _alike(
    hits: Sequence[Hit], meant: Mapping[str, float], led: Mapping[PolicyId, float]
) -> dict[PolicyId, float]:
    """Return how alike policies are, where that is known: by what they say, or by messages led to them."""
    told = {hit.id: meant[hit.digest] for hit in hits if hit.digest in meant}
    return told | {hit.id: taught(told.get(hit.id, 0.0), led[hit.id]) for hit in hits if hit.id in led}


def _by_words(hits: Sequence[Hit]) -> _Ranked:
    """Return what words found in their order."""
    scores = fuse({}, {hit.id: hit.worth for hit in hits})
    return _Ranked(hits=[(hit, scores[hit.id] / WORDS) for hit in hits], alike={})


def _by_both(hits: Sequence[Hit], alike: Mapping[PolicyId, float]) -> _Ranked:
    """Return what words or meaning found by both; where nobody knows what it means, as the mean of those."""
    known = [alike[hit.id] for hit in hits if hit.worth and hit.id in alike]
    usual = sum(known) / len(known) if known else min(alike.values())
    scores = fuse(
        {hit.id: alike.get(hit.id, usual) for hit in hits},
        {hit.id: hit.worth for hit in hits},
    )
    ranked = sorted(hits, key=lambda hit: (scores[hit.id], hit.created_ms, hit.id), reverse=True)
    return _Ranked(hits=[(hit, scores[hit.id]) for hit in ranked], alike=alike)


async def _rest(
    told: ByWords, words: Sequence[Word], where: PolicyFilter, part: Slice, *, but: AbstractSet[PolicyId]
) -> Sequence[tuple[Hit, float]]:
    """Return a part of what comes after the head, by words alone, and is worth nothing beside it."""
    beyond = Slice(offset=HEAD, limit=part.offset + part.limit + NEAR)
    tail = [hit for hit in (await told.search(words, where, beyond)).items if hit.id not in but]
    return [(hit, 0.0) for hit in tail[part.offset : part.offset + part.limit]]


async def _shown(
    unit: SearchUnit,
    words: Sequence[Word],
    hits: Sequence[tuple[Hit, float]],
    alike: Mapping[PolicyId, float],
) -> tuple[Match, ...]:
    """Return what was found with its texts, and why it was."""
    said = {each.policy.id: each for each in await unit.policies.currents([hit.id for hit, _ in hits])}
    return tuple(
        Match(
            current=said[hit.id],
            score=score,
            similarity=alike.get(hit.id),
            words=_standing(said[hit.id], words),
        )
        for hit, score in hits
    )


def _standing(current: Current, words: Sequence[Word]) -> tuple[str, ...]:
    """Return those of the words that stand in a policy, or whose kin does."""
    text = search_text(current.version.content)
    return tuple(word.text for word in words if word.stem in text)
