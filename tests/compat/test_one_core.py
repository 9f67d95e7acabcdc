"""One table of cases through every contract: the same policy gives the same decision, records and sight.

What a case needs of a policy says through which contracts it can be written: `SAYS`, which is the table of
docs/explanation/three-contracts.md as well.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from tests.api.conftest import World

RIVAL = "Never mention 'rival'."
BROKEN, KEPT = {"agent_output": "Ask the rival."}, {"agent_output": "Ask us."}
PAGE = Path(__file__).parents[2] / "docs/explanation/three-contracts.md"
SAYS = {
    "native": {
        "expression", "flag", "log", "alert", "review", "conditions", "topic", "tenant", "repo", "bound",
    },
    "ohallo": {"flag", "conditions", "topic"},
    "flashback": {"log", "alert", "tenant", "repo"},
    "agentcert": {"flag", "expression", "bound"},
}  # fmt: skip
PLACES = {
    "shop": {"workspace_id": "shop"},
    "depot": {"workspace_id": "depot"},
    "tenant": {},
    "repo": {"workspace_id": "shop", "repo_id": "till"},
}
MCP = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@dataclass(frozen=True)
class Case:
    """A policy, what is asked, what comes of it; `status` is the policy's, empty when it does not apply."""

    name: str
    outcome: str
    status: str
    asks: dict = field(default_factory=lambda: BROKEN)
    rule: dict = field(default_factory=lambda: {"type": "nl", "text": RIVAL})
    action: str = "block"
    place: str = "shop"
    more: dict = field(default_factory=dict)
    needs: frozenset = frozenset()

    @property
    def by(self):
        """The contracts through which the policy can be written; Agent Cert's says no place."""
        elsewhere = {"agentcert"} if self.place in {"depot", "repo"} else set()
        return [name for name, says in SAYS.items() if self.needs <= says and name not in elsewhere]


def case(name, outcome, status, *needs, **more):
    return Case(name, outcome, status, needs=frozenset(needs), **more)


def amount(number):
    return {"metadata": {"amount": number}}


FLAG = {"type": "nl", "text": "Flag any output that mentions 'rival'."}
KIND = {"type": "nl", "text": "Be kind to customers."}
INPUT = {"type": "nl", "text": "Reject any message that contains 'rival'."}
CHAT = {"conditions": {"channel": "chat"}}
RETURNS = {"topic": "returns"}
LIMIT = {"type": "deterministic", "expr": "amount < 100"}
CASES = [
    case("what a rule forbids is blocked", "block", "violated"),
    case("what it does not forbid goes on", "allow", "satisfied", asks=KEPT),
    case("an alert goes on", "flag", "violated", "alert", action="alert"),
    case("a log goes on", "allow", "violated", "log", action="log"),
    case("a review holds", "review", "violated", "review", action="review"),
    case("a rule that flags goes on", "flag", "flagged", "flag", rule=FLAG),
    case("a rule that flags finds nothing", "allow", "satisfied", "flag", rule=FLAG, asks=KEPT),
    case("what nobody can judge is held", "review", "indeterminate", rule=KIND),
    case("what nobody can judge is told", "flag", "indeterminate", "alert", rule=KIND, action="alert"),
    case("what nobody can judge is noted", "allow", "indeterminate", "log", rule=KIND, action="log"),
    case("what is asked is judged too", "block", "violated", rule=INPUT,
         asks={"phase": "input", "user_intent": "And the rival?"}),
    case("conditions hold", "block", "violated", "conditions", more=CHAT,
         asks=BROKEN | {"metadata": {"channel": "chat"}}),
    case("conditions do not hold", "allow", "", "conditions", more=CHAT,
         asks=BROKEN | {"metadata": {"channel": "mail"}}),
    case("conditions nobody can tell", "block", "violated", "conditions", more=CHAT),
    case("its topic", "block", "violated", "topic", more=RETURNS, asks=BROKEN | {"topics": ["Returns"]}),
    case("another topic", "allow", "", "topic", more=RETURNS, asks=BROKEN | {"topics": ["pricing"]}),
    case("in the whole tenant", "block", "violated", "tenant", place="tenant"),
    case("in the repo", "block", "violated", "repo", place="repo"),
    case("in another workspace", "allow", "", place="depot"),
    case("a limit that is kept", "allow", "satisfied", "expression", rule=LIMIT, asks=amount(99)),
    case("a limit that is passed", "block", "violated", "expression", rule=LIMIT, asks=amount(100)),
    case("a limit of nothing", "review", "indeterminate", "expression", rule=LIMIT, asks={}),
    case("bound to another agent", "allow", "", "bound", place="tenant",
         asks=BROKEN | {"agent_id": "somebody"}),
]  # fmt: skip
EVERY = [(each, family) for each in CASES for family in each.by]


