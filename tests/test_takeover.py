"""Calls that a process before us left on the line."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from ivr.call import Ending, Outcome
from ivr.handover import SERVICE_DOWN
from ivr.inbound import receive
from ivr.missed import account
from ivr.outbound import ring
from ivr.phone import DialOrder, Phone
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.followups import open_follow_ups
from ivr.takeover import take_over
from tests.fakes.phone import FakeLine, FakePhone, keys
from tests.fakes.site import Clock
from tests.rows import answer_rows, attempt_ends, call_ends, report_ends, session_ends
from tests.storage.records import HANAKO, SACHIKO, TARO, attempt

WALK = "2 2 365 1 98# 1"
OWN = "09000000001"


class Killed(BaseException):
    """kill -9: nothing of ours runs any more."""


async def killed_at(step: int, site: Site, pressed: str, call: Callable[[Site, FakePhone], Awaitable[None]]) -> str:
    """Begin a call and kill the process when it is about to speak its `step`-th time; the call's id."""

    async def watch(now: int, _: tuple[str, ...]) -> None:
        if now == step:
            raise Killed

    phone = FakePhone(site.new_id(), keys(pressed), watch=watch)
    with pytest.raises(Killed):
        await call(site, phone)
    assert not phone.over
    return phone.call_id


async def we_ring(site: Site, phone: FakePhone) -> None:
    planned = attempt(site.new_id())
    await site.database.write(calls.plan_attempt, planned)

    def pick_up(order: DialOrder) -> Phone:
        phone.call_id = order.call_id
        return phone

    await ring(site, FakeLine(pick_up), planned)


async def she_rings(site: Site, phone: FakePhone) -> None:
    await receive(site, phone, OWN)


async def a_stranger_rings(site: Site, phone: FakePhone) -> None:
    await receive(site, phone, None)


@pytest.mark.parametrize("call", [we_ring, she_rings])
@pytest.mark.parametrize("step", range(1, 8))
async def test_the_conversation_goes_on_at_the_open_question(
    site: Site, step: int, call: Callable[[Site, FakePhone], Awaitable[None]]
) -> None:
    call_id = await killed_at(step, site, f"1 {WALK}" if call is we_ring else WALK, call)
    # What was pressed until then: an unconfirmed value is asked again.
    left = {1: WALK, 2: WALK[2:], 3: WALK[4:], 4: WALK[4:], 5: "98# 1", 6: "98# 1", 7: ""}[step]
    phone = FakePhone(call_id, keys(left))
    await take_over(site, phone)
    if step < 7:
        assert phone.said[:1] == [("frame/interrupted",)]
        assert phone.said[1][0] == "frame/resume"
        assert phone.said[-1] == ("daily/closing",)
    else:
        # Only the farewell was missing: nothing is asked again.
        assert phone.said == [("frame/interrupted", "frame/already_in")]
    assert phone.over
    assert len(await site.database.read(answer_rows)) == 4
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "completed")]
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert await site.database.read(call_ends) == [("ended", Outcome.ANSWERED)]
    assert set(await site.database.read(attempt_ends)) <= {("ended", Outcome.ANSWERED)}


async def test_a_call_of_ours_that_had_not_begun_begins(site: Site) -> None:
    call_id = await killed_at(0, site, "", we_ring)
    phone = FakePhone(call_id, keys(f"1 {WALK}"))
    await take_over(site, phone)
    assert phone.said[0] == ("frame/greeting", "frame/ready")
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert await site.database.read(attempt_ends) == [("ended", Outcome.ANSWERED)]


async def test_a_call_that_was_answered_after_we_died(site: Site) -> None:
    planned = attempt("a-1")
    await site.database.write(calls.plan_attempt, planned)

    def die(_: DialOrder) -> Phone:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ring(site, FakeLine(die), planned)
    assert await site.database.read(call_ends) == [("dialing", None)]
    phone = FakePhone("kc-1", keys(f"1 {WALK}"))
    await take_over(site, phone)
    assert await site.database.read(call_ends) == [("ended", Outcome.ANSWERED)]
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_a_telephone_that_still_rings_may_ring_for_the_rest_of_its_time(site: Site, clock: Clock) -> None:
    planned = attempt("a-1")
    await site.database.write(calls.plan_attempt, planned)

    def die(_: DialOrder) -> Phone:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await ring(site, FakeLine(die), planned)
    clock.time += timedelta(seconds=site.config.dialling.ring_seconds - 7)
    phone = FakePhone("kc-1", unanswered=Ending(Outcome.NO_ANSWER, 19, 480))
    await take_over(site, phone)
    assert phone.rang == [7.0]
    assert await site.database.read(call_ends) == [("ended", Outcome.NO_ANSWER)]
    assert (await site.database.read(calls.get_call, "kc-1")).answered_at is None


