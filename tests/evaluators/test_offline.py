import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.evaluators.offline import MOST_READ, OfflineEvaluator, explain
from bylaw.evaluators.patterns import LOOSE, MOST_QUOTES, SHAPES, cards, emails, ibans, phones, secrets
from bylaw.evaluators.protocol import Batch, Question
from bylaw.evaluators.verdicts import verdicts

KEPT, BROKEN, OPEN, ASIDE = "satisfied", "violated", "indeterminate", "not_applicable"
ASKED = {"phase": "input", "user_intent": "chargeback"}


def called(**arguments):
    return {"phase": "tool_call", "tool_call": {"name": "send", "arguments": arguments}}


async def judge(text, facts):
    question = Question(id="r1", text=text, effect="reject", digest="sha256:0")
    batch = Batch(questions=(question,), facts=facts, timeout_ms=1000)
    return verdicts(batch, await OfflineEvaluator().evaluate(batch))["r1"]


def said(text):
    return {"agent_output": text}


CASES = [
    ("Reject any output that mentions 'chargeback' or 'lawsuit'.", said("A Lawsuit follows."), BROKEN),
    ("Reject any output that mentions 'chargeback' or 'lawsuit'.", said("All is well."), KEPT),
    ("Reject any output that mentions 'chargeback' or 'lawsuit'.", {}, OPEN),
    ("Reject any output that mentions chargeback, rebate or lawsuit.", said("a  lawsuit"), BROKEN),
    ("Reject any output that mentions chargeback, rebate or lawsuit.", said("I will see you in court"), OPEN),
    ("Reject any output that mentions a competitor.", said("competitor"), OPEN),
    ("Reject any output that contains more than 3 links.", said("more than 3 links"), KEPT),
    ("Flag as high-risk if the message contains “urgent”.", {"user_intent": "This is URGENT!"}, BROKEN),
    ("Flag as high-risk if the message contains “urgent”.", {"user_intent": "insurgent"}, KEPT),
    ("Reject any output that mentions 'refund' unless approved.", said("refund"), OPEN),
    ("Reject any output that mentions 'refund' and 'cash'.", said("refund"), OPEN),
    ("Never mention 'competitor X'!", said("Try Competitor\nX."), BROKEN),
    # what is asked, before anything is answered
    ("Never mention 'chargeback'.", ASKED, ASIDE),
    ("Reject any output that mentions 'chargeback' or 'lawsuit'.", ASKED, ASIDE),
    ("The reply must include 'not legal advice'.", ASKED, ASIDE),
    ("The output must not contain emails.", ASKED, ASIDE),
    ("Never mention 'chargeback'.", {**ASKED, "agent_output": "A chargeback."}, BROKEN),
    ("Never mention 'chargeback'.", {**ASKED, "phase": "output"}, OPEN),
    ("Never mention 'chargeback'.", {"user_intent": "chargeback"}, OPEN),
    ("Reject any output that mentions a competitor.", ASKED, OPEN),
    ("Reject any prompt that mentions 'chargeback'.", ASKED, BROKEN),
    # what a call of a tool says
    ("Never mention 'chargeback'.", called(to="x", body={"text": ["A Chargeback."]}), BROKEN),
    ("Never mention 'chargeback'.", called(to="x", body={"text": ["All is well."]}), KEPT),
    ("Never mention 'chargeback'.", called(), KEPT),
    ("Never mention 'charge back'.", called(a="charge", b="back"), KEPT),
    ("The text must not contain card numbers.", called(card=4111111111111111), BROKEN),
    ("Reject any output that mentions a competitor.", called(to="x"), OPEN),
    ("Reject any prompt that mentions 'chargeback'.", called(to="chargeback"), OPEN),
    ("The reply must include 'not legal advice'.", called(to="x"), ASIDE),
    ("Never mention 'chargeback'.", {**called(to="x"), "agent_output": "A chargeback."}, BROKEN),
    ("Never mention 'chargeback'.", {"phase": "tool_call"}, OPEN),
    ("The text must not mention 'chargeback'.", ASKED, BROKEN),
    ("Do not say 'guaranteed'.", said("not a guarantee"), KEPT),
    ("The output must include 'not legal advice'.", said("This is not legal advice."), KEPT),
    ("The output must include 'not legal advice'.", said("Sue them."), BROKEN),
    ("The output must include a disclaimer.", said("Sue them."), OPEN),
    ("The output must include 'café'.", said("cafe\u0301"), OPEN),
    ("The output must include 'café'.", said("coffee"), BROKEN),
    ("The output must not contain emails or card numbers.", said("ask a.b@example.org"), BROKEN),
    ("The output must not contain emails or card numbers.", said("pay 4111 1111 1111 1111"), BROKEN),
    ("The output must not contain emails or card numbers.", said("pay 4111 1111 1111 1112"), KEPT),
    ("The output must not contain phone numbers.", said("call +49 30 1234567"), BROKEN),
    ("The output must not contain phone numbers.", said("call 030 12345678"), BROKEN),
    ("The output must not contain phone numbers.", said("it is 030 12345678"), OPEN),
    ("The output must not contain phone numbers.", said("call about order 30123456789012"), OPEN),
    ("The output must not contain phone numbers.", said("call me"), KEPT),
    ("The output must not contain personal data.", said("call me"), OPEN),
    (
        "Reject any message that contains an IBAN",
        {"messages": [{"content": [{"text": "DE89370400440532013000"}]}]},
        BROKEN,
    ),
    ("amount must not exceed 5,000.", {"metadata": {"amount": 5000}}, KEPT),
    ("amount must not exceed 5,000.", {"metadata": {"amount": 5000.01}}, BROKEN),
    ("The amount must not exceed 5,000 EUR.", {"metadata": {"amount": 1}}, OPEN),
    ("amount must not exceed 5,000.", {"metadata": {"amount": "9000"}}, OPEN),
    (
        "amount must not exceed 5,000.",
        {"metadata": {"amount": 1}, "tool_call": {"arguments": {"amount": 9}}},
        OPEN,
    ),
    ("Reject if order_value is above 2000", {"tool_call": {"arguments": {"orderValue": 2001}}}, BROKEN),
    ("score must be at least 0.5", {"metadata": {"score": 0.5}}, KEPT),
    ("score must be below 0.5", {"metadata": {"score": 0.5}}, BROKEN),
    ("score must be more than 0.5", {"metadata": {"score": 0.6}}, KEPT),
    ("score must be more than 0.5", {"metadata": {"score": True}}, OPEN),
    ("invoice_id is required.", {"metadata": {"invoice_id": "x"}}, KEPT),
    ("invoice_id is required.", {"metadata": {}}, BROKEN),
    ("vendor.tax_id must be present", {"metadata": {"vendor": {"tax_id": ""}}}, BROKEN),
    ("Approval is required.", {"metadata": {}}, OPEN),
    ("Be kind.", said("You fool."), OPEN),
]


