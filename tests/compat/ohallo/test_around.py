"""What surrounds policy entries: API keys, and attention items."""

from tests.compat.ohallo.asking import made

KEYS = "/api/api-keys"
ITEMS = "/api/attention-items"


async def test_keys_are_listed_without_their_text(world):
    new = {"name": "limited", "scopes": ["policy:write", "policy:read"], "workspace_id": "shop"}
    raw = (await world.make("/v1/keys", new | {"expires_at": "2036-01-01T00:00:00Z"}))["key"]
    found = await world.send("admin", "GET", KEYS)
    (shown,) = [each for each in found.json() if each["name"] == "limited"]
    assert list(shown) == [
        "id", "name", "keyPrefix", "scopes", "brandId", "workspaceId", "lastUsedAt", "expiresAt", "createdAt",
    ]  # fmt: skip
    assert shown["keyPrefix"] == raw[: len("sf_live_v1_") + 4]
    assert shown["scopes"] == ["policy:read", "policy:write"]
    assert (shown["brandId"], shown["workspaceId"], shown["lastUsedAt"]) == (None, "shop", None)
    assert shown["expiresAt"] == "2036-01-01T00:00:00.000Z"
    assert raw not in found.text


async def test_a_registered_key_of_an_old_client_is_shown_by_its_prefix(world):
    raw = "sf_test_v1_" + "Zy9xWv8u" * 4
    await world.make("/v1/keys", {"name": "old client", "scopes": ["policy:read"], "key": raw})
    found = (await world.send("admin", "GET", KEYS)).json()
    assert [each["keyPrefix"] for each in found if each["name"] == "old client"] == ["sf_test_v1_Zy9x"]
    assert (await world.send(raw, "GET", "/api/workspaces/shop/policy-entries")).status_code == 200


async def test_a_revoked_key_is_gone_from_the_list(world):
    ident = (await world.make("/v1/keys", {"name": "gone", "scopes": ["policy:read"]}))["id"]
    await world.make(f"/v1/keys/{ident}/revoke", {})
    assert ident not in (await world.send("admin", "GET", KEYS)).text


async def raised(world) -> dict:
    """The decision that raised an attention item, because of the wording of an entry."""
    await made(world, ruleText='Never say "court" without raising a ticket: create an attention item.')
    asked = {
        "workspace_id": "shop",
        "conversation_id": "conv-1",
        "phase": "output",
        "agent_output": "A court.",
    }
    return await world.make("/v1/decisions", asked)


async def test_an_entry_that_asks_for_attention_gets_it(world):
    decision = await raised(world)
    found = (await world.send("people", "GET", f"{ITEMS}?status=open")).json()
    item = found[0]
    assert list(item) == [
        "id", "tenantId", "conversationId", "type", "reason", "status", "createdAt", "resolvedAt",
        "policyId", "receiptId",
    ]  # fmt: skip
    assert (item["tenantId"], item["conversationId"], item["resolvedAt"]) == ("acme", "conv-1", None)
    assert item["receiptId"] == decision["receipt_id"]
    done = await world.send("people", "POST", f"{ITEMS}/{item['id']}/resolve")
    assert (done.status_code, done.text) == (200, '{"ok":true}')
    again = await world.send("people", "POST", f"{ITEMS}/{item['id']}/resolve")
    assert (again.status_code, again.text) == (200, '{"ok":true}')
    assert item["id"] not in (await world.send("people", "GET", f"{ITEMS}?status=open")).text
    (now,) = [each for each in (await world.send("people", "GET", ITEMS)).json() if each["id"] == item["id"]]
    assert (now["status"], now["resolvedAt"] is None) == ("resolved", False)


async def test_attention_items_are_for_those_who_may_see_them(world):
    await raised(world)
    (ident, *_) = [each["id"] for each in (await world.send("people", "GET", ITEMS)).json()]
    assert (await world.send("reader", "GET", ITEMS)).status_code == 403
    assert (await world.send("stranger", "GET", ITEMS)).json() == []
    assert (await world.send("stranger", "POST", f"{ITEMS}/{ident}/resolve")).status_code == 404
    assert (await world.send("people", "GET", f"{ITEMS}?limit=1")).json()[0]["id"] == ident
    assert (await world.send("people", "GET", f"{ITEMS}?limit=0")).status_code == 400
