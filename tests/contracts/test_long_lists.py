"""How many there are, and where a deep page begins, is told alike by every store, summed up or not."""

import random
from dataclasses import replace
from itertools import product

import pytest

from bylaw.core.clock import DAY_MS, HOUR_MS
from bylaw.core.paging import Slice
from bylaw.review.store import ReviewFilter
from tests.contracts.test_statistics_store import keep, tally_all
from tests.contracts.values import START, A, alert, occasion, place, snapshot, violation

DAYS = 4
FILTERS = [
    ReviewFilter(**given)
    for given in (
        {},
        {"policy_ids": frozenset({"p1"})},
        {"policy_ids": frozenset({"p1", "p2"})},
        {"policy_ids": frozenset({"", "p1"})},
        {"policy_ids": frozenset()},
        {"user_id": "u1"},
        {"key_id": "k1"},
        {"models": frozenset({"m1", "m2"})},
        {"policy_ids": frozenset({"p1"}), "user_id": "u1"},
        {"agent_id": "a1"},
        {"providers": frozenset({"openai"})},
        {"hosts": frozenset({"h1"})},
        {"within": (place("w1"),)},
        {"within": (place("w1"), place("w2", "r2"))},
        {"within": (place("w1"),), "repo_id": "r1"},
        {"within": (place(),), "repo_id": "r1"},
        {"repo_id": "r1"},
        {"within": ()},
        {"from_ms": START + DAY_MS + 90 * 60_000},
        {"to_ms": START + 2 * DAY_MS + 5 * HOUR_MS + 7},
        {"from_ms": START + HOUR_MS, "to_ms": START + 3 * DAY_MS, "policy_ids": frozenset({"p2"})},
    )
]
VERDICTS = [
    {"risks": risks, "block": block}
    for risks, block in product((None, frozenset({"HIGH"}), frozenset({"LOW", "HIGH"})), (None, True, False))
]


def made(chance: random.Random):
    """Violations and alerts of a few days, of few of everything."""
    for _ in range(160):
        workspace, repo = chance.choice([("", ""), ("w1", ""), ("w1", "r1"), ("w2", "r2")])
        told = occasion(
            at_ms=START + chance.randrange(DAYS * DAY_MS),
            workspace_id=workspace,
            repo_id=repo,
            user_id=chance.choice(["", "u1", "u2"]),
            key_id=chance.choice(["", "k1"]),
            agent_id=chance.choice(["a1", "a2"]),
            model=chance.choice(["", "m1", "m2", "m3"]),
            provider=chance.choice(["openai", "google"]),
            host=chance.choice(["h1", "h2"]),
        )
        policy = snapshot(
            id=chance.choice(["", "p1", "p2", "p3"]), risk=chance.choice(["LOW", "MEDIUM", "HIGH"])
        )
        if chance.random() < 0.7:
            yield violation(occasion=told, policy=policy, block=chance.random() < 0.5)
        else:
            yield alert(occasion=told, policy=policy)


def expected(items, where):
    """The items that match, newest first, by the obvious way."""
    found = []
    for item in items:
        told = item.occasion
        matches = [
            where.within is None or any(each.contains(told.place) for each in where.within),
            where.repo_id in {None, told.repo_id},
            where.policy_ids is None or item.policy.id in where.policy_ids,
            where.user_id in {None, told.user_id},
            where.key_id in {None, told.key_id},
            where.agent_id in {None, told.agent_id},
            where.models is None or told.model in where.models,
            where.providers is None or told.provider in where.providers,
            where.hosts is None or told.host in where.hosts,
            where.from_ms is None or told.at_ms >= where.from_ms,
            where.to_ms is None or told.at_ms < where.to_ms,
            where.risks is None or item.policy.risk in where.risks,
            where.block is None or item.block == where.block,
        ]
        if all(matches):
            found.append(item)
    return sorted(found, key=lambda item: (item.occasion.at_ms, item.id), reverse=True)


@pytest.mark.parametrize("before_ms", [START, START + 2 * DAY_MS + 3 * HOUR_MS, START + DAYS * DAY_MS])
async def test_numbers_and_pages_are_those_of_the_rows(store, before_ms):
    chance = random.Random(before_ms)
    rows = list(made(chance))
    async with store.begin(A) as unit:
        await keep(unit, rows)
    await tally_all(store, before_ms=before_ms)
    late = list(made(chance))[:20]
    async with store.begin(A) as unit:
        await keep(unit, late)  # outdates sums
    kinds = {"violations": [], "alerts": []}
    for row in rows + late:
        kinds["violations" if type(row).__name__ == "Violation" else "alerts"].append(row)
    async with store.begin(A, writes=False) as unit:
        for where, (kind, items) in product(FILTERS, kinds.items()):
            verdicts = VERDICTS if kind == "violations" else [{}]
            asked = replace(where, **chance.choice(verdicts))
            wanted = expected(items, asked)
            for offset in (0, 1, len(wanted) // 2, max(len(wanted) - 1, 0), len(wanted), len(wanted) + 5):
                part = Slice(limit=7, offset=offset, total=True)
                page = await getattr(unit.review, kind).list(asked, part)
                assert (list(page.items), page.total) == (wanted[offset : offset + 7], len(wanted)), asked
                if page.next_cursor is not None:
                    after = Slice(limit=7, offset=offset, cursor=page.next_cursor, total=True)
                    page = await getattr(unit.review, kind).list(asked, after)
                    rest = wanted[offset + 7 : offset + 14]
                    assert (list(page.items), page.total) == (rest, len(wanted)), asked
