"""What is read out of realistic rules and texts: never more than they show, and of whom they speak."""

import asyncio

import pytest

from bylaw.evaluators.offline import OfflineEvaluator, explain
from bylaw.evaluators.protocol import Batch, Question

KEPT, BROKEN, OPEN, ASIDE = "satisfied", "violated", "indeterminate", "not_applicable"


def judge(rule, facts):
    question = Question(id="r1", text=rule, effect="reject", digest="sha256:0")
    reply = asyncio.run(
        OfflineEvaluator().evaluate(Batch(questions=(question,), facts=facts, timeout_ms=1000))
    )
    return reply.answers[0].status


def said(output, *customer):
    messages = [{"role": "user", "content": each} for each in customer]
    return {"phase": "output", "agent_output": output} | ({"messages": messages} if messages else {})


def called(name, messages=None, **arguments):
    facts = {"phase": "tool_call", "tool_call": {"name": name, "arguments": arguments}}
    return facts if messages is None else {**facts, "messages": messages}


ASKED = {"phase": "input", "user_intent": "I want a refund"}
WROTE = called("write", text="Ref " + "word " * 90) | {"agent_output": "ok"}
WHOSE = [
    # a duty is of the agent: what a customer says neither breaks nor keeps it
    ("Use at most one exclamation mark per message.", said("Sure.", "Help!!!"), KEPT),
    ("Keep messages under 50 words.", said("Sure.", "word " * 80), KEPT),
    ("Every message must include 'Reference number'.", said("Hello.", "My Reference number?"), BROKEN),
    ("Never use 'damn' in conversations.", said("I am sorry.", "damn it"), KEPT),
    ("Never use 'damn' in your messages.", said("I am sorry.", "damn it"), KEPT),
    ("Do not send messages containing phone numbers.", said("Noted.", "+1 415 555 0134"), KEPT),
    ("Reject any message that mentions 'refund'.", said("Noted.", "a refund"), BROKEN),
    # a conversation has what is said now as well
    ("Never mention 'lawsuit' in a chat.", said("A lawsuit follows.", "hi"), BROKEN),
    (
        "Flag any conversation that mentions 'lawyer'.",
        {**ASKED, "user_intent": "a lawyer", "messages": []},
        BROKEN,
    ),
    ("Flag any conversation that mentions 'lawyer'.", said("Hello."), OPEN),
    # "it" is what was named
    ("Flag the conversation if it mentions 'lawyer'.", said("I see.", "My lawyer calls."), BROKEN),
    ("Block the request whenever it contains 'refund'.", ASKED, BROKEN),
    ("Flag the transaction if it contains 'crypto'.", called("pay", memo="crypto"), OPEN),
    # what is passed to a tool is not the answer that has to be short, or to have something
    ("Answer in at most 20 words.", WROTE, KEPT),
    ("Replies must include 'Ref'.", WROTE, BROKEN),
]
PASSED = {
    "tool_call": {"name": "write", "arguments": {"text": "Our rival is worse."}},
    "agent_output": "Done.",
}


@pytest.mark.parametrize("phase", ["input", "output", "tool_call", "tool_result", "decision"])
def test_what_is_passed_to_a_tool_is_said_whatever_is_decided_on(phase):
    facts = {"phase": phase, **PASSED}
    assert judge("Never mention 'rival' in your replies.", facts) == BROKEN
    assert judge("Never mention 'worse'.", facts) == BROKEN
    assert judge("Never mention 'better'.", facts) == KEPT


RANGES = [
    ("amount must be between 1 and 200", {"amount": 0}, BROKEN),
    ("amount must be between 1 and 200", {"amount": 1}, KEPT),
    ("amount must be between 1 and 1,200", {"amount": 1200}, KEPT),
    ("amount must be between 1 and 200", {"amount": 200.01}, BROKEN),
    ("amount must be between 1 and 200", {"amount": "200"}, OPEN),
    ("amount must be between 1 and 200", {}, OPEN),
    ("In issue_refund the amount must be between $1 and $200.", {"amount": 250, "currency": "USD"}, BROKEN),
    ("In issue_refund the amount must be between $1 and $200.", {"amount": 250, "currency": "EUR"}, OPEN),
    ("For issue_refund, the amount must not exceed 200.", {"amount": 250}, BROKEN),
    ("For issue_coupon, the amount must not exceed 200.", {"amount": 250}, ASIDE),
    # nothing is between them, or more is meant
    ("amount must be between 200 and 1", {"amount": 5}, OPEN),
    ("amount must be between 1 and 200, or a manager approves", {"amount": 500}, OPEN),
    ("amount must be between 1 and 200 or 500 and 900", {"amount": 300}, OPEN),
]


@pytest.mark.parametrize(("rule", "arguments", "status"), RANGES)
def test_a_range_is_two_limits(rule, arguments, status):
    assert judge(rule, called("issue_refund", **arguments)) == status


