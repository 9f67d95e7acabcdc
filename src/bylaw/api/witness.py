"""What the control plane knows of the logs, so that a log that lost its end does not go on in silence.

A log proves that nothing inside it changed. That its last entries are gone shows only to who knew them. So
the control plane keeps the latest checkpoint of each log, every few seconds and with each entry that it
handed over; it never knows more than was durable. At a start the two planes are compared, in both directions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from bylaw.api.entries import handed_over
from bylaw.api.ports import ControlStore, SystemUnit
from bylaw.core.clock import Clock, rfc3339
from bylaw.core.errors import Corrupt
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import model
from bylaw.receipts.issue import PREFIX, Issuer
from bylaw.receipts.model import ChangeClaim, Claim, Field
from bylaw.receipts.ports import Ledger, StoredCheckpoint, StoredReceipt
from bylaw.tenancy.changes import KnownLog
from bylaw.tenancy.principal import OPERATOR_TENANT

_PAGE: Final = 1_000
_PENDING: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Something in which the planes disagree: the log has `held` leaves, and was known with `known`.

    `note` is the checkpoint that was known and is not in the log.
    """

    origin: str
    known: int
    held: int
    message: str
    note: str = ""


class Witness:
    """Keeps what is known of the logs, and compares."""

    def __init__(self, store: ControlStore, ledger: Ledger, clock: Clock) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._kept: dict[str, int] = {}

    async def keep(self) -> None:
        """Keep the latest checkpoint of each log, if any has news."""
        latest = await self._ledger.logs.latest()
        if any(self._kept.get(held.origin) != held.size for held in latest):
            async with self._store.system() as system:
                await self._keep(system, latest)

    async def keep_with(self, system: SystemUnit) -> None:
        """Keep the latest checkpoint of each log in the transaction of the caller."""
        await self._keep(system, await self._ledger.logs.latest())

    async def objections(self) -> Sequence[Objection]:
        """Return in what the planes disagree: what a log lost, or the control plane lost and a log knows."""
        async with self._store.system(writes=False) as system:
            known = {each.origin: each for each in await system.known_logs.all()}
            projected = await system.progress.positions()
            is_empty = await system.tenant(OPERATOR_TENANT) is None
        latest = {held.origin: held for held in await self._ledger.logs.latest()}
        if is_empty and not known:
            return [_forgotten(held) for held in latest.values()]
        found = [await self._lost(each, latest.get(each.origin)) for each in known.values()]
        ends = await self._ledger.effects.ends()
        told = {each.origin for each in found if each is not None}
        found += [
            _without_effects(origin, position, ends.get(origin, 0))
            for origin, position in projected.items()
            if position > ends.get(origin, 0) and origin not in told
        ]
        found += [await self._unknown(held, known) for held in latest.values() if known]
        return [each for each in found if each is not None]

    async def accept(self, found: Sequence[Objection], issuer: Issuer, *, reason: str) -> None:
        """Record in the log that its operator goes on in spite of `found`, and know the logs as they are.

        What is the end of a log already was recorded by an acceptance that was cut off: it is completed.
        """
        issuer.follow(self._ledger.log.origin)
        contents = {"reason": reason.encode()}
        said = await self._accepted_last()
        claims = [_accepted(each) for each in found if (each.origin, str(each.known)) not in said]
        await self._ledger.log.append(
            [issuer.issue(claim, tenant=OPERATOR_TENANT, contents=contents) for claim in claims]
        )
        async with self._store.system() as system:
            await system.known_logs.reset()
            await system.progress.reset()
            await self.keep_with(system)

    async def _accepted_last(self) -> set[tuple[str, str]]:
        """Return which logs, known with how many entries, the ends of the logs say were accepted."""
        said = set()
        for held in await self._ledger.logs.latest():
            start = max(held.size - _PAGE, 0)
            for leaf in reversed(await self._ledger.logs.leaves(held.origin, start=start, limit=_PAGE)):
                claim = model.decode(leaf.receipt).claim
                if not _is_acceptance(claim):
                    break
                said |= {(claim.id, each.was) for each in claim.fields}
        return said

    async def _keep(self, system: SystemUnit, latest: Sequence[StoredCheckpoint]) -> None:
        now = self._clock.now_ms()
        for held in latest:
            note = held.note.decode()
            await system.known_logs.keep(KnownLog(origin=held.origin, size=held.size, note=note, at_ms=now))
        self._kept = {held.origin: held.size for held in latest}

    async def _lost(self, known: KnownLog, latest: StoredCheckpoint | None) -> Objection | None:
        """Return what the log lacks of what was known of it."""
        when = rfc3339(known.at_ms)
        held = 0 if latest is None else latest.size
        if held < known.size:
            message = (
                f"The log {known.origin} had {known.size} entries on {when} and has {held} now: its last"
                f" {known.size - held} are missing."
            )
            return Objection(
                origin=known.origin, known=known.size, held=held, message=message, note=known.note
            )
        stored = await self._ledger.logs.checkpoints(known.origin, above=known.size - 1, limit=1)
        roots = [checkpoints.parse(each.note).checkpoint for each in stored if each.size == known.size]
        if roots == [checkpoints.parse(known.note.encode()).checkpoint]:
            return None
        message = (
            f"The log {known.origin} is not the one that had {known.size} entries on {when}: its history is"
            " another."
        )
        return Objection(origin=known.origin, known=known.size, held=held, message=message, note=known.note)

    async def _unknown(self, held: StoredCheckpoint, known: dict[str, KnownLog]) -> Objection | None:
        """Return what the control plane lacks: an entry that it handed over and neither keeps nor knows of.

        An entry is forgotten in the transaction that notes the log with it. Above what is known, each must
        still wait in the queue: so it is after a crash, and so it is not in an older control database.
        """
        start = known[held.origin].size if held.origin in known else 0
        while start < held.size:
            leaves = await self._ledger.logs.leaves(held.origin, start=start, limit=_PAGE)
            for leaf in leaves:
                receipt = model.decode(leaf.receipt)
                if _is_acceptance(receipt.claim) or not handed_over(receipt.kind):
                    continue
                if not await self._awaits(leaf):
                    return _older(held, start, leaf)
            start += max(len(leaves), 1)
        return None

    async def _awaits(self, leaf: StoredReceipt) -> bool:
        """Return whether the entry waits in the queue, or another process has just handed it over."""
        async with self._store.system(writes=False) as system:
            waiting = await system.queue.pending(_PENDING, tenant_id=leaf.tenant)
            known = {each.origin: each.size for each in await system.known_logs.all()}
        return known.get(leaf.origin, 0) > leaf.index or any(PREFIX + each.id == leaf.id for each in waiting)


