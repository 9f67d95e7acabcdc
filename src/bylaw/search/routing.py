"""Routing: from what a customer says to topics, and from those to the policies that a decision is about.

1. What is looked for is what the customer said first, as one text: a first turn alone is often a greeting.
2. Each topic is worth what the best of its policies in force is.
3. Where the best topic leads by `MARGIN`, it is chosen; otherwise all that are so near, up to `MOST`; none
   where nothing is found.
4. Topics of policies that block, hold for review, or can be checked without judging are always added, so that
   no likeness ever takes one of them out of a decision.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bylaw.core.ids import PolicyId
from bylaw.core.paging import Slice, every
from bylaw.policies.model import Current, DeterministicRule, topic_key
from bylaw.policies.store import PolicyFilter
from bylaw.search.finder import Finder
from bylaw.search.query import Match, search_policies
from bylaw.search.store import SearchUnit
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting

MARGIN: Final = 0.1
MOST: Final = 3
TURNS: Final = 3
_CANDIDATES: Final = 20


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
    are meant, `topics` what a decision is to be asked with: those and the ones that are never left out; empty
    where nothing is chosen, for then nothing is to be left out.
    """

    candidates: tuple[Candidate, ...]
    margin: float
    chosen: tuple[str, ...]
    topics: tuple[str, ...]


def first_said(turns: Sequence[str]) -> str:
    """Return what the customer said first as one text; `turns` are theirs alone, in order."""
    return "\n".join(turns[:TURNS])


async def route(acting: Acting[SearchUnit], finder: Finder, said: str, *, place: Place) -> Routing:
    """Return where `said` leads among the policies that govern `place` and that the caller may see."""
    where = PolicyFilter(place=place, match="effective", in_force=True)
    found = await search_policies(acting, finder, said, where=where, part=Slice(limit=_CANDIDATES))
    best: dict[str, Candidate] = {}
    for match in found.items:
        topic = match.current.version.content.topic
        if topic is not None:
            best.setdefault(topic_key(topic), _candidate(topic, match))
    ranked = tuple(best.values())
    chosen = tuple(each.topic for each in ranked[:MOST] if ranked[0].score - each.score < MARGIN)
    kept = [topic async for topic in _always(acting, where)] if chosen else []
    topics = {topic_key(topic): topic for topic in (*kept, *chosen)}
    return Routing(
        candidates=ranked, margin=_margin(ranked), chosen=chosen, topics=tuple(sorted(topics.values()))
    )


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
    """Yield the topics of policies that are never left out; of all, for a decision obeys those too."""
    policies = acting.unit.policies
    for each in await policies.topics(replace(where, actions=frozenset({"block", "review"}))):
        yield each.topic
    lenient = replace(where, actions=frozenset({"log", "alert"}))
    async for current in every(lambda part: policies.list(lenient, part)):
        topic = current.version.content.topic
        if topic is not None and _is_certain(current):
            yield topic


def _is_certain(current: Current) -> bool:
    """Return whether a policy is checked without judging words."""
    return all(isinstance(rule, DeterministicRule) for rule in current.version.content.rules)
