"""Where the contract's own pages disagree, both readings hold: rows A to Q."""

import uuid

import pytest

from tests.compat.ohallo.asking import ENTRIES, SALE, entry, listed, made, read, status_of


async def test_a_the_list_is_an_object_unless_an_array_is_asked_for(world):
    await made(world)
    for path in (ENTRIES, f"{ENTRIES}/pending", f"{ENTRIES}/search?q=discount"):
        wrapped = await world.send("reader", "GET", path)
        bare = await world.send("reader", "GET", path + ("&" if "?" in path else "?") + "envelope=array")
        assert wrapped.json() == {"items": bare.json(), "total": len(bare.json())}
        assert bare.headers["x-total-count"] == wrapped.headers["x-total-count"]
        assert bare.headers["x-total-count"] == str(wrapped.json()["total"])


async def test_b_the_tenant_is_on_every_full_entry(world):
    new = await made(world)
    assert new["tenantId"] == "acme"
    assert [item["tenantId"] for item in await listed(world)] == ["acme"]


async def test_c_the_conversation_is_accepted_and_shown(world):
    new = await made(world, sourceConversationId="any text at all")
    assert new["sourceConversationId"] == "any text at all"
    assert (await made(world))["sourceConversationId"] is None


async def test_d_a_found_entry_is_whole_and_can_be_cut(world):
    new = await made(world)
    assert await listed(world, "/search?q=discount") == [new]
    (cut,) = await listed(world, "/search?q=discount&fields=status,id")
    assert list(cut) == ["id", "status"]
    found = await world.send("reader", "GET", f"{ENTRIES}?fields=id,colour")
    assert (found.status_code, "colour" in found.json()["error"]) == (400, True)


@pytest.mark.parametrize("kind", ["import", "manual", "anything"])
async def test_e_the_source_is_any_text_and_manual_when_left_out(world, kind):
    assert (await made(world))["sourceType"] == "manual"
    assert (await made(world, sourceType=kind))["sourceType"] == kind
    assert await status_of(world, "POST", ENTRIES, SALE | {"sourceType": ""}) == 400


@pytest.mark.parametrize("kind", ["learning_loop", "extracted"])
async def test_f_both_words_for_a_machine_are_kept_and_h_in_force_at_once(world, kind):
    new = await made(world, sourceType=kind)
    assert (new["sourceType"], new["status"]) == (kind, "approved")


async def test_g_every_status_can_be_asked_for_and_archived_is_reached(world):
    idents = {
        "approved": (await made(world))["id"],
        "archived": (await made(world))["id"],
        "pending_review": (await made(world, status="pending_review"))["id"],
        "rejected": (await made(world, status="pending_review"))["id"],
    }
    assert await status_of(world, "POST", f"{entry(idents['archived'])}/archive") == 200
    assert await status_of(world, "POST", f"{entry(idents['rejected'])}/reject") == 200
    for status, ident in idents.items():
        assert [(each["id"], each["status"]) for each in await listed(world, f"?status={status}")] == [
            (ident, status)
        ]
    assert len(await listed(world)) == len(await listed(world, "?status=&topic=")) == 4
    assert (await world.send("reader", "GET", f"{ENTRIES}?status=gone")).status_code == 400
    assert await status_of(world, "POST", f"{entry(idents['archived'])}/restore") == 200
    assert (await read(world, idents["archived"]))["status"] == "approved"


async def test_h_an_entry_waits_when_it_asks_to(world):
    assert (await made(world, status="pending_review"))["status"] == "pending_review"
    assert (await made(world, status="approved"))["status"] == "approved"
    for status in ("archived", "rejected", "", 1):
        assert await status_of(world, "POST", ENTRIES, SALE | {"status": status}) == 400


async def test_h_every_new_entry_waits_in_a_workspace_that_reviews(world):
    await world.make("/v1/workspaces/depot", {"review_edits": True}, method="PATCH")
    path = ENTRIES.replace("shop", "depot")
    new = await world.make(path, SALE | {"sourceType": "learning_loop"}, "clerk")
    assert new["status"] == "pending_review"
    assert await listed(world, path=f"{path}/pending") == [new]
    await world.make("/v1/workspaces/depot", {"review_edits": False}, method="PATCH")


async def test_i_a_literal_word_is_always_found_without_a_model(world):
    new = await made(world, topic="order_check", ruleText="Verify Zahlungseingang before the parcel leaves.")
    for query in (
        "zahlungseingang",
        "order",
        "PARCEL",
        "order-check",
        "order_check",
        "verification",
        "where is the parcel?",
    ):
        assert await listed(world, f"/search?q={query}") == [new], query
    assert await listed(world, "/search?q=elephant") == []


