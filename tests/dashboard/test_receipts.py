"""Receipts: a live list, one decision told in plain words, and the proof of it to take along."""

import asyncio
from contextlib import AsyncExitStack
from urllib.parse import unquote

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import expect

from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust, verify
from tests.dashboard.browser import PATIENCE_MS
from tests.dashboard.hostile import HOSTILE, assert_shown_as_text
from tests.dashboard.lessons import reader
from tests.dashboard.serving import COOKIE, listening

CALL = {"name": "pay_invoice", "arguments": {"amount": 7200, "exact": 1.50, "note": HOSTILE["script"]}}


async def decide(site, **more):
    asked = {"agent_id": "payer", "workspace_id": "shop", "phase": "tool_call", "tool_call": CALL, **more}
    return await site.world.make("/v1/decisions", asked)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def blocked(site):
    """A decision that a policy blocked."""
    await site.world.make("/v1/workspaces", {"id": "shop", "name": "Shop"})
    rules = [{"expr": "tool_call.arguments.amount < 5000", "message": "A person pays more."}]
    policy = {"name": "Large sums", "rules": rules, "workspace_id": "shop", "action": "block"}
    made = await site.world.make("/v1/policies", policy)
    talk = {"name": "Talk", "rules": [{"expr": "true"}], "conditions": {"phase": ["input", "output"]}}
    await site.world.make("/v1/policies", {**talk, "workspace_id": "shop"})
    decision = await decide(site, user_intent="Pay it.")
    return {"policy": made["id"], "id": decision["receipt_id"], "path": f"/receipts/{decision['receipt_id']}"}


async def test_the_list_is_narrowed_by_what_is_asked(site, blocked):
    other = await decide(site, workspace_id="w2", agent_id="someone")
    async with reader(site) as somebody:
        for query, here, gone in (
            ("outcome=block", blocked["id"], other["receipt_id"]),
            ("agent_id=someone", other["receipt_id"], blocked["id"]),
            ("workspace_id=shop", blocked["id"], other["receipt_id"]),
            (f"policy_id={blocked['policy']}", blocked["id"], other["receipt_id"]),
        ):
            shown = (await somebody.open(f"/receipts?{query}")).text
            assert here in shown, query
            assert gone not in shown, query
        assert "Nothing matches" in (await somebody.open("/receipts?since=2099-01-01")).text
        assert (await somebody.open("/receipts?since=yesterday")).status_code == 422
        led = await somebody.open(f"/receipts?id={blocked['id']}")
        assert led.headers["location"] == blocked["path"]


@pytest.mark.usefixtures("blocked")
async def test_pages_of_the_list_hold_every_decision_once(site):
    for _ in range(52):
        await decide(site, agent_id="busy")
    async with reader(site) as somebody:
        first = (await somebody.open("/receipts?agent_id=busy")).text
        following = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        second = (await somebody.open(unquote(following) if "%25" in following else following)).text
    rows = [text.count('id="row-rcpt_') for text in (first, second)]
    assert rows == [50, 2]


async def test_one_decision_says_what_was_asked_and_which_rule_decided(site, blocked):
    async with reader(site) as somebody:
        shown = (await somebody.open(blocked["path"])).text
    for words in (
        "7200",
        "1.5",
        "Pay it.",
        "A person pays more.",
        "worked out by the rule",
        "everything holds",
    ):
        assert words in shown, words
    assert f'href="/policies/{blocked["policy"]}/versions/1"' in shown
    assert "<script>bylawRan" not in shown


async def test_who_was_let_in_to_ask_and_who_changed_something_are_named(site):
    made = await site.world.make("/v1/keys", {"name": "till 4", "scopes": ["decisions:write"]})
    site.world.keys["till"] = made["key"]
    asked = await site.world.make("/v1/decisions", {"agent_id": "till"}, "till")
    async with reader(site) as somebody:
        assert "the key till 4</span>" in (await somebody.open(f"/receipts/{asked['receipt_id']}")).text
        assert 'title="key:' in (await somebody.open("/receipts?kind=change")).text


@pytest.mark.usefixtures("blocked")
async def test_a_field_in_a_reason_is_shown_as_code(site):
    decision = await decide(site, tool_call={"name": "pay_invoice", "arguments": {}})
    async with reader(site) as somebody:
        shown = (await somebody.open(f"/receipts/{decision['receipt_id']}?now=")).text
    for place in ("decided", "now"):
        section = shown.partition(f'id="{place}"')[2].partition("</section>")[0]
        assert "<code>tool_call.arguments.amount</code> is missing" in section
        assert "`" not in section


async def test_now_is_told_apart_from_then(site, blocked):
    async with reader(site) as somebody:
        shown = (await somebody.open(f"{blocked['path']}?now=")).text
    assert "Above stands what was decided then" in shown
    assert "the same as then" in shown
    assert "What would change it" in shown
    assert "4999" in shown
    assert "it applies where <code>phase</code>\nis one of <code>input</code>, <code>output</code>" in shown


