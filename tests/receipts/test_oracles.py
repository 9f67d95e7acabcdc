"""Tools that are not ours read our signatures, checkpoints and proofs, and refuse changed ones."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import dsse, proof
from tests.receipts.book import Book

OPENSSL = shutil.which("openssl")
GO = shutil.which("go")
GOPATH = Path("/usr/share/gocode")
HAS_TLOG = GO is not None and (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir()

BOOK = Book().fill(200, 100, 7)
BOOK.record(BOOK.issuer.signed(BOOK.issue()))


def openssl_accepts(folder, message, signature):
    pem = Ed25519PublicKey.from_public_bytes(BOOK.signer.public).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for name, content in {"key.pem": pem, "message": message, "signature": signature}.items():
        (folder / name).write_bytes(content)
    given = ["-pubin", "-inkey", "key.pem", "-rawin", "-in", "message", "-sigfile", "signature"]
    done = subprocess.run(
        [OPENSSL, "pkeyutl", "-verify", *given], cwd=folder, capture_output=True, check=False
    )
    return done.returncode == 0


@pytest.mark.skipif(OPENSSL is None, reason="needs the openssl command")
def test_openssl_verifies_a_receipt_a_checkpoint_and_an_export(tmp_path):
    entry = BOOK.leaves[-1].entry
    held = checkpoints.parse(BOOK.checkpoints[-1].note)
    exported = dsse.read(dsse.export(entry.id, entry.receipt, BOOK.signer))
    for message, signature in [
        (entry.receipt, entry.signature),
        (held.checkpoint.text().encode(), held.signatures[0].signature),
        (exported.signed, exported.signatures[0][1]),
    ]:
        assert openssl_accepts(tmp_path, message, signature)
        assert not openssl_accepts(tmp_path, message + b" ", signature)


@pytest.fixture(scope="module")
def tlog(tmp_path_factory):
    """The Go program, built from Debian's packages."""
    folder = tmp_path_factory.mktemp("tlog")
    environment = {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(folder / "cache"),
        "PATH": "/usr/bin:/bin",
    }
    source = Path(__file__).parent / "oracle" / "main.go"
    subprocess.run([GO, "build", "-o", folder / "tlog", source], check=True, env=environment)
    return folder / "tlog"


def asked(index, old, new):
    size, old_size = new.size, old.size
    inclusion = proof.inclusion(index, size, BOOK.tiles(proof.tiles_of_inclusion(index, size), size))
    tiles = BOOK.tiles(proof.tiles_of_consistency(old_size, size), size)
    return {
        "key": checkpoints.verifier_key(BOOK.origin, BOOK.signer.public),
        "old": old.note.decode(),
        "new": new.note.decode(),
        "receipt": BOOK.leaves[index].entry.receipt.decode(),
        "index": index,
        "inclusion": [base64.b64encode(each).decode() for each in inclusion],
        "consistency": [base64.b64encode(each).decode() for each in proof.consistency(old_size, size, tiles)],
    }


def accepts(tlog, question):
    done = subprocess.run([tlog], input=json.dumps(question).encode(), capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.skipif(not HAS_TLOG, reason="needs Debian's golang-go and golang-golang-x-mod-dev")
def test_the_go_project_s_packages_verify_checkpoints_and_proofs(tlog):
    for new in BOOK.checkpoints:
        for old in BOOK.checkpoints:
            for index in (0, 199, 200, 255, 256, 300, 307):
                if old.size <= new.size and index < new.size:
                    assert accepts(tlog, asked(index, old, new))


@pytest.mark.skipif(not HAS_TLOG, reason="needs Debian's golang-go and golang-golang-x-mod-dev")
def test_the_go_project_s_packages_refuse_what_was_changed(tlog):
    good = asked(300, BOOK.checkpoints[0], BOOK.checkpoints[2])
    first, second = good["inclusion"][:2]
    for changed in (
        {"index": 301},
        {"receipt": good["receipt"].replace("agent-7", "agent-8")},
        {"inclusion": [second, first, *good["inclusion"][2:]]},
        {"consistency": good["consistency"][1:]},
        {"new": good["new"].replace("\n307\n", "\n306\n")},
        {"key": good["key"].replace("example", "sample")},
    ):
        assert not accepts(tlog, {**good, **changed}), changed
