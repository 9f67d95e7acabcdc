"""How pages are looked at: with a keyboard, in a theme, without scripts; and what is not there."""

import re

import pytest
from playwright.async_api import expect

from tests.dashboard import walking
from tests.dashboard.axe import assert_accessible
from tests.dashboard.browser import DESK, PHONE, View

FIRST_PAGE_BYTES = 100_000


def heading(page, text):
    return expect(page.get_by_role("heading", level=1, name=text))


async def test_a_keyboard_skips_to_the_content(page):
    await page.goto("/policies")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()


async def test_a_keyboard_reaches_everything_in_the_order_in_which_it_stands(page):
    await page.goto("/policies")
    count = await walking.reached(page)
    order = []
    for _ in range(count):
        await page.keyboard.press("Tab")
        order.append(await walking.focused(page))
    assert count > 10
    assert order == list(range(count))


async def test_a_keyboard_opens_a_screen_and_signs_out(page):
    await page.goto("/")
    await page.get_by_role("link", name="Policies", exact=True).focus()
    await page.keyboard.press("Enter")
    await heading(page, "Policies").to_be_visible()
    await page.locator("summary").first.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Sign out").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("You are signed out.")


@pytest.mark.parametrize("view", [DESK, View(has_scripts=False)], ids=["scripts", "no scripts"])
async def test_a_chosen_theme_stays_and_another_than_that_of_the_system(page):
    background = "getComputedStyle(document.body).backgroundColor"
    await page.goto("/policies")
    light = await page.evaluate(background)
    await page.locator("summary").first.click()
    await page.get_by_label("Colours").select_option("dark")
    await page.get_by_role("button", name="Apply").click()
    await heading(page, "Policies").to_be_visible()
    dark = await page.evaluate(background)
    await page.emulate_media(color_scheme="dark")
    await page.goto("/")
    assert await page.evaluate(background) == dark != light


async def test_the_system_decides_between_light_and_dark_where_nobody_chose(page):
    background = "getComputedStyle(document.body).backgroundColor"
    await page.goto("/")
    light = await page.evaluate(background)
    await page.emulate_media(color_scheme="dark")
    assert await page.evaluate(background) != light


@pytest.mark.parametrize("view", [DESK, PHONE], ids=str)
async def test_a_page_that_is_not_there_says_so_and_leads_on(page, watch):
    watch.expected.add(404)
    answer = await page.goto("/policies/never-was")
    assert answer.status == 404
    await assert_accessible(page)
    assert await walking.sideways(page) == []
    await page.get_by_role("link", name="start page").click()
    await heading(page, "Overview").to_be_visible()


async def test_a_stranger_finds_nothing_at_a_wrong_address(open_window, watch):
    watch.expected.add(404)
    page = await open_window(None)
    assert (await page.goto("/policies/never/was/at/all")).status == 404
    await assert_accessible(page)


async def test_who_may_do_nothing_is_shown_nothing_that_they_may_not_do(open_window, watch):
    watch.expected.add(403)
    page = await open_window("nobody")
    await page.goto("/")
    await expect(page.get_by_role("link", name="Policies", exact=True)).to_have_count(0)
    assert (await page.goto("/policies")).status == 403
    await heading(page, "You may not see this").to_be_visible()
    await expect(page.get_by_text("It takes the right “Read policies”")).to_be_visible()
    await assert_accessible(page)


async def test_the_first_page_is_light(page):
    network = await page.context.new_cdp_session(page)
    received = []
    network.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    await network.send("Network.enable")
    await page.goto("/", wait_until="networkidle")
    assert len(received) >= 3
    assert sum(received) <= FIRST_PAGE_BYTES


async def test_a_search_finds_while_somebody_types_and_without_scripts(open_window, site):
    named = {"rules": [{"expr": "true"}], "workspace_id": "w1"}
    for name in ("Gift cards wait for a person", "Parcels go to known addresses"):
        await site.world.make("/v1/policies", {"name": name, **named})
    for view in (DESK, View(has_scripts=False)):
        page = await open_window(view=view)
        await page.goto("/policies")
        await expect(page.get_by_text("Parcels go to known addresses")).to_be_visible()
        await page.locator("#q").press_sequentially("gift cards")
        if not view.has_scripts:
            await page.keyboard.press("Enter")
        await expect(page.get_by_text("Parcels go to known addresses")).to_have_count(0)
        await expect(page.get_by_text("Gift cards wait for a person")).to_be_visible()
        await expect(page).to_have_url(re.compile(r"/policies\?q=gift\+cards&"))
        await page.reload()
        await expect(page.locator("#q")).to_have_value("gift cards")
