"""Webhooks of a running server: what happens is queued for them, once, and workers deliver it."""

import pytest
from standardwebhooks import Webhook as Verifier

from bylaw import settings
from bylaw.app import build
from bylaw.app.worker import join_worker
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.core.paging import Slice
from tests.api.conftest import World
from tests.notify.receiver import receiving

CALL = {"name": "pay", "arguments": {"amount": 9000}}
HELD = {
    "name": "cap",
    "rules": [{"expr": "tool_call.arguments.amount < 5000", "message": "Above 5,000 a person approves."}],
    "action": "review",
}


@pytest.fixture
async def receiver():
    async with receiving() as running:
        yield running


@pytest.fixture
async def world(tmp_path):
    asked = settings.build(data=tmp_path / "data", outgoing="any")
    async with build(asked) as app:
        made = World(app=app, keys={"operator": app.admin_key or "", "admin": app.admin_key or ""})
        made.settings = asked
        yield made


async def listen(world, receiver, *types, **more):
    return await world.make("/v1/webhooks", {"url": receiver.url, "types": list(types), **more})


async def key(world, name, *scopes, **more):
    world.keys[name] = (await world.make("/v1/keys", {"name": name, "scopes": scopes, **more}))["key"]


async def deliver(world):
    stores, clock = world.app.stores, SystemClock()
    await world.app.upkeep.projector.catch_up()
    async with join_worker(
        world.settings, stores.control, stores.secret_file, clock=clock, ids=Ids(clock)
    ) as worker:
        await worker.run_until_idle()


async def told(world, webhook, **query):
    found = await world.send("admin", "GET", f"/v1/webhooks/{webhook['id']}/deliveries", params=query)
    assert found.status_code == 200, found.text
    return found.json()["data"]


async def decide(world, **more):
    return await world.make("/v1/decisions", {"phase": "tool_call", "tool_call": CALL, **more})


async def test_the_life_of_a_policy_is_told_and_verifies(world, receiver):
    webhook = await listen(world, receiver, "policy.*")
    policy = await world.make("/v1/policies", {**HELD, "reach": "bound", "status": "pending_review"})
    path = f"/v1/policies/{policy['id']}"
    for step in ("approve", "archive", "restore"):
        await world.make(f"{path}/{step}", {})
    await world.make("/v1/agents", {"id": "bot"})
    await world.make("/v1/bindings/bot", {"policy_id": policy["id"]}, method="PUT")
    assert (await world.send("admin", "DELETE", "/v1/bindings/bot")).status_code == 200
    await world.make(path, {"risk": "HIGH"}, method="PATCH")
    assert (await world.send("admin", "DELETE", path)).status_code in {200, 204}
    await world.make(f"{path}/undelete", {})
    await deliver(world)
    assert sorted(receiver.types) == sorted(
        f"policy.{each}"
        for each in (
            *("proposed", "approved", "archived", "restored", "bound", "unbound"),
            *("edited", "deleted", "undeleted"),
        )
    )
    for got in receiver.got:
        said = Verifier(webhook["secret"]).verify(got.body, got.headers)
        assert policy["id"] in got.body.decode()
        proof = await world.send("admin", "GET", said["data"]["links"]["receipt"])
        assert proof.status_code == 200, said
        assert proof.json()["id"] == said["data"]["receipt_id"]
    edited = next(each.said["data"] for each in receiver.got if each.said["type"] == "policy.edited")
    assert (edited["policy"]["version"], edited["policy"]["name"], edited["source"]) == (2, "cap", "manual")
    assert edited["by"].startswith("key:")


