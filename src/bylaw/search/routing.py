"""Routing: from what a customer says to topics, and from those to the policies that a decision is about.

1. What is looked for is what the customer said first, as one text: a first turn alone is often a greeting.
2. Each topic is worth what the best of its policies in force is.
3. The best topic is chosen, and all that are as near: by less than `MARGIN` in score, or by that part of the
   likeness itself, for scores tell only who is better. None is chosen where more than `MOST` are as near, and
   where nothing is found, or nothing near enough.
4. What people corrected counts: a message like one that was led to a policy is as like that policy, and
   none is chosen where it is more like one that no policy is about.
5. Firm policies (`policies.outcomes`), those that stop something or can be checked without judging among
   them, stay whatever is chosen: no likeness ever takes one of them out of a decision.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bylaw.core.ids import PolicyId
from bylaw.core.paging import Slice, every
from bylaw.decisions.model import Routed
from bylaw.policies.model import topic_key
from bylaw.policies.outcomes import is_firm
from bylaw.policies.store import PolicyFilter
from bylaw.search.finder import Finder
from bylaw.search.fusion import taught
from bylaw.search.lessons import Lessons
from bylaw.search.query import LEAST, Found, Match, search_policies
from bylaw.search.store import SearchUnit
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting

MARGIN: Final = 0.1
MOST: Final = 3
TURNS: Final = 3
_CANDIDATES: Final = 50
# More of a turn is not read by whoever embeds.
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A topic that may be meant, the policy that speaks for it, and why."""

    topic: str
    policy_id: PolicyId
    name: str
    score: float
    similarity: float | None
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Where a conversation leads.

    `margin` is how far the best topic leads, 1 if it is alone and 0 without any. `chosen` are the topics that
    are meant; without any, `why` says why. `topics` is what a decision is to be asked with: those and the
    ones that are never left out; empty where nothing is chosen, for then nothing is to be left out.
    """

    candidates: tuple[Candidate, ...]
    margin: float
    chosen: tuple[str, ...]
    why: str = ""
    topics: tuple[str, ...] = ()


def first_said(turns: Sequence[str]) -> str:
    """Return what the customer said first as one text; `turns` are theirs alone, in order."""
    return "\n".join(turn[:_LONGEST] for turn in turns[:TURNS])


async def route(acting: Acting[SearchUnit], finder: Finder, said: str, *, place: Place) -> Routing:
    """Return where `said` leads among the policies that govern `place` and that the caller may see."""
    where = PolicyFilter(place=place, match="effective", in_force=True)
    _, routing = await _looked(acting, finder, said, where=where)
    kept = [topic async for topic in _always(acting, where)] if routing.chosen else []
    topics = {topic_key(topic): topic for topic in (*kept, *routing.chosen)}
    return replace(routing, topics=tuple(sorted(topics.values())))


async def routed(acting: Acting[SearchUnit], finder: Finder, turns: Sequence[str], *, place: Place) -> Routed:
    """Return the topics to which the turns of a customer lead; none unless every policy was compared."""
    where = PolicyFilter(place=place, match="effective", in_force=True)
    found, routing = await _looked(acting, finder, first_said(turns), where=where)
    margin = round(routing.margin, 4)
    if found.waiting:
        why = f"Not embedded yet: {found.waiting} texts of policies."
    elif routing.chosen and all(each.similarity is None for each in found.items):
        why = "Nobody tells at the moment what is meant."
    else:
        embedder = (await finder.embedder()).id
        return Routed(topics=routing.chosen, margin=margin, embedder=embedder, why=routing.why)
    return Routed(margin=margin, why=why)


async def _looked(
    acting: Acting[SearchUnit], finder: Finder, said: str, *, where: PolicyFilter
) -> tuple[Found, Routing]:
    """Return the policies that are near to what was said or was corrected, and where they lead."""
    workspace_id = None if where.place is None else where.place.workspace_id
    lessons = Lessons(acting.unit, finder, said, workspace_id=workspace_id)
    part = Slice(limit=_CANDIDATES)
    found = await search_policies(acting, finder, said, where=where, part=part, teach=lessons.look)
    return found, routing_of(found, nobodys=lessons.nobodys)


def routing_of(found: Found, *, nobodys: float = 0.0) -> Routing:
    """Return where the policies that were found lead; `nobodys`: how like it is to what none is about."""
    best: dict[str, Candidate] = {}
    for match in found.items:
        topic = match.current.version.content.topic
        if topic is not None:
            best.setdefault(topic_key(topic), _candidate(topic, match))
    ranked = tuple(best.values())
    alike = max((each.similarity or 0.0 for each in ranked), default=0.0)
    near = [each for each in ranked if _is_near(each, ranked[0], alike)]
    is_cut = len(found.items) == _CANDIDATES and ranked and ranked[0].score - found.items[-1].score < MARGIN
    if nobodys and taught(0.0, nobodys) >= alike:
        why, near = "Somebody said of such a message that no policy is about it.", []
    elif not ranked or (alike < LEAST and ranked[0].similarity is not None):
        why, near = "No topic is near to what was said.", []
    elif len(near) > MOST or is_cut:
        why, near = "Too many topics are as near to what was said.", []
    else:
        why = ""
    return Routing(
        candidates=ranked, margin=_margin(ranked), chosen=tuple(each.topic for each in near), why=why
    )


def _is_near(each: Candidate, best: Candidate, alike: float) -> bool:
    """Return whether a candidate may be meant as well as the best, or as whatever is most alike."""
    if best.score - each.score < MARGIN:
        return True
    return bool(each.similarity) and (each.similarity or 0.0) >= (1 - MARGIN) * max(alike, LEAST)


def _margin(ranked: Sequence[Candidate]) -> float:
    if not ranked:
        return 0.0
    return ranked[0].score - ranked[1].score if len(ranked) > 1 else 1.0


def _candidate(topic: str, match: Match) -> Candidate:
    return Candidate(
        topic=topic,
        policy_id=match.current.policy.id,
        name=match.current.version.content.name,
        score=match.score,
        similarity=match.similarity,
        words=match.words,
    )


async def _always(acting: Acting[SearchUnit], where: PolicyFilter) -> AsyncIterator[str]:
    """Yield the topics of firm policies; of all, for a decision obeys also what the caller may not see."""
    policies = acting.unit.policies
    for each in await policies.topics(replace(where, actions=frozenset({"block", "review"}))):
        yield each.topic
    lenient = replace(where, actions=frozenset({"log", "alert"}))
    async for current in every(lambda part: policies.list(lenient, part)):
        content = current.version.content
        if content.topic is not None and is_firm(content):
            yield content.topic
