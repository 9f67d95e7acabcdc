"""Pages stay light and whole, however much there is to show."""

import gzip
import re

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from bylaw.dashboard.rendering import statics
from bylaw.dashboard.revealing import beginning, exactly, lines, revealed
from tests.dashboard.lessons import reader

MOST_BYTES = 100_000
WORDS = "Никогда не обещай возврат денег. لا تعد بشيء. Never promise anything to anybody. "
json = st.recursive(
    st.integers(0, 99) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.text(alphabet="ab \u0430\u0435\u03b3\u200b\u202e\u00a0\ufe0f漢\n'\"\\", max_size=40))
def test_a_text_in_pieces_is_the_text(text):
    whole = "".join(chr(int(f"0x{each.text[2:]}", 0)) if each.about else each.text for each in revealed(text))
    assert whole == text


@given(json, st.integers(0, 200))
def test_a_beginning_is_no_longer_than_is_asked_for_and_the_whole_where_that_fits(value, most):
    assert beginning(value, 10_000) == value
    texts = [line.size for line in lines(beginning(value, most))]
    assert sum(texts) <= most + 3


def test_digits_stay_as_they_were_sent_in_a_beginning():
    assert beginning(exactly(b'{"a": 1.10, "b": "xyz"}'), 4) == {"a": "1.10", "b": "xy..."}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def heavy(site):
    """The addresses of pages about what is as large as the API takes it."""
    make = site.world.make
    every = {"workspace_id": "w1", "reach": "bound"}
    rules = [{"text": (WORDS * 20)[:1_000]} for _ in range(100)]
    many = await make("/v1/policies", {"name": "many rules", "rules": rules, **every})
    text = await make(
        "/v1/policies", {"name": "long text", "rules": [{"text": (WORDS * 300)[:20_000]}], **every}
    )
    call = {"name": "pay", "arguments": {"note": "start " + "word " * 150_000, "end": 1.10}}
    told = await make("/v1/decisions", {"workspace_id": "w1", "phase": "tool_call", "tool_call": call})
    return {
        "list": "/policies",
        "many rules": f"/policies/{many['id']}",
        "many rules, edited": f"/policies/{many['id']}/edit",
        "long text": f"/policies/{text['id']}",
        "long text, edited": f"/policies/{text['id']}/edit",
        "receipt": f"/receipts/{told['receipt_id']}",
        "receipts": "/receipts",
    }


async def test_a_first_visit_loads_little(site, heavy):
    async with reader(site) as somebody:
        for name, path in heavy.items():
            page = (await somebody.open(path)).text
            linked = set(re.findall(r'(?:href|src)="/static/[0-9a-f]+/([^"]+)"', page))
            assert "app.css" in linked
            sent = len(gzip.compress(page.encode(), 6)) + sum(len(statics()[each].zipped) for each in linked)
            assert sent <= MOST_BYTES, (name, sent)


async def test_what_is_long_is_shown_from_its_beginning_and_whole_when_asked_for(site, heavy):
    async with reader(site) as somebody:
        begun = (await somebody.open(heavy["receipt"])).text
        whole = (await somebody.open(f"{heavy['receipt']}?all=")).text
    assert "only the beginning of each part is shown" in begun
    assert f'href="{heavy["receipt"]}?all="' in begun
    assert "start word" in begun
    assert whole.count("word ") > 250_000  # its arguments, and all that was sent
    assert "only the beginning" not in whole


async def test_a_list_shows_the_beginnings_of_long_texts_and_the_page_of_one_all_of_it(site, heavy):
    async with reader(site) as somebody:
        listed = (await somebody.open("/policies")).text
        one = (await somebody.open(heavy["long text"])).text
    assert len(listed) < 100_000
    assert "and 98 rules more" in listed
    assert (WORDS * 300)[:20_000].strip() in one
