"""Topics: which there are, which are nearly the same, and giving one another name.

Topics are compared as `topic_key` does, so spelling them with other marks makes no new one. Two topics are
close when the words of one are kin to words of the other, as "refund" and "Returns & refunds", or when they
differ by a letter or two.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final

from bylaw.core.errors import InvalidInput, NotFound, Problem
from bylaw.core.ids import PolicyId
from bylaw.core.paging import Slice
from bylaw.policies.content import document
from bylaw.policies.editing import begin_edit, edited
from bylaw.policies.entries import Changed, store
from bylaw.policies.model import Current, topic_key
from bylaw.policies.parse import parse_content
from bylaw.policies.reading import every_policy, list_policies
from bylaw.policies.rules import Reading
from bylaw.policies.searching import words_of
from bylaw.policies.store import PolicyFilter, PolicyUnit, TopicCount
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting

_ALIKE: Final = 0.85
_NAMED: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """What is to be called otherwise: the policies of a topic, in a place and all inside it."""

    topic: str
    to: str
    place: Place | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """What became of it: `changed` have a new version, which `waiting` ones show once it is approved.

    `joined` is how many policies had the other topic before, which now are of one topic with these.
    """

    changed: tuple[PolicyId, ...]
    waiting: tuple[PolicyId, ...]
    joined: int


async def list_topics(acting: Acting[PolicyUnit], where: PolicyFilter) -> Sequence[TopicCount]:
    """Return the topics of the policies that match and that the caller may see, each once."""
    acting.principal.require("policy:read")
    readable = replace(where, readable=acting.principal.places("policy:read"))
    return await acting.unit.policies.topics(readable)


def close_topics(topic: str, others: Iterable[TopicCount]) -> Sequence[TopicCount]:
    """Return those of `others` that are close to `topic` and not the same, the most used first."""
    own = topic_key(topic)
    keys = {topic_key(each.topic): each for each in others}
    found = [each for key, each in keys.items() if key != own and _are_close(own, key)]
    return sorted(found, key=lambda each: (-each.policies, each.topic))


async def topic_warnings(acting: Acting[PolicyUnit], topic: str | None) -> tuple[Problem, ...]:
    """Return a warning about a topic that one policy has at most, and that is close to another."""
    if topic is None:
        return ()
    # Most topics are in use, which an index tells: all are counted only for one that is not.
    if len((await list_policies(acting, PolicyFilter(topic=topic), Slice(limit=2))).items) > 1:
        return ()
    near = close_topics(topic, await list_topics(acting, PolicyFilter()))
    if not near:
        return ()
    named = ", ".join(f"{each.topic!r} ({each.policies})" for each in near[:_NAMED])
    message = f"No other policy has this topic, and some are close: {named}. Is one of them meant?"
    return (Problem(path="topic", code="close_topic", message=message),)


async def rename_topic(acting: Acting[PolicyUnit], wanted: Renaming, *, dry_run: bool) -> Renamed:
    """Give every policy of a topic another one, in one transaction: a new version of each.

    It may be a topic that there is: then both are one. Where edits are reviewed, the new versions wait.
    Raises: Forbidden when one of them may not be changed by the caller; NotFound when no policy has it.
    """
    acting.principal.require("policy:read")
    if not wanted.topic.strip() or not wanted.to.strip():
        raise InvalidInput.of("to" if wanted.topic.strip() else "topic", "required", "It must not be blank.")
    where = PolicyFilter(topic=wanted.topic, place=wanted.place)
    others = {topic_key(each.topic): each.policies for each in await list_topics(acting, PolicyFilter())}
    same = topic_key(wanted.topic) == topic_key(wanted.to)
    found = [current async for current in every_policy(acting, where)]
    if not found:
        raise NotFound("topic", wanted.topic)
    changes = []
    for current in found:
        changed = await _renamed(acting, current, wanted)
        if changed is not None:
            changes.append(changed)
        await asyncio.sleep(0)
    if not dry_run:
        await store(acting, changes)
    waits = tuple(each.policy.id for each in changes if each.policy.pending == each.version.number)
    return Renamed(
        changed=tuple(each.policy.id for each in changes),
        waiting=waits,
        joined=0 if same else others.get(topic_key(wanted.to), 0),
    )


async def _renamed(acting: Acting[PolicyUnit], current: Current, wanted: Renaming) -> Changed | None:
    """Return a policy with the other topic; None if its newest version has another one already."""
    draft = await begin_edit(acting, current.policy.id, revision=None, reason=wanted.reason)
    base = draft.base.content
    if base.topic is None or topic_key(base.topic) != topic_key(wanted.topic):
        return None
    fields = {**document(base), "topic": wanted.to}
    schema = None if draft.workspace is None else draft.workspace.context_schema
    return edited(acting, draft, parse_content(fields, Reading(schema=schema, before=base.rules)))


def _are_close(one: str, other: str) -> bool:
    mine, theirs = ({word.stem for word in words_of(each)} for each in (one, other))
    kin = bool(mine and theirs) and (mine <= theirs or theirs <= mine)
    return kin or SequenceMatcher(None, one, other, autojunk=False).ratio() >= _ALIKE
