"""Each answer of a network, whose matter it is, and that no answer is without a meaning."""

from pathlib import Path

import pytest

from ivr.call import UNCLEAR, Fault, Outcome
from ivr.core.sip_statuses import NO_LINE, RANG_OUT, TABLE, Others, Rang, as_markdown, row_of, whose

DOCS = Path(__file__).parents[2] / "docs" / "dialler.md"

#: As Asterisk says of nearly every status that it has no Q.850 cause for.
CAUSE = 127


@pytest.mark.parametrize(
    ("statuses", "outcome", "fault"),
    [
        ((401, 402, 403, 407), Outcome.REFUSED, Fault.TRUNK),
        ((428, 433, 436, 437, 438, 608), Outcome.REFUSED, Fault.IDENTITY),
        ((400, 405, 416, 420, 421, 423, 488, 489, 493, 494, 606, 305, 505), Outcome.FAILED, Fault.US),
        ((300, 302, 380, 480), Outcome.UNREACHABLE, Fault.PERSON),
        ((301, 404, 410, 484, 485, 604), Outcome.BAD_NUMBER, Fault.NUMBER),
        ((470, 603, 607), Outcome.REJECTED, Fault.PERSON),
        ((486, 600), Outcome.BUSY, Fault.PERSON),
        ((408,), Outcome.UNREACHABLE, Fault.TRUNK),
        ((481, 482, 483, 500, 501, 502, 503, 504, 580), Outcome.CONGESTION, Fault.TRUNK),
        # By class alone.
        ((310, 399), Outcome.UNREACHABLE, Fault.PERSON),
        ((418, 451, 499), Outcome.FAILED, Fault.US),
        ((555, 599), Outcome.CONGESTION, Fault.TRUNK),
        ((601, 699), Outcome.REJECTED, Fault.PERSON),
        ((100, 199, 200, 700, 4711, -7), Outcome.FAILED, Fault.US),
    ],
)
def test_what_an_answer_means(statuses: tuple[int, ...], outcome: Outcome, fault: Fault) -> None:
    for status in statuses:
        row = row_of(status, CAUSE, Rang.NEVER)
        assert (row.outcome, row.fault) == (outcome, fault), status


@pytest.mark.parametrize(
    ("status", "rang", "outcome", "fault"),
    [
        (603, Rang.YES, Outcome.REJECTED, Fault.PERSON),
        (603, Rang.LONG, Outcome.NO_ANSWER, Fault.PERSON),
        (607, Rang.LONG, Outcome.NO_ANSWER, Fault.PERSON),
        (403, Rang.YES, Outcome.REJECTED, Fault.PERSON),
        (403, Rang.LONG, Outcome.NO_ANSWER, Fault.PERSON),
        (433, Rang.YES, Outcome.REJECTED, Fault.PERSON),
        (480, Rang.YES, Outcome.NO_ANSWER, Fault.PERSON),
        (408, Rang.YES, Outcome.NO_ANSWER, Fault.PERSON),
        (404, Rang.YES, Outcome.NO_ANSWER, Fault.PERSON),
        (488, Rang.LONG, Outcome.FAILED, Fault.PERSON),
        (486, Rang.LONG, Outcome.BUSY, Fault.PERSON),
        (503, Rang.YES, Outcome.CONGESTION, Fault.TRUNK),
        (504, Rang.LONG, Outcome.NO_ANSWER, Fault.PERSON),
        (RANG_OUT, Rang.LONG, Outcome.NO_ANSWER, Fault.PERSON),
        (RANG_OUT, Rang.ANY, Outcome.NO_ANSWER, Fault.PERSON),
        (RANG_OUT, Rang.NEVER, Outcome.NO_ANSWER, Fault.TRUNK),
    ],
)
def test_what_it_means_after_ringing(status: int, rang: Rang, outcome: Outcome, fault: Fault) -> None:
    row = row_of(status, CAUSE, rang)
    assert (row.outcome, row.fault) == (outcome, fault)


def test_the_status_goes_before_the_cause() -> None:
    """Asterisk says 21 for every 403, whatever the Reason header says (22.10.1)."""
    assert row_of(403, 17, Rang.NEVER).outcome is Outcome.REFUSED
    assert row_of(0, 17, Rang.NEVER).outcome is Outcome.BUSY


@pytest.mark.parametrize("fault", UNCLEAR)
def test_who_else_got_through_tells_whose_it_is(fault: Fault) -> None:
    assert whose(fault, Others.THROUGH, again=False) is Fault.PERSON
    assert whose(fault, Others.NONE, again=True) is Fault.PERSON
    assert whose(fault, Others.NONE, again=False) is fault
    # Two people in a row: it is no one's but the trunk's, however often each was tried.
    assert whose(fault, Others.REFUSED, again=True) is fault


@pytest.mark.parametrize("fault", [Fault.PERSON, Fault.NUMBER, None])
def test_what_is_clear_stays(fault: Fault | None) -> None:
    assert all(whose(fault, others, again) is fault for others in Others for again in (False, True))


def test_after_ringing_no_answer_but_a_full_network_is_the_trunks() -> None:
    """It rang: the trunk carried the call."""
    for status in (RANG_OUT, *range(300, 700)):
        row = row_of(status, CAUSE, Rang.YES)
        assert row.fault not in (Fault.IDENTITY, Fault.TRUNK) or row.outcome is Outcome.CONGESTION, status


def test_the_table_agrees_with_itself() -> None:
    for row in (*TABLE, NO_LINE):
        turned_down = row.outcome in (Outcome.REFUSED, Outcome.FAILED) and row.fault in UNCLEAR
        assert (row.through is Fault.PERSON) is (turned_down or (row.fault is Fault.TRUNK and not _full(row.outcome)))
        assert row.why


def _full(outcome: Outcome) -> bool:
    return outcome is Outcome.CONGESTION


def test_every_line_is_reached() -> None:
    """None stands behind one that takes all of its answers."""
    found = {id(row_of(status, CAUSE, rang)) for status in range(RANG_OUT, 701) for rang in Rang}
    assert [each.why for each in TABLE if id(each) not in found] == []


def test_the_documentation_holds_the_same_table() -> None:
    assert "\n".join(as_markdown()) in DOCS.read_text(encoding="utf-8")
