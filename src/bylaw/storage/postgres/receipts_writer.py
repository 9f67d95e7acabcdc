"""The writer of one log in PostgreSQL: one batch, one statement, one commit, in the session that holds it.

A log belongs to the session that holds its advisory lock, and only that session writes it. So a writer that
was cut off cannot append to a log that somebody else claimed: its session, lock and all, is gone. The primary
key (log, leaf) is the second fence. Several processes never wait for each other.

The lock lives with the session: connect directly, or through a pooler in session mode.
"""

import contextlib
from collections.abc import Callable, Sequence

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from bylaw.core.errors import Unavailable
from bylaw.receipts import key_changes
from bylaw.receipts.append import Appender, Batch
from bylaw.receipts.ports import PendingEntry, Recorded, Repeated
from bylaw.receipts.signing import KeySet, Signer
from bylaw.storage.postgres import receipts_queries as queries
from bylaw.storage.postgres.receipts_schema import serving_role
from bylaw.storage.receipt_rows import Plan, PolicySets, key_of, plan, resume, rows_of

_LOGS = 0x62796C77
_COLLISIONS = 3

_INSERT = """
WITH receipts AS (INSERT INTO ledger.receipts SELECT $1, * FROM unnest($2::bigint[], $3::bytea[], $4::text[],
        $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::bigint[], $11::bytea[],
        $12::bytea[], $13::text[])),
    parts AS (INSERT INTO ledger.parts
        SELECT $1, * FROM unnest($14::bigint[], $15::text[], $16::bytea[], $17::bytea[])),
    effects AS (INSERT INTO ledger.effects
        SELECT $1, * FROM unnest($18::bigint[], $19::bigint[], $20::text[], $21::bytea[])),
    keys AS (INSERT INTO ledger.idempotency
        SELECT * FROM unnest($22::text[], $23::text[], $24::text[], $25::text[], $26::text[])),
    sets AS (INSERT INTO ledger.policy_sets
        SELECT * FROM unnest($27::text[], $28::text[], $29::bigint[]) ON CONFLICT DO NOTHING),
    nodes AS (INSERT INTO ledger.nodes SELECT $1, * FROM unnest($30::integer[], $31::bigint[], $32::bytea[]))
INSERT INTO ledger.checkpoints VALUES ($1, $33, $34)
"""
_WIDTHS = (12, 4, 4, 5, 3, 3)


