"""What is added to Agent Cert's contract, and what an old client may rely on beside the documented fields."""

import pytest

from tests.compat.agentcert.test_certificates import SEED, certified

POLICY = {**SEED, "version": 3}


async def test_a_policy_in_the_shape_of_the_contract_governs_bound_agents_only(world):
    made = await world.make("/v1/policies", POLICY)
    assert (made["reach"], made["version"]) == ("bound", 3)
    free = await certified(world, agent_id="other-bot", metadata={"amount": 9000}, policy_rules=None)
    assert (free["posture"], free["policy_id"]) == ("ungoverned", None)
    await world.make("/v1/agents", {"agent_id": "invoice-bot", "policy_id": POLICY["id"]})
    held = await certified(world, metadata={"amount": 9000}, policy_rules=None)
    assert (held["decision"], held["policy_id"], held["policy_version"]) == ("reject", POLICY["id"], "3")


@pytest.mark.parametrize(
    ("sent", "reach"),
    [({}, "place"), ({"reach": "bound"}, "bound"), ({"version": 3, "reach": "place"}, "place")],
)
async def test_what_a_policy_says_of_its_reach_holds(world, sent, reach):
    assert (await world.make("/v1/policies", {**SEED, **sent}))["reach"] == reach


async def test_equal_requests_have_unequal_hashes(world):
    first, second = [await certified(world) for _ in range(2)]
    for name in ("execution_hash", "evaluation_hash"):
        assert first[name] != second[name]
    assert first["trust_score"] == second["trust_score"]


async def test_a_certificate_says_who_judged_rules_in_words(world):
    without = await certified(world)
    assert (without["evaluator_model"], without["evaluator"]) == ("deterministic", None)
    made = await certified(world, policy_rules=["Reject any output that mentions 'chargeback'."])
    assert made["evaluator_model"] == made["evaluator"]["id"] == "offline"
    assert set(made["evaluator"]) == {"id", "model", "prompt_digest"}
    read = (await world.send("admin", "GET", f"/v1/receipts/{made['receipt_id']}")).json()
    assert read["evaluator"] == made["evaluator"]
    assert read["receipt"]["claim"]["evaluators"] == [{"id": "offline"}]


async def test_an_agent_says_whether_its_bound_policy_is_in_force(world):
    await world.make("/v1/policies", POLICY)
    agent = await world.make("/v1/agents", {"agent_id": "invoice-bot", "policy_id": POLICY["id"]})
    assert agent["policy_in_force"] is True
    path = f"/v1/policies/{POLICY['id']}"
    await world.make(path, {"is_active": False}, method="PATCH")
    read = (await world.send("admin", "GET", "/v1/agents/invoice-bot")).json()
    assert (read["policy_id"], read["policy_in_force"]) == (POLICY["id"], False)
    listed = (await world.send("admin", "GET", f"/v1/agents?policy_id={POLICY['id']}")).json()["data"]
    assert [each["policy_in_force"] for each in listed] == [False]
    await world.make(path, {"is_active": True}, method="PATCH")
    unbound = await world.send("admin", "DELETE", "/v1/bindings/invoice-bot")
    assert unbound.json()["policy_in_force"] is None
