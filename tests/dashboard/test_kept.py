"""What somebody wrote is not lost and carried out once: sessions end, servers are silent, people hasty."""

import re

from playwright.async_api import expect

from tests.dashboard.axe import assert_accessible
from tests.dashboard.serving import COOKIE

RULE = "Never promise a delivery date.\n“Soon” is one, too."


async def end_session(page, site):
    """End the session of a window without its knowing."""
    (cookie,) = [each for each in await page.context.cookies() if each["name"] == COOKIE]
    await site.world.send(cookie["value"], "DELETE", "/v1/session")


async def write(page, name):
    await page.goto("/policies/new")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Rule 1").fill(RULE)
    await expect(page.locator("#check")).to_contain_text("Saved, it is in force at once")


def mark_in(answer):
    return re.search(r'name="mark" value="([^"]+)"', answer.text)[1]


async def post(site, cookie, path, **fields):
    """Send a form as the browser of that session does."""
    headers = {"cookie": f"{COOKIE}={cookie}", "sec-fetch-site": "same-origin"}
    return await site.world.send(None, "POST", path, data=fields, headers=headers)


async def test_what_was_written_outlives_the_session(page, site, watch):
    await write(page, "It outlives")
    await end_session(page, site)
    watch.expected |= {401, 403}
    await page.get_by_label("Name", exact=True).fill("It outlives!")
    await expect(page.get_by_role("alert").first).to_contain_text("Your session is over")
    await expect(page.get_by_label("Rule 1")).to_have_value(RULE)
    await page.get_by_role("button", name="Save the policy").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your session is over")
    await expect(page.get_by_role("link", name="Sign in")).to_have_attribute("target", "_blank")
    await assert_accessible(page)
    await site.sign_in(page.context)
    await page.get_by_role("button", name="I have signed in: go on").click()
    await expect(page.get_by_role("main")).to_contain_text("You are signed in as admin of acme.")
    await page.get_by_role("button", name="Send what I wrote").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("It outlives!")
    await expect(page.locator(".written").first).to_have_text(RULE)


async def test_a_secret_is_not_kept_on_a_page(site):
    fields = {"name": "models & more", "key": "k-k-k-k", "password": "seven grey herons"}
    answer = await post(site, "", "/settings/connections/new", **fields)
    assert answer.status_code == 401
    assert "models &amp; more" in answer.text
    assert [each for each in ("k-k-k-k", "seven grey herons") if each in answer.text] == []


async def test_what_another_site_sent_is_not_kept_for_whoever_signs_in(site):
    headers = {"sec-fetch-site": "cross-site"}
    answer = await site.world.send(None, "POST", "/policies/new", data={"name": "theirs"}, headers=headers)
    assert (answer.status_code, "theirs" in answer.text) == (303, False)
    headers["cookie"] = f"{COOKIE}={await site.session()}"
    answer = await site.world.send(None, "POST", "/policies/new", data={"name": "theirs"}, headers=headers)
    assert (answer.status_code, "theirs" in answer.text) == (403, False)


async def test_somebody_signs_in_with_a_cookie_of_a_session_that_is_over(site):
    over = await site.session()
    await site.world.send(over, "DELETE", "/v1/session")
    answer = await post(site, over, "/sign-in", key=site.world.keys["admin"], next="/policies")
    assert (answer.status_code, answer.headers["location"]) == (303, "/policies")


async def test_a_server_that_does_not_answer_is_told_and_then_not(page, watch):
    await write(page, "Silence")
    await page.route("**/policies/new", lambda route: route.abort("connectionrefused"))
    await page.get_by_label("Name", exact=True).fill("Silence!")
    notice = page.get_by_role("alert").first
    await expect(notice).to_contain_text("The server does not answer. What you wrote is still here")
    await page.unroute("**/policies/new")
    await page.get_by_label("Name", exact=True).fill("Silence!!")
    await expect(notice).to_be_empty()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Silence!!")
    assert all("REFUSED" in each or "Failed to fetch" in each for each in watch.problems)
    watch.forget()


async def test_a_form_that_is_sent_twice_is_carried_out_once(site):
    cookie = await site.session()
    headers = {"cookie": f"{COOKIE}={cookie}"}
    mark = mark_in(await site.world.send(None, "GET", "/policies/new", headers=headers))
    fields = {"mark": mark, "do": "save", "name": "Only once", "rule.0.text": RULE}
    made = [(await post(site, cookie, "/policies/new", **fields)).headers["location"] for _ in range(2)]
    assert made[0] == made[1]
    other = await post(site, cookie, "/policies/new", **{**fields, "name": "Another"})
    assert other.headers["location"] != made[0]


async def test_a_form_on_its_way_is_not_sent_again(page, site):
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    await page.goto("/agents?new=")
    await page.get_by_label("Id", exact=True).fill("hasty")
    await page.get_by_role("button", name="Register").dblclick()
    await expect(page.get_by_role("heading", level=1)).to_have_text("hasty")
    assert sent == [f"{site.url}/agents?new="]
