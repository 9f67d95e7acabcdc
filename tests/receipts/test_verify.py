"""The reasons that verification gives, beyond the golden vectors."""

import base64
import json

import msgspec

from bylaw.receipts import bundle as bundles
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import proof
from bylaw.receipts.model import OutcomeClaim, PolicyRef, PolicyVersionClaim
from bylaw.receipts.signing import KeySet
from bylaw.receipts.verify import Trust, verify
from tests.receipts.book import DIGEST, POLICY_TEXT, Book, decision

BOOK = Book().fill(3, 2)
BUNDLE = BOOK.bundle(1, parts=["detail"])
BY_KEYS = Trust(keys=BOOK.keys)
IGNORED = "the bundle's own keys are ignored: not trusted"


def step(bundle, name, trust=BY_KEYS):
    found = {each.name: each for each in verify(bundles.write(bundle), trust).steps}[name]
    return found.result, found.reason


def changed(**members):
    return msgspec.structs.replace(BUNDLE, **members)


def test_a_proof_of_something_else_than_hashes_fails():
    inclusion = bundles.Inclusion(hashes=("not base64",), index=1)
    assert step(changed(inclusion=inclusion), "inclusion") == (
        "fail",
        "the proof holds something that is not a hash",
    )


def test_a_checkpoint_of_another_log_proves_nothing():
    other = Book("example.org/main/w2").fill(5)
    found = step(changed(checkpoint=other.checkpoints[-1].note.decode()), "inclusion")
    assert found == ("fail", f"the receipt is of the log {BOOK.origin}, the checkpoint of {other.origin}")


def test_a_receipt_of_a_good_key_under_a_key_that_was_revoked_before_fails():
    book = Book().fill(1)
    old = book.signer
    book.rotate(2)
    book.fill(2)
    held = checkpoints.parse(book.checkpoints[-1].note).checkpoint
    bundle = msgspec.structs.replace(book.bundle(2), checkpoint=checkpoints.sign(held, [old]).decode())
    keys = book.keys.with_revoked(old.kid, book.keys.keys[0].since_ms)
    assert step(bundle, "keys", Trust(keys=keys)) == (
        "fail",
        "every key that signed had been revoked when the receipt was issued; " + IGNORED,
    )


def test_a_checkpoint_whose_known_key_signed_something_else_fails():
    lines = BUNDLE.checkpoint.split("— ")
    other = BOOK.checkpoints[0].note.decode().split("— ")
    assert step(changed(checkpoint=f"{lines[0]}— {other[1]}"), "checkpoint")[0] == "fail"


def test_a_bundle_s_own_signature_must_be_one():
    for signature in ("ed25519:AAA", "rsa:AAAA", "ed25519:AAAA", base64.b64encode(b"x" * 64).decode()):
        assert step(changed(signature=signature), "signature")[0] == "fail"


def test_a_part_that_is_not_base64_or_not_committed_fails():
    part = BUNDLE.parts[0]
    for wrong in (
        msgspec.structs.replace(part, salt="!"),
        msgspec.structs.replace(part, salt="AAAA"),
        msgspec.structs.replace(part, name="other"),
    ):
        assert step(changed(parts=(wrong,)), "parts")[0] == "fail"
    assert step(changed(parts=(part, part)), "parts")[0] == "fail"


def test_a_consistency_proof_must_fit_and_hold():
    kept = checkpoints.parse_all(BOOK.checkpoints[0].note)
    trust = Trust(kept=kept)
    tiles = BOOK.tiles(proof.tiles_of_consistency(3, 5), 5)
    good = bundles.with_consistency(BUNDLE, 3, 5, tiles)
    assert step(good, "trust", trust) == ("pass", "the kept checkpoint of size 3 agrees")
    for hashes in ((), ("!",), good.consistency.hashes[::-1]):
        wrong = msgspec.structs.replace(good.consistency, hashes=hashes)
        assert step(changed(consistency=wrong), "trust", trust)[0] == "fail"
    unfit = bundles.Consistency(hashes=good.consistency.hashes, old_size=2, size=5)
    assert step(changed(consistency=unfit), "trust", trust)[0] == "skipped"


