"""What the centre's answers mean: every class of section 3.5 in a table, and how long anything waits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.sync.delivery import (
    FIRST_WAIT,
    LONGEST_ASKED,
    LONGEST_WAIT,
    MOST_TRIES,
    PROBE,
    ROUND,
    STOPPED_WAIT,
    Fault,
    Judged,
    Link,
    Reply,
    Sent,
    State,
    Verdict,
    ends_round,
    judge,
    next_link,
    round_size,
    settle,
    wait_after,
)

NOW = datetime(2025, 1, 6, tzinfo=UTC)
KEY, HASH = "key-1", "ab" * 32
GOOD: Mapping[str, object] = {"key": KEY, "sha256": HASH, "record_id": "R-1"}
SENT = Sent(1, KEY, HASH, 0, None)

RETRY, PARK, STOP, DONE = Verdict.RETRY, Verdict.PARK, Verdict.STOP, Verdict.ACKNOWLEDGED


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("reply", "verdict", "reason", "of_link"),
    [
        pytest.param(Reply(201, body=GOOD), DONE, "", False, id="stored"),
        pytest.param(Reply(200, body=GOOD), DONE, "", False, id="stored before"),
        pytest.param(Reply(200, body=dict(GOOD, more=1)), DONE, "", False, id="says more"),
        pytest.param(Reply(201, body=dict(GOOD, key="key-2")), RETRY, "wrong_key", False, id="another key"),
        pytest.param(Reply(201, body=dict(GOOD, sha256="cd" * 32)), PARK, "other_bytes", False, id="other bytes"),
        pytest.param(Reply(201, body=dict(GOOD, record_id="")), RETRY, "no_record_id", False, id="empty id"),
        pytest.param(Reply(201, body=dict(GOOD, record_id=7)), RETRY, "no_record_id", False, id="id no text"),
        pytest.param(Reply(201, body=dict(GOOD, record_id="x" * 201)), RETRY, "no_record_id", False, id="long id"),
        pytest.param(Reply(201, body=dict(GOOD, record_id="a\nb")), RETRY, "no_record_id", False, id="id of two lines"),
        pytest.param(Reply(200), RETRY, "unreadable", False, id="no json"),
        pytest.param(Reply(200, body=[GOOD]), RETRY, "unreadable", False, id="a list"),
        pytest.param(Reply(202, body=GOOD), RETRY, "http_202", False, id="accepted is not stored"),
        pytest.param(Reply(204), RETRY, "http_204", False, id="no content"),
        pytest.param(Reply(301), STOP, "http_301", True, id="301"),
        pytest.param(Reply(307), STOP, "http_307", True, id="307"),
        pytest.param(Reply(400), PARK, "http_400", False, id="400"),
        pytest.param(Reply(401), STOP, "http_401", True, id="401"),
        pytest.param(Reply(403), STOP, "http_403", True, id="403"),
        pytest.param(Reply(404), STOP, "http_404", True, id="404: the address is wrong"),
        pytest.param(Reply(405), STOP, "http_405", True, id="405"),
        pytest.param(Reply(407), STOP, "http_407", True, id="407: the proxy"),
        pytest.param(Reply(408), RETRY, "http_408", True, id="408"),
        pytest.param(Reply(409), RETRY, "http_409", False, id="409: the first is in progress"),
        pytest.param(Reply(413), PARK, "http_413", False, id="413"),
        pytest.param(Reply(415), PARK, "http_415", False, id="415"),
        pytest.param(Reply(422), PARK, "http_422", False, id="422"),
        pytest.param(Reply(429), RETRY, "http_429", True, id="429"),
        pytest.param(Reply(500), RETRY, "http_500", False, id="500"),
        pytest.param(Reply(502), RETRY, "http_502", True, id="502"),
        pytest.param(Reply(503), RETRY, "http_503", True, id="503"),
        pytest.param(Reply(504), RETRY, "http_504", True, id="504"),
        pytest.param(Reply(fault=Fault.UNREACHABLE), RETRY, "unreachable", True, id="down"),
        pytest.param(Reply(fault=Fault.CUT), RETRY, "cut", True, id="cut"),
        pytest.param(Reply(fault=Fault.TIMED_OUT), RETRY, "timed_out", True, id="slow"),
        pytest.param(Reply(fault=Fault.TLS), STOP, "tls", True, id="certificate"),
        pytest.param(Reply(200, Fault.TOO_BIG), RETRY, "too_big", False, id="huge"),
    ],
)
def test_what_an_answer_means(reply: Reply, verdict: Verdict, reason: str, of_link: bool) -> None:
    judged = judge(reply, KEY, HASH)
    assert (judged.verdict, judged.reason, judged.of_link) == (verdict, reason, of_link)
    assert (judged.record_id is not None) == (verdict is DONE)


@given(st.integers(100, 599), st.one_of(st.none(), st.dictionaries(st.text(), st.text()), st.integers()))
def test_nothing_but_a_full_acknowledgement_counts(status: int, body: object) -> None:
    assert judge(Reply(status, body=body), KEY, HASH).verdict is not DONE


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waits_grow_and_end_growing(failures: int, chance: float) -> None:
    assert FIRST_WAIT / 2 <= wait_after(failures, chance) <= LONGEST_WAIT
    assert wait_after(failures, chance) <= wait_after(failures + 1, chance)


def test_the_waits() -> None:
    assert [wait_after(each, 1.0) for each in range(1, 10)] == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_what_is_written_down() -> None:
    done = settle(SENT, Judged(DONE, "", "R-1"), Link(), NOW, 0.5)
    assert (done.state, done.next_at, done.record_id) == (State.ACKNOWLEDGED, None, "R-1")
    parked = settle(SENT, Judged(PARK, "http_400"), Link(), NOW, 0.5)
    assert (parked.state, parked.next_at, parked.problem) == (State.PARKED, None, "http_400")
    again = settle(SENT, Judged(RETRY, "http_500"), Link(), NOW, 1.0)
    assert (again.state, again.next_at, again.tries, again.failed_since) == (State.WAITING, later(5), 1, NOW)
    third = settle(replace(SENT, tries=2), Judged(RETRY, "http_500"), Link(), NOW, 1.0)
    assert third.next_at == later(20)
    # Nobody's document is to blame for a certificate.
    stopped = settle(SENT, Judged(STOP, "tls", of_link=True), Link(), NOW, 1.0)
    assert (stopped.state, stopped.next_at, stopped.tries) == (State.WAITING, NOW, 0)


def test_a_centre_may_ask_for_a_wait_but_not_for_ever() -> None:
    asked = Judged(RETRY, "http_429", of_link=True, retry_after=100.0)
    assert settle(SENT, asked, Link(), NOW, 1.0).next_at == later(100)
    assert next_link(Link(), [asked], NOW, 1.0).until == later(100)
    year = replace(asked, retry_after=3e7)
    assert settle(SENT, year, Link(), NOW, 1.0).next_at == later(LONGEST_ASKED)
    assert next_link(Link(), [year], NOW, 1.0).until == later(LONGEST_ASKED)
    # Also when others of the round were stored.
    assert next_link(Link(), [asked, Judged(DONE, "", "R-1")], NOW, 1.0).until == later(100)


def test_a_document_that_alone_fails_is_parked_at_last() -> None:
    often = replace(SENT, tries=MOST_TRIES - 1, failed_since=NOW)
    failed = Judged(RETRY, "http_500")
    assert settle(often, failed, Link(last_success=later(60)), later(90), 1.0).state is State.PARKED
    # Not while nothing gets through: then it is the centre.
    assert settle(often, failed, Link(last_success=later(-60)), later(90), 1.0).state is State.WAITING
    assert settle(often, failed, Link(), later(90), 1.0).state is State.WAITING
    cut = Judged(RETRY, "cut", of_link=True)
    assert settle(often, cut, Link(last_success=later(60)), later(90), 1.0).state is State.WAITING


def test_how_the_way_stands() -> None:
    done, failed, gone = Judged(DONE, "", "R-1"), Judged(RETRY, "http_500"), Judged(RETRY, "cut", of_link=True)
    refused = Judged(STOP, "http_401", of_link=True)
    assert next_link(Link(), [done, failed, gone], NOW, 1.0) == Link(last_success=NOW)
    # One or two documents may be broken; more are not at once.
    assert next_link(Link(), [failed, failed], NOW, 1.0) == Link()
    assert next_link(Link(), [failed] * 3, NOW, 1.0) == Link(1, later(5), "http_500")
    assert next_link(Link(2, NOW, "cut"), [gone], NOW, 1.0) == Link(3, later(20), "cut")
    stopped = next_link(Link(), [done, refused], NOW, 1.0)
    assert stopped == Link(1, later(STOPPED_WAIT), "http_401", stopped=True)
    assert next_link(stopped, [done], NOW, 1.0) == Link(last_success=NOW)
    assert next_link(stopped, [gone], NOW, 1.0).stopped is False
    assert next_link(stopped, [Judged(PARK, "http_400")], NOW, 1.0) == Link()
    assert next_link(stopped, [], NOW, 1.0) == stopped


def test_how_much_is_sent() -> None:
    assert round_size(Link(), NOW) == ROUND
    assert round_size(Link(1, later(5), "cut"), NOW) == 0
    assert round_size(Link(1, later(5), "cut"), later(5)) == PROBE
    assert round_size(Link(1, later(5), "tls", stopped=True), later(5)) == 1
    # Written by a clock that was wrong: nobody waits for years.
    assert round_size(Link(1, NOW + timedelta(days=400), "cut"), NOW) == PROBE


def test_a_round_ends_where_going_on_is_useless() -> None:
    assert ends_round(Judged(STOP, "tls", of_link=True))
    assert ends_round(Judged(RETRY, "timed_out", of_link=True))
    assert not ends_round(Judged(RETRY, "http_500"))
    assert not ends_round(Judged(PARK, "http_400"))
