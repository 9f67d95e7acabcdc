"""The vectors of many documents, searched exactly: those with the largest product with a query.

Up to some thousands, all products are computed. Beyond, signs come first (Charikar, "Similarity estimation
techniques from rounding algorithms", 2002): each row keeps on which side of 512 random planes it lies. The
share of them that parts a row from a query follows from the angle between the two alone, whatever the data:

1. The rows that differ in the fewest signs are scored; the k-th best of them is a floor for the answer, or
   what is asked for if that is higher.
2. A row as good as the floor differs in more than `_BAND` deviations above its mean once in some 700 times.
   All rows within that are scored; where they are many, all rows are.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import acos, inf, pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bylaw.search.floats import Floats

Places = NDArray[np.intp]
Mask = NDArray[np.bool_]

_PLANES: Final = 512
_WORDS: Final = _PLANES // 64
_BAND: Final = 3.0
_FIRST: Final = 256  # rows that are scored first
_PLAIN: Final = 8_192  # so few rows are faster to score than to sift, or so many for each that is wanted:
_MANY: Final = 16
_SHARE: Final = 6  # scoring rows that lie apart costs so many times what it costs in order
_LEAST: Final = 64
_SEED: Final = 20_021


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What a search sees. Rows below `size` never change; a document that does gets a new row.

    Shape: `rows` [at least size, dimensions], `signs` [words, at least size], `lives` [size].
    """

    rows: Floats
    signs: NDArray[np.uint64]
    lives: Mask
    ids: list[str]
    places: dict[str, int]
    size: int
    longest: float


