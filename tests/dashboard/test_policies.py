"""Policies in the dashboard: found, read with all their versions, taken out of force and brought back."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.dashboard.hostile import HOSTILE, assert_shown_as_text
from tests.dashboard.lessons import reader

LIMIT = {"name": "Invoice limit", "topic": "invoices", "reason": "Agreed with finance."}
LOW, HIGH = "tool_call.arguments.amount < 4000", "tool_call.arguments.amount < 5000"


@pytest_asyncio.fixture(loop_scope="session")
async def policy(site):
    """A policy of acme with two versions."""
    body = {**LIMIT, "rules": [{"id": "r1", "expr": HIGH}], "workspace_id": "w1", "reach": "bound"}
    made = await site.world.make("/v1/policies", body)
    change = {"rules": [{"id": "r1", "expr": LOW}], "action": "review", "reason": "It was lowered."}
    return await site.world.make(f"/v1/policies/{made['id']}", change, method="PATCH")


@pytest.mark.usefixtures("policy")
async def test_the_list_says_how_many_there_are_and_how_many_wait(site):
    waits = {"name": "Waits", "rules": [{"text": "Never."}], "workspace_id": "w1", "status": "pending_review"}
    await site.world.make("/v1/policies", waits)
    async with reader(site) as somebody:
        every = (await somebody.open("/policies")).text
        pending = (await somebody.open("/policies?tab=pending")).text
    assert "Invoice limit" in every
    assert '<span class="badge warn">1</span>' in every
    assert "Waits" in pending
    assert "Invoice limit" not in pending


@pytest.mark.usefixtures("policy")
async def test_filters_narrow_the_list_and_an_empty_one_leads_back(site):
    async with reader(site) as somebody:
        assert "Invoice limit" in (await somebody.open("/policies?topic=invoices&action=review")).text
        nothing = (await somebody.open("/policies?topic=invoices&action=log")).text
    assert "Nothing matches" in nothing
    assert "Show all" in nothing


@pytest.mark.usefixtures("policy")
async def test_a_field_for_a_topic_offers_those_there_are(page):
    for path in ("/policies", "/policies/new"):
        await page.goto(path)
        await page.get_by_label("Topic").focus()
        await expect(page.locator("#topics option[value=invoices]")).to_be_attached()


async def test_a_policy_says_why_it_is_in_force_and_all_it_ever_said(site, policy):
    async with reader(site) as somebody:
        found = (await somebody.open(f"/policies/{policy['id']}")).text
    for text in ("In force", "checked against version 2", "It was lowered.", "Agreed with finance.", "4000"):
        assert text in found


async def test_two_versions_are_compared_rule_by_rule(site, policy):
    async with reader(site) as somebody:
        found = (await somebody.open(f"/policies/{policy['id']}/diff?old=1&new=2")).text
    for text in ("amount &lt; 5000</del>", "amount &lt; 4000</ins>", "less is allowed", "more is allowed"):
        assert text in found


async def test_a_policy_is_switched_off_deleted_and_brought_back(site, policy):
    address = f"/policies/{policy['id']}"

    async def state():
        found = await site.world.send("admin", "GET", f"/v1/{address[1:]}")
        return found.status_code, found.json().get("is_active")

    async with reader(site) as somebody:
        await somebody.send(address, {"do": "deactivate", "reason": "A pause."})
        assert await state() == (200, False)
        await somebody.send(address, {"do": "delete"})
        assert await state() == (404, None)
        assert "Invoice limit" in (await somebody.open("/policies?tab=deleted")).text
        gone = await somebody.open(address)
        assert gone.status_code == 404
        assert "Its versions stay" in gone.text
        await somebody.send(address, {"do": "undelete"})
        assert await state() == (200, False)


async def test_an_old_version_comes_back_with_a_reason(site, policy):
    async with reader(site) as somebody:
        await somebody.send(f"/policies/{policy['id']}/versions/1", {"reason": "Too strict."})
        found = (await somebody.open(f"/policies/{policy['id']}")).text
    assert "Too strict." in found
    assert "checked against version 3" in found
    assert "5000" in found


async def test_what_was_changed_meanwhile_is_not_switched_off(site, policy):
    async with reader(site) as somebody:
        found = await somebody.send(f"/policies/{policy['id']}", {"do": "deactivate", "revision": '"1"'})
    assert found.status_code == 412
    assert 'role="alert"' in found.text
    assert "Switch off" in found.text


@pytest.mark.parametrize("path", ["", "/edit", "/versions/1", "/diff?old=1&new=2"])
async def test_the_policies_of_others_are_not_there(site, policy, path):
    async with reader(site, "stranger") as somebody:
        assert (await somebody.open(f"/policies/{policy['id']}{path}")).status_code == 404


async def test_hostile_text_is_shown_as_text(site, page):
    for name in ("end of a double-quoted attribute", "end of an element"):
        text = HOSTILE[name]
        body = {"name": text, "topic": text, "description": text, "reason": text, "reach": "bound"}
        rules = [{"text": text, "message": text}]
        made = await site.world.make("/v1/policies", {**body, "rules": rules, "conditions": {text: text}})
        for path in ("", "/edit", "/versions/1"):
            await page.goto(f"/policies/{made['id']}{path}")
        await page.goto(f"/policies/{made['id']}")
        await assert_shown_as_text(page, text)
