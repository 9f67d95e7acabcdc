"""Every way in which a model or its endpoint fails or lies has a test: `modes.md` says which."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROW = re.compile(r"^\| ([^|]+) \| `([^`]+)::(\w+)` \| `([^`]+)` \|$", re.MULTILINE)
MODES = {mode: found for mode, *found in ROW.findall((HERE / "modes.md").read_text("utf-8"))}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_has_its_test(mode):
    file, name, case = MODES[mode]
    text = (HERE / file).read_text("utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)
    assert case in text


def test_no_row_is_passed_over():
    rows = (HERE / "modes.md").read_text("utf-8").count("\n| ")
    assert len(MODES) == rows - 1