async def test_i_what_fits_better_comes_first(world):
    loose = await made(world, topic="greeting", ruleText="Greet everybody, the lawyers of others as well.")
    exact = await made(world, topic="escalation", ruleText="Escalate to a person when a lawyer is mentioned.")
    found = await listed(world, "/search?q=when%20to%20escalate%20to%20a%20lawyer")
    assert [each["id"] for each in found] == [exact["id"], loose["id"]]
    assert await listed(world, "/search?q=lawyer&limit=1&offset=1") == [found[1]]


async def test_j_an_empty_query_finds_nothing_and_a_missing_one_is_refused(world):
    await made(world)
    for query in ("", "%20%20"):
        found = await world.send("reader", "GET", f"{ENTRIES}/search?q={query}")
        assert (found.status_code, found.json()) == (200, {"items": [], "total": 0})
    found = await world.send("reader", "GET", f"{ENTRIES}/search")
    assert (found.status_code, found.json()["error"].startswith("q:")) == (400, True)


@pytest.mark.parametrize("sent", [0, 1, 0.85, 1.0, None])
async def test_k_a_confidence_is_kept(world, sent):
    assert (await made(world, confidence=sent))["confidence"] == sent


@pytest.mark.parametrize("sent", [-0.1, 1.01, True, "0.5", [0.5]])
async def test_k_what_is_no_confidence_is_refused(world, sent):
    found = await world.send("writer", "POST", ENTRIES, json=SALE | {"confidence": sent})
    assert (found.status_code, "confidence" in found.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    "sent", [None, {}, {"min_order_value": 500, "customer_tier": "gold"}, {"a": {"b": [1]}}]
)
async def test_l_conditions_are_kept_as_they_are(world, sent):
    new = await made(world, conditions=sent)
    assert (new["conditions"], (await read(world, new["id"]))["conditions"]) == (sent, sent)


@pytest.mark.parametrize("sent", [[], "always", 5, True])
async def test_l_conditions_of_another_type_are_refused(world, sent):
    new = await made(world, conditions={"a": 1})
    for method, path, body in (("POST", ENTRIES, SALE), ("PATCH", entry(new["id"]), {})):
        found = await world.send("writer", method, path, json=body | {"conditions": sent})
        assert (found.status_code, "conditions" in found.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    "ident", ["pe1a2b3c-5678-9abc-def0-1234567890ab", "ws_abc123", "7", "%20", "a" * 500]
)
async def test_m_an_id_that_is_none_is_not_found(world, ident):
    for method, path, body in (
        ("PATCH", entry(ident), {}),
        ("DELETE", entry(ident), None),
        ("POST", f"{entry(ident)}/approve", None),
    ):
        assert await status_of(world, method, path, body) == 404


async def test_m_new_ids_are_real_ones(world):
    assert uuid.UUID((await made(world))["id"]).version == 7


async def test_o_a_decision_is_answered_with_ok_only(world):
    ident = (await made(world, status="pending_review"))["id"]
    found = await world.send("writer", "POST", f"{entry(ident)}/approve")
    assert (found.status_code, found.text) == (200, '{"ok":true}')
    assert (await read(world, ident))["status"] == "approved"


@pytest.mark.parametrize(
    ("before", "again", "against"),
    [
        (["approve"], "approve", "reject"),
        (["reject"], "reject", "approve"),
        (["approve", "archive"], "archive", "approve"),
        (["approve", "archive", "restore"], "restore", "reject"),
        ([], None, "restore"),
        ([], None, "archive"),
    ],
)
async def test_p_a_repeated_decision_is_fine_and_an_illegal_one_is_refused(world, before, again, against):
    ident = (await made(world, status="pending_review"))["id"]
    for word in [*before, *([again] if again else [])]:
        assert await status_of(world, "POST", f"{entry(ident)}/{word}") == 200
    held = await read(world, ident)
    found = await world.send("writer", "POST", f"{entry(ident)}/{against}")
    assert (found.status_code, list(found.json())) == (409, ["error"])
    assert await read(world, ident) == held


@pytest.mark.parametrize("status", ["approved", "pending_review"])
async def test_q_a_change_keeps_the_status(world, status):
    ident = (await made(world, status=status))["id"]
    found = await world.send("writer", "PATCH", entry(ident), json={"ruleText": "Grant no discount at all."})
    assert found.json()["status"] == (await read(world, ident))["status"] == status
    assert (await read(world, ident))["ruleText"] == "Grant no discount at all."
