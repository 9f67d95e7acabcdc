"""Rules about what a call moves, to whom it is sent and what it runs: shown by the call, or left open."""

import pytest

from bylaw.evaluators.offline import explain
from tests.evaluators.test_offline_readings import ASIDE, BROKEN, KEPT, OPEN, called, judge, said

REFUND = "Never refund more than $500."
APPROVED = "Transfers over $5,000 must be approved by a manager."
MAIL = "Only send emails to addresses at example.com."
RUN = "Never run commands containing 'rm -rf'."
PII = (
    "Do not allow sharing of personally identifiable information (PII) such as social security numbers,"
    " credit card numbers, or personal addresses in AI interactions."
)
REASON = "Tool calls to transfer_funds must include a reason."
FEW = "Make at most two tool calls per turn."
CARD = "4111 1111 1111 1111"


def turn(*names, arguments="{}"):
    calls = [{"type": "function", "function": {"name": name, "arguments": arguments}} for name in names]
    return {"phase": "output", "messages": [{"role": "assistant", "tool_calls": calls}]}


DECIDED = [
    ("what it passes", REFUND, called("issue_refund", amount=600), BROKEN),
    ("what it may pass", REFUND, called("issue_refund", amount=500), KEPT),
    ("however the tool is spelled", REFUND, called("shop.RefundOrder", amount=600), BROKEN),
    ("an amount in words and signs", REFUND, called("refund", amount="$1,200.00"), BROKEN),
    ("an amount in cents", REFUND, called("refund", amount_cents=60_000), BROKEN),
    ("few cents", REFUND, called("refund", amount_cents=40_000), KEPT),
    ("what goes back", REFUND, called("refund", amount=-600), BROKEN),
    ("one of several", REFUND, called("refund", items=[{"amount": 20}, {"amount": 700}]), BROKEN),
    ("what numbers an order", REFUND, called("refund", order_id=123_456, amount=20), KEPT),
    ("a tool that only looks", REFUND, called("get_refund_policy", total=900), OPEN),
    ("a name that only begins alike", "Never pay more than $5.", called("send_payload", total=9), OPEN),
    ("a payment", "Never pay more than $5.", called("makePayment", total=9), BROKEN),
    ("another currency", REFUND, called("refund", amount=60, currency="KWD"), OPEN),
    ("the same currency", REFUND, called("refund", amount=600, currency="usd"), BROKEN),
    ("no amount", REFUND, called("refund", order_id="W1"), OPEN),
    ("an amount nobody can read", REFUND, called("refund", amount="six hundred"), OPEN),
    ("a truth for an amount", REFUND, called("refund", amount=True), OPEN),
    ("another tool and much", REFUND, called("send_money", amount=600), OPEN),
    ("another tool and much by another name", REFUND, called("send_money", usd_value="n/a"), OPEN),
    ("another tool and a bare number", REFUND, called("adjust", by=900), OPEN),
    ("another tool and words", REFUND, called("note", text="give back six thousand"), OPEN),
    ("another tool and little", REFUND, called("send_money", amount=6), ASIDE),
    ("a tool that moves nothing", REFUND, called("get_order", order_id="#W123456"), ASIDE),
    ("an answer without amounts", REFUND, said("It is on its way."), ASIDE),
    ("an answer about something else", REFUND, said("A refund is possible. The flight is $900."), ASIDE),
    ("an answer with an amount", REFUND, said("I refunded $900."), OPEN),
    ("an answer with a large amount", REFUND, said("I refunded two thousand."), OPEN),
    ("arguments nobody can read", REFUND, {"phase": "tool_call", "tool_call": {"name": "refund"}}, OPEN),
    ("what nobody sees", REFUND, {"phase": "decision"}, OPEN),
    (
        "several calls of one customer",
        "Never refund more than $500 per customer.",
        called("refund", amount=1),
        OPEN,
    ),
    ("nobody approved", APPROVED, called("wire_transfer", amount=9_000), BROKEN),
    ("no approval needed", APPROVED, called("wire_transfer", amount=90), KEPT),
    (
        "what may be the approval",
        APPROVED,
        called("wire_transfer", amount=9_000) | {"metadata": {"approved_by": "m"}},
        OPEN,
    ),
    ("an offer that a call makes", "Never issue refunds over $500.", called("refund", amount=600), BROKEN),
    ("a recipient elsewhere", MAIL, called("send_email", to="ann@other.test"), BROKEN),
    ("a domain that only begins alike", MAIL, called("send_email", to="a@example.com.other.test"), BROKEN),
    ("a domain that only ends alike", MAIL, called("send_email", to="a@myexample.com"), BROKEN),
    ("a copy elsewhere", MAIL, called("send_email", to="a@example.com", cc=["b@other.test"]), BROKEN),
    ("inside of an object", MAIL, called("mail", recipients=[{"address": "b@other.test"}]), BROKEN),
    ("all at home", MAIL, called("send_email", to="Ann <a@mail.EXAMPLE.com>, b@example.com"), KEPT),
    ("a list of names", MAIL, called("send_email", to="everyone"), OPEN),
    ("an address in the text", MAIL, called("send_email", to="a@example.com", body="see b@other.test"), OPEN),
    ("letters that only look alike", MAIL, called("send_email", to="a@ex\u0430mple.com"), BROKEN),
    ("nothing is sent", MAIL, called("get_order", order_id="W1"), ASIDE),
    ("nothing is called", MAIL, said("Done."), ASIDE),
    ("what it runs", RUN, called("bash", command="sudo rm -rf /tmp/x"), BROKEN),
    ("the same by other letters", RUN, called("bash", command="rm -r -f /tmp/x"), OPEN),
    ("nothing like it", RUN, called("bash", command="ls -rf; echo farm"), KEPT),
    ("a code", RUN, called("bash", command="echo cm0gLXJmIC90bXA= | base64 -d | sh"), OPEN),
    ("no call to see", RUN, {"phase": "decision"}, OPEN),
    ("advice runs nothing", RUN, said("Then type rm -rf build."), ASIDE),
    ("an example of what is meant", PII, said(f"The card is {CARD}."), BROKEN),
    ("what a customer shares", PII, {"phase": "input", "user_intent": f"My card: {CARD}"}, BROKEN),
    ("what was said before", PII, said("Noted.", f"My card: {CARD}", "Thanks"), OPEN),
    ("what is said now", PII, said("Noted.", "Hi", f"My card: {CARD}"), BROKEN),
    ("what is meant and no example", PII, said("She lives at 12 Elm Street."), OPEN),
    ("a name given as example", "Never mention competitors such as Globex.", said("Gl0bex is fine."), BROKEN),
    ("a name that is not given", "Never mention competitors such as Globex.", said("Acme is fine."), OPEN),
    ("what must be stopped", "Any message containing 'bomb' must be blocked.", said("A bomb!"), BROKEN),
    ("nothing to stop", "Any message containing 'bomb' must be blocked.", said("A ball!"), KEPT),
    ("a duty that names nobody", "Must not include any phone number.", said("+1 415 555 0134"), BROKEN),
    ("a question at the end", "Replies must end with a question.", said('He said "Why?"'), KEPT),
    ("a sign after it", "Replies must end with a question.", said("May I help? \U0001f642"), OPEN),
    ("no question at the end", "Replies must end with a question.", said("Why? Because."), BROKEN),
    (
        "a mention by anybody",
        "Any mention of 'lawsuit' goes to a human.",
        {"user_intent": "a lawsuit"},
        BROKEN,
    ),
    ("a mention in the answer", "Block any mention of 'Aurora'.", said("Aurora it is."), BROKEN),
    ("a word about somebody", "Don't say anything about Globex.", said("Globex is fine."), BROKEN),
    ("no word about somebody", "Don't say anything about Globex.", said("Acme is fine."), OPEN),
    ("what a call must have", REASON, called("transfer_funds", amount=1), BROKEN),
    ("what a call has", REASON, called("transfer_funds", reason="rent"), KEPT),
    ("a blank is nothing", REASON, called("transfer_funds", reason=" \u200b"), BROKEN),
    ("another call", REASON, called("get_order"), ASIDE),
    ("a call of that name elsewhere", REASON, called("bank.transfer_funds"), OPEN),
    ("no call", REASON, said("Done."), ASIDE),
    (
        "a name with a colon",
        "transfer_funds: amount must be below 10",
        called("transfer_funds", amount=20),
        BROKEN,
    ),
    ("what may be passed", "Agents may refund at most $100.", called("refund", amount=120), BROKEN),
    (
        "what it may not be let do",
        "Never let the agent refund more than $9.",
        called("refund", amount=12),
        BROKEN,
    ),
    ("more calls than allowed", FEW, turn("a_b", "c_d", "e_f"), BROKEN),
    ("as many calls as allowed", FEW, turn("a_b", "c_d"), KEPT),
    ("calls with arguments without an end", FEW, turn("a_b", arguments="[" * 9_000), KEPT),
    ("out of order", "Call check_id first, then reset_pin.", turn("reset_pin"), BROKEN),
    ("in order", "Call check_id prior to reset_pin.", turn("check_id", "reset_pin"), KEPT),
    ("free of it", "Responses must be free of phone numbers.", said("+1 415 555 0134"), BROKEN),
    ("no link", "Replies must contain a link.", said("See our page."), BROKEN),
    ("a link", "Replies must contain a link.", said("See https://example.com/a."), KEPT),
]


@pytest.mark.parametrize(
    ("rule", "facts", "status"), [row[1:] for row in DECIDED], ids=[row[0] for row in DECIDED]
)
def test_what_a_rule_shows(rule, facts, status):
    assert judge(rule, facts) == status


@pytest.mark.parametrize("rule", [PII, "Never mention competitors such as Globex."])
def test_examples_say_that_more_may_be_meant(rule):
    how = explain(rule, "reject")
    assert how.needs_judge
    assert "examples" in how.why
    assert "such as" in how.rewording
