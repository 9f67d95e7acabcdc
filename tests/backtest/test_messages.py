"""A recording means the same in the form of any provider."""

import json

import pytest

from bylaw.backtest.messages import Call, Message, told
from bylaw.core.errors import InvalidInput

ARGUMENTS = {"order": "o1", "amount": 20}
CALL = Call(id="c1", name="refund", arguments=ARGUMENTS)
OTHER = Call(id="c2", name="read_order", arguments={})

CHAT = [
    {"role": "system", "content": "Help."},
    {"role": "user", "content": "My parcel is late."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "refund", "arguments": json.dumps(ARGUMENTS)},
            },
            {"id": "c2", "type": "function", "function": {"name": "read_order", "arguments": ""}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": '{"done": true}'},
    {"role": "assistant", "content": "You get 20 back."},
]
BLOCKS = [
    {"role": "system", "content": "Help."},
    {"role": "user", "content": [{"type": "text", "text": "My parcel is late."}]},
    {
        "role": "assistant",
        "content": [
            {"type": "tool_use", "id": "c1", "name": "refund", "input": ARGUMENTS},
            {"type": "tool_use", "id": "c2", "name": "read_order", "input": {}},
        ],
    },
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": '{"done": true}'}]},
    {"role": "assistant", "content": [{"type": "text", "text": "You get 20 back."}]},
]
ITEMS = [
    {"type": "message", "role": "system", "content": "Help."},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "My parcel is late."}]},
    {"type": "function_call", "call_id": "c1", "name": "refund", "arguments": json.dumps(ARGUMENTS)},
    {"type": "function_call", "call_id": "c2", "name": "read_order", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": '{"done": true}'},
    {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "You get 20 back."}],
    },
]
SAID = [
    ("system", "Help.", (), ""),
    ("user", "My parcel is late.", (), ""),
    ("assistant", "", (CALL, OTHER), ""),
    ("tool", '{"done": true}', (), "c1"),
    ("assistant", "You get 20 back.", (), ""),
]


@pytest.mark.parametrize("recorded", [CHAT, BLOCKS, ITEMS], ids=["chat", "blocks", "items"])
def test_every_form_says_the_same(recorded: list[dict[str, object]]) -> None:
    messages = told(recorded, at="r")
    assert [(each.role, each.text, each.calls, each.answers) for each in messages] == SAID
    assert recorded[messages[-1].index] is recorded[-1]


def test_the_older_chat_form_answers_by_name() -> None:
    asked, answered = told(
        [
            {"role": "assistant", "content": None, "function_call": {"name": "refund", "arguments": "{}"}},
            {"role": "function", "name": "refund", "content": "done"},
        ],
        at="r",
    )
    assert asked.calls == (Call(id="refund", name="refund", arguments={}),)
    assert (answered.role, answered.answers, answered.text) == ("tool", "refund", "done")


def test_what_a_user_says_beside_a_result_is_kept() -> None:
    result = {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "done"}]}
    both = told([{"role": "user", "content": [result, {"type": "text", "text": "And now?"}]}], at="r")
    assert both == [
        Message(index=0, role="tool", text="done", answers="c1"),
        Message(index=0, role="user", text="And now?"),
    ]


def test_a_result_between_calls_begins_another_turn() -> None:
    items = [ITEMS[2], ITEMS[4], ITEMS[3]]
    assert [len(each.calls) for each in told(items, at="r")] == [1, 0, 1]


@pytest.mark.parametrize("arguments", ["{broken", "[1]", [1], 7, "[" * 9_000], ids=range(5))
def test_arguments_that_are_no_object_are_named_with_their_place(arguments: object) -> None:
    recorded = [{"role": "assistant", "tool_calls": [{"id": "1", "name": "refund", "arguments": arguments}]}]
    with pytest.raises(InvalidInput, match="conversation-7, message 0: the arguments of refund"):
        told(recorded, at="conversation-7")
