"""Requests that come twice, at once, broken or too large."""

import asyncio

from bylaw.policies.rules import MAX_RULE_TEXT
from tests.compat.flashback.conftest import CONTENT, refused

NEW = {"name": "Rivals", "content": CONTENT, "riskType": "HIGH", "actionType": 2, "orgId": "acme"}


async def test_the_same_request_under_a_key_makes_one_policy(org):
    headers = {"idempotency-key": "make-it-once"}
    first, second = [await org.send("owner", "POST", "/policy", json=NEW, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.text == second.text
    assert second.headers["idempotent-replayed"] == "true"
    assert len((await org.get("/policy?orgId=acme"))["policies"]) == 1
    other = await org.send("owner", "POST", "/policy", json={**NEW, "name": "n"}, headers=headers)
    refused(other, 409)


async def test_without_a_key_two_of_one_name_are_two(org):
    assert (await org.policy())["id"] != (await org.policy())["id"]


async def test_changes_at_once_all_hold(org):
    policy = await org.policy()
    path = f"/policy/{policy['id']}"
    changes = [{"name": "N"}, {"riskType": "LOW"}, {"actionType": 1}, {"content": "Never mention 'us'."}]
    found = await asyncio.gather(*(org.send("owner", "PUT", path, json=each) for each in changes))
    assert [each.status_code for each in found] == [200] * 4
    after = (await org.get(path))["policy"]
    assert {name: after[name] for change in changes for name in change} == {
        name: value for change in changes for name, value in change.items()
    }


async def test_of_two_deletions_at_once_one_finds_it(org):
    policy = await org.policy()
    found = await asyncio.gather(*(org.send("owner", "DELETE", f"/policy/{policy['id']}") for _ in range(2)))
    assert sorted(each.status_code for each in found) == [200, 404]


async def test_what_cannot_be_read_is_refused_in_the_same_way(org):
    json_type = {"content-type": "application/json"}
    broken = await org.send("owner", "POST", "/policy", content=b'{"name": ', headers=json_type)
    refused(broken, 400)
    twice = b'{"name": "a", "name": "b"}'
    refused(await org.send("owner", "POST", "/policy", content=twice, headers=json_type), 400)
    large = b'{"name": "' + b"a" * (1 << 20) + b'"}'
    refused(await org.send("owner", "POST", "/policy", content=large, headers=json_type), 413)
    form = {"content-type": "application/x-www-form-urlencoded"}
    refused(await org.send("owner", "POST", "/policy", content=b"a=b", headers=form), 415)
    refused(await org.send("owner", "PATCH", "/policy/some", json={}), 405)
    refused(await org.send("owner", "GET", "/policy/none/odd"), 404)
    refused(
        await org.send("owner", "POST", "/policy", json={**NEW, "content": "x" * (MAX_RULE_TEXT + 1)}), 400
    )
