"""Proofs agree with the slow recursion of the specification, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import Corrupt
from bylaw.receipts import proof
from bylaw.receipts.log import EMPTY_ROOT, Frontier, Tile, leaf_hash, node_hash
from tests.reference import merkle

LEAVES = [b"leaf %d" % at for at in range(1300)]


class Stored:
    """The hashes that a log of `LEAVES` stores."""

    def __init__(self) -> None:
        self.hashes, self.nodes, self.frontier = [], {}, Frontier()
        for leaf in LEAVES:
            self.hashes.append(leaf_hash(leaf))
            for node in self.frontier.append(self.hashes[-1]):
                self.nodes[node.level, node.index] = node.hash

    def tiles(self, wanted, size):
        found = {}
        for tile in wanted:
            first = tile.index * 256
            row = self.hashes[:size] if tile.level == 0 else [self.nodes[1, at] for at in range(size // 256)]
            found[tile] = b"".join(row[first : first + 256])
        return found


STORED = Stored()
sizes = st.one_of(
    st.integers(1, 40), st.integers(1, len(LEAVES)), st.sampled_from([255, 256, 257, 511, 512, 1024])
)


@given(sizes)
def test_the_root_is_the_specification_s(size):
    frontier = Frontier()
    for hashed in STORED.hashes[:size]:
        frontier.append(hashed)
    assert frontier.root() == merkle.tree_hash(LEAVES[:size])
    tiles = STORED.tiles(proof.tiles_of_frontier(size), size)
    assert proof.frontier(size, tiles).root() == frontier.root()
    assert proof.frontier(size, tiles).peaks == frontier.peaks


@given(sizes, st.data())
def test_an_inclusion_proof_is_the_specification_s_and_verifies(size, data):
    index = data.draw(st.integers(0, size - 1))
    made = proof.inclusion(index, size, STORED.tiles(proof.tiles_of_inclusion(index, size), size))
    assert made == merkle.path(index, LEAVES[:size])
    root = merkle.tree_hash(LEAVES[:size])
    assert proof.root_by_inclusion(STORED.hashes[index], index, size, made) == root


@given(sizes, st.data())
def test_a_consistency_proof_is_the_specification_s_and_verifies(size, data):
    old_size = data.draw(st.integers(0, size))
    made = proof.consistency(old_size, size, STORED.tiles(proof.tiles_of_consistency(old_size, size), size))
    assert made == (merkle.proof(old_size, LEAVES[:size]) if 0 < old_size < size else [])
    old, new = merkle.tree_hash(LEAVES[:old_size]), merkle.tree_hash(LEAVES[:size])
    assert proof.extends((old_size, old), (size, new), made)


@given(st.integers(1, 300), st.data())
def test_a_changed_inclusion_proof_leads_elsewhere(size, data):
    index = data.draw(st.integers(0, size - 1))
    made = merkle.path(index, LEAVES[:size])
    root = merkle.tree_hash(LEAVES[:size])
    leaf = STORED.hashes[index]
    changed = data.draw(st.sampled_from(["leaf", "index", "size", "drop", "add", "flip", "swap"]))
    size_said, index_said = size, index
    if changed == "leaf":
        leaf = leaf_hash(b"another")
    elif changed == "index":
        index_said = data.draw(st.integers(-2, size + 2).filter(lambda other: other != index))
    elif changed == "size":
        size_said = data.draw(
            st.integers(0, 400).filter(lambda other: len(_path_shape(index, other)) != len(made))
        )
    elif changed == "drop" and made:
        made.pop(data.draw(st.integers(0, len(made) - 1)))
    elif changed == "flip" and made:
        at = data.draw(st.integers(0, len(made) - 1))
        made[at] = bytes([made[at][0] ^ 1]) + made[at][1:]
    elif changed == "swap" and len(made) > 1:
        made.reverse()
    else:
        made.append(leaf_hash(b"more"))
    assert proof.root_by_inclusion(leaf, index_said, size_said, made) != root


def _path_shape(index, size):
    return merkle.path(index, LEAVES[:size]) if 0 <= index < size else [b""] * 99


@given(st.integers(1, 300), st.data())
def test_a_changed_consistency_proof_shows_nothing(size, data):
    old_size = data.draw(st.integers(1, size))
    old, new = merkle.tree_hash(LEAVES[:old_size]), merkle.tree_hash(LEAVES[:size])
    made = merkle.proof(old_size, LEAVES[:size]) if old_size < size else []
    changed = data.draw(st.sampled_from(["old", "new", "drop", "add", "short"]))
    if changed == "old":
        old = leaf_hash(b"another")
    elif changed == "new":
        new = leaf_hash(b"another")
    elif changed == "drop" and made:
        made.pop(data.draw(st.integers(0, len(made) - 1)))
    elif changed == "short" and made:
        made[-1] = made[-1][:31]
    else:
        made.append(leaf_hash(b"more"))
    assert not proof.extends((old_size, old), (size, new), made)


def test_a_rewritten_history_is_no_extension():
    other = [b"forged", *LEAVES[1:9]]
    forged = merkle.proof(5, other)
    assert not proof.extends((5, merkle.tree_hash(LEAVES[:5])), (9, merkle.tree_hash(other)), forged)


def test_every_log_extends_the_empty_one():
    root = merkle.tree_hash(LEAVES[:3])
    assert proof.extends((0, EMPTY_ROOT), (3, root), [])
    assert not proof.extends((0, root), (3, root), [])
    assert not proof.extends((0, EMPTY_ROOT), (3, root), [root])
    assert not proof.extends((4, root), (3, root), [])


def test_a_proof_that_is_missing_shows_nothing():
    leaves = LEAVES[:3]
    assert not proof.extends((2, merkle.tree_hash(leaves[:2])), (3, merkle.tree_hash(leaves)), [])
    assert not proof.extends((1, merkle.tree_hash(leaves[:2])), (3, merkle.tree_hash(leaves)), [])
    three, four = merkle.tree_hash(leaves), merkle.tree_hash(LEAVES[:4])
    assert not proof.extends((3, three), (4, four), [])


def test_a_million_leaves_need_few_tiles():
    assert len(proof.tiles_of_inclusion(123_456, 1_000_000)) <= 6
    assert len(proof.tiles_of_consistency(123_456, 1_000_000)) <= 6
    assert len(proof.tiles_of_frontier(1_000_000)) <= 3


@pytest.mark.parametrize("absent", [b"", STORED.hashes[0], b"x" * 31])
def test_an_absent_tile_is_corruption(absent):
    with pytest.raises(Corrupt) as caught:
        proof.inclusion(0, 3, {Tile(0, 0): absent})
    assert caught.value.place == "log tile 0/0"


@pytest.mark.parametrize(("index", "size"), [(3, 3), (-1, 3), (0, 0)])
def test_no_proof_is_made_of_what_is_not_there(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        proof.tiles_of_inclusion(index, size)


def test_no_proof_is_made_of_a_longer_past():
    with pytest.raises(ValueError, match="does not begin"):
        proof.tiles_of_consistency(4, 3)


def test_a_frontier_with_the_wrong_number_of_peaks_is_corruption():
    with pytest.raises(Corrupt):
        Frontier(3, [node_hash(b"", b"")])
