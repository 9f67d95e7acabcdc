"""Review: what waits is read with its evidence, and decided once, by somebody who may."""

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.dashboard.hostile import HOSTILE as HOSTILE_TEXTS
from tests.dashboard.hostile import assert_shown_as_text
from tests.dashboard.lessons import reader, teach

pytestmark = pytest.mark.usefixtures("waiting")
REFUND = "Do not refund before the return has arrived."
HOSTILE = "<script>bylawRan('x')</script>\"'><img src=x onerror=bylawRan(1)>"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def waiting(site):
    return {each["name"]: each for each in await teach(site.world, "shop")}


@pytest.fixture
def refund(waiting):
    return f"/review/{waiting[REFUND]['id']}"


async def propose(site, name, workspace="shop", **more):
    policy = {"name": name, "rules": [{"text": name}], "workspace_id": workspace, "status": "pending_review"}
    return await site.world.make("/v1/policies", {**policy, **more})


async def test_what_waits_is_listed_with_its_words(site, waiting):
    async with reader(site) as somebody:
        found = await somebody.open("/review?in=shop")
        assert found.status_code == 200
        assert all(name in found.text for name in waiting)
        assert "No, we never refund before the return has arrived." in found.text
        assert "as often wrong as right" in found.text
        nothing = await somebody.open("/review?in=shop&source=manual")
        assert "Nothing waits here" in nothing.text


async def test_a_case_leads_to_where_it_was_said(site, refund):
    async with reader(site) as somebody:
        found = await somebody.open(refund)
    assert found.status_code == 200
    assert 'href="/learning/conversations/shop%3Ac1#said-2"' in found.text
    assert "A person who took over from the agent said so" in found.text
    assert "0</strong> keep to it" not in found.text


async def test_a_rejection_needs_a_reason(site, refund):
    async with reader(site) as somebody:
        again = await somebody.send(refund, {"decision": "reject", "reason": " "})
        assert again.status_code == 422
        assert "Say why" in again.text
        assert (await site.world.send("admin", "GET", f"/v1/policies/{refund[8:]}")).json()[
            "decided_by"
        ] is None


async def test_after_a_decision_comes_what_waits_next(site):
    made = [
        await propose(site, name, "w3") for name in ("Never promise a date.", "Ask for the order number.")
    ]
    async with reader(site) as somebody:
        newest = f"/review/{made[1]['id']}?in=w3"
        done = await somebody.send(newest, {"decision": "reject", "reason": "We know it."})
        assert done.status_code == 303
        assert done.headers["location"] == f"/review/{made[0]['id']}?in=w3"
        shown = await somebody.open(done.headers["location"])
        assert "Rejected: Ask for the order number. This is the next." in shown.text
        last = await somebody.send(done.headers["location"], {"decision": "approve"})
        assert last.headers["location"] == "/review?in=w3"
        told = (await somebody.open("/review?in=w3")).text
        assert "Approved: Never promise a date. It is in force now. Nothing else waits here." in told
    policies = (await site.world.send("admin", "GET", "/v1/policies?workspace_id=w3")).json()["data"]
    assert [(each["status"], each["decided_reason"]) for each in policies] == [
        ("rejected", "We know it."), ("approved", ""),
    ]  # fmt: skip


async def test_the_second_reviewer_is_told_who_was_there_before(site):
    made = await propose(site, "Greet people by name.")
    path = f"/review/{made['id']}"
    async with reader(site) as somebody:
        seen = (await somebody.open(path)).text
        await site.world.make(f"{path.replace('/review', '/v1/policies')}/approve", {"reason": "Kind."})
        late = await somebody.send(path, {"decision": "reject", "reason": "Too much."}, shown=seen)
        assert late.status_code == 412
        assert "Already approved by" in late.text
        assert "Kind." in late.text
        assert "Nothing that you did was stored" in late.text


async def test_what_was_changed_meanwhile_is_shown_before_it_is_decided(site):
    made = await propose(site, "Answer within a day.")
    path = f"/review/{made['id']}"
    async with reader(site) as somebody:
        seen = (await somebody.open(path)).text
        change = {"rules": [{"text": "Answer within an hour."}]}
        await site.world.make(f"/v1/policies/{made['id']}", change, method="PATCH")
        late = await somebody.send(path, {"decision": "approve", "reason": "Good."}, shown=seen)
        assert late.status_code == 412
        assert "Answer within an hour." in late.text
        assert "Good.</textarea>" in late.text
        assert (await somebody.send(path, {"decision": "approve"}, shown=late.text)).status_code == 303


