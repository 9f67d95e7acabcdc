from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.clock import ManualClock, SystemClock, from_rfc3339, rfc3339

MOMENTS = st.integers(0, from_rfc3339("9999-12-31T23:59:59.999Z"))


def test_the_machine_s_clock_tells_one_time_in_both_forms():
    clock = SystemClock()
    before = clock.now_ms()
    now = clock.now()
    assert now.tzinfo is UTC
    assert before <= now.timestamp() * 1000 <= clock.now_ms() + 1


def test_a_manual_clock_moves_only_when_told():
    clock = ManualClock(from_rfc3339("2026-01-01T00:00:00Z"))
    clock.advance(1_500)
    assert (rfc3339(clock.now_ms()), clock.now()) == (
        "2026-01-01T00:00:01.500Z",
        datetime(2026, 1, 1, 0, 0, 1, 500_000, UTC),
    )


@given(MOMENTS)
def test_a_moment_reads_back_from_its_text(ms):
    assert from_rfc3339(rfc3339(ms)) == ms


def test_another_offset_is_the_same_moment():
    assert from_rfc3339("2026-01-01T01:00:00+01:00") == from_rfc3339("2026-01-01T00:00:00Z")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T00:00:00"])
def test_a_time_without_an_offset_or_shape_is_refused(text):
    with pytest.raises(ValueError, match=r"offset|isoformat"):
        from_rfc3339(text)
