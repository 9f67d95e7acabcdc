"""What an entry cannot say is shown as well as it can, and never lost by a change of the entry."""

import pytest_asyncio

from tests.compat.ohallo.asking import ENTRIES, entry, listed, made, read, status_of

SEVERAL = {
    "name": "Invoices",
    "topic": "invoices",
    "rules": [
        {"expr": "tool_call.arguments.amount < 5000"},
        {"text": "Flag it when the supplier is new.", "effect": "flag"},
    ],
    "mask": {"fields": ["tool_result.iban"], "personal_data": ["phone"]},
    "workspace_id": "shop",
}


async def native(world, ident) -> dict:
    return (await world.send("admin", "GET", f"/v1/policies/{ident}")).json()


async def test_an_entry_is_a_policy_of_the_native_api(world):
    text = "Decline refunds above 50 EUR and create an attention item for a manager. " * 2
    new = await made(world, ruleText=text, topic="refunds", conditions={"min_refund": 50})
    held = await native(world, new["id"])
    (rule,) = held["rules"]
    assert (rule["text"], rule["effect"], rule["attention"]) == (text, "reject", True)
    assert (held["workspace_id"], held["reach"], held["action"], held["risk"]) == (
        "shop",
        "place",
        "block",
        "MEDIUM",
    )
    assert (held["topic"], held["conditions"]) == ("refunds", {"min_refund": 50})
    assert text.startswith(held["name"].removesuffix("…").strip())
    assert len(held["name"]) <= 80


async def test_a_policy_of_the_native_api_is_an_entry(world):
    new = {"name": "n", "rules": [{"text": "Be brief."}], "workspace_id": "shop"}
    ident = (await world.make("/v1/policies", new))["id"]
    found = await read(world, ident)
    assert (found["ruleText"], found["topic"], found["workspaceId"]) == ("Be brief.", "", "shop")
    assert await listed(world) == [found]


async def test_several_rules_are_lines_and_their_text_is_changed_elsewhere(world):
    ident = (await world.make("/v1/policies", SEVERAL))["id"]
    before = await native(world, ident)
    shown = (await read(world, ident))["ruleText"]
    assert shown.splitlines() == [
        "tool_call.arguments.amount < 5000",
        "Flag it when the supplier is new.",
        "Withhold tool_result.iban, phone.",
    ]
    refused = await world.send("writer", "PATCH", entry(ident), json={"ruleText": "Something else."})
    assert (refused.status_code, "PATCH /v1/policies" in refused.json()["error"]) == (409, True)
    assert await native(world, ident) == before
    changed = await world.send("writer", "PATCH", entry(ident), json={"topic": "bills", "ruleText": shown})
    assert (changed.status_code, changed.json()["topic"]) == (200, "bills")
    after = await native(world, ident)
    assert (after["rules"], after["mask"], after["name"]) == (before["rules"], before["mask"], before["name"])


async def test_what_a_person_settled_against_the_wording_stays_when_it_is_reworded(world):
    rule = {
        "text": "Never mention rivals.",
        "effect": "flag",
        "message": "No rivals, please.",
        "attention": True,
    }
    new = {"name": "Rivals", "rules": [rule], "workspace_id": "shop"}
    ident = (await world.make("/v1/policies", new))["id"]
    await world.send("writer", "PATCH", entry(ident), json={"ruleText": "Never praise rivals."})
    held = await native(world, ident)
    assert held["rules"] == [{"id": "r1", "type": "nl", **rule, "text": "Never praise rivals."}]
    assert held["name"] == "Rivals"


async def test_the_wording_proposes_anew_what_nobody_settled(world):
    ident = (await made(world, ruleText="Flag a refund above 50 EUR as unusual."))["id"]
    assert (await native(world, ident))["rules"][0]["effect"] == "flag"
    await world.send("writer", "PATCH", entry(ident), json={"ruleText": "Reject a refund above 50 EUR."})
    held = await native(world, ident)
    assert (held["rules"][0]["effect"], held["name"]) == ("reject", "Reject a refund above 50 EUR.")


