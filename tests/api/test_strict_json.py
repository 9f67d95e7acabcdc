import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.api import strict_json
from bylaw.core import strict_json as exact
from bylaw.core.errors import InvalidInput

SAFE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


@given(SAFE, st.booleans())
def test_what_every_reader_understands_alike_is_let_through(value, ascii_only):
    assert strict_json.parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        (b"", "malformed_json", ""),
        (b"{", "malformed_json", ""),
        (b"{} {}", "malformed_json", ""),
        (b"\xff", "malformed_json", ""),
        (b"\xef\xbb\xbf{}", "malformed_json", ""),
        (b'{"a": NaN}', "malformed_json", ""),
        (b'{"a": -Infinity}', "malformed_json", ""),
        (b'{"a": 01}', "malformed_json", ""),
        (b'{"a": "\x01"}', "malformed_json", ""),
        (b'{"a": ' + b"9" * 5000 + b"}", "malformed_json", ""),
        (b'{"a": 1, "a": 1}', "duplicate_key", "a"),
        (b'{"a": 1, "\\u0061": 1}', "duplicate_key", "a"),
        (b'{"b": [{"c": {}}, {"x": {"d": 1, "d": 2}}]}', "duplicate_key", "b[1].x.d"),
        (b'{"a": ["\\ud800"]}', "lone_surrogate", "a[0]"),
        (b'{"\\udfff": 1}', "lone_surrogate", "?"),
        (b'{"a": {"b": "x\\u0000"}}', "nul", "a.b"),
        (b'{"a": 18446744073709551616}', "number_range", "a"),
        (b'{"a": [-9223372036854775809]}', "number_range", "a[0]"),
        (b'{"a": 1e999}', "number_range", "a"),
        (b"[" * 33 + b"]" * 33, "too_deep", ""),
        (b"[" * 100_000, "too_deep", ""),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "too_deep", ""),
    ],
)
def test_what_readers_could_understand_differently_is_refused_with_its_place(body, code, path):
    with pytest.raises(InvalidInput) as caught:
        strict_json.parse(body)
    assert [(each.code, each.path) for each in caught.value.problems] == [(code, path)]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 32 + b"]" * 32,
        b'{"text": "' + b"[{" * 50 + b'\\"[[["}',
        b'{"a": "\\ud83d\\ude00"}',
        b'{"a": "\\\\u0000"}',
        b'{"a": 9007199254740993, "card": "1234567812345678"}',
        b'{"a": [18446744073709551615, -9223372036854775808]}',
    ],
)
def test_what_only_looks_dangerous_is_let_through(body):
    strict_json.parse(body)


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    count: int
    name: str = ""


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    items: list[Inner] = []
    inner: Inner | None = None


def test_every_field_that_does_not_fit_is_named():
    items = b'[{"count": 1}, {"count": "2", "name": 3}, {"nam": "x"}]'
    body = b'{"titel": "x", "items": ' + items + b', "inner": {"count": []}}'
    with pytest.raises(InvalidInput) as caught:
        strict_json.read(body, Outer)
    assert [(each.path, each.code) for each in caught.value.problems] == [
        ("titel", "unknown_field"),
        ("items[1].count", "bad_value"),
        ("items[1].name", "bad_value"),
        ("items[2].nam", "unknown_field"),
        ("items[2].count", "required"),
        ("inner.count", "bad_value"),
        ("title", "required"),
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
        lambda v: (
            st.lists(v)
            | st.dictionaries(st.sampled_from(["title", "items", "inner", "count", "name", "x"]), v)
        ),
        max_leaves=12,
    )
)
def test_a_body_that_does_not_fit_always_has_a_problem(value):
    try:
        msgspec.convert(value, Outer)
    except msgspec.ValidationError:
        with pytest.raises(InvalidInput) as caught:
            strict_json.read(json.dumps(value).encode(), Outer)
        assert caught.value.problems
    else:
        strict_json.read(json.dumps(value).encode(), Outer)


MEMBERS = st.recursive(
    st.sampled_from(['"x"', '"a\\":b"', '"\\":"', "1", "null", '"[{"', "-0.5e3"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
        | st.lists(
            st.tuples(st.sampled_from(['"a":', '"b" :', '"a\\":":', '"\\u0061":']), inner), max_size=3
        ).map(lambda members: "{" + ",".join(name + item for name, item in members) + "}")
    ),
    max_leaves=8,
)


@given(MEMBERS)
def test_the_fast_reader_lets_through_only_what_the_exact_one_does(text):
    try:
        value = exact.parse(text.encode())
    except InvalidInput:
        with pytest.raises(InvalidInput):
            strict_json.parse(text.encode())
    else:
        assert strict_json.parse(text.encode()) == value
