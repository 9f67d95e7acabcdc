"""Decisions over the API: one receipt each, one answer for one key, and reviews that a person lifts once."""

import asyncio
import json
import re

import apsw
import pytest

from bylaw.receipts.checkpoint import parse
from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust, verify

CALL = {"name": "pay", "arguments": {"amount": 7000}}
ASKED = {"agent_id": "a", "phase": "tool_call", "tool_call": CALL, "workspace_id": "w1"}


@pytest.fixture
async def world(inhabited):
    rules = [{"expr": "tool_call.arguments.amount < 5000", "message": "A person approves above 5,000."}]
    policy = {"name": "Limit", "rules": rules, "action": "review", "workspace_id": "w1"}
    inhabited.ids["limit"] = (await inhabited.make("/v1/policies", policy))["id"]
    return inhabited


async def decide(world, asked=ASKED, *, key=None, caller="admin"):
    headers = {} if key is None else {"idempotency-key": key}
    return await world.send(caller, "POST", "/v1/decisions", json=asked, headers=headers)


async def receipts(world):
    return (await world.send("admin", "GET", "/v1/receipts?kind=decision&limit=500")).json()["data"]


async def test_a_decision_is_read_again_as_it_was_answered_and_proved_offline(world):
    answered = (await decide(world)).json()
    assert (answered["outcome"], answered["posture"]) == ("review", "governed")
    ident = answered["receipt_id"]
    again = (await world.send("admin", "GET", f"/v1/decisions/{ident}")).json()
    assert again == answered
    keys = (await world.send(None, "GET", "/.well-known/jwks.json")).content
    bundle = (await world.send("admin", "GET", f"/v1/receipts/{ident}/bundle?disclose=true")).content
    found = verify(bundle, Trust(keys=key_set(keys)))
    assert (found.status, found.receipt.id) == ("verified", ident)
    assert {step.name: step.result for step in found.steps}["policies"] == "pass"
    assert {step.name: step.result for step in found.steps}["parts"] == "pass"
    said = (await world.send(None, "GET", f"/v1/receipts/{ident}/verify")).json()
    assert said["status"] == "verified"
    assert "amount" not in json.dumps(said)


async def test_a_receipt_is_exported_signed_and_checked_offline(world):
    ident = (await decide(world)).json()["receipt_id"]
    exported = await world.send("admin", "GET", f"/v1/receipts/{ident}/dsse")
    assert exported.headers["content-type"] == "application/vnd.dsse.envelope.v1+json"
    keys = key_set((await world.send(None, "GET", "/.well-known/jwks.json")).content)
    assert verify(exported.content, Trust(keys=keys)).status == "verified"
    assert verify(exported.content.replace(b'"sig":"', b'"sig":"A'), Trust(keys=keys)).status == "invalid"


async def test_a_receipt_says_who_was_let_in_to_ask_whatever_they_say(world):
    await decide(world, ASKED | {"user_id": "chief@example.org"})
    claim = (await receipts(world))[0]["receipt"]["claim"]
    me = (await world.send("admin", "GET", "/v1/keys?limit=500")).json()["data"]
    assert claim["key"] in {each["id"] for each in me}
    assert (claim["asked_by"], claim["user"]) == (f"key:{claim['key']}", "chief@example.org")


async def test_the_same_key_and_request_get_the_same_decision_once(world):
    before = len(await receipts(world))
    first, second = await decide(world, key="k"), await decide(world, key="k")
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(await receipts(world)) == before + 1


async def test_twenty_at_once_under_one_key_are_one_decision(world):
    before = len(await receipts(world))
    found = await asyncio.gather(*(decide(world, key="race") for _ in range(20)))
    assert {each.status_code for each in found} == {200}
    assert len({each.json()["receipt_id"] for each in found}) == 1
    assert len(await receipts(world)) == before + 1


async def test_a_key_is_not_taken_for_another_request_or_another_caller(world):
    await decide(world, key="k")
    other = await decide(world, ASKED | {"agent_id": "b"}, key="k")
    assert (other.status_code, other.json()["reason"]) == (409, "idempotency_key_reused")
    spec = {"name": "second", "scopes": ["decisions:write"]}
    world.keys["second"] = (await world.make("/v1/keys", spec))["key"]
    assert "idempotent-replayed" not in (await decide(world, key="k", caller="second")).headers


