"""Help with writing policies, in the dialect of these two routes: snake_case, lower case, no `success`."""

import asyncio

import pytest

from tests.compat.flashback.conftest import CONTENT, refused


async def validate(org, *texts):
    drafts = [{"policy_uuid": f"d{number}", "content": text} for number, text in enumerate(texts)]
    found = await org.send("owner", "POST", "/policy/validate", json={"policies": drafts})
    assert found.status_code == 200, found.text
    return found.json()


async def test_wordings_are_reviewed_in_the_order_in_which_they_came(org):
    answer = await validate(org, "Handle data appropriately where possible, etc.", CONTENT, "")
    assert list(answer) == ["results"]
    assert [each["policy_uuid"] for each in answer["results"]] == ["d0", "d1", "d2"]
    for each in answer["results"]:
        assert list(each) == ["policy_uuid", "score", "advice", "issues", "severity"]
        assert 0 <= each["score"] <= 100
        assert each["advice"]
        assert each["severity"] in {"none", "low", "medium", "high"}
        for issue in each["issues"]:
            assert list(issue) == ["type", "description", "suggestion"]
            assert issue["type"] in {"ambiguity", "verbosity", "clarity", "scope", "actionability"}
    vague, clear, empty = answer["results"]
    assert vague["score"] < clear["score"]
    assert vague["issues"]
    assert empty["score"] == 0


async def test_nothing_to_review_has_no_results(org):
    assert await validate(org) == {"results": []}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"policies": None}, {"policies": {}}, {"policies": [{"content": "x"}]},
        {"policies": [{"policy_uuid": "u"}]},
        {"policies": [{"policy_uuid": 1, "content": "x"}]},
        {"policies": [{"policy_uuid": "u", "content": "x"}] * 51},
        {"policies": [{"policy_uuid": "u", "content": "x" * 60_000}] * 2},
    ],
)  # fmt: skip
async def test_what_cannot_be_reviewed_is_refused(org, body):
    refused(await org.send("owner", "POST", "/policy/validate", json=body), 400)


async def test_others_are_answered_while_wordings_are_reviewed(org):
    long = "Never share personal data of customers unless it is appropriate. " * 100
    reviewing = asyncio.create_task(validate(org, *[long] * 10))
    while not reviewing.done():
        assert (await org.get("/policy?orgId=acme"))["policies"] == []
    assert len((await reviewing)["results"]) == 10


async def test_policies_that_fit_a_need_are_recommended(org):
    need = {"level": 0, "prompt": "Keep personal data such as card numbers out of answers to customers."}
    found = await org.send("owner", "POST", "/policy/recommend", json=need)
    assert found.status_code == 200
    answer = found.json()
    assert list(answer) == ["level", "uuid", "tokens_in", "tokens_out", "recommended_policies"]
    assert (answer["level"], answer["uuid"], answer["tokens_in"], answer["tokens_out"]) == (0, "acme", 0, 0)
    assert answer["recommended_policies"]
    for each in answer["recommended_policies"]:
        assert list(each) == ["content", "riskType", "alertType"]
        assert each["riskType"] in {"low", "medium", "high"}
        assert each["alertType"] in {"log", "alert", "block"}
        new = {"name": "n", "content": each["content"], "riskType": each["riskType"].upper()}
        new["actionType"] = ["log", "alert", "block"].index(each["alertType"])
        await org.policy(**new)


@pytest.mark.parametrize(("level", "uuid"), [(0, "acme"), (1, "w1"), (2, "r1")])
async def test_the_place_is_echoed(org, level, uuid):
    need = {"level": level, "uuid": uuid, "prompt": "Zebra crossings."}
    found = await org.send("owner", "POST", "/policy/recommend", json=need)
    assert found.json() == {
        "level": level,
        "uuid": uuid,
        "tokens_in": 0,
        "tokens_out": 0,
        "recommended_policies": [],
    }


@pytest.mark.parametrize(
    ("need", "status"),
    [
        ({"level": 0}, 400), ({"level": 3, "prompt": "p"}, 400), ({"level": "0", "prompt": "p"}, 400),
        ({"level": 0, "prompt": " "}, 400), ({"level": 0, "prompt": "p", "uuid": "other"}, 403),
        ({"level": 1, "prompt": "p", "uuid": "none"}, 404),
        ({"level": 2, "prompt": "p", "uuid": "none"}, 404),
    ],
)  # fmt: skip
async def test_a_need_that_is_not_usable_is_refused(org, need, status):
    refused(await org.send("owner", "POST", "/policy/recommend", json=need), status)