class Index:
    """Vectors by id. One thread at a time changes it; searches see it as it was when they began.

    A change costs little more than its rows and a copy of the table of ids. Units of memory: for each
    document 4 bytes a dimension, 64 for signs, and the id.
    """

    def __init__(self, dimensions: int) -> None:
        planes = np.random.default_rng(_SEED).standard_normal((dimensions, _PLANES), dtype=np.float32)
        self._planes: Floats = planes
        self._writing = threading.Lock()
        self._state = _empty(dimensions)

    def __len__(self) -> int:
        return len(self._state.places)

    def __contains__(self, ident: object) -> bool:
        return ident in self._state.places

    @property
    def size_bytes(self) -> int:
        """Return the memory that rows and signs take, reserve included."""
        return self._state.rows.nbytes + self._state.signs.nbytes

    def put(self, vectors: Mapping[str, Floats]) -> None:
        """Add documents, or replace them. Raises: ValueError for other dimensions or what is not finite."""
        if not vectors:
            return
        added = np.stack([*vectors.values()]).astype(np.float32, copy=False)
        if added.shape[1:] != self._planes.shape[:1] or not np.isfinite(added).all():
            raise ValueError(f"A vector has {self._planes.shape[0]} finite numbers.")
        with self._writing:
            state = _with_room(self._state, len(vectors))
            self._state = self._appended(state, [*vectors], added)

    def search(
        self, query: Floats, k: int, *, allowed: Iterable[str] | None = None, least: float = -inf
    ) -> dict[str, float]:
        """Return the ids and products of the `k` best, best first and then by id; of `allowed` if given.

        What has a product below `least` is not among them, and costs little.
        """
        state = self._state
        if k <= 0 or not state.places:
            return {}
        query = np.ascontiguousarray(query, dtype=np.float32)
        lives = state.lives if allowed is None else _mask(state, allowed)
        if np.count_nonzero(lives) > max(_PLAIN, _MANY * k):
            lives = self._near(state, query, lives, k=k, least=least)
        best = _best(state, query, np.flatnonzero(lives), k)
        return {each: product for each, product in best.items() if product >= least}

    def scores(self, query: Floats, ids: Iterable[str]) -> dict[str, float]:
        """Return the products of a query with those of `ids` that are here."""
        state = self._state
        held = [each for each in ids if each in state.places]
        rows = state.rows[[state.places[each] for each in held]] if held else state.rows[:0]
        return dict(zip(held, (rows @ query).tolist(), strict=True))

    def rows(self, ids: Iterable[str]) -> Floats:
        """Return the vectors of those of `ids` that are here. Shape: [documents, dimensions]."""
        state = self._state
        return state.rows[[state.places[each] for each in ids if each in state.places]]

    def _appended(self, state: _State, ids: Sequence[str], added: Floats) -> _State:
        begin, end = state.size, state.size + len(ids)
        state.rows[begin:end] = added
        state.signs[:, begin:end] = self._signs(added)
        places = state.places.copy()
        lives = np.concatenate((state.lives, np.ones(len(ids), dtype=np.bool_)))
        for place, each in enumerate(ids, begin):
            old = places.get(each)
            if old is not None:
                lives[old] = False
            places[each] = place
        state.ids.extend(ids)
        longest = max(state.longest, float(np.linalg.norm(added, axis=1).max()))
        return replace(state, lives=lives, places=places, size=end, longest=longest)

    def _signs(self, rows: Floats) -> NDArray[np.uint64]:
        """Return the sides of the planes on which rows lie. Shape: [words, rows]."""
        packed = np.packbits(rows @ self._planes > 0, axis=1)
        return packed.view(np.uint64).T

    def _near(self, state: _State, query: Floats, lives: Mask, *, k: int, least: float) -> Mask:
        """Return which of `lives` may be among the best, by the two steps of the module's text."""
        apart = self._apart(state, query)
        apart[~lives] = _PLANES + 1
        first = max(_FIRST, _MANY // 4 * k)
        least_apart = np.searchsorted(np.cumsum(np.bincount(apart)), first)
        floor = float(np.partition(state.rows[np.flatnonzero(apart <= least_apart)] @ query, -k)[-k])
        floor = max(floor, least)
        length = state.longest * float(np.linalg.norm(query))
        if floor <= 0 or not length:
            return lives  # nothing points the way of the query, so angles tell nothing
        share = acos(min(1.0, floor / length)) / pi
        reach = 1 + _PLANES * share + _BAND * sqrt(_PLANES * share * (1 - share))
        return (apart <= reach) & lives

    def _apart(self, state: _State, query: Floats) -> NDArray[np.uint16]:
        """Return in how many signs each row differs from a query."""
        asked = self._signs(query[None, :])[:, 0]
        apart = np.zeros(state.size, dtype=np.uint16)
        for word in range(_WORDS):
            apart += np.bitwise_count(state.signs[word, : state.size] ^ asked[word])
        return apart


def _empty(dimensions: int) -> _State:
    return _State(
        rows=np.empty((0, dimensions), dtype=np.float32),
        signs=np.empty((_WORDS, 0), dtype=np.uint64),
        lives=np.empty(0, dtype=np.bool_),
        ids=[],
        places={},
        size=0,
        longest=0.0,
    )


def _with_room(state: _State, more: int) -> _State:
    """Return `state`, or a copy without dead rows that has room for `more` and a quarter."""
    if state.size + more <= len(state.rows):
        return state
    living = np.flatnonzero(state.lives)
    capacity = max(_LEAST, (len(living) + more) * 5 // 4)
    rows = np.empty((capacity, state.rows.shape[1]), dtype=np.float32)
    signs = np.empty((_WORDS, capacity), dtype=np.uint64)
    np.take(state.rows, living, axis=0, out=rows[: len(living)], mode="clip")
    signs[:, : len(living)] = state.signs[:, living]
    ids = [state.ids[place] for place in living.tolist()]
    return _State(
        rows=rows,
        signs=signs,
        lives=np.ones(len(ids), dtype=np.bool_),
        ids=ids,
        places={each: place for place, each in enumerate(ids)},
        size=len(ids),
        longest=state.longest,
    )


def _mask(state: _State, ids: Iterable[str]) -> Mask:
    found = [place for place in map(state.places.get, ids) if place is not None]
    lives = np.zeros(state.size, dtype=np.bool_)
    lives[found] = True
    return lives


def _best(state: _State, query: Floats, among: Places, k: int) -> dict[str, float]:
    """Return the `k` best of `among`, best first and then by id."""
    if len(among) * _SHARE > state.size:
        products = (state.rows[: state.size] @ query)[among]
    else:
        products = state.rows[among] @ query
    if len(products) > k:
        floor = np.partition(products, -k)[-k]
        kept = np.flatnonzero(products >= floor)
        among, products = among[kept], products[kept]
    found = [
        (-score, state.ids[place]) for score, place in zip(products.tolist(), among.tolist(), strict=True)
    ]
    return {each: -score for score, each in sorted(found)[:k]}
