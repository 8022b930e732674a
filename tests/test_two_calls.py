"""Two calls of one person in one session: the one on which keys come holds it, whatever becomes of the other.

Found in the field as C3: the far end is gone without a word, the person rings again, and the ghost leg of the first
call hears nothing but silence.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from ivr.call import Outcome
from ivr.inbound import receive
from ivr.outbound import ring
from ivr.phone import DialOrder, Phone
from ivr.questionnaire.model import FollowUpReason
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.followups import open_follow_ups
from ivr.takeover import take_over
from tests.fakes.phone import FakeLine, FakePhone, answering, keys
from tests.fakes.site import Clock
from tests.rows import answer_rows, call_ends, report_ends, session_ends
from tests.storage.records import HANAKO, attempt

OWN = "09000000001"
WALK = "2 2 365 1 98# 1"
GOODBYE = ("frame/thanks",)


async def we_ring(site: Site, phone: FakePhone) -> None:
    planned = attempt(site.new_id())
    await site.database.write(calls.plan_attempt, planned)

    def pick_up(order: DialOrder) -> Phone:
        phone.call_id = order.call_id
        return phone

    await ring(site, FakeLine(pick_up), planned)


async def she_rings(site: Site, phone: FakePhone) -> None:
    await receive(site, phone, OWN)


class Ghost:
    """A call whose far end goes after some keys, without a word: from then on it hears only silence."""

    def __init__(self, pressed: str, waits_at: int) -> None:
        self.phone = FakePhone("ghost", keys(pressed), watch=self._watch)
        self._waits_at = waits_at
        self.waits = asyncio.Event()
        self.go_on = asyncio.Event()

    async def _watch(self, step: int, _: tuple[str, ...]) -> None:
        if step == self._waits_at:
            self.waits.set()
            await self.go_on.wait()


First = Callable[[Site, FakePhone], Awaitable[None]]
BY = pytest.mark.parametrize("first", [we_ring, she_rings], ids=["we ring", "she rings"])


async def while_ghost_waits(
    site: Site, clock: Clock, first: First, steps: int, then: Callable[[], Awaitable[None]], pressed: str = "2 2"
) -> FakePhone:
    """The first call answers some questions, stands still at a later one while `then` happens, and goes on."""
    given = f"1 {pressed}" if first is we_ring else pressed
    ghost = Ghost(given, steps)
    call = asyncio.ensure_future(first(site, ghost.phone))
    await ghost.waits.wait()
    clock.time += timedelta(minutes=1)
    await then()
    ghost.go_on.set()
    await call
    return ghost.phone


@BY
async def test_who_rings_again_and_completes_has_completed(site: Site, clock: Clock, first: First) -> None:
    async def rings_again() -> None:
        phone = FakePhone("again", keys("365 1 98# 1"))
        await receive(site, phone, OWN)
        assert phone.said[1][0] == "frame/resume"
        assert phone.said[-1] == ("daily/closing",)

    ghost = await while_ghost_waits(site, clock, first, 3, rings_again)
    assert ghost.said[-1] == GOODBYE
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "completed")]
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert await site.database.read(open_follow_ups) == ()


@BY
async def test_the_ghost_gives_up_while_the_other_call_goes_on(site: Site, clock: Clock, first: First) -> None:
    ghost_is_over = asyncio.Event()

    class Patient(FakePhone):
        async def _step(self, sounds: object) -> None:
            await super()._step(sounds)  # type: ignore[arg-type]
            if len(self.said) == 3:  # after the first key
                rung.set()
                await ghost_is_over.wait()

    rung = asyncio.Event()
    again = Patient("again", keys("365 1 98# 1"))
    second: list[asyncio.Task[None]] = []

    async def rings_again() -> None:
        second.append(asyncio.create_task(receive(site, again, OWN)))
        await rung.wait()

    ghost = await while_ghost_waits(site, clock, first, 3, rings_again)
    assert ghost.said[-1] == GOODBYE
    # Its end ends nothing.
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "waiting")]
    assert await site.database.read(open_follow_ups) == ()
    ghost_is_over.set()
    await second[0]
    assert again.said[-1] == ("daily/closing",)
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert await site.database.read(open_follow_ups) == ()


@BY
async def test_a_newer_call_without_a_key_takes_nothing(site: Site, clock: Clock, first: First) -> None:
    """A pocket rings us while the person answers."""

    async def a_pocket_rings() -> None:
        await receive(site, FakePhone("pocket", hang_up_after=1), OWN)

    older = await while_ghost_waits(site, clock, first, 3, a_pocket_rings, WALK)
    assert older.said[-1] == ("daily/closing",)
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert await site.database.read(open_follow_ups) == ()


@BY
async def test_when_the_newer_call_is_over_the_older_one_holds_the_session_again(
    site: Site, clock: Clock, first: First
) -> None:
    async def rings_again_for_a_key() -> None:
        await receive(site, FakePhone("again", keys("365"), hang_up_after=2), OWN)

    ghost = await while_ghost_waits(site, clock, first, 3, rings_again_for_a_key, WALK)
    assert ghost.said[-1] == ("daily/closing",)
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_what_is_pressed_on_the_older_call_is_not_lost(site: Site, clock: Clock) -> None:
    """Two telephones of one person, both live."""
    both = asyncio.Event()

    async def wait(step: int, _: tuple[str, ...]) -> None:
        if step == 3:
            newer_pressed.set()
            await both.wait()

    newer_pressed = asyncio.Event()
    newer = FakePhone("newer", keys("365 1 98# 1"), watch=wait)
    second: list[asyncio.Task[None]] = []

    async def rings_again() -> None:
        second.append(asyncio.create_task(receive(site, newer, OWN)))
        await newer_pressed.wait()

    older = await while_ghost_waits(site, clock, she_rings, 3, rings_again, "2 2 371 1")
    assert older.said[-1] == GOODBYE
    assert ("temperature", "37.1") in await site.database.read(answer_rows)
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "waiting")]
    both.set()
    await second[0]
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert await site.database.read(open_follow_ups) == ()


async def test_who_gave_up_first_and_then_completed_could_enter(site: Site, clock: Clock) -> None:
    """The ghost was through with its silences before the person rang again."""
    await receive(site, FakePhone("ghost", keys("2 2")), OWN)
    (task,) = await site.database.read(open_follow_ups)
    assert task.reason == FollowUpReason.COULD_NOT_ENTER
    clock.time += timedelta(minutes=1)
    await receive(site, FakePhone("again", keys(WALK)), OWN)
    assert await site.database.read(open_follow_ups) == ()


async def test_a_ghost_that_a_restart_finds_takes_nothing_either(site: Site, clock: Clock) -> None:
    class Killed(BaseException):
        pass

    async def die(step: int, _: tuple[str, ...]) -> None:
        if step == 3:
            raise Killed

    with pytest.raises(Killed):
        await receive(site, FakePhone("ghost", keys("2 2"), watch=die), OWN)
    clock.time += timedelta(minutes=1)
    with pytest.raises(Killed):
        await receive(site, FakePhone("again", keys("365 1 98# 1"), watch=die), OWN)
    ghost = FakePhone("ghost", answering({}))
    await take_over(site, ghost)
    assert ghost.said == [("frame/interrupted",), GOODBYE]
    again = FakePhone("again", keys("1 98# 1"))
    await take_over(site, again)
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "completed")]
    assert await site.database.read(open_follow_ups) == ()
    assert {outcome for _, outcome in await site.database.read(call_ends)} == {Outcome.CUT_OFF, Outcome.ANSWERED}
