"""Whoever has never seen Bylaw comes from the first start to a proof, by the tutorial alone."""

import shutil

import pytest

from tests.dashboard.tutorial import follow, setting_out


@pytest.mark.skipif(shutil.which("curl") is None, reason="the agent of the tutorial asks with curl")
async def test_the_tutorial_leads_from_the_first_start_to_a_proof(browser, tmp_path):
    async with setting_out(browser, tmp_path) as walk:
        await follow(walk)
