"""The embedding model: the vectors of the reference implementation, recorded by golden/record.py."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bylaw.core.errors import Corrupt
from bylaw.search import embedder, onnx, weights
from bylaw.search.arithmetic import NUMPY
from bylaw.search.minilm import MiniLm
from bylaw.search.ngrams import NGrams

GOLDEN = json.loads((Path(__file__).parent / "golden" / "golden.json").read_text("utf-8"))
SENTENCES = GOLDEN["texts"][: GOLDEN["sentences"]]


@pytest.fixture(scope="module")
def loaded() -> weights.Weights:
    found = weights.folder()
    if found is None:
        pytest.skip("the weights are not installed")
    return weights.load(found)


@pytest.fixture(scope="module", params=[NUMPY, onnx.EXACT], ids=["numpy", "onnxruntime"])
def model(loaded, request) -> MiniLm:
    return MiniLm(loaded, request.param)


def unit(rows: object) -> np.ndarray:
    array = np.asarray(rows, dtype=np.float64)
    return array / np.linalg.norm(array, axis=1, keepdims=True)


async def test_every_sentence_has_the_vector_of_the_reference(model):
    found = await model.embed(SENTENCES)
    likeness = (unit(found) * unit(GOLDEN["vectors"])).sum(axis=1)
    assert len(likeness) >= 24
    assert likeness.min() >= 0.99999


async def test_rows_have_length_one_and_the_order_of_the_texts(model):
    some = [SENTENCES[-1], *SENTENCES[:12]]
    together = await model.embed(some)
    alone = np.concatenate([await model.embed([each]) for each in reversed(some)])[::-1]
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert np.abs(together - alone).max() < 1e-5


async def test_what_stands_after_256_pieces_does_not_count(model):
    told = "refund " * 254
    same, other = (
        await model.embed([told + "never", told + "dentist"]),
        await model.embed(["never", "dentist"]),
    )
    assert np.array_equal(same[0], same[1])
    assert not np.array_equal(other[0], other[1])


async def test_many_callers_at_once_are_told_the_same(model):
    wanted = await model.embed(SENTENCES[:6])
    told = await asyncio.gather(*(model.embed(SENTENCES[:6]) for _ in range(4)))
    assert all(np.abs(each - wanted).max() < 1e-5 for each in told)


async def test_nothing_to_embed_is_no_row(model):
    assert (await model.embed([])).shape == (0, 384)


async def test_meaning_is_near_where_no_word_is_shared(model):
    asked, near, far = await model.embed(
        ["How do I get my money back?", "Refund policy for customers", "Opening hours of the office"]
    )
    assert asked @ near > asked @ far + 0.2


def test_the_model_is_named_with_its_weights(model):
    assert model.id == "all-MiniLM-L6-v2@53aa51172d14"
    assert model.dimensions == 384
    assert model.note == ""


def test_a_changed_file_is_refused_and_search_says_so(tmp_path, monkeypatch, caplog):
    for name in weights.DIGESTS:
        (tmp_path / name).write_bytes(b"other weights")
    with pytest.raises(Corrupt, match="not the file it should be") as refused:
        weights.load(tmp_path)
    assert refused.value.place.endswith(weights.TENSORS)
    monkeypatch.setattr(weights, "folder", lambda: tmp_path)
    instead = embedder.embedded()
    assert isinstance(instead, NGrams)
    assert "not the file it should be" in instead.note
    assert "not the file it should be" in caplog.text


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Corrupt, match="cannot be read"):
        weights.load(tmp_path)


def test_without_the_package_search_goes_by_n_grams_and_says_so(monkeypatch):
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_of_weights")
    instead = embedder.embedded()
    assert isinstance(instead, NGrams)
    assert "not installed" in instead.note


def test_products_stay_on_the_thread_that_asks(tmp_path):
    script = tmp_path / "threads.py"
    script.write_text(
        "import ctypes, pathlib, numpy\n"
        "from bylaw.search import blas\n"
        "folder = pathlib.Path(numpy.__file__).parent.with_name('numpy.libs')\n"
        "library = ctypes.CDLL(str(next(folder.glob('libscipy_openblas64_*'))))\n"
        "count = library.scipy_openblas_get_num_threads64_\n"
        "print(count(), blas.hold(), count())\n"
    )
    told = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, "OPENBLAS_NUM_THREADS": "2"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.endswith(" True 1\n")
