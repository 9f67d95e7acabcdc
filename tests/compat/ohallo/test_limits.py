"""How long an entry may be, and the array that `Accept` asks for."""

import json

import pytest

from tests.compat.ohallo.asking import ENTRIES

TEXT = {"topic": "returns", "ruleText": "Ask for the order number."}


async def made(world, **given):
    return await world.send("writer", "POST", ENTRIES, json={**TEXT, **given})


@pytest.mark.parametrize(
    ("field", "most", "too_long"),
    [
        ("topic", "t" * 200, "t" * 201),
        ("ruleText", "Ask. " * 4_000, "Ask. " * 4_000 + "x"),
        ("conditions", {"note": "x" * 65_525}, {"note": "x" * 65_526}),
    ],
    ids=["topic", "text", "conditions"],
)
async def test_what_is_as_long_as_may_be_is_kept_and_more_is_refused_by_its_name(
    world, field, most, too_long
):
    found = await made(world, **{field: most})
    assert found.status_code == 201, found.text
    assert found.json()[field] == most
    refused = await made(world, **{field: too_long})
    assert refused.status_code == 400
    assert refused.json()["error"].startswith(f"{field}: ")


async def test_a_body_beyond_the_servers_limit_is_413(world):
    found = await made(world, conditions={"note": "x" * (1 << 20)})
    assert found.status_code == 413
    assert set(found.json()) == {"error"}


ARRAYS = (
    'application/json; profile="array"',
    "application/json;profile=array",
    "text/html, application/json; q=0.9; profile=ARRAY",
    'application/json; profile="array"; charset=utf-8, */*',
)
OBJECTS = ("application/json", "*/*", "", 'application/json; profile="arrays"', "text/html; profile=array")


@pytest.mark.parametrize("path", [ENTRIES, f"{ENTRIES}/search?q=order", f"{ENTRIES}/pending"])
async def test_accept_asks_for_the_items_alone(world, path):
    await made(world)
    await made(world, status="pending_review")
    whole = (await world.send("writer", "GET", path)).json()
    for accept in ARRAYS:
        found = await world.send("writer", "GET", path, headers={"accept": accept})
        assert found.json() == whole["items"]
        assert (found.headers["x-total-count"], found.headers["vary"]) == (str(whole["total"]), "accept")
    for accept in OBJECTS:
        found = await world.send("writer", "GET", path, headers={"accept": accept})
        assert (found.status_code, found.json()) == (200, whole)


async def test_the_query_has_the_last_word(world):
    await made(world)
    headers = {"accept": ARRAYS[0]}
    found = await world.send("writer", "GET", f"{ENTRIES}?envelope=object", headers=headers)
    assert set(found.json()) == {"items", "total"}
    found = await world.send("writer", "GET", f"{ENTRIES}?envelope=array", headers={"accept": "text/html"})
    assert isinstance(found.json(), list)
    assert (await world.send("writer", "GET", f"{ENTRIES}?envelope=list")).status_code == 400


async def test_a_failure_is_the_same_whatever_is_accepted(world):
    for accept in (*ARRAYS, *OBJECTS, "text/html"):
        found = await world.send("writer", "GET", f"{ENTRIES}?limit=0", headers={"accept": accept})
        assert (found.status_code, set(json.loads(found.content))) == (400, {"error"})