DATA = "The output must not contain {}."
WORDING = [
    # found, however it is set apart
    ("emails", "_kim@example.org_", BROKEN),
    ("emails", "kim@example.org_2", BROKEN),
    ("emails", '"kim smith"@example.org', BROKEN),
    ("emails", "kim\u00ad@exam\u200bple.org", BROKEN),
    ("IBANs", "pay _DE89370400440532013000_", BROKEN),
    ("IBANs", "de89 3704 0044 0532 0130 00", BROKEN),
    ("IBANs", "DE89-3704-0044-0532-0130-00", BROKEN),
    ("IBANs", "DE89\xa03704\xa00044\xa00532\xa00130\xa000", BROKEN),
    ("card numbers", "card_4111111111111111", BROKEN),
    ("card numbers", "4111\xa01111\u20131111\u20091111", BROKEN),
    ("card numbers", "4111.1111.1111.1111 or 4111\n1111\n1111\n1111", BROKEN),
    ("card numbers", "4111  1111  1111  1111", BROKEN),
    ("card numbers", "4111\u200b1111\u00ad11111111", BROKEN),
    ("'lawsuit'", "_lawsuit_", BROKEN),
    ("'lawsuit'", "law\u00adsuit", BROKEN),
    ("'big deal'", "no big\xa0deal, no big_deal", BROKEN),
    # only like it: neither found nor ruled out
    ("emails", "kim@example.org1", OPEN),
    ("emails", "kim%40example.org", OPEN),
    ("emails", "kim @ example.org", OPEN),
    ("emails", "kim\uff20example.org", OPEN),
    ("emails", "x" * 70 + "@example.org", OPEN),
    ("IBANs", "IBANDE89370400440532013000", OPEN),
    ("IBANs", "DE89/3704/0044/0532/0130/00", OPEN),
    ("IBANs", "DE89370400440532013000EUR", OPEN),
    ("card numbers", "4111111111111111USD", OPEN),
    ("card numbers", "4111/1111/1111/1111", OPEN),
    ("card numbers", "Card4111, 1111, 1111, 1111", OPEN),
    ("'café'", "cafe\u0301", OPEN),
    ("'café'", "a CAFÉ", BROKEN),
    # ruled out: other lengths, other signs, no right checksum
    ("emails", "@home, 5 @ 3, a.b", KEPT),
    ("IBANs", "HAT001 at 12:30, IT 2024 in Rome, DE89 3704 0044 0532 0130 01", KEPT),
    ("card numbers", "2024-05-15 2024-05-20 15:00:00, 20240515150000, +86 138 0013 8000", KEPT),
    ("card numbers", "0.8437291827364512 and 3.14159265358979, 1731234567890", KEPT),
    ("card numbers", "4111111111111112, order 1234 5678 9012, 4111 1111 1111 1112", KEPT),
    ("card numbers", "01890a5d-ac96-774b-bcce-b302099a8057", KEPT),
    ("'café'", "coffee", KEPT),
    ("'lawsuit'", "lawsuits", BROKEN),
    ("'lawsuit'", "no clawsuit", KEPT),
]


