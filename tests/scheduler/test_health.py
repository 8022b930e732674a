"""What the ends of calls say about a trunk: a row for each line of the rule."""

from datetime import UTC, datetime, timedelta

import pytest

from ivr.call import Outcome
from scheduler.health import PROBE_AFTER, End, Health, began, inherited, judge

NOW = datetime(2026, 11, 4, 0, 0, tzinfo=UTC)
FORBIDDEN = End(Outcome.CONGESTION, 403)
SILENT = End(Outcome.UNREACHABLE, 408)
BUSY = End(Outcome.BUSY, 486)
LOST = End(None)
OUR_FAULT = End(Outcome.FAILED)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


REFUSED = Health(0, 1, 403, after(60))
PROBED = began(REFUSED, "a-1")


@pytest.mark.parametrize(
    ("health", "end", "attempt", "wanted"),
    [
        pytest.param(Health(), BUSY, "a-0", Health(), id="all is well"),
        pytest.param(Health(), SILENT, "a-0", Health(1), id="one that nobody answered"),
        pytest.param(Health(2), SILENT, "a-0", Health(3), id="three in a row"),
        pytest.param(Health(2), BUSY, "a-0", Health(), id="any answer ends the row"),
        pytest.param(Health(3), End(Outcome.ANSWERED, answered=True), "a-0", Health(), id="so does a conversation"),
        pytest.param(Health(3), End(Outcome.NO_ANSWER, 480), "a-0", Health(), id="and ringing"),
        pytest.param(Health(2), LOST, "a-0", Health(2), id="what nobody knows says nothing"),
        pytest.param(Health(2), OUR_FAULT, "a-0", Health(2), id="nor does what was never sent"),
        *(
            pytest.param(
                Health(2), End(Outcome.CONGESTION, status), "a-0", Health(0, 1, status, after(60)), id=f"{status}"
            )
            for status in (401, 403, 407)
        ),
        pytest.param(REFUSED, FORBIDDEN, "a-0", REFUSED, id="begun before: the wait stays"),
        pytest.param(REFUSED, BUSY, "a-0", REFUSED, id="begun before: the gate stays closed"),
        pytest.param(PROBED, FORBIDDEN, "a-1", Health(0, 2, 403, after(120)), id="refused again: a longer wait"),
        pytest.param(PROBED, BUSY, "a-1", Health(), id="any other answer: taken again"),
        pytest.param(PROBED, SILENT, "a-1", Health(1), id="no answer at all is another fault"),
        pytest.param(PROBED, LOST, "a-1", Health(0, 1, 403, after(60)), id="lost: once more, as long"),
        pytest.param(
            Health(0, 9, 403, NOW, probe="a-1"), FORBIDDEN, "a-1", Health(0, 10, 403, after(600)), id="never longer"
        ),
        pytest.param(
            Health(), End(Outcome.CUT_OFF, 403, answered=True), "a-0", Health(), id="hung up so after an answer"
        ),
    ],
)
def test_judge(health: Health, end: End, attempt: str, wanted: Health) -> None:
    assert judge(health, attempt, end, NOW) == wanted


def test_three_without_an_answer_are_suspect() -> None:
    assert [Health(each).is_suspect for each in range(5)] == [False, False, False, True, True]


def test_one_call_finds_out_and_only_when_it_is_time() -> None:
    assert not Health().may_probe(NOW)
    assert not REFUSED.may_probe(after(59))
    assert REFUSED.may_probe(after(60))
    assert not began(REFUSED, "a-1").may_probe(after(60))


def test_a_call_by_a_trunk_that_takes_calls_finds_out_nothing() -> None:
    assert began(Health(), "a-1") == Health()


def test_a_trunk_that_refused_the_process_before_us_is_tried_once_and_at_once() -> None:
    health = inherited(NOW)
    assert health.may_probe(NOW)
    again = judge(began(health, "a-1"), "a-1", FORBIDDEN, NOW)
    assert again.probe_at == after(PROBE_AFTER[1])
    assert judge(began(health, "a-1"), "a-1", BUSY, NOW) == Health()
