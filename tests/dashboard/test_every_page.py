"""What holds of every page: a new one is tried without a test of its own."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.dashboard import walking
from tests.dashboard.axe import assert_accessible
from tests.dashboard.browser import DESK, PHONE, Watch, resize, window
from tests.dashboard.serving import COOKIE

pages = pytest.mark.parametrize("shown", walking.SHOWN, ids=lambda each: each.path)
signed_in = pytest.mark.parametrize(
    "shown", [each for each in walking.SHOWN if each.is_for_people], ids=lambda each: each.path
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watch(site):
    """The watch over the one window in which all pages are looked at."""
    return Watch(site.url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def page(browser, site, watch):
    """The window of acme's administrator."""
    async with window(browser, watch, DESK) as opened:
        await site.sign_in(opened.context)
        yield opened


@pages
async def test_a_page_serves_everybody_at_a_desk_and_on_a_phone(page, watch, site, shown):
    watch.forget()
    await resize(page, DESK)
    answer = await page.goto(walking.address(shown.path, site.world.ids))
    assert answer.status == 200
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    await assert_accessible(page)
    assert await walking.sideways(page) == []
    assert await walking.without_focus(page) == []
    assert await walking.out_of_order(page) == 0
    assert await walking.scripted_alone(page) == []
    await resize(page, PHONE)
    await assert_accessible(page, again=True)
    assert await walking.sideways(page) == []
    watch.done()


@pages
async def test_a_page_is_whole_before_any_script_runs_and_kept_and_framed_by_nobody(site, shown):
    answer = await site.shown(walking.address(shown.path, site.world.ids))
    assert answer.text.count("<h1") == 1
    assert "<noscript" not in answer.text
    assert (
        answer.text.count("<script") == 1
    )  # htmx begins by itself, and must not begin before its extensions
    assert "no-store" in answer.headers["cache-control"]
    policy = answer.headers["content-security-policy"]
    for each in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"):
        assert each in policy
    assert "unsafe" not in policy


@signed_in
async def test_a_stranger_is_led_to_sign_in_and_back(site, shown):
    answer = await site.shown(walking.address(shown.path, site.world.ids), None)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("number", ["9" * 5_000, "\u00b2", "-1"])
async def test_a_number_that_no_page_asks_for_is_no_fault(site, number):
    for path in ("/agents?first=", f"/policies/{site.world.ids['policy_id']}/diff?new="):
        assert (await site.shown(path + number)).status_code < 500


async def test_a_form_with_more_fields_than_any_page_is_no_fault(site):
    body = {f"field-{number}": "" for number in range(2_001)}
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": "http://["}):
        answer = await site.world.send(None, "POST", "/sign-in", data=body, headers=headers)
        assert 400 <= answer.status_code < 500


@signed_in
async def test_who_may_not_see_a_page_is_told_so(site, shown):
    answer = await site.shown(walking.address(shown.path, site.world.ids), "nobody")
    assert answer.status_code in {200, 403, 404}
    assert answer.text.count("<h1") == 1


@signed_in
async def test_a_page_tells_another_tenant_nothing(site, shown):
    path = walking.address(shown.path, site.world.ids)
    answer = await site.shown(path, "stranger")
    assert answer.status_code in {200, 403, 404}
    assert answer.text.count("<h1") == 1
    mine = {ident for ident in site.world.ids.values() if len(ident) > 10 and ident not in path}
    assert [ident for ident in mine if ident in answer.text] == []


@pytest.mark.parametrize("sent", walking.SENT, ids=lambda each: each.path)
async def test_a_form_that_is_not_of_this_session_changes_nothing(site, sent):
    path = walking.address(sent.path, site.world.ids)
    cookie = f"{COOKIE}={await site.session()}"
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}):
        answer = await site.world.send(None, "POST", path, headers={"cookie": cookie, **headers})
        assert (answer.status_code, "out of date" in answer.text) == (403, True)
