"""The edge rules: what is refused, what is passed over, and that every change holds for the next decision."""

import asyncio

import pytest

from tests.compat.ohallo.asking import ENTRIES, SALE, entry, listed, made, read, status_of


@pytest.mark.parametrize("field", ["topic", "ruleText"])
@pytest.mark.parametrize("sent", ["", "   ", 7, None, ["x"], {}])
async def test_an_unusable_text_is_refused_by_its_name(world, field, sent):
    found = await world.send("writer", "POST", ENTRIES, json=SALE | {field: sent})
    assert (found.status_code, found.json()["error"].startswith(f"{field}:")) == (400, True), found.text


@pytest.mark.parametrize("field", ["topic", "ruleText"])
async def test_a_missing_text_is_refused_by_its_name(world, field):
    body = {name: value for name, value in SALE.items() if name != field}
    found = await world.send("writer", "POST", ENTRIES, json=body)
    assert (found.status_code, field in found.json()["error"]) == (400, True)


@pytest.mark.parametrize("content", ["", "[]", '"text"', "null", '{"topic": ', "{'a': 1}", "\xff"])
async def test_a_body_that_is_no_object_is_refused(world, content):
    headers = {"content-type": "application/json"}
    found = await world.send("writer", "POST", ENTRIES, content=content.encode("latin-1"), headers=headers)
    assert (found.status_code, list(found.json())) == (400, ["error"])


async def test_unknown_keys_are_passed_over(world):
    new = await made(world, colour="red", id="mine", createdAt="2001-01-01T00:00:00.000Z")
    assert new["id"] != "mine"
    assert not new["createdAt"].startswith("2001")
    assert len(await listed(world, "?colour=red")) == 1


async def test_an_empty_change_changes_nothing(world):
    new = await made(world, conditions={"a": 1})
    found = await world.send("writer", "PATCH", entry(new["id"]), json={})
    assert (found.status_code, found.json()) == (200, new)


async def test_a_change_is_no_way_around_review(world):
    new = await made(world, status="pending_review")
    sent = {"status": "approved", "sourceType": "manual", "id": "mine", "confidence": 1}
    found = await world.send("writer", "PATCH", entry(new["id"]), json=sent)
    assert (found.status_code, found.json()) == (200, new)


async def test_conditions_are_replaced_never_merged(world):
    ident = (await made(world, conditions={"a": 1, "b": {"gt": 2}}))["id"]
    for sent in ({"b": {"lt": 3}}, {}, None):
        await world.send("writer", "PATCH", entry(ident), json={"conditions": sent})
        assert (await read(world, ident))["conditions"] == sent


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=1.5", "offset=-1", "offset=x"])
async def test_a_page_that_is_none_is_refused(world, query):
    found = await world.send("reader", "GET", f"{ENTRIES}?{query}")
    assert (found.status_code, found.json()["error"].startswith(query[:5])) == (400, True)


async def test_a_list_is_cut_counted_and_in_order(world):
    new = [(await made(world, topic=f"t{n}"))["id"] for n in range(5)]
    first, second = await listed(world, "?limit=3"), await listed(world, "?limit=3&offset=3")
    assert [each["id"] for each in (*first, *second)] == new[::-1]
    for query in ("?limit=1", "?offset=5", f"?offset={10**30}", "?limit=1000", f"?limit={10**30}"):
        assert (await world.send("reader", "GET", ENTRIES + query)).json()["total"] == 5
    assert await listed(world, "?offset=5") == await listed(world, f"?offset={10**30}") == []


async def test_more_than_a_hundred_are_a_hundred(world):
    rules = [{"text": "Be brief."}]
    news = [{"name": f"n{n}", "topic": "t", "rules": rules, "workspace_id": "shop"} for n in range(101)]
    await asyncio.gather(*(world.make("/v1/policies", new) for new in news))
    found = (await world.send("reader", "GET", f"{ENTRIES}?limit=5000")).json()
    assert (len(found["items"]), found["total"]) == (100, 101)
    assert len(await listed(world)) == 50


