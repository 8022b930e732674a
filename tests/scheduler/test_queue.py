"""Who gets the next line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from scheduler.queue import LOOK_AGAIN, NEAR_END, Queue, Step

NOW = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)
END = NOW + timedelta(hours=2)


def step(person: str, risk: int = 0, until: datetime = END, tried: bool = False) -> Step:
    return Step(person, "2026-11-22", "morning", risk, until, tried)


def taken(queue: Queue, now: datetime = NOW) -> list[str]:
    """Who is taken one after another, each for good."""
    found = []
    while each := queue.take(now):
        queue.drop(each.key)
        found.append(each.person_id)
    return found


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def test_nobody_before_their_time() -> None:
    queue = Queue()
    queue.put(step("a"), at(5))
    assert queue.next_at() == at(5)
    assert taken(queue, at(4.9)) == []
    assert taken(queue, at(5)) == ["a"]
    assert queue.next_at() is None
    assert len(queue) == 0


def test_high_risk_first_then_who_has_less_time_then_who_waits_longer() -> None:
    queue = Queue()
    queue.put(step("late"), at(-1))
    queue.put(step("early"), at(-2))
    queue.put(step("soon over", until=at(60)), at(-1))
    queue.put(step("high", risk=2), NOW)
    queue.put(step("high again", risk=2, tried=True), NOW)
    assert taken(queue) == ["high", "high again", "soon over", "early", "late"]


def test_first_calls_first_until_the_window_is_nearly_over() -> None:
    for now, wanted in ((NOW, ["first", "again"]), (END - NEAR_END, ["again", "first"])):
        queue = Queue()
        queue.put(step("again", tried=True), at(-9))
        queue.put(step("first"), at(-1))
        assert taken(queue, now) == wanted


def test_what_is_put_again_or_dropped_counts_once_or_not_at_all() -> None:
    queue = Queue()
    for minutes in (0, 10, 5):
        queue.put(step("a"), at(minutes))
    queue.put(step("b"), NOW)
    queue.drop(step("b").key)
    assert taken(queue) == []
    assert taken(queue, at(4.9)) == []
    assert taken(queue, at(10)) == ["a"]


def test_who_waits_for_a_telephone_is_due_when_it_is_free() -> None:
    queue = Queue()
    queue.put(step("a"), at(30), "0310000001")
    queue.put(step("b"), at(30), "0310000001")
    queue.drop(step("b").key)
    queue.free("0310000002", NOW)
    assert taken(queue) == []
    queue.free("0310000001", NOW)
    assert taken(queue) == ["a"]
    queue.put(step("c"), at(30), "0310000003")
    assert taken(queue, at(30)) == ["c"]  # at the latest, should nobody tell


def test_whose_window_is_over_needs_no_line() -> None:
    queue = Queue()
    queue.put(step("over", until=at(1)), NOW)
    queue.put(step("not yet", until=at(3)), NOW)
    queue.put(step("looked at again later", until=at(1)), at(2))
    assert queue.due(at(1)) == 2
    over = queue.take_over(at(1))
    assert over is not None
    assert over.person_id == "over"
    assert queue.take_over(at(1)) is None
    assert taken(queue, at(1)) == ["not yet"]


def test_who_is_taken_comes_again_unless_somebody_says_what_comes_next() -> None:
    queue = Queue()
    for each in "abc":
        queue.put(step(each), NOW)
    assert [queue.take(NOW), queue.take(NOW), queue.take(NOW)] == [step("a"), step("b"), step("c")]
    assert queue.take(NOW) is None
    assert len(queue) == 3
    queue.put(step("b"), at(10))
    queue.drop(step("c").key)
    assert queue.due_at(step("a").key) == queue.next_at() == NOW + LOOK_AGAIN
    assert taken(queue, NOW + LOOK_AGAIN / 2) == []
    assert taken(queue, NOW + LOOK_AGAIN) == ["a"]
    assert taken(queue, at(10)) == ["b"]
    assert len(queue) == 0


def test_who_was_taken_when_the_window_ended_comes_again_too() -> None:
    queue = Queue()
    queue.put(step("a", until=at(0)), at(-1))
    queue.put(step("b", until=at(0.1)), at(-1))
    assert [queue.take_over(NOW), queue.take(NOW)] == [step("a", until=at(0)), step("b", until=at(0.1))]
    assert queue.take_over(at(0.4)) is None
    again = NOW + LOOK_AGAIN
    assert {queue.take_over(again), queue.take_over(again)} == {step("a", until=at(0)), step("b", until=at(0.1))}


def test_a_clock_that_was_put_back_keeps_nobody_who_was_taken() -> None:
    queue = Queue()
    queue.put(step("a"), NOW)
    assert queue.take(NOW) == step("a")
    assert taken(queue, at(-60)) == ["a"]


def test_who_is_to_be_rung_by_a_trunk_waits_for_it_and_nobody_waits_for_them() -> None:
    queue = Queue()
    queue.put(replace(step("east", risk=2), trunk="east"), NOW)
    queue.put(replace(step("west"), trunk="west"), NOW)
    queue.put(step("any"), at(1))
    assert queue.due(at(1)) == 3
    found = []
    while each := queue.take(at(1), not_by={"east"}):
        queue.drop(each.key)
        found.append(each.person_id)
    assert found == ["west", "any"]
    assert queue.next_at() == NOW
    assert taken(queue, at(1)) == ["east"]


def test_some_are_taken_only_if_nobody_else_is_due() -> None:
    queue = Queue()
    for index, person in enumerate("abc"):
        queue.put(step(person, risk=3 - index), NOW)
    found = []
    while each := queue.take(NOW, not_these={"a", "b"}):
        queue.drop(each.key)
        found.append(each.person_id)
    assert found == ["c", "a", "b"]
    assert queue.due(NOW) == 0