@pytest.mark.parametrize("key", ["", " " * 201, "é"])
async def test_an_unusable_idempotency_key_is_refused(world, key):
    headers = {"idempotency-key": key.encode()}
    found = await world.send("admin", "POST", "/v1/decisions", json=ASKED, headers=headers)
    assert found.status_code == 422
    assert found.json()["errors"][0]["path"] == "idempotency-key"


async def test_a_body_that_was_edited_in_the_store_is_not_shown(world, tmp_path, caplog):
    first = (await decide(world, key="k")).json()
    ident = first["receipt_id"]
    (stored,) = tmp_path.rglob("receipts.db")
    connection = apsw.Connection(str(stored))
    connection.set_busy_timeout(30_000)
    connection.execute("UPDATE parts SET content = CAST(replace(content, 'review', 'allow!') AS BLOB)")
    connection.close()
    reads = [
        f"/v1/receipts/{ident}/body",
        f"/v1/decisions/{ident}",
        f"/v1/receipts/{ident}/bundle?disclose=true",
    ]
    for found in [*[await world.send("admin", "GET", path) for path in reads], await decide(world, key="k")]:
        assert (found.status_code, found.json()["code"]) == (500, "corrupt")
        assert ident in found.json()["detail"]
    assert "Traceback" not in caplog.text


async def test_a_replay_after_the_body_was_erased_says_where_the_receipt_is(world):
    first = (await decide(world, key="k")).json()
    await world.send("admin", "DELETE", f"/v1/receipts/{first['receipt_id']}/body")
    again = await decide(world, key="k")
    assert (again.status_code, again.json()["reason"]) == (409, "body_erased")
    assert first["receipt_id"] in again.json()["detail"]
    gone = await world.send("admin", "GET", f"/v1/decisions/{first['receipt_id']}")
    assert gone.status_code == 404


async def test_a_dry_run_leaves_nothing(world):
    before = await receipts(world)
    answered = (await decide(world, ASKED | {"dry_run": True})).json()
    assert (answered["outcome"], answered["receipt_id"], answered["receipt"]) == ("review", None, None)
    assert await receipts(world) == before


async def test_a_batch_answers_each_by_itself(world):
    requests = [ASKED, {"agent": "typo"}, ASKED | {"workspace_id": "nowhere"}, ASKED | {"dry_run": True}]
    options = {"json": {"requests": requests}, "headers": {"idempotency-key": "b"}}
    found = (await world.send("admin", "POST", "/v1/decisions:batch", **options)).json()["results"]
    assert [each["status"] for each in found] == [200, 422, 404, 200]
    assert found[1]["problem"]["errors"][0]["path"] == "agent"
    again = (await world.send("admin", "POST", "/v1/decisions:batch", **options)).json()["results"]
    assert again[0] == found[0]


@pytest.mark.parametrize(("count", "status"), [(0, 422), (100, 200), (101, 422)])
async def test_a_batch_is_bounded(world, count, status):
    body = {"requests": [{"agent_id": "a", "dry_run": True}] * count}
    assert (await world.send("admin", "POST", "/v1/decisions:batch", json=body)).status_code == status


async def test_a_batch_takes_from_the_pace_of_its_key_what_it_holds(world):
    spec = {"name": "slow", "scopes": ["decisions:write"], "rate_per_minute": 10}
    world.keys["slow"] = (await world.make("/v1/keys", spec))["key"]
    body = {"requests": [{"agent_id": "a", "dry_run": True}] * 9}
    first = await world.send("slow", "POST", "/v1/decisions:batch", json=body)
    assert (first.status_code, first.headers["ratelimit-limit"]) == (200, "10")
    second = await world.send("slow", "POST", "/v1/decisions:batch", json=body)
    assert second.status_code == 429
    assert int(second.headers["retry-after"]) > 0


async def test_a_change_of_a_policy_is_seen_by_the_next_decision(world):
    path = f"/v1/policies/{world.ids['limit']}"
    await world.make(path, {"rules": [{"expr": "tool_call.arguments.amount < 9000"}]}, method="PATCH")
    answered = (await decide(world)).json()
    assert (answered["outcome"], answered["policies"][0]["version"]) == ("allow", 2)
    await world.make(f"{path}/deactivate", {})
    assert (await decide(world)).json()["posture"] == "ungoverned"


