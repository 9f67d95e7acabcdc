"""The routes of evaluators, and what is said when a policy is saved."""

import pytest

KIND = "Be kind to customers."
LAWSUIT = "Reject any output that mentions 'lawsuit'."


async def test_without_a_model_the_list_says_so(server):
    found = (await server.send("admin", "GET", "/v1/evaluators")).json()
    assert [(each["id"], each["is_configured"]) for each in found["evaluators"]] == [
        ("offline", True),
        ("model", False),
    ]
    assert found["hit_rate"] is None
    await server.make("/v1/decisions", {"agent_output": "hi", "policy_rules": [KIND]})
    assert (await server.send("admin", "GET", "/v1/evaluators")).json()["hit_rate"] == 0.0


async def test_saving_a_rule_says_how_it_is_judged_and_warns_of_one_that_nobody_can(server):
    policy = {"name": "p", "rules": [{"text": LAWSUIT}, {"text": KIND}, {"expr": "true"}]}
    saved = await server.make("/v1/policies", policy)
    assert [(each["rule_id"], each["judged_by"], each["left"]) for each in saved["judged"]] == [
        ("r1", ["offline"], "nothing"),
        ("r2", [], "all"),
    ]
    assert [(each["code"], each["path"]) for each in saved["warnings"]] == [("needs_judge", "rules[1].text")]
    edited = await server.make(f"/v1/policies/{saved['id']}", {"evaluator": "model"}, method="PATCH")
    assert [each["code"] for each in edited["warnings"]] == ["no_evaluator"]
    assert (edited["version"], edited["evaluator"]) == (2, "model")
    explained = await server.make("/v1/evaluators/explain", {"policy_id": saved["id"]})
    assert explained["rules"] == edited["judged"]


async def test_a_rule_for_a_model_that_is_not_there_is_undecided_and_says_so(server):
    policy = {"name": "p", "rules": [{"text": LAWSUIT}], "evaluator": "model"}
    await server.make("/v1/policies", policy)
    found = await server.make("/v1/decisions", {"phase": "output", "agent_output": "a lawsuit"})
    (rule,) = found["policies"][0]["rules"]
    assert (rule["status"], rule["code"], found["outcome"]) == ("indeterminate", "no_evaluator", "review")


async def test_a_rule_is_explained_before_it_is_saved(server):
    (one,) = (await server.make("/v1/evaluators/explain", {"text": "Flag answers that mention 'x'."}))[
        "rules"
    ]
    assert one["effect"] == "flag"
    asked = {"rules": [{"text": LAWSUIT}, {"text": KIND, "effect": "flag"}], "evaluator": "offline"}
    two = (await server.make("/v1/evaluators/explain", asked))["rules"]
    assert [(each["needs_judge"], bool(each["why"])) for each in two] == [(False, False), (True, True)]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"text": "a", "rules": [{"text": "b"}]}, 422),
        ({"text": ""}, 422),
        ({"policy_id": "p"}, 404),
    ],
)
async def test_what_cannot_be_explained_is_refused(server, asked, status):
    assert (await server.send("admin", "POST", "/v1/evaluators/explain", json=asked)).status_code == status


async def test_a_rule_is_tried_and_nothing_is_kept(server):
    before = (await server.send("admin", "GET", "/v1/receipts")).json()["data"]
    asked = {"rule": LAWSUIT, "context": {"phase": "output", "agent_output": "a lawsuit"}}
    found = await server.make("/v1/evaluators/try", asked)
    assert (found["result"]["status"], found["result"]["basis"]) == ("violated", "pattern")
    assert found["result"]["evidence"] == ["lawsuit"]
    assert [each["evaluator"] for each in found["evaluators"]] == ["offline"]
    after = (await server.send("admin", "GET", "/v1/receipts")).json()["data"]
    assert after == before
    wrong = await server.send("admin", "POST", "/v1/evaluators/try", json=asked | {"context": {"agent": 1}})
    assert wrong.status_code == 422


async def test_an_import_counts_the_rules_that_nobody_here_can_judge(server):
    policies = [
        {"id": "p1", "content": {"name": "p1", "rules": [{"text": KIND}, {"text": LAWSUIT}]}},
        {"id": "p2", "content": {"name": "p2", "rules": [{"text": LAWSUIT}]}},
    ]
    found = await server.make("/v1/imports", {"policies": policies, "dry_run": True})
    assert [(each["id"], each["unjudged"]) for each in found["results"]] == [("p1", 1), ("p2", 0)]
