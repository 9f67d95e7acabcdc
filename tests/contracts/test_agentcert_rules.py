"""The rule vectors that the AgentCert contract keeps: expression, context, and what a rule comes to."""

import pytest

from bylaw import rules
from bylaw.core.errors import RuleSyntax

PASS, FAIL = "satisfied", "violated"

VECTORS = [
    ("amount < 5000", {"amount": 4999.99}, PASS),
    ("amount < 5000", {"amount": 5000}, FAIL),
    ("amount < 5000", {}, "missing"),
    ("amount < 5000", {"amount": None}, "null_value"),
    ("amount < 5000", {"amount": "4999"}, "type_error"),
    ("amount < 5000", {"amount": True}, "type_error"),
    ("vendor_status == 'approved'", {"vendor_status": "approved"}, PASS),
    ("vendor_status == 'approved'", {"vendor_status": "Approved"}, FAIL),
    ('vendor_status == "approved"', {"vendor_status": "approved"}, PASS),
    ('tools_used.contains("policy_check")', {"tools_used": ["lookup", "policy_check"]}, PASS),
    ('tools_used.contains("policy_check")', {"tools_used": ["lookup"]}, FAIL),
    ('tools_used.contains("policy_check")', {}, "missing"),
    ("retrieval_summary != null", {"retrieval_summary": None}, FAIL),
    ("retrieval_summary != null", {}, FAIL),
    ("retrieval_summary != null", {"retrieval_summary": ""}, PASS),
    ("retrieval_summary != null", {"retrieval_summary": "text"}, PASS),
    ("retrieval_summary.size() > 0", {"retrieval_summary": ""}, FAIL),
    ("retrieval_summary.size() > 0", {"retrieval_summary": None}, "null_value"),
    ('vendor_id != "bad"', {}, "missing"),
    ('exists(vendor_id) && vendor_id != "bad"', {}, FAIL),
    ('vendor_id == null || vendor_id != "bad"', {}, PASS),
    ("nope == 1 || amount < 5000", {"amount": 10}, PASS),
    ("nope == 1 && amount < 5000", {"amount": 10}, "missing"),
]


@pytest.mark.parametrize(("expression", "context", "result"), VECTORS)
def test_a_contract_vector_comes_to_its_result(
    expression: str, context: dict[str, object], result: str
) -> None:
    verdict = rules.compile(expression).evaluate(context)
    assert (verdict.code or verdict.status) == result


@pytest.mark.parametrize(
    "expression", ["1 < amount < 5000", "amount = 5000", "__import__('os').system('id')", "amount.any(1)"]
)
def test_a_rejected_contract_vector_is_refused_when_saved(expression: str) -> None:
    with pytest.raises(RuleSyntax):
        rules.compile(expression)