@pytest.mark.parametrize(("what", "text", "wanted"), WORDING)
async def test_what_is_only_like_the_data_is_neither_found_nor_ruled_out(what, text, wanted):
    found = await judge(DATA.format(what), said(text))
    assert (found.status, found.code) == (wanted, "abstained" if wanted == OPEN else "")


GAPS = st.sampled_from(["", " ", "-", "\xa0", "\u2013", "  ", "\n", "."])
AROUND = st.sampled_from(["", " ", "_", "x", "EUR", ": ", "(", "\u00ad", "\u200b"])


@given(AROUND, GAPS, AROUND)
async def test_a_card_number_is_never_ruled_out(before, gap, after):
    text = before + gap.join(["4111", "1111", "1111", "1111"]) + after
    assert (await judge(DATA.format("card numbers"), said(text))).status != KEPT


@given(AROUND, GAPS, AROUND, st.booleans())
async def test_an_account_number_is_never_ruled_out(before, gap, after, small):
    number = gap.join(["DE89", "3704", "0044", "0532", "0130", "00"])
    text = before + (number.lower() if small else number) + after
    assert (await judge(DATA.format("IBANs"), said(text))).status != KEPT


@given(AROUND, AROUND)
async def test_an_address_is_never_ruled_out(before, after):
    assert (await judge(DATA.format("emails"), said(f"{before}kim@example.org{after}"))).status != KEPT


@pytest.mark.parametrize("shape", [*SHAPES.values(), *LOOSE.values()])
@pytest.mark.parametrize("at", [4_000, 4_080, 4_096, 4_100, 8_190])
def test_what_stands_across_two_stretches_of_a_long_text_is_found_once(shape, at):
    text = "kim@example.org DE89 3704 0044 0532 0130 00, 4111 1111 1111 1111, +49 30 1234567"
    wanted = [span for span in shape.search(text) if not isinstance(span, int)]
    found = [span for span in shape.search(" " * at + text + " " * 5_000) if not isinstance(span, int)]
    assert found == [(start + at, end + at) for start, end in wanted]