async def test_what_a_decision_leaves_is_listed_at_once(world):
    answered = (await decide(world)).json()
    query = f"?receipt_id={answered['receipt_id']}"
    for path in ("/v1/violations", "/v1/alerts", "/v1/attention"):
        found = (await world.send("admin", "GET", path + query)).json()["data"]
        assert [each["policy"]["id"] for each in found] == [world.ids["limit"]], path
        assert found[0]["occasion"]["workspace_id"] == "w1"
        assert (await world.send("neighbour", "GET", path + query)).json()["data"] == []
        assert (await world.send("stranger", "GET", path + query)).json()["data"] == []


async def test_an_approved_call_goes_through_once_and_only_as_it_was(world):
    held = (await decide(world)).json()
    approval = next(each["id"] for each in held["obligations"] if each["kind"] == "approval")
    waiting = (await world.send("admin", "GET", f"/v1/approvals/{approval}")).json()
    assert (waiting["status"], waiting["tool"]) == ("pending", "pay")
    early = (await decide(world, ASKED | {"approval_id": approval})).json()
    assert early["outcome"] == "review"
    done = await world.send("approver", "POST", f"/v1/approvals/{approval}/approve")
    assert done.json()["status"] == "approved"
    changed = ASKED | {"tool_call": {"name": "pay", "arguments": {"amount": 7001}}, "approval_id": approval}
    assert (await decide(world, changed)).json()["outcome"] == "review"
    dry = ASKED | {"approval_id": approval, "dry_run": True}
    assert (await decide(world, dry)).json()["outcome"] == "allow"
    spends = await asyncio.gather(*(decide(world, ASKED | {"approval_id": approval}) for _ in range(8)))
    outcomes = sorted(each.json()["outcome"] for each in spends)
    assert outcomes == ["allow"] + ["review"] * 7
    spent = (await world.send("admin", "GET", f"/v1/approvals/{approval}")).json()
    assert spent["status"] == "spent"
    assert spent["spent_on"] in {each.json()["receipt_id"] for each in spends}
    logged = (await world.send("admin", "GET", "/v1/receipts?kind=approval")).json()["data"]
    assert [each["receipt"]["claim"]["change"] for each in logged][:2] == ["spent", "approved"]


async def test_an_agent_that_decisions_name_is_listed_as_seen(world):
    await decide(world, ASKED | {"agent_id": "never-registered"})
    await world.app.upkeep.write_notes()
    found = (await world.send("admin", "GET", "/v1/agents/never-registered")).json()
    assert found["registered"] is False


async def test_a_key_shows_when_it_was_last_used(world):
    await decide(world)
    await world.app.upkeep.write_notes()
    found = (await world.send("admin", "GET", "/v1/keys?limit=500")).json()["data"]
    assert any(each["last_used_at"] for each in found)


async def test_a_decision_explains_itself(world):
    answered = (await decide(world)).json()
    found = (await world.send("admin", "GET", f"/v1/decisions/{answered['receipt_id']}/explain")).json()
    assert found["decision"]["outcome"] == "review"
    assert [(change["path"], change["then"], change["outcome"]) for change in found["changes"]] == [
        ("tool_call.arguments.amount", 4999, "allow")
    ]
    asked = await world.send("admin", "POST", "/v1/decisions:explain", json=ASKED)
    assert asked.json()["changes"] == found["changes"]


async def test_erased_bodies_are_gone_and_the_receipt_still_verifies(world):
    ident = (await decide(world)).json()["receipt_id"]
    erased = await world.send("admin", "DELETE", f"/v1/receipts/{ident}/body?part=request")
    assert erased.json() == {"erased": ["request"]}
    left = (await world.send("admin", "GET", f"/v1/receipts/{ident}/body")).json()["parts"]
    assert [part["name"] for part in left] == ["decision"]
    assert (await world.send(None, "GET", f"/v1/receipts/{ident}/verify")).json()["status"] == "verified"


