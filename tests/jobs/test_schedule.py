"""When recurring work is due: what lines of cron mean, and which are none."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import InvalidInput
from bylaw.jobs.schedule import parse_cron


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("line", "now", "then"),
    [
        ("* * * * *", "2026-01-01T00:00", "2026-01-01T00:01"),
        ("* * * * *", "2026-01-01T00:00:59.999", "2026-01-01T00:01"),
        ("0 3 * * *", "2026-01-01T03:00", "2026-01-02T03:00"),
        ("0 3 * * *", "2026-01-01T02:59", "2026-01-01T03:00"),
        ("*/15 * * * *", "2026-01-01T00:46", "2026-01-01T01:00"),
        ("5-20/5 8,12 * * *", "2026-01-01T08:20", "2026-01-01T12:05"),
        ("0 0 29 2 *", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 29 2 *", "2096-03-01T00:00", "2104-02-29T00:00"),
        ("0 0 * * 1", "2026-01-01T00:00", "2026-01-05T00:00"),
        ("0 0 * * 7", "2026-01-01T00:00", "2026-01-04T00:00"),
        ("0 0 13 * 5", "2026-02-01T00:00", "2026-02-06T00:00"),
        ("0 0 */10 * *", "2026-01-01T00:00", "2026-01-11T00:00"),
        ("30 23 31 12 *", "2026-12-31T23:30", "2027-12-31T23:30"),
    ],
)
def test_the_next_moment(line, now, then):
    assert parse_cron(line).after(ms(now)) == ms(then)


@pytest.mark.parametrize(
    "line",
    [
        "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
        "5-1 * * * *", "*/0 * * * *", "a * * * *", "1,,2 * * * *", "-1 * * * *", "*/x * * * *",
        "1-2-3 * * * *",
    ],
)  # fmt: skip
def test_what_is_no_line_of_cron(line):
    with pytest.raises(InvalidInput) as refused:
        parse_cron(line)
    assert refused.value.problems[0].code == "bad_cron"


def test_a_day_that_never_comes():
    with pytest.raises(InvalidInput):
        parse_cron("0 0 30 2 *").after(0)


@given(
    st.builds(
        lambda *fields: " ".join(fields),
        *(
            st.integers(low, high).map(str) | st.just("*")
            for low, high in ((0, 59), (0, 23), (1, 28), (1, 12))
        ),
        st.integers(0, 7).map(str) | st.just("*"),
    ),
    st.integers(0, 4_000_000_000_000),
)
def test_the_next_moment_is_the_first_that_fits(line, now):
    cron = parse_cron(line)
    then = cron.after(now)
    assert then > now
    assert then % 60_000 == 0
    moment = datetime.fromtimestamp(then / 1000, UTC)
    minute, hour, day, month, weekday = line.split()
    assert minute in {"*", str(moment.minute)}
    assert hour in {"*", str(moment.hour)}
    assert month in {"*", str(moment.month)}
    in_week = weekday != "*" and int(weekday) % 7 == moment.isoweekday() % 7
    in_month = day != "*" and int(day) == moment.day
    assert in_week or in_month or (day == weekday == "*")
    earlier = moment - timedelta(minutes=1)
    if int(earlier.timestamp() * 1000) > now:
        assert cron.after(int(earlier.timestamp() * 1000) - 1) in {then, int(earlier.timestamp() * 1000)}
