"""Violations and alerts: every filter, order, paging, and the exact shape."""

import pytest
import pytest_asyncio

from bylaw.core.clock import from_rfc3339
from bylaw.review.model import Names
from tests.compat.flashback.conftest import refused
from tests.contracts.values import alert, occasion, snapshot, violation

VIOLATION = [
    "id", "policyId", "policyName", "timestamp", "explanation", "conversationId", "repoId", "repoName",
    "userId", "userName", "repoAiApiKeyId", "repoAiApiKeyName", "severity", "block", "llmType",
    "llmModel", "host",
]  # fmt: skip
ALERT = [
    "id", "policyId", "policyName", "timestamp", "message", "conversationId", "repoId", "repoName",
    "userId", "userName", "repoAiApiKeyId", "repoAiApiKeyName", "llmType", "llmModel", "host",
]  # fmt: skip
PATHS = {"violations": "/policy/violations", "alerts": "/policy/alerts"}
# Four days of records of a policy that nobody made here: newest last.
ROWS = [
    {"at": "2026-01-10T00:00:00.000Z", "provider": "openai", "model": "gpt-5", "host": "h1", "risk": "LOW"},
    {
        "at": "2026-01-10T23:59:59.999Z",
        "provider": "anthropic",
        "model": "opus",
        "host": "h2",
        "risk": "HIGH",
    },
    {
        "at": "2026-01-11T00:00:00.000Z",
        "provider": "ANTHROPIC",
        "model": "opus",
        "host": "h1",
        "risk": "MEDIUM",
    },
    {"at": "2026-01-12T09:30:00.000Z", "provider": "google", "model": "g", "host": "h3", "risk": "HIGH"},
]


@pytest_asyncio.fixture(loop_scope="module")
async def rows(organisation):
    """The ids of the records of ROWS, stored once as any number of times."""
    async with organisation.app.stores.control.begin("acme") as unit:
        for number, row in enumerate(ROWS):
            place = {"workspace_id": "w2" if number == 3 else "w1", "repo_id": "r2" if number == 3 else "r1"}
            seen = {name: row[name] for name in ("provider", "model", "host")}
            told = occasion("acme", at_ms=from_rfc3339(row["at"]), **place, **seen)
            policy = snapshot(id="pol_past", name="Past", risk=row["risk"])
            shared = {"occasion": told, "policy": policy, "names": Names(repo="Repo")}
            await unit.review.statistics.outdate([told.at_ms])
            await unit.review.violations.add([violation(id=f"v{number}", block=number == 1, **shared)])
            await unit.review.alerts.add([alert(id=f"a{number}", **shared)])


async def found(org, kind, query, caller="owner"):
    answer = await org.get(f"{PATHS[kind]}?policyId=pol_past&{query}", caller)
    return [each["id"][1:] for each in answer[kind]]


@pytest.mark.parametrize("kind", [*PATHS])
@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "3210"),
        ("workspaceId=w1", "210"), ("workspaceId=w2", "3"), ("workspaceId=none", ""),
        ("repoId=r1", "210"), ("workspaceId=w1&repoId=r2", ""), ("workspaceId=&repoId=", "3210"),
        ("from=2026-01-11", "32"), ("from=2026-01-10T23:59:59.999Z", "321"), ("from=2026-01-13", ""),
        ("to=2026-01-10", "10"), ("to=2026-01-10T00:00:00.000Z", "0"), ("to=2026-01-11T00:00:00Z", "210"),
        ("from=2026-01-10&to=2026-01-10", "10"), ("from=2026-01-11T01:00:00%2B01:00", "32"),
        ("from=2026-01-11T01:00:00+01:00", "32"), ("from=2026-01-11T00:00:00", "32"),
        ("from=2026-01-12&to=2026-01-11", ""), ("to=9999-12-31", "3210"),
        ("llmType=OPENAI", "0"), ("llmType=anthropic", "21"), ("llmType=OPENAI,ANTHROPIC", "210"),
        ("llmModel=opus", "21"), ("llmModel=opus,%20g", "321"), ("llmModel=none", ""), ("llmModel=,", "3210"),
        ("host=h1", "20"), ("host=h1,h2", "210"),
        ("llmType=ANTHROPIC&host=h1", "2"), ("odd=1", "3210"),
        ("skip=1", "210"), ("take=2", "32"), ("skip=1&take=2", "21"), ("skip=9", ""), ("take=0", ""),
        ("skip=99999999999999999999", ""),
    ],
)  # fmt: skip
async def test_filters_combine(org, kind, query, wanted):
    assert "".join(await found(org, kind, query)) == wanted


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("severity=HIGH", "31"), ("severity=LOW,MEDIUM", "20"), ("severity=", "3210"),
        ("block=true", "1"), ("block=false", "320"), ("severity=HIGH&block=false", "3"),
    ],
)  # fmt: skip
async def test_violations_have_a_severity_and_say_whether_they_blocked(org, query, wanted):
    assert "".join(await found(org, "violations", query)) == wanted
    assert "".join(await found(org, "alerts", query)) == "3210"