async def test_the_same_rules_over_the_same_facts_are_judged_once(world):
    async def counts():
        text = (await world.send(None, "GET", "/metrics")).text
        return [
            float(re.search(rf"^bylaw_judgements_kept_{name} (\S+)$", text, re.MULTILINE)[1])
            for name in ("hits", "misses")
        ]

    hits, misses = await counts()
    asked = ASKED | {"policy_rules": ["Be kind."], "agent_output": "Hello."}
    first, second = [(await decide(world, asked)).json() for _ in range(2)]
    assert [each["evaluators"][0].get("cached", False) for each in (first, second)] == [False, True]
    assert first["extra_rules"][0]["status"] == second["extra_rules"][0]["status"]
    assert await counts() == [hits + 1, misses + 1]
    await decide(world, asked | {"agent_output": "Hello!"})
    assert await counts() == [hits + 1, misses + 2]


@pytest.mark.parametrize("unfit", [r"a\u0000", r"\ud800b"])
async def test_an_id_that_no_store_could_hold_is_refused_before_anything_is_decided(world, unfit):
    before = len(await receipts(world))
    body = f'{{"agent_id": "{unfit}", "workspace_id": "w1"}}'
    kind = {"content-type": "application/json"}
    found = await world.send("admin", "POST", "/v1/decisions", content=body, headers=kind)
    assert (found.status_code, [each["path"] for each in found.json()["errors"]]) == (422, ["agent_id"])
    assert len(await receipts(world)) == before


async def test_what_became_of_a_decision_names_its_receipt(world):
    first = (await decide(world)).json()["receipt_id"]
    second = (await decide(world, ASKED | {"outcome_of": first})).json()["receipt_id"]
    claim = (await world.send("admin", "GET", f"/v1/receipts/{second}")).json()["receipt"]["claim"]
    assert claim["outcome_of"] == first
    listed = await world.send("admin", "GET", f"/v1/receipts?outcome_of={first}")
    assert [each["id"] for each in listed.json()["data"]] == [second]
    assert (await world.send(None, "GET", f"/v1/receipts/{second}/verify")).json()["status"] == "verified"


async def test_what_became_of_no_decision_is_refused_and_leaves_nothing(world):
    first = (await decide(world)).json()["receipt_id"]
    other = (await world.send("admin", "GET", "/v1/receipts?kind=policy_version")).json()["data"][0]["id"]
    before = len(await receipts(world))
    for named, status in (("rcpt_none", 404), (other, 409)):
        for more in ({}, {"dry_run": True}):
            found = await decide(world, ASKED | {"outcome_of": named} | more)
            assert found.status_code == status, found.text
    assert found.json()["reason"] == "not_a_decision"
    for caller in ("stranger", "neighbour"):
        asked = {"outcome_of": first} | ({} if caller == "stranger" else {"workspace_id": "w2"})
        assert (await decide(world, asked, caller=caller)).status_code == 404
    assert len(await receipts(world)) == before


async def test_a_bundle_is_tied_to_a_kept_checkpoint_of_any_size(world):
    kept = []
    for _ in range(4):
        ident = (await decide(world)).json()["receipt_id"]
        kept.append((await world.send(None, "GET", "/v1/log")).json()["data"][0])
    for each in kept:
        path = f"/v1/receipts/{ident}/bundle?kept_size={each['size']}"
        bundle = (await world.send("admin", "GET", path)).content
        found = verify(bundle, Trust(kept=(parse(each["note"].encode()),)))
        assert found.status == "verified", found.steps
    bare = (await world.send("admin", "GET", f"/v1/receipts/{ident}/bundle")).content
    assert verify(bare, Trust(kept=(parse(kept[0]["note"].encode()),))).status == "incomplete"
    assert verify(bundle, Trust(kept=(parse(kept[0]["note"].encode()),))).status == "incomplete"


@pytest.mark.parametrize("size", ["0", "-1", "1.5", "99999", str(2**53)])
async def test_a_bundle_cannot_be_tied_to_a_size_that_the_log_never_had(world, size):
    ident = (await decide(world)).json()["receipt_id"]
    found = await world.send("admin", "GET", f"/v1/receipts/{ident}/bundle?kept_size={size}")
    assert found.status_code == 422
    assert [each["path"] for each in found.json()["errors"]] == ["query.kept_size"]


async def test_a_key_of_one_workspace_lists_only_its_receipts(world):
    await decide(world)
    found = await world.send("neighbour", "GET", "/v1/receipts?limit=500")
    assert found.json()["data"] == []


