"""The inbox: people see exactly what they approve, and are told when an answer was not taken."""

import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from bylaw.decisions.effects import Occasion
from bylaw.review.model import AttentionItem
from tests.api.conftest import World
from tests.dashboard.axe import assert_accessible
from tests.dashboard.browser import DESK, window

EVIL = "<script>alert(1)</script>"
HIDDEN = "pay \u202egnp.exe\u200b to p\u0430ypal"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(site):
    """The server of this module, with a policy that holds calls for a person."""
    rules = [{"expr": "!tool_call.name.startsWith('w')", "message": f"It starts so {EVIL}"}]
    policy = {"name": f"held {EVIL}", "rules": rules, "workspace_id": "w1", "action": "review"}
    await site.world.make("/v1/policies", policy)
    return site.world


@pytest_asyncio.fixture(loop_scope="session")
async def desk(guarded):
    """The same with a new call that waits, whose arguments mislead."""
    world = World(app=guarded.app, keys=dict(guarded.keys), ids=dict(guarded.ids))
    call = {"name": "wire", "arguments": {"to": HIDDEN, EVIL: "x" * 900, "amount": 9007199254740993}}
    asked = {"workspace_id": "w1", "phase": "tool_call", "tool_call": call, "agent_id": f"a/{EVIL}"}
    made = await world.make("/v1/decisions", asked)
    world.ids |= {each["kind"]: each["id"] for each in made["obligations"]}
    return world


async def look(world, path, caller="admin", **options):
    """What a browser that holds a session of `caller` is answered."""
    if caller not in world.ids:
        world.ids[caller] = (await world.make("/v1/sessions", {}, caller))["session"]
    async with world.client(None) as client:
        client.cookies.set("bylaw-session", world.ids[caller])
        method = "POST" if "data" in options else "GET"
        return await client.request(method, path, headers={"accept": "text/html"}, **options)


async def answer(world, path, caller="admin", page=None, **fields):
    """What a form is answered that was opened before and is sent now, or that of the `page` from earlier."""
    opened = page or await look(world, path, caller)
    named = dict(re.findall(r'name="(mark|revision)" value="([^"]*)"', opened.text))
    named["revision"] = named.get("revision", "").replace("&#34;", '"')
    return await look(world, path, caller, data={**named, **fields})


async def test_an_approval_shows_exactly_the_call_with_what_hides_in_it(desk):
    page = (await look(desk, f"/inbox/approvals/{desk.ids['approval']}")).text
    assert "9007199254740993" in page
    for number in ("U+202E", "U+200B", "U+0430"):
        assert f">{number}</mark>" in page
    assert not {"\u202e", "\u200b", "\u0430"} & set(page)
    assert "900 characters" in page
    assert "4 characters" not in page
    assert "3 characters here mislead" in page


@pytest.mark.parametrize("path", ["approvals", "attention", "violations", "alerts"])
async def test_no_list_lets_text_of_callers_become_part_of_the_page(desk, path):
    found = await look(desk, f"/inbox/{path}")
    assert found.status_code == 200
    assert EVIL not in found.text
    assert EVIL not in (await look(desk, f"/inbox/approvals/{desk.ids['approval']}")).text


async def test_approving_a_call_lets_it_through_once_and_says_by_whom(desk):
    path = f"/inbox/approvals/{desk.ids['approval']}"
    sent = await answer(desk, path, answer="approve", reason="A good customer")
    assert sent.status_code == 303
    page = (await look(desk, path)).text
    assert "approved</span> by <strong" in page
    assert "A good customer" in page
    stored = await desk.send("admin", "GET", f"/v1/approvals/{desk.ids['approval']}")
    assert stored.json()["status"] == "approved"


async def test_a_second_click_does_nothing_more_and_another_window_is_told_so(desk):
    path = f"/inbox/approvals/{desk.ids['approval']}"
    page, other = await look(desk, path), await look(desk, path)
    for _ in range(2):
        assert (await answer(desk, path, page=page, answer="deny")).status_code == 303
    again = await answer(desk, path, page=other, answer="deny")
    assert again.status_code == 412
    assert "You have denied this call already" in again.text


