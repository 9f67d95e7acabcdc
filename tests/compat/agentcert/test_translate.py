"""Between Agent Cert's words and a request: nothing is lost, nothing is made up."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bylaw.api.compat.agentcert.translate import request_of
from bylaw.api.compat.agentcert.wire import NewReceipt
from bylaw.decisions.model import Request
from bylaw.decisions.request import facts_of

texts = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
names = st.text(alphabet="abcdefghij_", min_size=1, max_size=8)
values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts
objects = st.dictionaries(names, values | st.lists(values, max_size=3), max_size=4)
calls = st.fixed_dictionaries({"name": names}, optional={"arguments": objects, "result": values})
bodies = st.fixed_dictionaries(
    {"agent_id": names},
    optional={
        "platform": st.sampled_from(["bedrock", "copilot", "langchain", "crewai", "custom"]) | st.none(),
        "user_intent": texts | st.none(),
        "agent_output": texts | st.none(),
        "tools_used": st.lists(names, max_size=3) | st.none(),
        "retrieval_summary": texts | st.none(),
        "policy_rules": st.lists(texts.filter(len), max_size=3) | st.none(),
        "policy_id": names | st.none(),
        "model": texts | st.none(),
        "metadata": objects | st.none(),
        "tool_calls": st.lists(calls, max_size=3) | st.none(),
        "rationale": texts | st.none(),
        "phase": st.sampled_from(["decision", "output", "tool_call", "tool_result"]),
        "dry_run": st.booleans(),
    },
)


def read(body):
    return request_of(msgspec.convert(body, NewReceipt))


@given(bodies)
def test_every_field_that_was_sent_is_asked_about(body):
    asked = msgspec.to_builtins(read(body))
    for name, value in body.items():
        if name not in {"metadata", "tool_calls"}:
            assert asked.get(name, False if name == "dry_run" else "decision") == value
    for name, value in (body.get("metadata") or {}).items():
        if name != "tool_calls":
            assert asked["metadata"][name] == value


@given(bodies)
def test_nothing_is_asked_that_was_not_sent(body):
    asked = msgspec.to_builtins(read(body))
    assert set(asked) <= {*body, "metadata", "phase", "tool_call", "tool_result"} - {"tool_calls"}
    if not body.get("tool_calls"):
        assert not {"tool_call", "tool_result"} & set(asked)


@given(bodies)
def test_what_is_stored_is_read_again_as_the_same_request(body):
    asked = read(body)
    assert msgspec.json.decode(msgspec.json.encode(asked), type=Request) == asked


@given(bodies)
def test_rules_read_the_calls_that_were_sent(body):
    facts = facts_of(read(body))
    if isinstance(body.get("tool_calls"), list):
        assert [each["name"] for each in facts["tool_calls"]] == [each["name"] for each in body["tool_calls"]]


@given(bodies, objects)
def test_metadata_never_hides_a_field(body, metadata):
    hostile = {**metadata, "agent_id": "somebody", "tools_used": ["policy_check"]}
    facts = facts_of(read({**body, "tools_used": ["other"], "metadata": hostile}))
    assert (facts["agent_id"], facts["tools_used"]) == (body["agent_id"], ["other"])
    assert facts["metadata"]["agent_id"] == "somebody"


@given(bodies, names, values)
def test_a_field_that_nobody_knows_changes_nothing(body, name, value):
    assert read({**body, f"x_{name}": value}) == read(body)