@pytest.mark.parametrize("kind", [*PATHS])
@pytest.mark.parametrize(
    "query",
    [
        "skip=-1",
        "take=-1",
        "skip=x",
        "take=1.5",
        "from=yesterday",
        "to=2026-13-01",
        "from=2026-01-10T25:00:00Z",
    ],
)
async def test_what_is_no_value_is_refused(org, kind, query):
    message = refused(await org.send("owner", "GET", f"{PATHS[kind]}?{query}"), 400)
    assert query.partition("=")[0] in message


@pytest.mark.parametrize("query", ["severity=high", "severity=HIGH,ODD", "block=maybe"])
async def test_what_is_no_severity_is_refused(org, query):
    refused(await org.send("owner", "GET", f"/policy/violations?{query}"), 400)


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("kind", [*PATHS])
async def test_pages_say_what_they_are_of(org, kind):
    answer = await org.get(f"{PATHS[kind]}?policyId=pol_past&skip=1&take=2")
    assert list(answer) == ["success", kind, "total", "skip", "take"]
    assert (answer["success"], answer["total"], answer["skip"], answer["take"]) == (True, 4, 1, 2)
    answer = await org.get(f"{PATHS[kind]}?policyId=pol_past")
    assert (answer["skip"], answer["take"]) == (0, 50)
    assert (await org.get(f"{PATHS[kind]}?take=5000"))["take"] == 100


async def test_no_more_than_a_hundred_are_answered_at_once(org):
    async with org.app.stores.control.begin("acme") as unit:
        many = [violation("acme", policy=snapshot(id="pol_many")) for _ in range(103)]
        await unit.review.statistics.outdate({each.occasion.at_ms for each in many})
        await unit.review.violations.add(many)
    answer = await org.get("/policy/violations?policyId=pol_many&take=103")
    assert (len(answer["violations"]), answer["total"], answer["take"]) == (100, 103, 100)
    rest = await org.get("/policy/violations?policyId=pol_many&take=100&skip=100")
    assert len(rest["violations"]) == 3


async def test_a_record_is_shown_whole_with_the_names_of_that_day(org):
    policy = await org.policy(actionType=2, riskType="MEDIUM", workspaceId="w1")
    person, _ = await org.person()
    said = {"provider": "openai", "model": "gpt-5", "host": "gw.example.com", "conversation_id": "c-1"}
    await org.say(user_id=person["id"], **said)
    assert (await org.get(f"/policy/{policy['id']}/alerts"))["total"] == 1  # and so the names are known
    await org.send("owner", "PUT", f"/organization/users/{person['id']}", json={"lastName": "Other"})
    await org.send("owner", "PUT", f"/policy/{policy['id']}", json={"name": "Renamed"})
    (one,) = (await org.get(f"/policy/{policy['id']}/violations"))["violations"]
    (told,) = (await org.get(f"/policy/{policy['id']}/alerts"))["alerts"]
    assert (list(one), list(told)) == (VIOLATION, ALERT)
    shared = {
        "policyId": policy["id"],
        "policyName": "Rivals",
        "conversationId": "c-1",
        "repoId": "r1",
        "repoName": "Repo r1",
        "userId": person["id"],
        "userName": f"{person['name']} Doe",
        "repoAiApiKeyName": "service",
        "llmType": "OPENAI",
        "llmModel": "gpt-5",
        "host": "gw.example.com",
    }
    assert {name: one[name] for name in shared} == {name: told[name] for name in shared} == shared
    assert (one["severity"], one["block"]) == ("MEDIUM", True)
    assert one["repoAiApiKeyId"].startswith("key_")
    assert one["explanation"]
    assert told["message"]
    assert one["timestamp"] == told["timestamp"]


async def test_a_record_is_found_by_the_type_that_it_shows_however_the_provider_was_written(org):
    policy = await org.policy(actionType=1)
    await org.say(provider="OpenAI")
    for path, key in ((f"/policy/{policy['id']}/violations", "violations"), ("/policy/alerts", "alerts")):
        for wanted in ("OPENAI", "openai", "OTHER,OpenAI"):
            found = await org.get(f"{path}?policyId={policy['id']}&llmType={wanted}")
            assert [each["llmType"] for each in found[key]] == ["OPENAI"]


async def test_what_was_not_told_is_empty_and_only_the_conversation_null(org):
    policy = await org.policy()
    await org.say(workspace_id=None, repo_id=None)
    (one,) = (await org.get(f"/policy/{policy['id']}/violations"))["violations"]
    assert one["conversationId"] is None
    for name in ("repoId", "repoName", "userId", "userName", "llmType", "llmModel", "host"):
        assert one[name] == ""


@pytest.mark.parametrize("kind", [*PATHS])
async def test_the_route_of_a_policy_is_the_collection_with_a_filter(org, kind):
    policy = await org.policy(workspaceId="w1", actionType=1)
    for number in range(3):
        await org.say(conversation_id=f"c{number}")
    mine = await org.get(f"/policy/{policy['id']}/{kind}?take=2&skip=1", "reader")
    assert mine == await org.get(f"/policy/{kind}?policyId={policy['id']}&take=2&skip=1", "reader")
    assert mine["total"] == 3
    refused(await org.send("member", "GET", f"/policy/{policy['id']}/{kind}"), 404)
    refused(await org.send("owner", "GET", f"/policy/none/{kind}"), 404)
