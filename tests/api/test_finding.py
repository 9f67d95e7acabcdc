"""Finding policies by words, and records by who asked."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def found(world, query, caller="admin"):
    answer = await world.send(caller, "GET", f"/v1/policies?{query}")
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["data"]]


async def test_the_best_comes_first_and_a_filter_narrows(world):
    for name, topic, text, place in (
        ("one", "refunds", "Say when a refund of shipping is paid.", None),
        ("two", "tone", "Never speak of shipping.", "w2"),
        ("three", "shipping", "Shipping costs nothing above fifty.", None),
    ):
        body = {"name": name, "topic": topic, "rules": [{"text": text}], "workspace_id": place}
        await world.make("/v1/policies", body)
    assert (await found(world, "q=shipping"))[0] == "three"
    assert set(await found(world, "q=shipping")) == {"one", "two", "three"}
    assert await found(world, "q=shipping&workspace_id=w2") == ["two"]
    assert await found(world, "q=shipping&topic=tone") == ["two"]
    assert await found(world, "q=SHIPPING&limit=1") == ["three"]
    assert await found(world, "q=") == await found(world, "q=%20") == await found(world, "q=zebra") == []


async def test_a_search_is_read_page_by_page(world):
    every = (await world.send("admin", "GET", "/v1/policies?q=shipping")).json()
    assert every["next_cursor"] is None
    seen, cursor = [], ""
    while cursor is not None:
        page = (await world.send("admin", "GET", f"/v1/policies?q=shipping&limit=1{cursor}")).json()
        assert page["found"] == every["found"]
        seen += page["data"]
        cursor = None if page["next_cursor"] is None else f"&cursor={page['next_cursor']}"
    assert seen == every["data"]
    assert every["found"]["total"] == len(seen)
    of_list = (await world.send("admin", "GET", "/v1/policies?limit=1")).json()
    assert (of_list["found"], of_list["data"][0]["match"]) == (None, None)
    for cursor in ("abc", of_list["next_cursor"]):
        refused = await world.send("admin", "GET", f"/v1/policies?q=shipping&cursor={cursor}")
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "cursor")
    refused = await world.send("admin", "GET", "/v1/policies?q=shipping&deleted=true")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "deleted")


async def test_others_find_only_what_they_may_see(world):
    assert await found(world, "q=shipping", "stranger") == []
    body = {"name": "hidden", "rules": [{"text": "Shipping of w1."}], "workspace_id": "w1"}
    await world.make("/v1/policies", body)
    assert "hidden" in await found(world, "q=shipping")
    assert "hidden" not in await found(world, "q=shipping", "neighbour")


async def test_records_are_found_by_user_and_by_key(world):
    rules = [{"expr": "metadata.amount < 100"}]
    await world.make("/v1/policies", {"name": "Caps", "rules": rules, "action": "alert", "reach": "place"})
    spec = {"name": "asker", "scopes": ["decisions:write"]}
    key = await world.make("/v1/keys", spec)
    world.keys["asker"] = key["key"]
    for caller, user in (("admin", "ada"), ("asker", "bob")):
        asked = {"agent_id": "by-" + caller, "user_id": user, "metadata": {"amount": 500}}
        await world.make("/v1/decisions", asked, caller)
    for path in ("/v1/violations", "/v1/alerts"):
        by_user = (await world.send("admin", "GET", f"{path}?user_id=ada")).json()["data"]
        assert {each["occasion"]["agent_id"] for each in by_user} == {"by-admin"}
        by_key = (await world.send("admin", "GET", f"{path}?key_id={key['id']}")).json()["data"]
        assert {each["occasion"]["agent_id"] for each in by_key} == {"by-asker"}
        both = (await world.send("admin", "GET", f"{path}?user_id=ada&key_id={key['id']}")).json()["data"]
        assert both == []
        assert (await world.send("stranger", "GET", f"{path}?user_id=ada")).json()["data"] == []
