"""The live stream of receipts: it only tells that there is something new, and the page asks what.

It ends with the session, when the server stops, when the browser leaves, when it opens more than it can hold,
and after some minutes. The page then connects again, and is told of what it missed.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import Response, StreamingResponse

from bylaw.dashboard.asking import Refused
from bylaw.dashboard.visit import Visit

_CHANGED: Final = "event: changed\ndata: 1\n\n"
_ALIVE: Final = ":\n\n"  # a line that means nothing, so that nothing between takes the stream for dead
_BEAT_S: Final = 0.5
_BEATS: Final = 600
_CHECK_BEATS: Final = 6
_ALIVE_BEATS: Final = 30


async def live(visit: Visit) -> Response:
    """Send `changed` whenever the log grew after what the page knew, which it says as `after`.

    Raises: Refused to whoever may not read receipts.
    """
    await visit.get("/v1/receipts", limit="1")
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(_changes(visit), media_type="text/event-stream", headers=headers)


async def newest(visit: Visit) -> str:
    """Return a word that changes whenever a receipt is added: for how far each log is."""
    logs = await visit.pulse.read(lambda: _logs(visit))
    return hashlib.blake2b(logs, digest_size=8).hexdigest()


async def _changes(visit: Visit) -> AsyncIterator[str]:
    seen = visit.request.query_params.get("after", "")
    with visit.pulse.follow(visit.session) as may_stay:
        yield _ALIVE
        for beat in range(1, _BEATS):
            await visit.attend(asyncio.sleep(_BEAT_S))
            if visit.is_ending or not may_stay():
                return
            if beat % _CHECK_BEATS == 0 and not await _is_signed_in(visit):
                yield _CHANGED  # the page asks, and is led to sign in
                return
            known, seen = seen, await newest(visit)
            if seen != known:
                yield _CHANGED
            elif beat % _ALIVE_BEATS == 0:
                yield _ALIVE


async def _logs(visit: Visit) -> bytes:
    return (await visit.ask("GET", "/v1/log")).body


async def _is_signed_in(visit: Visit) -> bool:
    try:
        await visit.recognise()
    except Refused:
        return False
    return visit.may("receipts:read")
