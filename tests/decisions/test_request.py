import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import ToolCall
from bylaw.decisions.request import call_digest, facts_of, read, text_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (b'{"agent": "a"}', "agent", "unknown_field"),
        (b'{"tool_call": {"name": "x", "args": {}}}', "tool_call.args", "unknown_field"),
        (b'{"tool_call": {}}', "tool_call.name", "required"),
        (b'{"policy_rules": ["a", {"type": "nl", "txt": "b"}]}', "policy_rules[1].txt", "unknown_field"),
        (b'{"policy_rules": [{"type": "regex"}]}', "policy_rules[0].type", "invalid_value"),
        (b'{"phase": "later"}', "phase", "invalid_value"),
        (b'{"deadline_ms": 0}', "deadline_ms", "invalid_value"),
        (b'{"agent_id": ""}', "agent_id", "invalid_value"),
        (b'{"agent_id": 5}', "agent_id", "invalid_value"),
        (b"[]", "", "invalid_value"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(body, path, code):
    with pytest.raises(InvalidInput) as caught:
        read(json.loads(body))
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(path, code)]


@pytest.mark.parametrize(
    ("body", "meant"),
    [(b'{"toolCall": {}}', "tool_call"), (b'{"agent": "a"}', "agent_id"), (b'{"amount": 1}', "")],
)
def test_an_unknown_field_is_told_from_the_one_that_was_meant(body, meant):
    with pytest.raises(InvalidInput, match="send it inside metadata") as caught:
        read(json.loads(body))
    assert caught.value.message.partition(" Did you mean ")[2] == (f"{meant}?" if meant else "")


@pytest.mark.parametrize("unfit", ["a\0", "\0", "a\ud800b", "\udfff"])
@pytest.mark.parametrize(
    "name", ["agent_id", "user_id", "conversation_id", "workspace_id", "repo_id", "policy_id", "approval_id"]
)
def test_an_id_that_no_store_could_hold_is_refused_by_its_path(name, unfit):
    with pytest.raises(InvalidInput) as caught:
        read({name: unfit})
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(name, "invalid_value")]
    assert "regex" not in caught.value.message


@pytest.mark.parametrize("ident", ["a", "a\nb", "\n", "ä", "\U0001f600", "x" * 256])
def test_any_other_id_is_read_as_it_is(ident):
    assert read({"agent_id": ident, "outcome_of": ident}).agent_id == ident


def test_request_fields_win_over_metadata_which_is_there_in_full():
    request = read({"user_intent": None, "metadata": {"user_intent": "x", "tool_call": "y", "amount": 1}})
    assert facts_of(request) == {
        "user_intent": None,
        "tool_call": "y",
        "amount": 1,
        "phase": "decision",
        "metadata": {"user_intent": "x", "tool_call": "y", "amount": 1},
    }


def test_what_steers_a_decision_is_no_fact():
    request = read(
        {"dry_run": True, "policy_rules": ["a"], "approval_id": "x", "deadline_ms": 5, "policy_id": "p"}
    )
    assert facts_of(request) == {"phase": "decision"}


def test_the_text_is_what_was_asked_answered_and_said():
    request = read(
        {
            "user_intent": "A",
            "agent_output": "B",
            "rationale": "not this",
            "messages": [
                {"role": "user", "content": "C"},
                {"content": [{"type": "text", "text": "D"}, {"x": 1}, "E"]},
                {},
            ],
        }
    )
    assert text_of(request) == "a b c d e"


def test_a_call_has_one_digest_whatever_the_order_of_its_arguments():
    one = ToolCall(name="pay", arguments={"a": 1, "b": {"c": 2, "d": 3}}, id="call_1")
    other = ToolCall(name="pay", arguments={"b": {"d": 3, "c": 2}, "a": 1})
    assert call_digest(one) == call_digest(other)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(st.text(max_size=4), json_values, max_size=3)


@given(arguments, arguments)
def test_other_arguments_have_another_digest(one, other):
    same = repr(sorted(one.items(), key=repr)) == repr(sorted(other.items(), key=repr))
    digests = {call_digest(ToolCall(name="pay", arguments=each)) for each in (one, other)}
    assert same or len(digests) == 2 or one == other
    assert call_digest(ToolCall(name="pay", arguments=one)) != call_digest(
        ToolCall(name="pat", arguments=one)
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(500, 500.0, True), (0, -0.0, True), (500, "500", False), (2**53, 2**53 + 1, False), (1, True, False)],
)
def test_a_number_is_one_argument_however_it_is_written_and_no_digit_is_lost(one, other, same):
    digests = {call_digest(ToolCall(name="pay", arguments={"a": each})) for each in (one, other)}
    assert (len(digests) == 1) is same


def test_the_digest_of_a_call_is_what_its_page_computes():
    page = (ROOT / "docs/reference/receipt-format.md").read_text(encoding="utf-8")
    shown = {}
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], shown)  # noqa: S102 - the page is ours
    assert call_digest(ToolCall(**shown["call"])) == shown["call_digest"]


def test_metadata_that_was_sent_as_null_is_a_fact_of_that_value():
    assert facts_of(read({"metadata": None, "user_intent": "a"})) == {
        "metadata": None,
        "phase": "input",
        "user_intent": "a",
    }


@pytest.mark.parametrize(
    ("sent", "phase"),
    [
        ({}, "decision"),
        ({"tool_call": {"name": "pay"}, "user_intent": "Pay."}, "tool_call"),
        ({"tool_call": {"name": "pay"}, "tool_result": {"paid": True}}, "tool_result"),
        ({"agent_output": "Paid."}, "output"),
        ({"user_intent": "Pay."}, "input"),
        ({"messages": [{"content": "Pay."}]}, "input"),
        ({"user_intent": "Pay.", "agent_output": "Paid."}, "decision"),
        ({"tool_call": None, "tool_result": None}, "decision"),
        ({"phase": "decision", "tool_call": {"name": "pay"}}, "decision"),
    ],
)
def test_a_request_that_does_not_say_its_phase_is_in_that_of_what_it_carries(sent, phase):
    request = read(sent)
    assert (request.phase, facts_of(request)["phase"]) == (phase, phase)


def test_an_empty_phase_is_not_one():
    with pytest.raises(InvalidInput, match="phase"):
        read({"phase": "", "agent_id": "bot"})
