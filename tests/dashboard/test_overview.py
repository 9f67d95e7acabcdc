"""The overview: newcomers are led, what is not enforced is loud, and charts say what the numbers say."""

import re

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from playwright.async_api import expect

from bylaw.dashboard import charts
from bylaw.dashboard.charts import NARROW, WIDE, Series
from tests.dashboard.axe import assert_accessible
from tests.dashboard.browser import DESK, PHONE

EVIL = "<script>alert(1)</script>"
days = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=90)


@given(days, st.sampled_from([WIDE, NARROW]))
def test_columns_stand_on_the_floor_and_reach_what_they_count(numbers, sheet):
    series = [
        Series(name=kind, kind=kind, numbers=[day[at] for day in numbers]) for at, kind in enumerate("ab")
    ]
    chart = charts.bars([str(at) for at in range(len(numbers))], series, sheet)
    most, room = chart.ticks[-1].number, chart.floor - sheet.top
    assert most >= max((sum(day) for day in numbers), default=0)
    for column, day in zip(chart.columns, numbers, strict=True):
        assert [box.number for box in column.boxes] == [number for number in day if number]
        tall = sum(box.height for box in column.boxes)
        assert tall == pytest.approx(room * sum(day) / most, abs=0.3)
        assert sheet.left <= column.x <= column.x + column.width <= sheet.width + 0.1
        if column.boxes:
            assert column.boxes[0].y + column.boxes[0].height == pytest.approx(chart.floor, abs=0.1)


@given(st.integers(1, 90), st.sampled_from([WIDE, NARROW]))
def test_the_last_column_has_a_label_and_there_are_never_too_many(count, sheet):
    labels = [str(at) for at in range(count)]
    chart = charts.bars(labels, [Series(name="a", kind="a", numbers=[1] * count)], sheet)
    assert chart.columns[-1].has_label
    assert sum(column.has_label for column in chart.columns) <= sheet.labels


def test_a_series_that_is_too_short_is_no_chart():
    with pytest.raises(ValueError, match="argument"):
        charts.bars(["a", "b"], [Series(name="a", kind="a", numbers=[1])], WIDE)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def busy(site):
    """The server of this module, where a policy stopped calls, and an agent is governed by nothing."""
    rules = [{"expr": "tool_call.arguments.amount < 10"}]
    policy = {"name": f"small {EVIL}", "rules": rules, "workspace_id": "w2", "action": "block"}
    await site.world.make("/v1/policies", policy)
    await site.world.make("/v1/agents", {"id": "loose", "name": f"Loose {EVIL}"})
    call = {"name": "pay", "arguments": {"amount": 11}}
    asked = {"workspace_id": "w2", "phase": "tool_call", "tool_call": call, "agent_id": "payer"}
    for _ in range(3):
        await site.world.make("/v1/decisions", asked)
    return site


async def test_the_overview_tells_what_is_enforced_what_it_did_and_what_is_not_governed(busy):
    page = (await busy.shown("/")).text
    assert EVIL not in page
    assert re.search(r"Nothing is enforced on \d+ agents?\.", page)
    assert "/agents/loose" in page
    assert "/agents/payer" not in page.partition("Violations over time")[0]
    assert re.search(r"Blocked <strong>3</strong>", page)
    assert re.search(r"<td class=\"number\">\d+</td>\s*<td>1 block</td>", page)


async def test_the_overview_counts_what_nobody_could_judge(busy):
    def undecided(page):
        found = re.search(
            r"In <strong[^>]*>(\d+)</strong> of the latest \d+ decisions there was a rule", page
        )
        return int(found[1])

    before = undecided((await busy.shown("/")).text)
    asked = {"workspace_id": "w2", "phase": "tool_call", "tool_call": {"name": "pay", "arguments": {}}}
    await busy.world.make("/v1/decisions", {**asked, "agent_id": "vague"})
    assert undecided((await busy.shown("/")).text) == before + 1


async def test_another_span_shows_another_number_of_days(busy):
    for chosen in ("7", "90"):
        page = (await busy.shown(f"/?days={chosen}")).text
        assert page.count('<th scope="row">20') == int(chosen)
    assert (await busy.shown("/?days=x")).text.count('<th scope="row">20') == 30


async def test_decisions_are_told_by_how_they_came_out_to_whoever_may_count_all(busy):
    assert 'hx-get="/outcomes?days=7"' in (await busy.shown("/?days=7")).text
    page = (await busy.shown("/outcomes?days=7")).text
    said = dict(re.findall(r"</svg> ([\w ]+) <strong>(\d+)</strong>", page))
    assert list(said) == ["Blocked", "Held for a person", "Flagged", "Allowed"]
    assert int(said["Blocked"]) >= 3
    today = re.search(r'<th scope="row">20.*?</tr>', page, re.DOTALL)[0]
    *counts, both = map(int, re.findall(r'class="number">(\d+)', today))
    assert (counts[0], both) == (int(said["Blocked"]), sum(counts))
    assert page.count('<th scope="row">20') == 7


async def test_who_may_read_a_part_of_the_receipts_is_shown_violations_alone(busy):
    limited = {"name": "part", "scopes": ["receipts:read"], "workspace_id": "w2"}
    busy.world.keys["part"] = (await busy.world.make("/v1/keys", limited))["key"]
    page = (await busy.shown("/", "part")).text
    assert "Violations over time" in page
    assert "/outcomes" not in page
    refused = await busy.shown("/outcomes", "part")
    assert refused.status_code == 403
    assert "It takes the right “Read receipts”" in refused.text


async def test_one_who_may_see_nothing_is_told_whom_to_ask(busy):
    page = (await busy.shown("/", "nobody")).text
    assert "You have no role in a workspace" in page
    assert "Violations over time" not in page


async def test_another_tenant_sees_nothing_of_it(busy):
    page = (await busy.shown("/", "stranger")).text
    assert "small" not in page
    assert "First steps" in page


async def test_first_steps_are_marked_as_they_are_done(busy):
    await busy.world.make("/v1/policies", {"name": "p", "rules": [{"expr": "true"}]}, "stranger")
    page = (await busy.shown("/", "stranger")).text
    assert page.count('<li class="done">') == 1
    await busy.world.make("/v1/agents", {"id": "a"}, "stranger")
    await busy.world.make("/v1/decisions", {"phase": "input", "user_intent": "hello"}, "stranger")
    assert "First steps" not in (await busy.shown("/", "stranger")).text


@pytest.mark.parametrize("view", [DESK, PHONE], ids=str)
@pytest.mark.usefixtures("busy")
async def test_the_overview_is_accessible_however_one_looks(page):
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Violations over time")).to_be_visible()
    await expect(page.get_by_role("img", name="Decisions a day for 30 days")).to_be_visible()
    await assert_accessible(page)


@pytest.mark.usefixtures("busy")
async def test_the_numbers_of_the_chart_are_there_as_a_table(page):
    await page.goto("/")
    for chart, head in (("Decisions", "Held for a person"), ("Violations", "Blocked")):
        card = page.get_by_role("region", name=f"{chart} over time")
        await card.get_by_text("The numbers as a table").click()
        await expect(card.get_by_role("columnheader", name=head)).to_be_visible()