async def test_what_decisions_leave_and_what_becomes_of_approvals_is_told(world, receiver):
    await key(world, "person", "conversations:write", "conversations:read", "admin")
    webhook = await listen(world, receiver, "violation.*", "alert.*", "attention.*", "approval.*")
    await world.make("/v1/policies", HELD)
    held = await decide(world, agent_id="bot", user_intent="a secret wish")
    approval = next(each["id"] for each in held["obligations"] if each["kind"] == "approval")
    await world.app.upkeep.projector.catch_up()
    await world.make(f"/v1/approvals/{approval}/approve", {"reason": "a private reason"}, "person")
    done = await decide(world, agent_id="bot", user_intent="a secret wish", approval_id=approval)
    assert done["outcome"] == "allow"
    [item] = (await world.send("person", "GET", "/v1/attention")).json()["data"]
    for path in (f"/v1/attention/{item['id']}/resolve", f"/api/attention-items/{item['id']}/resolve"):
        await world.make(path, {}, "person")
    await deliver(world)
    wanted = {"alert.created", "attention.created", "attention.resolved", "violation.created"}
    assert wanted | {"approval.requested", "approval.approved", "approval.spent"} == set(receiver.types)
    whole = b"".join(each.body for each in receiver.got)
    assert not any(each in whole for each in (b"secret wish", b"9000", b"private reason"))
    said = {each.said["type"]: each.said["data"] for each in receiver.got}
    assert said["approval.requested"]["id"] == said["approval.spent"]["id"] == approval
    assert said["approval.requested"]["decision"]["receipt_id"] == held["receipt_id"]
    assert said["approval.spent"]["decision_receipt_id"] == done["receipt_id"]
    assert receiver.types.count("attention.resolved") == 1
    assert said["attention.resolved"]["id"] == said["attention.created"]["id"] == item["id"]
    assert said["attention.resolved"]["decision_receipt_id"] == held["receipt_id"]
    assert said["violation.created"]["explanation"] == "Above 5,000 a person approves."
    for each in ("attention", "approval"):
        link = (said[f"{each}.created"] if each == "attention" else said["approval.requested"])["links"][each]
        assert (await world.send("admin", "GET", link)).status_code == 200
    assert {each["status"] for each in await told(world, webhook)} == {"delivered"}


async def test_a_rebuild_of_lists_and_feeds_tells_nothing_twice(world, receiver):
    webhook = await listen(world, receiver)
    await world.make("/v1/policies", HELD)
    await decide(world)
    await deliver(world)
    first = [each["id"] for each in await told(world, webhook)]
    late = await listen(world, receiver)
    await world.app.upkeep.rebuild()
    await deliver(world)
    assert [each["id"] for each in await told(world, webhook)] == first
    assert len(receiver.got) == len(first) > 3
    assert [each["type"] for each in await told(world, late)] == []


async def test_a_tenant_without_webhooks_keeps_nothing(world):
    await world.make("/v1/policies", HELD)
    await decide(world)
    await world.app.upkeep.projector.catch_up()
    async with world.app.stores.control.begin("default", writes=False) as unit:
        assert (await unit.notify.notices.since(0, Slice())).items == ()


async def test_trying_a_webhook_says_what_came_back(world, receiver):
    webhook = await listen(world, receiver, "policy.created")
    receiver.status, receiver.body = 418, b"short and stout"
    path = f"/v1/webhooks/{webhook['id']}/test"
    tried = await world.make(path, {})
    assert (tried["status"], tried["last_status"], tried["type"]) == ("failed", 418, "webhook.test")
    assert tried["history"][0]["excerpt"] == "short and stout"
    assert tried["body"] == receiver.got[0].said
    receiver.status = 200
    assert (await world.make(path, {}))["status"] == "delivered"
    Verifier(webhook["secret"]).verify(receiver.got[1].body, receiver.got[1].headers)
    read = await world.send("admin", "GET", f"/v1/webhooks/{webhook['id']}/deliveries/{tried['id']}")
    assert read.json() == tried


async def test_deliveries_are_filtered_and_paged_and_replayed(world, receiver):
    receiver.status = 410
    webhook = await listen(world, receiver)
    for number in range(3):
        await world.make("/v1/policies", {**HELD, "name": str(number)})
    await deliver(world)
    path = f"/v1/webhooks/{webhook['id']}"
    shown = (await world.send("admin", "GET", path)).json()
    assert (shown["is_active"], "410" in shown["disabled_reason"]) == (False, True)
    [item] = (await world.send("admin", "GET", "/v1/attention")).json()["data"]
    assert (item["type"], webhook["id"] in item["reason"]) == ("webhook_disabled", True)
    assert (await world.send("admin", "GET", "/api/attention-items")).status_code == 200
    assert len(await told(world, webhook, status="failed", type="policy.created")) == 3
    assert await told(world, webhook, status="delivered") == []
    one = (await told(world, webhook, limit=1))[0]
    [same] = await told(world, webhook, notice_id=one["notice_id"])
    assert same["id"] == one["id"]
    refused = await world.send("admin", "POST", f"{path}/deliveries/{one['id']}/replay")
    assert (refused.status_code, refused.json()["reason"]) == (409, "disabled")
    receiver.status = 204
    await world.make(path, {"is_active": True}, method="PATCH")
    before = len(receiver.got)
    await world.make(f"{path}/deliveries/{one['id']}/replay", {})
    await deliver(world)
    assert receiver.ids[before:] == [one["notice_id"]]
    replayed = await world.make(f"{path}/replay", {"since": "2020-01-01T00:00:00Z"})
    assert replayed == {"replayed": 2, "next_cursor": None}
    await deliver(world)
    assert len(set(receiver.ids[before:])) == 3


