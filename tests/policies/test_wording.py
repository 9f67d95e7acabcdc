import pytest

from bylaw.policies.wording import asks_for_attention, proposed_effect


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("Flag as high-risk if the vendor is new.", "flag"),
        ("If the vendor is new, flag it.", "flag"),
        ("Orders above 500 must be flagged.", "flag"),
        ("Mark the answer as uncertain when no source is cited", "flag"),
        ("Please warn the reviewer about overdue invoices", "flag"),
        ("When the tone is harsh, then flag the reply", "flag"),
        ("Reject any payment without a purchase order.", "reject"),
        ("Do not approve if the amount differs; flag it instead.", "reject"),
        ("Never flag a customer as a fraudster.", "reject"),
        ("Orders with a red flag need a manager.", "reject"),
        ("Discounts above 10 % need approval.", "reject"),
        ("Refunds are only for orders younger than 30 days", "reject"),
        ("The flag of the country is shown", "reject"),
        ("", "reject"),
    ],
)
def test_the_wording_proposes_an_effect(text, effect):
    assert proposed_effect(text) == effect


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Create an attention item for manager approval.", True),
        ("Above 500 EUR, open a ticket for a person", True),
        ("Escalate angry customers to a human.", True),
        ("Hand it over to the billing team when unsure.", True),
        ("Do not open a ticket for password resets.", False),
        ("Answer without escalating; never escalate to a human", False),
        ("Open tickets are shown on the board", False),
        ("Raise the limit of the customer", False),
        ("Do not argue. Escalate to a manager.", True),
    ],
)
def test_the_wording_asks_for_a_person(text, asks):
    assert asks_for_attention(text) is asks
