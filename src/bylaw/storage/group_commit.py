"""Group commit: callers of one event loop share transactions, and each is woken once its own is durable.

    callers     append to a buffer in the loop, and await a future
    one task    takes the whole buffer as a batch, writes it in ONE transaction, wakes everybody in it
    meanwhile   the next batch gathers

`Writer` is the part that differs between stores. A batch whose transaction fails fails alone: nothing of it
was acknowledged, the writer goes back to what is stored and shows that it can write, and only then does the
next batch begin.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from bylaw.core.errors import Unavailable
from bylaw.receipts.ports import LogState, PendingEntry, Recorded, Repeated
from bylaw.receipts.signing import Signer
from bylaw.storage.receipt_rows import admit

QUEUE_LIMIT = 4096
BATCH_LIMIT = 256
RETRY_S = 0.5
QUIET_S = 60.0
_NOT_DURABLE = "The receipt could not be made durable: try again, with the same idempotency key."

Fate = Recorded | Repeated
_Call = tuple[Sequence[PendingEntry], "asyncio.Future[Sequence[Fate]]"]

_logger = logging.getLogger(__name__)


class Writer(Protocol):
    """How one store writes one log; used by one task at a time."""

    @property
    def origin(self) -> str:
        """The name of the log; it may change in `recover` only."""

    async def write(self, entries: Sequence[PendingEntry]) -> Sequence[Fate]:
        """Record `entries` in one transaction; return what became of each, in order, once it is durable."""

    async def recover(self) -> None:
        """Go back to what is stored, after a `write` that failed. Raises: when that is not possible yet."""

    async def try_out(self) -> None:
        """Write something that leaves no trace. Raises: while nothing can be written."""

    def rotate(self, signer: Signer) -> None:
        """Sign with `signer` from the next batch on; its checkpoint carries both signatures."""

    async def close(self) -> None:
        """Let go of the log."""


class GroupCommit:
    """The one writer of one log, shared by the callers of one event loop.

    `on_renamed` is told the name of another log, once a lost one cannot be had back: issue for that one.
    Units: `queue_limit` bounds the entries that wait, `batch_limit` the calls of one transaction; `retry_s`
    passes between attempts to recover, and `quiet_s` between two lines of the log about batches that failed.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        queue_limit: int = QUEUE_LIMIT,
        batch_limit: int = BATCH_LIMIT,
        retry_s: float = RETRY_S,
        quiet_s: float = QUIET_S,
    ) -> None:
        self._writer = writer
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._retry_s = retry_s
        self._quiet_s = quiet_s
        self._told_at: float | None = None
        self._waiting: list[_Call] = []
        self._queued = 0
        self._commits = 0
        self._written = 0
        self._task: asyncio.Task[None] | None = None
        self._signer: Signer | None = None
        self._is_lost = False
        self._out_of_order = False
        self._closed = False
        self.on_renamed: Callable[[str], None] | None = None

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self._writer.origin

    @property
    def state(self) -> LogState:
        """How the writer does."""
        return LogState(ready=self.ready, queued=self._queued, commits=self._commits, written=self._written)

    @property
    def queued(self) -> int:
        """How many entries wait or are being written."""
        return self._queued

    @property
    def ready(self) -> bool:
        """Whether entries are accepted."""
        return not (self._closed or self._out_of_order)

    async def append(self, entries: Sequence[PendingEntry]) -> Sequence[Fate]:
        """Record `entries` and return what became of each, in order, once it is durable.

        Raises: Unavailable when the queue is full, the store fails or the log is closed; InvalidInput for a
        word that no store can hold.
        """
        if not entries:
            return ()
        for entry in entries:
            admit(entry)
        if not self.ready:
            raise Unavailable(
                "The receipt log is closed."
                if self._closed
                else "The receipt log cannot be written now: try again."
            )
        if self._queued + len(entries) > self._queue_limit:
            raise Unavailable(f"{self._queued} receipts wait to be written already: try again.")
        future: asyncio.Future[Sequence[Fate]] = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, future))
        self._queued += len(entries)
        self._wake()
        return await future

    def rotate(self, signer: Signer) -> None:
        """Sign with `signer` from the next batch on; its checkpoint carries both signatures."""
        self._signer = signer

    def restore(self) -> None:
        """Recover before the next batch: the store has noticed by itself that it lost its log."""
        self._is_lost = True
        self._wake()

    async def close(self) -> None:
        """Write what was accepted, accept no more, and let go of the log."""
        self._closed = True
        while self._task is not None:
            await asyncio.wait([self._task])
        await self._writer.close()

    def _wake(self) -> None:
        """Start the writing task unless it runs; it begins after the callers that are ready to append."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="group commit")

    async def _run(self) -> None:
        try:
            while self._waiting or self._is_lost:
                if self._is_lost:
                    await self._recover()
                    continue
                batch = self._waiting[: self._batch_limit]
                del self._waiting[: self._batch_limit]
                await self._write(batch)
        finally:
            self._task = None

    async def _write(self, batch: Sequence[_Call]) -> None:
        """Write one batch; the named boundary at which any failure of a store becomes Unavailable."""
        origin = self._writer.origin
        stale = [call for call in batch if call[0][0].log != origin]
        if stale:
            self._fail(stale, "The receipt log has changed hands since: try again.")
            batch = [call for call in batch if call not in stale]
        entries = [entry for call in batch for entry in call[0]]
        if not entries:
            return
        try:
            if self._signer is not None:
                signer, self._signer = self._signer, None
                self._writer.rotate(signer)
            fates = await self._writer.write(entries)
        except Exception as error:  # noqa: BLE001 - whatever a store does, its callers are told
            self._tell(len(entries), error)
            self._fail(batch, _NOT_DURABLE, error)
            await self._recover()
            return
        start = 0
        for written, future in batch:
            end = start + len(written)
            if not future.done():
                future.set_result(fates[start:end])
            start = end
        self._queued -= len(entries)
        self._commits += 1
        self._written += len(entries)

    def _tell(self, count: int, error: Exception) -> None:
        """Log why a batch failed, unless that was done a moment ago: a full disk fails many a second."""
        now = asyncio.get_running_loop().time()
        if self._told_at is None or now - self._told_at >= self._quiet_s:
            self._told_at = now
            _logger.error("A batch of %d receipts was not written: %r", count, error)

    async def _recover(self) -> None:
        """Bring the writer back; refuse what comes and what waits while it takes more than one attempt."""
        self._is_lost, origin = False, self._writer.origin
        while not self._closed or self._waiting:
            try:
                await self._writer.recover()
                await self._writer.try_out()
            except Exception as error:  # noqa: BLE001 - whatever a store does, it is tried again
                self._get_out_of_order(error)
                waiting, self._waiting = self._waiting, []
                self._fail(waiting, _NOT_DURABLE, error)
                await asyncio.sleep(self._retry_s)
            else:
                if self._out_of_order:
                    _logger.warning("The receipt log is back in order.")
                self._out_of_order = False
                if self._writer.origin != origin and self.on_renamed is not None:
                    self.on_renamed(self._writer.origin)
                return

    def _get_out_of_order(self, error: Exception) -> None:
        if not self._out_of_order:
            _logger.error("The receipt log is out of order: %r", error)
        self._out_of_order = True

    def _fail(self, calls: Sequence[_Call], message: str, cause: Exception | None = None) -> None:
        for entries, future in calls:
            self._queued -= len(entries)
            if not future.done():
                error = Unavailable(message)
                error.__cause__ = cause
                future.set_exception(error)
