"""What the tests of pages rely on tells when something is wrong."""

import pytest
import pytest_asyncio

from tests.dashboard import walking
from tests.dashboard.axe import objections
from tests.dashboard.browser import DESK, Watch, window

FAULTS = """
<!doctype html><title>Faults</title>
<img src="data:,"><button></button><p style="color: #ccc; width: 4000px">too faint, too wide</p>
<a href="/" style="outline: none">no focus</a><button hx-post="/x">scripts alone</button>
<b tabindex="3">first</b>
<script>console.error("heard"); bylawRan("ran"); setTimeout(() => { throw Error("threw") })</script>
"""


@pytest_asyncio.fixture(loop_scope="session")
async def seen():
    return Watch("http://127.0.0.1:1/")


@pytest_asyncio.fixture(loop_scope="session")
async def faulty(browser, seen):
    async with window(browser, seen, DESK) as page:
        async with page.expect_event("pageerror"):
            await page.set_content(FAULTS)
        yield page


@pytest.mark.usefixtures("faulty")
async def test_a_script_that_ran_is_seen_and_an_error_heard(seen):
    assert seen.ran == ["ran"]
    assert [each.split(":")[0] for each in seen.problems] == ["console error", "script failed"]


async def test_a_request_to_somebody_else_and_one_that_fails_are_seen(faulty, seen):
    seen.problems.clear()
    async with faulty.expect_event("requestfailed"):
        await faulty.evaluate("fetch('http://127.0.0.1:2/').catch(() => null)")
    assert any("asked somebody else: http://127.0.0.1:2/" in each for each in seen.problems)


async def test_what_a_person_is_asked_is_remembered(faulty, seen):
    await faulty.evaluate("confirm('Really?')")
    assert seen.asked == ["Really?"]


async def test_axe_finds_what_is_wrong(faulty):
    found = "\n".join(await objections(faulty))
    for rule in ("image-alt", "button-name", "color-contrast", "html-has-lang"):
        assert rule in found


async def test_what_is_wrong_for_keyboards_phones_and_without_scripts_is_found(faulty):
    assert [each[:2] for each in await walking.sideways(faulty)] == ["<p"]
    assert any("no focus" in each for each in await walking.without_focus(faulty))
    assert await walking.out_of_order(faulty) == 1
    assert any("scripts alone" in each for each in await walking.scripted_alone(faulty))
