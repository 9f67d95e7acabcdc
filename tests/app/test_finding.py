"""A policy that is saved comes to be found by what it means."""

import pytest

from bylaw import settings
from bylaw.app import build
from bylaw.app.embedding import ask_to_embed_all
from bylaw.app.worker import open_worker
from bylaw.search import weights
from bylaw.search.embedding import KIND
from tests.api.conftest import World


async def jobs(world):
    answer = (await world.send("admin", "GET", f"/v1/jobs?kind={KIND}")).json()["data"]
    return [each["status"] for each in answer]


@pytest.mark.skipif(weights.folder() is None, reason="the weights of the model are not installed")
async def test_a_saved_policy_is_embedded_by_a_worker_and_then_found_by_its_meaning(tmp_path):
    chosen = settings.build(data=tmp_path)
    async with build(chosen) as app:
        world = World(app=app, keys={"admin": app.admin_key or ""})
        for name in ("Refunds after a return", "Speak kindly"):
            await world.make("/v1/policies", {"name": name, "rules": [{"text": "Follow the handbook."}]})
        assert await jobs(world) == ["waiting"]
        path = "/v1/policies?q=reimburse+customers"
        before = (await world.send("admin", "GET", path)).json()
        assert (before["data"], before["found"]["total"], before["found"]["waiting"]) == ([], 0, 2)
        await ask_to_embed_all(app.stores.control)
        assert await jobs(world) == ["waiting"]
    async with open_worker(chosen) as worker:
        await worker.run_until_idle()
    async with build(chosen) as app:
        world = World(app=app, keys={"admin": world.keys["admin"]})
        after = (await world.send("admin", "GET", path)).json()
        assert after["data"][0]["name"] == "Refunds after a return"
        assert after["data"][0]["match"]["words"] == []
        assert after["found"]["waiting"] == 0