@pytest.mark.parametrize(("rule", "facts", "wanted"), CASES)
async def test_it_decides_what_it_can_show_and_abstains_otherwise(rule, facts, wanted):
    verdict = await judge(rule, facts)
    assert (verdict.status, verdict.code) == (wanted, "abstained" if wanted == OPEN else "")


async def test_its_evidence_is_quoted_from_the_facts():
    verdict = await judge("Never mention 'big deal'", said("No BIG  deal."))
    assert (verdict.evidence, verdict.basis) == (("BIG  deal",), "pattern")


@given(st.text(max_size=200), st.text(alphabet="a1@.-+ (4I", max_size=300))
async def test_any_wording_over_any_text_gets_a_verdict(rule, text):
    verdict = await judge(rule, said(text))
    assert verdict.status in {KEPT, BROKEN, OPEN}


@pytest.mark.parametrize(
    ("finder", "text", "found"),
    [
        (emails, "a@b.de, x@y, <c.d+e@f-g.co.uk>", ["a@b.de", "c.d+e@f-g.co.uk"]),
        (
            cards,
            "4111-1111-1111-1111 0000000000000000 5500005555555559",
            ["4111-1111-1111-1111", "5500005555555559"],
        ),
        (ibans, "GB82 WEST 1234 5698 7654 32, GB82 WEST 1234 5698 7654 33", ["GB82 WEST 1234 5698 7654 32"]),
        (phones, "+1 (212) 555-0100 or 212-555-0100 or 030 1234567", ["+1 (212) 555-0100", "212-555-0100"]),
        (secrets, "AKIAABCDEFGHIJKLMNOP AKIA", ["AKIAABCDEFGHIJKLMNOP"]),
    ],
)
def test_data_is_found_by_shape_and_checksum(finder, text, found):
    assert finder(text) == found


