"""What the ends of calls say about a trunk: a row for each line of the rule."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.call import Fault, Outcome
from scheduler.health import FIRST_PROBE_AFTER, PROBE_AFTER, End, Health, began, inherited, judge

NOW = datetime(2026, 11, 4, 0, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def refused(person: str, status: int = 403, fault: Fault = Fault.TRUNK) -> End:
    return End(Outcome.REFUSED, status, fault=fault, person_id=person, began=NOW)


A, B, C = (refused(each) for each in "ABC")
SILENT = End(Outcome.UNREACHABLE, 408, fault=Fault.TRUNK, began=NOW)
NEVER_RANG = End(Outcome.NO_ANSWER, 480, fault=Fault.TRUNK, began=NOW)
BUSY = End(Outcome.BUSY, 486, fault=Fault.PERSON, began=NOW)
BAD = End(Outcome.BAD_NUMBER, 404, fault=Fault.NUMBER, began=NOW)
TAKEN = End(None, answered=True, began=NOW)
FULL = End(Outcome.CONGESTION, 503, fault=Fault.TRUNK, began=NOW)
LOST = End(None)
NEVER_SENT = End(Outcome.FAILED)
EARLIER = End(Outcome.BUSY, 486, fault=Fault.PERSON, began=after(-1))

#: One person's call was turned down, then another's, then the one that found out.
DOUBTED = Health(0, 1, 403, fault=Fault.TRUNK, people=("A",), since=NOW)
BARRED = Health(barred=frozenset("A"))
CLOSED = Health(0, 2, 403, after(FIRST_PROBE_AFTER), "", Fault.TRUNK, ("A", "B"), NOW, 1)
PROBED = began(CLOSED, "a-1")
AGAIN = Health(0, 3, 403, after(60), "", Fault.TRUNK, ("A", "B", "C"), NOW, 2)


@pytest.mark.parametrize(
    ("health", "end", "attempt", "wanted"),
    [
        pytest.param(Health(), BUSY, "a-0", Health(), id="all is well"),
        pytest.param(Health(), SILENT, "a-0", Health(1), id="one that nobody answered"),
        pytest.param(Health(2), SILENT, "a-0", Health(3), id="three in a row"),
        pytest.param(Health(2), NEVER_RANG, "a-0", Health(3), id="our own time over and not a word: the same"),
        pytest.param(Health(2), BUSY, "a-0", Health(), id="any answer ends the row"),
        pytest.param(Health(3), TAKEN, "a-0", Health(), id="so does a conversation"),
        pytest.param(Health(3), End(Outcome.NO_ANSWER, 480, fault=Fault.PERSON), "a-0", Health(), id="and ringing"),
        pytest.param(Health(2), LOST, "a-0", Health(2), id="what nobody knows says nothing"),
        pytest.param(Health(2), NEVER_SENT, "a-0", Health(2), id="nor does what was never sent"),
        pytest.param(Health(2), A, "a-0", DOUBTED, id="one that is turned down closes nothing"),
        pytest.param(DOUBTED, A, "a-0", Health(0, 2, 403, fault=Fault.TRUNK, people=("A",), since=NOW), id="the same"),
        pytest.param(DOUBTED, B, "a-0", CLOSED, id="somebody else too, and nobody between: the trunk's"),
        pytest.param(DOUBTED, BUSY, "a-0", Health(barred=frozenset("A")), id="somebody else got through"),
        pytest.param(DOUBTED, BAD, "a-0", Health(barred=frozenset("A")), id="to whoever has no such number too"),
        pytest.param(DOUBTED, TAKEN, "a-0", Health(barred=frozenset("A")), id="or talks"),
        pytest.param(BARRED, A, "a-0", BARRED, id="turned down again, and others were not: the person's"),
        pytest.param(BARRED, B, "a-0", replace(DOUBTED, people=("B",), barred=frozenset("A")), id="B"),
        pytest.param(DOUBTED, EARLIER, "a-0", DOUBTED, id="begun before: clears nobody"),
        pytest.param(DOUBTED, FULL, "a-0", DOUBTED, id="full: clears nobody"),
        pytest.param(DOUBTED, LOST, "a-0", DOUBTED, id="lost: clears nobody"),
        pytest.param(
            CLOSED, C, "a-0", Health(0, 2, 403, after(10), "", Fault.TRUNK, ("A", "B", "C"), NOW, 1), id="late"
        ),
        pytest.param(CLOSED, BUSY, "a-0", CLOSED, id="begun before: the gate stays closed"),
        pytest.param(PROBED, C, "a-1", AGAIN, id="refused again: a longer wait"),
        pytest.param(PROBED, BUSY, "a-1", Health(barred=frozenset("AB")), id="any other answer: taken again"),
        pytest.param(PROBED, SILENT, "a-1", Health(1, barred=frozenset("AB")), id="no answer at all is another fault"),
        pytest.param(PROBED, LOST, "a-1", CLOSED, id="lost: once more, as long"),
        pytest.param(
            Health(3), End(Outcome.CUT_OFF, 403, True, Fault.PERSON), "a-0", Health(), id="hung up so after an answer"
        ),
    ],
)
def test_judge(health: Health, end: End, attempt: str, wanted: Health) -> None:
    assert judge(health, attempt, end, NOW) == wanted


def test_what_is_ours_or_our_numbers_closes_as_the_trunks() -> None:
    for fault in (Fault.IDENTITY, Fault.US):
        doubted = judge(Health(), "a-0", refused("A", 433, fault), NOW)
        closed = judge(doubted, "a-1", refused("B", 433, fault), NOW)
        assert (doubted.is_refused, closed.is_refused, closed.fault) == (False, True, fault)


def test_the_waits_grow_and_then_stay() -> None:
    health, waits = Health(), []
    for number in range(8):
        health = judge(began(health, f"a-{number}"), f"a-{number}", refused(f"P{number}"), NOW)
        waits.append(None if health.probe_at is None else (health.probe_at - NOW).total_seconds())
    assert waits == [None, FIRST_PROBE_AFTER, *PROBE_AFTER, 600.0, 600.0]


def test_three_without_an_answer_are_suspect() -> None:
    assert [Health(each).is_suspect for each in range(5)] == [False, False, False, True, True]


def test_one_call_finds_out_and_only_when_it_is_time() -> None:
    assert not Health().may_probe(NOW)
    assert not CLOSED.may_probe(after(9))
    assert CLOSED.may_probe(after(10))
    assert not PROBED.may_probe(after(10))


def test_a_call_by_a_trunk_that_takes_calls_finds_out_nothing() -> None:
    assert began(Health(), "a-1") == Health()
    assert began(DOUBTED, "a-1") == DOUBTED


def test_a_trunk_that_refused_the_process_before_us_is_tried_once_and_at_once() -> None:
    health = inherited(NOW)
    assert health.may_probe(NOW)
    again = judge(began(health, "a-1"), "a-1", A, NOW)
    assert again.probe_at == after(PROBE_AFTER[0])
    assert judge(began(health, "a-1"), "a-1", BUSY, NOW) == Health()
