"""Topics over HTTP: listed, warned about, and renamed."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def write(world, topic, **given):
    body = {"name": f"about {topic}", "topic": topic, "rules": [{"text": "Be kind."}]}
    return await world.make("/v1/policies", body | given)


async def topics(world, query="", caller="admin"):
    answer = await world.send(caller, "GET", f"/v1/topics{query}")
    assert answer.status_code == 200, answer.text
    return {each["topic"]: each["policies"] for each in answer.json()["data"]}


async def rename(world, caller="admin", **given):
    return await world.send(caller, "POST", "/v1/topics/rename", json=given)


def warned(saved):
    return [each["message"] for each in saved["warnings"] if each["code"] == "close_topic"]


async def test_a_new_topic_that_is_close_to_another_is_warned_about(world):
    assert warned(await write(world, "parcels")) == []
    assert warned(await write(world, "Parcels")) == []
    for close in ("parcel", "Letters & parcels", "pracels"):
        (message,) = warned(await write(world, close))
        assert "'Parcels' (2)" in message
    assert warned(await write(world, "parcels")) == []
    assert warned(await write(world, "tone")) == []
    assert warned(await write(world, None)) == []


async def test_topics_are_listed_with_counts_as_far_as_they_may_be_seen(world):
    await write(world, "only w1", workspace_id="w1")
    await write(world, "only_w1", workspace_id="w1")
    assert (await topics(world))["only_w1"] == 2
    assert await topics(world, "?workspace_id=w1") == {"only_w1": 2, "refunds": 1}
    assert "only_w1" not in await topics(world, caller="neighbour")
    assert await topics(world, caller="stranger") == {}
    assert (await world.send("admin", "GET", "/v1/topics?nonsense=1")).status_code == 422


async def test_a_topic_is_renamed_and_joined_to_another_as_a_whole(world):
    made = [await write(world, spelled) for spelled in ("price_match", "Price match")]
    await write(world, "pricing")
    tried = (await rename(world, topic="price-match", to="pricing", dry_run=True)).json()
    assert (set(tried["changed"]), tried["joined"]) == ({each["id"] for each in made}, 1)
    assert (await topics(world))["pricing"] == 1
    done = (await rename(world, topic="price-match", to="pricing", reason="one word")).json()
    assert done == {**tried, "dry_run": False}
    assert "price_match" not in await topics(world)
    assert (await topics(world))["pricing"] == 3
    for each in made:
        now = (await world.send("admin", "GET", f"/v1/policies/{each['id']}/versions/2")).json()
        assert (now["topic"], now["reason"]) == ("pricing", "one word")
    assert (await rename(world, topic="price-match", to="pricing")).status_code == 404
    assert (await rename(world, topic="pricing", to=" ")).status_code == 422
    assert (await rename(world, topic="pricing", to="x" * 5_000)).status_code == 422


async def test_who_may_not_change_one_of_them_changes_none(world):
    spec = {"name": "editor", "scopes": ["policy:write"], "workspace_id": "w1"}
    world.keys["editor"] = (await world.make("/v1/keys", spec))["key"]
    await write(world, "everywhere")
    mine = await write(world, "everywhere", workspace_id="w1")
    refused = await rename(world, "editor", topic="everywhere", to="nowhere")
    assert refused.status_code == 403
    assert (await topics(world))["everywhere"] == 2
    done = await rename(world, "editor", topic="everywhere", to="nowhere", workspace_id="w1")
    assert done.json()["changed"] == [mine["id"]]
    assert (await rename(world, "stranger", topic="everywhere", to="mine")).status_code == 404


async def test_where_edits_are_reviewed_the_new_topic_waits(world):
    review = await world.send("admin", "PATCH", "/v1/workspaces/w2", json={"review_edits": True})
    assert review.status_code == 200, review.text
    made = await write(world, "slow", workspace_id="w2", status="approved")
    done = (await rename(world, topic="slow", to="slower")).json()
    assert done["changed"] == done["waiting"] == [made["id"]]
    assert "slow" in await topics(world)
