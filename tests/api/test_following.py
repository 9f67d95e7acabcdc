"""An answer that follows the decision on what was asked: what is left out, and what is refused."""

import pytest
import pytest_asyncio

from bylaw import settings
from bylaw.app import build
from tests.api.conftest import World

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/decisions"
RULE = "Reject any prompt that mentions 'rival'."
WHO = {"agent_id": "desk", "user_id": "ada", "conversation_id": "c1", "workspace_id": "w1"}
QUESTION = WHO | {"phase": "input", "user_intent": "How do I return it?"}
ANSWER = WHO | {"phase": "output", "agent_output": "By post."}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    async with build(settings.build(data=tmp_path_factory.mktemp("server"))) as app:
        made = World(app=app, keys={"admin": app.admin_key or ""})
        for workspace in ("w1", "w2"):
            await made.make("/v1/workspaces", {"id": workspace, "name": workspace})
        for name, fields in (("second", {}), ("neighbour", {"workspace_id": "w2"})):
            key = await made.make("/v1/keys", {"name": name, "scopes": ["decisions:write"]} | fields)
            made.keys[name] = key["key"]
        rules = [{"text": RULE}, {"expr": "true"}]
        made.ids["policy_id"] = (await made.make("/v1/policies", policy(rules=rules)))["id"]
        yield made


def policy(**fields):
    return {"name": "Rivals", "action": "block", "workspace_id": "w1"} | fields


async def asked(world, **fields):
    """Have a question decided on, and return the id of the receipt."""
    return (await world.make(PATH, QUESTION | fields))["receipt_id"]


async def refused(world, status, *, caller="admin", **fields):
    found = await world.send(caller, "POST", PATH, json=ANSWER | fields)
    assert found.status_code == status, found.text
    return found.json().get("reason", "")


def rules_of(decision):
    return [(each["status"], each.get("code", "")) for each in decision["policies"][0]["rules"]]


async def test_an_answer_is_not_held_by_what_was_decided_when_it_was_asked(world):
    held = await world.make(PATH, ANSWER)
    assert held["outcome"] == "review"
    first = await asked(world)
    decision = await world.make(PATH, ANSWER | {"follows": first})
    assert (decision["outcome"], decision["policies"][0]["status"]) == ("allow", "not_judged")
    assert rules_of(decision) == [("not_applicable", "followed"), ("satisfied", "")]
    assert first in decision["policies"][0]["rules"][0]["message"]
    call = {"phase": "tool_call", "tool_call": {"name": "post"}, "agent_output": None, "follows": first}
    assert (await world.make(PATH, ANSWER | call))["outcome"] == "allow"


async def test_the_receipt_says_what_it_follows_and_is_verified(world):
    first = await asked(world)
    ident = (await world.make(PATH, ANSWER | {"follows": first}))["receipt_id"]
    claim = (await world.send("admin", "GET", f"/v1/receipts/{ident}")).json()["receipt"]["claim"]
    assert claim["follows"] == first
    rule = claim["policies"][0]["rules"][0]
    assert (rule["status"], rule["code"]) == ("not_applicable", "followed")
    assert (await world.send(None, "GET", f"/v1/receipts/{ident}/verify")).json()["status"] == "verified"


async def test_it_is_explained_and_decided_again_as_it_was_recorded(world):
    first = await asked(world)
    sent = ANSWER | {"follows": first}
    recorded = await world.make(PATH, sent)
    again = await world.send("admin", "GET", f"{PATH}/{recorded['receipt_id']}/explain")
    tried = await world.make(f"{PATH}:explain", sent)
    for explained in (again.json(), tried):
        assert explained["decision"]["outcome"] == recorded["outcome"]
        assert explained["decision"]["policies"] == recorded["policies"]
        assert explained["why"][0]["judged"][0]["code"] == "followed"
    assert (await world.make(PATH, sent | {"dry_run": True}))["outcome"] == recorded["outcome"]


async def test_the_same_answer_is_replayed_under_its_key(world):
    sent, key = ANSWER | {"follows": await asked(world)}, {"idempotency-key": "followed"}
    found = [await world.send("admin", "POST", PATH, json=sent, headers=key) for _ in range(2)]
    assert found[0].content == found[1].content
    assert found[1].headers["idempotent-replayed"] == "true"


