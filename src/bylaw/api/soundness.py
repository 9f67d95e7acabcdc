"""Whether every table that the server stands on can be read: looked at in the background, for /readyz."""

import logging
from collections.abc import Awaitable, Callable

from bylaw.api.ports import ControlStore
from bylaw.core.errors import BylawError
from bylaw.receipts.ports import Ledger

_log = logging.getLogger("bylaw.storage")


class Soundness:
    """What the last look found: `control` and `receipts` say what is wrong, or nothing while all is well."""

    def __init__(self, store: ControlStore, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self.control = ""
        self.receipts = ""

    async def look(self) -> None:
        """Look at every table."""
        self.control = await _wrong(self._probe_control, before=self.control)
        self.receipts = await _wrong(self._ledger.probe, before=self.receipts)

    async def _probe_control(self) -> None:
        async with self._store.system(writes=False) as system:
            await system.probe()


async def _wrong(probe: Callable[[], Awaitable[None]], *, before: str) -> str:
    """Return what is wrong with what `probe` looks at; it is logged when it was not so `before`."""
    try:
        await probe()
    except BylawError as error:
        if error.message != before:
            _log.error("not ready: %s", error.message)
        return error.message
    if before:
        _log.warning("ready again: every table can be read")
    return ""