async def test_what_waits_is_put_right_and_approved_at_once(site):
    made = await propose(site, "Never refunds.")
    path = f"/review/{made['id']}/edit"
    async with reader(site) as somebody:
        wrong = await somebody.send(path, {"name": "", "rule-0": "x", "then": "approve"})
        assert wrong.status_code == 422
        assert 'id="name-error"' in wrong.text
        typed = {"name": "Refunds", "rule-0": "Never refund twice.", "action": "review", "risk": "HIGH"}
        done = await somebody.send(path, {**typed, "reason": "Clearer.", "then": "approve"})
        assert done.status_code == 303
    found = (await site.world.send("admin", "GET", f"/v1/policies/{made['id']}")).json()
    assert (found["name"], found["rules"][0]["text"], found["action"]) == (
        "Refunds", "Never refund twice.", "review",
    )  # fmt: skip
    assert (found["status"], found["version"], found["is_in_force"]) == ("approved", 2, True)


async def test_nobody_approves_their_own_where_approvers_are_separate(site):
    await site.world.make("/v1/workspaces", {"id": "strict", "name": "Strict", "separate_approvers": True})
    boss = {"email": "boss@example.com", "name": "Grace", "last_name": "H", "org_role": "OWNER"}
    await site.world.make("/v1/users", boss)
    made = await propose(site, "Ask before you pay.", "strict")
    path = f"/review/{made['id']}"
    async with reader(site, "operator") as somebody:
        assert (await somebody.open(path)).status_code == 404
    second = await site.world.make("/v1/keys", {"name": "second", "scopes": ["admin"]})
    site.world.keys["second"] = second["key"]
    async with reader(site, "second") as somebody:
        shown = await somebody.open(path)
    async with reader(site) as somebody:
        author = await somebody.open(path)  # with a session of the key that wrote it
        typed = {"name": "Ask", "rule-0": "Ask.", "then": "wait"}
        await somebody.send(f"{path}/edit", typed)
        own = await somebody.open(path)
        refused = await somebody.send(path, {"decision": "approve"}, shown=own.text)
    assert "You did not write this: you may." in shown.text
    assert "You wrote this, so somebody else approves it." in author.text
    assert "You wrote this, so somebody else approves it." in own.text
    assert "Grace H" in own.text
    assert 'value="approve"' not in own.text
    assert refused.status_code == 403
    assert "nobody approves their own edit" in refused.text


async def test_an_edit_that_waits_shows_what_it_changes(site):
    await site.world.make("/v1/workspaces", {"id": "careful", "name": "Careful", "review_edits": True})
    policy = {"name": "Limit", "rules": [{"expr": "tool_call.arguments.amount < 500"}]}
    made = await site.world.make("/v1/policies", {**policy, "workspace_id": "careful", "status": "approved"})
    rule = {
        "id": made["rules"][0]["id"],
        "expr": "tool_call.arguments.amount < 900",
        "message": "Ask a person.",
    }
    await site.world.make(f"/v1/policies/{made['id']}", {"rules": [rule], "risk": "LOW"}, method="PATCH")
    call = {"name": "pay", "arguments": {"amount": 950}}
    asked = {"workspace_id": "careful", "phase": "tool_call", "tool_call": call}
    receipt = await site.world.make("/v1/decisions", asked)
    async with reader(site) as somebody:
        for path in ("/review?in=careful", f"/review/{made['id']}"):
            shown = (await somebody.open(path)).text
            assert "<ins>Ask a person.<br><code>tool_call.arguments.amount &lt; 900</code></ins>" in shown
            assert "more is allowed" in shown
        tried = (await somebody.open(f"/review/{made['id']}?tried=1")).text
    assert "<strong>1</strong> would break it" in tried
    assert receipt["receipt_id"] in tried


async def test_who_may_only_read_sees_no_buttons_and_decides_nothing(site, refund):
    made = await site.world.make("/v1/keys", {"name": "reader", "scopes": ["policy:read"]})
    site.world.keys["policy reader"] = made["key"]
    async with reader(site, "policy reader") as somebody:
        shown = await somebody.open(refund)
        assert shown.status_code == 200
        assert 'name="decision"' not in shown.text
        tried = await somebody.send(refund, {"decision": "approve"}, shown=f"{shown.text}")
        assert tried.status_code == 403
    async with reader(site, "stranger") as somebody:
        assert (await somebody.open(refund)).status_code == 404
        assert "No, we never" not in (await somebody.open("/review")).text


