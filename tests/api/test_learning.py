"""The learning loop over the wire: brought, resolved, mined by a worker, and waiting for review."""

import pytest

from bylaw import settings
from bylaw.app.worker import join_worker
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids

CORRECTED = [
    {"role": "user", "content": "Can I have my money back before I send it?"},
    {"role": "assistant", "content": "I have refunded it right away."},
    {"role": "human", "content": "No, we never refund before the return has arrived."},
]


async def work(world):
    """Let a worker do what there is to do."""
    clock = SystemClock()
    stores = world.app.stores
    options = {"clock": clock, "ids": Ids(clock)}
    async with join_worker(settings.load({}, {}), stores.control, stores.secret_file, **options) as worker:
        await worker.run_until_idle()


@pytest.fixture
async def shop(server):
    await server.make("/v1/workspaces", {"id": "shop", "name": "Shop"})
    await server.send("admin", "PUT", "/v1/workspaces/shop/learning", json={"minimum_confidence": 0.4})
    return server


async def test_what_a_resolved_conversation_shows_waits_for_review(shop):
    talk = {"id": "c1", "workspace_id": "shop", "status": "open", "messages": CORRECTED}
    sent = {"workspace_id": "shop", "conversations": [talk, {"id": "bad"}]}
    arrived = await shop.make("/v1/conversations/import", sent)
    assert [(each["outcome"], each["id"]) for each in arrived["results"]] == [
        ("imported", "c1"),
        ("refused", "bad"),
    ]
    assert (await shop.send("admin", "GET", "/v1/learning/runs")).json()["data"] == []
    await shop.make("/api/conversations/c1/resolve", {"outcome": "Refunded by mistake."})
    await work(shop)
    (item,) = (await shop.send("admin", "GET", "/v1/learning/runs?workspace_id=shop")).json()["data"]
    assert (item["cause"], item["status"], item["counts"]) == ("resolved", "finished", {"proposed": 1})
    run = (await shop.send("admin", "GET", f"/v1/learning/runs/{item['id']}")).json()
    (finding,) = run["findings"]
    assert finding["text"] == "Do not refund before the return has arrived."
    assert finding["evidence"][0]["conversation_id"] == "c1"
    pending = (await shop.send("admin", "GET", "/api/workspaces/shop/policy-entries/pending")).json()
    (entry,) = pending["items"]
    assert (entry["id"], entry["sourceType"], entry["sourceConversationId"], entry["confidence"]) == (
        finding["policy_id"], "learning_loop", "c1", 0.5,
    )  # fmt: skip


async def test_choices_are_replaced_whole_and_only_at_their_revision(shop):
    path = "/v1/workspaces/shop/learning"
    found = await shop.send("admin", "GET", path)
    assert (found.json()["minimum_confidence"], found.json()["enabled"]) == (0.4, True)
    options = {"json": {"enabled": False}, "headers": {"if-match": found.headers["etag"]}}
    assert (await shop.send("admin", "PUT", path, **options)).json()["minimum_confidence"] == 0.5
    assert (await shop.send("admin", "PUT", path, **options)).status_code == 412
    assert (await shop.send("admin", "PUT", path, json={"similarity": 2})).status_code == 422


async def test_a_dry_run_proposes_nothing(shop):
    talk = {"id": "c1", "messages": CORRECTED}
    await shop.make(
        "/v1/conversations/import", {"workspace_id": "shop", "conversations": [talk], "learn": False}
    )
    run = await shop.make("/v1/learning/runs", {"workspace_id": "shop", "dry_run": True})
    await work(shop)
    found = (await shop.send("admin", "GET", f"/v1/learning/runs/{run['id']}")).json()
    assert (found["counts"], found["findings"][0]["policy_id"]) == ({"proposed": 1}, None)
    assert (await shop.send("admin", "GET", "/v1/policies")).json()["data"] == []
