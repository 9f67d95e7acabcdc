"""Which rules the offline miner finds, how sure it is of them, and what it leaves alone."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw import rules
from bylaw.learning.mining import confidence
from bylaw.learning.mining.clusters import farthest_first, sense
from bylaw.learning.mining.done import calls_in
from bylaw.learning.mining.offline import mine
from bylaw.learning.mining.transcript import masked, transcript
from bylaw.learning.standing import Remembering
from tests.learning.talk import EMBEDDER, call, heard, refusal, say, talk


async def mined(*conversations, **options):
    return await mine(heard(*conversations), EMBEDDER, **options)


async def test_one_word_of_a_person_who_corrects_the_agent_is_enough():
    (draft,) = await mined(
        talk(
            "contact: Can I have my money back now?",
            "agent: I have refunded it right away.",
            "human: No, we never refund before the return has arrived.",
        )
    )
    assert (draft.kind, draft.text) == ("correction", "Do not refund before the return has arrived.")
    assert draft.quotes[0].text == "No, we never refund before the return has arrived."
    (case,) = draft.examples
    assert (case.expect, case.request["agent_output"]) == ("violate", "I have refunded it right away.")
    assert draft.confidence == 0.5


async def test_what_an_agent_says_once_is_no_rule_and_twice_is_one():
    assert await mined(refusal()) == []
    (draft,) = await mined(refusal(0), refusal(1))
    assert draft.text == "Basic economy tickets cannot be modified."
    assert (draft.kind, len(draft.supports), draft.against) == ("statement", 2, 0)
    assert all(case.expect == "pass" for case in draft.examples)


async def test_the_reason_of_a_refusal_becomes_a_condition():
    said = "agent: Since your reservation has no insurance, I'm unable to offer a refund for it."
    (draft,) = await mined(talk(said), talk(said))
    assert draft.text == "If the customer's reservation has no insurance, do not offer a refund for it."
    assert draft.kind == "reason"


async def test_the_outcome_that_a_person_wrote_is_read():
    (draft,) = await mined(
        talk("contact: Hello", outcome="Always ask for the serial number before a repair.")
    )
    assert (draft.kind, draft.quotes[0].speaker) == ("outcome", "outcome")


@pytest.mark.parametrize(
    "said",
    [
        "Unfortunately, I cannot find your order.",
        "Your flight HAT136 cannot be changed.",
        "You can only choose this option today.",
        "The total must be $437.",
        "It cannot be done.",
        "Cannot you see it?",
        "It seems that tickets cannot be changed here.",
        "You must come on May 27 at the latest.",
    ],
)
async def test_what_is_of_this_one_or_of_now_is_no_rule(said):
    assert await mined(*(talk(f"agent: {said}") for _ in range(4))) == []


async def test_what_denies_a_rule_counts_against_it():
    yes = [talk("agent: Each booking must include at most five passengers.") for _ in range(4)]
    no = [talk("agent: Each booking must include at most six passengers.") for _ in range(2)]
    first, second = await mined(*yes, *no)
    assert (len(first.supports), first.against) == (4, 2)
    assert (len(second.supports), second.against) == (2, 4)
    assert second.confidence < first.confidence < confidence.of("statement", supports=4)


async def test_what_agents_ask_for_again_and_again_is_a_rule():
    asked = [
        talk(f"agent: Could you please provide your order number so I can help you{end}") for end in "?.!"
    ]
    (draft,) = await mined(*asked)
    assert (draft.kind, draft.text) == ("question", "Ask for the customer's order number.")


def _change(number: int, *, looked: bool = True, answer: str = "contact: Yes, go ahead."):
    order = f"o{number}"
    turns = [say("agent:", call("get_order", order_id=order))] if looked else []
    change = say("agent:", call("cancel_order", order_id=order, items=[{"sku": f"part_{number}"}] * 2))
    return talk("contact: Cancel it.", *turns, "agent: Shall I cancel it?", answer, change)


async def test_what_is_looked_up_before_a_change_is_an_expression_that_is_tried():
    found = await mined(*(_change(n) for n in range(9)), _change(10, looked=False))
    (draft,) = [each for each in found if "get_order" in each.expr]
    assert draft.text == "Call get_order with the same order_id before cancel_order."
    assert (draft.tried.satisfied, draft.tried.violated) == (9, 1)
    assert (len(draft.supports), draft.against) == (9, 1)
    for case in draft.examples:
        status = rules.compile(draft.expr).evaluate(dict(case.request)).status
        assert status == {"pass": "satisfied", "violate": "violated"}[case.expect]
    assert [case.expect for case in draft.examples] == ["pass", "violate"]


async def test_a_confirmation_before_every_change_is_a_rule_only_while_it_is_kept():
    kept = await mined(*(_change(n) for n in range(8)))
    assert any("explicit confirmation (cancel_order)" in each.text for each in kept)
    broken = await mined(*(_change(n, answer="contact: Hm.") for n in range(8)))
    assert not any("confirmation" in each.text for each in broken)


async def test_a_limit_that_calls_reach_and_never_pass_stays_unsure():
    found = await mined(*(_change(n) for n in range(12)))
    (limit,) = [each for each in found if "size(tool_call.arguments.items) <= 2" in each.expr]
    assert limit.confidence < 0.4


async def test_the_reason_of_a_tool_that_refuses_is_a_rule():
    error = "Error: vouchers cannot be used for open orders"
    calls = [talk(say("agent:", call("pay", error, order=f"o{n}"))) for n in range(2)]
    (draft,) = [each for each in await mined(*calls) if each.kind == "refusal"]
    assert draft.text == "Vouchers cannot be used for open orders."


async def test_a_tool_with_a_name_that_would_break_an_expression_is_left_out():
    odd = 'x" || true || "'
    changes = [talk(say("agent:", call(odd, items=[1, 2]))) for _ in range(9)]
    assert all(odd not in each.expr + each.text for each in await mined(*changes))


@pytest.mark.parametrize("field", ["in", "true", "long" * 16])
async def test_arguments_that_are_called_as_words_of_the_language_are_left_out(field):
    cards = [{"in": f"gift_card_{n}"} for n in range(2)]
    changes = [talk(say("agent:", call("pay", **{field: cards}))) for _ in range(9)]
    assert all(rules.compile(each.expr) for each in await mined(*changes) if each.expr)


async def test_however_many_calls_there_are_each_is_compared_with_some():
    many = talk(say("agent:", *(call("pay", order=f"o{n}") for n in range(30_000))))
    calls = calls_in(heard(many))
    assert len(calls) == 20_000
    assert max(len(each.before) for each in calls) == 100


async def test_the_same_conversations_give_the_same_drafts():
    conversations = [refusal(n) for n in range(4)] + [_change(n) for n in range(6)]
    assert await mined(*conversations) == await mined(*conversations)


async def test_nothing_that_names_anybody_reaches_a_draft():
    call_of_ada = call("get_user", '{"first_name": "Adalbert"}', user_id="ada_b_7781")
    asked = "contact: I am Adalbert (adalbert@example.com, +44 20 7946 0958), my id is ada_b_7781."
    said = "human: We never tell the price to anybody."
    (draft,) = await mined(talk(asked, say("agent: Adalbert, it is $5.", call_of_ada), said))
    shown = repr(draft)
    for secret in ("Adalbert", "adalbert", "7946", "7781"):
        assert secret not in shown
    intent = "I am [name] ([email], [phone]), my id is [id]."
    assert draft.examples[0].request == {"user_intent": intent, "agent_output": "[name], it is $5."}


async def test_what_a_conversation_calls_somebody_is_masked_in_its_calls_too():
    error = "Error: vouchers cannot be used for open orders. Told to Lopez."

    def told(number):
        noted = {
            "order_id": f"o{number}",
            "note": "x" * 2_990 + " Lopez lopez@example.org",
            "at": 4915112345678,
        }
        turns = [
            say("agent:", call("get_order", **noted)),
            say("agent:", call("cancel_order", **noted)),
            say("agent:", call("refund", error)),
        ]
        return talk("contact: Cancel it.", *turns, contact_name="Maria Lopez")

    drafts = await mined(*(told(number) for number in range(9)))
    assert any(each.kind == "refusal" for each in drafts)
    assert any(each.examples and each.expr for each in drafts)
    for secret in ("Lopez", "lopez@", "4915112345678"):
        assert secret not in repr(drafts)


def test_a_text_with_more_personal_data_than_is_looked_for_is_withheld():
    listed = " ".join(f"person{chr(97 + n % 26)}{chr(97 + n // 26)}@example.org" for n in range(500))
    assert "@" not in masked(f"{listed} We never refund zoe@example.org.")


def test_masks_leave_words_and_small_numbers_alone():
    kept = "Refunds take 5 to 7 days, the 2nd bag costs $50 for 30kg."
    assert masked(kept) == kept
    assert (
        masked("Order 4711-0815 of user_99 to ada@example.org")
        != "Order 4711-0815 of user_99 to ada@example.org"
    )
    will = talk("contact: I will be called Will.", contact_name="Will Smith")
    assert transcript(will).turns[0].text == "I will be called [name]."


async def test_a_topic_of_the_workspace_is_preferred():
    (draft,) = await mined(refusal(0), refusal(1), topics=["Basic-Economy", "refunds"])
    assert draft.topic == "Basic-Economy"


@given(st.integers(0, 500), st.integers(0, 500))
def test_confidence_rises_with_support_and_falls_with_contradiction(supports, against):
    for kind, weight in confidence.WEIGHTS.items():
        sure = confidence.of(kind, supports=supports, against=against)
        assert 0 <= sure <= weight
        assert confidence.of(kind, supports=supports + 1, against=against) >= sure
        assert confidence.of(kind, supports=supports, against=against + 1) <= sure


@given(st.text(max_size=300))
def test_any_text_can_be_mined(said):
    asyncio.run(mined(talk(f"agent: {said}", f"human: {said}", outcome=said)))


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_rule_denies_itself_and_denying_is_mutual(one, other):
    assert not sense(one).denies(sense(one))
    assert sense(one).denies(sense(other)) == sense(other).denies(sense(one))


async def test_the_farthest_first_come_first():
    vectors = await EMBEDDER.embed(
        ["refund the order", "refund the orders", "refund an order", "fly to the moon"]
    )
    first, second = farthest_first(vectors, 2)
    assert 3 in {first, second}
    assert sorted(farthest_first(vectors, 9)) == [0, 1, 2, 3]


async def test_texts_that_never_end_neither_hold_the_miner_up_nor_fill_a_draft():
    said = "word " * 20_000
    order = [say("agent:", call("get_order", order_id=f"o{n}", note=said)) for n in range(9)]
    change = [say("agent:", call("cancel_order", order_id=f"o{n}", note=said)) for n in range(9)]
    conversations = [
        talk(f"contact: {said}", looked, f"contact: yes {said}", changed, "human: We never refund twice.")
        for looked, changed in zip(order, change, strict=True)
    ]
    drafts = await mined(*conversations)
    assert any(each.expr for each in drafts)
    assert max(len(repr(each)) for each in drafts) < 30_000


async def test_an_embedder_that_remembers_embeds_what_it_forgot_again():
    asked = []

    class Counting:
        id, dimensions, note = EMBEDDER.id, EMBEDDER.dimensions, ""

        async def embed(self, texts):
            asked.extend(texts)
            return await EMBEDDER.embed(texts)

    remembering = Remembering(Counting(), room=2)
    for texts in (["a", "b"], ["b", "a", "b"], ["c"], ["c", "b"], ["a"], []):
        found = await remembering.embed(texts)
        assert found.tolist() == (await EMBEDDER.embed(texts)).tolist()
    assert asked == ["a", "b", "c", "a"]
