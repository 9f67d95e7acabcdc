import statistics as stdlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import InvalidInput
from bylaw.review.statistics import (
    DAY_MS,
    HOUR_MS,
    Span,
    filled,
    span_of,
    summary,
    total,
)
from bylaw.review.store import Tally
from bylaw.storage.ranges import around, inside, merged, without

NOW = 1_767_225_600_000 + 5 * HOUR_MS + 7


@given(st.lists(st.integers(0, 10_000), min_size=2, max_size=60))
def test_a_summary_is_what_statistics_says_it_is(values):
    told = summary(values)
    tenths = stdlib.quantiles(values, n=10, method="inclusive")
    assert (told.total, told.min, told.max) == (sum(values), min(values), max(values))
    assert told.avg == pytest.approx(stdlib.fmean(values))
    assert told.std_dev == pytest.approx(stdlib.pstdev(values), abs=1e-6)
    assert (told.p10, told.p50, told.p90) == pytest.approx((tenths[0], stdlib.median(values), tenths[8]))


def test_a_summary_of_nothing_is_zero():
    assert summary([]).total == 0
    assert (summary([3]).p90, summary([3]).std_dev) == (3, 0)


@pytest.mark.parametrize("window", ["24h", "7d", "30d", "90d", "180d", "365d"])
def test_a_window_ends_with_the_bucket_that_holds_now(window):
    span = span_of(window, NOW)
    assert span.to_ms - span.bucket_ms <= NOW < span.to_ms
    assert span.from_ms % span.bucket_ms == 0
    assert len(span.starts) * span.bucket_ms == int(window.strip("hd")) * (
        HOUR_MS if window.endswith("h") else DAY_MS
    )


def test_a_year_of_minutes_is_refused():
    with pytest.raises(InvalidInput, match="take longer ones"):
        span_of("365d", NOW, "10m")


def test_a_bucket_with_nothing_is_there():
    span = Span(from_ms=0, to_ms=3 * HOUR_MS, bucket_ms=HOUR_MS, bucket="1h")
    one = Tally(violations=2, blocks=1)
    assert filled({HOUR_MS: one}, span) == [Tally(), one, Tally()]
    assert total(filled({0: one, HOUR_MS: one}, span)) == Tally(violations=4, blocks=2)


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


def points(ranges):
    return {point for start, end in ranges for point in range(start, end)}


@given(spans, spans, st.integers(1, 9))
def test_ranges_hold_the_points_that_they_are_said_to(ones, others, step):
    ones, others = merged(ones), merged(others)
    assert points(without(ones, others)) == points(ones) - points(others)
    assert points(inside(ones, step)) <= points(ones) <= points(around(ones, step))
    for start, end in [*inside(ones, step), *around(ones, step)]:
        assert start % step == end % step == 0
    for point in points(ones) - points(inside(ones, step)):
        begin = point - point % step
        assert not set(range(begin, begin + step)) <= points(ones)
