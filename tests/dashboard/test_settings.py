"""Settings: people and their links, workspaces, keys, and what is asked before anything is undone."""

import re
from html import unescape

import httpx
import pytest
from playwright.async_api import expect

from tests.dashboard.hostile import HOSTILE
from tests.dashboard.lessons import reader

PASSWORD = "seven calm otters swim"


def secret(page):
    """What a page shows once."""
    return unescape(re.search(r'id="secret">([^<]+)<', page)[1])


async def add(somebody, email, **fields):
    """Add a person on their page, and return the page that shows their link."""
    return await somebody.send(
        "/settings/people/new", {"name": "Kim", "email": email, "org_role": "USER", **fields}
    )


async def user_of(site, email):
    users = (await site.world.send("admin", "GET", "/v1/users?limit=100")).json()["data"]
    return next(each for each in users if each["email"] == email)


async def test_somebody_who_is_added_joins_by_a_link_that_works_once(site):
    async with reader(site) as somebody:
        shown = await add(somebody, "kim@example.com", workspace_id="w2", role="ADMIN")
    assert shown.status_code == 200
    link = secret(shown.text)
    assert (await user_of(site, "kim@example.com"))["workspace_roles"] == {"w2": "ADMIN"}
    token = link.partition("token=")[2]
    transport = httpx.ASGITransport(site.world.app.asgi)
    async with httpx.AsyncClient(transport=transport, base_url=site.url) as kim:
        assert "Choose a password" in (await kim.get(link)).text
        weak = await kim.post("/invitation", data={"token": token, "password": "short"})
        assert (weak.status_code, token in weak.text) == (422, True)
        joined = await kim.post("/invitation", data={"token": token, "password": PASSWORD})
        assert (joined.status_code, joined.headers["location"]) == (303, "/")
        assert "kim@example.com" in (await kim.get("/settings/account")).text
    async with httpx.AsyncClient(transport=transport, base_url=site.url) as other:
        again = await other.post("/invitation", data={"token": token, "password": PASSWORD})
        assert again.status_code in {401, 422}
        assert "Choose a password" in again.text


async def test_a_password_is_changed_by_whoever_knows_the_old_one(site):
    async with reader(site) as somebody:
        shown = await add(somebody, "pat@example.com")
    token = secret(shown.text).partition("token=")[2]
    transport = httpx.ASGITransport(site.world.app.asgi)
    async with httpx.AsyncClient(transport=transport, base_url=site.url) as pat:
        await pat.post("/invitation", data={"token": token, "password": PASSWORD})
        page = (await pat.get("/settings/account/password")).text
        mark = unescape(re.search(r'name="mark" value="([^"]+)"', page)[1])
        sent = {"mark": mark, "old": "wrong words here", "new": "nine green lanterns"}
        wrong = await pat.post("/settings/account/password", data=sent)
        assert (wrong.status_code, "not your password" in wrong.text) == (422, True)
        changed = await pat.post("/settings/account/password", data={**sent, "old": PASSWORD})
        assert changed.headers["location"] == "/settings/account"
        assert "Your password is changed" in (await pat.get("/settings/account")).text


async def test_what_was_typed_stays_when_somebody_cannot_be_added(site):
    async with reader(site) as somebody:
        refused = await add(somebody, "no address", name="Typed Name")
    assert refused.status_code == 422
    assert 'value="Typed Name"' in refused.text
    assert "name@host" in refused.text


async def test_roles_are_changed_and_what_somebody_else_changed_meanwhile_is_shown(site):
    user = await site.world.make("/v1/users", {"name": "Robin", "email": "robin@example.com"})
    path = f"/settings/people/{user['id']}"
    async with reader(site) as somebody:
        page = (await somebody.open(path)).text
        sent = await somebody.send(path, {"name": "Robin", "org_role": "USER", "role:w1": "WRITE"})
        assert (sent.status_code, sent.headers["location"]) == (303, path)
        assert (await user_of(site, "robin@example.com"))["workspace_roles"] == {"w1": "WRITE"}
        late = await somebody.send(path, {"name": "Mine", "org_role": "BILLING"}, shown=page)
        assert late.status_code == 412
        assert 'value="Mine"' in late.text
        assert "Somebody else changed this person" in late.text
        taken = await somebody.send(path, {"name": "Robin", "org_role": "USER", "role:w1": ""})
        assert taken.status_code == 303
    assert (await user_of(site, "robin@example.com"))["workspace_roles"] == {}


async def test_somebody_is_removed_after_a_question_and_brought_back(site):
    user = await site.world.make("/v1/users", {"name": "Lee", "email": "lee@example.com"})
    path = f"/settings/people/{user['id']}"
    async with reader(site) as somebody:
        assert "signed out everywhere" in (await somebody.open(f"{path}/remove")).text
        removed = await somebody.send(f"{path}/remove", {})
        assert (await somebody.open(path)).status_code == 404
        offered = await somebody.open(removed.headers["location"])
        assert f'action="{path}/restore"' in offered.text
        await somebody.send(f"{path}/restore", {}, shown=offered.text)
        assert (await somebody.open(path)).status_code == 200


