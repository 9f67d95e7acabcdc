"""Inclusion and consistency proofs: which tiles they need, how they are made, and how they are checked.

Making is pure: `tiles_of_…` says what to read, the caller reads it from anywhere, and the proof is computed
from what was read. Ranges are half-open `(low, high)` leaf positions, as in RFC 9162 §2.1.3 and §2.1.4.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from bylaw.core.errors import Corrupt
from bylaw.receipts.log import EMPTY_ROOT, HASH_BYTES, TILE_HEIGHT, TILE_WIDTH, Frontier, Tile, node_hash

Range = tuple[int, int]
Tiles = Mapping[Tile, bytes]


def tiles_of_inclusion(index: int, size: int) -> frozenset[Tile]:
    """Return the tiles that `inclusion` reads."""
    return _tiles(_inclusion_ranges(index, size))


def tiles_of_consistency(old_size: int, size: int) -> frozenset[Tile]:
    """Return the tiles that `consistency` reads."""
    return _tiles(_consistency_ranges(old_size, size))


def tiles_of_frontier(size: int) -> frozenset[Tile]:
    """Return the tiles that `frontier` reads."""
    return _tiles([(0, size)] if size else [])


def inclusion(index: int, size: int, tiles: Tiles) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of the first `size` leaves (RFC 9162 §2.1.3.1).

    Raises: Corrupt when a tile is absent or short.
    """
    return [_range_hash(span, tiles) for span in _inclusion_ranges(index, size)]


def consistency(old_size: int, size: int, tiles: Tiles) -> list[bytes]:
    """Return the proof that the tree of `size` leaves extends that of `old_size` (RFC 9162 §2.1.4.1).

    Raises: Corrupt when a tile is absent or short.
    """
    return [_range_hash(span, tiles) for span in _consistency_ranges(old_size, size)]


def frontier(size: int, tiles: Tiles) -> Frontier:
    """Return the right edge of the tree of the first `size` leaves, rebuilt from stored hashes.

    Raises: Corrupt when a tile is absent or short.
    """
    return Frontier(size, [_subtree_hash(level, index, tiles) for level, index in _subtrees((0, size))])


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Return the root that `proof` leads to from the hash `leaf`, or None if the proof has the wrong shape.

    1. The leaf lies in the tree.  2. Walk up: a right-hand node, or the last on its level, takes its sibling
    from the left; a last node with no sibling rises until it has one.  3. Every hash is used.  Source: RFC
    9162 §2.1.3.2.
    """
    if not 0 <= index < size or any(len(part) != HASH_BYTES for part in proof):  # 1
        return None
    position, last, hashed = index, size - 1, leaf
    for sibling in proof:  # 2
        if last == 0:
            return None
        if position & 1 or position == last:
            hashed = node_hash(sibling, hashed)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            hashed = node_hash(hashed, sibling)
        position >>= 1
        last >>= 1
    return hashed if last == 0 else None  # 3


def extends(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> bool:
    """Return whether `proof` shows that the tree `new` (size, root) begins with the tree `old`.

    1. Equal sizes need equal roots and no proof; the empty tree begins every tree.  2. A full old tree is its
    own first hash.  3. Skip the levels on which the old tree is full.  4. Fold both roots.  5. Both must come
    out and every hash is used.  Source: RFC 9162 §2.1.4.2.
    """
    (old_size, old_root), (size, root) = old, new
    if not 0 <= old_size <= size or any(len(part) != HASH_BYTES for part in proof):
        return False
    if old_size in (0, size):  # 1
        return not proof and old_root == (root if old_size == size else EMPTY_ROOT)
    path = list(proof)
    if old_size & (old_size - 1) == 0:  # 2
        path.insert(0, old_root)
    if not path:
        return False
    position, last = old_size - 1, size - 1
    while position & 1:  # 3
        position >>= 1
        last >>= 1
    old_hash = new_hash = path[0]
    for sibling in path[1:]:  # 4
        if last == 0:
            return False
        if position & 1 or position == last:
            old_hash, new_hash = node_hash(sibling, old_hash), node_hash(sibling, new_hash)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new_hash = node_hash(new_hash, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and old_hash == old_root and new_hash == root  # 5


def _inclusion_ranges(index: int, size: int) -> list[Range]:
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    low, high, path = 0, size, list[Range]()
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
    return path[::-1]


def _consistency_ranges(old_size: int, size: int) -> list[Range]:
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} does not begin with {old_size} leaves")
    if old_size in (0, size):
        return []
    low, high, path, whole = 0, size, list[Range](), True
    while high != old_size:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
            whole = False
    if not whole:
        path.append((low, high))
    return path[::-1]


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _subtrees(span: Range) -> Iterator[tuple[int, int]]:
    """Yield (tree level, index) of the full subtrees that make up `span`, left to right."""
    low, high = span
    while low < high:
        level = (high - low).bit_length() - 1
        if low:
            level = min(level, (low & -low).bit_length() - 1)
        yield level, low >> level
        low += 1 << level


def _stored(level: int, index: int) -> tuple[Tile, int, int]:
    """Return where the hashes below a subtree are stored: the tile, the first position in it, how many."""
    tile_level, height = divmod(level, TILE_HEIGHT)
    first = index << height
    return Tile(tile_level, first // TILE_WIDTH), first % TILE_WIDTH, 1 << height


def _tiles(spans: Iterable[Range]) -> frozenset[Tile]:
    return frozenset(_stored(level, index)[0] for span in spans for level, index in _subtrees(span))


def _subtree_hash(level: int, index: int, tiles: Tiles) -> bytes:
    tile, first, count = _stored(level, index)
    stored = tiles.get(tile, b"")[first * HASH_BYTES : (first + count) * HASH_BYTES]
    if len(stored) != count * HASH_BYTES:
        raise Corrupt("a stored hash of the log is absent", place=f"log tile {tile.level}/{tile.index}")
    while len(stored) > HASH_BYTES:  # pairs lie side by side
        pairs = range(0, len(stored), 2 * HASH_BYTES)
        stored = b"".join([sha256(b"\x01" + stored[at : at + 2 * HASH_BYTES]).digest() for at in pairs])
    return stored


def _range_hash(span: Range, tiles: Tiles) -> bytes:
    hashes = [_subtree_hash(level, index, tiles) for level, index in _subtrees(span)]
    hashed = hashes.pop()
    while hashes:
        hashed = node_hash(hashes.pop(), hashed)
    return hashed