async def test_a_secret_is_shown_once_rotated_and_sealed_anew(world, receiver):
    await key(world, "ops", "admin")
    webhook = await listen(world, receiver)
    path = f"/v1/webhooks/{webhook['id']}"
    assert "secret" not in (await world.send("admin", "GET", path)).json()
    rotated = await world.make(f"{path}/rotate-secret", {"overlap_h": 2})
    assert rotated["secret"] != webhook["secret"]
    assert rotated["secret_overlap_until"]
    from bylaw.api.resealing import reseal  # noqa: PLC0415

    stores = world.app.stores
    await reseal(stores.control, stores.secret_file)
    await world.make(f"{path}/test", {})
    for each in (webhook, rotated):
        Verifier(each["secret"]).verify(receiver.got[0].body, receiver.got[0].headers)


async def test_the_secret_of_a_repeated_request_is_not_kept(world, receiver):
    asked = {"json": {"url": receiver.url}, "headers": {"idempotency-key": "once"}}
    first, second = [await world.send("admin", "POST", "/v1/webhooks", **asked) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    assert (first.json()["secret"][:6], second.json()["secret"]) == ("whsec_", None)


READS = ("policy:read", "receipts:read", "conversations:read", "agents:read")


@pytest.mark.parametrize("lacking", READS)
async def test_nobody_is_told_more_than_they_may_read(world, receiver, lacking):
    await key(world, "clerk", "workspaces:write", *(each for each in READS if each != lacking))
    found = await world.send("clerk", "POST", "/v1/webhooks", json={"url": receiver.url})
    assert (found.status_code, found.json()["needs"]) == (403, lacking)
    webhook = await listen(world, receiver)
    hidden = await world.send("clerk", "GET", f"/v1/webhooks/{webhook['id']}/deliveries")
    assert hidden.status_code == 404
    assert (await world.send("clerk", "GET", "/v1/webhooks")).json()["data"] == []


async def test_who_manages_a_workspace_manages_its_webhooks_alone(world, receiver):
    for each in ("w1", "w2"):
        await world.make("/v1/workspaces", {"id": each, "name": each})
    await key(world, "lead", "workspaces:write", *READS, workspace_id="w1")
    whole, other = await listen(world, receiver), await listen(world, receiver, workspace_id="w2")
    mine = await world.make("/v1/webhooks", {"url": receiver.url, "workspace_id": "w1"}, "lead")
    listed = (await world.send("lead", "GET", "/v1/webhooks")).json()["data"]
    assert [each["id"] for each in listed] == [mine["id"]]
    for each in (whole, other):
        assert (await world.send("lead", "GET", f"/v1/webhooks/{each['id']}")).status_code == 404
    refused = await world.send("lead", "POST", "/v1/webhooks", json={"url": receiver.url})
    assert refused.status_code == 403
    await world.make("/v1/policies", {**HELD, "workspace_id": "w2"})
    await world.make("/v1/policies", {**HELD, "workspace_id": "w1"})
    assert len(await told(world, mine)) == 1
    assert len(await told(world, whole)) == 2


async def test_a_change_of_a_webhook_is_in_the_log_without_its_path(world, receiver):
    webhook = await listen(world, receiver)
    await world.make(f"/v1/webhooks/{webhook['id']}", {"types": ["policy.*"]}, method="PATCH")
    found = (await world.send("admin", "GET", "/v1/receipts", params={"kind": "change", "limit": 50})).text
    assert webhook["id"] in found
    assert "tenant=1" not in found
    assert "whsec_" not in found


async def test_another_etag_and_a_wrong_body_are_refused(world, receiver):
    webhook = await listen(world, receiver)
    path = f"/v1/webhooks/{webhook['id']}"
    stale = {"headers": {"if-match": '"7"'}, "json": {"is_active": False}}
    assert (await world.send("admin", "PATCH", path, **stale)).status_code == 412
    for body in ({"url": "http://example.com"}, {"types": ["polcy.*"]}, {"description": "x" * 501}):
        assert (await world.send("admin", "PATCH", path, json=body)).status_code == 422
    for body in ({"since": "yesterday"}, {}):
        assert (await world.send("admin", "POST", f"{path}/replay", json=body)).status_code == 422
    for hours in (-1, 169):
        found = await world.send("admin", "POST", f"{path}/rotate-secret", json={"overlap_h": hours})
        assert found.status_code == 422
