"""What a receipt says of a model that judged: by whom, under which prompt, on what basis; for good."""

import json

from bylaw.core.canonical_json import digest
from bylaw.receipts.model import DecisionClaim
from bylaw.receipts.signing import key_set
from bylaw.receipts.verify import Trust, verify
from tests.app.test_judging import judged
from tests.model_server.minds import honest, judge, result

CANARY = "canary-51c0e7"
SAID = f"I promise a free upgrade to {CANARY}."
KIND = "The answer must not promise 'free upgrade'. Be kind."


def repeats(case, ident):
    """What a model says that repeats the text in its own words."""
    if case.rules[ident]["text"] != KIND:
        return honest(case, ident)
    (line,) = (each["id"] for each in case.lines if CANARY in each["text"])
    return result(ident, "violation", (line, SAID), analysis=f"It says {SAID}", missing=CANARY)


async def made(world):
    """Return a decision by a policy that the model judges, and what it was said on."""
    policy = {"name": "Kind", "rules": [{"text": KIND}], "action": "review", "evaluator": "model"}
    await world.make("/v1/policies", policy)
    return await world.make("/v1/decisions", {"phase": "output", "agent_output": SAID})


async def bundle(world, receipt_id):
    found = await world.send("admin", "GET", f"/v1/receipts/{receipt_id}/bundle?disclose=true")
    keys = await world.send(None, "GET", "/.well-known/jwks.json")
    return verify(found.content, Trust(keys=key_set(keys.content)))


async def test_who_judged_is_provable_before_and_after_what_was_said_is_erased(tmp_path):
    async with judged(tmp_path, judge(repeats)) as (world, model):
        decision = await made(world)
        ident = decision["receipt_id"]
        before = await bundle(world, ident)
        (rule,) = decision["policies"][0]["rules"]
        assert (rule["status"], rule["basis"], rule["evidence"]) == ("violated", "model", [SAID])
        assert CANARY in rule["rationale"]
        assert holding(tmp_path)
        await world.send("admin", "DELETE", f"/v1/receipts/{ident}/body")
        after = await bundle(world, ident)
        assert holding(tmp_path) == []
        for path in (f"/v1/receipts/{ident}/verify", f"/r/{ident}"):
            told = await world.send(None, "GET", path)
            assert told.status_code == 200
            assert CANARY not in told.text
            assert "verified" in told.text
        again = (await world.send("admin", "GET", f"/v1/receipts/{ident}")).json()
        await world.make("/v1/policies", {"name": "Brief", "rules": [{"text": "Be brief."}]})
        other = await world.make("/v1/decisions", {"phase": "output", "agent_output": "Other words."})
        changed = await bundle(world, other["receipt_id"])
    assert (before.status, after.status) == ("verified", "verified")
    assert before.receipt == after.receipt
    claim = after.receipt.claim
    assert isinstance(claim, DecisionClaim)
    (used,) = claim.evaluators
    assert (used.id, used.model) == ("model", "scripted-1")
    assert used.prompt_digest == digest([model.asked[0].system])
    later = changed.receipt.claim.evaluators[-1]
    assert later.prompt_digest == digest([model.asked[1].system]) != used.prompt_digest
    (applied,) = claim.policies
    assert [(each.basis, each.status) for each in applied.rules] == [("model", "violated")]
    assert "scripted-1" in json.dumps(again)
    assert CANARY not in json.dumps(again)


def holding(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if CANARY.encode() in path.read_bytes()]
