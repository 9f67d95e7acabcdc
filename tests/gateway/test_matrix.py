"""What follows from a violation, on both ways: who is told, and whether the call goes on."""

import json
from functools import partial

import pytest

from bylaw.search.embedder import embedded
from bylaw.search.embedding import embed_waiting
from tests.gateway.scripted import said

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = [("log", False, 0), ("alert", False, 1), ("block", True, 1)]
rows = pytest.mark.parametrize(("action", "block", "alerts"), ROWS)


@rows
async def test_what_is_asked_is_held_against_policies_before_the_provider_is_called(
    gate, action, block, alerts
):
    await gate.policy(action=action)
    before, told = [len(each) for each in await gate.records()]
    found = await gate.chat("Tell me of the rival.", status=403 if block else 200)
    assert len(gate.provider.asked) == (0 if block else 1)
    violations, alerted = await gate.records()
    assert (len(violations) - before, len(alerted) - told) == (1, alerts)
    assert violations[0]["block"] is block
    if block:
        assert found.json()["error"]["violation_ids"] == [violations[0]["id"]]


@rows
async def test_what_is_answered_is_held_against_policies_before_it_is_delivered(gate, action, block, alerts):
    await gate.policy(action=action)
    gate.provider.answer = said("Ask the rival next door.")
    before, told = [len(each) for each in await gate.records()]
    found = await gate.chat(status=403 if block else 200)
    assert len(gate.provider.asked) == 1
    assert ("next door" in found.text) is not block
    violations, alerted = await gate.records()
    assert (len(violations) - before, len(alerted) - told) == (1, alerts)
    assert (violations[0]["block"], violations[0]["policyName"]) == (block, "Rivals")


async def test_a_record_says_who_called_which_model_where(gate):
    await gate.policy()
    metadata = {"workspace_id": "w1", "user_id": "ada", "conversation_id": "c1"}
    await gate.refused("the rival", metadata=metadata)
    record = (await gate.records())[0][0]
    names = (
        "repoId",
        "userId",
        "conversationId",
        "repoAiApiKeyId",
        "repoAiApiKeyName",
        "llmType",
        "llmModel",
        "host",
    )
    assert [record[name] for name in names] == [
        "r1", "ada", "c1", gate.ids["application"], "application", "OPENAI", "gpt-4.1", "bylaw.test",
    ]  # fmt: skip


async def test_a_block_says_which_policy_and_never_what_was_said(gate):
    policy = await gate.policy(name="Rivalen & Söhne")
    gate.provider.answer = said("The rival is cheaper: 4242.")
    for text in ("the rival sells for 4242", "hello"):
        found = await gate.chat(text, status=403)
        error = found.json()["error"]
        assert (error["type"], error["code"], error["param"]) == ("policy_violation", "policy_blocked", None)
        assert (error["policy_id"], error["policy_name"]) == (policy["id"], "Rivalen & Söhne")
        assert found.headers["x-bylaw-policy-id"] == policy["id"]
        assert found.headers["x-bylaw-policy-name"] == "Rivalen%20%26%20S%C3%B6hne"
        assert found.headers["x-bylaw-violation-ids"] == ",".join(error["violation_ids"])
        assert found.headers["x-bylaw-receipt-ids"] == ",".join(error["receipt_ids"])
        assert "4242" not in found.text + str(found.headers)
        for receipt in error["receipt_ids"]:
            assert (await gate.send("admin", "GET", f"/v1/receipts/{receipt}")).status_code == 200


async def test_policies_of_every_place_around_the_key_hold_and_no_others(gate):
    await gate.policy("Reject any message that contains 'one'.", workspace_id="w1", repo_id="r1")
    await gate.policy("Reject any message that contains 'two'.", workspace_id="w1")
    await gate.policy("Reject any message that contains 'three'.", workspace_id="w2")
    await gate.refused("one")
    await gate.refused("two")
    await gate.chat("three")


