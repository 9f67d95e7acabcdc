"""The live stream of receipts: it only tells that there is something new, and the page asks what.

It ends with the session, when the server stops, when the browser leaves, and after some minutes.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from bylaw.dashboard.asking import Refused
from bylaw.dashboard.pulse import BEAT_S
from bylaw.dashboard.visit import Visit

_CHANGED: Final = "event: changed\ndata: 1\n\n"
_ALIVE: Final = ":\n\n"  # a line that means nothing, so that nothing between takes the stream for dead
_BEATS: Final = 300
_CHECK_BEATS: Final = 3
_ALIVE_BEATS: Final = 15


async def live(visit: Visit) -> Response:
    """Send `changed` whenever the log grew. Raises: Refused to whoever may not read receipts."""
    await visit.get("/v1/receipts", limit="1")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_changes(visit), media_type="text/event-stream", headers=headers)


async def _changes(visit: Visit) -> AsyncIterator[str]:
    seen = await _newest(visit)
    yield _ALIVE
    for beat in range(1, _BEATS):
        await visit.attend(asyncio.sleep(BEAT_S))
        if visit.is_ending:
            return
        if beat % _CHECK_BEATS == 0 and not await _is_signed_in(visit):
            yield _CHANGED  # the page asks, and is led to sign in
            return
        newest = await _newest(visit)
        if newest != seen:
            seen = newest
            yield _CHANGED
        elif beat % _ALIVE_BEATS == 0:
            yield _ALIVE


async def _newest(visit: Visit) -> bytes:
    """Return what changes whenever a receipt is added: how far each log is."""
    return await visit.pulse.read(lambda: _logs(visit))


async def _logs(visit: Visit) -> bytes:
    return (await visit.ask("GET", "/v1/log")).body


async def _is_signed_in(visit: Visit) -> bool:
    try:
        await visit.recognise()
    except Refused:
        return False
    return visit.may("receipts:read")
