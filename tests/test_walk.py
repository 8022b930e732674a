"""Whole calls on a real database: commit, then speak; and a caller who hangs up at any point loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from ivr.call import Direction, Outcome
from ivr.inbound import receive
from ivr.outbound import ring
from ivr.phone import DialOrder, HungUp, Phone
from ivr.questionnaire.model import Kind
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.reports import export_rows
from ivr.storage.sessions import AlreadyWaiting, waiting_session
from ivr.storage.words import Auth, Source
from ivr.walk import Who, version_of, walk
from tests.cases_runner import lead
from tests.fakes.phone import FakeLine, FakePhone, answering, keys
from tests.fakes.site import DAILY, Clock
from tests.rows import answer_rows, attempt_ends, call_ends, report_ends, session_ends
from tests.storage.records import DAY, HANAKO, attempt

#: Hanako's own number: nobody else has it.
OWN = "09000000001"
CALLER = Who(HANAKO.id, None, Source.HEALTH_CALL, Auth.REGISTERED_NUMBER)

DAILY_WALK = "365 1 98# 1 2 2 2 2 2 2 2 2 2"
#: What Hanako presses after each prompt; what is not here is a yes-no question that she answers with no.
ANSWERS = {
    "frame/ready": "1",
    "daily/temperature": "365",
    "daily/oxygen": "98#",
    "frame/confirm": "1",
    "frame/yes_no_unknown": "2",
    **{f"daily/{each.id}": "2" for each in DAILY.questions if each.kind is Kind.YES_NO_UNKNOWN},
}


async def ring_her(site: Site, phone: FakePhone) -> None:
    planned = replace(attempt(site.new_id()), number=OWN, day=site.today(), planned_at=site.now())
    await site.database.write(calls.plan_attempt, planned)

    def pick_up(order: DialOrder) -> Phone:
        phone.call_id = order.call_id
        return phone

    await ring(site, FakeLine(pick_up), planned)


async def she_rings(site: Site, phone: FakePhone) -> None:
    phone.call_id = site.new_id()
    await receive(site, phone, OWN)


Watch = Callable[[int, tuple[str, ...]], Awaitable[None]]
Side = Callable[[Site, FakePhone], Awaitable[None]]
SIDES = {"we ring": ring_her, "she rings": she_rings}


def watching(
    site: Site, pressed: str, before: int, found: list[int]
) -> Callable[[int, tuple[str, ...]], Awaitable[None]]:
    """At each step from `before` on, what the engine alone says was answered by then must be stored."""

    async def watch(step: int, _: tuple[str, ...]) -> None:
        words = pressed.split()[: max(0, step - before)]
        wanted = lead(site.questionnaire, (" ".join(words),)).answered
        assert await site.database.read(answer_rows) == [(each.question, each.value) for each in wanted]
        found.append(len(wanted))

    return watch


@pytest.mark.parametrize("side", SIDES)
async def test_every_answer_is_stored_before_the_next_word(site: Site, side: str) -> None:
    site = replace(site, questionnaire=DAILY)
    found: list[int] = []
    # A fault inside the phone would only be apologised for: `found` shows that every look was a good one.
    pressed = f"1 {DAILY_WALK}" if side == "we ring" else DAILY_WALK
    phone = FakePhone(press=keys(pressed), watch=watching(site, DAILY_WALK, 1, found))
    await SIDES[side](site, phone)
    assert found == [0, 0, 0, 1, 1, *range(2, 12)]
    assert phone.said[-1] == ("frame/next_call", "date/tomorrow", "time/hour_9_end", "daily/closing")
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_a_correction_is_stored_before_the_next_word(site: Site) -> None:
    found: list[int] = []
    pressed = "2 2 364 2 365 * 1 98# 0 1 1"
    phone = FakePhone(press=keys(f"1 {pressed}"), watch=watching(site, pressed, 1, found))
    await ring_her(site, phone)
    assert found == [0, 0, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4]


@pytest.mark.parametrize("again", SIDES)
@pytest.mark.parametrize("first", SIDES)
@pytest.mark.parametrize("after", [False, True], ids=["before the prompt", "after the prompt"])
async def test_hanging_up_anywhere_loses_and_doubles_nothing(
    site: Site, clock: Clock, first: str, again: str, after: bool
) -> None:
    """For every point of a whole daily call, each on a day of its own."""
    site = replace(site, questionnaire=DAILY)
    steps = 15  # the gate or the greeting, 13 asks, the closing
    for cut in range(steps):
        clock.time = attempt("a").planned_at + timedelta(days=cut)
        before = await site.database.read(answer_rows)
        phone = FakePhone(press=answering(ANSWERS))
        phone.hang_up_before, phone.hang_up_after = (None, cut) if after else (cut, None)
        await SIDES[first](site, phone)
        assert len(phone.said) == cut + after
        answered = lead(DAILY, (" ".join(DAILY_WALK.split()[: max(0, cut - 1)]),)).answered
        assert await site.database.read(answer_rows) == before + [(each.question, each.value) for each in answered]
        (_, outcome) = (await site.database.read(call_ends))[-1]
        over = len(answered) == 11
        # The clock stands still: on a call of ours that is answered and gone at once.
        nobody = Outcome.NO_ANSWER if first == "we ring" else Outcome.NO_KEY
        assert outcome is (nobody if cut == 0 else Outcome.ANSWERED if over else Outcome.CUT_OFF)
        if answered:
            assert (await site.database.read(report_ends))[-1] == (HANAKO.id, "complete" if over else "partial")

        clock.advance(10)
        phone = FakePhone(press=answering(ANSWERS))
        await SIDES[again](site, phone)
        in_already = {"we ring": "frame/already_in", "she rings": "frame/thanks"}[again]
        assert phone.said[-1][-1] == (in_already if over else "daily/closing")
        (row,) = await site.database.read(export_rows, site.today(), site.today())
        assert (row.completeness, len(row.answers)) == ("complete", 11)
        stored = await site.database.read(answer_rows)
        assert len(stored) == len(before) + 11
        assert set(await site.database.read(attempt_ends)) <= {("ended", each) for each in Outcome}
    assert {status for _, _, status in await site.database.read(session_ends)} == {"completed"}
    assert len(await site.database.read(session_ends)) == steps


async def test_going_on_says_so_and_asks_only_what_is_open(site: Site) -> None:
    await ring_her(site, FakePhone(press=keys("1 2 2 365"), hang_up_after=4))
    phone = FakePhone(press=keys("365 1 98# 1"))
    await she_rings(site, phone)
    assert phone.said[:2] == [
        ("frame/inbound_greeting",),
        ("frame/resume", "daily/temperature_hint", "daily/temperature"),
    ]


async def test_yesterdays_session_is_not_gone_on_with(site: Site, clock: Clock) -> None:
    await ring_her(site, FakePhone(press=keys("1 2"), hang_up_after=2))
    clock.advance(24 * 60)
    phone = FakePhone(press=keys("2 2 365 1 98# 1"))
    await she_rings(site, phone)
    assert phone.said[1][0] == "daily/opening"
    assert [status for _, _, status in await site.database.read(session_ends)] == ["waiting", "completed"]


async def test_a_session_ends_on_the_version_it_began_with(site: Site) -> None:
    await ring_her(site, FakePhone(press=keys("1 2"), hang_up_after=2))
    phone = FakePhone(press=keys("2 365 1 98# 1"))
    # Today's questionnaire was changed between the two calls.
    await she_rings(replace(site, questionnaire=DAILY), phone)
    assert phone.said[1] == ("frame/resume", "daily/breathless", "frame/yes_no_unknown")
    assert [question for question, _ in await site.database.read(answer_rows)] == [
        "complexion",
        "breathless",
        "temperature",
        "oxygen",
    ]
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "completed")]


async def test_a_new_session_takes_the_new_version(site: Site) -> None:
    phone = FakePhone(press=keys(DAILY_WALK))
    await she_rings(replace(site, questionnaire=DAILY), phone)
    assert len(await site.database.read(answer_rows)) == 11


async def test_a_version_that_is_not_stored_is_a_fault_not_another_questionnaire(site: Site) -> None:
    assert (await version_of(site, DAILY.hash)).questions == DAILY.questions
    with pytest.raises(LookupError, match="not stored"):
        await version_of(site, "0" * 64)


async def test_two_calls_of_one_person_at_the_same_moment_hold_one_session(site: Site) -> None:
    """She rings while we ring her: both find no session, one opens it, the other goes on with it."""
    both = asyncio.Barrier(2)
    opened = asyncio.Event()
    write = site.database.write

    async def together(function: Callable[..., object], *args: object) -> object:
        if function.__name__ == "open_session":
            await both.wait()
        return await write(function, *args)

    site.database.write = together  # type: ignore[assignment, method-assign]
    ours, hers = FakePhone(press=keys("1 2 2")), FakePhone(press=keys("2"))

    async def at_the_end(_: int, said: tuple[str, ...]) -> None:
        # Ours goes first to the third question, and hers answers the first one only after that.
        if "daily/temperature" in said:
            opened.set()

    async def wait_for_ours(step: int, _: tuple[str, ...]) -> None:
        if step == 1:
            await opened.wait()

    ours.watch, hers.watch = at_the_end, wait_for_ours
    ours.hang_up_after, hers.hang_up_after = 3, 2
    await asyncio.gather(ring_her(site, ours), she_rings(site, hers))
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "waiting")]
    # All that was pressed is there, by whichever telephone.
    assert sorted(await site.database.read(answer_rows)) == [
        ("breathless", "no"),
        ("complexion", "as_usual"),
        ("complexion", "as_usual"),
    ]
    assert {outcome for _, outcome in await site.database.read(call_ends)} == {Outcome.CUT_OFF}
    (row,) = await site.database.read(export_rows, DAY, DAY)
    assert row.answers == {"complexion": "as_usual", "breathless": "no"}


async def test_a_session_that_vanished_between_the_two_looks_is_a_fault(site: Site) -> None:
    def refuse(connection: Connection, *_: object) -> object:
        raise AlreadyWaiting

    write = site.database.write

    async def instead(function: Callable[..., object], *args: object) -> object:
        return await write(refuse if function.__name__ == "open_session" else function, *args)

    site.database.write = instead  # type: ignore[assignment, method-assign]
    with pytest.raises(AlreadyWaiting):
        await walk(site, FakePhone(), CALLER)


async def test_the_session_is_whose_it_is(site: Site) -> None:
    await site.database.write(calls.start_call, calls.Call("c-1", Direction.INBOUND, site.now()))
    with pytest.raises(HungUp):
        await walk(site, FakePhone("c-1", hang_up_after=0), CALLER)
    found = await site.database.read(waiting_session, HANAKO.id, DAY)
    assert found is not None
    assert (found.source, found.auth, found.claimed_id) == (Source.HEALTH_CALL, Auth.REGISTERED_NUMBER, None)
    assert (await site.database.read(calls.get_call, "c-1")).session_id == found.id