@pytest_asyncio.fixture(loop_scope="module")
async def core(world):
    """The server of the module with a repo and an agent, on which acme has no policies yet."""
    await world.send("admin", "POST", "/v1/workspaces/shop/repos", json={"id": "till", "name": "Till"})
    await world.send("admin", "POST", "/v1/agents", json={"agent_id": "bot"})
    yield world
    await world.send("admin", "DELETE", "/v1/bindings/bot")


@dataclass(frozen=True)
class Told:
    """A case, the policy as which it was written, and what each way of asking answered, in order."""

    core: World
    case: Case
    ident: str
    answers: dict


async def written_natively(world, case):
    reach = {"reach": "bound"} if "bound" in case.needs else {}
    new = {"name": case.name, "rules": [case.rule], "action": case.action, **PLACES[case.place], **case.more}
    made = await world.make("/v1/policies", new | reach)
    if reach:
        await bind(world, made["id"])
    return made["id"]


async def written_by_ohallo(world, case):
    """A proposal that waits, and is approved."""
    topic = case.more.get("topic", "general")
    new = {"topic": topic, "ruleText": case.rule["text"], "conditions": case.more.get("conditions")}
    path = f"/api/workspaces/{PLACES[case.place]['workspace_id']}/policy-entries"
    made = await world.make(path, new | {"status": "pending_review"}, "writer")
    await world.make(f"/api/policy-entries/{made['id']}/approve", {}, "writer")
    return made["id"]


async def written_by_flashback(world, case):
    where = {
        "workspaceId": PLACES[case.place].get("workspace_id"),
        "repoId": PLACES[case.place].get("repo_id"),
    }
    number = ["log", "alert", "block"].index(case.action)
    new = {"name": case.name, "content": case.rule["text"], "riskType": "MEDIUM", "actionType": number}
    return (await world.make("/policy", new | {"orgId": "acme", **where}))["policy"]["id"]


async def written_by_agentcert(world, case):
    """The JSON of the published page, bound to the agent."""
    new = {"name": case.name, "description": "", "is_active": True, "rules": [case.rule], "reach": "bound"}
    made = await world.make("/v1/policies", new)
    await bind(world, made["id"])
    return made["id"]


async def bind(world, ident):
    await world.make("/v1/bindings/bot", {"policy_id": ident}, method="PUT")


WRITERS = {
    "native": written_natively,
    "ohallo": written_by_ohallo,
    "flashback": written_by_flashback,
    "agentcert": written_by_agentcert,
}


async def called(world, tool, arguments):
    """What a tool of the MCP server answers."""
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    params = {"name": tool, "arguments": arguments}
    found = await world.send("admin", "POST", "/mcp", json=message | {"params": params}, headers=MCP)
    result = found.json()["result"]
    assert not result["isError"], result
    return result["structuredContent"]


ASKERS = {
    "POST /v1/decisions": lambda world, body: world.make("/v1/decisions", body),
    "POST /v1/receipts": lambda world, body: world.make("/v1/receipts", body),
    "decide": lambda world, body: called(world, "decide", body),
    "certify_decision": lambda world, body: called(world, "certify_decision", body),
}
CERTIFYING = {"POST /v1/receipts", "certify_decision"}


async def asked(world, case):
    """What each way of asking answers; a certificate is not asked with topics, for which it has no field."""
    base = {"agent_id": "bot", "workspace_id": "shop", "repo_id": "till", "phase": "output"}
    answers = {}
    for number, (way, ask) in enumerate(ASKERS.items()):
        if way not in CERTIFYING or "topics" not in case.asks:
            answers[way] = await ask(world, base | case.asks | {"conversation_id": f"{case.name} {number}"})
    return answers