@pytest.mark.parametrize(
    ("pressed", "status"),
    [("1 2 0 2", "ended_early"), ("1 2 - - -", "gave_up")],
)
async def test_a_session_that_ended_otherwise_is_not_begun_again(site: Site, pressed: str, status: str) -> None:
    call_id = await killed_at(len(pressed.split()), site, pressed, we_ring)
    phone = FakePhone(call_id)
    await take_over(site, phone)
    assert phone.said == [("frame/interrupted", "frame/call_wished_end")]
    assert await site.database.read(session_ends) == [(HANAKO.id, None, status)]


async def test_the_report_of_somebody_who_keyed_who_they_are_goes_on_too(site: Site) -> None:
    call_id = await killed_at(5, site, f"{SACHIKO.id}# 3100405# 2 2", a_stranger_rings)
    phone = FakePhone(call_id, keys("365 1 98# 1"))
    await take_over(site, phone)
    assert phone.said[1][:2] == ("frame/resume", "daily/temperature_hint")
    assert await site.database.read(session_ends) == [(SACHIKO.id, SACHIKO.id, "completed")]


async def test_a_caller_whom_we_do_not_know_yet_hears_an_apology(site: Site) -> None:
    call_id = await killed_at(1, site, "", a_stranger_rings)
    phone = FakePhone(call_id)
    await take_over(site, phone)
    assert phone.said == [("frame/apology",)]
    assert phone.over
    assert await site.database.read(call_ends) == [("ended", Outcome.FAILED)]


@pytest.mark.parametrize(("number", "owners"), [("0310000099", (None,)), ("0310000001", (HANAKO.id, TARO.id))])
async def test_whom_a_restart_interrupted_before_we_knew_them_is_a_task_with_the_number(
    site: Site, number: str, owners: tuple[str | None, ...]
) -> None:
    async def rings(site: Site, phone: FakePhone) -> None:
        await receive(site, phone, number)

    await take_over(site, FakePhone(await killed_at(1, site, "", rings)))
    await account(site)
    found = await site.database.read(open_follow_ups)
    assert [(each.person_id, each.number, each.reason) for each in found] == [
        (owner, None if owner else number, SERVICE_DOWN) for owner in owners
    ]


async def test_a_call_that_is_in_no_table_hears_an_apology(site: Site) -> None:
    phone = FakePhone("kc-of-another-time")
    await take_over(site, phone)
    assert phone.said == [("frame/apology",)]
    assert phone.over


async def test_a_call_that_recovery_gave_up_ends_in_words(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """C11: the person may be rung by another call already."""
    call_id = await killed_at(0, site, "", we_ring)
    await site.database.write(calls.close_lost_calls, (), site.now(), {})
    phone = FakePhone(call_id, keys(f"1 {WALK}"))
    await take_over(site, phone)
    assert phone.said == [("frame/apology",)]
    assert phone.over
    assert await site.database.read(call_ends) == [("ended", Outcome.UNKNOWN)]
    assert [each.exc_info for each in caplog.records if each.exc_info] == []


async def test_a_call_to_us_that_was_given_up_as_lost_goes_on_in_its_own_process(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """C11: written off between its arrival and its answer."""

    class Lost(FakePhone):
        async def answer(self) -> None:
            await site.database.write(calls.close_lost_calls, (), site.now(), {})
            await super().answer()

    await receive(site, Lost("c-1", keys(WALK)), OWN)
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert [each.exc_info for each in caplog.records if each.exc_info] == []


async def test_who_hung_up_meanwhile_is_cut_off(site: Site) -> None:
    call_id = await killed_at(3, site, "1 2 2", we_ring)
    await take_over(site, FakePhone(call_id, hang_up_before=0))
    assert await site.database.read(call_ends) == [("ended", Outcome.CUT_OFF)]
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "waiting")]
