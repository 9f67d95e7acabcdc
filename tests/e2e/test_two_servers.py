"""Two servers over one PostgreSQL: they follow each other, keep logs of their own, and prove each other's."""

import time
from contextlib import ExitStack

import pytest

from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust, verify
from tests import postgres
from tests.e2e.serving import PATIENCE_S, serving
from tests.e2e.test_serving import ASKED, POLICY


def eventually(holds) -> float:
    """Return after how many seconds `holds` returned true."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < PATIENCE_S, "it never came true"
    return time.monotonic() - began


@pytest.fixture
def pair(postgres_url, tmp_path):
    options = ("--database", postgres.plain(postgres_url), "--key-file", str(tmp_path / "keys.json"))
    with ExitStack() as stack:
        yield tuple(stack.enter_context(serving(*options)) for _ in range(2))


def test_servers_of_one_database_follow_and_prove_each_other(pair):
    with pair[0].client() as one, pair[1].client() as two:
        policy = one.post("/v1/policies", json=POLICY).raise_for_status().json()
        assert one.post("/v1/decisions", json=ASKED).json()["outcome"] == "block"
        eventually(lambda: two.post("/v1/decisions", json=ASKED).json()["outcome"] == "block")
        two.post(f"/v1/policies/{policy['id']}/deactivate").raise_for_status()
        assert two.post("/v1/decisions", json=ASKED).json()["posture"] == "ungoverned"
        eventually(lambda: one.post("/v1/decisions", json=ASKED).json()["posture"] == "ungoverned")

        made = one.post("/v1/keys", json={"name": "k", "scopes": ["decisions:write"]}).json()
        with pair[1].client(made["key"]) as other:
            eventually(lambda: other.post("/v1/decisions", json=ASKED).status_code == 200)
            one.post(f"/v1/keys/{made['id']}/revoke").raise_for_status()
            eventually(lambda: other.post("/v1/decisions", json=ASKED).status_code == 401)

        theirs = two.post("/v1/decisions", json=ASKED, headers={"idempotency-key": "k"}).json()
        mine = one.post("/v1/decisions", json=ASKED, headers={"idempotency-key": "k"})
        assert mine.headers["idempotent-replayed"] == "true"
        assert mine.json() == theirs

        logs = [each["log"] for each in one.get("/v1/log").json()["data"]]
        assert len(logs) == 2
        assert theirs["receipt"]["origin"] in logs
        keys = key_set(one.get("/.well-known/jwks.json").content)
        bundle = one.get(f"/v1/receipts/{theirs['receipt_id']}/bundle?disclose=true").content
        assert verify(bundle, Trust(keys=keys)).status == "verified"


def test_what_one_server_left_for_people_is_listed_by_the_other(pair):
    with pair[0].client() as one, pair[1].client() as two:
        one.post("/v1/policies", json={**POLICY, "name": "Again"}).raise_for_status()
        answered = one.post("/v1/decisions", json=ASKED).json()
        query = f"/v1/violations?receipt_id={answered['receipt_id']}"
        eventually(lambda: len(two.get(query).json()["data"]) >= 1)
        assert one.get(query).json() == two.get(query).json()
