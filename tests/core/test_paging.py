import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import InvalidInput
from bylaw.core.paging import Page, decode_cursor, encode_cursor, every


@given(st.integers(), st.text())
def test_a_cursor_gives_back_its_keys_and_fits_a_url(number, word):
    cursor = encode_cursor(number, word)
    assert decode_cursor(cursor, int, str) == (number, word)
    assert all(character.isalnum() or character in "-_" for character in cursor)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "é",
        "a",
        "bnVsbA",
        encode_cursor(1),
        encode_cursor("x", "y"),
        encode_cursor(1, "x")[:-2],
        "W1tb" * 2_000,
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused(text):
    with pytest.raises(InvalidInput) as caught:
        decode_cursor(text, int, str)
    assert caught.value.problems[0].path == "cursor"


async def test_every_item_of_a_list_comes_once_whatever_the_pages():
    pages = {
        None: Page(items=(1, 2), next_cursor="a"),
        "a": Page(items=(), next_cursor="b"),
        "b": Page(items=(3,)),
    }

    async def read(part):
        return pages[part.cursor]

    assert [item async for item in every(read)] == [1, 2, 3]
