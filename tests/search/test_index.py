"""The index: the best of all, whatever the data, the filter and the changes."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bylaw.search.index import Index

DIMENSIONS = 64
MANY = 20_000
K = 10


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def clustered(rng: np.random.Generator, centres: int, spread: float) -> np.ndarray:
    points = unit(rng.standard_normal((centres, DIMENSIONS)))
    noise = rng.standard_normal((MANY, DIMENSIONS)) * spread / np.sqrt(DIMENSIONS)
    return unit(points[rng.integers(0, centres, MANY)] + noise)


def two_fields(rng: np.random.Generator) -> np.ndarray:
    return (0.65 * clustered(rng, 500, 1.0) + 0.35 * clustered(rng, 50, 0.5)).astype(np.float32)


SHAPES = {
    "at random": lambda rng: unit(rng.standard_normal((MANY, DIMENSIONS))),
    "many clusters": lambda rng: clustered(rng, 500, 0.7),
    "loose clusters": lambda rng: clustered(rng, 500, 1.5),
    "few tight clusters": lambda rng: clustered(rng, 5, 0.1),
    "two fields": two_fields,
}


def indexed(rows: np.ndarray) -> Index:
    index = Index(rows.shape[1])
    index.put({f"p{place:05}": row for place, row in enumerate(rows)})
    return index


def wanted(rows: np.ndarray, query: np.ndarray, places: np.ndarray) -> list[str]:
    products = rows[places] @ query
    best = sorted(zip(-products, places, strict=True))[:K]
    return [f"p{place:05}" for _, place in best]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("step", [1, 2, 40], ids=["all allowed", "half allowed", "few allowed"])
def test_at_least_99_of_100_best_are_found(shape, step):
    rng = np.random.default_rng(7)
    rows = SHAPES[shape](rng)
    index, places = indexed(rows), np.arange(0, MANY, step)
    allowed = None if step == 1 else {f"p{place:05}" for place in places}
    queries = (
        rows[rng.integers(0, MANY, 40)] + rng.standard_normal((40, DIMENSIONS)).astype(np.float32) * 0.05
    )
    found = 0
    for query in unit(queries):
        has = index.search(query, K, allowed=allowed)
        assert list(has.values()) == sorted(has.values(), reverse=True)
        assert allowed is None or has.keys() <= allowed
        found += len(has.keys() & set(wanted(rows, query, places)))
    assert found >= 0.99 * 40 * K


def test_what_is_opposite_to_everything_is_ranked_too():
    rng = np.random.default_rng(3)
    rows = clustered(rng, 1, 0.1)
    index = indexed(rows)
    query = -rows.mean(axis=0)
    assert list(index.search(query, K)) == wanted(rows, query, np.arange(MANY))
    nowhere = np.zeros(DIMENSIONS, dtype=np.float32)
    assert len(index.search(nowhere, K)) == K
    assert index.search(nowhere, K, least=0.3) == {}


@pytest.mark.parametrize("many", [100, 20_000])
def test_what_is_below_the_least_is_left_out_and_nothing_else(many):
    chance = np.random.default_rng(5)
    rows = chance.standard_normal((many, 32), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    index = Index(32)
    index.put({f"{n:05}": row for n, row in enumerate(rows)})
    for query in rows[:5]:
        products = rows @ query
        for least in (-0.5, 0.3, 0.6, 1.5):
            best = np.sort(products[products >= least])[::-1][:50]
            found = [*index.search(query, 50, least=least).values()]
            assert found == pytest.approx(best, abs=1e-5) or len(found) >= 0.97 * len(best)
            assert all(product >= least for product in found)


def test_equal_products_are_ordered_by_id():
    row = np.ones(DIMENSIONS, dtype=np.float32)
    index = Index(DIMENSIONS)
    index.put(dict.fromkeys(("c", "a", "b"), row))
    assert list(index.search(row, 2)) == ["a", "b"]


def test_more_wanted_than_there_is_gives_all():
    index = indexed(np.eye(DIMENSIONS, dtype=np.float32))
    assert len(index.search(np.ones(DIMENSIONS, dtype=np.float32), 1_000)) == DIMENSIONS
    assert index.search(np.ones(DIMENSIONS, dtype=np.float32), 0) == {}
    assert Index(DIMENSIONS).search(np.ones(DIMENSIONS, dtype=np.float32), K) == {}


def test_as_many_wanted_as_half_of_many_are_all_right():
    rows = SHAPES["many clusters"](np.random.default_rng(5))
    has = indexed(rows).search(rows[0], MANY // 2)
    floor = np.sort(rows @ rows[0])[-MANY // 2]
    assert len(has) == MANY // 2
    assert min(has.values()) == pytest.approx(float(floor), abs=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=["nan", "infinite"])
def test_what_is_no_number_is_refused_and_nothing_changes(bad):
    index = indexed(np.eye(DIMENSIONS, dtype=np.float32))
    row = np.full(DIMENSIONS, bad, dtype=np.float32)
    with pytest.raises(ValueError, match="finite"):
        index.put({"new": row, "p00000": row})
    with pytest.raises(ValueError, match="64"):
        index.put({"new": np.ones(DIMENSIONS + 1, dtype=np.float32)})
    assert "new" not in index
    assert len(index) == DIMENSIONS


def test_scores_are_those_of_the_search_and_pass_over_the_unknown():
    rows = SHAPES["two fields"](np.random.default_rng(2))
    index = indexed(rows)
    has = index.search(rows[4], K)
    told = index.scores(rows[4], [*has, "nobody"])
    assert told.keys() == has.keys()
    assert all(told[each] == pytest.approx(score, abs=1e-5) for each, score in has.items())


def test_memory_is_that_of_one_row_and_its_signs():
    index = indexed(np.ones((1_000, 384), dtype=np.float32))
    assert index.size_bytes == 1_250 * (384 * 4 + 64)


def test_a_search_sees_all_of_a_change_or_none_of_it():
    rng = np.random.default_rng(11)
    row = unit(rng.standard_normal((1, DIMENSIONS)))[0]
    names = [f"p{place}" for place in range(60)]
    generations = [{each: row * np.float32(size) for each in names} for size in (1, 2)]
    index = Index(DIMENSIONS)
    index.put(generations[0])
    seen, done = list[set[float]](), threading.Event()

    def read() -> None:
        while not done.is_set():
            has = index.search(row, 60, allowed=names if len(seen) % 2 else None)
            seen.append({round(score, 3) for score in has.values()} | {float(len(has))})

    readers = [threading.Thread(target=read) for _ in range(2)]
    for each in readers:
        each.start()
    for turn in range(100):
        index.put(generations[turn % 2])
    done.set()
    for each in readers:
        each.join()
    assert seen
    assert all(each in ({1.0, 60.0}, {2.0, 60.0}) for each in seen)
    assert len(index) == 60


class Changes(RuleBasedStateMachine):
    """The index beside a plain table, whatever is put there and replaced."""

    names = st.sampled_from([f"n{place}" for place in range(12)])

    def __init__(self) -> None:
        super().__init__()
        self.index = Index(3)
        self.table: dict[str, np.ndarray] = {}

    @rule(names=st.lists(names, max_size=6, unique=True), seed=st.integers(0, 9))
    def put(self, names, seed):
        rows = np.random.default_rng(seed).standard_normal((len(names), 3)).astype(np.float32)
        added = dict(zip(names, rows, strict=True))
        self.index.put(added)
        self.table |= added

    @invariant()
    def agrees(self):
        query = np.array([1, 2, 3], dtype=np.float32)
        has = self.index.search(query, 100)
        assert has.keys() == self.table.keys()
        assert len(self.index) == len(self.table)
        assert all(
            has[each] == pytest.approx(float(row @ query), abs=1e-4) for each, row in self.table.items()
        )


TestChanges = settings(max_examples=60, stateful_step_count=40, deadline=None)(Changes).TestCase


@given(st.lists(st.sampled_from("abcdefgh"), max_size=8))
def test_only_the_allowed_are_found(allowed):
    index = Index(2)
    index.put({each: np.ones(2, dtype=np.float32) for each in "abcd"})
    assert index.search(np.ones(2, dtype=np.float32), 9, allowed=allowed).keys() == set(allowed) & set("abcd")