def refusal(found: Sequence[Objection]) -> Corrupt:
    """Return the error that says all of `found`, and what can be done."""
    what = " ".join(each.message for each in found)
    return Corrupt(
        f"{what} Nothing was written. Restore the databases that belong together; if that cannot be,"
        " `bylaw log accept --reason …` goes on with what is here and records that in the log.",
        place=", ".join(sorted({f"log {each.origin}" for each in found})),
    )


def _forgotten(held: StoredCheckpoint) -> Objection:
    message = (
        f"The control database is new, and the log {held.origin} has {held.size} entries: the tenants, keys"
        " and policies that they are about are missing."
    )
    return Objection(origin=held.origin, known=0, held=held.size, message=message)


def _without_effects(origin: str, position: int, end: int) -> Objection:
    message = (
        f"The lists for people show {position} effects of the log {origin}, which has {end} now: the receipts"
        f" of the last {position - end} are missing."
    )
    return Objection(origin=origin, known=position, held=end, message=message)


def _older(held: StoredCheckpoint, known: int, leaf: StoredReceipt) -> Objection:
    receipt = model.decode(leaf.receipt)
    message = (
        f"The control database is older than the log {held.origin}: entry {leaf.index} ({leaf.id}, of kind"
        f" {receipt.kind}, tenant {leaf.tenant}, {receipt.issued_at}) says what is not in it."
    )
    return Objection(origin=held.origin, known=known, held=held.size, message=message)


def _is_acceptance(claim: Claim) -> TypeGuard[ChangeClaim]:
    return isinstance(claim, ChangeClaim) and (claim.noun, claim.change) == ("log", "accepted")


def _accepted(found: Objection) -> ChangeClaim:
    return ChangeClaim(
        author="operator",
        change="accepted",
        fields=(Field(name="entries", now=str(found.held), was=str(found.known)),),
        id=found.origin,
        noun="log",
    )
