"""The first start, signing in and out, and sessions that end."""

import shutil

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.dashboard.axe import assert_accessible
from tests.dashboard.browser import DESK, PHONE, View
from tests.dashboard.serving import COOKIE, serving

PERSON = {"name": "Ada Łuczak", "email": "ada@example.com", "password": "a long way from home"}
HOUR_MS = 3_600_000


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path, empty_control, one_loop):
    """A server that nothing has been told yet."""
    del one_loop
    (tmp_path / "data").mkdir()
    shutil.copy(empty_control, tmp_path / "data")
    async with serving(tmp_path / "data") as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def ada(site):
    """Somebody who owns the organisation Acme."""
    made = await site.world.make("/v1/setup", {"organisation": "Acme", **PERSON}, "operator")
    site.world.keys["ada"] = made["session"]
    return made["who"]


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_window, view):
    """A window of somebody who is not signed in."""
    return await open_window(None, view)


async def fill_in(page, **fields):
    for name, value in fields.items():
        await page.locator(f"[name={name}]").fill(value)
    await page.locator("main form button").click()


async def sign_in(page, **others):
    await fill_in(page, **({"email": PERSON["email"], "password": PERSON["password"]} | others))


async def sign_out(page):
    await page.locator("summary").click()
    await page.get_by_role("button", name="Sign out").click()


def heading(page, text):
    return expect(page.get_by_role("heading", level=1, name=text))


@pytest.mark.parametrize("view", [View(), View(has_scripts=False)], ids=["scripts", "no scripts"])
async def test_the_first_person_sets_up_the_organisation_and_is_signed_in(page, site):
    await page.goto("/")
    await heading(page, "Set up your organisation").to_be_visible()
    await fill_in(page, key=site.world.keys["operator"], organisation="Acme", **PERSON)
    await heading(page, "Overview").to_be_visible()
    await expect(page.locator("summary")).to_have_text(PERSON["name"])
    (cookie,) = [each for each in await page.context.cookies() if each["name"] == COOKIE]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")


@pytest.mark.usefixtures("ada")
async def test_what_was_wrong_in_the_set_up_is_said_and_nothing_typed_is_lost(page, site, watch):
    watch.expected |= {401, 403, 422}
    await page.goto("/setup")
    await fill_in(page, key="sf_live_v1_" + "0" * 32, organisation="Acme", **PERSON)
    await expect(page.get_by_text("This is not the admin key of this server.")).to_be_visible()
    await fill_in(page, key=site.world.keys["operator"], password="acme acme acme")
    await expect(page.locator("[name=email]")).to_have_value(PERSON["email"])
    await expect(page.locator("[aria-invalid=true]")).to_have_attribute("name", "password")
    await assert_accessible(page)


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("view", [View(), View(has_scripts=False)], ids=["scripts", "no scripts"])
async def test_a_person_signs_in_to_where_they_were_led_from_and_out_again(page):
    await page.goto("/policies?status=archived")
    await heading(page, "Sign in").to_be_visible()
    await sign_in(page)
    await heading(page, "Policies").to_be_visible()
    await expect(page.locator("[name=status]")).to_have_value("archived")
    await sign_out(page)
    await expect(page.get_by_role("status")).to_have_text("You are signed out.")
    assert [each["name"] for each in await page.context.cookies() if each["name"] == COOKIE] == []
    await page.go_back()
    await heading(page, "Sign in").to_be_visible()


@pytest.mark.usefixtures("ada")
async def test_a_wrong_password_and_an_unknown_person_are_told_the_same(page, watch):
    watch.expected.add(401)
    told = []
    for wrong in ({"password": "not this one at all"}, {"email": "eve@example.com"}):
        await page.goto("/sign-in")
        await sign_in(page, **wrong)
        told.append(await page.get_by_role("alert").inner_text())
    assert told[0] == told[1]
    await expect(page.locator("[name=email]")).to_have_value("eve@example.com")
    await expect(page.locator("[name=password]")).to_have_value("")
    await assert_accessible(page)


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"]
)
async def test_signing_in_leads_to_no_other_site(site, elsewhere):
    answer = await site.world.send(None, "POST", "/sign-in", data={**PERSON, "next": elsewhere})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.usefixtures("ada")
async def test_somebody_who_was_away_too_long_signs_in_and_goes_on(page, site, watch):
    await page.goto("/sign-in")
    await sign_in(page)
    await heading(page, "Overview").to_be_visible()
    site.clock.ahead_ms += 2 * HOUR_MS
    await page.get_by_role("link", name="Policies", exact=True).click()
    await expect(page.get_by_role("status")).to_have_text(
        "Your session is over. Sign in to go on where you were."
    )
    await sign_in(page)
    await heading(page, "Policies").to_be_visible()
    assert watch.problems == []


@pytest.mark.usefixtures("ada")
async def test_two_people_have_sessions_of_their_own(open_window):
    here, there = await open_window(None), await open_window(None)
    for page in (here, there):
        await page.goto("/sign-in")
        await sign_in(page)
        await heading(page, "Overview").to_be_visible()
    await sign_out(here)
    await there.reload()
    await heading(there, "Overview").to_be_visible()


@pytest.mark.usefixtures("ada")
async def test_a_form_that_another_site_sends_changes_nothing(site):
    cookie = f"{COOKIE}={site.world.keys['ada']}"
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://elsewhere.example"}, {}):
        answer = await site.world.send(None, "POST", "/sign-out", headers={"cookie": cookie, **headers})
        assert (answer.status_code, "out of date" in answer.text) == (403, True)


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("view", [DESK, PHONE], ids=str)
async def test_the_forms_serve_everybody(page):
    for path in ("/sign-in", "/sign-in?key="):
        await page.goto(path)
        await assert_accessible(page)
