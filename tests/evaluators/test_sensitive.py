import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.evaluators.sensitive import MANY, MOST_READ, sensitive_data

CARD = "4111 1111 1111 1111"
MAIL = "jo.brandt@example.com"


@pytest.mark.parametrize(
    ("value", "level", "kinds"),
    [
        ("", "low", ()),
        ("Your parcel arrives on Monday, order 4711-0815.", "low", ()),
        (f"Write to {MAIL}.", "medium", ("email",)),
        ("Call +49 30 1234567.", "medium", ("phone",)),
        (f"The card is {CARD}.", "high", ("card",)),
        ("DE89 3704 0044 0532 0130 00", "high", ("iban",)),
        ("AKIAIOSFODNN7EXAMPLE", "high", ("secret",)),
        ("password: hunter2-again", "high", ("secret",)),
        ("My password is required by law", "low", ()),
        ("The SSN is 536-22-8715.", "high", ("national_id",)),
        ("NI number QQ 12 34 56 C or AB 12 34 56 C", "high", ("national_id",)),
        ("Call (415) 555-0134.", "medium", ("phone",)),
        ("-----BEGIN RSA PRIVATE KEY-----", "high", ("secret",)),
        ({"customer": {"card": CARD, "mail": MAIL}}, "high", ("card", "email")),
        ({"rows": [{"mail": f"user{n}@example.com"} for n in range(MANY)]}, "high", ("email",)),
        ([MAIL] * 20, "medium", ("email",)),
        ({MAIL: 1}, "medium", ("email",)),
        ([None, 3, True, 2.5], "low", ()),
        ("card 4111 1111 1111 1112", "low", ()),
    ],
    ids=str,
)
def test_data_are_as_sensitive_as_what_is_recognised_in_them(value, level, kinds):
    found = sensitive_data(value)
    assert (found.level, found.kinds) == (level, kinds)


def test_texts_apart_never_make_a_number_together():
    assert sensitive_data(["4111 1111", "1111 1111"]).level == "low"


def test_only_so_much_is_read():
    assert sensitive_data("x " * MOST_READ + MAIL).level == "low"
    assert sensitive_data(["x " * MOST_READ, MAIL]).level == "low"


def test_no_nesting_is_too_deep():
    value = MAIL
    for _ in range(5_000):
        value = [value]
    assert sensitive_data(value).level == "medium"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_adding_data_never_makes_them_less_sensitive(value):
    levels = ["low", "medium", "high"]
    assert levels.index(sensitive_data([value, CARD]).level) >= levels.index(sensitive_data(value).level)
    assert sensitive_data(value) == sensitive_data(value)
