"""Keys sign, are named by their thumbprint, and are published with their standing."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bylaw.core.errors import InvalidInput
from bylaw.receipts.signing import CHANGE_MS, KeySet, Signer, key_set, thumbprint, verifies
from tests.receipts.book import signer

FIRST, SECOND = signer(1), signer(2)
HOUR = 3_600_000


def test_a_signature_is_checked_against_key_and_message():
    signature = FIRST.sign(b"message")
    assert verifies(FIRST.public, b"message", signature)
    assert not verifies(FIRST.public, b"massage", signature)
    assert not verifies(SECOND.public, b"message", signature)
    assert not verifies(FIRST.public, b"message", signature[:63])
    assert not verifies(b"short", b"message", signature)


def test_the_kid_is_the_thumbprint_of_the_standard_example():
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert thumbprint(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # RFC 8037 A.3


def test_a_private_key_goes_to_a_file_and_back():
    made = Signer.generate()
    read = Signer.from_pem(made.pem())
    assert (read.kid, read.sign(b"x")) == (made.kid, made.sign(b"x"))


def test_a_file_with_another_kind_of_key_is_refused():
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    locked = serialization.load_pem_private_key(FIRST.pem(), None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    for pem in (other, locked, b"", b"-----BEGIN PRIVATE KEY-----\n"):
        with pytest.raises(InvalidInput):
            Signer.from_pem(pem)


def test_rotation_keeps_the_old_key_and_revocation_is_final():
    keys = KeySet().with_active(FIRST.public, 0).with_active(FIRST.public, 5)
    keys = keys.with_retired(FIRST.kid, HOUR).with_active(SECOND.public, HOUR)
    assert [(key.standing, key.since_ms, key.ended_ms) for key in keys.keys] == [
        ("retired", 0, HOUR),
        ("active", HOUR, None),
    ]
    revoked = keys.with_revoked(FIRST.kid, 2 * HOUR)
    assert revoked.with_revoked(FIRST.kid, 9 * HOUR) == revoked.with_retired(FIRST.kid, 9 * HOUR) == revoked
    assert key_set(revoked.jwks()) == revoked
    with pytest.raises(InvalidInput, match="No key"):
        keys.with_revoked("nobody", 0)


def test_a_key_speaks_only_for_its_time():
    keys = KeySet().with_active(FIRST.public, HOUR)
    active = keys.get(FIRST.kid)
    retired = keys.with_retired(FIRST.kid, 2 * HOUR).get(FIRST.kid)
    revoked = keys.with_revoked(FIRST.kid, 2 * HOUR).get(FIRST.kid)
    assert active.objection(HOUR - CHANGE_MS) is None
    assert "not in use before" in active.objection(HOUR - CHANGE_MS - 1)
    assert active.objection(99 * HOUR) is None
    assert retired.objection(2 * HOUR + CHANGE_MS) is None
    assert "retired at" in retired.objection(2 * HOUR + CHANGE_MS + 1)
    assert revoked.objection(2 * HOUR - 1) is None
    assert "revoked at" in revoked.objection(2 * HOUR)


def test_keys_that_cannot_verify_here_are_passed_over():
    mine = json.loads(KeySet().with_active(FIRST.public, 0).jwks())["keys"][0]
    others = [
        {"kty": "RSA", "n": "x"},
        {**mine, "use": "enc"},
        {**mine, "alg": "ES256"},
        {**mine, "crv": "X25519"},
    ]
    assert [key.kid for key in key_set(json.dumps({"keys": [*others, mine]}).encode()).keys] == [FIRST.kid]


@pytest.mark.parametrize(
    "change",
    [
        {"kid": "other"},
        {"x": "AAAA"},
        {"x": "A"},
        {"x": "iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1x"},
        {"x": "a+b/"},
        {"status": "gone"},
        {"status": "revoked"},
        {"status": "retired", "retired_at": "soon"},
        {"since": "2026-01-01"},
        {"x": 1},
    ],
)
def test_a_key_that_contradicts_itself_is_refused(change):
    mine = json.loads(KeySet().with_active(FIRST.public, 0).jwks())["keys"][0]
    with pytest.raises(InvalidInput):
        key_set(json.dumps({"keys": [{**mine, **change}]}).encode())


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys":1}', b"[" * 100_000])
def test_what_is_not_a_key_set_is_refused(document):
    with pytest.raises(InvalidInput):
        key_set(document)


def test_a_key_set_names_each_key_once_and_is_bounded():
    mine = json.loads(KeySet().with_active(FIRST.public, 0).jwks())["keys"][0]
    for many in (2, 1001):
        with pytest.raises(InvalidInput):
            key_set(json.dumps({"keys": [mine] * many}).encode())


def test_no_key_id_looks_like_a_flag():
    assert not any(Signer.generate().kid.startswith("-") for _ in range(500))
