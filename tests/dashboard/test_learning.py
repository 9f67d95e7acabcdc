"""Learning: conversations are brought, read and forgotten, runs are started and followed."""

import json

import pytest_asyncio

from tests.api.test_learning import work
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
