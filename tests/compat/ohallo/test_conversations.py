"""Conversations as far as policies need them: imported, listed, resolved, their held calls approved."""

import pytest

TALKS = "/api/conversations"
SAID = [
    {"speaker": "contact", "text": "May I have 320 EUR back?", "createdAt": "2026-02-01T08:00:00Z"},
    {"speaker": "human", "text": "You may.", "createdAt": "2026-02-01T08:05:00.250Z"},
]


async def talk(world, **said) -> dict:
    """A new conversation in the workspace shop."""
    return await world.make(TALKS, {"workspaceId": "shop", "messages": SAID, **said}, "people")


async def found(world, query="") -> list[str]:
    answer = await world.send("people", "GET", TALKS + query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["data"]]


async def test_an_import_is_answered_whole_and_read_as_it_was_answered(world):
    new = {"id": "conv-41", "workspaceId": "shop", "contactName": "Ada", "messages": SAID}
    made = await world.send("people", "POST", TALKS, json=new)
    assert made.status_code == 201, made.text
    assert [each["text"] for each in made.json()["messages"]] == [each["text"] for each in SAID]
    assert made.json()["lastMessageAt"] == "2026-02-01T08:05:00.250Z"
    assert (await world.send("people", "GET", f"{TALKS}/conv-41")).text == made.text
    assert (await world.send("people", "POST", TALKS, json=new)).status_code == 409


@pytest.mark.parametrize(
    "wrong",
    [
        {"workspaceId": ""},
        {"messages": [{"speaker": "robot", "text": "x"}]},
        {"messages": [{"speaker": "agent", "text": ""}]},
        {"messages": [{"speaker": "agent", "text": "x", "createdAt": "yesterday"}]},
        {"messages": [{"speaker": "agent", "text": "x"}] * 1001},
        {"status": "odd"},
        {"id": "a b"},
    ],
)
async def test_what_is_no_conversation_is_refused_by_its_field(world, wrong):
    made = await world.send("people", "POST", TALKS, json={"workspaceId": "shop", **wrong})
    assert made.status_code == 400, made.text
    assert next(iter(wrong)) in made.json()["error"]


async def test_lists_are_filtered_and_continue_after_a_cursor(world):
    ada = await talk(
        world, contactId="ada-7", accountId="acct", contactEmail="Ada@example.org", status="closed"
    )
    taken = await talk(world, humanManaged=True)
    for query, expected in (
        ("?contactId=ada-7", [ada["id"]]),
        ("?accountId=acct", [ada["id"]]),
        ("?q=ada%40EXAMPLE", [ada["id"]]),
        ("?contactId=ada-7&status=open", []),
        ("?contactId=ada-7&status=closed&workspaceId=shop", [ada["id"]]),
        ("?contactId=ada-7&workspaceId=depot", []),
        ("?humanManaged=true&limit=1", [taken["id"]]),
    ):
        assert await found(world, query) == expected, query
    walked, query = [], "?limit=1"
    while query:
        answer = (await world.send("people", "GET", TALKS + query)).json()
        walked += [each["id"] for each in answer["data"]]
        query = f"?limit=1&cursor={answer['nextCursor']}" if "nextCursor" in answer else ""
    assert walked == await found(world, "?limit=5000")
    for query in ("?limit=0", "?cursor=x", "?status=odd", "?humanManaged=perhaps"):
        assert (await world.send("people", "GET", TALKS + query)).status_code == 400, query


async def test_it_is_resolved_once_with_an_outcome(world):
    ident = (await talk(world))["id"]
    path = f"{TALKS}/{ident}/resolve"
    await world.make(path, {"outcome": "Refunded."}, "people")
    held = (await world.send("people", "GET", f"{TALKS}/{ident}")).json()
    assert (held["status"], held["outcome"]) == ("resolved", "Refunded.")
    assert (await world.send("people", "POST", path)).status_code == 409
    assert (await world.send("people", "POST", f"{TALKS}/{ident}/take-over")).status_code == 409
    assert (await world.send("people", "POST", f"{TALKS}/nothing/resolve")).status_code == 404


async def test_a_person_takes_over_and_lets_go(world):
    ident = (await talk(world))["id"]
    for word, expected in (("take-over", ("in_progress", True)), ("release", ("open", False))):
        for _ in range(2):
            found = await world.send("people", "POST", f"{TALKS}/{ident}/{word}")
            assert (found.status_code, found.text) == (200, '{"ok":true}')
        held = (await world.send("people", "GET", f"{TALKS}/{ident}")).json()
        assert (held["status"], held["humanManaged"]) == expected


async def held_call(world, ident, amount) -> dict:
    """A tool call of a conversation that waits for a person."""
    call = {"name": "refund", "arguments": {"amount": amount}}
    asked = {"workspace_id": "shop", "conversation_id": ident, "phase": "tool_call", "tool_call": call}
    return await world.make("/v1/decisions", asked)


async def test_a_held_call_is_approved_through_its_conversation(world):
    rules = [{"expr": "tool_call.arguments.amount < 100"}]
    await world.make(
        "/v1/policies", {"name": "n", "rules": rules, "workspace_id": "shop", "action": "review"}
    )
    ident = (await talk(world))["id"]
    path = f"{TALKS}/{ident}/approve"
    assert (await world.send("people", "POST", path)).status_code == 404
    decision = await held_call(world, ident, 320)
    assert decision["outcome"] == "review"
    assert ident in await found(world, "?hasAttention=true")
    assert (await world.send("people", "POST", path)).text == '{"ok":true}'
    (approval,) = [each["id"] for each in decision["obligations"] if each["kind"] == "approval"]
    kept = (await world.send("people", "GET", f"/v1/approvals/{approval}")).json()
    assert kept["status"] == "approved"
    assert (await world.send("people", "POST", path)).status_code == 404
    for amount in (500, 600):
        await held_call(world, ident, amount)
    several = await world.send("people", "POST", path)
    assert (several.status_code, "/v1/approvals" in several.json()["error"]) == (409, True)


async def test_conversations_are_for_those_who_may_see_them(world):
    ident = (await talk(world))["id"]
    assert (await world.send("reader", "GET", TALKS)).status_code == 403
    assert (await world.send("stranger", "GET", TALKS)).json() == {"data": []}
    for method, path in (("GET", ""), ("POST", "/resolve"), ("POST", "/approve"), ("POST", "/release")):
        assert (await world.send("stranger", method, f"{TALKS}/{ident}{path}")).status_code == 404
