"""The reader of the conformance files is strict: what it cannot read rightly it refuses."""

import math

import pytest

from tests.contracts.cel.textproto import Malformed, Word, parse, unquote


def test_every_form_of_field_is_read() -> None:
    text = """
    # a comment
    name: "a" 'b' "\\x63\\144\\u00e9\\n"   list: [1, -2, 0x1F, 017]
    inner { on: true kind: SOME_WORD } inner: < d: 1.5e3 e: -inf f: nan >
    [type.googleapis.com/a.B] { v: 3; }
    """
    message = parse(text)
    assert message["name"] == [b"abcd\xc3\xa9\n"]
    assert message["list"] == [1, -2, 31, 15]
    first, second = message["inner"]
    assert first == {"on": [True], "kind": ["SOME_WORD"]}
    assert isinstance(first["kind"][0], Word)  # type: ignore[index]
    assert second["d"] == [1500.0]  # type: ignore[index]
    assert second["e"] == [-math.inf]  # type: ignore[index]
    assert math.isnan(second["f"][0])  # type: ignore[index]
    assert message["[type.googleapis.com/a.B]"] == [{"v": [3]}]


@pytest.mark.parametrize(
    "text",
    [
        "a: 1x",
        "a: 'open",
        "a 5",
        "a {",
        "a: }",
        "a: [1 2]",
        "a: '\\q'",
        "a: -'b'",
        "a: - true",
        "5: a",
        "a: \x01",
        "a: '\\777'",
    ],
)
def test_what_is_not_text_format_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse(text)


def test_an_escape_stands_for_bytes() -> None:
    assert unquote("'\\377\\xff\\U0001F600'") == b"\xff\xff\xf0\x9f\x98\x80"