@pytest.mark.parametrize("query", ["Order-Check", "order_check", "ORDER%20CHECK"])
async def test_topics_are_the_same_however_they_are_written(world, query):
    new = await made(world, topic="Order check")
    await made(world, topic="order")
    assert await listed(world, f"?topic={query}") == [new]


@pytest.mark.parametrize(
    "sent", [{}, {"content": b"{}"}, {"json": {"reason": "We do allow it."}}, {"json": {"reason": None}}]
)
async def test_a_rejection_needs_no_reason(world, sent):
    ident = (await made(world, status="pending_review"))["id"]
    headers = {"content-type": "application/json"}
    found = await world.send("writer", "POST", f"{entry(ident)}/reject", headers=headers, **sent)
    assert found.status_code == 200, found.text
    assert (await read(world, ident))["status"] == "rejected"
    kept = (await world.send("admin", "GET", f"/v1/policies/{ident}")).json()["decided_reason"]
    assert kept == ((sent.get("json") or {}).get("reason") or "")


async def outcome(world) -> str:
    asked = {"workspace_id": "shop", "phase": "output", "agent_output": "Better ask a lawyer."}
    return (await world.make("/v1/decisions", asked))["outcome"]


async def test_every_change_holds_for_the_next_decision(world):
    rule = 'Never mention "lawyer".'
    assert await outcome(world) == "allow"
    ident = (await made(world, ruleText=rule, status="pending_review"))["id"]
    assert await outcome(world) == "allow"
    for word, expected in (("approve", "block"), ("archive", "allow"), ("restore", "block")):
        assert await status_of(world, "POST", f"{entry(ident)}/{word}") == 200
        assert await outcome(world) == expected, word
    for text, expected in (('Never mention "dragons".', "allow"), (rule, "block")):
        assert await status_of(world, "PATCH", entry(ident), {"ruleText": text}) == 200
        assert await outcome(world) == expected, text
    assert await status_of(world, "DELETE", entry(ident)) == 204
    assert await outcome(world) == "allow"
    await made(world, ruleText=rule)
    assert await outcome(world) == "block"


async def test_a_deleted_entry_is_gone(world):
    ident = (await made(world))["id"]
    assert await status_of(world, "DELETE", entry(ident)) == 204
    assert await status_of(world, "DELETE", entry(ident)) == 404
    assert await status_of(world, "GET", entry(ident)) == 404
    assert await listed(world) == await listed(world, "/search?q=discount") == []


async def test_a_repeated_create_under_one_key_makes_one(world):
    sent = {"json": SALE, "headers": {"idempotency-key": "once"}}
    answers = await asyncio.gather(*(world.send("writer", "POST", ENTRIES, **sent) for _ in range(5)))
    assert {each.text for each in answers} == {answers[0].text}
    assert len(await listed(world)) == 1
    other = await world.send("writer", "POST", ENTRIES, **(sent | {"json": SALE | {"topic": "x"}}))
    assert (other.status_code, list(other.json())) == (409, ["error"])


async def test_changes_at_the_same_time_are_all_whole(world):
    ident = (await made(world))["id"]
    bodies = [{"ruleText": f"Grant at most {n} percent.", "topic": f"t{n}"} for n in range(8)]
    answers = await asyncio.gather(
        *(world.send("writer", "PATCH", entry(ident), json=each) for each in bodies)
    )
    assert {each.status_code for each in answers} == {200}
    held = await read(world, ident)
    assert {"ruleText": held["ruleText"], "topic": held["topic"]} in bodies
    for answer, sent in zip(answers, bodies, strict=True):
        assert {name: answer.json()[name] for name in sent} == sent


async def test_a_deletion_says_nothing(world):
    found = await world.send("writer", "DELETE", entry((await made(world))["id"]))
    assert (found.status_code, found.content, found.headers.get("content-type")) == (204, b"", None)


async def test_a_failure_is_one_sentence_with_its_code_and_request_beside_it(world):
    found = await world.send("writer", "DELETE", entry("nothing"))
    assert found.text == """{"error":"No policy with id 'nothing' here."}"""
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-error-code"] == "not_found"
    assert found.headers["x-request-id"]
