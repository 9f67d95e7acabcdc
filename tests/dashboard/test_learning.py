"""Learning: conversations are brought, read and forgotten, runs are started and followed."""

import json

import pytest_asyncio
from playwright.async_api import expect

from tests.api.test_learning import work
from tests.dashboard.hostile import HOSTILE as HOSTILE_TEXTS
from tests.dashboard.hostile import assert_shown_as_text
from tests.dashboard.lessons import CORRECTED, reader, teach

HOSTILE = "<script>bylawRan('x')</script>\"'><img src=x onerror=bylawRan(1)>"


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def taught(site):
    await teach(site.world, "lessons")
    await site.world.make("/v1/workspaces", {"id": "quiet", "name": "Quiet"})


async def test_conversations_are_found_by_what_was_said(site):
    async with reader(site) as somebody:
        everything = await somebody.open("/learning?status=resolved")
        assert everything.status_code == 200
        assert "Refunded by mistake." in everything.text
        found = await somebody.open("/learning?text=voucher")
        assert "/learning/conversations/lessons%3A2026/c2" in found.text
        assert "lessons%3Ac1" not in found.text
        assert "No conversation matches" in (await somebody.open("/learning?text=zebra")).text


async def test_a_conversation_shows_its_calls_and_what_was_learnt(site):
    async with reader(site) as somebody:
        shown = await somebody.open("/learning/conversations/lessons%3A2026/c2")
    assert shown.status_code == 200
    assert 'id="said-1"' in shown.text
    assert "find_order" in shown.text
    assert "On its way." in shown.text
    assert "Vouchers cannot be combined." in shown.text
    assert "Review it" in shown.text


async def test_what_a_tool_was_given_is_read_in_its_own_letters(site):
    calls = [{"id": "t1", "name": "look", "arguments": {"سياسة": "a < b"}}]
    talk = {"id": "letters", "messages": [{"role": "assistant", "content": "", "tool_calls": calls}]}
    sent = {"workspace_id": "quiet", "conversations": [talk], "learn": False}
    await site.world.make("/v1/conversations/import", sent)
    async with reader(site) as somebody:
        shown = (await somebody.open("/learning/conversations/quiet:letters")).text
    assert "{\n  &#34;سياسة&#34;: &#34;a &lt; b&#34;\n}" in shown


async def test_others_find_no_conversation(site):
    async with reader(site, "stranger") as somebody:
        assert (await somebody.open("/learning/conversations/lessons:c1")).status_code == 404
        assert (await somebody.open("/learning/forget/lessons:c1")).status_code == 404
        assert "There are no conversations yet" in (await somebody.open("/learning")).text


async def test_pasted_lines_become_conversations(site):
    lines = [json.dumps({"id": "p1", "messages": CORRECTED}), "nonsense", "", json.dumps({"id": "p2"})]
    async with reader(site) as somebody:
        fields = {"workspace_id": "quiet", "records": "\n".join(lines)}
        became = await somebody.send("/learning/import", fields)
        assert became.status_code == 422
        assert "<strong>1</strong> imported" in became.text
        assert "Line 2 is not a JSON object" in became.text
        assert "Line 4 (" in became.text
        listed = {**fields, "records": json.dumps([{"id": "p1", "messages": CORRECTED}])}
        again = await somebody.send("/learning/import", listed)
        assert "<strong>1</strong> known already" in again.text
        assert again.status_code == 200
        empty = await somebody.send("/learning/import", {"workspace_id": "quiet", "records": " "})
        assert "Paste at least one conversation." in empty.text


async def test_a_run_is_started_followed_and_read(site):
    async with reader(site) as somebody:
        begun = await somebody.send("/learning/runs", {"workspace_id": "lessons", "dry_run": "1"})
        assert begun.status_code == 303
        path = begun.headers["location"]
        waits = (await somebody.open(path)).text
        assert "waits for its turn" in waits
        assert 'hx-trigger="every 2s"' in waits
        await work(site.world)
        done = (await somebody.open(path)).text
        assert "It read 3 conversations" in done
        assert "every 2s" not in done
        assert "said already" in done
        assert path in (await somebody.open("/learning/runs")).text


