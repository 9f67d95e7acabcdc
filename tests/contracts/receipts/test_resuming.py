"""What every durable store promises to the next process that opens it."""

import apsw
import pytest

from bylaw.core.errors import Corrupt
from bylaw.receipts.ports import Effect, Idempotency, Recorded, Repeated
from bylaw.receipts.signing import KeySet
from tests import postgres
from tests.receipts.book import signer

pytestmark = pytest.mark.durable


async def change(shelf, statement):
    """Run a statement behind the back of a closed store."""
    if shelf.kind == "sqlite":
        connection = apsw.Connection(str(shelf.place / "receipts.db"))
        connection.execute(statement)
        connection.close()
    else:
        await postgres.execute(shelf.place, statement.replace("X'00'", "'\\x00'").replace(" leaf", " leaf"))


def table(shelf, name):
    return name if shelf.kind == "sqlite" else f"ledger.{name}"


async def filled(shelf, *sizes):
    ledger = await shelf.open()
    for size in sizes:
        await shelf.record(ledger, size)
    return ledger


async def test_the_log_goes_on_where_it_ended(shelf):
    ledger = await filled(shelf, 255, 2, 40)
    origin = ledger.log.origin
    promise = Idempotency(scope="s", key="k", digest="d")
    effect = Effect(kind="violation", payload=b"1")
    (first,) = await shelf.record(ledger, idempotency=promise, effects=[effect])
    await shelf.close()
    ledger = await shelf.open()
    assert ledger.log.origin == origin
    again = shelf.issue(ledger, idempotency=promise)
    new = shelf.issue(ledger, effects=[effect])
    assert await ledger.log.append([again, new]) == [
        Repeated(id=first.id, digest="d"),
        Recorded(origin=origin, index=298),
    ]
    assert await ledger.effects.ends() == {origin: 2}
    assert await shelf.findings(ledger) == ("verified", [])


async def test_an_empty_log_goes_on(shelf):
    origin = (await shelf.open()).log.origin
    await shelf.close()
    ledger = await shelf.open()
    assert ledger.log.origin == origin
    await shelf.record(ledger)
    assert await shelf.findings(ledger) == ("verified", [])


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM {receipts} WHERE leaf = 9",
        "DELETE FROM {checkpoints} WHERE size = 10",
        "UPDATE {receipts} SET hash = X'00' WHERE leaf = 8",
        "UPDATE {receipts} SET receipt = X'00' WHERE leaf = 8",
        "UPDATE {checkpoints} SET note = (SELECT note FROM {checkpoints} WHERE size = 3) WHERE size = 10",
    ],
)
async def test_a_store_that_contradicts_itself_is_refused_by_name(shelf, damage):
    ledger = await filled(shelf, 3, 7)
    origin = ledger.log.origin
    await shelf.close()
    names = {name: table(shelf, name) for name in ("receipts", "checkpoints")}
    await change(shelf, damage.format(**names))
    with pytest.raises(Corrupt) as refused:
        await shelf.open()
    assert origin in refused.value.place or "tile" in refused.value.place


async def test_a_log_signed_by_a_stranger_is_refused(shelf):
    await filled(shelf, 1)
    await shelf.close()
    shelf.keys = KeySet().with_active(signer(9).public, 0)
    with pytest.raises(Corrupt, match="no key of this installation"):
        await shelf.open()


async def test_a_refused_store_can_be_opened_again_once_it_is_mended(shelf):
    await filled(shelf, 1)
    await shelf.close()
    known, shelf.keys = shelf.keys, KeySet()
    with pytest.raises(Corrupt):
        await shelf.open()
    shelf.keys = known
    await shelf.record(await shelf.open())
