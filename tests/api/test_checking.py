"""A draft of a policy is checked and tried before it is saved, and nothing of it is kept."""

CALL = {"phase": "tool_call", "tool_call": {"name": "pay", "arguments": {"amount": 7200}}}
SMALL = {"phase": "tool_call", "tool_call": {"name": "pay", "arguments": {"amount": 20}}}
RULE = {"expr": "tool_call.arguments.amount < 5000"}
DRAFT = {"name": "Limit", "rules": [RULE], "conditions": {"phase": "tool_call"}}


async def check(server, draft, caller="admin"):
    found = await server.send(caller, "POST", "/v1/policies:check", json=draft)
    assert found.status_code == 200, found.text
    return found.json()


def example(expect, request, name="e"):
    return {"name": name, "expect": expect, "request": request}


async def test_a_draft_is_not_kept(inhabited):
    async def state():
        listed = (await inhabited.send("admin", "GET", "/v1/policies?limit=100")).json()
        held = (await inhabited.send("admin", "GET", "/v1/receipts?limit=100")).json()
        return listed, held

    before = await state()
    await check(inhabited, {**DRAFT, "request": CALL, "examples": [example("violate", CALL)]})
    assert await state() == before


async def test_an_expression_that_does_not_compile_is_shown_with_a_caret(inhabited):
    found = await check(inhabited, {**DRAFT, "rules": [RULE, {"expr": "amount <"}]})
    (problem,) = found["problems"]
    assert problem["path"] == "rules[1].expr"
    assert "line 1, column" in problem["message"]
    assert "^" in problem["message"]


async def test_examples_come_to_what_the_draft_says_alone(inhabited):
    stricter = {"name": "All", "rules": [{"expr": "false"}], "workspace_id": "w1"}
    await inhabited.make("/v1/policies", stricter)
    examples = [
        example("violate", CALL, "large"),
        example("pass", SMALL, "small"),
        example("pass", CALL, "wrong"),
        example("pass", {"phase": "output", "agent_output": "Hello."}, "not about a call"),
        example("violate", {"phase": "no such phase"}, "no request"),
    ]
    found = await check(inhabited, {**DRAFT, "workspace_id": "w1", "examples": examples})
    came_to = {each["name"]: (each["came_to"], each["is_as_expected"]) for each in found["examples"]}
    assert came_to == {
        "large": ("violate", True),
        "small": ("pass", True),
        "wrong": ("violate", False),
        "not about a call": ("does_not_apply", True),
        "no request": ("unusable", False),
    }


async def test_what_nobody_here_can_judge_is_undecided_and_said_so(inhabited):
    rules = [{"text": "Be kind to people who grieve."}]
    asked = {"phase": "output", "agent_output": "Too bad."}
    found = await check(inhabited, {"name": "Kind", "rules": rules, "examples": [example("violate", asked)]})
    assert found["judged"][0]["needs_judge"]
    assert found["examples"][0]["came_to"] == "undecided"
    assert not found["examples"][0]["is_as_expected"]


async def test_advice_quotes_the_words_that_it_is_about(inhabited):
    rules = [RULE, {"text": "Give refunds where appropriate."}]
    found = await check(inhabited, {"name": "Refunds", "rules": rules})
    (advice,) = found["advice"]
    assert advice["rule_id"] == "r2"
    assert "appropriate" in [each["quote"] for each in advice["issues"]]


async def test_a_request_is_explained_by_the_draft(inhabited):
    found = await check(inhabited, {**DRAFT, "reach": "bound", "workspace_id": "w1", "request": CALL})
    decision = found["explanation"]["decision"]
    assert decision["outcome"] == "block"
    assert [each["name"] for each in decision["policies"]] == ["Limit"]
    assert found["explanation"]["changes"][0]["path"] == "tool_call.arguments.amount"


async def test_a_draft_of_a_change_is_checked_where_the_policy_is(inhabited):
    made = await inhabited.make("/v1/policies", {**DRAFT, "workspace_id": "w1"})
    await inhabited.send("admin", "PATCH", "/v1/workspaces/w1", json={"review_edits": True})
    found = await check(inhabited, {**DRAFT, "policy_id": made["id"], "request": SMALL})
    assert found["waits"]
    assert found["explanation"]["decision"]["policies"][0]["id"] == made["id"]
    refused = await inhabited.send(
        "neighbour", "POST", "/v1/policies:check", json={**DRAFT, "policy_id": made["id"]}
    )
    assert refused.status_code == 404


async def test_nothing_is_checked_for_a_place_in_which_one_may_not_write(inhabited):
    found = await inhabited.send(
        "neighbour", "POST", "/v1/policies:check", json={**DRAFT, "workspace_id": "w1"}
    )
    assert found.status_code in {403, 404}