async def test_what_callers_wrote_is_shown_as_text(site):
    evidence = {"type": "learning_loop", "confidence": 0.9, "rationale": HOSTILE, "evidence": [HOSTILE]}
    made = await propose(site, HOSTILE, topic=HOSTILE, source={**evidence, "conversation_id": HOSTILE})
    async with reader(site) as somebody:
        for path in ("/review", f"/review/{made['id']}", f"/review/{made['id']}/edit"):
            shown = await somebody.open(path)
            assert shown.status_code == 200
            assert "<script>bylawRan" not in shown.text
            assert "<img src=x" not in shown.text


async def test_a_reviewer_goes_through_what_waits_by_keyboard(open_window, watch, site):
    await site.world.make("/v1/workspaces", {"id": "keys", "name": "Keys"})
    for name in ("Third.", "Second.", "First."):
        await propose(site, name, "keys")
    page = await open_window()
    await page.goto("/review?in=keys")
    await page.get_by_role("link", name="Review one at a time").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("First.")
    watch.expected.add(422)
    await page.get_by_role("button", name="Reject").press("Enter")
    await expect(page.get_by_text("Say why")).to_be_visible()
    await page.get_by_label("Reason").focus()
    await page.keyboard.type("Nobody needs it.")
    for _ in ("Approve", "Edit first", "Reject"):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Second.")
    await expect(page.get_by_role("status")).to_have_text("Rejected: First. This is the next.")
    await page.get_by_role("link", name="Next").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Third.")
    await page.get_by_role("button", name="Approve").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Second.")


async def test_two_reviewers_at_once_decide_once(open_window, watch, site):
    made = await propose(site, "Two look at this.")
    second = await site.world.make("/v1/keys", {"name": "Kim", "scopes": ["admin"]})
    site.world.keys["kim"] = second["key"]
    mine, theirs = await open_window(), await open_window("kim")
    for each in (mine, theirs):
        await each.goto(f"/review/{made['id']}")
    await theirs.get_by_role("button", name="Approve").click()
    await expect(theirs.get_by_role("status")).to_contain_text("Approved: Two look at this.")
    watch.expected.add(412)
    await mine.get_by_label("Reason").fill("No.")
    await mine.get_by_role("button", name="Reject").click()
    trouble = mine.get_by_role("alert").filter(has_text="Already approved")
    await expect(trouble).to_contain_text("Already approved by the key Kim")
    await expect(mine.get_by_role("button", name="Approve")).to_have_count(0)


async def test_what_it_would_have_done_is_tried_in_place(open_window, site):
    await site.world.make("/v1/workspaces", {"id": "trial", "name": "Trial"})
    call = {"name": "pay", "arguments": {"amount": 950}}
    asked = {"workspace_id": "trial", "phase": "tool_call", "tool_call": call}
    await site.world.make("/v1/decisions", asked)
    made = await propose(site, "Limit", "trial", rules=[{"expr": "tool_call.arguments.amount < 500"}])
    page = await open_window()
    await page.goto(f"/review/{made['id']}")
    await page.get_by_label("Reason").fill("Kept while it is tried.")
    await page.get_by_role("link", name="Try it on the newest decisions").click()
    await expect(page.get_by_text("1 would break it, and it would block the call")).to_be_visible()
    await expect(page.get_by_label("Reason")).to_have_value("Kept while it is tried.")


async def test_hostile_words_are_read_and_do_nothing(page, site):
    await site.world.make("/v1/workspaces", {"id": "hostile", "name": "Hostile"})
    evidence = {"type": "learning_loop", "rationale": " ".join(HOSTILE_TEXTS.values())}
    evidence |= {"evidence": list(HOSTILE_TEXTS.values()), "conversation_id": HOSTILE}
    made = [
        await propose(site, text, "hostile", topic=text[:60], source=evidence)
        for text in HOSTILE_TEXTS.values()
    ]
    for path in ("/review?in=hostile", f"/review/{made[0]['id']}"):
        await page.goto(path)
        for text in HOSTILE_TEXTS.values():
            await assert_shown_as_text(page, text)
