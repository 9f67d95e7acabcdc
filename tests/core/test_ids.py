import uuid

from bylaw.core.clock import ManualClock, from_rfc3339, rfc3339
from bylaw.core.ids import Ids


def test_ids_rise_within_one_millisecond():
    ids = Ids(ManualClock())
    made = [ids.uuid7() for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == 2000
    ulids = [ids.ulid("rcpt_") for _ in range(2000)]
    assert ulids == sorted(ulids)
    assert len(set(ulids)) == 2000


def test_uuid7_carries_its_version_and_time():
    made = uuid.UUID(Ids(ManualClock(1_767_225_600_123)).uuid7())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 1_767_225_600_123


def test_ulid_has_prefix_and_26_characters():
    made = Ids(ManualClock()).ulid("pol_")
    assert made.startswith("pol_")
    assert len(made) == 30


def test_times_are_written_with_milliseconds_and_read_back():
    assert rfc3339(1_767_225_600_007) == "2026-01-01T00:00:00.007Z"
    assert from_rfc3339("2026-01-01T01:00:00.007+01:00") == 1_767_225_600_007
