"""Conversations with models: who has them, what is kept of them, and what policies stop."""

import asyncio

import pytest
import pytest_asyncio

from bylaw import settings
from bylaw.app import build
from bylaw.learning import conversations
from tests.compat.flashback.conftest import Org, populate, refused
from tests.gateway.scripted import said, scripted

RIVAL = "Reject any message that contains 'rival'."
CONVERSATION = [
    "id", "orgId", "createdBy", "createdAt", "lastUpdatedAt", "workspaceId", "repoId", "tokensIn",
    "tokensOut", "deletedAt", "repo", "creator", "title",
]  # fmt: skip
MESSAGE = ["id", "conversationId", "role", "content", "tokenCount", "model", "createdAt"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def organisation(tmp_path_factory):
    data = tmp_path_factory.mktemp("server")
    async with scripted() as provider, build(settings.build(data=data, outgoing="any")) as app:
        made = Org(app=app, keys={"operator": app.admin_key or ""}, endpoint=provider.url)
        made.provider = provider
        await populate(made)
        new = {"name": "models", "aiType": "OPENAI", "endpoint": provider.url, "workspaceId": "w1"}
        await made.make("/ai/llm", new, "owner")
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def chat(org):
    """Begin a conversation, and say something in it."""
    org.provider.reset()

    async def begin(caller="reader", repo="r1"):
        made = await org.make("/conversation", {"repoId": repo}, caller)
        assert list(made) == ["success", "conversationId"]
        return made["conversationId"]

    async def prompt(ident, text="Hello.", caller="reader", model="gpt-4.1"):
        return await org.send(
            caller, "POST", f"/conversation/{ident}/prompt", json={"prompt": text, "model": model}
        )

    org.begin, org.prompt = begin, prompt
    return org


async def test_a_reader_of_the_workspace_talks_with_its_models(chat):
    ident = await chat.begin()
    chat.provider.answer = said("Good day.", usage=(7, 5))
    first = await chat.prompt(ident, "Hello   there.")
    assert (first.status_code, first.json()) == (200, {"success": True, "message": "Good day."})
    chat.provider.answer = said("Sunny.", usage=(20, 3))
    assert (await chat.prompt(ident, "And the weather?")).json()["message"] == "Sunny."
    assert [each["content"] for each in chat.provider.chats[1]["messages"]] == [
        "Hello   there.", "Good day.", "And the weather?",
    ]  # fmt: skip
    found = await chat.get(f"/conversation/{ident}/messages", "reader")
    assert list(found) == ["success", "messages", "title"]
    assert [list(each) for each in found["messages"]] == [MESSAGE] * 4
    assert [(each["role"], each["tokenCount"]) for each in found["messages"]] == [
        ("user", 7), ("assistant", 5), ("user", 20), ("assistant", 3),
    ]  # fmt: skip
    listed = await chat.get("/conversation", "reader")
    assert list(listed) == ["success", "conversations", "total"]
    shown = next(each for each in listed["conversations"] if each["id"] == ident)
    assert list(shown) == CONVERSATION
    assert (shown["tokensIn"], shown["tokensOut"], shown["title"]) == ("27", "8", "Hello there.")
    assert shown["repo"] == {"id": "r1", "name": "Repo r1"}
    assert shown["createdBy"] == shown["creator"]["id"] == chat.people["reader"]["id"]
    assert shown["deletedAt"] is None


@pytest.mark.parametrize(
    ("action", "block", "alerts"), [(0, False, 0), (1, False, 1), (2, True, 1)], ids=["log", "alert", "block"]
)
@pytest.mark.parametrize("side", ["asked", "answered"])
async def test_each_turn_is_held_against_policies_on_both_ways(chat, action, block, alerts, side):
    policy = await chat.policy(content=RIVAL, actionType=action)
    ident = await chat.begin()
    if side == "answered":
        chat.provider.answer = said("Ask the rival.")
    found = await chat.prompt(ident, "Tell me of the rival." if side == "asked" else "Hello.")
    assert found.status_code == 200
    assert found.json()["success"] is not block
    assert len(chat.provider.asked) == (0 if block and side == "asked" else 1)
    records = (await chat.get(f"/policy/{policy['id']}/violations"))["violations"]
    told = (await chat.get(f"/policy/{policy['id']}/alerts"))["alerts"]
    assert [
        (each["block"], each["conversationId"], each["userId"], each["llmModel"]) for each in records
    ] == [(block, ident, chat.people["reader"]["id"], "gpt-4.1")]
    assert len(told) == alerts
    kept = (await chat.get(f"/conversation/{ident}/messages", "reader"))["messages"]
    assert len(kept) == (0 if block else 2)
    if block:
        assert found.json() == {"success": False, "message": "Blocked by the policy 'Rivals'."}


async def test_what_policies_withhold_is_kept_nowhere(chat):
    await chat.make("/v1/policies", {"name": "Mask", "rules": [], "mask": {"personal_data": ["email"]}})
    ident = await chat.begin()
    chat.provider.answer = said("Write to bob@example.com.")
    assert (await chat.prompt(ident, "I am ada@example.com.")).json()["message"] == "Write to [email]."
    kept = (await chat.get(f"/conversation/{ident}/messages", "reader"))["messages"]
    assert [each["content"] for each in kept] == ["I am [email].", "Write to [email]."]


async def test_one_person_reads_a_conversation_and_who_keeps_the_workspace(chat):
    ident = await chat.begin()
    await chat.prompt(ident)
    path = f"/conversation/{ident}/messages"
    for caller in ("reader", "head", "owner", "administrator"):
        assert (await chat.get(path, caller))["messages"], caller
        assert ident in [each["id"] for each in (await chat.get("/conversation", caller))["conversations"]]
    refused(await chat.send("writer", "GET", path), 404)
    assert ident not in [each["id"] for each in (await chat.get("/conversation", "writer"))["conversations"]]
    for caller in ("member", "biller", "manager"):
        refused(await chat.send(caller, "GET", path), 403)
    refused(await chat.send("stranger", "GET", path), 404)
    # nor by another contract's list
    for caller, sees in (("writer", False), ("head", True)):
        found = (await chat.send(caller, "GET", "/api/conversations")).json()["data"]
        assert (ident in [each["id"] for each in found]) is sees, caller
    refused(await chat.prompt(ident, caller="head"), 403)
    refused(await chat.prompt(ident, caller="writer"), 404)


async def test_nobody_else_reads_a_conversation_in_its_receipts(chat):
    ident = await chat.begin()
    await chat.prompt(ident, "Between you and me.")
    (last,) = (await chat.get("/v1/receipts?kind=decision&limit=1", "reader"))["data"]
    path = f"/v1/receipts/{last['id']}"
    for caller, sees in (("reader", True), ("head", True), ("owner", True), ("writer", False)):
        assert bool((await chat.get(f"{path}/body", caller))["parts"]) is sees, caller
        bundle = await chat.send(caller, "GET", f"{path}/bundle?disclose=true")
        assert bool(bundle.json().get("parts")) is sees, caller
    for tail in ("", "/explain"):
        assert (await chat.send("writer", "GET", f"/v1/decisions/{last['id']}{tail}")).status_code == 404
        assert (await chat.send("reader", "GET", f"/v1/decisions/{last['id']}{tail}")).status_code == 200
    await chat.send("reader", "DELETE", f"/conversation/{ident}?hardDelete=true")
    assert (await chat.get(f"{path}/body", "writer"))["parts"] == []
    assert (await chat.get(f"{path}/body", "reader"))["parts"] != []


async def test_where_nobody_lets_one_in_one_begins_nothing(chat):
    for caller, repo, status in (
        ("reader", "r2", 404), ("reader", "none", 404), ("member", "r1", 403), ("stranger", "r1", 404),
    ):  # fmt: skip
        refused(await chat.send(caller, "POST", "/conversation", json={"repoId": repo}), status)
    refused(await chat.send("reader", "POST", "/conversation", json={}), 400)
    ident = await chat.begin()
    for body in ({}, {"prompt": "x"}, {"prompt": "", "model": "m"}, {"prompt": "x", "model": ""}):
        refused(await chat.send("reader", "POST", f"/conversation/{ident}/prompt", json=body), 400)
    refused(await chat.prompt("none"), 404)


async def test_a_deleted_conversation_is_listed_on_demand_and_a_forgotten_one_never(chat):
    ident = await chat.begin()
    await chat.prompt(ident)
    path = f"/conversation/{ident}"
    assert (await chat.send("writer", "DELETE", path)).status_code == 404
    assert (await chat.send("reader", "DELETE", f"{path}?hardDelete=false")).json()["success"] is True
    refused(await chat.send("reader", "DELETE", path), 404)
    refused(await chat.send("reader", "GET", f"{path}/messages"), 404)
    refused(await chat.prompt(ident), 404)

    async def listed(query=""):
        found = (await chat.get(f"/conversation{query}", "reader"))["conversations"]
        return next((each for each in found if each["id"] == ident), None)

    assert await listed() is None
    assert (await listed("?showDeleted=true"))["deletedAt"] is not None
    assert (await chat.send("reader", "DELETE", f"{path}?hardDelete=true")).json()["success"] is True
    assert await listed("?showDeleted=true") is None
    refused(await chat.send("reader", "DELETE", f"{path}?hardDelete=true"), 404)


async def test_lists_are_narrowed_and_come_in_parts(chat):
    mine = [await chat.begin("head") for _ in range(3)]
    person = chat.people["head"]["id"]
    whole = await chat.get(f"/conversation?userId={person}", "owner")
    assert [each["id"] for each in whole["conversations"]] == mine[::-1]
    part = await chat.get(f"/conversation?userId={person}&take=1&skip=1", "owner")
    assert ([each["id"] for each in part["conversations"]], part["total"]) == ([mine[1]], 3)
    for query, total in (
        ("workspaceId=w1", 3), ("workspaceId=w2", 0), ("repoId=r1", 3), ("repoId=r2", 0),
        ("from=2020-01-01", 3), ("to=2020-01-01", 0), ("from=2099-01-01", 0), ("take=0", 3),
    ):  # fmt: skip
        assert (await chat.get(f"/conversation?userId={person}&{query}", "owner"))["total"] == total, query
    refused(await chat.send("owner", "GET", "/conversation?from=never"), 400)


async def test_a_provider_that_fails_leaves_the_conversation_as_it_was(chat):
    ident = await chat.begin()
    chat.provider.status, chat.provider.answer = 500, {"error": {"message": "Overloaded."}}
    assert "Overloaded." in refused(await chat.prompt(ident), 503)
    assert (await chat.get(f"/conversation/{ident}/messages", "reader"))["messages"] == []


async def test_models_are_listed_by_type(chat):
    chat.provider.models = ("gpt-4.1", "gpt-4.1-mini")
    found = (await chat.make("/ai/models", {"repoId": "r1"}, "reader"))["models"]
    assert {"gpt-4.1"} <= {each["id"] for each in found}
    assert list(found[0]) == ["id", "name", "aiType", "llmType", "llmProvider"]
    assert (found[0]["aiType"], found[0]["llmProvider"]) == ("OPENAI", "models")
    assert (await chat.make("/ai/models", {"repoId": "r1", "aiType": "ANTHROPIC"}, "reader"))["models"] == []
    refused(await chat.send("reader", "POST", "/ai/models", json={"repoId": "r2"}), 404)


async def test_conversations_move_with_their_repo(chat):
    repo = (await chat.make("/repo", {"name": "moving", "workspaceId": "w1"}, "owner"))["repoId"]
    ident = await chat.begin("owner", repo)
    await chat.prompt(ident, caller="owner")
    gone = await chat.begin("owner", repo)
    await chat.send("owner", "DELETE", f"/conversation/{gone}")
    moved = await chat.send("owner", "PUT", f"/repo/{repo}", json={"workspaceId": "w2"})
    assert moved.status_code == 200, moved.text
    found = await chat.get("/conversation?workspaceId=w2&showDeleted=true", "owner")
    assert {(each["id"], each["repoId"]) for each in found["conversations"]} == {(ident, repo), (gone, repo)}
    assert len((await chat.get(f"/conversation/{ident}/messages", "owner"))["messages"]) == 2
    refused(await chat.prompt(ident, caller="owner"), 400)  # there is no connection in w2


async def test_a_conversation_ends_with_its_repo(chat):
    repo = (await chat.make("/repo", {"name": "brief", "workspaceId": "w1"}, "owner"))["repoId"]
    ident = await chat.begin("owner", repo)
    assert (await chat.send("owner", "DELETE", f"/repo/{repo}")).status_code == 200
    refused(await chat.prompt(ident, caller="owner"), 404)


async def test_two_prompts_at_once_are_both_kept(chat):
    ident = await chat.begin()
    answers = await asyncio.gather(*(chat.prompt(ident, f"Number {n}.") for n in range(4)))
    assert [each.json()["success"] for each in answers] == [True] * 4
    kept = (await chat.get(f"/conversation/{ident}/messages", "reader"))["messages"]
    assert [each["role"] for each in kept] == ["user", "assistant"] * 4
    assert {each["content"] for each in kept[::2]} == {f"Number {n}." for n in range(4)}


async def test_a_conversation_says_only_so_much(chat, monkeypatch):
    monkeypatch.setattr(conversations, "MAX_SAID", 20)
    ident = await chat.begin()
    chat.provider.answer = said("A long answer to that.")
    assert (await chat.prompt(ident)).status_code == 200
    assert "begin another" in refused(await chat.prompt(ident), 409)
    assert len(chat.provider.chats) == 1