async def test_calls_of_tools_are_judged_with_their_arguments(gate):
    rule = {"rules": [{"expr": "tool_call.arguments.amount < 100"}], "conditions": {"phase": "tool_call"}}
    await gate.policy(**rule)
    gate.provider.answer = said(None, calls=[("pay", {"amount": 5}), ("pay", {"amount": 7})])
    choice = (await gate.chat(tools=[{"type": "function", "function": {"name": "pay"}}])).json()["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert [
        json.loads(each["function"]["arguments"])["amount"] for each in choice["message"]["tool_calls"]
    ] == [5, 7]
    gate.provider.answer = said("Paying.", calls=[("pay", {"amount": 5}), ("pay", {"amount": 700})])
    error = await gate.refused()
    assert (error["code"], len(error["violation_ids"])) == ("policy_blocked", 1)


async def test_a_held_call_of_a_tool_goes_on_once_it_is_approved(gate):
    await gate.policy(action="review", rules=[{"expr": "false"}], conditions={"phase": "tool_call"})
    gate.provider.answer = said(None, calls=[("pay", {"amount": 5})])
    error = await gate.refused()
    assert (error["code"], len(error["approval_ids"])) == ("policy_held", 1)
    assert "metadata.approval_id" in error["message"]
    approval = error["approval_ids"][0]
    await gate.make(f"/v1/approvals/{approval}/approve", {})
    gate.provider.answer = said(None, calls=[("pay", {"amount": 6})])
    await gate.refused(metadata={"approval_id": approval})  # another call than was approved
    gate.provider.answer = said(None, calls=[("pay", {"amount": 5})])
    assert (await gate.chat(metadata={"approval_id": approval})).json()["choices"][0]["message"]["tool_calls"]
    await gate.refused(metadata={"approval_id": approval})  # it is spent


async def test_what_cannot_be_told_holds_a_block_and_lets_a_log_pass(gate):
    policy = await gate.policy("Be courteous to everybody.")
    error = await gate.refused()
    assert (error["code"], error["violation_ids"], error["approval_ids"]) == ("policy_held", [], [])
    assert error["attention_ids"]
    assert gate.provider.asked == []
    await gate.send("admin", "DELETE", f"/v1/policies/{policy['id']}")
    await gate.policy("Be courteous to everybody.", action="log")
    await gate.chat()


PROMPT = "Reject any prompt that mentions 'rival'."


async def test_a_rule_about_what_is_asked_holds_no_answer_to_it(gate):
    await gate.policy(PROMPT)
    gate.provider.answer = said("Ask the rival.", calls=[("pay", {"to": "the rival"})])
    found = await gate.chat("Hello.")
    receipts = found.headers["x-bylaw-receipt-ids"].split(",")
    claims = [
        (await gate.send("admin", "GET", f"/v1/receipts/{each}")).json()["receipt"]["claim"]
        for each in receipts
    ]
    assert [each["phase"] for each in claims] == ["input", "output", "tool_call"]
    assert [each.get("follows") for each in claims] == [None, receipts[0], receipts[0]]
    assert [each["policies"][0]["rules"][0]["status"] for each in claims] == [
        "satisfied", "not_applicable", "not_applicable",
    ]  # fmt: skip
    await gate.refused("Tell me of the rival.")
    assert len(gate.provider.asked) == 1


async def test_only_what_was_satisfied_when_it_was_asked_holds_no_answer(gate):
    await gate.policy(PROMPT, action="alert", on_indeterminate="block")
    await gate.chat("Hello.")
    error = await gate.refused("Tell me of the rival.")  # told of, and let through; its answer is held
    assert (error["code"], len(gate.provider.asked)) == ("policy_blocked", 2)


async def test_a_rule_of_both_ways_is_still_judged_on_both(gate):
    await gate.policy(f"{PROMPT} Never mention 'rival'.")
    gate.provider.answer = said("Ask the rival.")
    assert (await gate.refused("Hello."))["code"] == "policy_blocked"


async def test_hints_for_a_provider_go_on_and_are_facts(gate):
    hints = {
        "prompt_cache_key": "letters",
        "prompt_cache_options": {"mode": "explicit", "ttl": "30m"},
        "prompt_cache_retention": "24h",
        "safety_identifier": "u-17",
    }
    anyhow = {"modalities": ["text"], "logprobs": False, "top_logprobs": 0}
    await gate.policy(rules=[{"expr": "metadata.options.safety_identifier == 'u-17'"}], conditions=INPUT)
    await gate.chat(**hints, **anyhow)
    (sent,) = gate.provider.chats
    assert {name: sent[name] for name in hints} == hints
    assert not set(anyhow) & set(sent)
    await gate.refused()


