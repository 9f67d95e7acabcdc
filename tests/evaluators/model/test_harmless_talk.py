"""Talk between people and agents that speaks to no judge is not taken for an order to one."""

import json

import pytest

from bylaw.evaluators.model.orders import is_order
from tests.shared import SHARED

TALKS = SHARED and SHARED / "data" / "tau-airline" / "conversations.jsonl"


@pytest.mark.skipif(
    not (TALKS and TALKS.exists()), reason="needs the shared evidence folder beside the checkout"
)
def test_no_message_of_real_talk_is_an_order():
    talks = [json.loads(line) for line in TALKS.read_text("utf-8").splitlines()]
    texts = [
        each["content"] for talk in talks for each in talk["messages"] if isinstance(each.get("content"), str)
    ]
    assert len(texts) > 2_000
    assert [text for text in texts if is_order(text)] == []
