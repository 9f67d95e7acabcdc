"""Statistics as the contract has them, key for key."""

import pytest
import pytest_asyncio

POINT = [
    "ts",
    "violations",
    "alerts",
    "blocks",
    "severityLow",
    "severityMedium",
    "severityHigh",
]
SUMMARY = ["total", "avg", "stdDev", "min", "max", "p10", "p50", "p90"]


async def violate(org, **fields):
    return await org.say(**({"workspace_id": None, "repo_id": None} | fields))


@pytest_asyncio.fixture(loop_scope="module")
async def policy(org):
    made = await org.policy(workspaceId="w1")
    org.ids["rule"] = made["id"]
    yield made
    await org.send("owner", "DELETE", f"/policy/{made['id']}")


async def total(org, caller="owner", **query):
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return (await org.get(f"/v2/stats/policies?window=24h&{words}", caller))["summary"]["total"]


@pytest.mark.usefixtures("policy")
async def test_a_series_has_the_contracts_keys(org):
    before = await total(org, scope="org")
    await violate(org, workspace_id="w1", user_id=org.people["writer"]["id"])
    found = await org.get("/v2/stats/policies?scope=org&window=24h")
    assert list(found) == ["success", "meta", "summary", "series"]
    assert list(found["meta"]) == ["start", "end", "scope", "window", "timeBucketSize"]
    assert list(found["summary"]) == SUMMARY
    assert list(found["series"][0]) == [*POINT, "policyTokensIn", "policyTokensOut"]
    assert (found["meta"]["timeBucketSize"], len(found["series"])) == ("10m", 144)
    assert found["meta"]["end"] - found["meta"]["start"] == 24 * 3_600_000
    assert found["series"][0]["ts"] == found["meta"]["start"]
    assert found["summary"]["total"] == before + 1
    last = found["series"][-1]
    assert last["blocks"] >= 1
    assert last["severityHigh"] >= 1


async def test_a_scope_and_filters_narrow_it(org, policy):
    await violate(org, workspace_id="w1", repo_id="r1", model="m-1")
    rule = policy["id"]
    assert await total(org, scope="workspace", id="w1", ruleId=rule) == 1
    assert await total(org, scope="repo", id="r1", ruleId=rule) == 1
    assert await total(org, scope="repo", id="r2", ruleId=rule) == 0
    assert await total(org, scope="workspace", id="nowhere") == 0
    assert await total(org, scope="repo", id="nowhere") == 0
    assert await total(org, scope="org", apiKeyId="nobody") == 0
    found = await org.get(f"/v2/stats/policies?scope=workspace&id=w1&window=7d&ruleId={rule}")
    assert found["meta"]["resourceFilter"] == {"type": "rule", "id": rule}
    assert found["meta"]["scopeId"] == "w1"


async def test_people_count_where_they_may_see(org, policy):
    await violate(org, workspace_id="w1")
    rule = policy["id"]
    assert await total(org, "reader", scope="org", ruleId=rule) == 1
    assert await total(org, "reader", scope="workspace", id="w2") == 0
    assert await total(org, "member", scope="org", ruleId=rule) == 0
    assert await total(org, "stranger", scope="org") == 0


async def test_tokens_have_their_own_series(org):
    found = await org.get("/v2/stats/policies/tokens?scope=org&window=30d&timeBucketSize=1d")
    assert list(found["series"][0]) == ["ts", "policyTokensIn", "policyTokensOut"]
    assert list(found["summary"]) == SUMMARY
    assert len(found["series"]) == 30


async def test_a_breakdown_names_rules_and_users(org, policy):
    person = org.people["writer"]["id"]
    await violate(org, workspace_id="w1", user_id=person)
    found = await org.get(f"/v2/stats/policies/breakdown/rules?window=7d&ruleId={policy['id']}")
    assert list(found) == ["success", "meta", "summary", "entities"]
    assert list(found["meta"]) == [
        "start", "end", "scope", "breakdownBy", "includesSeries", "limit", "offset", "totalEntities",
        "resourceFilter",
    ]  # fmt: skip
    assert found["summary"] == {"total": 1}
    (entity,) = found["entities"]
    assert list(entity) == ["entityId", "entityName", "totals"]
    assert (entity["entityId"], entity["entityName"]) == (policy["id"], policy["name"])
    assert list(entity["totals"]) == POINT[1:]
    users = await org.get(
        f"/v2/stats/policies/breakdown/users?window=7d&includeSeries=true&limit=1000&userId={person}"
    )
    (entity,) = users["entities"]
    assert (entity["entityId"], entity["entityName"]) == (person, "Writer Doe")
    assert list(entity["series"][0]) == POINT
    assert sum(each["violations"] for each in entity["series"]) == entity["totals"]["violations"]
    assert (users["meta"]["limit"], users["meta"]["includesSeries"]) == (100, True)


@pytest.mark.parametrize(
    "query",
    [
        "scope=org",
        "window=24h",
        "scope=workspace&window=24h",
        "scope=planet&window=24h",
        "scope=org&window=25h",
        "scope=org&window=24h&timeBucketSize=2m",
        "scope=org&window=365d&timeBucketSize=5m",
    ],
)
async def test_what_is_no_question_is_refused(org, query):
    found = await org.get(f"/v2/stats/policies?{query}", status=400)
    assert found["success"] is False
    assert found["message"]


async def test_what_decisions_do_not_say_is_refused(org):
    found = await org.get("/v2/stats/policies/breakdown/rules?window=7d&aiLlmId=1", status=400)
    assert "aiLlmId" in found["message"]
    await org.get("/v2/stats/policies/breakdown/planets?window=7d", status=404)


async def test_a_breakdown_names_what_was_only_told(org):
    """A rule that nobody can judge raises alerts, and violates nothing."""
    policy = await org.policy("owner", name="Kindness", content="Be kind to customers.", workspaceId="w2")
    person = org.people["member"]["id"]
    said = {"phase": "output", "agent_output": "Sure.", "workspace_id": "w2", "user_id": person}
    assert (await org.make("/v1/decisions", said))["outcome"] == "review"
    for by, ident, name in (("rules", policy["id"], "Kindness"), ("users", person, "Member Doe")):
        found = await org.get(f"/v2/stats/policies/breakdown/{by}?window=7d&userId={person}")
        assert [(each["entityId"], each["entityName"]) for each in found["entities"]] == [(ident, name)]
    await org.send("owner", "DELETE", f"/policy/{policy['id']}")
