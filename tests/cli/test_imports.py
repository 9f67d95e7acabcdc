"""An import from each family: our own server plays the source, and both then say the same."""

import itertools

import pytest

from bylaw.cli.imports import ohallo
from bylaw.cli.imports.sending import MOST, ServerTarget, send
from bylaw.cli.imports.source import Source
from bylaw.cli.remote import Remote
from tests.cli.importing import SOURCE_KEY, TARGET_KEY, arguments, imported, outcomes, server

NUMBERS = itertools.count(1)
TIME = "2025-03-01T09:00:00.000Z"
NO_RIVALS = "Never mention 'rival'."


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("BYLAW_URL", "BYLAW_API_KEY", "BYLAW_SOURCE_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """The operator's tenants of two servers."""
    with (
        server(tmp_path_factory.mktemp("source"), SOURCE_KEY) as one,
        server(tmp_path_factory.mktemp("target"), TARGET_KEY) as other,
    ):
        yield one, other


@pytest.fixture
def tenants(servers):
    """A new tenant on each, under the same id."""
    ident = f"org-{next(NUMBERS)}"
    return tuple(each.tenant(ident) for each in servers)


def by_id(rows):
    return {each["id"]: each for each in rows}


def assert_same_decisions(source, target, **place):
    """Both decide the same about the same."""
    texts = ("Ask the rival.", "Ask us.", "", "A rival's price: 9,000.")
    for said, phase in itertools.product(texts, ("output", "input")):
        text = {"agent_output": said} if phase == "output" else {"user_intent": said}
        asked = {"phase": phase, **text, **place, "metadata": {"amount": 4200 if said else 7200}}
        there, here = (each.make("/v1/decisions", asked) for each in (source, target))
        assert decided(here) == decided(there), asked


def decided(decision):
    return [decision[name] for name in ("outcome", "posture", "compliant", "reasons")], [
        (
            each["id"],
            each["version"],
            each["digest"],
            each["outcome"],
            [one["status"] for one in each["rules"]],
        )
        for each in decision["policies"]
    ]


# ── oHallo ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def entries(tenants):
    """A source with a workspace of entries in every status; the target, and the ids by status."""
    source, target = tenants
    source.make("/v1/workspaces", {"id": "shop", "name": "Shop"})
    path, ids = "/api/workspaces/shop/policy-entries", {}
    for status in ("approved", "pending_review", "rejected", "archived"):
        entry = {"topic": "pricing", "ruleText": NO_RIVALS + f" ({status})", "sourceType": "learning_loop"}
        entry |= {"confidence": 0.7, "conditions": {"keywords": ["rival"]}, "sourceConversationId": "c-1"}
        entry["status"] = "pending_review" if status in {"pending_review", "rejected"} else "approved"
        ids[status] = source.make(path, entry)["id"]
    source.make(f"/api/policy-entries/{ids['rejected']}/reject", {"reason": "no"})
    source.make(f"/api/policy-entries/{ids['archived']}/archive", {})
    return source, target, ids


ENTRIES = "/api/workspaces/shop/policy-entries?limit=100"


def test_ohallo_entries_of_every_status_come_as_they_are(run, entries):
    source, target, _ = entries
    code, report = imported(run, "ohallo", source, target, "--workspace", "shop=Shop", "--yes")
    assert (code, outcomes(report)) == (0, {"workspace": {"imported": 1}, "policy": {"imported": 4}})
    assert target.get(ENTRIES) == source.get(ENTRIES)
    pending = "/api/workspaces/shop/policy-entries/pending"
    assert target.get(pending) == source.get(pending)
    assert next(each["count"] for each in report["left_behind"] if each["what"] == "API keys") == 1


def test_what_ohallo_enforced_is_enforced_and_nothing_else(run, entries):
    source, target, _ = entries
    imported(run, "ohallo", source, target, "--workspace", "shop", "--yes")
    assert_same_decisions(source, target, workspace_id="shop")


def test_a_dry_run_writes_nothing_and_counts_what_would_come(run, entries):
    source, target, _ = entries
    code, report = imported(run, "ohallo", source, target, "--workspace", "shop", "--dry-run")
    assert (code, report["dry_run"], outcomes(report)["policy"]) == (0, True, {"imported": 4})
    assert target.get("/v1/workspaces")["data"] == []
    assert target.get("/v1/policies")["data"] == []


def test_an_import_done_twice_changes_nothing(run, entries):
    source, target, _ = entries
    imported(run, "ohallo", source, target, "--workspace", "shop=Shop", "--yes")
    before = target.get("/v1/policies"), target.get("/v1/events")
    code, report = imported(run, "ohallo", source, target, "--workspace", "shop", "--yes")
    assert (code, outcomes(report)) == (0, {"workspace": {"unchanged": 1}, "policy": {"unchanged": 4}})
    assert (target.get("/v1/policies"), target.get("/v1/events")) == before


def test_what_changed_there_is_reported_and_follows_only_if_that_is_wished(run, entries):
    source, target, ids = entries
    where = ("--workspace", "shop=Shop", "--yes")
    imported(run, "ohallo", source, target, *where)
    source.make(f"/api/policy-entries/{ids['approved']}", {"ruleText": "Never mention prices."}, "PATCH")
    source.make(f"/api/policy-entries/{ids['pending_review']}/approve", {})
    held = target.get(ENTRIES)
    code, report = imported(run, "ohallo", source, target, *where)
    assert (code, outcomes(report)["policy"]) == (3, {"unchanged": 2, "different": 2})
    differs = {each["id"]: set(each["fields"]) for each in report["results"] if each["fields"]}
    assert {"rules", "name", "updated_at"} <= differs[ids["approved"]]
    assert differs[ids["pending_review"]] == {"status", "updated_at"}
    assert target.get(ENTRIES) == held
    code, report = imported(run, "ohallo", source, target, *where, "--update")
    assert (code, outcomes(report)["policy"]) == (0, {"unchanged": 2, "updated": 2})
    assert target.get(ENTRIES) == source.get(ENTRIES)
    versions = target.get(f"/v1/policies/{ids['approved']}/versions")["data"]
    assert [each["number"] for each in versions] == [2, 1]
    assert {each["reason"] for each in versions} == {f"Imported from {source.url}."}
    code, report = imported(run, "ohallo", source, target, *where, "--update")
    assert (code, outcomes(report)["policy"]) == (0, {"unchanged": 4})


def test_what_changed_here_later_stays(run, entries):
    source, target, ids = entries
    where = ("--workspace", "shop=Shop", "--yes")
    imported(run, "ohallo", source, target, *where)
    source.make(f"/api/policy-entries/{ids['approved']}", {"ruleText": "Theirs."}, "PATCH")
    target.make(f"/api/policy-entries/{ids['approved']}", {"ruleText": "Ours."}, "PATCH")
    assert target.send("DELETE", f"/api/policy-entries/{ids['rejected']}").status_code == 204
    code, report = imported(run, "ohallo", source, target, *where, "--update")
    assert (code, outcomes(report)["policy"]) == (3, {"unchanged": 2, "different": 2})
    assert target.get(f"/api/policy-entries/{ids['approved']}")["ruleText"] == "Ours."
    assert target.send("GET", f"/api/policy-entries/{ids['rejected']}").status_code == 404


def test_a_change_that_waits_there_is_left_behind_and_said(run, entries):
    source, target, ids = entries
    source.make("/v1/workspaces/shop", {"review_edits": True}, "PATCH")
    source.make(f"/api/policy-entries/{ids['approved']}", {"ruleText": "Never mention prices."}, "PATCH")
    _, report = imported(run, "ohallo", source, target, "--workspace", "shop", "--yes")
    assert any(ids["approved"] in each["what"] for each in report["left_behind"])
    assert target.get(ENTRIES) == source.get(ENTRIES)


def test_one_entry_that_may_not_come_is_refused_by_the_name_of_its_field(run, entries):
    source, target, ids = entries
    policy = {"id": "long", "name": "n", "topic": "t", "workspace_id": "shop"}
    source.make("/v1/policies", policy | {"rules": [{"text": each * 8000} for each in "xyz"]})
    code, out, _ = run(*arguments("ohallo", source, target, "--workspace", "shop", "--yes"))
    assert code == 3
    assert "refused  policy long: ruleText: At most" in out
    assert "policy     4 imported, 1 refused" in out
    assert by_id(target.get(ENTRIES)["items"]).keys() == set(ids.values())


def test_nothing_is_done_unasked(run, entries):
    source, target, _ = entries
    code, _, err = run(*arguments("ohallo", source, target, "--workspace", "shop", "--json"))
    assert (code, "--yes" in err) == (2, True)
    assert target.get("/v1/policies")["data"] == []


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_wrong_key_is_told_and_nothing_is_done(run, entries, side):
    source, target, _ = entries
    at = {"source": source, "target": target}
    at[side] = type(source)(at[side].url, "sf_live_v1_" + "x" * 32)
    code, _, err = run(
        *arguments("ohallo", at["source"], at["target"], "--workspace", "shop", "--yes", "--json")
    )
    assert (code, "[unauthenticated]" in err) == (1, True)
    assert target.get("/v1/policies")["data"] == []


def test_a_key_that_administers_one_workspace_imports_nothing(run, entries):
    source, target, _ = entries
    target.make("/v1/workspaces", {"id": "shop", "name": "Shop"})
    key = {"name": "local", "scopes": ["admin"], "workspace_id": "shop"}
    local = type(target)(target.url, target.make("/v1/keys", key)["key"])
    code, _, err = run(*arguments("ohallo", source, local, "--workspace", "shop", "--yes", "--json"))
    assert (code, "[forbidden]" in err) == (1, True)
    assert target.get("/v1/policies")["data"] == []


def test_another_tenant_sees_nothing_of_an_import(run, servers, entries):
    source, target, ids = entries
    other = servers[1].tenant(f"other-{next(NUMBERS)}")
    imported(run, "ohallo", source, target, "--workspace", "shop", "--yes")
    assert other.get("/v1/policies")["data"] == []
    code, report = imported(run, "ohallo", source, other, "--workspace", "shop", "--yes")
    assert (code, outcomes(report)["policy"]) == (0, {"imported": 4})
    assert other.send("DELETE", f"/v1/policies/{ids['approved']}").status_code == 204
    assert target.send("GET", f"/v1/policies/{ids['approved']}").status_code == 200


def test_a_workspace_that_is_not_there_is_told(run, entries):
    source, target, _ = entries
    code, _, err = run(*arguments("ohallo", source, target, "--workspace", "nowhere", "--yes", "--json"))
    assert (code, "[not_found]" in err) == (1, True)


class Interrupted:
    """A server that is reached once, and then no more."""

    def __init__(self, target):
        self._target = target
        self._asked = 0

    def send(self, sent):
        self._asked += 1
        if self._asked > 1:
            raise KeyboardInterrupt
        return self._target.send(sent)


def test_an_interrupted_import_is_run_again_and_brings_the_rest(run, tenants):
    source, target = tenants
    rows = [
        {"id": f"p{number:03}", "workspace_id": "shop", "content": content(number), "updated_at": TIME}
        for number in range(2 * MOST)
    ]
    body = {"workspaces": [{"id": "shop", "name": "Shop"}], "policies": rows}
    assert {each["outcome"] for each in source.make("/v1/imports", body)["results"]} == {"imported"}
    there = Source(source.url, ohallo.headers(source.key))
    found = ohallo.read(there, [("shop", "Shop")])
    here = ServerTarget(remote=Remote(target.url, target.key), pause=lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        send(found, Interrupted(here), source=source.url, update=False, dry_run=False)
    assert len(target.get("/v1/policies?limit=500")["data"]) == MOST - 1
    code, report = imported(run, "ohallo", source, target, "--workspace", "shop=Shop", "--yes")
    counted = {"imported": MOST + 1, "unchanged": MOST - 1}
    assert (code, outcomes(report)["policy"]) == (0, counted)
    for offset in range(0, 2 * MOST, 100):
        part = f"{ENTRIES}&offset={offset}"
        assert target.get(part) == source.get(part)


def content(number):
    return {"name": f"Rule {number}", "topic": "t", "rules": [{"text": f"Never mention number {number}."}]}


# ── Flashback ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def org(tenants):
    """A source with people, places and policies on three levels, made by a person; and the target."""
    source, target = tenants
    people = {}
    for name, role in (("olga", 0xFF), ("wim", 0x00), ("gone", 0xFE)):
        email = f"{name}@example.com"
        new = {"email": email, "firstName": name.title(), "lastName": "Doe", "orgRole": role}
        ident = source.make("/organization/users", new)["data"]["id"]
        key = {"name": name, "scopes": ["admin"], "user_id": ident}
        people[name] = (ident, source.make("/v1/keys", key)["key"])
    source.make("/v1/workspaces", {"id": "w1", "name": "One"})
    source.make("/v1/workspaces", {"id": "w2", "name": "Two"})
    source.make("/workspace/w1/users", {"userId": people["wim"][0], "role": "WRITE"})
    source.make("/v1/workspaces/w1/repos", {"id": "r1", "name": "Repo"})
    org_id = source.get("/user/profile")["data"]["orgId"]
    policies = {}
    for name, by, place, action in (
        ("everywhere", "olga", {}, 1),
        ("space", "gone", {"workspaceId": "w1"}, 2),
        ("repo", "wim", {"workspaceId": "w1", "repoId": "r1"}, 0),
        ("off", "olga", {"workspaceId": "w1"}, 2),
    ):
        new = {"name": name, "content": NO_RIVALS, "riskType": "HIGH", "actionType": action, "orgId": org_id}
        policies[name] = source.make("/policy", new | place, key=people[by][1])["policy"]["id"]
    source.make(f"/v1/policies/{policies['off']}/deactivate", {}, key=people["olga"][1])
    assert source.send("DELETE", f"/organization/users/{people['gone'][0]}").status_code == 200
    return source, target, org_id, policies


def test_flashback_says_the_same_of_policies_places_and_people_on_both(run, org):
    source, target, org_id, _ = org
    code, report = imported(run, "flashback", source, target, "--yes")
    assert (code, outcomes(report)) == (
        0,
        {
            "workspace": {"imported": 2},
            "repo": {"imported": 1},
            "user": {"imported": 3},
            "policy": {"imported": 4},
        },
    )
    assert report["source_tenant_id"] == report["tenant_id"] == org_id
    for path, name in (
        (f"/policy?orgId={org_id}", "policies"),
        ("/workspace", "workspaces"),
        ("/repo", "repos"),
        ("/organization/users", "data"),
    ):
        assert by_id(target.get(path)[name]) == by_id(source.get(path)[name])
    listed = f"/policy?orgId={org_id}"
    assert target.get(listed) == source.get(listed)


def test_what_flashback_enforced_is_enforced_and_what_was_off_stays_off(run, org):
    source, target, _, policies = org
    _, report = imported(run, "flashback", source, target, "--yes")
    assert not target.get(f"/v1/policies/{policies['off']}")["is_active"]
    assert [note for note in report["notes"] if policies["off"] in note and "switched off" in note]
    assert_same_decisions(source, target)
    assert_same_decisions(source, target, workspace_id="w1", repo_id="r1")
    assert_same_decisions(source, target, workspace_id="w2")


def test_roles_come_and_those_who_left_are_only_named(run, org):
    source, target, org_id, policies = org
    imported(run, "flashback", source, target, "--yes")
    users = {each["email"]: each for each in target.get("/v1/users")["data"]}
    assert {email: each["org_role"] for email, each in users.items()} == {
        "olga@example.com": "OWNER",
        "wim@example.com": "USER",
    }
    assert users["wim@example.com"]["workspace_roles"] == {"w1": "WRITE"}
    made_by = by_id(target.get(f"/policy?orgId={org_id}")["policies"])[policies["space"]]["createdBy"]
    assert (made_by["name"], made_by["email"]) == ("Gone", "gone@example.com")


def test_an_organisation_in_a_tenant_of_another_name_is_told(run, servers, org):
    source, _, org_id, _ = org
    other = servers[1].tenant(f"other-{next(NUMBERS)}")
    _, report = imported(run, "flashback", source, other, "--dry-run")
    assert any(org_id in note and "orgId" in note for note in report["notes"])


def test_people_and_places_that_changed_there_follow_if_wished(run, org):
    source, target, _, _ = org
    imported(run, "flashback", source, target, "--yes")
    source.make("/workspace/w2", {"name": "Zwei"}, "PUT")
    user_id = next(each["id"] for each in source.get("/v1/users")["data"] if each["name"] == "Wim")
    source.make(f"/workspace/w1/users/{user_id}", {"role": "READ"}, "PUT")
    code, report = imported(run, "flashback", source, target, "--yes")
    assert (code, outcomes(report)["user"]) == (3, {"unchanged": 2, "different": 1})
    code, report = imported(run, "flashback", source, target, "--yes", "--update")
    assert (code, outcomes(report)["workspace"]) == (0, {"unchanged": 1, "updated": 1})
    assert target.get(f"/v1/users/{user_id}")["workspace_roles"] == {"w1": "READ"}
    assert target.get("/v1/workspaces/w2")["name"] == "Zwei"


# ── Agent Cert ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def bound(tenants):
    """A source with policies of every kind of rule, and agents that are bound to them; and the target."""
    source, target = tenants
    policy = {"version": 3, "reach": "bound", "description": "Cap on invoices"}
    rules = [
        {"type": "deterministic", "expr": "amount < 5000"},
        {"type": "nl", "text": NO_RIVALS, "effect": "flag", "attention": True},
    ]
    source.make("/v1/policies", policy | {"id": "pol_cap", "name": "Cap", "rules": rules})
    off = {"id": "pol_off", "name": "Off", "is_active": False, "rules": rules[:1]}
    source.make("/v1/policies", policy | off)
    source.make("/v1/agents", {"agent_id": "invoice-bot", "policy_id": "pol_cap", "name": "Invoices"})
    source.make("/v1/agents", {"agent_id": "free-bot"})
    return source, target


def test_agentcert_says_the_same_of_policies_and_agents_on_both(run, bound):
    source, target = bound
    code, report = imported(run, "agentcert", source, target, "--yes")
    assert (code, outcomes(report)) == (0, {"policy": {"imported": 2}, "agent": {"imported": 2}})
    assert target.get("/v1/policies") == source.get("/v1/policies")
    assert target.get("/v1/agents") == source.get("/v1/agents")


def test_what_bound_agents_were_held_to_they_are_held_to(run, bound):
    source, target = bound
    imported(run, "agentcert", source, target, "--yes")
    assert_same_decisions(source, target, agent_id="invoice-bot")
    for agent, amount in (("invoice-bot", 4200), ("invoice-bot", 9000), ("free-bot", 9000)):
        asked = {"agent_id": agent, "metadata": {"amount": amount}}
        there, here = (each.make("/v1/receipts", asked) for each in (source, target))
        for name in ("policy_compliant", "risk_level", "trust_score", "policy_version", "decision"):
            assert here[name] == there[name]


def test_a_new_version_there_follows_with_its_number_if_wished(run, bound):
    source, target = bound
    imported(run, "agentcert", source, target, "--yes")
    source.make("/v1/policies/pol_cap", {"rules": [{"expr": "amount < 100"}]}, "PATCH")
    code, report = imported(run, "agentcert", source, target, "--yes")
    assert (code, outcomes(report)["policy"]) == (3, {"unchanged": 1, "different": 1})
    code, _ = imported(run, "agentcert", source, target, "--yes", "--update")
    assert code == 0
    assert target.get("/v1/policies") == source.get("/v1/policies")


def test_an_agent_that_acted_here_before_becomes_what_it_is_there(run, bound):
    source, target = bound
    target.make("/v1/receipts", {"agent_id": "invoice-bot"})
    code, report = imported(run, "agentcert", source, target, "--yes")
    assert (code, outcomes(report)["agent"]) == (0, {"imported": 2})
    assert target.get("/v1/agents/invoice-bot") == source.get("/v1/agents/invoice-bot")