async def test_whoever_comes_second_is_told_who_answered_and_what_their_answer_was(desk):
    path = f"/inbox/approvals/{desk.ids['approval']}"
    page = await look(desk, path)
    await desk.make(f"/v1/approvals/{desk.ids['approval']}/refuse", {}, "approver")
    late = await answer(desk, path, page=page, answer="approve", reason="I know them")
    assert late.status_code == 412
    assert "denied this call before you" in late.text
    assert "I know them" in late.text


async def test_what_cannot_be_seen_cannot_be_approved(desk):
    key = {"name": "blind", "scopes": ["conversations:read", "conversations:write"]}
    desk.keys["blind"] = (await desk.make("/v1/keys", key))["key"]
    page = (await look(desk, f"/inbox/approvals/{desk.ids['approval']}", "blind")).text
    assert "you cannot approve it here" in page
    assert 'value="approve"' not in page
    assert 'value="deny"' in page


async def test_one_who_may_only_look_finds_no_button(desk):
    key = {"name": "looks", "scopes": ["conversations:read", "receipts:read"]}
    desk.keys["looks"] = (await desk.make("/v1/keys", key))["key"]
    path = f"/inbox/approvals/{desk.ids['approval']}"
    assert 'name="answer"' not in (await look(desk, path, "looks")).text
    mark = re.search(r'name="mark" value="([^"]*)"', (await look(desk, path, "looks")).text)[1]
    sent = await look(desk, path, "looks", data={"mark": mark, "answer": "approve"})
    assert sent.status_code == 403
    assert (await desk.send("admin", "GET", f"/v1/approvals/{desk.ids['approval']}")).json()[
        "status"
    ] == "pending"


@pytest.mark.parametrize("kind", ["approval", "attention"])
async def test_what_another_tenant_holds_is_not_there(desk, kind):
    folder = "approvals" if kind == "approval" else "attention"
    assert (await look(desk, f"/inbox/{folder}/{desk.ids[kind]}", "stranger")).status_code == 404


async def test_an_attention_item_is_resolved_once(desk):
    path = f"/inbox/attention/{desk.ids['attention']}"
    page = await look(desk, path)
    assert f"/inbox/approvals/{desk.ids['approval']}" in page.text
    assert (await answer(desk, path, page=page, reason=f"Called {EVIL}")).status_code == 303
    done = (await look(desk, path)).text
    assert "resolved</span> by <strong" in done
    assert "Called &lt;script&gt;" in done
    again = await answer(desk, path, page=page, reason="Wrote to them")
    assert again.status_code == 412
    assert "resolved this already" in again.text
    assert "Wrote to them" in again.text


async def test_filters_narrow_a_list_and_an_empty_one_says_what_to_do(desk):
    named = (await look(desk, "/inbox/approvals", params={"agent_id": f"a/{EVIL}"})).text
    assert desk.ids["approval"] in named
    assert "Nothing matches" in (await look(desk, "/inbox/approvals?agent_id=nobody")).text
    assert "Nothing asks for attention" in (await look(desk, "/inbox/attention")).text
    assert "Nothing matches" in (await look(desk, "/inbox/violations?risk=LOW")).text


async def test_the_inbox_begins_with_what_a_person_may_read(desk):
    assert (await look(desk, "/inbox")).headers["location"] == "/inbox/approvals"
    key = {"name": "tells", "scopes": ["receipts:read"]}
    desk.keys["tells"] = (await desk.make("/v1/keys", key))["key"]
    assert (await look(desk, "/inbox", "tells")).headers["location"] == "/inbox/violations"
    assert "/inbox/approvals" not in (await look(desk, "/inbox/violations", "tells")).text


