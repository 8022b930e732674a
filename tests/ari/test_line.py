"""Placing calls: the request goes out once, whatever becomes of its reply."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ari import line as line_module
from ivr.ari.client import AriClient
from ivr.ari.line import AriLine, check
from ivr.ari.phone import AriPhone
from ivr.call import Ending, Fault, Outcome
from ivr.numbers import Numbering, Plan, dialable
from ivr.phone import DialOrder, Line
from tests.ari.conftest import CALL, TAIL, settings_for
from tests.fakes.ari import Clock, FakeAsterisk, Reply, Seen, idle, make_channel

ORDER = DialOrder(CALL, "0310000001", ring_seconds=29.5)
POST = ("POST", f"/channels/{CALL}")


@pytest.fixture
def line(client: AriClient) -> AriLine:
    return AriLine(client, TAIL, lambda: True)


@pytest.fixture
async def dialling(line: AriLine, asterisk: FakeAsterisk) -> AsyncIterator[asyncio.Task[AriPhone | Ending]]:
    """ORDER under way; asterisk has seen the request."""
    task = asyncio.create_task(line.dial(ORDER))
    await asterisk.until_seen(*POST)
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_is_a_line(line: AriLine) -> None:
    as_line: Line = line
    assert as_line is line


async def test_the_request(asterisk: FakeAsterisk, dialling: asyncio.Task[AriPhone | Ending]) -> None:
    (seen,) = asterisk.seen(*POST)
    assert seen.body == {
        "endpoint": "PJSIP/0310000001@trunk",
        "context": "kenko-outbound",
        "extension": "answered",
        "priority": 1,
        "timeout": 30,
        "callerId": "05000000100",
        "variables": {"PJSIP_MEDIA_OFFER(audio)": "!all,ulaw,alaw"},
    }
    assert seen.params == {}


async def test_the_test_call_goes_to_ourselves_and_to_nobody_else(asterisk: FakeAsterisk, line: AriLine) -> None:
    dialling = asyncio.create_task(line.dial_ourselves(CALL))
    await asterisk.until_seen(*POST)
    (seen,) = asterisk.seen(*POST)
    assert isinstance(seen.body, dict)
    assert (seen.body["endpoint"], seen.body["context"]) == ("Local/key@kenko-test/n", "kenko-outbound")
    await asterisk.answered(CALL)
    assert isinstance(await dialling, AriPhone)


async def test_an_answered_call(asterisk: FakeAsterisk, dialling: asyncio.Task[AriPhone | Ending]) -> None:
    await asterisk.answered(CALL)
    phone = await dialling
    assert isinstance(phone, AriPhone)
    await phone.hang_up()
    assert CALL not in asterisk.channels


async def test_answered_before_the_reply(asterisk: FakeAsterisk, line: AriLine) -> None:
    dialling = asyncio.create_task(line.dial(ORDER))
    await asterisk.until_seen(*POST)
    await asterisk.answered(CALL)
    assert isinstance(await dialling, AriPhone)


@pytest.mark.parametrize(
    ("cause", "tech_cause", "outcome"),
    [(17, 486, Outcome.BUSY), (1, 404, Outcome.BAD_NUMBER), (34, 503, Outcome.CONGESTION), (0, None, Outcome.UNKNOWN)],
)
async def test_a_call_nobody_takes(
    asterisk: FakeAsterisk,
    line: AriLine,
    client: AriClient,
    dialling: asyncio.Task[AriPhone | Ending],
    cause: int,
    tech_cause: int | None,
    outcome: Outcome,
) -> None:
    await asterisk.destroyed(CALL, cause, tech_cause)
    assert await dialling == Ending(outcome, cause, tech_cause or 0)
    assert client.watched() == frozenset()


async def test_ringing_out(asterisk: FakeAsterisk, clock: Clock, dialling: asyncio.Task[AriPhone | Ending]) -> None:
    await clock.advance(29.4)
    asterisk.channels[CALL] = make_channel(CALL, state="Ringing")
    await asterisk.destroyed(CALL, 19, 480)
    assert await dialling == Ending(Outcome.NO_ANSWER, 19, 480)


async def test_a_dead_trunk_is_noted(
    asterisk: FakeAsterisk, clock: Clock, dialling: asyncio.Task[AriPhone | Ending]
) -> None:
    await clock.advance(29.4)
    await asterisk.destroyed(CALL, 19, 480)
    assert await dialling == Ending(Outcome.NO_ANSWER, 19, 480, "it never rang")


async def test_a_mobile_that_is_off(asterisk: FakeAsterisk, dialling: asyncio.Task[AriPhone | Ending]) -> None:
    await asterisk.destroyed(CALL, 19, 480)
    assert await dialling == Ending(Outcome.UNREACHABLE, 19, 480)


async def test_no_word_at_all_ends_it(asterisk: FakeAsterisk, clock: Clock, line: AriLine, client: AriClient) -> None:
    dialling = asyncio.create_task(line.dial(ORDER))
    await asterisk.until(lambda: any(each > 39.0 for each in clock.pending()))
    await clock.advance(39.4)
    assert not dialling.done()
    await clock.advance(0.1)
    await asterisk.until_seen("DELETE", f"/channels/{CALL}")
    ending = await dialling
    assert isinstance(ending, Ending)
    assert ending.outcome is Outcome.UNKNOWN


async def test_the_window_ends_the_ringing(asterisk: FakeAsterisk, clock: Clock, line: AriLine) -> None:
    dialling = asyncio.create_task(line.dial(replace(ORDER, within=12.0)))
    assert (await asterisk.until_seen(*POST)).body["timeout"] == 12
    await asterisk.until(lambda: any(11.0 < each <= 12.0 for each in clock.pending()))
    await clock.advance(12.0)
    assert await dialling == Ending(Outcome.NO_ANSWER, note="taken back at the end of the window")
    assert CALL not in asterisk.channels


async def test_an_answer_after_the_window_is_ended(asterisk: FakeAsterisk, clock: Clock, line: AriLine) -> None:
    """We stood still: the answer lay in the socket, and is read when the window is over."""
    dialling = asyncio.create_task(line.dial(replace(ORDER, within=30.0)))
    await asterisk.until_seen(*POST)
    await asterisk.until(lambda: any(each > 29.0 for each in clock.pending()))
    clock.time += 31.0
    await asterisk.answered(CALL)
    assert await dialling == Ending(Outcome.NO_ANSWER, note="answered after the end of the window")
    assert CALL not in asterisk.channels


async def test_what_asterisk_places_when_it_goes_on_is_taken_back(
    asterisk: FakeAsterisk, clock: Clock, line: AriLine
) -> None:
    """It stood still: the request to dial lay in its socket, and is carried out when the window is over."""
    asterisk.answer(*POST, Reply(500, raw=b"<html>"))
    for _ in range(2):
        asterisk.answer("GET", f"/channels/{CALL}", Reply(503, {}))
    asterisk.answer("DELETE", f"/channels/{CALL}", Reply(503, {}), Reply(404, {"message": "Channel not found"}))
    dialling = asyncio.create_task(line.dial(replace(ORDER, within=30.0)))
    await asterisk.until(lambda: any(each > 29.0 for each in clock.pending()))
    await clock.advance(30.0)
    await asterisk.until(lambda: 0.5 in clock.pending())
    await clock.advance(0.5)
    await asterisk.until_seen("DELETE", f"/channels/{CALL}", 2)
    await asterisk.until(lambda: 2.0 in clock.pending())
    assert not dialling.done()
    asterisk.channels[CALL] = make_channel(CALL, state="Ringing")
    await clock.advance(2.0)
    assert await dialling == Ending(Outcome.NO_ANSWER, note="taken back at the end of the window")
    assert CALL not in asterisk.channels


async def test_what_was_never_placed_is_asked_for_twice(asterisk: FakeAsterisk, clock: Clock, line: AriLine) -> None:
    asterisk.answer(*POST, Reply(500, raw=b"<html>"))
    asterisk.answer("GET", f"/channels/{CALL}", Reply(503, {}))
    dialling = asyncio.create_task(line.dial(replace(ORDER, within=30.0)))
    await asterisk.until(lambda: any(each > 29.0 for each in clock.pending()))
    await clock.advance(30.0)
    await asterisk.until(lambda: 2.0 in clock.pending())
    await clock.advance(2.0)
    assert await dialling == Ending(Outcome.NO_ANSWER, note="taken back at the end of the window")
    assert len(asterisk.seen("DELETE", f"/channels/{CALL}")) == 2


async def test_a_call_that_lives_already_is_adopted(asterisk: FakeAsterisk, line: AriLine) -> None:
    asterisk.channels[CALL] = make_channel(CALL)
    dialling = asyncio.create_task(line.dial(ORDER))
    await asterisk.until_seen(*POST)
    await asterisk.answered(CALL)
    assert isinstance(await dialling, AriPhone)
    assert len(asterisk.seen(*POST)) == 1


def unreadable(asterisk: FakeAsterisk, *, carried_out: bool) -> Callable[[Seen], Reply]:
    """A reply that tells nothing; the call was placed, or was not."""

    def answer(seen: Seen) -> Reply:
        if carried_out:
            asterisk.channels[CALL] = make_channel(CALL)
        return Reply(200, raw=b"<html>")

    return answer


async def test_a_reply_that_was_lost_is_looked_up_never_sent_again(asterisk: FakeAsterisk, line: AriLine) -> None:
    asterisk.answer(*POST, unreadable(asterisk, carried_out=True))
    dialling = asyncio.create_task(line.dial(ORDER))
    await asterisk.until_seen("GET", f"/channels/{CALL}")
    await asterisk.answered(CALL)
    assert isinstance(await dialling, AriPhone)
    assert len(asterisk.seen(*POST)) == 1


async def dial_to_the_end(asterisk: FakeAsterisk, clock: Clock, line: AriLine) -> AriPhone | Ending:
    """ORDER, with the 2 s between the two looks."""
    dialling = asyncio.create_task(line.dial(ORDER))
    await asterisk.until_seen("GET", "/asterisk/info")
    await asterisk.until(lambda: 2.0 in clock.pending())
    await clock.advance(2.0)
    return await dialling


@pytest.mark.parametrize("status", [200, 500, 502])
async def test_or_is_unknown_if_there_is_no_such_call(
    asterisk: FakeAsterisk, clock: Clock, line: AriLine, status: int
) -> None:
    asterisk.answer(*POST, Reply(status, raw=b"<html>"))
    ending = await dial_to_the_end(asterisk, clock, line)
    assert isinstance(ending, Ending)
    assert ending.outcome is Outcome.UNKNOWN
    assert len(asterisk.seen(*POST)) == 1
    assert len(asterisk.seen("GET", f"/channels/{CALL}")) == 2


async def test_a_call_that_was_over_before_we_looked_tells_itself(
    asterisk: FakeAsterisk, clock: Clock, line: AriLine
) -> None:
    asterisk.answer(*POST, Reply(200, raw=b"<html>"))
    asterisk.answer("GET", f"/channels/{CALL}", Reply(404, {"message": "Channel not found"}))
    dialling = asyncio.create_task(line.dial(ORDER))
    await asterisk.until(lambda: 2.0 in clock.pending())
    await asterisk.destroyed(CALL, 17, 486)
    await asterisk.until(lambda: not line._client.watch(CALL).is_empty())
    await clock.advance(2.0)
    assert await dialling == Ending(Outcome.BUSY, 17, 486)


async def test_while_asterisk_boots_404_does_not_mean_gone(asterisk: FakeAsterisk, clock: Clock, line: AriLine) -> None:
    asterisk.answer(*POST, Reply(500, raw=b"<html>"))
    asterisk.answer("GET", "/asterisk/info", Reply(404, {"message": "Resource not found"}))
    dialling = asyncio.create_task(line.dial(ORDER))
    await asterisk.until(lambda: any(each > 39.0 for each in clock.pending()))
    await asterisk.destroyed(CALL, 17, 486)
    assert await dialling == Ending(Outcome.BUSY, 17, 486)


@pytest.mark.parametrize(
    "reply", [Reply(400, {"message": "bad"}), Reply(500, {"error": "Allocation failed"}), Reply(503, {})]
)
async def test_a_clear_no_is_our_own_fault(asterisk: FakeAsterisk, line: AriLine, reply: Reply) -> None:
    asterisk.answer(*POST, reply)
    ending = await line.dial(ORDER)
    assert isinstance(ending, Ending)
    assert ending.outcome is Outcome.FAILED
    assert ending.note
    assert len(asterisk.requests) == 1


async def test_behind_a_closed_gate_nothing_is_sent(asterisk: FakeAsterisk, client: AriClient) -> None:
    ending = await AriLine(client, TAIL, lambda: False).dial(ORDER)
    assert isinstance(ending, Ending)
    assert ending.outcome is Outcome.FAILED
    assert asterisk.requests == []


@pytest.mark.parametrize(
    "order",
    [
        DialOrder(CALL, "+81310000001", 30),
        DialOrder(CALL, "0310000001@evil", 30),
        DialOrder(CALL, "0310000001\n", 30),
        DialOrder(CALL, "０３１００００００１", 30),
        DialOrder(CALL, "110", 30),
        DialOrder(CALL, "0110", 30),
        DialOrder(CALL, "0120000000", 30),
        DialOrder(CALL, "0570000000", 30),
        DialOrder(CALL, "010" + "1" * 8, 30),
        DialOrder(CALL, "09" + "1" * 9, 30),  # a real number on the practice network
        DialOrder(CALL, "0310-000-001", 30),  # allowed, but not as it is dialled
        DialOrder(CALL, "031000000123", 30),
        DialOrder("", "0310000001", 30),
        DialOrder("../asterisk", "0310000001", 30),
        DialOrder("x" * 121, "0310000001", 30),
        DialOrder(CALL, "0310000001", 0),
        DialOrder(CALL, "0310000001", 111),
        DialOrder(CALL, "0310000001", 30, within=0),
    ],
)
async def test_what_must_never_leave_this_machine(asterisk: FakeAsterisk, line: AriLine, order: DialOrder) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        await line.dial(order)
    assert not order.number or order.number not in str(refused.value)
    assert asterisk.requests == []


async def test_an_answer_after_we_gave_up_arrives_as_a_stranger(
    asterisk: FakeAsterisk, clock: Clock, line: AriLine, client: AriClient
) -> None:
    asterisk.answer(*POST, Reply(500, raw=b"<html>"))
    await dial_to_the_end(asterisk, clock, line)
    await asterisk.answered(CALL)
    assert (await client.arrivals.get()).channel.id == CALL


async def test_dialling_obeys_cancellation(
    asterisk: FakeAsterisk, client: AriClient, dialling: asyncio.Task[AriPhone | Ending]
) -> None:
    dialling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dialling
    await idle()
    assert client.watched() == frozenset()


async def test_a_socket_that_ends_with_the_reply_on_its_way(asterisk: FakeAsterisk, clock: Clock) -> None:
    def lost(seen: Seen) -> None:
        asterisk.channels[CALL] = make_channel(CALL)  # carried out, and never answered

    asterisk.answer(*POST, lost)
    async with AriClient(settings_for(asterisk), clock.now, clock.sleep) as client:
        await client.connect()
        client.choose_transport(asterisk.version)
        dialling = asyncio.create_task(AriLine(client, TAIL, lambda: True).dial(ORDER))
        await asterisk.until_seen(*POST)
        await asterisk.drop()
        looked = await asterisk.until_seen("GET", f"/channels/{CALL}")
        assert looked.over == "http"
        await asterisk.until(lambda: any(each > 39.0 for each in clock.pending()))
        client.reconcile({})
        assert await dialling == Ending(Outcome.UNKNOWN, note="lost while we had no connection to Asterisk")
    assert len(asterisk.seen(*POST)) == 1


@given(
    st.one_of(st.text(), st.from_regex(r"[0-9+*#@/&-]{3,13}"), st.from_regex(r"0[0-9]{8,10}\n?")), st.sampled_from(Plan)
)
def test_nothing_but_an_allowed_national_number_gets_past_the_last_door(number: str, plan: Plan) -> None:
    numbering = Numbering(plan, frozenset({"0310000009", "0311111111"}))
    try:
        check(DialOrder(CALL, number, 30), numbering)
    except ValueError:
        return
    assert re.fullmatch(r"0[1-9][0-9]{8,9}", number, re.ASCII)
    assert dialable(number, numbering) == number


def test_our_own_number_does_not_get_past_the_last_door() -> None:
    order = DialOrder(CALL, "0310000001", 30)
    check(order, Numbering(Plan.PRACTICE))
    for numbering in (Numbering(Plan.PRACTICE, frozenset({order.number})), Numbering(Plan.JAPAN)):
        with pytest.raises(ValueError, match="not a number"):
            check(order, numbering)


def test_no_other_place_makes_a_dial_string() -> None:
    files = Path(line_module.__file__).parents[1].rglob("*.py")
    assert [each.name for each in files if 'f"PJSIP/' in each.read_text(encoding="utf-8")] == [
        "dialled.py",  # of trunks: the phones and the line check the endpoint first
    ]


async def test_another_trunk_and_one_that_nobody_knows(asterisk: FakeAsterisk, clock: Clock) -> None:
    settings = replace(settings_for(asterisk), more_trunks=("second",))
    async with AriClient(settings, clock.now, clock.sleep) as client:
        await client.connect()
        client.choose_transport(asterisk.version)
        line = AriLine(client, TAIL, lambda: True)
        with pytest.raises(ValueError, match="trunk"):
            await line.dial(replace(ORDER, trunk="third"))
        assert asterisk.seen(*POST) == []
        dialling = asyncio.create_task(line.dial(replace(ORDER, trunk="second")))
        await asterisk.until_seen(*POST)
        (seen,) = asterisk.seen(*POST)
        assert seen.body is not None
        assert seen.body["endpoint"] == "PJSIP/0310000001@second"
        dialling.cancel()
        await asyncio.gather(dialling, return_exceptions=True)


async def test_one_that_is_gone_before_we_heard_of_its_answer_was_nobodys_silence(
    asterisk: FakeAsterisk, dialling: asyncio.Task[AriPhone | Ending]
) -> None:
    """A 200 without SDP: its end overtakes its beginning, as the two applications are told in no order (22.10.1)."""
    asterisk.channels[CALL]["state"] = "Up"
    await asterisk.dialled(CALL, "ANSWER")
    await asterisk.destroyed(CALL, 127, 406)
    ending = await dialling
    assert isinstance(ending, Ending)
    assert (ending.outcome, ending.tech_cause, ending.fault) == (Outcome.NO_ANSWER, 406, Fault.PERSON)


async def test_a_redirect_is_known_by_one_word(
    asterisk: FakeAsterisk, dialling: asyncio.Task[AriPhone | Ending]
) -> None:
    """Asterisk does not follow it, and may tell neither cause nor status (22.10.1)."""
    await asterisk.dialled(CALL, "CANCEL")
    await asterisk.destroyed(CALL, 0)
    assert await dialling == Ending(Outcome.UNREACHABLE, 0, 302)


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(9.0, Outcome.REJECTED), (15.0, Outcome.NO_ANSWER)], ids=["declined", "gave up ringing"]
)
async def test_how_long_it_rang_tells_whether_somebody_declined(
    asterisk: FakeAsterisk, clock: Clock, line: AriLine, seconds: float, outcome: Outcome
) -> None:
    dialling = asyncio.create_task(line.dial(ORDER))
    await asterisk.until(lambda: any(each > 39.0 for each in clock.pending()))
    await asterisk.dialled(CALL, "RINGING")
    await clock.advance(seconds)
    await asterisk.destroyed(CALL, 21, 603)
    assert await dialling == Ending(outcome, 21, 603)