async def test_choices_are_stored_and_what_others_chose_is_shown(site):
    chosen = {"enabled": "1", "minimum_confidence": "0.6", "most_per_conversation": "2",
              "suppress_days": "30", "similarity": "0.9", "miner": "offline", "keep_days": "0"}  # fmt: skip
    path = "/learning/settings?in=quiet"
    async with reader(site) as somebody:
        seen = (await somebody.open(path)).text
        stored = await somebody.send(path, chosen)
        assert stored.status_code == 303
        now = (await site.world.send("admin", "GET", "/v1/workspaces/quiet/learning")).json()
        assert (now["minimum_confidence"], now["suppress_days"], now["enabled"]) == (0.6, 30, True)
        late = await somebody.send(path, {**chosen, "keep_days": "90"}, shown=seen)
        assert late.status_code == 412
        assert "Now it is 0." in late.text
        assert (await somebody.send(path, {**chosen, "keep_days": "90"}, shown=late.text)).status_code == 303
        wrong = await somebody.send(path, {**chosen, "similarity": "2"})
        assert wrong.status_code == 422
        assert 'id="similarity-error"' in wrong.text


async def test_a_conversation_is_forgotten_after_a_question(site):
    talk = {"id": "gone", "messages": CORRECTED, "contact_name": HOSTILE, "outcome": HOSTILE}
    sent = {"workspace_id": "quiet", "conversations": [talk], "learn": False}
    await site.world.make("/v1/conversations/import", sent)
    async with reader(site) as somebody:
        for path in (
            "/learning",
            "/learning/conversations/quiet:gone",
            "/learning/forget/quiet:gone",
        ):
            shown = await somebody.open(path)
            assert shown.status_code == 200
            assert "<script>bylawRan" not in shown.text
        gone = await somebody.send("/learning/forget/quiet:gone", {})
        assert gone.status_code == 303
        assert (await somebody.open("/learning/conversations/quiet:gone")).status_code == 404


async def test_who_may_only_read_changes_nothing(site):
    made = await site.world.make("/v1/keys", {"name": "listener", "scopes": ["conversations:read"]})
    site.world.keys["listener"] = made["key"]
    async with reader(site, "listener") as somebody:
        shown = (await somebody.open("/learning/conversations/lessons:c1")).text
        assert "Forget it" not in shown
        runs = (await somebody.open("/learning/runs")).text
        assert "Start a run" not in runs
        assert (await somebody.send("/learning/runs", {"workspace_id": "lessons"})).status_code == 403
        sent = await somebody.send("/learning/import", {"workspace_id": "quiet", "records": '{"id": "x"}'})
        assert sent.status_code == 403


async def test_a_run_that_goes_on_refreshes_by_itself(page, site):
    await page.goto("/learning/runs")
    await page.get_by_label("Look for rules in").select_option("lessons")
    await page.get_by_label("Only tell, propose nothing").check()
    await page.get_by_role("button", name="Start a run").click()
    await expect(page.get_by_text("This page refreshes by itself.")).to_be_visible()
    await work(site.world)
    await expect(page.get_by_text("It read 3 conversations")).to_be_visible()
    await expect(page.get_by_role("heading", name="What it holds back")).to_be_visible()


async def test_a_search_finds_while_one_types_and_leads_to_what_was_said(page):
    await page.goto("/learning")
    await page.get_by_label("Search").fill("voucher")
    await expect(page.get_by_role("link", name="lessons:2026/c2")).to_be_visible()
    await expect(page.get_by_text("Refunded by mistake.")).to_have_count(0)
    await page.get_by_role("link", name="lessons:2026/c2").click()
    await page.get_by_text("Called find_order").click()
    await expect(page.get_by_text("On its way.")).to_be_visible()


async def test_hostile_conversations_are_read_and_do_nothing(page, site):
    texts = list(HOSTILE_TEXTS.values())
    calls = [{"id": "t1", "name": "look", "arguments": {"text": " ".join(texts)}}]
    said = [{"role": "user", "content": text} for text in texts]
    said.append({"role": "assistant", "content": "Well.", "tool_calls": calls})
    talk = {"id": "a?b#c%2F<i>\"'&/d", "messages": said, "contact_name": texts[0], "outcome": texts[1]}
    sent = {"workspace_id": "quiet", "conversations": [talk], "learn": False}
    (made,) = (await site.world.make("/v1/conversations/import", sent))["results"]
    assert made["outcome"] == "imported", made
    await page.goto("/learning")
    await page.get_by_role("link", name=texts[0]).click()
    for text in texts:
        await assert_shown_as_text(page, text)
    await page.get_by_text("Called look").click()
    await page.get_by_role("link", name="Forget it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Forget this conversation?")
