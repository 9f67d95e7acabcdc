"""Saving a policy answers with what in it is probably not meant."""

from bylaw.api.native.examples import EXAMPLES

CALL = {"tool_call.name": "pay"}
RULE = {"expr": "tool_call.arguments.amount < 5000"}


def codes(answer):
    return [(each["path"], each["code"]) for each in answer["warnings"]]


async def test_creating_editing_and_rolling_back_answer_with_warnings(server):
    made = await server.make("/v1/policies", {"name": "A", "rules": [RULE], "conditions": CALL})
    assert codes(made) == [("conditions.tool_call.name", "other_phases")]
    path = f"/v1/policies/{made['id']}"
    mended = {"conditions": {**CALL, "phase": "tool_call"}}
    assert codes((await server.send("admin", "PATCH", path, json=mended)).json()) == []
    back = await server.send("admin", "POST", f"{path}/rollback", json={"version": 1})
    assert codes(back.json()) == [("conditions.tool_call.name", "other_phases")]


async def test_a_version_that_waits_is_the_one_that_is_warned_about(server):
    await server.make("/v1/workspaces", {"name": "W", "id": "w"})
    await server.send("admin", "PATCH", "/v1/workspaces/w", json={"review_edits": True})
    made = await server.make(
        "/v1/policies",
        {"name": "A", "rules": [{"expr": "amount < 5"}], "workspace_id": "w", "status": "approved"},
    )
    assert codes(made) == []
    edit = {"rules": [{"expr": "tool_cal.amount < 5"}]}
    edited = (await server.send("admin", "PATCH", f"/v1/policies/{made['id']}", json=edit)).json()
    assert (edited["version"], edited["pending"]) == (1, 2)
    assert codes(edited) == [("rules[0].expr", "misspelt_field")]


async def test_declared_fields_are_not_guessed_at(server):
    schema = {"type": "object", "properties": {"topic": {"type": "string"}}}
    await server.make("/v1/workspaces", {"name": "W", "id": "w"})
    await server.send("admin", "PATCH", "/v1/workspaces/w", json={"context_schema": schema})
    rules = [{"expr": 'topic == "x"'}]
    assert codes(await server.make("/v1/policies", {"name": "A", "rules": rules, "workspace_id": "w"})) == []
    assert codes(await server.make("/v1/policies", {"name": "A", "rules": rules})) == [
        ("rules[0].expr", "misspelt_field")
    ]


async def test_a_plan_answers_with_the_warnings_of_each_policy(server):
    document = {"pack": "p", "policies": {"a": {"name": "A", "rules": [RULE], "conditions": CALL}}}
    sent = {"documents": [{"file": "p.yaml", "document": document}]}
    plan = (await server.send("admin", "POST", "/v1/packs/plan", json=sent)).json()
    assert codes(plan["steps"][0]) == [("policies.a.conditions.tool_call.name", "other_phases")]


async def test_the_examples_of_the_api_are_as_they_should_be(server):
    made = await server.make("/v1/policies", EXAMPLES["NewPolicy"])
    assert codes(made) == [("rules[1].text", "needs_judge")]
    plan = await server.send("admin", "POST", "/v1/packs/plan", json=EXAMPLES["PacksToPlan"])
    assert plan.json()["steps"][0]["warnings"] == []
