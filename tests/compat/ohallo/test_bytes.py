"""The bytes of every documented answer: keys in their order, null where the contract shows null."""

from tests.compat.golden import is_exactly
from tests.compat.ohallo.asking import ENTRIES, entry, made

RULE = "Offer a replacement for goods that arrive broken, and ask for a photo first."
TEXT = """{
    "id": "id-1", "tenantId": "acme", "workspaceId": "shop", "topic": "returns",
    "ruleText": "Offer a replacement for goods that arrive broken, and ask for a photo first.",
    "conditions": {"keywords": ["broken", "damaged"]}, "sourceType": "manual", "sourceConversationId": null,
    "status": "approved", "confidence": null, "createdAt": "time", "updatedAt": "time"
}"""
NEW = {"topic": "returns", "ruleText": RULE, "conditions": {"keywords": ["broken", "damaged"]}}


async def test_a_created_entry(world):
    is_exactly(await world.send("writer", "POST", ENTRIES, json=NEW), 201, TEXT)


async def test_a_list(world):
    await world.make(ENTRIES, NEW, "writer")
    found = await world.send("reader", "GET", ENTRIES)
    is_exactly(found, 200, f'{{"items": [{TEXT}], "total": 1}}')
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-total-count"] == "1"


async def test_a_search(world):
    await world.make(ENTRIES, NEW, "writer")
    found = await world.send("reader", "GET", f"{ENTRIES}/search?q=photo%20of%20damage")
    is_exactly(found, 200, f'{{"items": [{TEXT}], "total": 1}}')


async def test_a_search_in_its_documented_five_keys(world):
    await world.make(ENTRIES, NEW, "writer")
    found = await world.send("reader", "GET", f"{ENTRIES}/search?q=photo&view=compact")
    item = """{"id": "id-1", "topic": "returns",
        "ruleText": "Offer a replacement for goods that arrive broken, and ask for a photo first.",
        "conditions": {"keywords": ["broken", "damaged"]}, "status": "approved"}"""
    is_exactly(found, 200, f'{{"items": [{item}], "total": 1}}')


async def test_the_documented_ten_keys(world):
    await world.make(ENTRIES, NEW, "writer")
    keys = "id,workspaceId,topic,ruleText,conditions,sourceType,status,confidence,createdAt,updatedAt"
    (item,) = (await world.send("reader", "GET", f"{ENTRIES}?fields={keys}")).json()["items"]
    assert ",".join(item) == keys


async def test_what_is_pending(world):
    proposal = {
        "topic": "delivery",
        "ruleText": "Name no delivery date that the carrier has not confirmed.",
        "sourceType": "learning_loop",
        "sourceConversationId": "c0ffee00-1234-4abc-9def-0123456789ab",
        "confidence": 0.64,
        "status": "pending_review",
    }
    await world.make(ENTRIES, proposal, "writer")
    found = await world.send("reader", "GET", f"{ENTRIES}/pending")
    item = """{
        "id": "id-1", "tenantId": "acme", "workspaceId": "shop", "topic": "delivery",
        "ruleText": "Name no delivery date that the carrier has not confirmed.", "conditions": null,
        "sourceType": "learning_loop", "sourceConversationId": "id-2", "status": "pending_review",
        "confidence": 0.64, "createdAt": "time", "updatedAt": "time"
    }"""
    is_exactly(found, 200, f'{{"items": [{item}], "total": 1}}')


async def test_nothing_pending(world):
    is_exactly(await world.send("reader", "GET", f"{ENTRIES}/pending"), 200, '{"items": [], "total": 0}')


async def test_a_changed_entry(world):
    ident = (await world.make(ENTRIES, NEW, "writer"))["id"]
    found = await world.send("writer", "PATCH", entry(ident), json={"topic": "exchanges"})
    is_exactly(found, 200, TEXT.replace('"returns"', '"exchanges"'))


async def test_an_approval_and_a_rejection(world):
    for word in ("approve", "reject"):
        ident = (await made(world, status="pending_review"))["id"]
        is_exactly(await world.send("writer", "POST", f"{entry(ident)}/{word}"), 200, '{"ok": true}')


async def test_a_deletion_says_nothing(world):
    ident = (await made(world))["id"]
    found = await world.send("writer", "DELETE", entry(ident))
    assert (found.status_code, found.content, found.headers.get("content-type")) == (204, b"", None)


async def test_a_failure_is_one_sentence(world):
    found = await world.send("writer", "DELETE", entry("nothing"))
    is_exactly(found, 404, """{"error": "No policy with id 'nothing' here."}""")
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-error-code"] == "not_found"
    assert found.headers["x-request-id"]