async def rows(world, path, key):
    found = await world.send("admin", "GET", path)
    assert found.status_code == 200, found.text
    return found.json()[key]


@pytest.mark.parametrize(("case", "family"), EVERY, ids=[f"{family}: {each.name}" for each, family in EVERY])
async def test_a_policy_is_one_policy_through_whichever_contract_it_is_written(core, case, family):
    ident = await WRITERS[family](core, case)
    told = Told(core, case, ident, await asked(core, case))
    assert len({each["effective_rules_digest"] for each in told.answers.values()}) == 1
    means_the_same_in_every_way_of_asking(told)
    await leaves_the_same_records_in_every_list(told)
    await is_seen_through_every_contract(told)


def means_the_same_in_every_way_of_asking(told):
    case, ident, answers = told.case, told.ident, told.answers
    applied = [ident] if case.status else []
    for way, answer in answers.items():
        assert answer["outcome"] == case.outcome, way
        assert [each["id"] for each in answer["policies"]] == applied, way
        assert [each["outcome"] for each in answer["policies"]] == [case.outcome for _ in applied], way
        assert answer["posture"] == ("governed" if applied else "ungoverned"), way
        if way not in CERTIFYING:
            assert [each["status"] for each in answer["policies"]] == [case.status for _ in applied], way


async def leaves_the_same_records_in_every_list(told):
    core, case, ident, answers = told.core, told.case, told.ident, list(told.answers.values())
    receipts = [each["receipt_id"] for each in answers][::-1]
    violated = receipts if case.status == "violated" else []
    native = await rows(core, f"/v1/violations?policy_id={ident}", "data")
    assert [each["occasion"]["receipt_id"] for each in native] == violated
    theirs = await rows(core, f"/policy/{ident}/violations", "violations")
    assert [each["id"] for each in theirs] == [each["id"] for each in native]
    assert {each["block"] for each in theirs} <= {case.outcome == "block"}
    alerts = await rows(core, f"/policy/{ident}/alerts", "alerts")
    assert len(alerts) == len(await rows(core, f"/v1/alerts?policy_id={ident}", "data"))
    assert len(alerts) == (0 if case.outcome == "allow" else len(receipts))
    items = (await core.send("people", "GET", "/api/attention-items")).json()
    attention = [each["receiptId"] for each in items if each["policyId"] == ident]
    found = await rows(core, "/v1/attention?limit=500", "data")
    mine = [each for each in found if each["policy"] is not None and each["policy"]["id"] == ident]
    assert attention == [each["occasion"]["receipt_id"] for each in mine]
    assert attention == (receipts if case.outcome == "review" else [])
    for answer in answers:
        kept = (await core.send("admin", "GET", f"/v1/receipts/{answer['receipt_id']}")).json()
        assert kept == await called(core, "get_receipt", {"receipt_id": answer["receipt_id"]})
        assert (await called(core, "verify_receipt", {"receipt_id": answer["receipt_id"]}))["verified"]
        assert (kept["outcome"], [each["id"] for each in kept["policies"]]) == (
            answer["outcome"],
            [each["id"] for each in answer["policies"]],
        )
        again = await core.send("admin", "GET", f"/v1/decisions/{answer['receipt_id']}/explain")
        assert again.status_code == 200


async def is_seen_through_every_contract(told):
    core, case, ident = told.core, told.case, told.ident
    said = case.rule.get("text") or case.rule["expr"]
    native = (await core.send("admin", "GET", f"/v1/policies/{ident}")).json()
    assert [each.get("text") or each["expr"] for each in native["rules"]] == [said]
    assert (native["action"], native["risk"], native["is_in_force"]) == (case.action, "MEDIUM", True)
    shown = (await core.send("admin", "GET", f"/policy/{ident}")).json()["policy"]
    number = {"log": 0, "alert": 1}.get(case.action, 2)
    assert (shown["content"], shown["actionType"], shown["riskType"]) == (said, number, "MEDIUM")
    assert (shown["workspaceId"], shown["repoId"]) == (native["workspace_id"], native["repo_id"])
    assert [each["id"] for each in await rows(core, "/policy?orgId=acme", "policies")] == [ident]
    entry = (await core.send("reader", "GET", f"/api/policy-entries/{ident}")).json()
    assert (entry["ruleText"], entry["workspaceId"], entry["status"]) == (
        said,
        native["workspace_id"],
        "approved",
    )
    assert (entry["topic"], entry["conditions"]) == (native["topic"] or "", native["conditions"])
    for workspace in ("shop", "depot"):
        listed = await rows(core, f"/api/workspaces/{workspace}/policy-entries", "items")
        assert [each["id"] for each in listed] == (
            [ident] if native["workspace_id"] in {None, workspace} else []
        )
    found = await called(core, "search_policies", {"query": native["name"]})
    assert [each["id"] for each in found["data"]] == [ident]