async def test_a_key_of_one_workspace_decides_there_and_nowhere_else(world):
    spec = {"name": "agent", "scopes": ["decisions:write", "receipts:read"], "workspace_id": "w1"}
    world.keys["limited"] = (await world.make("/v1/keys", spec))["key"]
    nowhere = {name: value for name, value in ASKED.items() if name != "workspace_id"}
    for asked in (ASKED, nowhere):
        found = (await decide(world, asked, caller="limited")).json()
        assert (found["outcome"], found["workspace_id"]) == ("review", "w1")
        explained = await world.send("limited", "GET", f"/v1/decisions/{found['receipt_id']}/explain")
        assert explained.json()["decision"]["outcome"] == "review"
    for path in ("/v1/decisions", "/v1/decisions:explain"):
        elsewhere = await world.send("limited", "POST", path, json=ASKED | {"workspace_id": "w2"})
        missing = await world.send("limited", "POST", path, json=ASKED | {"workspace_id": "none"})
        assert elsewhere.status_code == missing.status_code == 404
        assert elsewhere.json()["detail"].replace("w2", "none") == missing.json()["detail"]


async def test_a_key_of_one_repo_decides_there_when_it_names_less(world):
    repo = world.ids["repo_id"]
    spec = {"name": "agent", "scopes": ["decisions:write"], "workspace_id": "w1", "repo_id": repo}
    world.keys["limited"] = (await world.make("/v1/keys", spec))["key"]
    for named in ({}, {"workspace_id": "w1"}, {"repo_id": repo}):
        found = (await decide(world, {"tool_call": CALL} | named, caller="limited")).json()
        assert (found["outcome"], found["workspace_id"], found["repo_id"]) == ("review", "w1", repo)


async def test_somebody_with_two_workspaces_says_in_which_one(world):
    user = world.ids["user_id"]
    for workspace in ("w1", "w2"):
        await world.make(f"/v1/users/{user}/workspaces/{workspace}", {"role": "WRITE"}, method="PUT")
    spec = {"name": "theirs", "scopes": ["decisions:write"], "user_id": user}
    world.keys["theirs"] = (await world.make("/v1/keys", spec))["key"]
    found = await decide(world, {"tool_call": CALL}, caller="theirs")
    assert (found.status_code, found.json()["errors"][0]["path"]) == (422, "workspace_id")
    assert (await decide(world, caller="theirs")).json()["workspace_id"] == "w1"


async def test_other_requests_get_their_turn_between_the_decisions_of_a_batch(world):
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    asked = {"requests": [{"agent_id": "a", "dry_run": True, "workspace_id": "w2"}] * 100}
    found = await world.send("admin", "POST", "/v1/decisions:batch", json=asked)
    other.cancel()
    assert [each["status"] for each in found.json()["results"]] == [200] * 100
    assert turns >= 100


async def test_the_place_of_the_receipt_is_the_last_thing_that_an_answer_says(world):
    """`placed` writes it into the stored bytes, so it has to stand last and be null there."""
    answered = await decide(world)
    body = (await world.send("admin", "GET", f"/v1/receipts/{answered.json()['receipt_id']}/body")).json()
    stored = {part["name"]: part["content"] for part in body["parts"]}["decision"]
    assert list(stored)[-1] == "receipt"
    assert stored["receipt"] is None
    assert answered.json() == stored | {"receipt": answered.json()["receipt"]}
    assert answered.json()["receipt"]["index"] >= 0


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/decisions:explain"])
@pytest.mark.parametrize(
    "body",
    [{}, {"dry_run": True}, {"phase": "input", "workspace_id": "w1"}, {"agent_id": None, "tool_call": None}],
)
async def test_a_request_that_says_neither_who_nor_what_is_refused(world, path, body):
    found = await world.send("admin", "POST", path, json=body)
    assert found.status_code == 422
    assert [each["path"] for each in found.json()["errors"]][:2] == ["agent_id", "user_intent"]
    assert "outcome_of" in found.json()["detail"]


async def test_one_empty_request_of_a_batch_stops_no_other(world):
    body = {"requests": [{}, {"user_intent": "hello"}]}
    found = (await world.send("admin", "POST", "/v1/decisions:batch", json=body)).json()
    assert [each["status"] for each in found["results"]] == [422, 200]
