"""Statistics are what the rows amount to, on every store and however much of them is summed up."""

from dataclasses import fields, replace
from random import Random

import pytest

from bylaw.core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from bylaw.review.model import Evaluation
from bylaw.review.store import Tally, TallyFilter, Used
from tests.contracts.values import (
    START,
    A,
    B,
    alert,
    evaluation,
    model_call,
    occasion,
    place,
    snapshot,
    violation,
)

DAYS = 4
END = START + DAYS * DAY_MS
FACETS = ("policy", "user", "key", "model")


def scattered(seed: int, count: int, tenant_id=A):
    """Rows all over four days, each with whatever a decision may say."""
    random = Random(seed)
    for _ in range(count):
        where = random.choice([("", ""), ("w1", ""), ("w1", "r1"), ("w1", "r2"), ("w2", "r3")])
        told = occasion(
            tenant_id,
            at_ms=START + random.randrange(DAYS * DAY_MS),
            workspace_id=where[0],
            repo_id=where[1],
            user_id=random.choice(["", "u1", "u2", "long " + "x" * 300]),
            key_id=random.choice(["k1", "k2"]),
            model=random.choice(["", "m1"]),
        )
        policy = snapshot(id=random.choice(["", "p1", "p2", "p3"]), risk=random.choice(["LOW", "HIGH"]))
        kind = random.choice(["violation", "violation", "alert", "evaluation"])
        if kind == "violation":
            yield violation(occasion=told, policy=policy, block=random.random() < 0.5)
        elif kind == "alert":
            yield alert(occasion=told, policy=policy)
        else:
            yield evaluation(occasion=told, policy_id=policy.id)


async def keep(unit, rows):
    review = unit.review
    await review.statistics.outdate({row.occasion.at_ms for row in rows})
    named = {"Violation": review.violations, "Alert": review.alerts, "Evaluation": review.evaluations}
    for name, store in named.items():
        await store.add([row for row in rows if type(row).__name__ == name])


async def tally_all(store, *, before_ms=END):
    async with store.system() as system:
        found = await system.untallied(before_ms=before_ms, limit=1000)
        for tenant_id, day_ms in found:
            await system.of(tenant_id).review.statistics.tally(day_ms, before_ms=before_ms)
    return found


def everything(**given):
    return TallyFilter(**({"from_ms": START, "to_ms": END, "only": {}} | given))


QUESTIONS = [
    everything(),
    everything(from_ms=START + 3 * HOUR_MS, to_ms=END - 5 * HOUR_MS),
    everything(within=(place("w1"),)),
    everything(within=(place("w1", "r1"), place("w2"))),
    everything(within=(place("w1"), place("w1", "r2"))),
    everything(within=()),
    everything(only={"policy": "p1"}),
    everything(only={"user": "u1"}, within=(place("w1", "r2"),)),
    everything(only={"user": "long " + "x" * 300}),
    everything(only={"policy": "p1", "key": "k2"}),
    everything(only={"model": "nobody"}),
]
BUCKETS = (5 * MINUTE_MS, HOUR_MS, 12 * HOUR_MS, DAY_MS)


async def answers(store):
    """What the store says to every question."""
    told = []
    async with store.begin(A, writes=False) as unit:
        statistics = unit.review.statistics
        for where in QUESTIONS:
            told += [dict(await statistics.series(where, bucket_ms=bucket_ms)) for bucket_ms in BUCKETS]
            for by in FACETS:
                told.append(await statistics.totals(where, by, limit=2, offset=1))
                shown = await statistics.series_of(where, by, ["p1", "u1", "k1"], bucket_ms=HOUR_MS)
                told.append({ident: dict(series) for ident, series in shown.items()})
    return told


