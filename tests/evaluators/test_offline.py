import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.evaluators.offline import MOST_READ, OfflineEvaluator
from bylaw.evaluators.patterns import MOST_QUOTES, cards, emails, ibans, phones, secrets
from bylaw.evaluators.protocol import Batch, Question
from bylaw.evaluators.verdicts import verdicts

KEPT, BROKEN, OPEN = "satisfied", "violated", "indeterminate"


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
    ("Reject any output that contains more than 3 links.", said("more than 3 links"), OPEN),
    ("Flag as high-risk if the message contains “urgent”.", {"user_intent": "This is URGENT!"}, BROKEN),
    ("Flag as high-risk if the message contains “urgent”.", {"user_intent": "insurgent"}, KEPT),
    ("Reject any output that mentions 'refund' unless approved.", said("refund"), OPEN),
    ("Reject any output that mentions 'refund' and 'cash'.", said("refund"), OPEN),
    ("Never mention 'competitor X'!", said("Try Competitor\nX."), BROKEN),
    ("Do not say 'guaranteed'.", said("not a guarantee"), KEPT),
    ("The output must include 'not legal advice'.", said("This is not legal advice."), KEPT),
    ("The output must include 'not legal advice'.", said("Sue them."), BROKEN),
    ("The output must include a disclaimer.", said("Sue them."), OPEN),
    ("The output must not contain emails or card numbers.", said("ask a.b@example.org"), BROKEN),
    ("The output must not contain emails or card numbers.", said("pay 4111 1111 1111 1111"), BROKEN),
    ("The output must not contain emails or card numbers.", said("pay 4111 1111 1111 1112"), KEPT),
    ("The output must not contain phone numbers.", said("call +49 30 1234567"), BROKEN),
    ("The output must not contain phone numbers.", said("call 030 1234567"), OPEN),
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
        (phones, "+1 (212) 555-0100 or 212-555-0100", ["+1 (212) 555-0100"]),
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
