"""ONNX Runtime runs the model: the same vectors as arithmetic on arrays, on the thread that asks.

What both have to do is in test_minilm.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bylaw.search import onnx, weights
from bylaw.search.arithmetic import NUMPY

GOLDEN = json.loads((Path(__file__).parent / "golden" / "golden.json").read_text("utf-8"))
SAME = 0.999999


@pytest.fixture(scope="module")
def runs() -> dict[weights.Runtime, weights.Run]:
    found = weights.folder()
    if found is None:
        pytest.skip("the weights are not installed")
    loaded = weights.load(found)
    return {each: each.load(loaded) for each in (NUMPY, onnx.EXACT, onnx.SMALL)}


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float((one.astype(np.float64) * other).sum(axis=1).min())


def test_vectors_are_those_of_arithmetic_so_both_go_by_one_name(runs):
    assert onnx.EXACT.name == NUMPY.name
    texts = sorted((each[:255] + each[-1:] for each in GOLDEN["ids"]), key=len)[::-16]
    assert len(texts[0]) == 256
    assert len(texts) > 25
    for begin in range(0, len(texts), 4):
        some = texts[begin : begin + 4]
        assert likeness(runs[NUMPY](some), runs[onnx.EXACT](some)) >= SAME


def test_small_numbers_give_vectors_nearby_under_another_name(runs):
    assert onnx.SMALL.name != NUMPY.name
    texts = [each[:255] + each[-1:] for each in GOLDEN["ids"][: GOLDEN["sentences"]]]
    near = likeness(runs[NUMPY](texts[:16]), runs[onnx.SMALL](texts[:16]))
    assert 0.97 < near < SAME


@pytest.mark.parametrize("runtime", [onnx.EXACT, onnx.SMALL], ids=["exact", "small"])
def test_what_stands_beside_a_text_changes_nothing(runs, runtime):
    run = runs[runtime]
    empty, short, long = [101, 103], [101, 0, 2000, 103], [101, *range(2000, 2254), 103]
    together = run([empty, short, long])
    alone = np.concatenate([run([each]) for each in (empty, short, long)])
    assert together.dtype == np.float32
    assert together.shape == (3, 384)
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-6
    assert np.abs(together - alone).max() < 1e-5


def test_weights_that_are_links_are_followed(runs, tmp_path):
    folder = weights.folder()
    assert folder is not None
    for name in weights.DIGESTS:
        (tmp_path / name).symlink_to(folder / name)
    linked = onnx.EXACT.load(weights.load(tmp_path))
    assert np.array_equal(linked([[101, 2000, 103]]), runs[onnx.EXACT]([[101, 2000, 103]]))


def test_no_thread_is_started(tmp_path):
    script = tmp_path / "threads.py"
    script.write_text(
        "import os, numpy\n"
        "from bylaw.search import blas, onnx, weights\n"
        "loaded = weights.load(weights.folder())\n"
        "before = len(os.listdir('/proc/self/task'))\n"
        "onnx.load(loaded)([[101, 2000, 103]] * 20)\n"
        "print(before == len(os.listdir('/proc/self/task')))\n"
    )
    told = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert told.stdout == "True\n"
    assert told.stderr == ""