async def test_a_workspace_says_how_it_reviews_and_what_stands_in_the_way_of_deleting_it(site):
    async with reader(site) as somebody:
        sent = await somebody.send("/settings/workspaces/new", {"name": "Shop", "separate_approvers": "on"})
        path = sent.headers["location"]
        page = (await somebody.open(path)).text
        assert re.search(r'name="separate_approvers"[^>]* checked', page)
        broken = await somebody.send(path, {"name": "Shop", "context_schema": "{"}, shown=page)
        assert (broken.status_code, "not JSON" in broken.text) == (422, True)
        await somebody.send(path, {"name": "Shop EU", "require_policy": "on"}, shown=page)
        stale = await somebody.send(path, {"name": "Mine"}, shown=page)
        assert stale.status_code == 412
        assert "Shop EU" in stale.text
        assert 'value="Mine"' in stale.text
        repo = await somebody.send(f"{path}/repos/new", {"name": "checkout"})
        assert repo.headers["location"] == path
        full = await somebody.send(f"{path}/delete", {})
        assert (full.status_code, "repos (1)" in full.text) == (409, True)
        repo = re.search(rf'"({path}/repos/[^"]+)" dir', (await somebody.open(path)).text)[1]
        await somebody.send(repo, {"name": "till"})
        assert "till" in (await somebody.open(path)).text
        await somebody.send(f"{repo}/delete", {})
        assert (await somebody.send(f"{path}/delete", {})).headers["location"] == "/settings/workspaces"


async def test_a_key_is_shown_once_holds_what_was_chosen_and_ends_when_revoked(site):
    async with reader(site) as somebody:
        none = await somebody.send("/settings/keys/new", {"name": "agent of the shop"})
        assert (none.status_code, "at least one scope" in none.text) == (422, True)
        made = await somebody.send(
            "/settings/keys/new",
            {
                "name": "agent of the shop",
                "scopes": "decisions:write",
                "workspace_id": "w1",
                "until": "2099-01-01",
            },
        )
        text = secret(made.text)
        assert (await site.world.send(text, "GET", "/v1/session")).json()["key"][
            "name"
        ] == "agent of the shop"
        listed = (await somebody.open("/settings/keys")).text
        assert text not in listed
        path = re.search(r'"(/settings/keys/[^"]+/revoke)">Revoke<span class="hidden"> agent of', listed)[1]
        await somebody.send(path, {})
        assert (await site.world.send(text, "GET", "/v1/session")).status_code == 401


@pytest.mark.parametrize(
    ("caller", "path"),
    [("nobody", "/settings/keys"), ("approver", "/settings/jobs"), ("approver", "/settings/webhooks")],
)
async def test_who_may_not_look_after_something_is_told_so(site, caller, path):
    async with reader(site, caller) as somebody:
        found = await somebody.open(path)
        assert (found.status_code, "You may not see this" in found.text) == (403, True)
        assert f'href="{path}"' not in (await somebody.open("/settings/account")).text


async def test_people_and_workspaces_of_another_organisation_are_not_there(site):
    held = site.world.ids
    async with reader(site, "stranger") as somebody:
        for path in (f"people/{held['user_id']}", "workspaces/w1", f"webhooks/{held['webhook_id']}"):
            assert (await somebody.open(f"/settings/{path}")).status_code == 404


@pytest.mark.parametrize("name", ["end of a double-quoted attribute", "right to left"])
async def test_names_are_shown_as_they_were_written(site, page, name):
    text = "".join(each for each in HOSTILE[name] if each.isprintable())
    made = await site.world.make("/v1/users", {"name": text, "email": f"x{len(text)}@example.com"})
    await site.world.make("/v1/workspaces", {"name": text})
    await site.world.make("/v1/keys", {"name": text, "scopes": ["policy:read"], "user_id": made["id"]})
    await page.goto(f"{site.url}/settings/people/{made['id']}")
    await expect(page.get_by_role("heading", level=1)).to_have_text(text)
    await page.goto(f"{site.url}/settings/people/{made['id']}/remove")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Remove {text}")
    for screen in ("people", "workspaces", "keys", "keys/new", "events"):
        await page.goto(f"{site.url}/settings/{screen}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()


async def test_a_person_is_added_with_the_keyboard_alone(site, page):
    await page.goto(f"{site.url}/settings/people")
    await page.get_by_role("link", name="Add somebody").press("Enter")
    await page.get_by_label("Name", exact=True).fill("Sam")
    await page.get_by_label("E-mail").fill("sam@example.com")
    await page.get_by_label("E-mail").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("A link for Sam")
    await expect(page.get_by_text("/invitation?token=")).to_be_visible()
    await page.get_by_role("link", name="I have copied it").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sam")


async def test_a_key_for_an_agent_is_copied_and_leads_back_to_the_agent(site, page):
    await site.world.make("/v1/agents", {"agent_id": "till/3"})
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(f"{site.url}/agents/till%2F3")
    await page.get_by_role("link", name="Make a key").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("till/3")
    await page.get_by_role("button", name="Make the key").click()
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_focused()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == secret(await page.content())
    await page.get_by_role("link", name="I have copied it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("till/3")


async def test_where_a_browser_lets_no_page_copy_that_is_said(site, page):
    await site.world.make("/v1/agents", {"agent_id": "pump"})
    await page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    await page.goto(f"{site.url}/agents/pump")
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("alert")).to_contain_text("copy it yourself")
