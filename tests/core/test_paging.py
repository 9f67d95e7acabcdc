import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import InvalidInput
from bylaw.core.paging import decode_cursor, encode_cursor


@given(st.integers(), st.text())
def test_a_cursor_gives_back_its_keys_and_fits_a_url(number, word):
    cursor = encode_cursor(number, word)
    assert decode_cursor(cursor, int, str) == (number, word)
    assert all(character.isalnum() or character in "-_" for character in cursor)


@pytest.mark.parametrize(
    "text",
    ["", "!", "é", "a", "bnVsbA", encode_cursor(1), encode_cursor("x", "y"), encode_cursor(1, "x")[:-2]],
)
def test_what_is_no_cursor_of_the_list_is_refused(text):
    with pytest.raises(InvalidInput) as caught:
        decode_cursor(text, int, str)
    assert caught.value.problems[0].path == "cursor"
