"""The append-only Merkle log: hashes, the frontier that grows it, and the tiles that keep it provable.

Hashing is RFC 9162 §2.1: a leaf is SHA-256(0x00 ‖ stored bytes), an inner node SHA-256(0x01 ‖ left ‖ right).

A log stores each leaf hash, and one node for every full *tile*: 256 hashes side by side on one level. Tile
level 0 holds leaf hashes, tile level 1 the roots of level-0 tiles, and so on (the shape of C2SP tlog-tiles).
So a leaf costs 1/255 of a stored node to append, and any proof in a million leaves reads at most six tiles.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bylaw.core.errors import Corrupt

HASH_BYTES = 32
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
EMPTY_ROOT = hashlib.sha256(b"").digest()


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """The place of up to 256 hashes: positions `index * 256` onward of tile level `level`."""

    level: int
    index: int


@dataclass(frozen=True, slots=True)
class Node:
    """The root of a full tile, stored as hash number `index` of tile level `level` (1 or higher)."""

    level: int
    index: int
    hash: bytes


def leaf_hash(stored: bytes) -> bytes:
    """Return the hash of a leaf that holds `stored`."""
    return hashlib.sha256(b"\x00" + stored).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above `left` and `right`."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a tree: all that is needed to append and to know the root.

    `peaks` are the roots of the full subtrees that make up `size` leaves, largest first.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if len(peaks) != size.bit_count():
            raise Corrupt(
                f"{size} leaves have {size.bit_count()} peaks, not {len(peaks)}", place="log frontier"
            )
        self.size = size
        self.peaks = list(peaks)

    def copy(self) -> "Frontier":
        """Return a frontier that grows on its own."""
        return Frontier(self.size, self.peaks)

    def append(self, leaf: bytes) -> list[Node]:
        """Add the leaf hash `leaf`; return the nodes to store (none, unless this leaf fills a tile)."""
        position, level, hashed = self.size, 0, leaf
        filled: list[Node] = []
        while position & 1:
            hashed = node_hash(self.peaks.pop(), hashed)
            position >>= 1
            level += 1
            if level % TILE_HEIGHT == 0:
                filled.append(Node(level // TILE_HEIGHT, position, hashed))
        self.peaks.append(hashed)
        self.size += 1
        return filled

    def root(self) -> bytes:
        """Return the root of the tree."""
        if not self.peaks:
            return EMPTY_ROOT
        hashed = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            hashed = node_hash(peak, hashed)
        return hashed
