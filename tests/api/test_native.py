"""What every native route promises alike: ETags, kept answers, pages, readiness, metrics."""

import asyncio

import pytest

from bylaw import settings
from bylaw.app import build
from tests.api.conftest import World, populate


async def test_a_change_from_a_stale_etag_is_refused_and_says_which_is_current(server):
    made = await server.send("admin", "POST", "/v1/workspaces", json={"name": "A", "id": "a"})
    assert made.headers["etag"] == '"1"'
    options = {"json": {"name": "B"}, "headers": {"if-match": made.headers["etag"]}}
    first = await server.send("admin", "PATCH", "/v1/workspaces/a", **options)
    second = await server.send("admin", "PATCH", "/v1/workspaces/a", **options)
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert (second.status_code, second.json()["current"]) == (412, "2")
    for tag in ("*", 'W/"2"'):
        options["headers"]["if-match"] = tag
        assert (await server.send("admin", "PATCH", "/v1/workspaces/a", **options)).status_code == 200
    options["headers"]["if-match"] = "2"
    assert (await server.send("admin", "PATCH", "/v1/workspaces/a", **options)).status_code == 422


@pytest.mark.parametrize(
    ("sent", "status"),
    [('"1"', 304), ('W/"1"', 304), ('"0", "1"', 304), ("*", 304), ('"2"', 200), ("1", 200), ("", 200)],
)
async def test_what_a_reader_has_already_is_not_sent_again(server, sent, status):
    await server.make("/v1/workspaces", {"name": "A", "id": "a"})
    headers = {"if-none-match": sent}
    found = await server.send("admin", "GET", "/v1/workspaces/a", headers=headers)
    assert (found.status_code, found.headers["etag"], bool(found.content)) == (status, '"1"', status == 200)
    listed = await server.send("admin", "GET", "/v1/workspaces", headers=headers)
    assert listed.status_code == 200


async def test_a_past_expiry_of_a_key_is_named_as_it_was_sent(server):
    new = {"name": "k", "scopes": ["policy:read"], "expires_at": "2001-01-01T00:00:00Z"}
    found = await server.send("admin", "POST", "/v1/keys", json=new)
    assert [each["path"] for each in found.json()["errors"]] == ["expires_at"]


async def test_twenty_posts_at_once_under_one_key_make_one_thing(server):
    options = {"json": {"name": "A"}, "headers": {"idempotency-key": "k"}}
    found = await asyncio.gather(
        *(server.send("admin", "POST", "/v1/workspaces", **options) for _ in range(20))
    )
    assert {each.status_code for each in found} == {201}
    assert len({each.json()["id"] for each in found}) == 1
    assert {each.headers["etag"] for each in found} == {'"1"'}
    assert sum("idempotent-replayed" in each.headers for each in found) == 19
    assert len((await server.send("admin", "GET", "/v1/workspaces")).json()["data"]) == 1


async def test_a_kept_answer_is_for_its_request_and_caller_only(server):
    headers = {"idempotency-key": "k"}
    await server.send("admin", "POST", "/v1/workspaces", json={"name": "A"}, headers=headers)
    other = await server.send("admin", "POST", "/v1/workspaces", json={"name": "B"}, headers=headers)
    assert (other.status_code, other.json()["reason"]) == (409, "idempotency_key_reused")
    second = await server.make("/v1/keys", {"name": "second", "scopes": ["admin"]})
    fresh = await server.send(second["key"], "POST", "/v1/workspaces", json={"name": "B"}, headers=headers)
    assert (fresh.status_code, "idempotent-replayed" in fresh.headers) == (201, False)


async def test_a_request_that_failed_is_not_kept(server):
    options = {"json": {"name": "A", "id": "a"}, "headers": {"idempotency-key": "k"}}
    await server.make("/v1/workspaces", {"name": "A", "id": "a"})
    assert (await server.send("admin", "POST", "/v1/workspaces", **options)).status_code == 409
    await server.send("admin", "DELETE", "/v1/workspaces/a")
    again = await server.send("admin", "POST", "/v1/workspaces", **options)
    assert "idempotent-replayed" not in again.headers


async def test_the_text_of_a_key_is_shown_once_and_never_kept(server):
    options = {
        "json": {"name": "k", "scopes": ["policy:read"]},
        "headers": {"idempotency-key": "mint"},
    }
    first = (await server.send("admin", "POST", "/v1/keys", **options)).json()
    again = (await server.send("admin", "POST", "/v1/keys", **options)).json()
    assert first["key"].startswith(first["prefix"])
    assert again == first | {"key": None}
    assert "key" not in (await server.send("admin", "GET", f"/v1/keys/{first['id']}")).json()
    data = server.app.key_file.parent
    assert all(first["key"].encode() not in path.read_bytes() for path in data.iterdir())


async def test_a_registered_text_works_and_a_revoked_one_does_not(server):
    raw = "sf_live_v1_brought-from-somewhere-else-0001"
    made = await server.make("/v1/keys", {"name": "k", "scopes": ["policy:read"], "key": raw})
    assert made["key"] is None
    assert (await server.send(raw, "GET", "/v1/policies")).status_code == 200
    async with server.client(None) as client:
        assert (await client.get("/v1/policies", headers={"x-api-key": raw})).status_code == 200
        both = {"x-api-key": raw, "authorization": f"Bearer {raw}"}
        assert (await client.get("/v1/policies", headers=both)).status_code == 401
        basic = {"authorization": f"Basic {raw}"}
        assert (await client.get("/v1/policies", headers=basic)).status_code == 401
    await server.make(f"/v1/keys/{made['id']}/revoke", {})
    assert (await server.send(raw, "GET", "/v1/policies")).status_code == 401