class PostgresWriter:
    """Claims a log that nobody writes, or makes one, and writes it; `recover` before the first `write`."""

    def __init__(self, url: str, *, origin: Callable[[int], str], signer: Signer, keys: KeySet) -> None:
        self._url = url
        self._name = origin
        self._signers: tuple[Signer, ...] = (signer,)
        self._keys = keys
        self._sets = PolicySets()
        self._effects = 0
        self._number = 0
        self._origin = ""
        self._appender: Appender | None = None
        self._connection: asyncpg.Connection | None = None
        self._insert: PreparedStatement | None = None
        self.on_lost: Callable[[], None] | None = None

    @property
    def origin(self) -> str:
        """The name of the log that is held; another one once somebody else has claimed it after a loss."""
        return self._origin

    async def write(self, entries: Sequence[PendingEntry]) -> Sequence[Recorded | Repeated]:
        """Record `entries` in one transaction; return what became of each, in order, once it is durable."""
        connection, insert, appender = self._connection, self._insert, self._appender
        if connection is None or insert is None or appender is None:
            raise Unavailable("No log is held.")
        keys = [key for key in map(key_of, entries) if key is not None]
        planned = plan(entries, await queries.repeated(connection, keys) if keys else {}, {})
        for _ in range(_COLLISIONS):
            if not planned.fresh:
                return planned.fates(None)
            with contextlib.suppress(asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError):
                batch = await self._commit(insert, appender, planned)
                return planned.fates(batch)
            self._sets.rollback()
            taken = await queries.recorded(connection, [entry.id for entry in entries])
            planned = plan(entries, await queries.repeated(connection, keys) if keys else {}, taken)
        raise Unavailable("Other processes keep recording the same entries.")

    async def recover(self) -> None:
        """Hold a log and go back to what is stored of it; it may have been another process's until now.

        Raises: Corrupt when that is not what was written; what the driver raises when it cannot be reached.
        """
        self._appender = None
        self._sets.rollback()
        if self._connection is None or self._connection.is_closed():
            connection = await self._connect()
            with contextlib.ExitStack() as unless_claimed:
                unless_claimed.callback(connection.terminate)
                self._insert = await connection.prepare(_INSERT)
                await self._claim(connection)
                unless_claimed.pop_all()
            connection.add_termination_listener(self._lost)
            self._connection = connection
        edge = await queries.edge(self._connection, self._number, self._origin)
        self._effects = (await queries.last_effects(self._connection)).get(self._origin, 0)
        published = key_changes.published(key_changes.claims(await queries.key_entries(self._connection)))
        known = KeySet((*self._keys.keys, *published.keys))
        self._appender = resume(self._origin, edge, signers=self._signers, keys=known)

    async def try_out(self) -> None:
        """Insert a row and take it back. Raises: what the driver raises while nothing can be written."""
        if self._connection is None:
            raise Unavailable("No log is held.")
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            await self._connection.execute("INSERT INTO ledger.checkpoints VALUES ($1, -1, '')", self._number)
        finally:
            await transaction.rollback()

    def rotate(self, signer: Signer) -> None:
        """Sign with `signer` from the next batch on; its checkpoint carries both signatures."""
        self._signers = (*self._signers, signer)
        self._keys = self._keys.with_active(signer.public, 0)
        if self._appender is not None:
            self._appender.rotate(signer)

    async def close(self) -> None:
        """Close the session, which lets another process claim the log."""
        self.on_lost = None
        if self._connection is not None:
            await self._connection.close()

    async def _commit(self, insert: PreparedStatement, appender: Appender, planned: Plan) -> Batch:
        """Write a batch with one statement, which is its own transaction."""
        batch = appender.stage(planned.fresh)
        rows = rows_of(batch, self._sets, effects_before=self._effects)
        # Writers of the same keys or sets take them in the same order, so that they never wait in a circle.
        rows = rows._replace(keys=sorted(rows.keys), policy_sets=sorted(rows.policy_sets))
        columns = [
            () if column.count(None) == len(column) else column  # `unnest` fills a shorter column with null
            for width, table in zip(_WIDTHS, rows, strict=True)
            for column in (zip(*table, strict=True) if table else [()] * width)
        ]
        await insert.fetch(self._number, *columns, batch.checkpoint.size, batch.checkpoint.note)
        appender.commit()
        self._signers = self._signers[-1:]
        self._sets.commit()
        self._effects += len(rows.effects)
        return batch

    async def _connect(self) -> asyncpg.Connection:
        """Return a session that writes for all tenants and whose commits are on the disk when they return."""
        connection = await asyncpg.connect(
            self._url, server_settings={"synchronous_commit": "on", "bylaw.system": "on"}
        )
        role = await serving_role(connection)
        if role:
            await connection.execute(f"SET ROLE {role}")
        return connection

    def _lost(self, _: object) -> None:
        if self.on_lost is not None:
            self.on_lost()

    async def _claim(self, connection: asyncpg.Connection) -> None:
        """Hold the log that was held before, or the first that nobody holds, or a new one."""
        known = await connection.fetch(
            "SELECT number, origin FROM ledger.logs ORDER BY number <> $1, number", self._number
        )
        for number, origin in known:
            if await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", _LOGS, number):
                self._number, self._origin = number, origin
                return
        number = await connection.fetchval("SELECT nextval('ledger.log_numbers')::integer")
        await connection.execute("SELECT pg_advisory_lock($1, $2)", _LOGS, number)
        await connection.execute("INSERT INTO ledger.logs VALUES ($1, $2)", number, self._name(number))
        self._number, self._origin = number, self._name(number)
