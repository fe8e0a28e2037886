"""Ids: what their bits say, and that they rise."""

import time

from chassis.ids import new_id


def test_an_id_is_a_uuid_of_version_7_that_tells_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000
    id_ = new_id()
    after = time.time_ns() // 1_000_000
    assert (id_.version, id_.variant) == (7, "specified in RFC 4122")
    assert before <= id_.int >> 80 <= after


def test_ids_made_at_once_rise_and_differ() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