async def test_a_version_that_came_in_between_is_judged_again(world):
    first = await asked(world)
    path = f"/v1/policies/{world.ids['policy_id']}"
    for name, outcome in (("Rivals and others", "review"), ("Rivals", "review")):
        found = await world.send("admin", "PATCH", path, json={"name": name})
        assert found.status_code == 200, found.text
        assert (await world.make(PATH, ANSWER | {"follows": first}))["outcome"] == outcome
    assert (await world.make(PATH, ANSWER | {"follows": await asked(world)}))["outcome"] == "allow"


async def test_what_broke_the_rule_is_not_left_out(world):
    logged = await world.make(
        "/v1/policies",
        policy(
            name="Log",
            action="log",
            rules=[{"text": "Reject any prompt that mentions 'return'."}],
            on_indeterminate="review",
        ),
    )
    try:
        decision = await world.make(PATH, ANSWER | {"follows": await asked(world)})
        held = {each["name"]: each["outcome"] for each in decision["policies"]}
        assert held == {"Rivals": "allow", "Log": "review"}
    finally:
        await world.send("admin", "DELETE", f"/v1/policies/{logged['id']}")


async def test_what_is_shown_again_is_what_was_asked(world):
    first = await asked(world)
    same = ANSWER | {"follows": first, "user_intent": QUESTION["user_intent"]}
    assert (await world.make(PATH, same))["outcome"] == "allow"
    for other in ({"user_intent": "Who is the rival?"}, {"messages": [{"role": "user", "content": "rival"}]}):
        assert await refused(world, 409, follows=first, **other) == "follows_another"
    assert (await world.send("admin", "DELETE", f"/v1/receipts/{first}/body")).status_code in {200, 204}
    assert await refused(world, 409, follows=first, user_intent=QUESTION["user_intent"]) == "follows_another"
    assert (await world.make(PATH, ANSWER | {"follows": first}))["outcome"] == "allow"


async def test_a_receipt_of_anything_else_is_refused_and_leaves_nothing(world):
    first = await asked(world)
    before = (await world.send("admin", "GET", "/v1/receipts?limit=1")).json()["data"][0]["id"]
    for field, value in (("agent_id", "other"), ("user_id", None), ("conversation_id", "c2")):
        assert await refused(world, 409, follows=first, **{field: value}) == "follows_another"
    assert await refused(world, 409, follows=first, workspace_id="w2") == "follows_another"
    assert await refused(world, 409, follows=first, workspace_id=None) == "follows_another"
    assert await refused(world, 409, follows=first, caller="second") == "follows_another"
    await refused(world, 404, follows=first, caller="neighbour", workspace_id="w2")
    await refused(world, 404, follows="rcpt_none")
    await refused(world, 422, follows=first, phase="input", user_intent="x", agent_output=None)
    await refused(world, 422, follows="")
    assert (await world.send("admin", "GET", "/v1/receipts?limit=1")).json()["data"][0]["id"] == before


async def test_what_was_no_question_or_was_blocked_is_refused(world):
    answered = (await world.make(PATH, ANSWER))["receipt_id"]
    assert await refused(world, 409, follows=answered) == "not_an_input"
    listed = await world.send("admin", "GET", "/v1/receipts?kind=policy_version")
    assert await refused(world, 409, follows=listed.json()["data"][0]["id"]) == "not_an_input"
    blocked = await asked(world, user_intent="Tell me of the rival.")
    assert await refused(world, 409, follows=blocked) == "followed_block"


async def test_a_batch_tells_what_is_wrong_with_one_and_decides_the_others(world):
    first = await asked(world)
    items = [ANSWER | {"follows": first}, ANSWER | {"follows": "rcpt_none"}]
    results = (await world.make(f"{PATH}:batch", {"requests": items}))["results"]
    assert [each["status"] for each in results] == [200, 404]


async def test_a_receipt_says_nothing_to_decide_about(world):
    found = await world.send("admin", "POST", PATH, json={"follows": await asked(world)})
    assert found.status_code == 422