def plainly(rows, where, bucket_ms):
    """The series as one would count by hand."""
    found = {}
    for row in rows:
        said = row.occasion
        names = {"user": said.user_id, "key": said.key_id, "model": said.model}
        names["policy"] = row.policy_id if isinstance(row, Evaluation) else row.policy.id
        if not where.from_ms <= said.at_ms < where.to_ms:
            continue
        if where.within is not None and not any(each.contains(said.place) for each in where.within):
            continue
        if any(names.get(facet) != ident for facet, ident in where.only.items()):
            continue
        counts = found.setdefault(said.at_ms // bucket_ms * bucket_ms, dict.fromkeys(NAMES, 0))
        if isinstance(row, Evaluation):
            counts["tokens_in"] += row.tokens_in
            counts["tokens_out"] += row.tokens_out
        elif hasattr(row, "message"):
            counts["alerts"] += 1
        else:
            counts["violations"] += 1
            counts["blocks"] += row.block
            counts[row.policy.risk.lower()] += 1
    return {start: Tally(**counts) for start, counts in found.items()}


NAMES = [each.name for each in fields(Tally)]


async def test_statistics_are_what_one_would_count_by_hand(store):
    rows = list(scattered(1, 400))
    async with store.begin(A) as unit:
        await keep(unit, rows)
    async with store.begin(B) as unit:
        await keep(unit, list(scattered(2, 50, B)))
    await tally_all(store)
    async with store.begin(A, writes=False) as unit:
        for where in QUESTIONS:
            for bucket_ms in BUCKETS:
                found = await unit.review.statistics.series(where, bucket_ms=bucket_ms)
                assert dict(found) == plainly(rows, where, bucket_ms)


async def test_sums_change_nothing_that_is_read(store):
    rows = list(scattered(3, 300))
    async with store.begin(A) as unit:
        await keep(unit, rows[:200])
    before = await answers(store)
    assert await tally_all(store, before_ms=START + 2 * DAY_MS + 90 * MINUTE_MS)
    assert await answers(store) == before
    await tally_all(store)
    assert await answers(store) == before
    assert await tally_all(store) == []
    async with store.begin(A) as unit:  # they come late, into hours that were summed up
        await keep(unit, rows[200:])
    late = await answers(store)
    assert late != before
    await tally_all(store)
    assert await answers(store) == late


async def test_rows_that_are_projected_again_are_counted_once(store):
    rows = list(scattered(4, 60))
    async with store.begin(A) as unit:
        await keep(unit, rows)
    await tally_all(store)
    before = await answers(store)
    async with store.begin(A) as unit:
        await keep(unit, rows)
        await keep(unit, rows)
    assert await answers(store) == before
    await tally_all(store)
    assert await answers(store) == before


async def test_an_hour_that_goes_on_waits(store):
    at = START + DAY_MS + 10 * MINUTE_MS
    async with store.begin(A) as unit:
        await keep(unit, [violation(occasion=occasion(at_ms=at))])
    async with store.system(writes=False) as system:
        assert await system.untallied(before_ms=at + 20 * MINUTE_MS, limit=10) == []
        assert await system.untallied(before_ms=at + HOUR_MS, limit=10) == [(A, START + DAY_MS)]


async def test_what_is_asked_most_comes_first(store):
    rows = [violation(policy=snapshot(id=ident)) for ident in ("b", "c", "a", "c", "b", "")]
    async with store.begin(A) as unit:
        await keep(unit, rows)
        found = await unit.review.statistics.totals(everything(), "policy", limit=2)
        assert [(ident, tally.violations) for ident, tally in found.items] == [("b", 2), ("c", 2)]
        assert found.total == 3
        later = await unit.review.statistics.totals(everything(), "policy", limit=2, offset=2)
        assert [ident for ident, _ in later.items] == ["a"]


@pytest.mark.parametrize("by", FACETS)
async def test_a_filter_by_the_same_facet_leaves_one(store, by):
    async with store.begin(A) as unit:
        await keep(unit, list(scattered(5, 80)))
    await tally_all(store)
    async with store.begin(A, writes=False) as unit:
        statistics = unit.review.statistics
        all_of_them = await statistics.totals(everything(), by, limit=10)
        for ident, tally in all_of_them.items:
            one = await statistics.totals(replace(everything(), only={by: ident}), by, limit=10)
            assert one.items == ((ident, tally),)


async def test_what_a_connection_used_is_what_its_calls_did(store):
    rows = [model_call(connection_id="c1", tokens_in=7 * n, tokens_out=n) for n in range(1, 4)]
    rows.append(model_call(connection_id="c2"))
    async with store.begin(A) as unit:
        await unit.review.calls.add(rows[:2])
        await unit.review.calls.add(rows)  # projected again: they are there already
    async with store.begin(B) as unit:
        await unit.review.calls.add([model_call(B, connection_id="c1", id=rows[0].id)])
    async with store.begin(A, writes=False) as unit:
        calls = unit.review.calls
        assert await calls.used("c1") == Used(calls=3, tokens_in=42, tokens_out=6)
        assert await calls.used("c2") == Used(calls=1, tokens_in=7, tokens_out=5)
        assert await calls.used("none") == Used()
