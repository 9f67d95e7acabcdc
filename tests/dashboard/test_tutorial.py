"""Whoever has never seen Bylaw comes from the first start to a proof, by the tutorial alone."""

import re
import shutil

import pytest

from tests.dashboard.tutorial import PAGE, deeds, follow, setting_out, steps

STEPS = [each["step"] for each in steps() if "step" in each]
PICTURES = [each["picture"] for each in steps() if "picture" in each]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the agent of the tutorial asks with curl")
async def test_the_tutorial_leads_from_the_first_start_to_a_proof(browser, tmp_path):
    async with setting_out(browser, tmp_path) as walk:
        await follow(walk)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_carried_out_whole(step):
    marked = r"\*\*.+?\*\*|\*[^*]+\*|`[^`]+`"
    done = " ".join(match[0] for match, _ in deeds(step))
    assert re.findall(marked, done) == re.findall(marked, step) != []


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_there_and_small(name):
    assert (PAGE.parent / "screenshots" / name).stat().st_size <= 60_000
