import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import Conflict, Corrupt, Unavailable
from bylaw.storage.secret_file import SecretFile
from bylaw.tenancy.sealing import SecretKeys, sealed_under

KEYS = SecretKeys.first()
OWNER = ("acme", "connection", "c1")


@given(st.binary(max_size=200))
def test_what_is_sealed_opens_for_its_owner(plain):
    sealed = KEYS.seal(plain, *OWNER)
    assert KEYS.open(sealed, *OWNER) == plain
    assert sealed != KEYS.seal(plain, *OWNER)


@pytest.mark.parametrize(
    "owner", [("other", "connection", "c1"), ("acme", "connection", "c2"), ("acme", "key", "c1"), ("acme",)]
)
def test_nobody_else_opens_it(owner):
    with pytest.raises(Corrupt, match="does not open"):
        KEYS.open(KEYS.seal(b"secret", *OWNER), *owner)


def test_owners_whose_names_join_alike_are_told_apart():
    with pytest.raises(Corrupt):
        KEYS.open(KEYS.seal(b"secret", "a", "bc"), "ab", "c")


@given(st.data())
def test_a_changed_byte_does_not_open(data):
    form, name, text = KEYS.seal(b"a secret of some length", *OWNER).split(".")
    raw = bytearray(base64.urlsafe_b64decode(text))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Corrupt):
        KEYS.open(f"{form}.{name}.{base64.urlsafe_b64encode(bytes(raw)).decode()}", *OWNER)


@pytest.mark.parametrize("text", ["", "plain", "v2.x.y", "v1.only", "v1.{active}.!!!"])
def test_what_was_never_sealed_is_said_so(text):
    with pytest.raises(Corrupt):
        KEYS.open(text.format(active=KEYS.active), *OWNER)


def test_a_rotation_seals_anew_and_opens_what_is_used():
    old = KEYS.seal(b"secret", *OWNER)
    new = KEYS.rotated(used=frozenset())
    assert new.active != KEYS.active
    assert new.open(old, *OWNER) == b"secret"  # it was active: others may still seal with it
    newest = new.rotated(used=frozenset())
    with pytest.raises(Corrupt, match=KEYS.active):
        newest.open(old, *OWNER)
    assert new.rotated(used=frozenset({sealed_under(old)})).open(old, *OWNER) == b"secret"


def test_the_file_is_private_and_shared(tmp_path):
    path = tmp_path / "deep" / "secrets.json"
    sealed = SecretFile(path).seal(b"secret", *OWNER)
    assert path.stat().st_mode & 0o777 == 0o600
    other = SecretFile(path)
    assert other.open(sealed, *OWNER) == b"secret"
    SecretFile(path).rotate(used=frozenset())
    newer = SecretFile(path).seal(b"newer", *OWNER)
    assert sealed_under(newer) != sealed_under(sealed)
    assert other.open(newer, *OWNER) == b"newer"  # it looks again when it meets a key that it does not know


def test_a_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "secrets.json"
    sealed = SecretFile(path).seal(b"secret", *OWNER)
    path.chmod(0o644)
    with pytest.raises(Conflict, match="Others may read the secret keys"):
        SecretFile(path).open(sealed, *OWNER)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"active": "a", "keys": {}}', '{"active": "a", "keys": {"a": "AA=="}}']
)
def test_a_damaged_file_is_told(tmp_path, content):
    path = tmp_path / "secrets.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(Corrupt):
        SecretFile(path).seal(b"secret", *OWNER)


def test_where_no_file_can_be_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="--secret-file"):
        SecretFile(tmp_path / "file" / "secrets.json").seal(b"secret", *OWNER)
