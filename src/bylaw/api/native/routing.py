"""Routing: from what a customer says to the topics that a decision is about."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request

from bylaw.api.answers import Reply
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs, parts_of
from bylaw.api.shape import place_of
from bylaw.search import routing
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["policies"], route_class=Route)

Turn = Annotated[str, msgspec.Meta(max_length=20_000)]


class ToRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer said, turn by turn: the first three count. Ask again after the second turn."""

    said: Annotated[list[Turn], msgspec.Meta(min_length=1, max_length=100)]
    workspace_id: str | None = None
    repo_id: str | None = None


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """A topic that may be meant, the policy that speaks for it, and why; `score` is of this answer only."""

    topic: str
    policy_id: str
    name: str
    score: float
    similarity: float | None
    words: tuple[str, ...]


class RoutingView(msgspec.Struct, frozen=True, kw_only=True):
    """Where a conversation leads.

    `chosen` are the topics that are meant: one where it leads the others by enough, several where it does
    not, none where nothing is near or too much is, and `why` says which. `topics` is what a decision is to be
    asked with: those, and the topics of policies that likeness never takes out of a decision; empty where
    none is chosen.
    """

    candidates: tuple[CandidateView, ...]
    margin: float
    chosen: tuple[str, ...]
    topics: tuple[str, ...]
    why: str


@router.post("/v1/route")
async def route_conversation(
    request: Request,
    acting: Annotated[Acting[Unit], needs("policy:read")],
    asked: Annotated[ToRoute, body(ToRoute)],
) -> Reply[RoutingView]:
    """Find the topics that a conversation is about, and the policies behind them."""
    place = place_of(asked.workspace_id, asked.repo_id)
    acting.principal.require("policy:read", place)
    await require_place(acting.unit, place)
    found = await routing.route(acting, parts_of(request).finder, routing.first_said(asked.said), place=place)
    return Reply(
        RoutingView(
            candidates=tuple(
                CandidateView(
                    topic=each.topic,
                    policy_id=each.policy_id,
                    name=each.name,
                    score=round(each.score, 4),
                    similarity=None if each.similarity is None else round(each.similarity, 4),
                    words=each.words,
                )
                for each in found.candidates
            ),
            margin=round(found.margin, 4),
            chosen=found.chosen,
            topics=found.topics,
            why=found.why,
        )
    )
