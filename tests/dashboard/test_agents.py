"""Agents: those on which nothing is enforced come first, and are bound, registered and changed here."""

from html import unescape
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.dashboard.hostile import HOSTILE
from tests.dashboard.lessons import reader

ODD = "代理/سياسة~é"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def policies(site):
    """Policies to bind: one in force, one that is switched off."""
    make = site.world.make
    rules = [{"expr": "tool_call.arguments.amount < 1000"}]
    good = await make("/v1/policies", {"name": "Small sums only", "rules": rules, "reach": "bound"})
    off = await make("/v1/policies", {"name": "Old limits", "rules": rules, "reach": "bound"})
    await make(f"/v1/policies/{off['id']}/deactivate", {})
    for ident in (ODD, "bound", "idle"):
        await make("/v1/agents", {"id": ident})
    await make("/v1/bindings/bound", {"policy_id": good["id"]}, method="PUT")
    await make("/v1/bindings/idle", {"policy_id": off["id"]}, method="PUT")
    return {"good": good["id"], "off": off["id"]}


async def read(site, ident):
    return (await site.world.send("admin", "GET", f"/v1/agents/{ident}")).json()


@pytest.mark.usefixtures("policies")
async def test_agents_without_enforcement_come_first_and_loud(site):
    async with reader(site) as somebody:
        shown = (await somebody.open("/agents")).text
    assert shown.index(ODD) < shown.index(">bound<")
    assert shown.count('class="row loud"') >= 2
    assert "The bound policy is not in force, so it governs nothing" in shown


async def test_an_agent_is_bound_and_unbound_by_a_form(site, policies):
    path = f"/agents/{quote(ODD, safe='')}"
    async with reader(site) as somebody:
        sent = await somebody.send(path, {"do": "bind", "policy_id": policies["good"]})
        assert (sent.status_code, sent.headers["location"]) == (303, path)
        assert "governs it from now on" in (await somebody.open(path)).text
        assert (await read(site, ODD))["policy_id"] == policies["good"]
        await somebody.send(path, {"do": "bind", "policy_id": ""})
        assert (await read(site, ODD))["policy_id"] is None


@pytest.mark.usefixtures("policies")
async def test_what_somebody_changed_meanwhile_is_shown_and_what_was_typed_stays(site):
    async with reader(site) as somebody:
        page = (await somebody.open("/agents/idle")).text
        await site.world.make("/v1/agents/idle", {"name": "theirs"}, method="PATCH")
        sent = await somebody.send("/agents/idle", {"do": "change", "name": "mine"}, shown=page)
    assert sent.status_code == 412
    assert 'value="mine"' in sent.text
    assert "theirs" in sent.text


@pytest.mark.usefixtures("policies")
async def test_an_agent_that_was_only_seen_is_registered(site):
    await site.world.make("/v1/decisions", {"agent_id": "seen", "user_intent": "Hello"})
    await site.world.app.upkeep.write_notes()
    async with reader(site) as somebody:
        await somebody.send("/agents/seen", {"do": "register", "name": "Seen"})
    assert (await read(site, "seen"))["registered"] is True


async def test_a_new_agent_is_registered_and_told_how_to_ask(site, policies):
    async with reader(site) as somebody:
        sent = await somebody.send("/agents?new=", {"id": "it's", "name": "", "policy_id": policies["good"]})
        page = unescape((await somebody.open(sent.headers["location"])).text)
        assert f"curl {site.url}/v1/decisions" in page
        assert '"agent_id":"it\'\\\'\'s"' in page
        wrong = await somebody.send("/agents?new=", {"id": "two words", "name": "Kept"})
    assert wrong.status_code == 422
    assert "An id has no spaces" in wrong.text
    assert 'value="Kept"' in wrong.text


@pytest.mark.usefixtures("policies")
async def test_agents_of_others_are_not_there(site):
    async with reader(site, "stranger") as stranger:
        assert (await stranger.open("/agents/bound")).status_code == 404
        assert "Small sums" not in (await stranger.open("/agents")).text
    async with reader(site, "nobody") as nobody:
        assert (await nobody.open("/agents")).status_code == 403


@pytest.mark.parametrize("name", ["script", "end of a double-quoted attribute", "template"])
async def test_what_callers_name_an_agent_runs_nowhere(site, open_window, name):
    ident = f"x{len(name)}{''.join(HOSTILE[name].split())}"
    await site.world.make("/v1/agents", {"id": ident, "name": HOSTILE[name]})
    page = await open_window()
    await page.goto(f"/agents/{quote(ident, safe='')}")
    await expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE[name])


async def test_a_person_binds_a_policy_in_the_list(page, site, policies):
    await site.world.make("/v1/agents", {"id": "to-bind"})
    await page.goto("/agents?q=to-bind")
    await page.get_by_label("Bound policy of to-bind").select_option(label="Small sums only")
    await page.get_by_role("button", name="Bind to-bind").click()
    await expect(page.get_by_role("status")).to_contain_text("governs it from now on")
    assert (await read(site, "to-bind"))["policy_id"] == policies["good"]