SHOWN = [
    ("Do not use two exclamation marks.", said("Great!! Thanks"), OPEN),
    ("Never ask two questions at once.", said("Who? Where?"), OPEN),
    ("Never exceed 3 sentences.", said("One. Two."), KEPT),
    ("Never say 'as an AI' or similar.", said("We have similar items."), OPEN),
    ("Never say you are human.", said("Tick the box if you are human."), OPEN),
    ("Replies must include 'a1' and 'b2' or 'c3'.", said("a1 and c3"), OPEN),
    ("Never offer a refund of more than $50.", said("You will be reimbursed in full."), OPEN),
    ("Never offer a refund of more than $50.", said("Everything goes back to your card."), OPEN),
    ("Never offer a discount of more than 20%.", said("We are waiving it entirely."), OPEN),
    ("Never offer a discount of more than 20%.", said("It is on us."), OPEN),
    ("Never offer a discount of more than 20%.", said("You were given a 30% discount by mistake."), OPEN),
    ("Never offer a discount of more than 20%.", said("Your order ships tomorrow."), OPEN),
    ("Do not include any links.", said("See youtu.be/dQw4w9 for a video."), OPEN),
    ("Do not include any links.", said("Go to acme.pl today."), OPEN),
    ("Do not include any links.", said("We open at 9 a.m. and close at 5 p.m., e.g. today."), KEPT),
    ("Only link to example.com.", said("See goo.gl/abc"), OPEN),
    ("Do not use emojis.", said("\u2139\ufe0f Closed."), BROKEN),
    ("Do not use emojis.", said("1\ufe0f\u20e3 Open the app"), BROKEN),
    ("Do not use emojis.", said("Acme\u2122 costs 5."), KEPT),
    ("Use no more than 3 bullet points.", said("\u25cf a\n\u25cf b\n\u25cf c\n\u25cf d"), OPEN),
    ("Use at least 3 bullet points.", said("\u25cf a\n\u25cf b\n\u25cf c"), OPEN),
    ("Use no more than 3 bullet points.", said("- a\n- b"), KEPT),
    ("Return a JSON object.", said("[1, 2]"), BROKEN),
    ("Return a JSON object.", said('{"a": 1}'), KEPT),
    ("Never share bank account numbers.", said("It is 12345678, sort code 12-34-56."), OPEN),
    ("Never share card details.", said("The CVV is 123, good until 04/27."), OPEN),
    ("Recruiters must not mention 'pregnancy'.", said("Your pregnancy."), OPEN),
    ("discount must not exceed 20%", called("apply", discount_percent=1.0), OPEN),
]
CALLED = [
    (
        "Never call transfer_money with amount over $1000.",
        called("transfer_money", amount=900, currency="BTC"),
        OPEN,
    ),
    (
        "Never call transfer_money with amount over $1000.",
        called("transfer_money", amount=9000, currency="USD"),
        BROKEN,
    ),
    ("Never call transfer_money with amount over $1000.", called("transfer_money", amount=900), KEPT),
    ("Never call os.system.", called("write_file", content="os.system('ls')"), OPEN),
    ("Never call os.system.", said("os.system('ls')"), OPEN),
    ("Never call delete_user.", called("mcp__crm__delete_user", id=1), OPEN),
    ("Never call delete_user.", called("run_tool", tool="delete_user"), OPEN),
    ("Never call delete_user.", called("list_users"), KEPT),
    ("Do not use snake_case.", called("write_file", content="x"), OPEN),
    ("Never call refund_order unless is_refundable.", called("refund_order", messages=[]), OPEN),
    ("Never call deploy_prod without user_approval.", called("deploy_prod", messages=[]), OPEN),
    ("Never call refund_order unless lookup_order was called.", called("refund_order", messages=[]), BROKEN),
]


@pytest.mark.parametrize(("rule", "facts", "wanted"), WHOSE)
def test_a_rule_is_held_against_what_is_said_by_whom_it_speaks_of(rule, facts, wanted):
    assert judge(rule, facts) == wanted


@pytest.mark.parametrize(("rule", "facts", "wanted"), SHOWN)
def test_nothing_is_decided_that_the_text_does_not_show(rule, facts, wanted):
    assert judge(rule, facts) == wanted


@pytest.mark.parametrize(("rule", "facts", "wanted"), CALLED)
def test_a_call_is_told_from_what_only_has_its_name(rule, facts, wanted):
    assert judge(rule, facts) == wanted


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("Never mention 'lawsuit'.", "in the agent's answer and in what it passes to tools"),
        ("amount must not exceed 5000", "Without it, the case is undecided."),
        ("Never call transfer_money with amount over $1000.", "at most 1000 USD"),
        ("Return a JSON object.", "as an object in JSON"),
        ("Flag the conversation if it mentions 'lawyer'.", "in the conversation"),
    ],
)
def test_how_a_rule_is_checked_says_where_it_looks_and_for_what(rule, told):
    assert told in explain(rule, "reject").how