async def test_a_held_call_of_any_contract_is_approved_through_any_other(core):
    """A policy in words that holds a call, because nobody can judge it, wherever it was written."""
    call = {"name": "refund", "arguments": {"amount": 20}}
    asks = {"agent_id": "bot", "workspace_id": "shop", "phase": "tool_call", "tool_call": call}
    for number, family in enumerate(SAYS):
        held = case(f"held {number}", "review", "indeterminate", rule=KIND)
        ident = await WRITERS[family](core, held)
        talk = f"held-{number}"
        await core.make("/api/conversations", {"id": talk, "workspaceId": "shop"}, "people")
        decision = await core.make("/v1/decisions", asks | {"conversation_id": talk})
        (approval,) = [each["id"] for each in decision["obligations"] if each["kind"] == "approval"]
        if number % 2:
            await core.make(f"/api/conversations/{talk}/approve", {}, "people")
        else:
            await core.make(f"/v1/approvals/{approval}/approve", {}, "people")
        again = await core.make("/v1/decisions", asks | {"conversation_id": talk, "approval_id": approval})
        assert (decision["outcome"], again["outcome"]) == ("review", "allow"), family
        await core.send("admin", "DELETE", "/v1/bindings/bot")
        assert (await core.send("admin", "DELETE", f"/policy/{ident}")).status_code == 200


async def test_a_change_through_one_contract_holds_and_is_seen_through_the_others(core):
    ident = await written_by_ohallo(core, CASES[0])
    assert (await asked(core, CASES[0]))["decide"]["outcome"] == "block"
    await core.make(f"/policy/{ident}", {"actionType": 1, "content": "Never say 'rival'."}, method="PUT")
    assert {each["outcome"] for each in (await asked(core, CASES[0])).values()} == {"flag"}
    path = f"/api/policy-entries/{ident}"
    assert (await core.send("reader", "GET", path)).json()["ruleText"] == "Never say 'rival'."
    await core.make(path, {"ruleText": "Never say 'price'."}, "writer", method="PATCH")
    assert (await core.send("admin", "GET", f"/policy/{ident}")).json()["policy"][
        "content"
    ] == "Never say 'price'."
    assert {each["outcome"] for each in (await asked(core, CASES[0])).values()} == {"allow"}
    await core.make(f"/v1/policies/{ident}", {"rules": [FLAG]}, method="PATCH")
    assert (await core.send("reader", "GET", path)).json()["ruleText"] == FLAG["text"]
    assert (await core.send("admin", "DELETE", f"/policy/{ident}")).status_code == 200
    assert (await core.send("reader", "GET", path)).status_code == 404
    assert (await core.send("admin", "GET", f"/v1/policies/{ident}")).status_code == 404
    assert {each["posture"] for each in (await asked(core, CASES[0])).values()} == {"ungoverned"}


def test_the_page_says_who_can_say_what():
    table = re.findall(
        r"^\| (\w+)[^|]*\|((?: (?:yes|no) \|){3})", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {name: [cell.strip() == "yes" for cell in cells.strip("|").split("|")] for name, cells in table}
    assert told == {
        name: [name in SAYS[family] for family in ("ohallo", "flashback", "agentcert")]
        for name in SAYS["native"]
    }


def test_every_case_is_tried_natively_and_every_contract_writes_some():
    assert all("native" in each.by for each in CASES)
    assert {family: sum(family in each.by for each in CASES) > 3 for family in SAYS} == dict.fromkeys(
        SAYS, True
    )
    assert json.loads(json.dumps([each.name for each in CASES])) == list(
        dict.fromkeys(each.name for each in CASES)
    )