LARGE = MOST_READ
SLOW = [
    ("emails", " ".join(f"a{number:05d}@b.co" for number in range(LARGE // 12)), BROKEN),
    ("secrets", "eyJ-" * (LARGE // 4), OPEN),
    (f"'{'a ' * 200}b'", "a " * (LARGE // 2), OPEN),
    (f"'{'a ' * 20}b'", "a " * (LARGE // 2), KEPT),
]


@pytest.mark.parametrize(("what", "text", "status"), SLOW, ids=[each[0][:8] for each in SLOW])
async def test_a_large_text_is_judged_in_bounded_work(what, text, status):
    found = await judge(f"The output must not contain {what}.", said(text))
    assert found.status == status
    assert len(found.evidence) <= MOST_QUOTES


WORDS = "lorem " * (MOST_READ // 6 + 1)


@pytest.mark.parametrize(
    ("rule", "text", "status"),
    [
        ("The output must not contain 'chargeback'.", WORDS, OPEN),
        ("The output must not contain 'chargeback'.", "chargeback " + WORDS, BROKEN),
        ("The output must not contain 'chargeback'.", WORDS + "chargeback", OPEN),
        ("The output must include 'chargeback'.", WORDS, OPEN),
        ("The output must include 'chargeback'.", "chargeback " + WORDS, KEPT),
        ("The output must not contain emails.", "x" * (MOST_READ + 1), OPEN),
    ],
)
async def test_of_a_text_that_is_too_long_nothing_is_said_to_be_absent(rule, text, status):
    found = await judge(rule, said(text))
    assert (found.status, found.code) == (status, "too_long" if status == OPEN else "")


async def test_a_long_phrase_is_not_looked_for():
    found = await judge(f"The output must include '{'a ' * 200}b'.", said("a " * 1000))
    assert (found.status, found.code) == (OPEN, "abstained")


@pytest.mark.parametrize(
    ("text", "facts", "secret"),
    [
        ("The output must not contain emails.", said("ask kim@example.org"), "kim"),
        ("The output must include 'yours, kim'.", said("Yours, Kim"), "Kim"),
        ("amount must not exceed 5,000.", {"metadata": {"amount": 7001}}, "7001"),
    ],
)
async def test_what_the_request_says_stands_in_the_evidence_alone(text, facts, secret):
    found = await judge(text, facts)
    assert secret in found.evidence[0]
    assert secret not in found.rationale + found.message


async def test_others_get_their_turn_while_one_rule_looks_for_many_things():
    words = " or ".join(f"'word{number}'" for number in range(50))
    assert await turns(f"The output must not contain {words}.", facts=said(WORDS)) >= 50


async def test_others_get_their_turn_between_two_questions():
    assert await turns(*["Be kind."] * 20) >= 20


async def turns(*rules, facts=None):
    """How often others had their turn while the rules were judged."""
    taken = 0

    async def take():
        nonlocal taken
        while True:
            taken += 1
            await asyncio.sleep(0)

    questions = tuple(
        Question(id=str(at), text=rule, effect="reject", digest="sha256:0") for at, rule in enumerate(rules)
    )
    other = asyncio.create_task(take())
    await OfflineEvaluator().evaluate(Batch(questions=questions, facts=facts or said("x"), timeout_ms=1000))
    other.cancel()
    return taken


async def test_what_only_the_name_of_an_argument_says_cannot_be_quoted_and_is_left_open():
    verdict = await judge("Never mention 'chargeback'.", called(**{"the chargeback": 1}))
    assert (verdict.status, verdict.code) == (OPEN, "evidence_not_found")


UNREAD = [
    "No refunds.",
    "No credit cards.",
    "Smoking is forbidden.",
    "Coupons must not be used.",
    "Never use force.",
    "Never use PayPal.",
    "Do not use e-mail.",
    "Never call customers.",
    "Never mention the customer's name.",
    "The customer's name must never be mentioned.",
    "Always say 'sorry' when the order is late.",
    "Never say 'refund' unless the customer asks.",
    "Orders must contain at least 3 lines.",
    "Responses must be sent within 24 hours.",
    "The number of links must not exceed 3.",
    "Answer in at most 100 words per paragraph.",
    "Never offer a discount above 10% without approval.",
    "Only use Stripe.",
    "Escalate unless the customer mentions 'refund'.",
]


@pytest.mark.parametrize("rule", UNREAD)
def test_what_only_looks_like_a_known_wording_is_left_to_a_judge(rule):
    how = explain(rule, "reject")
    assert (how.decides, how.needs_judge) == (False, True)
    assert how.why


@pytest.mark.parametrize(
    ("rule", "text", "never"),
    [
        ("Never use 'blacklist'.", "It is on the blacklist.", KEPT),
        ("Never mention credit cards.", "We accept credit cards.", KEPT),
        ("Never mention emails.", "I will send you an e-mail.", KEPT),
        ("Refunds must not exceed 200 dollars.", "A refund of $350 was declined.", BROKEN),
        ("Refunds must not exceed 200 dollars.", "Orders over $350 get a refund of the postage.", BROKEN),
        ("Never offer a discount of more than 20%.", "A competitor gives a 30% discount.", BROKEN),
        (
            "Never offer a discount of more than 20%.",
            "Our battery is at 30%, so is the discount at 10%.",
            BROKEN,
        ),
        ("Never offer a discount of more than 20%.", "We halve it.", KEPT),
        (
            "Only link to example.com.",
            "https://example.com@evil.net/ and https://example.com.evil.net/",
            KEPT,
        ),
        ("Only link to example.com.", "https://example.com\\@evil.net/", KEPT),
        ("Only link to example.com.", "evil.net", KEPT),
        ("Answer in at most 5 words.", "\u3053\u308c\u306f\u9577\u3044\u6587\u3067\u3059", KEPT),
        ("Ask at most one question at a time.", "Tell me your name. And your age.", KEPT),
        ("The output must include 'refund'.", "r3fund", KEPT),
    ],
)
async def test_what_cannot_be_shown_is_never_said(rule, text, never):
    assert (await judge(rule, said(text))).status != never


CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"function": {"name": "get_order", "arguments": "{}"}}],
}
USED = {"role": "assistant", "content": [{"type": "tool_use", "name": "get_order", "input": {}}]}
ORDER = "Always call get_order before cancel_order."
ACTS = [
    (ORDER, {**called(), "messages": []}, ASIDE),
    (ORDER, {"phase": "tool_call", "tool_call": {"name": "cancel_order"}, "messages": [CALLED]}, KEPT),
    (ORDER, {"phase": "tool_call", "tool_call": {"name": "cancelOrder"}, "messages": [USED]}, KEPT),
    (ORDER, {"phase": "tool_call", "tool_call": {"name": "cancel_order"}, "messages": []}, BROKEN),
    (ORDER, {"phase": "tool_call", "tool_call": {"name": "cancel_order"}}, OPEN),
    (ORDER, said("Done."), ASIDE),
    ("Never call delete_*.", {"phase": "output", "tools_used": ["delete_user"]}, BROKEN),
    ("Never call delete_*.", {"phase": "output", "agent_output": "Done."}, ASIDE),
    ("Do not call a tool and answer at once.", {**called(), "agent_output": "One moment."}, BROKEN),
    ("Do not call a tool and answer at once.", called(), OPEN),
    (
        "Calls to wire_money require approval.",
        {"phase": "tool_call", "tool_call": {"name": "wire_money"}},
        BROKEN,
    ),
    (
        "Calls to wire_money require approval.",
        {"phase": "tool_call", "tool_call": {"name": "wire_money"}, "metadata": {"approved_by": "kim"}},
        OPEN,
    ),
    ("send amount must not exceed 5", called(amount=9), OPEN),
    (
        "wire_money amount must not exceed 5",
        {"tool_call": {"name": "wire_money", "arguments": {"amount": 9}}},
        BROKEN,
    ),
    (
        "wire_money amount must not exceed 5",
        {"tool_call": {"name": "wire_money", "arguments": {"amount": "9"}}},
        OPEN,
    ),
]


@pytest.mark.parametrize(("rule", "facts", "wanted"), ACTS)
async def test_calls_of_tools_are_read_from_the_call_and_the_messages(rule, facts, wanted):
    assert (await judge(rule, facts)).status == wanted


async def test_a_customer_who_asks_for_a_person_is_raised_and_an_answer_to_it_is_left_to_a_judge():
    rule = "If the customer mentions 'lawsuit', escalate to a human and do not answer."
    asked = {"phase": "input", "user_intent": "A lawsuit!"}
    assert (await judge(rule, asked)).status == BROKEN
    assert (await judge(rule, {**asked, "phase": "decision", "agent_output": "Sorry."})).status == OPEN
    assert (await judge(rule, {"phase": "input", "user_intent": "Hello"})).status == KEPT
    messages = [{"role": "assistant", "content": "A lawsuit?"}]
    assert (
        await judge(rule, {"phase": "input", "user_intent": "Hello", "messages": messages})
    ).status == KEPT


async def test_what_stands_across_two_windows_of_a_long_text_is_found_whole():
    for at in range(8_150, 8_200, 7):
        text = "lorem " * (at // 6) + "x" * (at % 6) + " chargeback " + "ipsum " * 2_000
        found = await judge("Never mention 'chargeback'.", said(text))
        assert (found.status, found.evidence) == (BROKEN, ("chargeback",))
    assert (await judge("Never mention 'back'.", said("charge" * 1_300 + "back" * 2_000))).status != BROKEN
    assert (await judge("Never mention 'big deal'.", said("big" + " " * 9_000 + "deal"))).status != KEPT
