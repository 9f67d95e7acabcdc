import pytest

from bylaw.api import limits as limits_module
from bylaw.api.limits import Limits
from bylaw.core.clock import ManualClock
from bylaw.core.errors import RateLimited

KEY = ("t", "k")


def test_a_key_may_burst_to_its_limit_and_no_further():
    limits = Limits(ManualClock(), 3)
    assert [limits.take(KEY, None).remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(RateLimited) as caught:
        limits.take(KEY, None)
    assert caught.value.retry_after_s == 21
    assert limits.take(("t", "other"), None).remaining == 2


def test_a_bucket_fills_with_time():
    clock = ManualClock()
    limits = Limits(clock, 60)
    for _ in range(60):
        limits.take(KEY, None)
    clock.advance(999)
    with pytest.raises(RateLimited) as caught:
        limits.take(KEY, None)
    clock.advance(caught.value.retry_after_s * 1000)
    limits.take(KEY, None)
    clock.advance(3_600_000)
    assert limits.take(KEY, None).remaining == 59


def test_who_waits_as_told_gets_in():
    clock = ManualClock()
    limits = Limits(clock, 7)
    for _ in range(50):
        try:
            limits.take(KEY, None)
        except RateLimited as error:
            clock.advance(error.retry_after_s * 1000)
            limits.take(KEY, None)


def test_the_limit_of_the_key_goes_before_the_default():
    limits = Limits(ManualClock(), 1)
    assert limits.take(KEY, 10).limit == 10


def test_a_batch_costs_what_it_holds_but_never_more_than_all():
    limits = Limits(ManualClock(), 10)
    assert limits.take(KEY, None, cost=4).remaining == 6
    with pytest.raises(RateLimited):
        limits.take(KEY, None, cost=7)
    clock = ManualClock()
    limits = Limits(clock, 10)
    assert limits.take(KEY, None, cost=50).remaining == 0
    with pytest.raises(RateLimited):
        limits.take(KEY, None)


def test_a_clock_that_is_set_back_takes_nothing_from_a_bucket():
    clock = ManualClock()
    limits = Limits(clock, 60)
    limits.take(KEY, None)
    clock.advance(-3_600_000)
    assert limits.take(KEY, None).remaining == 58
    clock.advance(1000)
    assert limits.take(KEY, None).remaining == 58


def test_a_crowd_of_callers_is_forgotten_the_oldest_first(monkeypatch):
    monkeypatch.setattr(limits_module, "_MOST_BUCKETS", 10)
    limits = Limits(ManualClock(), 2)
    for n in range(25):
        limits.take(("", str(n)), None)
    assert len(limits._buckets) <= 10
    assert limits.take(("", "24"), None).remaining == 0
    assert limits.take(("", "0"), None).remaining == 1
