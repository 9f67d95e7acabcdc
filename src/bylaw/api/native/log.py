"""The log: its signed checkpoints for anybody who wants to keep them, and its export for audits."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field

from bylaw.api.native.route import Lines, Operating, Reply, Route, StrictQuery, needs_operator, parts_of
from bylaw.receipts import export
from bylaw.receipts.ports import StoredCheckpoint

router = APIRouter(tags=["log"], route_class=Route)


class CheckpointView(msgspec.Struct, frozen=True, kw_only=True):
    """A signed note over the size and root of one log; keep it, and the log cannot be rewritten unnoticed."""

    log: str
    size: int
    note: str


class CheckpointsView(msgspec.Struct, frozen=True, kw_only=True):
    """Checkpoints of one log, smallest first, or the latest of each log."""

    data: tuple[CheckpointView, ...]


class CheckpointsQuery(StrictQuery):
    """Which checkpoints are wanted."""

    log: Annotated[str, Field(description="The log's origin, as /v1/log lists it.")]
    above: Annotated[int, Field(ge=0, le=2**53 - 1, description="Only those of a larger tree.")] = 0
    limit: Annotated[int, Field(ge=1, le=500)] = 50


@router.get("/v1/log")
async def list_logs(request: Request) -> Reply[CheckpointsView]:
    """Read the latest checkpoint of each log; anybody may keep it."""
    return _reply(await parts_of(request).ledger.logs.latest())


@router.get("/v1/log/checkpoints")
async def list_checkpoints(
    query: Annotated[CheckpointsQuery, Query()], request: Request
) -> Reply[CheckpointsView]:
    """Read checkpoints of one log, smallest first; anybody may keep them."""
    logs = parts_of(request).ledger.logs
    return _reply(await logs.checkpoints(query.log, above=query.above, limit=query.limit))


@router.get("/v1/log/export")
async def export_log(operating: Annotated[Operating, needs_operator()], request: Request) -> Lines:
    """Read every log whole, as JSON lines for `bylaw log audit`; no body part is in it."""
    del operating
    parts = parts_of(request)
    return Lines(export.lines(parts.ledger.logs, await parts.signing.published()))


def _reply(found: Sequence[StoredCheckpoint]) -> Reply[CheckpointsView]:
    views = tuple(CheckpointView(log=each.origin, size=each.size, note=each.note.decode()) for each in found)
    return Reply(CheckpointsView(data=views))
