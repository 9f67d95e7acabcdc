"""Vectors as they are stored: 16 bits for each number, which is more than their order depends on."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from bylaw.core.errors import Corrupt
from bylaw.search.floats import Floats
from bylaw.search.store import Meaning, Numbered
from bylaw.storage.rows import Row

_STORED: Final = np.dtype("<f2")
# Who told a text that was forgotten: it comes after the name of every embedder, and keeps its number.
FORGOTTEN: Final = "~"
NOT_EMBEDDED: Final[Mapping[str, object]] = {"embedder": "", "number": 0, "about": None, "procedure": None}


def meaning_row(meaning: Meaning) -> dict[str, object]:
    """Return vectors as a row holds them."""
    procedure = meaning.procedure
    return {
        "about": meaning.about.astype(_STORED).tobytes(),
        "procedure": None if procedure is None else procedure.astype(_STORED).tobytes(),
    }


def meaning_of(row: Row) -> Numbered:
    """Return the vectors in a row. Raises: Corrupt."""
    number, digest, about, procedure = (row[name] for name in ("number", "digest", "about", "procedure"))
    if not isinstance(number, int) or not isinstance(digest, str) or not isinstance(about, bytes):
        raise Corrupt("Stored vectors cannot be read.", place="vectors")
    told = _floats(procedure) if isinstance(procedure, bytes) else None
    return Numbered(number=number, meaning=Meaning(digest=digest, about=_floats(about), procedure=told))


def _floats(stored: bytes) -> Floats:
    return np.frombuffer(stored, dtype=_STORED).astype(np.float32)