async def test_an_expired_call_says_so_and_takes_no_answer(site, page):
    path = f"/inbox/approvals/{site.world.ids['approval_id']}"
    await page.goto(path)
    site.clock.ahead_ms += 25 * 3_600_000
    await site.sign_in(page.context)
    try:
        await page.reload()
        await expect(page.get_by_text("Nobody answered in time")).to_be_visible()
        for name in ("Approve this call", "Deny it", "Take it"):
            await expect(page.get_by_role("button", name=name)).to_have_count(0)
        await page.goto("/inbox/approvals?status=")
        listed = page.get_by_role("listitem").filter(has=page.locator(f'a[href="{path}"]'))
        await expect(listed).to_contain_text("expired 1 hour ago")
    finally:
        site.clock.ahead_ms = 0


@pytest.mark.parametrize("tab", ["approvals", "attention", "violations", "alerts"])
async def test_every_list_is_accessible(page, tab):
    await page.goto(f"/inbox/{tab}")
    await assert_accessible(page)


async def test_a_person_approves_a_call_with_the_keyboard(page):
    await page.goto("/inbox/approvals?status=waits")
    await page.get_by_role("link", name="wants to use").first.press("Enter")
    await expect(page.get_by_role("heading", name="Exactly this")).to_be_visible()
    await assert_accessible(page)
    await page.get_by_label("Reason").fill("Known")
    await page.get_by_role("button", name="Approve this call").press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("You approved this call")
    await assert_accessible(page)


async def test_what_no_decision_raised_is_shown_without_one(desk):
    item = AttentionItem(
        id="att_webhook_2",
        occasion=Occasion(tenant_id="acme", receipt_id="", at_ms=1, phase="", workspace_id="w1"),
        policy=None,
        type="webhook_disabled",
        reason="A webhook was switched off.",
    )
    async with desk.app.stores.control.begin("acme") as unit:
        await unit.review.attention.add([item])
    page = await look(desk, f"/inbox/attention/{item.id}")
    assert page.status_code == 200
    assert "/receipts/" not in page.text.partition("<main")[2]
    assert "A webhook was switched off." in (await look(desk, "/inbox/attention")).text


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(guarded):
    """Ada and Grace, who may act in w1 and are signed in."""
    for name in ("ada", "grace"):
        person = {"id": name, "email": f"{name}@example.com", "name": f"{name.title()} {EVIL}"}
        await guarded.make("/v1/users", person)
        await guarded.make(f"/v1/users/{name}/workspaces/w1", {"role": "WRITE"}, method="PUT")
        key = {"name": name, "scopes": ["admin"], "user_id": name}
        guarded.keys[name] = (await guarded.make("/v1/keys", key))["key"]
    return guarded


async def hands(world, ident):
    found = (await world.send("admin", "GET", f"/v1/approvals/{ident}")).json()["assignee"]
    return found and found["id"]


async def test_a_call_is_taken_from_the_list_and_the_second_who_does_is_told(people, desk):
    ident = desk.ids["approval"]
    opened = await look(people, "/inbox/approvals?whose=nobody", "grace")
    assert f'value="{ident}"' in opened.text
    taken = await answer(people, "/inbox/approvals?whose=nobody", "ada", ident=ident)
    assert (taken.status_code, taken.headers["location"]) == (303, "/inbox/approvals?whose=nobody")
    late = await answer(people, "/inbox/approvals?whose=nobody", "grace", page=opened, ident=ident)
    assert late.status_code == 409
    assert "Ada &lt;script&gt;alert(1)&lt;/script&gt; took this before you." in late.text
    assert await hands(desk, ident) == "ada"
    assert ident in (await look(people, "/inbox/approvals?whose=mine", "ada")).text
    assert ident not in (await look(people, "/inbox/approvals?whose=mine", "grace")).text