async def test_what_holds_in_every_workspace_is_shown_in_each_and_changed_elsewhere(world):
    new = {"name": "n", "topic": "tone", "rules": [{"text": "Be brief."}]}
    ident = (await world.make("/v1/policies", new))["id"]
    for workspace in ("shop", "depot"):
        (found,) = await listed(world, path=ENTRIES.replace("shop", workspace))
        assert (found["id"], found["workspaceId"]) == (ident, workspace)
        assert await listed(world, "/search?q=brief", ENTRIES.replace("shop", workspace)) == [found]
    assert (await read(world, ident))["workspaceId"] is None
    for method, body in (("PATCH", {"topic": "style"}), ("DELETE", None)):
        found = await world.send("writer", method, entry(ident), json=body)
        assert (found.status_code, "/v1/policies" in found.json()["error"]) == (409, True)
    assert (await native(world, ident))["topic"] == "tone"


async def test_a_policy_of_a_repo_is_in_the_list_of_its_workspace(world):
    repo = await world.make("/v1/workspaces/shop/repos", {"name": "code"})
    where = {"workspace_id": "shop", "repo_id": repo["id"]}
    ident = (await world.make("/v1/policies", {"name": "n", "rules": [{"text": "Be brief."}], **where}))["id"]
    assert [each["id"] for each in await listed(world)] == [ident]
    assert await listed(world, path=ENTRIES.replace("shop", "depot")) == []
    assert await status_of(world, "PATCH", entry(ident), {"topic": "tone"}) == 200
    assert (await native(world, ident))["repo_id"] == repo["id"]


async def test_what_is_switched_off_is_archived_here(world):
    ident = (await made(world))["id"]
    await world.make(f"/v1/policies/{ident}/deactivate", {})
    assert (await read(world, ident))["status"] == "archived"
    assert [each["id"] for each in await listed(world, "?status=archived")] == [ident]
    assert await listed(world, "?status=approved") == []
    assert await status_of(world, "POST", f"{entry(ident)}/archive") == 200
    assert await status_of(world, "POST", f"{entry(ident)}/restore") == 200
    assert (await native(world, ident))["is_in_force"]


@pytest_asyncio.fixture(loop_scope="module")
async def reviewed(world):
    """The workspace shop while it reviews changes."""
    await world.make("/v1/workspaces/shop", {"review_edits": True}, method="PATCH")
    yield world
    await world.make("/v1/workspaces/shop", {"review_edits": False}, method="PATCH")


async def test_a_change_that_waits_is_pending_while_the_old_text_holds(reviewed):
    ident = (await made(reviewed, status="approved"))["id"]
    old = await read(reviewed, ident)
    changed = await reviewed.send("writer", "PATCH", entry(ident), json={"ruleText": "Grant no discount."})
    assert (changed.json()["ruleText"], changed.json()["status"]) == ("Grant no discount.", "pending_review")
    again = await reviewed.send("writer", "PATCH", entry(ident), json={"topic": "sales"})
    assert (again.json()["ruleText"], again.json()["topic"]) == ("Grant no discount.", "sales")
    (pending,) = await listed(reviewed, "/pending")
    assert pending == again.json()
    (held,) = await listed(reviewed)
    assert (held["ruleText"], held["status"]) == (old["ruleText"], "approved")
    assert await status_of(reviewed, "POST", f"{entry(ident)}/approve") == 200
    assert (await read(reviewed, ident))["ruleText"] == "Grant no discount."
    assert await listed(reviewed, "/pending") == []


async def test_a_rejected_change_leaves_the_old_text(reviewed):
    ident = (await made(reviewed, status="approved"))["id"]
    old = await read(reviewed, ident)
    await reviewed.send("writer", "PATCH", entry(ident), json={"ruleText": "Grant no discount."})
    assert await status_of(reviewed, "POST", f"{entry(ident)}/reject", {"reason": "Too strict."}) == 200
    now = await read(reviewed, ident)
    assert (now["ruleText"], now["status"]) == (old["ruleText"], "approved")
