"""Routing a decision: which topics it is about, by what the customer said.

1. said    the customer's turns, in order
2. found   the `Router` tells which topics are meant, within a part of the deadline
3. noted   what came of it becomes part of the request, which the receipt covers: a replay asks nobody again

Whatever goes wrong leaves nothing out: then all policies apply, as they do without routing, and `why` says
why.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from bylaw.core.errors import Unavailable
from bylaw.core.ids import TenantId
from bylaw.decisions.model import Request, Routed
from bylaw.decisions.request import customer_turns
from bylaw.decisions.select import standing_of
from bylaw.decisions.snapshot import Snapshot, Snapshots
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Principal

# How long routing may take, and at most which part of a deadline.
_MOST_MS: Final = 1_000
_PART: Final = 4


class Router(Protocol):
    """Tells which topics a conversation is about."""

    async def route(self, tenant_id: TenantId, place: Place, turns: Sequence[str]) -> Routed:
        """Return where turns of a customer lead, among the policies of `place`. Raises: Unavailable."""


def is_to_route(snapshots: Snapshots, request: Request, caller: Principal) -> bool:
    """Return whether `request` is to find its topics: it asks for that, or its workspace does, and has none.

    Raises: NotFound for an unknown place.
    """
    if request.topics or request.routed:
        return False
    snapshot = snapshots.of(caller.tenant_id)
    if request.route or not snapshot.routing:
        return request.route
    return standing_of(snapshot, request).place.workspace_id in snapshot.routing


async def routed(router: Router | None, snapshots: Snapshots, request: Request, caller: Principal) -> Request:
    """Return `request` with where it leads, if it is to find that (`is_to_route`).

    Raises: NotFound for an unknown place.
    """
    if not is_to_route(snapshots, request, caller):
        return request
    snapshot = snapshots.of(caller.tenant_id)
    found = await _found(router, snapshot, request)
    if found.topics and snapshots.of(caller.tenant_id).revision != snapshot.revision:
        # A policy that came meanwhile was not compared with anything.
        found = Routed(why="Policies changed meanwhile.")
    return msgspec.structs.replace(request, routed=found)


async def _found(router: Router | None, snapshot: Snapshot, request: Request) -> Routed:
    """Return where a request leads among the policies of its place."""
    standing = standing_of(snapshot, request)
    place, turns = standing.place, customer_turns(request)
    if router is None:
        return Routed(why="There is nobody here who compares meanings.")
    if not turns:
        return Routed(why="The customer has not said anything.")
    if not set(standing.places) <= set(snapshot.around(place.workspace_id, place.repo_id)):
        return Routed(why="The agent takes along the policies of another place.")
    try:
        async with asyncio.timeout(_timeout_ms(request) / 1000):
            return await router.route(snapshot.tenant_id, place, turns)
    except TimeoutError:
        return Routed(why="Comparing meanings took too long.")
    except Unavailable as error:
        return Routed(why=error.message)


def _timeout_ms(request: Request) -> float:
    deadline_ms = request.deadline_ms
    return min(_MOST_MS, deadline_ms / _PART) if isinstance(deadline_ms, int) else _MOST_MS
