"""The words of the policies of one tenant in memory: in which of them each stands, and what filters look at.

A policy is a row. One that changes gets a new row, and its old one is dead; rows are only added, so whoever
looks sees all as it was when they began. Where half of the rows are dead, the living ones are taken over into
new tables. A filter looks at each different set of `Facets` once, however many policies have it.
"""

import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bylaw.core.ids import PolicyId
from bylaw.policies.matching import admits, governs
from bylaw.policies.searching import LITERAL, STEM, TOPIC, Word, pieces_of
from bylaw.policies.store import Facets, Hit, PolicyFilter, Spelled

Mask = NDArray[np.bool_]
Worth = NDArray[np.uint8]
Rows = NDArray[np.intp]

_ROW_BYTES: Final = 600  # of an id, a digest, and what leads from them to the row
_WORD_BYTES: Final = 200  # of a word and the list of its rows, without what is in it
_FILTERS: Final = 64  # whose answers are kept
_DEAD: Final = 1_000  # so few rows are not worth to be swept
_NO_TOPIC: Final = ""


@dataclass(slots=True)
class _Tables:
    """What is known of rows; all but `alive` only grows, so an older look is a look at less of it."""

    rows_of_word: dict[str, "array[int]"] = field(default_factory=dict)
    rows_of_id: dict[str, tuple[int, ...]] = field(default_factory=dict)
    rows_of_digest: dict[str, tuple[int, ...]] = field(default_factory=dict)
    ids: list[PolicyId] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    created: "array[int]" = field(default_factory=lambda: array("q"))
    facets: "array[int]" = field(default_factory=lambda: array("i"))
    topics: "array[int]" = field(default_factory=lambda: array("i"))
    number_of_facets: dict[Facets, int] = field(default_factory=dict)
    number_of_topic: dict[str, int] = field(default_factory=lambda: {_NO_TOPIC: 0})
    verdicts: dict[PolicyFilter, Mask] = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The words of a tenant as they are after the change `number`.

    Shape: `alive`, `created`, `facets` and `topics` have a place for each row. `spelled` are all words, each
    between ends of lines.
    """

    number: int
    tables: _Tables
    alive: Mask
    created: NDArray[np.int64]
    facets: NDArray[np.int32]
    topics: NDArray[np.int32]
    kinds: Sequence[Facets]
    subjects: Sequence[str]
    spelled: str

    def worth(self, words: Sequence[Word]) -> Worth:
        """Return what the words are worth in each row, as `searching.score` tells it."""
        total = np.zeros(len(self.alive), dtype=np.uint8)
        for word in words:
            total += self._standing(word)
            of_topics = np.array([TOPIC * (word.stem in each) for each in self.subjects], dtype=np.uint8)
            if of_topics.any():
                total += of_topics[self.topics]
        return total

    def wanted(self, where: PolicyFilter) -> Mask:
        """Return which rows are alive and admitted by the facets of a filter; its names are not looked at."""
        known = self.tables.verdicts.get(where)
        if known is None or len(known) < len(self.kinds):
            each = (governs(facets, where) and admits(facets, where) for facets in self.kinds)
            known = np.fromiter(each, dtype=np.bool_, count=len(self.kinds))
            if len(self.tables.verdicts) >= _FILTERS:
                self.tables.verdicts.clear()
            self.tables.verdicts[where] = known
        return known[self.facets] & self.alive

    def rows(self, *, ids: Iterable[str] | None = None, digests: Iterable[str] = ()) -> Rows:
        """Return the rows, dead ones too, of policies with these ids, or with these digests."""
        table = self.tables.rows_of_digest if ids is None else self.tables.rows_of_id
        keys = digests if ids is None else ids
        found = [row for key in keys for row in table.get(key, ()) if row < len(self.alive)]
        return np.array(sorted(found), dtype=np.intp)

    def digests(self, rows: Rows) -> frozenset[str]:
        """Return the digests of rows."""
        return frozenset(map(self.tables.digests.__getitem__, rows.tolist()))

    def best(self, rows: Rows, worth: Worth, *, most: int) -> Sequence[Hit]:
        """Return up to `most` of these rows: those of most worth, then the newest, then by falling id."""
        if len(rows) > most:
            at_least = np.cumsum(np.bincount(worth[rows])[::-1])[::-1]
            rows = rows[worth[rows] >= np.count_nonzero(at_least >= max(most, 1)) - 1]
        order = (worth[rows].astype(np.int64) << 48) + self.created[rows]
        if len(rows) > most:
            least = np.partition(order, -most)[-most] if most else np.iinfo(np.int64).max
            rows, order = rows[order >= least], order[order >= least]
        ids = self.tables.ids
        ranked = sorted(zip(order.tolist(), rows.tolist(), strict=True), key=lambda e: (e[0], ids[e[1]]))
        return [self._hit(row, worth) for _, row in reversed(ranked[max(0, len(ranked) - most) :])]

    def _hit(self, row: int, worth: Worth) -> Hit:
        return Hit(
            id=self.tables.ids[row],
            digest=self.tables.digests[row],
            created_ms=int(self.created[row]),
            worth=int(worth[row]),
        )

    def _standing(self, word: Word) -> Worth:
        """Return what one word is worth in the text of each row."""
        found = np.zeros(len(self.alive), dtype=np.uint8)
        kin = list(_holding(self.spelled, word.stem))
        whole = {each for each in kin if word.text in each}
        for each in kin:
            if each not in whole:
                found[self._rows_of(each)] = STEM
        for each in whole:
            found[self._rows_of(each)] = LITERAL
        return found

    def _rows_of(self, word: str) -> NDArray[np.int32]:
        # The list may grow meanwhile, which it cannot while somebody holds its memory.
        rows = np.frombuffer(self.tables.rows_of_word[word].tobytes(), dtype=np.int32)
        return rows[: np.searchsorted(rows, len(self.alive))]


class Lexicon:
    """The words of one tenant. One thread at a time changes them; `seen` is what others look at."""

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._tables = _Tables()
        self.seen = _seen(self._tables, number=0, alive=np.empty(0, dtype=np.bool_), spelled="\n")

    @property
    def size_bytes(self) -> int:
        """Return the memory that it takes, as far as can be told."""
        return self._tables.size_bytes

    def put(self, fresh: Sequence[Spelled]) -> None:
        """Take over what changed, by rising number; what is known already is passed over.

        Whoever gave up waiting for another call may have left it at work.
        """
        with self._changing:
            unknown = [each for each in fresh if each.number > self.seen.number]
            if unknown:
                self._take(unknown)

    def _take(self, fresh: Sequence[Spelled]) -> None:
        seen, tables = self.seen, self._tables
        gone = [row for each in fresh for row in tables.rows_of_id.get(each.id, ())]
        words = len(tables.rows_of_word)
        for each in fresh:
            if each.facets is not None:
                _add(tables, each, each.facets)
        alive = np.ones(len(tables.ids), dtype=np.bool_)
        alive[: len(seen.alive)] = seen.alive
        alive[gone] = False
        added = islice(tables.rows_of_word, words, None)
        spelled = "".join((seen.spelled, *(f"{word}\n" for word in added)))
        self.seen = _seen(tables, number=fresh[-1].number, alive=alive, spelled=spelled)
        if np.count_nonzero(~alive) > max(_DEAD, len(alive) // 2):
            self._sweep()

    def _sweep(self) -> None:
        """Take the living rows over into new tables."""
        seen, old, new = self.seen, self._tables, _Tables()
        living = np.flatnonzero(seen.alive)
        moved = np.cumsum(seen.alive, dtype=np.int32) - 1
        for row in living.tolist():
            facets = seen.kinds[seen.facets[row]]
            _enter(new, old.ids[row], old.digests[row], int(seen.created[row]), facets=facets)
        for word, rows in old.rows_of_word.items():
            held = np.frombuffer(rows, dtype=np.int32)
            kept = moved[held[seen.alive[held]]]
            if len(kept):
                new.rows_of_word[word] = array("i", kept.tobytes())
                new.size_bytes += _WORD_BYTES + kept.nbytes
        self._tables = new
        spelled = "".join(("\n", *(f"{word}\n" for word in new.rows_of_word)))
        alive = np.ones(len(living), dtype=np.bool_)
        self.seen = _seen(new, number=seen.number, alive=alive, spelled=spelled)


def _add(tables: _Tables, said: Spelled, facets: Facets) -> None:
    """Add a row for what a policy says now."""
    row = len(tables.ids)
    _enter(tables, said.id, said.digest, said.created_ms, facets=facets)
    for word in pieces_of(said.text):
        rows = tables.rows_of_word.get(word)
        if rows is None:
            rows = tables.rows_of_word[word] = array("i")
            tables.size_bytes += _WORD_BYTES
        rows.append(row)
        tables.size_bytes += rows.itemsize


def _enter(tables: _Tables, ident: PolicyId, digest: str, created_ms: int, *, facets: Facets) -> None:
    """Add a row without its words."""
    row = len(tables.ids)
    tables.ids.append(ident)
    tables.digests.append(digest)
    tables.created.append(created_ms)
    tables.facets.append(tables.number_of_facets.setdefault(facets, len(tables.number_of_facets)))
    topic = facets.topic or _NO_TOPIC
    tables.topics.append(tables.number_of_topic.setdefault(topic, len(tables.number_of_topic)))
    for table, key in ((tables.rows_of_id, ident), (tables.rows_of_digest, digest)):
        table[key] = (*table.get(key, ()), row)
    tables.size_bytes += _ROW_BYTES


def _seen(tables: _Tables, *, number: int, alive: Mask, spelled: str) -> Seen:
    return Seen(
        number=number,
        tables=tables,
        alive=alive,
        created=np.array(tables.created, dtype=np.int64),
        facets=np.array(tables.facets, dtype=np.int32),
        topics=np.array(tables.topics, dtype=np.int32),
        kinds=tuple(tables.number_of_facets),
        subjects=tuple(tables.number_of_topic),
        spelled=spelled,
    )


def _holding(spelled: str, part: str) -> Iterator[str]:
    """Yield the words that hold a part."""
    at = spelled.find(part)
    while at >= 0:
        end = spelled.find("\n", at)
        yield spelled[spelled.rfind("\n", 0, at) + 1 : end]
        at = spelled.find(part, end)