def test_a_newer_kept_checkpoint_is_compared_as_well():
    book = Book().fill(3, 2)
    tiles = book.tiles(proof.tiles_of_consistency(3, 5), 5)
    bundle = bundles.with_consistency(book.bundle(1, at=0), 3, 5, tiles)
    trust = Trust(kept=checkpoints.parse_all(book.checkpoints[1].note))
    assert verify(bundles.write(bundle), trust).status == "verified"


def test_keys_from_outside_do_not_outweigh_a_kept_checkpoint_that_cannot_be_compared():
    trust = Trust(keys=BOOK.keys, kept=checkpoints.parse_all(BOOK.checkpoints[0].note))
    assert verify(bundles.write(BUNDLE), trust).status == "incomplete"
    other = Trust(keys=BOOK.keys, kept=checkpoints.parse_all(Book("a/b/c").fill(1).checkpoints[0].note))
    assert verify(bundles.write(BUNDLE), other).status == "verified"


def test_a_decision_must_cover_the_policies_that_it_names():
    book = Book()
    claim = msgspec.structs.replace(decision(), effective_rules_digest=DIGEST)
    book.record(book.issue(claim=claim))
    assert step(book.bundle(0), "policies", Trust(keys=book.keys))[0] == "fail"


def test_a_policy_version_entry_is_shown_with_its_text():
    book = Book()
    ref = PolicyRef(digest=DIGEST, id=POLICY_TEXT.id, version=POLICY_TEXT.version)
    book.record(book.issue(claim=PolicyVersionClaim(author="ana", change="created", policy=ref)))
    assert step(book.bundle(0), "policies", Trust(keys=book.keys)) == (
        "pass",
        "1 of 1 policy texts are here and match",
    )


def test_a_receipt_that_names_no_policy_has_none_to_show():
    book = Book()
    claim = OutcomeClaim(agent="agent-7", outcome_of="rcpt_1", status="refunded")
    book.record(book.issue(claim=claim), book.issue())
    bare = msgspec.structs.replace(book.bundle(0), policies=())
    trust = Trust(keys=book.keys)
    assert step(bare, "policies", trust) == ("skipped", "the receipt names no policy version")
    assert step(book.bundle(0), "policies", trust)[0] == "fail"
    untold = msgspec.structs.replace(book.bundle(1), policies=())
    assert step(untold, "policies", trust)[0] == "skipped"


def test_a_receipt_without_parts_says_so():
    book = Book()
    book.record(book.issue(contents={}))
    assert step(book.bundle(0), "parts", Trust(keys=book.keys)) == ("skipped", "the receipt commits to none")


def test_a_bundle_without_keys_needs_them_from_outside():
    bundle = changed(keys=msgspec.Raw(KeySet().jwks()))
    assert "keys" in json.loads(bundles.write(bundle))
    assert verify(bundles.write(bundle), BY_KEYS).status == "verified"
    assert verify(bundles.write(bundle), Trust()).status == "invalid"


def test_a_bundle_that_two_readers_could_understand_differently_is_malformed():
    other = json.dumps({"receipt": BOOK.bundle(0).receipt})[1:-1].encode()
    written = bundles.write(BUNDLE)
    nested = written.replace(b'"index":', b'"index": 7, "index":', 1)
    for twice in (written.replace(b"{", b"{" + other + b",", 1), nested):
        found = verify(twice, BY_KEYS)
        assert (found.status, found.steps[0].result) == ("invalid", "fail")
        assert "twice" in found.steps[0].reason


def test_the_keys_of_a_bundle_are_said_to_be_ignored_when_others_are_given():
    assert step(BUNDLE, "keys")[1].endswith("; " + IGNORED)
    assert "ignored" not in step(BUNDLE, "keys", Trust())[1]


def test_a_part_that_is_not_shown_may_be_withheld_or_erased():
    assert step(BUNDLE, "parts") == ("pass", "disclosed: detail; not disclosed (withheld or erased): request")
    bare = BOOK.bundle(1)
    assert step(bare, "parts") == ("skipped", "not disclosed (withheld or erased): detail, request")
