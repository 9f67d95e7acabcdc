"""The log: its signed checkpoints for anybody who wants to keep them, and its export for audits.

Checkpoints and proofs of consistency need no key: they hold sizes and hashes only, and a log proves nothing
about a split view until somebody else keeps its checkpoints.
"""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from bylaw.api.answers import Lines, Notes, Reply
from bylaw.api.native.log_views import CheckpointsView, CheckpointView
from bylaw.api.native.query import StrictQuery
from bylaw.api.parts import Parts
from bylaw.api.route import Operating, Route, anyone, needs_operator, parts_of
from bylaw.core.errors import InvalidInput, Problem, Unavailable
from bylaw.receipts import export, proof
from bylaw.receipts.bundle import Consistency
from bylaw.receipts.ports import StoredCheckpoint
from bylaw.receipts.reading import to_base64

router = APIRouter(tags=["log"], route_class=Route)

Public = Annotated[Parts, anyone()]


class CheckpointsQuery(StrictQuery):
    """Which checkpoints are wanted."""

    log: Annotated[str, Field(description="The log's origin, as /v1/log lists it.")]
    above: Annotated[int, Field(ge=0, le=2**53 - 1, description="Only those of a larger tree.")] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class ConsistencyQuery(StrictQuery):
    """Between which two sizes of a log the proof is wanted."""

    log: Annotated[str, Field(description="The log's origin, as /v1/log lists it.")]
    old_size: Annotated[int, Field(ge=1, le=2**53 - 1, description="The size of a kept checkpoint.")]
    size: Annotated[int, Field(ge=1, le=2**53 - 1, description="The size of a later one.")]


@router.get("/v1/log")
async def list_logs(parts: Public) -> Reply[CheckpointsView]:
    """Read the latest checkpoint of each log; anybody may keep it."""
    return _reply(await parts.ledger.logs.latest())


@router.get("/v1/log/checkpoints")
async def list_checkpoints(
    query: Annotated[CheckpointsQuery, Query()], parts: Public
) -> Reply[CheckpointsView]:
    """Read checkpoints of one log, smallest first; anybody may keep them."""
    logs = parts.ledger.logs
    return _reply(await logs.checkpoints(query.log, above=query.above, limit=query.limit))


@router.get("/v1/log/checkpoint")
async def read_checkpoint(parts: Public) -> Notes:
    """Read the latest checkpoint of the log that this process writes, as a C2SP signed note.

    Anybody may keep it.
    """
    ledger = parts.ledger
    for held in await ledger.logs.latest():
        if held.origin == ledger.log.origin:
            return Notes(held.note)
    raise Unavailable("The log has no checkpoint yet: try again.")


@router.get("/v1/log/checkpoints.txt")
async def read_checkpoints(query: Annotated[CheckpointsQuery, Query()], parts: Public) -> Notes:
    """Read checkpoints of one log, smallest first, as C2SP signed notes; anybody may keep them."""
    logs = parts.ledger.logs
    found = await logs.checkpoints(query.log, above=query.above, limit=query.limit)
    return Notes(b"".join(each.note for each in found))


@router.get("/v1/log/consistency")
async def read_consistency(query: Annotated[ConsistencyQuery, Query()], parts: Public) -> Reply[Consistency]:
    """Read the proof that a log only grew between two sizes: `bylaw log checkpoints` checks it.

    It holds hashes only (RFC 9162, base64), and anybody may ask for it.
    """
    logs = parts.ledger.logs
    latest = {held.origin: held.size for held in await logs.latest()}
    if not query.old_size <= query.size <= latest.get(query.log, 0):
        message = f"There is no log {query.log} that grew from {query.old_size} to {query.size} leaves."
        raise InvalidInput(message, Problem(path="size", code="no_such_tree", message=message))
    wanted = proof.tiles_of_consistency(query.old_size, query.size)
    tiles = await logs.tiles(query.log, wanted, size=query.size)
    hashes = proof.consistency(query.old_size, query.size, tiles)
    return Reply(Consistency(hashes=tuple(map(to_base64, hashes)), old_size=query.old_size, size=query.size))


@router.get("/v1/log/export")
async def export_log(operating: Annotated[Operating, needs_operator()], request: Request) -> Lines:
    """Read every log whole, as JSON lines for `bylaw log audit`; no body part is in it."""
    del operating
    parts = parts_of(request)
    latest = await parts.ledger.logs.latest()
    return Lines(export.lines(parts.ledger.logs, await parts.signing.published(), upto=latest))


def _reply(found: Sequence[StoredCheckpoint]) -> Reply[CheckpointsView]:
    views = tuple(CheckpointView(log=each.origin, size=each.size, note=each.note.decode()) for each in found)
    return Reply(CheckpointsView(data=views))
