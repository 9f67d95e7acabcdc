"""Verification by anybody: the five fields, what is added to them, the anchor, and the public page."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import apsw
import pytest
import pytest_asyncio

from bylaw import settings
from bylaw.api.links import Links
from bylaw.app import build
from bylaw.core.clock import from_rfc3339
from bylaw.core.errors import InvalidInput
from tests.api.conftest import World, populate

SECRET = "the-vendor-is-called-Zanzibar"


@pytest_asyncio.fixture(loop_scope="module")
async def receipt(world):
    """The id of a receipt whose request holds a secret."""
    body = {
        "agent_id": SECRET,
        "user_intent": SECRET,
        "policy_rules": ["amount < 5"],
        "metadata": {"amount": 4},
    }
    return (await world.make("/v1/receipts", body))["receipt_id"]


def edited(folder, statement):
    """Edit what is stored, as somebody with the files could."""
    (stored,) = folder.rglob("receipts.db")
    connection = apsw.Connection(str(stored))
    connection.set_busy_timeout(30_000)
    connection.execute(statement)
    connection.close()


async def verified(world, ident):
    found = await world.send(None, "GET", f"/v1/receipts/{ident}/verify")
    assert found.status_code == 200
    return found.json()


async def page(world, path):
    found = await world.send(None, "GET", path)
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    return found


async def test_anybody_verifies_a_receipt_by_its_id(world, receipt):
    found = await verified(world, receipt)
    five = ("verified", "signature_valid", "execution_hash_match", "evaluation_hash_match")
    assert [found[name] for name in five] == [True] * 4
    assert found["checked_at"].endswith("Z")
    assert from_rfc3339(found["checked_at"]) > 0
    assert [found[name] for name in ("chain_valid", "anchor_valid")] == [True, True]
    assert found["anchor_status"] == "anchored"
    assert SECRET not in str(found)


async def test_an_unknown_receipt_is_not_found(world):
    for path in ("verify", "anchor"):
        found = await world.send("admin", "GET", f"/v1/receipts/rcpt_00000000000000000000000000/{path}")
        assert found.status_code == 404


@pytest.mark.parametrize(
    ("part", "field"), [("request", "execution_hash_match"), ("decision", "evaluation_hash_match")]
)
async def test_a_part_that_was_edited_does_not_match(world, receipt, tmp_path, part, field):
    edited(tmp_path, f"UPDATE parts SET content = CAST(content || ' ' AS BLOB) WHERE name = '{part}'")  # noqa: S608
    found = await verified(world, receipt)
    assert (found["verified"], found[field], found["status"]) == (False, False, "invalid")
    assert found["signature_valid"] is True
    shown = await page(world, f"/r/{receipt}")
    assert "<h2>Mismatched</h2>" in shown.text


async def test_a_receipt_that_was_edited_is_in_no_log(world, receipt, tmp_path):
    edited(tmp_path, "UPDATE receipts SET receipt = CAST(replace(receipt, '\"allow\"', '\"block\"') AS BLOB)")
    found = await verified(world, receipt)
    assert (found["verified"], found["chain_valid"], found["anchor_valid"]) == (False, False, False)
    assert (found["signature_valid"], found["anchor_status"]) == (False, "failed")
    shown = await page(world, f"/r/{receipt}")
    assert "<h2>Mismatched</h2>" in shown.text


async def test_a_receipt_under_no_checkpoint_is_still_anchoring(world, receipt, tmp_path):
    edited(tmp_path, "DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)")
    found = await verified(world, receipt)
    assert (found["verified"], found["anchor_valid"], found["anchor_status"]) == (False, False, "pending")
    assert found["execution_hash_match"] is True
    for path in ("", "/anchor"):
        read = (await world.send("admin", "GET", f"/v1/receipts/{receipt}{path}")).json()
        assert read["anchor_status"] == "pending"
    shown = await page(world, f"/r/{receipt}")
    assert "<h2>Anchoring in progress</h2>" in shown.text


async def test_the_anchor_is_proved_and_never_called_independent(world, receipt):
    found = (await world.send("admin", "GET", f"/v1/receipts/{receipt}/anchor")).json()
    assert (found["anchor_status"], found["hash_match"], found["network"]) == ("anchored", True, "local_log")
    assert (found["tx_signature"], found["anchor"]["independent"]) == (None, False)
    assert found["explorer_url"].endswith(f"/r/{receipt}")
    assert found["size"] == found["anchor"]["index"] + 1
    assert found["checkpoint"].splitlines()[1] == str(found["size"])
    assert (await world.send(None, "GET", f"/v1/receipts/{receipt}/anchor")).status_code == 401


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def named(self, name):
        return [attrs for tag, attrs in self.tags if tag == name]


async def test_the_page_shows_a_verified_receipt_and_nothing_of_its_body(world, receipt):
    for path in (f"/r/{receipt}", f"/r?id=%20{receipt}"):
        shown = await page(world, path)
        assert shown.status_code == 200
        assert "<h2>Fully verified</h2>" in shown.text
        assert receipt in shown.text
        assert SECRET not in shown.text
        assert "acme" not in shown.text


async def test_the_page_loads_and_runs_nothing(world, receipt):
    shown = await page(world, f"/r/{receipt}")
    found = Tags(shown.text)
    assert found.named("script") == found.named("link") == found.named("img") == []
    assert not any(name.startswith("on") or name == "style" for _, attrs in found.tags for name in attrs)
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    style = re.search(r"<style>(.*?)</style>", shown.text, re.DOTALL)[1]
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{hashed}'" in policy


async def test_the_page_can_be_read_by_everybody(world):
    found = Tags((await page(world, "/r")).text)
    assert found.named("html") == [{"lang": "en"}]
    (field,) = found.named("input")
    assert [label["for"] for label in found.named("label")] == [field["id"]]
    assert len(found.named("h1")) == len(found.named("main")) == len(found.named("title")) == 1


async def test_the_form_leads_to_the_page_from_wherever_it_is_shown(world, receipt):
    for path in ("/r", f"/r?id={receipt}", f"/r/{receipt}"):
        (form,) = Tags((await page(world, path)).text).named("form")
        for prefix in ("", "/behind/a/proxy"):
            assert (
                urljoin(f"https://h.example{prefix}{path}", form["action"]) == f"https://h.example{prefix}/r"
            )


async def test_the_page_says_when_there_is_no_such_receipt(world):
    hostile = '"><script>alert(1)</script>'
    for path, status in (("/r/rcpt_nowhere", 404), ("/r?id=rcpt_nowhere", 200), (f"/r?id={hostile}", 200)):
        shown = await page(world, path)
        assert shown.status_code == status
        assert "No such receipt" in shown.text
        assert "<script" not in shown.text


async def test_links_lead_to_the_public_address_and_believe_no_proxy(tmp_path):
    options = {"public_url": "https://policies.example.com/bylaw/"}
    async with build(settings.build(data=tmp_path / "data", **options)) as app:
        world = World(app=app)
        await populate(world)
        made = await world.make("/v1/receipts", {"agent_id": "a"})
    assert made["verify_url"] == f"https://policies.example.com/bylaw/r/{made['receipt_id']}"


async def test_without_a_public_address_links_lead_to_the_host_of_the_request(world):
    headers = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    found = await world.send("admin", "POST", "/v1/receipts", json={"agent_id": "a"}, headers=headers)
    assert found.json()["verify_url"].startswith("http://bylaw.test/r/rcpt_")


@pytest.mark.parametrize("host", [b"", b"a b", b'"><script>', b"user@evil.example", b"x" * 300])
def test_a_host_that_is_none_is_not_repeated(host):
    assert Links().to("/r", {b"host": host}) == "http://localhost/r"


@pytest.mark.parametrize(
    "address", ["policies.example.com", "ftp://a.example", "https://a.example/?x", "https://"]
)
def test_a_public_address_has_to_be_one(address):
    with pytest.raises(InvalidInput):
        Links(address)