async def test_it_is_given_on_and_let_go_and_the_thread_tells(people, desk):
    path = f"/inbox/approvals/{desk.ids['approval']}"
    assert (await answer(people, path, "ada", do="take")).status_code == 303
    assert "(you)" not in (await look(people, f"{path}?give=1", "ada")).text
    stale = await look(people, f"{path}?give=1", "ada")
    assert (await answer(people, path, "ada", page=stale, do="give", user_id="grace")).status_code == 303
    assert await hands(desk, desk.ids["approval"]) == "grace"
    late = await answer(people, path, "ada", page=stale, do="release")
    assert late.status_code == 412
    assert "This changed while you looked at it" in late.text
    answered = await answer(people, path, "ada", page=stale, answer="approve", reason="I know them")
    assert answered.status_code == 412
    assert "has it now. Read it again" in re.sub(r"<[^>]*>", "", answered.text)
    assert "I know them" in answered.text
    await answer(people, path, "grace", do="release")
    page = re.sub(r"<[^>]*>", "", (await look(people, path, "grace")).text)
    for said in ("took this", "gave this to you", "You let this go", "Nobody has it"):
        assert said in page


async def test_it_goes_only_to_those_who_may_answer_and_the_form_says_why(people, desk):
    path = f"/inbox/approvals/{desk.ids['approval']}"
    refused = await answer(people, path, "ada", do="give", user_id=desk.ids["user_id"])
    assert refused.status_code == 422
    assert "may not act in workspace" in refused.text


async def test_a_comment_is_shown_with_what_hides_in_it_and_a_blank_one_is_not_kept(people, desk):
    path = f"/inbox/attention/{desk.ids['attention']}"
    assert 'name="comment"' not in (await look(people, path, "ada")).text
    path = f"/inbox/approvals/{desk.ids['approval']}"
    opened = await look(people, path, "ada")
    for _ in range(2):
        sent = await answer(people, path, "ada", page=opened, do="comment", comment=f"{EVIL}{HIDDEN}")
        assert sent.status_code == 303
    page = (await look(people, path, "grace")).text
    assert EVIL not in page
    assert ">U+202E</mark>" in page
    assert "1 comment" in (await look(people, "/inbox/approvals?status=", "grace")).text
    blank = await answer(people, path, "ada", do="comment", comment="  ")
    assert blank.status_code == 422
    assert "Write something first." in blank.text
    long = await answer(people, path, "ada", do="comment", comment="y" * 4001)
    assert "y" * 4001 in long.text
    assert "At most 4,000 characters" in long.text


async def test_one_who_may_only_look_reads_the_thread_and_finds_no_form(people, desk):
    key = {"name": "reads", "scopes": ["conversations:read", "receipts:read"]}
    people.keys["reads"] = (await people.make("/v1/keys", key))["key"]
    path = f"/inbox/approvals/{desk.ids['approval']}"
    await answer(people, path, "ada", do="comment", comment="I ask them.")
    page = (await look(people, path, "reads")).text
    assert "I ask them." in page
    assert not {'name="do"', 'name="comment"'} & set(re.findall(r'name="(?:do|comment)"', page))


async def test_a_key_of_nobody_takes_nothing_and_may_still_give(people, desk):
    path = f"/inbox/approvals/{desk.ids['approval']}"
    page = (await look(people, path)).text
    assert 'value="take"' not in page
    assert "Give it to somebody" in page
    assert 'value="mine"' not in (await look(people, "/inbox/approvals")).text


@pytest.mark.usefixtures("people")
async def test_taking_and_talking_go_by_keyboard(site, desk, browser, watch):
    async with window(browser, watch, DESK) as page:
        await site.sign_in(page.context, "grace")
        await page.goto(f"/inbox/approvals/{desk.ids['approval']}")
        await page.get_by_role("button", name="Take it").press("Enter")
        await expect(page.get_by_text("You have it", exact=True)).to_be_visible()
        await page.get_by_label("Add a comment").fill("I know them.\nThey called.")
        await page.get_by_role("button", name="Comment").press("Enter")
        await expect(page.get_by_role("listitem").filter(has_text="I know them.")).to_be_visible()
        await page.get_by_role("link", name="Give it to somebody").press("Enter")
        await expect(page.get_by_label("Give it to")).to_be_focused()
        await assert_accessible(page)
