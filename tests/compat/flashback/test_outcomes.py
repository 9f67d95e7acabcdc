"""What follows from a violation, through real decisions: records, alerts, and whether the call goes on."""

import pytest

from tests.compat.flashback.conftest import BROKEN, KEPT


async def records(org, policy):
    found = (
        await org.get(f"/policy/{policy['id']}/violations"),
        await org.get(f"/policy/{policy['id']}/alerts"),
    )
    return found[0]["violations"], found[1]["alerts"]


@pytest.mark.parametrize(
    ("action", "outcome", "block", "alerts"),
    [(0, "allow", False, 0), (1, "flag", False, 1), (2, "block", True, 1)],
)
@pytest.mark.parametrize("content", ["Never mention 'rival'.", "Flag any output that mentions 'rival'."])
async def test_the_action_says_what_follows_however_the_rule_is_worded(
    org, action, outcome, block, alerts, content
):
    policy = await org.policy(actionType=action, content=content, riskType="MEDIUM")
    assert (await org.say(KEPT))["outcome"] == "allow"
    assert await records(org, policy) == ([], [])
    assert (await org.say(BROKEN))["outcome"] == outcome
    violations, told = await records(org, policy)
    assert [(each["block"], each["severity"]) for each in violations] == [(block, "MEDIUM")]
    assert len(told) == alerts


@pytest.mark.parametrize(("phase", "field"), [("input", "user_intent"), ("output", "agent_output")])
async def test_both_what_is_asked_and_what_is_answered_is_held_against_policies(org, phase, field):
    await org.policy(content="Reject any message that contains 'rival'.")
    asked = {"phase": phase, "agent_output": None, field: BROKEN}
    assert (await org.say(**asked))["outcome"] == "block"


async def test_policies_of_all_levels_hold_together_and_the_strictest_wins(org):
    places = ({}, {"workspaceId": "w1"}, {"workspaceId": "w1", "repoId": "r1"}, {"workspaceId": "w2"})
    everywhere, workspace, repo, elsewhere = [
        await org.policy(actionType=action, **place)
        for action, place in zip((2, 1, 0, 2), places, strict=True)
    ]
    assert (await org.say())["outcome"] == "block"
    assert [len((await records(org, each))[0]) for each in (everywhere, workspace, repo, elsewhere)] == [
        1,
        1,
        1,
        0,
    ]
    await org.send("owner", "DELETE", f"/policy/{everywhere['id']}")
    assert (await org.say())["outcome"] == "flag"
    await org.send("owner", "DELETE", f"/policy/{workspace['id']}")
    assert (await org.say())["outcome"] == "allow"


async def test_a_narrow_policy_never_weakens_a_wide_one(org):
    await org.policy(actionType=2)
    await org.policy(actionType=0, workspaceId="w1", repoId="r1", content="Feel free to mention 'rival'.")
    assert (await org.say())["outcome"] == "block"


async def test_a_change_holds_from_the_next_call_on(org):
    policy = await org.policy(actionType=2)
    assert (await org.say())["outcome"] == "block"
    await org.send("owner", "PUT", f"/policy/{policy['id']}", json={"actionType": 0})
    assert (await org.say())["outcome"] == "allow"
    await org.send(
        "owner", "PUT", f"/policy/{policy['id']}", json={"content": "Never mention 'us'.", "actionType": 2}
    )
    assert (await org.say())["outcome"] == "allow"
    assert (await org.say(KEPT))["outcome"] == "block"


async def test_a_policy_goes_with_its_repo_and_follows_it_when_it_moves(org):
    made = await org.make(
        "/repo", {"name": "moving", "workspaceId": "w1", "storageType": "S3", "mode": "NORMAL"}
    )
    repo = made["repoId"]
    policy = await org.policy(workspaceId="w1", repoId=repo)
    of_w2 = await org.policy(workspaceId="w2", actionType=1)
    assert (await org.say(repo_id=repo))["outcome"] == "block"
    assert (await org.get(f"/policy/{policy['id']}/violations"))["total"] == 1  # and so its names are known
    moved = await org.send("owner", "PUT", f"/repo/{repo}", json={"name": "moved", "workspaceId": "w2"})
    assert moved.json() == {"success": True, "repoId": repo}
    shown = (await org.get(f"/policy/{policy['id']}"))["policy"]
    assert shown["workspace"] == {"id": "w2", "name": "Workspace w2"}
    assert shown["repo"] == {"id": repo, "name": "moved"}
    decision = await org.say(workspace_id="w2", repo_id=repo)
    assert decision["outcome"] == "block"
    assert {each["id"] for each in decision["policies"]} == {policy["id"], of_w2["id"]}
    assert (await org.send("owner", "DELETE", f"/repo/{repo}")).json()["success"] is True
    assert (await org.send("owner", "GET", f"/policy/{policy['id']}")).status_code == 404
    (record,) = (await org.get(f"/policy/violations?repoId={repo}&workspaceId=w1"))["violations"]
    assert (record["policyName"], record["repoName"]) == ("Rivals", "moving")


async def test_a_workspace_goes_with_its_policies_once_it_has_no_repo(org):
    made = (await org.make("/workspace", {"name": "brief"}, "manager"))["workspace"]
    policy = await org.policy(workspaceId=made["id"])
    repo = await org.make("/repo", {"name": "r", "workspaceId": made["id"]})
    path = f"/workspace/{made['id']}"
    assert (await org.send("owner", "DELETE", path)).status_code == 400
    assert (await org.send("owner", "GET", f"/policy/{policy['id']}")).status_code == 200
    await org.send("owner", "DELETE", f"/repo/{repo['repoId']}")
    assert (await org.send("owner", "DELETE", path)).json() == {"success": True}
    assert (await org.send("owner", "GET", f"/policy/{policy['id']}")).status_code == 404
    assert (await org.get("/policy?orgId=acme"))["policies"] == []
