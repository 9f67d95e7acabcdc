from bylaw.decisions.combine import effective_rules_digest
from bylaw.receipts import model


class Applied:
    def __init__(self, digest):
        self.policy = type("Policy", (), {"digest": digest})


def test_what_was_applied_has_the_digest_that_verification_expects():
    digests = ["sha256:" + "0" * 64, "sha256:" + "ab" * 32]
    for extra in ("", "sha256:" + "c" * 64):
        for count in range(3):
            applied = [Applied(digest) for digest in digests[:count]]
            made = effective_rules_digest(applied, extra)
            assert made == model.effective_rules_digest(digests[:count], extra)
