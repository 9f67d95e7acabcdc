"""Masks over the API: what an agent is shown instead, and what the receipt proves of it."""

import json

import pytest

from bylaw.receipts.model import AppliedMask, Redaction
from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust, verify

MASK = {"fields": ["tool_result.customers.*.email"], "personal_data": ["iban"]}
SECRETS = ("kim@example.org", "DE89 3704 0044 0532 0130 00")
RESULT = {"customers": [{"id": 7, "email": SECRETS[0]}], "note": f"Pays from {SECRETS[1]}."}
ASKED = {"agent_id": "support", "phase": "tool_result", "workspace_id": "w1", "tool_result": RESULT}


@pytest.fixture
async def world(inhabited):
    policy = {"name": "Contacts stay inside", "mask": MASK, "workspace_id": "w1"}
    inhabited.ids["contacts"] = (await inhabited.make("/v1/policies", policy))["id"]
    return inhabited


async def test_the_answer_carries_what_is_shown_and_the_receipt_what_is_withheld(world):
    answered = await world.make("/v1/decisions", ASKED)
    assert answered["outcome"] == "allow"
    assert answered["masked"] == {
        "tool_result": {"customers": [{"id": 7, "email": "[masked]"}], "note": "Pays from [iban]."}
    }
    assert not any(secret in json.dumps(answered) for secret in SECRETS)
    ident = answered["receipt_id"]
    keys = (await world.send(None, "GET", "/.well-known/jwks.json")).content
    bundle = (await world.send("admin", "GET", f"/v1/receipts/{ident}/bundle")).content
    found = verify(bundle, Trust(keys=key_set(keys)))
    assert found.status == "verified"
    claimed = next(each for each in found.receipt.claim.policies if each.id == world.ids["contacts"])
    assert claimed.mask == AppliedMask(
        redactions=(
            Redaction(path="tool_result.customers.*.email", kind="field", count=1),
            Redaction(path="tool_result", kind="iban", count=1),
        )
    )
    changed = bundle.replace(b'\\"count\\":1', b'\\"count\\":2', 1)
    assert changed != bundle
    assert verify(changed, Trust(keys=key_set(keys))).status == "invalid"


async def test_the_same_key_gets_the_same_masked_answer_again(world):
    headers = {"idempotency-key": "k"}
    first = await world.send("admin", "POST", "/v1/decisions", json=ASKED, headers=headers)
    again = await world.send("admin", "POST", "/v1/decisions", json=ASKED, headers=headers)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["masked"] == first.json()["masked"]
    read = await world.send("admin", "GET", f"/v1/decisions/{first.json()['receipt_id']}")
    assert read.json() == first.json()


async def test_a_dry_run_and_a_batch_mask_too(world):
    dry = await world.make("/v1/decisions", ASKED | {"dry_run": True})
    batch = await world.make("/v1/decisions:batch", {"requests": [ASKED]})
    assert dry["masked"] == batch["results"][0]["decision"]["masked"] != {}


async def test_a_decision_without_a_mask_says_nothing_of_it(world):
    answered = await world.make("/v1/decisions", ASKED | {"tool_result": {"customers": []}})
    assert "masked" not in answered
    assert all("mask" not in policy for policy in answered["policies"])


async def test_a_mask_that_does_not_fit_is_held_for_a_person(world):
    answered = await world.make("/v1/decisions", ASKED | {"tool_result": "customers: kim@example.org"})
    assert (answered["outcome"], answered["masked"]) == ("review", {"tool_result": "[masked]"})
    (found,) = [each["mask"] for each in answered["policies"] if each["id"] == world.ids["contacts"]]
    assert (found["code"], found["path"]) == ("mask_shape", "tool_result")
    items = (await world.send("admin", "GET", "/v1/attention")).text
    assert answered["receipt_id"] in items
    assert "kim@" not in items


async def test_a_mask_is_read_edited_and_taken_away(world):
    path = f"/v1/policies/{world.ids['contacts']}"
    assert (await world.send("admin", "GET", path)).json()["mask"] == MASK
    fewer = await world.send("admin", "PATCH", path, json={"mask": {"personal_data": ["iban"]}})
    assert fewer.json()["mask"] == {"fields": [], "personal_data": ["iban"]}
    ruled = await world.send("admin", "PATCH", path, json={"mask": None, "rules": [{"expr": "true"}]})
    assert ruled.json()["mask"] is None
    refused = await world.send("admin", "PATCH", path, json={"mask": {"fields": ["metadata.x"]}})
    assert refused.status_code == 422
    assert [each["path"] for each in refused.json()["errors"]] == ["mask.fields[0]"]
    assert "masked" not in await world.make("/v1/decisions", ASKED)
