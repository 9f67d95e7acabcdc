import json
import math

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.canonical_json import MAX_SAFE_INTEGER, canonical, check_profile, digest

NUMBERS = {  # RFC 8785 appendix B
    0.0: "0",
    5e-324: "5e-324",
    -5e-324: "-5e-324",
    1.7976931348623157e308: "1.7976931348623157e+308",
    9007199254740992.0: "9007199254740992",
    295147905179352830000.0: "295147905179352830000",
    9.999999999999997e22: "9.999999999999997e+22",
    1e23: "1e+23",
    1.0000000000000001e23: "1.0000000000000001e+23",
    999999999999999700000.0: "999999999999999700000",
    1e21: "1e+21",
    9.999999999999997e-7: "9.999999999999997e-7",
    0.000001: "0.000001",
    333333333.33333325: "333333333.33333325",
    0.00010000000000000001: "0.0001",
}
texts = st.text(st.characters(exclude_categories=["Cs"]))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(("value", "text"), NUMBERS.items())
def test_numbers_are_written_as_the_standard_says(value, text):
    assert canonical(value) == text.encode()


@given(json_values)
def test_bytes_equal_an_independent_implementation(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(json_values)
def test_bytes_read_back_as_the_same_value(value):
    assert json.loads(canonical(value), parse_int=float) == json.loads(json.dumps(value), parse_int=float)


def test_minus_zero_is_zero():
    assert canonical(-0.0) == b"0"


def test_long_integers_keep_all_their_digits_where_they_are_let_in():
    value = {"ids": [2**53, 2**64 - 1], "amount": 500.0}
    assert (
        canonical(value, long_integers=True)
        == b'{"amount":500,"ids":[9007199254740992,18446744073709551615]}'
    )
    assert digest({"a": 1}, long_integers=True) == digest({"a": 1})


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, "\ud800", {1: 2}, {"a": {1, 2}}, b"x"])
def test_what_json_cannot_carry_is_refused(value):
    with pytest.raises(ValueError):
        canonical(value)


def test_names_sort_by_utf16_units():
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, 2.5]}, r"\$\.a\[1\]"),
        ({"é": 1}, r"\$: key"),
        ({"n": {"m": 2**53}}, r"\$\.n\.m"),
    ],
)
def test_the_profile_names_the_place(value, place):
    with pytest.raises(ValueError, match=place):
        check_profile(value)


def test_digest_names_its_hash():
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