async def test_the_proof_that_is_downloaded_verifies_offline(site, blocked):
    async with reader(site) as somebody:
        file = await somebody.open(f"{blocked['path']}/bundle?disclose=")
        keys = await somebody.open("/.well-known/jwks.json")
        sealed = await somebody.open(f"{blocked['path']}/dsse")
    name = f'attachment; filename="bylaw-{blocked["id"]}-disclosed.json"'
    assert file.headers["content-disposition"] == name
    trust = Trust(keys=key_set(keys.content))
    assert verify(file.content, trust).status == "verified"
    assert verify(file.content.replace(b"block", b"allow"), trust).status == "invalid"
    assert verify(sealed.content, trust).status == "verified"


@pytest.mark.usefixtures("blocked")
async def test_what_is_erased_is_gone_and_said_to_be(site):
    decision = await decide(site, user_intent="A secret to forget.")
    path = f"/receipts/{decision['receipt_id']}"
    async with reader(site) as somebody:
        assert (await somebody.send(f"{path}/erase", {"part": "request"})).status_code == 303
        await somebody.send(f"{path}/erase", {"part": "decision"})
        shown = (await somebody.open(path)).text
    assert "What was said was erased" in shown
    assert "A secret to forget." not in shown
    assert "everything holds" in shown


async def test_receipts_of_others_are_not_there(site, blocked):
    async with reader(site, "stranger") as stranger:
        for path in ("", "/bundle", "/dsse", "/erase"):
            assert (await stranger.open(blocked["path"] + path)).status_code == 404
    async with reader(site, "nobody") as nobody:
        assert (await nobody.open("/receipts")).status_code == 403
        assert (await nobody.open("/receipts/live")).status_code == 403


@pytest.mark.usefixtures("blocked")
async def test_the_stream_tells_of_what_is_new_and_ends_with_the_session(site):
    session = await site.session()
    cookies = {COOKIE: session}
    async with AsyncExitStack() as stack:
        opened = httpx.AsyncClient(base_url=site.url, cookies=cookies, timeout=20)
        client = await stack.enter_async_context(opened)
        page = (await client.get("/receipts")).text
        live = page.split('hx-sse:connect="')[1].split('"')[0]
        stream = await stack.enter_async_context(client.stream("GET", live))
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()
        assert await anext(lines) == ":"
        await decide(site)
        assert [line async for line in _until(lines, "event: changed")][-1] == "event: changed"
        await site.world.send(session, "DELETE", "/v1/session")
        async with asyncio.timeout(10):
            assert "event: changed" in [line async for line in lines]


async def test_streams_end_whole_when_the_browser_leaves_and_when_the_server_stops(site, caplog):
    cookies = {COOKIE: await site.session()}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(cookies=cookies, timeout=20))
        async with listening(site.world.app.asgi) as url:
            async with client.stream("GET", f"{url}/receipts/live") as left:
                assert await anext(left.aiter_lines()) == ":"
            kept = await stack.enter_async_context(client.stream("GET", f"{url}/receipts/live"))
            lines = kept.aiter_lines()
            assert await anext(lines) == ":"
        async for _ in lines:  # it would raise if the stream was cut off
            pass
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []


@pytest.mark.usefixtures("blocked")
async def test_many_tabs_leave_the_browser_connections_for_its_pages(site):
    cookies = {COOKIE: await site.session()}
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(httpx.AsyncClient(cookies=cookies, timeout=20))
        tabs = []
        for _ in range(4):
            stream = client.stream("GET", f"{site.url}/receipts/live")
            tabs.append((await stack.enter_async_context(stream)).aiter_lines())
            assert await anext(tabs[-1]) == ":"
        async with asyncio.timeout(10):
            assert "" in [line async for line in tabs[0]]
        await decide(site)
        async with asyncio.timeout(10):
            assert [line async for line in _until(tabs[1], "event: changed")]


async def _until(lines, wanted):
    async for line in lines:
        yield line
        if line == wanted:
            return


@pytest.mark.usefixtures("blocked")
async def test_a_new_decision_shows_up_in_the_open_list(page, site):
    await page.goto("/receipts?agent_id=newcomer")
    await expect(page.get_by_text("Nothing matches")).to_be_visible()
    await decide(site, agent_id="newcomer")
    row = page.get_by_role("link", name="newcomer wanted to call a tool")
    await expect(row).to_be_visible(timeout=PATIENCE_MS)
    await page.get_by_role("link", name="Pause").click()
    await expect(page.get_by_text("Paused")).to_be_visible()


@pytest.mark.usefixtures("blocked")
async def test_a_hostile_decision_runs_nowhere(page, site):
    hostile = " ".join(HOSTILE.values())
    call = {"name": HOSTILE["svg"], "arguments": {HOSTILE["htmx"]: hostile}}
    made = await decide(site, tool_call=call, user_intent=hostile, agent_id=f"x{HOSTILE['script']}")
    await page.goto(f"/receipts/{made['receipt_id']}")
    await assert_shown_as_text(page, HOSTILE["script"])
    await page.goto("/receipts")
    await assert_shown_as_text(page, f"x{HOSTILE['script']}")