INPUT = {"phase": "input"}


async def test_every_choice_and_part_is_judged(gate):
    await gate.policy()
    first, second = said("fine")["choices"][0], said("the rival")["choices"][0]
    gate.provider.answer = said(choices=[first, second])
    await gate.refused(n=2)
    parts = [{"type": "text", "text": "fine"}, {"type": "text", "text": "the rival"}]
    await gate.refused(messages=[{"role": "user", "content": parts}])
    gate.provider.answer = said(None)
    gate.provider.answer["choices"][0]["message"]["refusal"] = "Not about the rival."
    await gate.refused()


async def test_what_is_repeated_of_an_answer_is_judged_too(gate):
    repeated = {"role": "assistant", "content": None, "annotations": [], "audio": None, "function_call": None}
    await gate.chat(messages=[repeated | {"refusal": "Not this."}, {"role": "user", "content": "Why?"}])
    assert gate.provider.chats[0]["messages"][0]["content"] == "Not this."
    await gate.policy()
    await gate.refused(messages=[repeated | {"refusal": "No rival."}, {"role": "user", "content": "Why?"}])


async def test_what_is_no_text_is_not_said_to_hold_none_of_it(gate):
    await gate.policy()
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    parts = [{"type": "text", "text": "What is this?"}, image]
    error = await gate.refused(messages=[{"role": "user", "content": parts}])
    assert error["code"] == "policy_held"


async def test_what_policies_withhold_reaches_neither_the_provider_nor_the_caller(gate):
    await gate.make("/v1/policies", {"name": "Mask", "rules": [], "mask": {"personal_data": ["email"]}})
    gate.provider.answer = said("Write to bob@example.com.")
    found = await gate.chat("I am ada@example.com.")
    assert gate.provider.chats[0]["messages"] == [{"role": "user", "content": "I am [email]."}]
    assert found.json()["choices"][0]["message"]["content"] == "Write to [email]."


async def test_a_field_that_is_withheld_goes_no_further_under_another_name(gate):
    await gate.make("/v1/policies", {"name": "Mask", "rules": [], "mask": {"fields": ["user_intent"]}})
    await gate.chat(
        "secret plan", messages=[{"role": "user", "content": [{"type": "text", "text": "secret"}]}]
    )
    assert gate.provider.chats[0]["messages"] == [{"role": "user", "content": "[masked]"}]
    await gate.make("/v1/policies", {"name": "All", "rules": [], "mask": {"fields": ["messages"]}})
    await gate.chat("secret plan")
    assert gate.provider.chats[1]["messages"] == [{"role": "user", "content": "[masked]"}]


async def test_tools_and_options_are_facts_too(gate):
    await gate.policy(rules=[{"expr": "!has(metadata.options) || metadata.options.temperature < 1.0"}])
    await gate.chat(temperature=0.5)
    assert gate.provider.chats[0]["temperature"] == 0.5
    await gate.refused(temperature=1.5)


async def test_a_stream_says_the_same_as_the_whole_answer(gate):
    gate.provider.answer = said("All is well.", calls=[("pay", {"amount": 5})])
    whole = (await gate.chat()).json()
    found = await gate.chat(stream=True, stream_options={"include_usage": True})
    assert found.headers["content-type"].startswith("text/event-stream")
    events = [each.removeprefix("data: ") for each in found.text.split("\n\n") if each]
    assert events.pop() == "[DONE]"
    chunks = [json.loads(each) for each in events]
    assert {each["object"] for each in chunks} == {"chat.completion.chunk"}
    assert "stream" not in gate.provider.chats[1]
    assert chunks.pop()["usage"] == whole["usage"] == {
        "prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12,
    }  # fmt: skip
    deltas = [each["choices"][0]["delta"] for each in chunks]
    assert "".join(each.get("content") or "" for each in deltas) == "All is well."
    calls = [call for each in deltas for call in each.get("tool_calls", ())]
    assert [{k: v for k, v in each.items() if k != "index"} for each in calls] == (
        whole["choices"][0]["message"]["tool_calls"]
    )
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_a_stream_that_is_stopped_is_no_stream(gate):
    await gate.policy()
    gate.provider.answer = said("the rival")
    assert (await gate.refused(stream=True))["code"] == "policy_blocked"


