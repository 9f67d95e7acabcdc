"""Laws of conversations with models: what was said is what is shown, and what the next call sends."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bylaw.api.compat.flashback import translate_conversations as translate
from bylaw.api.compat.flashback import wire_conversations as wire
from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.learning.model import Conversation
from bylaw.providers.model import Choice, Completion, Usage
from bylaw.tenancy.model import Place

texts = st.text(min_size=1, max_size=40)
tokens = st.integers(0, 10**6)
turns = st.lists(st.tuples(texts, texts, tokens, tokens), max_size=6)


def held(said):
    """Return a conversation of turns, each passed on and kept as the routes do."""
    clock = ManualClock()
    ids = Ids(clock)
    conversation = Conversation(id="c", tenant_id="t", place=Place(), owner="user:ada", created_ms=0)
    for prompt, answer, tokens_in, tokens_out in said:
        asking = wire.Prompt(prompt=prompt, model="m")
        asked = translate.ask(conversation, asking).messages
        usage = Usage(tokens_in=tokens_in, tokens_out=tokens_out)
        completion = Completion(model="m", choices=(Choice(text=answer),), usage=usage)
        turn = translate.turn(asking, asked, completion, clock=clock, ids=ids)
        conversation = replace(conversation, messages=(*conversation.messages, *turn))
    return conversation


@given(turns, texts)
def test_the_next_call_sends_all_that_was_said_in_order(said, prompt):
    asked = translate.ask(held(said), wire.Prompt(prompt=prompt, model="m"))
    assert [each["content"] for each in asked.messages] == [
        *(text for turn in said for text in turn[:2]),
        prompt,
    ]
    roles = ("user", "assistant")
    assert [each["role"] for each in asked.messages] == [roles[n % 2] for n in range(2 * len(said) + 1)]
    assert asked.model == "m"


@given(turns)
def test_what_is_shown_is_what_was_said(said):
    shown = translate.messages(held(said)).messages
    assert [(each.role, each.content) for each in shown] == [
        (role, text) for turn in said for role, text in zip(("user", "assistant"), turn, strict=False)
    ]
    assert [each.token_count for each in shown] == [count for turn in said for count in turn[2:]]
    assert len({each.id for each in shown}) == len(shown)