async def test_pages_hold_every_item_once(server):
    made = [(await server.make("/v1/workspaces", {"name": f"w{n}"}))["id"] for n in range(7)]
    seen, cursor = [], ""
    while cursor is not None:
        found = (await server.send("admin", "GET", f"/v1/workspaces?limit=3{cursor}")).json()
        assert len(found["data"]) <= 3
        seen += [each["id"] for each in found["data"]]
        cursor = None if found["next_cursor"] is None else f"&cursor={found['next_cursor']}"
    assert seen == made[::-1]


@pytest.mark.parametrize("query", ["cursor=nonsense", "limit=0", "limit=501", "limit=x", "typo=1"])
async def test_an_unusable_query_is_named(server, query):
    found = await server.send("admin", "GET", f"/v1/workspaces?{query}")
    assert found.status_code == 422
    assert query.split("=")[0] in found.json()["errors"][0]["path"]
    assert ("There is no such parameter" in found.text) == (query == "typo=1")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/policies/%00", 422),
        ("/v1/agents/a%00b", 422),
        ("/v1/policies?text=%00", 422),
        ("/v1/receipts/%F0%9F%92%A9", 404),
        ("/v1/receipts/%ED%A0%80", 404),
        ("/v1/agents/a%2Fb", 404),
    ],
)
async def test_an_id_that_nothing_can_have_is_refused(server, path, status):
    assert (await server.send("admin", "GET", path)).status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/nothing", 404, None),
        ("GET", "/v1/policies/", 404, None),
        ("PUT", "/v1/workspaces", 405, "GET, POST"),
        ("GET", "/v1/decisions", 405, "POST"),
        ("DELETE", "/healthz", 405, "GET"),
    ],
)
async def test_an_unknown_route_is_a_problem_whatever_is_sent_to_it(server, method, path, status, allow):
    for options in {}, {"content": b"a=b", "headers": {"content-type": "text/plain"}}:
        found = await server.send("admin", method, path, **options)
        assert (found.status_code, found.headers.get("allow")) == (status, allow)
        assert found.headers["content-type"] == "application/problem+json"


async def test_a_policy_that_is_wrong_in_many_places_hears_of_all(server):
    body = {
        "name": "",
        "rules": [{"expr": "amount <"}, {"text": "x", "effect": "maybe"}],
        "reach": "everywhere",
        "typo": 1,
    }
    found = await server.send("admin", "POST", "/v1/policies", json=body)
    paths = {each["path"] for each in found.json()["errors"]}
    assert paths == {"name", "rules[0].expr", "rules[1].effect", "reach", "typo"}


async def test_the_server_says_that_it_is_ready_and_what_it_counts(server):
    await populate(server)
    await server.send("admin", "POST", "/v1/decisions", json={"agent_id": "a", "dry_run": True})
    await server.send(None, "GET", "/v1/policies")
    ready = await server.send(None, "GET", "/readyz")
    assert ready.json() == {
        "ready": True,
        "checks": [
            {"name": "changes", "ok": True, "detail": ""},
            {"name": "control", "ok": True, "detail": ""},
            {"name": "receipts", "ok": True, "detail": ""},
        ],
    }
    said = (await server.send(None, "GET", "/metrics")).text
    for line in (
        'bylaw_decisions_total{dry_run="yes",outcome="allow",posture="ungoverned"} 1.0',
        'bylaw_key_refusals_total{code="unauthenticated"} 1.0',
        'bylaw_http_requests_total{method="POST",route="/v1/decisions",status="200"} 2.0',
        "bylaw_log_queued 0.0",
        "bylaw_effects_lag 0.0",
        "bylaw_policies_refused 0.0",
    ):
        assert line in said.splitlines()


async def test_a_server_whose_log_is_closed_says_that_it_is_not_ready(server):
    await server.app.stores.ledger.log.close()
    found = await server.send(None, "GET", "/readyz")
    assert found.status_code == 503
    assert [each["name"] for each in found.json()["checks"] if not each["ok"]] == ["receipts"]
    decided = await server.send("admin", "POST", "/v1/decisions", json={"agent_id": "a"})
    assert (decided.status_code, decided.json()["code"]) == (503, "unavailable")
    assert decided.headers["retry-after"] == "1"


async def test_all_who_come_without_a_key_share_one_pace(tmp_path):
    async with build(settings.build(data=tmp_path / "data", unknown_per_minute=3)) as app:
        world = World(app=app)
        found = [await world.send(None, "GET", "/v1/log") for _ in range(4)]
        assert [each.status_code for each in found] == [200, 200, 200, 429]
        assert found[0].headers["ratelimit-limit"] == "3"
        assert (await world.send(None, "GET", "/v1/receipts/x/verify")).status_code == 429
        assert (await world.send(app.admin_key, "GET", "/v1/policies")).status_code == 200
        assert (await world.send(None, "GET", "/healthz")).status_code == 200


async def test_one_address_leaves_something_for_the_others(tmp_path):
    limits = {"unknown_per_minute": 5, "address_per_minute": 2}
    async with build(settings.build(data=tmp_path / "data", **limits)) as app:
        world = World(app=app)

        async def status_of(address):
            headers = {"x-forwarded-for": address}
            return (await world.send(None, "GET", "/v1/log", headers=headers)).status_code

        assert [await status_of("198.51.100.1") for _ in range(20)] == [200, 200, *[429] * 18]
        assert [await status_of(f"198.51.100.{n}") for n in range(2, 6)] == [200, 200, 200, 429]


async def test_no_answer_is_kept_by_anything_on_its_way(server):
    for path in ("/v1/workspaces", "/v1/decisions", "/nothing"):
        assert (await server.send("admin", "GET", path)).headers["cache-control"] == "no-store"