async def test_one_model_can_be_read_by_its_name(gate):
    gate.provider.models = ("gpt-4.1", "vendor/small:1b")
    made = await gate.connect(name="more models")  # a list that nobody has read yet
    for name in gate.provider.models:
        path = f"/v1/models/{name.replace('/', '%2F')}"
        found = await gate.send("application", "GET", path)
        assert found.status_code == 200, found.text
        assert found.json() == {"id": name, "object": "model", "created": 0, "owned_by": "openai"}
    missing = await gate.send("application", "GET", "/v1/models/gpt-none")
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "invalid_request_error")
    assert (await gate.send("unconnected", "GET", "/v1/models/gpt-4.1")).status_code == 404
    await gate.send("admin", "DELETE", f"/v1/connections/{made['id']}")


async def used(gate, name="models"):
    """What the connections of that name used: calls, tokens in and out."""
    (ident,) = [
        each["id"]
        for each in (await gate.send("admin", "GET", "/ai/llm")).json()["aiLlms"]
        if each["name"] == name
    ]
    (found,) = (await gate.send("admin", "GET", f"/ai/llm/stats?aiLlmId={ident}")).json()["stats"]
    assert [found[f"totalLlmTokens{way}"] for way in ("In", "Out")] == [
        found[f"totalTokens{way}"] for way in ("In", "Out")
    ]
    return [int(found[each]) for each in ("totalApiCalls", "totalTokensIn", "totalTokensOut")]


async def test_what_calls_used_is_counted_once_for_each_delivered_or_not(gate):
    before = await used(gate)
    choices = said(calls=[("pay", {}), ("pay", {"n": 1})], usage=(7, 5))["choices"] * 2
    gate.provider.answer = said(choices=choices, usage=(7, 5))
    await gate.chat(n=2)  # six decisions
    await gate.policy()
    await gate.refused("the rival")  # never passed on
    gate.provider.answer = said("the rival", usage=(11, 3))
    await gate.refused()
    gate.provider.status = 500
    await gate.refused(status=502)
    after = [before[0] + 2, before[1] + 18, before[2] + 8]
    assert await used(gate) == after
    await gate.app.upkeep.rebuild()
    assert await used(gate) == after


async def test_where_a_workspace_routes_a_question_leads_and_its_answer_with_it(gate):
    for name, topic in (("Shipping costs", "shipping"), ("Careers and job applications", "careers")):
        rules = f"Be kind when it is about {topic}."
        await gate.policy(rules, action="alert", name=name, topic=topic, workspace_id="w1")

    async def told(_done, _total):
        return None

    tenant = (await gate.send("admin", "GET", "/v1/tenants")).json()["data"][0]["id"]
    begin = partial(gate.app.stores.control.begin, tenant)
    await embed_waiting(begin, embedded(), progress=told)
    # The server loads its model now, for which a decision would not wait.
    led = await gate.make("/v1/route", {"said": ["What does shipping my parcel cost?"], "workspace_id": "w1"})
    assert led["chosen"] == ["shipping"]
    await gate.make("/v1/workspaces/w1", {"route_decisions": True}, method="PATCH")
    found = await gate.chat("What does shipping my parcel cost?")
    await gate.make("/v1/workspaces/w1", {"route_decisions": False}, method="PATCH")
    idents = found.headers["x-bylaw-receipt-ids"].split(",")
    decided = [(await gate.send("admin", "GET", f"/v1/decisions/{each}")).json() for each in idents]
    assert [each["routed"].get("topics") for each in decided] == [["shipping"]] * 2, decided[0]["routed"]
    assert {policy["name"] for each in decided for policy in each["policies"]} == {"Shipping costs"}
