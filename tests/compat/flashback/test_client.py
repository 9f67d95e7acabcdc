"""The vendor's public client, as it is published: built elsewhere, run unchanged against a server.

git clone the client, npm ci --ignore-scripts, npx tsc --outDir dist
BYLAW_FLASHBACK_CLIENT=that-folder pytest tests/compat/flashback/test_client.py
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.compat.flashback.test_records import ALERT, VIOLATION
from tests.e2e.serving import PATIENCE_S, serving

BUILD = os.environ.get("BYLAW_FLASHBACK_CLIENT", "")
CALLS = Path(__file__).parent / "client_calls.cjs"

pytestmark = [
    pytest.mark.skipif(not BUILD, reason="BYLAW_FLASHBACK_CLIENT names no build of the client"),
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no node to run the client"),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What came of every call, by the name of the call."""
    with serving("--data", str(tmp_path_factory.mktemp("server"))) as running, running.client() as client:
        make = lambda path, body: client.post(path, json=body).raise_for_status().json()  # noqa: E731
        make("/v1/tenants", {"id": "acme", "name": "Acme"})
        admin = make("/v1/tenants/acme/keys", {"name": "admin", "scopes": ["admin"]})["key"]
        client.headers["authorization"] = f"Bearer {admin}"
        make("/v1/workspaces", {"id": "w1", "name": "Shop"})
        make("/v1/workspaces/w1/repos", {"id": "r1", "name": "Code"})
        rival = {"name": "Rivals", "rules": [{"text": "Never mention 'rival'."}], "action": "block"}
        make("/v1/policies", rival)
        said = {"phase": "output", "agent_output": "Ask the rival.", "workspace_id": "w1", "repo_id": "r1"}
        assert make("/v1/decisions", said)["outcome"] == "block"
        person = make("/v1/users", {"email": "ada@example.com", "name": "Ada", "org_role": "OWNER"})
        key = make("/v1/keys", {"name": "Ada's", "scopes": ["admin"], "user_id": person["id"]})["key"]
        base = str(client.base_url).rstrip("/")
        command = ["node", str(CALLS), BUILD, base, key, "acme", "w1", "r1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    found = {}
    for each in json.loads(done.stdout):
        found.setdefault(each["name"], []).append((each.get("status", 200), each["answer"]))
    return found


def test_policies_are_made_read_changed_and_deleted(told):
    (_, made), (bad, refusal) = told["createPolicy"]
    policy = made["policy"]
    assert (policy["createdBy"]["name"], policy["workspace"]) == ("Ada", {"id": "w1", "name": "Shop"})
    assert (bad, refusal["success"]) == (400, False)
    assert "riskType" in refusal["message"]
    assert [len(answer["policies"]) for _, answer in told["getPolicies"]] == [2, 0]
    (_, read), (missing, refusal) = told["getPolicy"]
    assert read["policy"] == policy
    assert (missing, refusal["success"]) == (404, False)
    assert told["updatePolicy"][0][1]["policy"]["riskType"] == "MEDIUM"
    assert told["deletePolicy"][0][1]["success"] is True


def test_what_happened_is_listed(told):
    for name, key, shape in (
        ("getPolicyViolations", "violations", VIOLATION),
        ("getPolicyAlerts", "alerts", ALERT),
    ):
        (_, everything), (_, filtered) = told[name]
        assert list(everything) == list(filtered) == ["success", key, "total", "skip", "take"]
        assert [list(each) for each in everything[key]] == [shape]
        assert (filtered[key], filtered["take"]) == ([], 10)
        ((_, of_one),) = told[f"{name}ByPolicyId"]
        assert (of_one[key], of_one["total"]) == ([], 0)


def test_what_happened_is_counted(told):
    ((_, series),) = told["getPolicyStats"]
    assert series["success"] is True
    assert sum(each["blocks"] for each in series["series"]) == 1
    ((_, tokens),) = told["getPolicyTokenStats"]
    assert list(tokens["series"][0]) == ["ts", "policyTokensIn", "policyTokensOut"]
    ((_, shares),) = told["getPolicyBreakdown"]
    assert [each["totals"]["violations"] for each in shares["entities"]] == [1]


def test_wordings_are_reviewed_and_policies_recommended(told):
    ((_, reviewed),) = told["validatePolicies"]
    assert [*reviewed] == ["results"]
    ((_, found),) = told["recommendPolicies"]
    assert (found["level"], found["uuid"]) == (0, "acme")
    assert found["recommended_policies"]


def test_the_organisation_is_seen(told):
    ((_, workspaces),) = told["getWorkspaces"]
    assert [each["name"] for each in workspaces["workspaces"]] == ["Shop"]
    ((_, users),) = told["getOrganizationUsers"]
    assert [each["email"] for each in users["data"]] == ["ada@example.com"]
    ((_, organization),) = told["getOrganization"]
    assert organization["data"]["name"] == "Acme"
    ((_, repos),) = told["getStorageRepos"]
    assert [each["id"] for each in repos["repos"]] == ["r1"]
