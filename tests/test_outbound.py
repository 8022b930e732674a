"""Our own calls on a real database: the gate, commit before speech, and how each ending is written down."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection

from ivr.call import Direction, Ending, IllegalTransition, Outcome
from ivr.errors import PbxSilent, StorageError, problem
from ivr.outbound import ring
from ivr.phone import DialOrder, HungUp, Phone
from ivr.questionnaire.model import FollowUpReason
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.database import Database
from ivr.storage.decisions import Signed, close_person, pause_person
from ivr.storage.reports import reports_of_day
from ivr.storage.sessions import get_session, open_session, save_turn
from ivr.storage.telephones import telephone_of
from ivr.storage.words import Auth, Source
from tests.cases_runner import lead
from tests.fakes.phone import FakeLine, FakePhone, Press, keys
from tests.fakes.site import SHORT, Clock
from tests.rows import answer_rows, attempt_ends, call_ends, report_ends, session_ends, tasks
from tests.storage.records import HANAKO, attempt, session, turn

WALK = "2 2 365 1 98# 1"
#: Hanako's own number; the landline she shares is in test_household_calls.
OWN = HANAKO.numbers[1]
GREETING = ("frame/greeting", "frame/ready")


async def call(site: Site, phone: FakePhone, name: str = "a-1", number: str = "") -> FakeLine:
    """One attempt to reach Hanako, answered by `phone`."""
    planned = attempt(name, number=number)
    await site.database.write(calls.plan_attempt, planned)

    def pick_up(order: DialOrder) -> Phone:
        phone.call_id = order.call_id
        return phone

    line = FakeLine(pick_up)
    await ring(site, line, planned)
    return line


async def report_came_in(database: Database) -> None:
    """A complete report of Hanako, by another way."""

    def store(connection: Connection) -> None:
        open_session(connection, session("elsewhere"))
        save_turn(connection, "elsewhere", None, turn(status=SHORT_DONE), session("elsewhere").started_at)

    await database.write(store)


SHORT_DONE = lead(SHORT, (WALK,)).session.status


async def test_a_whole_call(site: Site) -> None:
    phone = FakePhone(press=keys(f"1 {WALK}"))
    line = await call(site, phone)
    assert line.orders == [DialOrder("kc-1", OWN, 60, within=2.5 * 3600)]
    assert phone.said[0] == GREETING
    assert phone.said[-1] == ("daily/closing",)
    assert phone.over
    assert await site.database.read(answer_rows) == [
        ("complexion", "as_usual"),
        ("breathless", "no"),
        ("temperature", "36.5"),
        ("oxygen", "98"),
    ]
    assert await site.database.read(call_ends) == [("ended", Outcome.ANSWERED)]
    assert await site.database.read(attempt_ends) == [("ended", Outcome.ANSWERED)]
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "completed")]
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert await site.database.read(tasks) == []


async def test_the_session_says_how_it_came_to_be(site: Site) -> None:
    await call(site, FakePhone(press=keys("1 2")))
    stored = await site.database.read(calls.get_call, "kc-1")
    assert (stored.direction, stored.number, stored.attempt_id) == (Direction.OUTBOUND, OWN, "a-1")
    assert stored.session_id is not None
    held = await site.database.read(get_session, stored.session_id)
    assert (held.source, held.auth, held.day) == (Source.AUTOMATIC_CALL, Auth.OUTBOUND, attempt("a-1").day)


async def test_the_attempt_is_committed_before_the_number_is_dialled(site: Site) -> None:
    planned = attempt("a-1")
    await site.database.write(calls.plan_attempt, planned)
    seen: list[tuple[object, object]] = []

    class Line:
        async def dial(self, order: DialOrder) -> Phone | Ending:
            seen.append((await site.database.read(attempt_ends), await site.database.read(call_ends)))
            return Ending(Outcome.BUSY, 17, 486)

    await ring(site, Line(), planned)
    assert seen == [([("dialing", None)], [("dialing", None)])]


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.ANSWERED])
async def test_a_call_that_was_not_answered(site: Site, outcome: Outcome) -> None:
    planned = attempt("a-1")
    await site.database.write(calls.plan_attempt, planned)
    await ring(site, FakeLine(lambda _: Ending(outcome, 17, 486, "note")), planned)
    assert await site.database.read(attempt_ends) == [("ended", outcome)]
    stored = await site.database.read(calls.get_call, "kc-1")
    assert (stored.outcome, stored.cause, stored.tech_cause, stored.note) == (outcome, 17, 486, "note")


async def test_an_ending_without_outcome_is_unknown(site: Site) -> None:
    planned = attempt("a-1")
    await site.database.write(calls.plan_attempt, planned)
    await ring(site, FakeLine(lambda _: Ending(None)), planned)
    assert await site.database.read(attempt_ends) == [("ended", Outcome.UNKNOWN)]


async def test_nobody_at_the_gate_hears_no_word_about_health(site: Site) -> None:
    phone = FakePhone()
    await call(site, phone, number="0310000009")
    doubt = ("frame/greeting", "frame/doubt", "frame/ready")
    hinted = ("frame/greeting", "frame/tones", "frame/doubt", "frame/ready")
    assert phone.said == [GREETING, doubt, hinted, hinted, ("frame/not_reached",)]
    assert await site.database.read(call_ends) == [("ended", Outcome.NO_KEY)]
    assert await site.database.read(attempt_ends) == [("ended", Outcome.NO_KEY)]
    assert await site.database.read(session_ends) == []


@pytest.mark.parametrize("number", ["0310000001", "09000000001"])
async def test_who_is_gone_before_anything_could_be_pressed_was_not_silent(site: Site, number: str) -> None:
    """Answered and hung up 50 ms later, or without sound (200 without SDP): nobody answered, no telephone is old."""
    await call(site, FakePhone(hang_up_after=0), number=number)
    assert await site.database.read(attempt_ends) == [("ended", Outcome.NO_ANSWER)]
    assert await site.database.read(telephone_of, number) is None


async def test_0_at_the_gate_is_a_follow_up(site: Site) -> None:
    phone = FakePhone(press=keys("0"))
    await call(site, phone)
    assert phone.said == [GREETING, ("frame/call_wished_end",)]
    assert await site.database.read(tasks) == [(HANAKO.id, None, FollowUpReason.CALL_WISHED)]
    assert await site.database.read(attempt_ends) == [("ended", Outcome.ANSWERED)]
    assert await site.database.read(session_ends) == []


async def test_the_wish_is_stored_before_it_is_confirmed(site: Site) -> None:
    seen: list[object] = []

    async def watch(_: int, said: tuple[str, ...]) -> None:
        if said == ("frame/call_wished_end",):
            seen.extend(await site.database.read(tasks))

    await call(site, FakePhone(press=keys("0"), watch=watch))
    assert seen == [(HANAKO.id, None, FollowUpReason.CALL_WISHED)]


async def test_a_report_that_came_in_while_the_telephone_rang(site: Site) -> None:
    await report_came_in(site.database)
    phone = FakePhone(press=keys("1"))
    await call(site, phone)
    assert phone.said == [("frame/greeting", "frame/already_in")]
    assert phone.over
    assert await site.database.read(attempt_ends) == [("ended", Outcome.ANSWERED)]
    assert len(await site.database.read(report_ends)) == 1


async def test_a_report_that_came_in_at_the_gate(site: Site) -> None:
    async def watch(step: int, _: tuple[str, ...]) -> None:
        if step == 0:
            await report_came_in(site.database)

    phone = FakePhone(press=keys(f"1 {WALK}"), watch=watch)
    await call(site, phone)
    assert phone.said == [GREETING, ("frame/already_in",)]
    assert await site.database.read(attempt_ends) == [("ended", Outcome.ANSWERED)]
    assert len(await site.database.read(report_ends)) == 1


@pytest.mark.parametrize("step", range(7))
async def test_a_fault_of_the_telephone_at_any_step(site: Site, step: int) -> None:
    phone = FakePhone(press=keys(f"1 {WALK}"), faults={step: PbxSilent()})
    await call(site, phone)
    assert phone.said[-1] == ("frame/apology",)
    assert phone.over
    assert await site.database.read(call_ends) == [("ended", Outcome.FAILED)]
    assert await site.database.read(attempt_ends) == [("ended", Outcome.FAILED)]


def failing(database: Database, when: Callable[[str], bool]) -> None:
    """From now on writes fail for which `when` (given the name of what is written) is true."""
    write = database.write

    async def maybe(function: Callable[..., object], *args: object) -> object:
        if when(function.__name__):
            raise StorageError(problem("storage.full"))
        return await write(function, *args)

    database.write = maybe  # type: ignore[assignment, method-assign]


async def test_a_database_that_fails_for_a_moment_costs_one_call_and_says_so(site: Site) -> None:
    failing(site.database, lambda name: name == "save_turn")
    phone = FakePhone(press=keys(f"1 {WALK}"))
    await call(site, phone)
    assert phone.said == [GREETING, ("frame/apology",)]
    assert phone.over
    assert await site.database.read(attempt_ends) == [("ended", Outcome.FAILED)]


async def test_a_database_that_fails_for_good_keeps_nobody_on_the_line(site: Site) -> None:
    broken = {"save_turn", "answer_call", "end_talk"}
    failing(site.database, broken.__contains__)
    phone = FakePhone(press=keys(f"1 {WALK}"))
    await call(site, phone)
    assert phone.said == [("frame/apology",)]
    assert phone.over
    assert await site.database.read(attempt_ends) == [("dialing", None)]
    assert not await site.database.pending.flush()
    broken.clear()
    assert await site.database.pending.flush()
    assert await site.database.read(attempt_ends) == [("ended", Outcome.FAILED)]


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.CONGESTION, Outcome.NO_ANSWER])
async def test_an_end_that_cannot_be_written_is_written_later_as_what_it_was(
    site: Site, clock: Clock, outcome: Outcome
) -> None:
    planned = attempt("a-1")
    await site.database.write(calls.plan_attempt, planned)
    broken = {"end_call"}
    failing(site.database, broken.__contains__)
    ended_at = clock.now()
    await ring(site, FakeLine(lambda _: Ending(outcome, 17, 486)), planned)
    broken.clear()
    clock.advance(5)
    assert await site.database.pending.flush()
    stored = await site.database.read(calls.get_attempt, "a-1")
    assert (stored.outcome, stored.ended_at) == (outcome, ended_at)


async def test_nothing_is_dialled_that_could_not_be_written_down(site: Site) -> None:
    planned = attempt("a-1")
    await site.database.write(calls.plan_attempt, planned)
    failing(site.database, lambda name: name == "start_call")
    line = FakeLine(lambda _: Ending(Outcome.BUSY))
    with pytest.raises(StorageError):
        await ring(site, line, planned)
    assert line.orders == []


async def test_a_call_is_never_placed_twice(site: Site) -> None:
    planned = attempt("a-1")
    await call(site, FakePhone())
    line = FakeLine(lambda _: Ending(Outcome.BUSY))
    with pytest.raises(IllegalTransition):
        await ring(site, line, planned)
    assert line.orders == []


async def test_an_ending_that_the_line_knows_is_the_outcome(site: Site) -> None:
    phone = FakePhone(press=keys("1 2"), faults={2: HungUp(Ending(Outcome.UNKNOWN, note="connection lost"))})
    await call(site, phone)
    assert await site.database.read(call_ends) == [("ended", Outcome.UNKNOWN)]


@pytest.mark.parametrize(
    ("pressed", "status", "reasons"),
    [
        pytest.param(keys("1 2 - - -"), "gave_up", [FollowUpReason.COULD_NOT_ENTER], id="could not key"),
        pytest.param(keys("1 2 0 2"), "ended_early", [FollowUpReason.CALL_WISHED], id="wished a call, ended"),
        pytest.param(
            keys(f"1 2 0 1 {WALK[2:]}"), "completed", [FollowUpReason.CALL_WISHED], id="wished a call, went on"
        ),
    ],
)
async def test_other_ends_of_a_session(site: Site, pressed: Press, status: str, reasons: list[str]) -> None:
    phone = FakePhone(press=pressed)
    await call(site, phone)
    assert phone.over
    assert await site.database.read(session_ends) == [(HANAKO.id, None, status)]
    assert [reason for _, _, reason in await site.database.read(tasks)] == reasons
    assert await site.database.read(attempt_ends) == [("ended", Outcome.ANSWERED)]


async def test_after_midnight_a_call_still_belongs_to_its_day(site: Site, clock: Clock) -> None:
    async def watch(step: int, _: tuple[str, ...]) -> None:
        if step == 3:
            clock.advance(24 * 60)

    await call(site, FakePhone(press=keys(f"1 {WALK}"), watch=watch))
    (report,) = await site.database.read(reports_of_day, attempt("a-1").day)
    assert report.completeness == "complete"


@pytest.mark.parametrize(("minutes", "dialled"), [(-0.1, 0), (0, 1), (149, 1), (149.1, 0), (600, 0)])
async def test_the_window_is_judged_again_right_before_dialling(
    site: Site, clock: Clock, minutes: float, dialled: int
) -> None:
    clock.advance(minutes)
    line = await call(site, FakePhone(press=keys(f"1 {WALK}")))
    assert len(line.orders) == dialled
    assert await site.database.read(attempt_ends) == [("ended", Outcome.ANSWERED if dialled else Outcome.FAILED)]


async def test_a_commit_that_takes_until_the_window_is_over_dials_nobody(
    site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(149)
    start_call = calls.start_call

    def slow_disk(connection: Connection, new: calls.Call) -> None:
        start_call(connection, new)
        clock.advance(1)

    monkeypatch.setattr(calls, "start_call", slow_disk)
    assert (await call(site, FakePhone(press=keys(f"1 {WALK}")))).orders == []


@pytest.mark.parametrize("number", ["05000000100", "0120000000", "110", "09" + "1" * 9])
async def test_a_number_that_may_not_be_rung_any_more_is_a_bad_one(site: Site, number: str) -> None:
    assert (await call(site, FakePhone(), number=number)).orders == []
    assert await site.database.read(attempt_ends) == [("ended", Outcome.BAD_NUMBER)]


async def test_what_staff_decide_counts_up_to_the_last_moment(site: Site, clock: Clock) -> None:
    signed = Signed("担当", "入院", clock.now())
    await site.database.write(pause_person, HANAKO.id, clock.now() + timedelta(minutes=5), signed)
    assert (await call(site, FakePhone(press=keys(f"1 {WALK}")))).orders == []
    clock.advance(5)
    assert len((await call(site, FakePhone(press=keys(f"1 {WALK}")), "a-2")).orders) == 1
    await site.database.write(close_person, HANAKO.id, Signed("担当", "回復", clock.now()))
    assert (await call(site, FakePhone(press=keys(f"1 {WALK}")), "a-3")).orders == []
