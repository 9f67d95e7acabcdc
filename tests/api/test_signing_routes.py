"""Signing keys and checkpoints over HTTP: what the operator does, and what anybody may read and check."""

import base64
import json

import pytest

from bylaw.receipts import checkpoint, proof
from bylaw.receipts.audit import audit
from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust


async def notes(server, **query):
    found = await server.send(None, "GET", "/v1/log/checkpoints.txt", params=query)
    assert found.status_code == 200, found.text
    return found.content


@pytest.fixture
def origin(server):
    return server.app.stores.ledger.log.origin


async def test_a_rotation_is_published_at_once(server):
    old = server.app.signing.kid
    made = await server.make("/v1/log/keys/rotate", {})
    listed = (await server.send("admin", "GET", "/v1/log/keys")).json()["data"]
    assert [(key["kid"], key["status"], key["signs_here"]) for key in listed] == [
        (old, "retired", False),
        (made["kid"], "active", True),
    ]
    jwks = key_set((await server.send(None, "GET", "/.well-known/jwks.json")).content)
    assert [key.kid for key in jwks.keys] == [old, made["kid"]]


async def test_a_rotation_under_an_idempotency_key_happens_once(server):
    headers = {"idempotency-key": "monthly"}
    first = await server.send("admin", "POST", "/v1/log/keys/rotate", headers=headers)
    again = await server.send("admin", "POST", "/v1/log/keys/rotate", headers=headers)
    assert first.json() == again.json()
    assert len((await server.app.signing.published()).keys) == 2


async def test_a_revocation_without_a_body_is_dated_now(server):
    kid = server.app.signing.kid
    made = await server.send("admin", "POST", f"/v1/log/keys/{kid}/revoke")
    assert (made.status_code, made.json()["status"]) == (200, "revoked")
    assert server.app.signing.kid != kid
    missing = await server.send("admin", "POST", "/v1/log/keys/none/revoke")
    assert missing.status_code == 404
    late = await server.send(
        "admin", "POST", f"/v1/log/keys/{kid}/revoke", json={"revoked_at": "9999-01-01T00:00:00Z"}
    )
    assert (late.status_code, late.json()["errors"][0]["code"]) == (422, "in_future")


async def test_checkpoints_are_read_byte_for_byte_without_a_key(server, origin):
    await server.make("/v1/log/keys/rotate", {})
    latest = await server.send(None, "GET", "/v1/log/checkpoint")
    assert latest.headers["content-type"] == "text/plain; charset=utf-8"
    keys = await server.app.signing.published()
    assert len(checkpoint.parse(latest.content).signed_by(keys)) == 2
    every = await notes(server, log=origin)
    assert every.endswith(latest.content)
    sizes = [each.checkpoint.size for each in checkpoint.parse_all(every)]
    assert sizes == sorted(set(sizes))
    assert await notes(server, log=origin, above=sizes[-2], limit=1) == latest.content
    assert await notes(server, log="nobody.test/log") == b""


async def test_verifier_keys_are_those_that_sign_the_notes(server, origin):
    (key,) = (await server.send("admin", "GET", "/v1/log/keys")).json()["data"]
    (line,) = key["verifier_keys"]
    name, ident, _ = line.split("+", 2)
    signed = checkpoint.parse((await server.send(None, "GET", "/v1/log/checkpoint")).content)
    assert (name, ident) == (origin, signed.signatures[0].key_id.hex())


async def test_a_log_proves_to_anybody_that_it_only_grew(server, origin):
    for _ in range(3):
        await server.make("/v1/log/keys/rotate", {})
    old, *_, new = (each.checkpoint for each in checkpoint.parse_all(await notes(server, log=origin)))
    query = {"log": origin, "old_size": old.size, "size": new.size}
    found = (await server.send(None, "GET", "/v1/log/consistency", params=query)).json()
    hashes = [base64.b64decode(each) for each in found["hashes"]]
    assert proof.extends((old.size, old.root), (new.size, new.root), hashes)
    assert not proof.extends((old.size, bytes(32)), (new.size, new.root), hashes)


@pytest.mark.parametrize(("old_size", "size"), [(1, 999), (2, 1)])
async def test_there_is_no_proof_about_trees_that_are_not(server, origin, old_size, size):
    query = {"log": origin, "old_size": old_size, "size": size}
    found = await server.send(None, "GET", "/v1/log/consistency", params=query)
    assert (found.status_code, found.json()["errors"][0]["code"]) == (422, "no_such_tree")


async def test_an_export_after_rotations_and_a_revocation_is_clean(server):
    kid = server.app.signing.kid
    await server.make("/v1/decisions", {"agent_id": "a", "phase": "input", "user_intent": "hello"})
    await server.make("/v1/log/keys/rotate", {})
    await server.make(f"/v1/log/keys/{kid}/revoke", {})
    await server.make("/v1/decisions", {"agent_id": "a", "phase": "input", "user_intent": "hello"})
    exported = (await server.send("admin", "GET", "/v1/log/export")).content.splitlines(keepends=True)
    keys = json.dumps(json.loads(exported[0])["keys"]).encode()
    found = audit(exported, Trust(keys=key_set(keys)))
    assert (found.status, found.findings) == ("verified", ())
