"""A recorded conversation becomes requests that carry only what had been shown by then."""

import json

import pytest
import yaml

from bylaw.backtest import mapping as mappings
from bylaw.backtest import replay
from bylaw.core.errors import InvalidInput

MAPPING = {
    "format": "bylaw.replay/1",
    "record": {
        "expected": 'record.right.map(c, {"name": c.tool, "arguments": c.with})',
        "success": "record.score == 1.0",
    },
    "facts_at_start": {"orders": {}, "today": "2026-03-01"},
    "facts": [
        {"name": "orders", "tools": ["read_order"], "when": "type(result) == map", "key": "result.id"},
        {"name": "stock", "tools": ["list_stock"], "each": "result", "key": "item.sku", "value": "item.left"},
        {"name": "weather", "tools": ["read_weather"], "value": "result.sky"},
    ],
    "decide": {
        "tools": ["refund"],
        "refused": 'type(result) == string && result.startsWith("no")',
        "request": """{
            "agent_id": "shop",
            "user_intent": turn.last_user,
            "metadata": {
                "today": facts.today,
                ?"order": facts.orders[?call.arguments.order],
                ?"stock": facts.?stock,
                ?"sky": facts.?weather,
                "said": turn.text,
                "earlier": turn.before.map(c, c.name)
            }
        }""",
    },
}


def called(ident, name, arguments, content=None):
    return {
        "role": "assistant",
        "content": content,
        "tool_calls": [{"id": ident, "name": name, "arguments": arguments}],
    }


def answered(ident, result):
    return {
        "role": "tool",
        "tool_call_id": ident,
        "content": result if isinstance(result, str) else json.dumps(result),
    }


RECORD = {
    "id": "c1",
    "score": 1.0,
    "right": [{"tool": "refund", "with": {"order": "o1", "amount": 5}}],
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Refund o1."},
        called("a", "refund", {"order": "o1", "amount": 50}, "At once."),
        answered("a", "no such right"),
        called("b", "read_order", {"id": "o1"}),
        answered("b", {"id": "o1", "paid": 5}),
        called("c", "list_stock", {}),
        answered("c", [{"sku": "x", "left": 1}, {"sku": "y", "left": 0}]),
        called("d", "read_weather", {}),
        answered("d", {"sky": "grey"}),
        called("e", "refund", {"order": "o1", "amount": 5}),
        answered("e", "done"),
    ],
}


@pytest.fixture
def load(tmp_path):
    def loaded(**changes):
        path = tmp_path / "mapping.yaml"
        path.write_text(yaml.safe_dump({**MAPPING, **changes}))
        return mappings.load(path)

    return loaded


def read(record, mapping):
    return replay.read(record, mapping, at="line 1")


def test_a_request_carries_only_what_was_shown_by_then(load):
    early, late = read(RECORD, load()).calls
    assert early.request.metadata == {"today": "2026-03-01", "said": "At once.", "earlier": []}
    assert late.request.metadata == {
        "today": "2026-03-01",
        "order": {"id": "o1", "paid": 5},
        "stock": {"x": 1, "y": 0},
        "sky": "grey",
        "said": "",
        "earlier": ["refund", "read_order", "list_stock", "read_weather"],
    }
    assert late.request.user_intent == "Refund o1."
    assert late.request.tool_call.arguments == {"order": "o1", "amount": 5}


def test_what_is_known_afterwards_is_on_the_call_and_not_in_the_request(load):
    conversation = read(RECORD, load())
    assert conversation.success is True
    assert [(c.expected, c.refused) for c in conversation.calls] == [(False, True), (True, False)]
    assert "score" not in str(conversation.calls[0].request)


def test_nothing_is_known_without_labels(load):
    conversation = read(RECORD, load(record={}))
    assert conversation.success is None
    assert [c.expected for c in conversation.calls] == [None, None]


def test_calls_in_the_chat_form_are_read_too(load):
    record = json.loads(json.dumps(RECORD))
    for message in record["messages"]:
        for index, call in enumerate(message.get("tool_calls", [])):
            function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
            message["tool_calls"][index] = {"id": call["id"], "type": "function", "function": function}
    assert read(record, load()) == read(RECORD, load())


def test_conversations_do_not_share_facts(load):
    mapping = load()
    read(RECORD, mapping)
    assert "order" not in read(RECORD, mapping).calls[0].request.metadata


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "bylaw.replay/9"}, "this version reads bylaw.replay/1"),
        ({"fact": []}, "fact"),
        ({"decide": {"tols": ["refund"]}}, "tols"),
    ],
)
def test_an_unusable_mapping_names_the_field(load, changes, words):
    with pytest.raises(InvalidInput, match=words):
        load(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"decide": {"tools": ["refund"], "request": "call.nope"}}, "c1, message 2: decide.request"),
        ({"decide": {"tools": ["refund"], "request": '{"phase": "never"}'}}, "phase"),
        ({"decide": {"tools": ["refund"], "request": "[1]"}}, "gives no object"),
        ({"record": {"messages": "record.id"}}, "gives no list"),
        ({"record": {"id": "record.nope"}}, "line 1: record.id"),
        ({"facts": [{"name": "x", "tools": ["read_order"], "value": "result.no"}]}, r"message 5: facts\[0\]"),
    ],
)
def test_a_failing_expression_names_the_conversation_and_the_place(load, changes, words):
    with pytest.raises(InvalidInput, match=words):
        read(RECORD, load(**changes))


def test_a_mapping_that_is_nested_too_deeply_is_refused(tmp_path):
    path = tmp_path / "mapping.yaml"
    path.write_text("[" * 5_000)
    with pytest.raises(InvalidInput, match="not a replay mapping"):
        mappings.load(path)
