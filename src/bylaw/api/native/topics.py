"""Topics: which there are, and giving one another name."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from bylaw.api.answers import Reply
from bylaw.api.native.query import StrictQuery
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.api.shape import place_of
from bylaw.policies import topics
from bylaw.policies.model import Status
from bylaw.policies.store import PolicyFilter
from bylaw.policies.topics import Renaming
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["policies"], route_class=Route)


class TopicQuery(StrictQuery):
    """Whose topics are wanted; filters combine with AND."""

    workspace_id: str | None = None
    repo_id: Annotated[str | None, Field(description="Only this repo of the workspace.")] = None
    status: Annotated[list[Status], Field(default_factory=list)]

    @property
    def where(self) -> PolicyFilter:
        """Return the filter that is meant."""
        everywhere = self.workspace_id is None and self.repo_id is None
        place = None if everywhere else place_of(self.workspace_id, self.repo_id)
        return PolicyFilter(place=place, statuses=frozenset(self.status) or None)


class TopicView(msgspec.Struct, frozen=True, kw_only=True):
    """A topic as one of its policies spells it, and how many have it."""

    topic: str
    policies: int


class TopicsView(msgspec.Struct, frozen=True, kw_only=True):
    """Every topic once, whatever the marks and the case in which it is written."""

    data: tuple[TopicView, ...]


class TopicRenaming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A topic that is to be called otherwise, in a place and all inside it.

    Where policies have the topic `to` already, both are one then. `dry_run` changes nothing.
    """

    topic: str
    to: str
    workspace_id: str | None = None
    repo_id: str | None = None
    reason: str = ""
    dry_run: bool = False


class TopicRenamedView(msgspec.Struct, frozen=True, kw_only=True):
    """The policies that have a new version, or would have with `dry_run`.

    `waiting` are those of them whose new version waits for approval. `joined` had the other topic before.
    """

    topic: str
    changed: tuple[str, ...]
    waiting: tuple[str, ...]
    joined: int
    dry_run: bool


@router.get("/v1/topics")
async def list_topics(
    acting: Annotated[Acting[Unit], needs("policy:read")], query: Annotated[TopicQuery, Query()]
) -> Reply[TopicsView]:
    """List the topics of policies, each with their number."""
    found = await topics.list_topics(acting, query.where)
    return Reply(TopicsView(data=tuple(TopicView(topic=e.topic, policies=e.policies) for e in found)))


@router.post("/v1/topics/rename")
async def rename_topic(
    acting: Annotated[Acting[Unit], needs("policy:write")],
    wanted: Annotated[TopicRenaming, body(TopicRenaming)],
) -> Reply[TopicRenamedView]:
    """Give every policy of a topic another one, all or none: a new version of each."""
    everywhere = wanted.workspace_id is None and wanted.repo_id is None
    place = None if everywhere else place_of(wanted.workspace_id, wanted.repo_id)
    renaming = Renaming(topic=wanted.topic, to=wanted.to, place=place, reason=wanted.reason)
    done = await topics.rename_topic(acting, renaming, dry_run=wanted.dry_run)
    return Reply(
        TopicRenamedView(
            topic=wanted.to,
            changed=done.changed,
            waiting=done.waiting,
            joined=done.joined,
            dry_run=wanted.dry_run,
        )
    )
