"""Several servers over one PostgreSQL, each with signing keys of its own."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import pytest

from bylaw import settings
from bylaw.api.anchors import Anchors
from bylaw.app import build
from bylaw.core.clock import SystemClock
from bylaw.core.errors import Corrupt
from bylaw.core.ids import Ids
from bylaw.receipts import checkpoint, model
from bylaw.receipts.audit import audit
from bylaw.receipts.issue import Issuer
from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust, verify
from bylaw.storage.key_file import KeyFile
from tests import postgres
from tests.api.conftest import World

RAW_KEY = "sf_live_v1_" + "a" * 32


@pytest.fixture
def database(postgres_server):
    with postgres.fresh_database(postgres_server) as url:
        yield postgres.plain(url)


@pytest.fixture
def start(database, tmp_path):
    """Return what starts a server with the key file of this name; of itself it looks at nothing again."""

    def start(name):
        given = {"database": database, "key_file": str(tmp_path / f"{name}.json"), "anchor_s": 3600}
        return build(settings.build(admin_key=RAW_KEY, **given))

    return start


async def decide(world, count=1):
    body = {"agent_id": "a", "phase": "input", "user_intent": "hello"}
    return [(await world.make("/v1/decisions", body))["receipt_id"] for _ in range(count)]


async def jwks(world):
    return (await world.send(None, "GET", "/.well-known/jwks.json")).content


async def bundle(world, ident):
    found = await world.send("admin", "GET", f"/v1/receipts/{ident}/bundle")
    assert found.status_code == 200, found.text
    return found.content


async def exported(world):
    found = (await world.send("admin", "GET", "/v1/log/export")).content
    return audit(found.splitlines(keepends=True), Trust(keys=key_set(await jwks(world))))


async def links(world):
    """Which log has anchored which."""
    found = set()
    for log in await world.app.stores.ledger.logs.latest():
        for leaf in await world.app.stores.ledger.logs.leaves(log.origin, start=0, limit=1000):
            claim = model.decode(leaf.receipt).claim
            for note in getattr(claim, "checkpoints", ()):
                found.add((log.origin, checkpoint.parse(note.encode()).checkpoint.origin))
    return found


def world_of(app):
    return World(app=app, keys={"admin": RAW_KEY})


async def test_either_server_publishes_the_keys_of_both_and_anchors_the_other(start):
    async with AsyncExitStack() as stack:
        one, two = [world_of(await stack.enter_async_context(start(name))) for name in ("one", "two")]
        assert one.app.signing.kid != two.app.signing.kid
        assert one.app.stores.ledger.log.origin != two.app.stores.ledger.log.origin
        receipts = [*await decide(one, 3), *await decide(two, 3)]
        assert await jwks(one) == await jwks(two)
        await asyncio.gather(one.app.signing.rotate(), two.app.signing.rotate())
        receipts += [*await decide(one), *await decide(two)]
        keys = await jwks(one)
        assert keys == await jwks(two)
        for ident in receipts:
            for reader in (one, two):
                found = verify(await bundle(reader, ident), Trust(keys=key_set(keys)))
                assert found.status == "verified", found.steps
    async with start("one") as app:
        left = world_of(app)
        found = await exported(left)
        assert (found.status, found.findings) == ("verified", ())
        names = {log.origin for log in found.logs}
        assert await links(left) == {(name, other) for name in names for other in names - {name}}


async def test_another_key_file_takes_over_a_log_that_is_left(start):
    async with start("one") as app:
        first = world_of(app)
        origin = app.stores.ledger.log.origin
        (before,) = await decide(first)
    async with start("two") as app:
        second = world_of(app)
        assert app.stores.ledger.log.origin == origin
        (after,) = await decide(second)
        keys = key_set(await jwks(second))
        for ident in (before, after):
            assert verify(await bundle(second, ident), Trust(keys=keys)).status == "verified"
        assert (await exported(second)).status == "verified"


async def test_a_key_revoked_at_another_server_is_replaced_where_it_signs(start):
    async with AsyncExitStack() as stack:
        one, two = [world_of(await stack.enter_async_context(start(name))) for name in ("one", "two")]
        leaked = two.app.signing.kid
        await one.make(f"/v1/log/keys/{leaked}/revoke", {})
        assert two.app.signing.kid == leaked
        await two.app.signing.follow()
        assert two.app.signing.kid != leaked
        (ident,) = await decide(two)
        keys = key_set(await jwks(one))
        assert verify(await bundle(one, ident), Trust(keys=keys)).status == "verified"
        assert (await exported(one)).status == "verified"


def anchoring(app):
    """Return what a server's loop does every so often, to be done here and now."""
    log, clock = app.stores.ledger.log, SystemClock()
    signer = KeyFile(app.key_file).load().signer
    return Anchors(app.stores.ledger, Issuer(log.origin, signer, clock=clock, ids=Ids(clock)))


async def test_idle_logs_do_not_anchor_each_other_for_ever(start):
    async with AsyncExitStack() as stack:
        one, two = [world_of(await stack.enter_async_context(start(name))) for name in ("one", "two")]
        await decide(one)

        anchors = [anchoring(world.app) for world in (one, two)]

        async def rounds(count):
            for _ in range(count):
                for each in anchors:
                    await each.anchor()
            return [held.size for held in await one.app.stores.ledger.logs.latest()]

        settled = await rounds(3)
        assert await rounds(5) == settled
        await decide(two)
        grown = await rounds(5)
        assert [new - old for new, old in zip(grown, settled, strict=True)] == [1, 1]


async def test_a_log_whose_last_rows_were_removed_stops_every_server(start, database):
    async with start("one"), start("two") as second:
        origin = second.stores.ledger.log.origin
        await decide(World(app=second, keys={"admin": RAW_KEY}), 3)
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("SELECT set_config('bylaw.system', 'on', false)")
        number = await connection.fetchval("SELECT number FROM ledger.logs WHERE origin = $1", origin)
        for statement in (
            "DELETE FROM ledger.checkpoints WHERE log = $1 AND size > 1",
            "DELETE FROM ledger.receipts WHERE log = $1 AND leaf >= 1",
            "DELETE FROM ledger.nodes WHERE log = $1",
        ):
            await connection.execute(statement, number)
    finally:
        await connection.close()
    with pytest.raises(Corrupt, match=f"The log {origin} had .* are missing"):
        async with start("one"):
            pass
