"""The layers of all-MiniLM-L6-v2 as plain arithmetic on arrays.

BERT (Devlin et al., 2018) with 6 layers, 12 heads and 384 dimensions; a text's vector is the mean of those
of its pieces, at length 1. Texts of a batch stand one after another without padding: only attention looks at
each by itself. Equal to the reference implementation within the accuracy of float32, which
`tests/search/golden/record.py` records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import sqrt
from typing import Final

import numpy as np

from bylaw.search.floats import Floats
from bylaw.search.weights import DIMENSIONS, HEADS, LAYERS, LONGEST, NAME, Run, Runtime, Weights

# Of a few rows OpenBLAS reads such narrow blocks where they lie; a whole matrix it would copy first.
_COLUMNS: Final = 32
_ROWS: Final = 32  # at once, so that what is worked on stays near to the processor
_EPSILON: Final = np.float32(1e-12)
# erfc(x / sqrt 2) / 2 by Abramowitz and Stegun 7.1.26, within 1e-7.
_P: Final = np.float32(0.3275911 / sqrt(2))
_A: Final = tuple(
    np.float32(each / 2) for each in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Norm:
    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dense:
    """A product and a sum; the matrix lies as products read it fastest.

    Shape: `matrix` [blocks, in, columns].
    """

    matrix: Floats
    bias: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """One layer; `look` gives queries, keys and values at once, the queries scaled already."""

    look: _Dense
    gather: _Dense
    after_look: _Norm
    widen: _Dense
    narrow: _Dense
    after_think: _Norm


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """The whole of it. Shape: `words` [vocabulary, dimensions], `places` [longest, dimensions]."""

    words: Floats
    places: Floats
    after_begin: _Norm
    layers: tuple[_Layer, ...]


def load(weights: Weights) -> Run:
    """Return what runs the model with these weights, of which 42 MB are read now."""
    model = _model(weights)
    return lambda texts: _means(model, texts)


NUMPY: Final = Runtime(name=NAME, load=load)


def _means(model: _Model, texts: Sequence[Sequence[int]]) -> Floats:
    """Return the vectors of texts that are given as pieces."""
    ends = [*accumulate(map(len, texts))]
    spans = [slice(begin, end) for begin, end in pairwise([0, *ends])]
    state: Floats = model.words[[each for text in texts for each in text]]
    state += model.places[[place for text in texts for place in range(len(text))]]
    _normalise(state, model.after_begin)
    for layer in model.layers:
        _attend(state, layer, spans)
        _think(state, layer)
    means = np.stack([state[span].mean(axis=0) for span in spans])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return means


def _attend(state: Floats, layer: _Layer, spans: Sequence[slice]) -> None:
    """Let the pieces of each text look at one another."""
    looks = _product(state, layer.look)
    parts = looks.reshape(len(state), 3, HEADS, -1).transpose(1, 2, 0, 3)
    seen = np.empty_like(state)
    for span in spans:
        queries, keys, values = parts[:, :, span]
        shares = queries @ keys.transpose(0, 2, 1)
        shares -= shares.max(axis=2, keepdims=True)
        np.exp(shares, out=shares)
        sights = shares @ values
        sights /= shares.sum(axis=2, keepdims=True)
        seen[span] = sights.transpose(1, 0, 2).reshape(-1, DIMENSIONS)
    state += _product(seen, layer.gather)
    _normalise(state, layer.after_look)


def _think(state: Floats, layer: _Layer) -> None:
    wide = _product(state, layer.widen)
    for begin in range(0, len(wide), _ROWS):
        _gelu(wide[begin : begin + _ROWS])
    state += _product(wide, layer.narrow)
    _normalise(state, layer.after_think)


def _product(rows: Floats, dense: _Dense) -> Floats:
    """Return rows times the matrix, and the bias."""
    blocks, _, columns = dense.matrix.shape
    found = np.empty((len(rows), blocks, columns), dtype=np.float32)
    np.matmul(rows, dense.matrix, out=found.transpose(1, 0, 2))
    flat = found.reshape(len(rows), -1)
    flat += dense.bias
    return flat


def _gelu(wide: Floats) -> None:
    """Apply the exact GELU, x times the normal distribution at x: max(x, 0) - |x| erfc(|x| / sqrt 2) / 2."""
    size = np.abs(wide)
    near = size * _P
    near += 1
    np.reciprocal(near, out=near)
    tail = near * _A[0]
    for each in _A[1:]:
        tail += each
        tail *= near
    tail *= size
    size *= size
    size *= np.float32(-0.5)
    tail *= np.exp(size, out=size)
    np.maximum(wide, 0, out=wide)
    wide -= tail


def _normalise(state: Floats, norm: _Norm) -> None:
    state -= state.mean(axis=1, keepdims=True)
    spread = np.einsum("ij,ij->i", state, state)[:, None]
    spread /= DIMENSIONS
    spread += _EPSILON
    state /= np.sqrt(spread, out=spread)
    state *= norm.weight
    state += norm.bias


def _model(weights: Weights) -> _Model:
    places = weights.read("embeddings.position_embeddings.weight")[:LONGEST]
    places += weights.read("embeddings.token_type_embeddings.weight")[0]
    return _Model(
        words=weights.mapped("embeddings.word_embeddings.weight"),
        places=places,
        after_begin=_norm(weights, "embeddings.LayerNorm"),
        layers=tuple(_layer(weights, number) for number in range(LAYERS)),
    )


def _layer(weights: Weights, number: int) -> _Layer:
    begin = f"encoder.layer.{number}."
    heads = [_dense(weights, f"{begin}attention.self.{each}") for each in ("query", "key", "value")]
    scale = np.float32(1 / sqrt(DIMENSIONS / HEADS))
    look = _Dense(
        matrix=np.concatenate([heads[0].matrix * scale, heads[1].matrix, heads[2].matrix]),
        bias=np.concatenate([heads[0].bias * scale, heads[1].bias, heads[2].bias]),
    )
    return _Layer(
        look=look,
        gather=_dense(weights, f"{begin}attention.output.dense"),
        after_look=_norm(weights, f"{begin}attention.output.LayerNorm"),
        widen=_dense(weights, f"{begin}intermediate.dense"),
        narrow=_dense(weights, f"{begin}output.dense"),
        after_think=_norm(weights, f"{begin}output.LayerNorm"),
    )


def _dense(weights: Weights, name: str) -> _Dense:
    weight = weights.read(f"{name}.weight")
    blocks = weight.reshape(-1, _COLUMNS, weight.shape[1]).transpose(0, 2, 1)
    return _Dense(matrix=np.ascontiguousarray(blocks), bias=weights.read(f"{name}.bias"))


def _norm(weights: Weights, name: str) -> _Norm:
    return _Norm(weight=weights.read(f"{name}.weight"), bias=weights.read(f"{name}.bias"))
