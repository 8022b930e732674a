"""Calls from telephones that are nobody's: what is asked, what is heard, what staff see; on a real database."""

import logging
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr.call import Outcome
from ivr.handover import CALLER_LOCKED, MESSAGE_LEFT, UNKNOWN_CALLER
from ivr.identity import GUESSING, LIMITS
from ivr.inbound import NOT_CONFIRMED, receive
from ivr.questionnaire.model import FollowUpReason
from ivr.site import Site
from ivr.storage.agenda import facts_of
from ivr.storage.alarms import list_alarms
from ivr.storage.calls import get_call
from ivr.storage.database import open_database
from ivr.storage.decisions import Signed, close_person
from ivr.storage.followups import open_follow_ups
from ivr.storage.reports import reports_of_day
from ivr.storage.voice_messages import messages_between
from ivr.storage.words import Auth
from tests.fakes.phone import FakePhone, keys
from tests.fakes.site import Clock, open_site
from tests.rows import call_ends, report_ends, session_ends
from tests.storage.records import DAY, HANAKO, NOW, SACHIKO, TARO

WALK = "2 2 365 1 98# 1"
ELSEWHERE = "0310000099"
NOBODYS = "999999"
BIRTH, WRONG = "3100405#", "3100406#"
GREETING, ASK_ID = ("frame/inbound_greeting",), ("frame/enter_id",)
ASK_DATE = ("frame/enter_birth_date", "frame/birth_date_example")
AGAIN, THANKS = ("frame/not_confirmed", "frame/enter_id"), ("frame/thanks",)
#: What three wrong tries sound like, to the offer at the end.
REFUSED = [GREETING, ASK_ID, ASK_DATE, *[AGAIN, ASK_DATE] * 2]
WITHHELD_END = ("frame/id_given_up", "frame/leave_name")
NUMBER_END = ("frame/id_given_up", "frame/leave_or_wish")


@pytest.fixture
def site(site: Site, tmp_path: Path) -> Site:
    """With a folder of its own for what is said."""
    return replace(site, config=site.config.model_copy(update={"database": tmp_path / "kenko-call.db"}))


async def ring_in(site: Site, pressed: str, caller: str | None = None, *, after: int | None = None) -> FakePhone:
    phone = FakePhone(site.new_id(), keys(pressed), hang_up_after=after)
    await receive(site, phone, caller)
    return phone


def tries(*given: tuple[str, str]) -> str:
    return " ".join(f"{id}# {born}" for id, born in given)


def three(id: str, born: str) -> str:
    return tries(*[(id, born)] * 3)


async def tasks(site: Site) -> list[tuple[str | None, str | None, str | None, str]]:
    found = await site.database.read(open_follow_ups)
    return [(each.person_id, each.claimed_id, each.number, each.reason) for each in found]


async def test_the_line_tells_nobody_whether_an_id_exists(site: Site) -> None:
    """Unknown, wrong date, closed, without a date, locked: the same words, the same questions, the same writing."""
    await site.database.write(close_person, TARO.id, Signed("見本", "終了", NOW))
    await ring_in(site, three(HANAKO.id, WRONG))
    await ring_in(site, three(HANAKO.id, WRONG))  # the fifth locks it for today
    told: dict[str, list[tuple[str, ...]]] = {}
    written: dict[str, list[str]] = {}
    write = site.database.write
    for case, pressed in {
        "unknown": three(NOBODYS, BIRTH),
        "wrong": three(SACHIKO.id, WRONG),
        "no longer observed": three(TARO.id, BIRTH),
        "locked, wrong": three(HANAKO.id, WRONG),
        "locked, right": three(HANAKO.id, BIRTH),
    }.items():
        functions: list[str] = []

        async def noting(function: Any, *args: Any, into: list[str] = functions) -> Any:
            into.append(function.__name__)
            return await write(function, *args)

        site.database.write = noting  # type: ignore[assignment, method-assign]
        told[case] = (
            await ring_in(site, f"{pressed} -", ELSEWHERE if case == "wrong" else f"03100001{len(told)}0")
        ).said
        written[case] = functions
    assert all(said == [*REFUSED, NUMBER_END, THANKS] for said in told.values()), told
    assert len({tuple(each) for each in written.values()}) == 1, written
    # Staff see the difference.
    assert (HANAKO.id, None, "0310000140", UNKNOWN_CALLER) in await tasks(site)


async def test_nobody_hears_the_state_of_a_report_by_an_id(site: Site) -> None:
    """In the middle, complete, none: whoever keys ID and birth date is asked everything from the beginning."""
    pressed = f"{SACHIKO.id}# {BIRTH} {WALK}"
    cut = await ring_in(site, pressed, after=5)
    whole, again = await ring_in(site, pressed), await ring_in(site, pressed)
    assert whole.said == again.said
    assert cut.said == whole.said[: len(cut.said)]
    (*_, report) = await site.database.read(reports_of_day, DAY)
    assert report.auth is Auth.WITHHELD


@pytest.mark.parametrize(
    ("pressed", "passes"),
    [
        (tries((SACHIKO.id, WRONG), (SACHIKO.id, BIRTH)), True),
        (tries((NOBODYS, BIRTH), (SACHIKO.id, WRONG), (SACHIKO.id, BIRTH)), True),
        (tries(*[(SACHIKO.id, WRONG)] * 3, (SACHIKO.id, BIRTH)), False),
    ],
)
async def test_three_tries_a_call(site: Site, pressed: str, passes: bool) -> None:
    await ring_in(site, f"{pressed} {WALK}")
    assert bool(await site.database.read(report_ends)) is passes


async def test_the_outcome_and_the_task_of_one_who_is_not_let_in(site: Site) -> None:
    phone = await ring_in(site, three(SACHIKO.id, WRONG), ELSEWHERE)
    call = await site.database.read(get_call, phone.call_id)
    assert (call.outcome, call.note) == (Outcome.ANSWERED, NOT_CONFIRMED)
    assert await tasks(site) == [(None, SACHIKO.id, ELSEWHERE, UNKNOWN_CALLER)]
    assert await site.database.read(session_ends) == []
    # It is no reason not to ring the person whose ID somebody keyed.
    assert not (await site.database.read(facts_of, SACHIKO.id, DAY)).handed_over


@pytest.mark.parametrize("after", [3, 4, 5])
async def test_who_hangs_up_between_the_tries_is_a_task_too(site: Site, after: int) -> None:
    await ring_in(site, three(SACHIKO.id, WRONG), ELSEWHERE, after=after)
    assert await site.database.read(call_ends) == [("ended", Outcome.CUT_OFF)]
    assert await tasks(site) == [(None, SACHIKO.id, ELSEWHERE, UNKNOWN_CALLER)]


async def test_who_hangs_up_before_anything_was_keyed_is_none(site: Site) -> None:
    await ring_in(site, "", ELSEWHERE, after=1)
    assert await tasks(site) == []
    assert await site.database.read(call_ends) == [("ended", Outcome.NO_KEY)]


async def test_the_task_is_there_before_it_is_said(site: Site) -> None:
    seen: list[object] = []

    async def watch(_: int, said: tuple[str, ...]) -> None:
        if said == NUMBER_END:
            seen.extend(await tasks(site))

    phone = FakePhone(site.new_id(), keys(three(NOBODYS, BIRTH)), watch=watch)
    await receive(site, phone, ELSEWHERE)
    assert seen == [(None, NOBODYS, ELSEWHERE, UNKNOWN_CALLER)]


@pytest.mark.parametrize(("caller", "end"), [(None, WITHHELD_END), (ELSEWHERE, NUMBER_END), ("110", WITHHELD_END)])
async def test_who_is_not_let_in_may_leave_a_message(site: Site, caller: str | None, end: tuple[str, ...]) -> None:
    phone = await ring_in(site, f"{three(NOBODYS, BIRTH)} 2 rec:4", caller)
    assert phone.said[-3:] == [end, ("frame/leave_message",), ("frame/message_kept", "frame/thanks")]
    number = caller  # also one that cannot be a person's: staff see it
    (message,) = await site.database.read(messages_between, DAY, DAY)
    assert (message.person_id, message.claimed_id, message.number) == (None, NOBODYS, number)
    assert await tasks(site) == [
        (None, NOBODYS, number, UNKNOWN_CALLER),
        (None, NOBODYS, number, MESSAGE_LEFT),
    ]
    assert await site.database.read(report_ends) == []


async def test_who_can_key_nothing_may_leave_a_message_too(site: Site) -> None:
    await ring_in(site, "1# 1# 1# 2 rec:4")
    await ring_in(site, "1# 1# 1# 2 rec:5")
    messages = await site.database.read(messages_between, DAY, DAY)
    assert [(each.person_id, each.claimed_id, each.seconds) for each in messages] == [(None, None, 4), (None, None, 5)]
    assert [reason for *_, reason in await tasks(site)].count(MESSAGE_LEFT) == 2


async def test_whose_number_is_seen_may_wish_a_call(site: Site) -> None:
    phone = await ring_in(site, f"{three(NOBODYS, BIRTH)} 0", ELSEWHERE)
    assert phone.said[-1] == ("frame/call_wished_end",)
    assert (None, NOBODYS, ELSEWHERE, FollowUpReason.CALL_WISHED) in await tasks(site)


async def test_nobody_is_promised_a_call_to_a_number_that_we_do_not_see(site: Site) -> None:
    phone = await ring_in(site, f"{three(NOBODYS, BIRTH)} 0 -")
    assert phone.said[-2:] == [("frame/wrong_key", "frame/leave_name"), THANKS]
    assert [reason for *_, reason in await tasks(site)] == [UNKNOWN_CALLER]


async def test_an_id_is_locked_for_the_day_and_the_next_one_is_better(site: Site, clock: Clock) -> None:
    right = f"{SACHIKO.id}# {BIRTH} {WALK}"
    for caller in (ELSEWHERE, "0310000098"):
        await ring_in(site, three(SACHIKO.id, WRONG), caller)
    refused = await ring_in(site, f"{right} {three(SACHIKO.id, BIRTH)}", None)
    assert AGAIN in refused.said
    assert await site.database.read(report_ends) == []
    assert (SACHIKO.id, None, None, CALLER_LOCKED) in await tasks(site)
    clock.advance(24 * 60)
    await ring_in(site, right)
    assert await site.database.read(report_ends) == [(SACHIKO.id, "complete")]


async def test_a_lock_outlives_the_service(tmp_path: Path, made: Path, clock: Clock) -> None:
    file = Path(shutil.copy(made, tmp_path / "again.db"))
    said: list[list[tuple[str, ...]]] = []
    for caller in (ELSEWHERE, "0310000098", None):
        async with await open_database(file) as database:
            site = await open_site(database, clock)
            site = replace(site, new_id=lambda caller=caller: f"kc-{caller}-{len(said)}")  # type: ignore[misc]
            said.append((await ring_in(site, three(SACHIKO.id, WRONG if caller else BIRTH), caller)).said)
            assert await database.read(report_ends) == []
    assert said[1][:7] == said[2][:7] == REFUSED


async def test_whoever_knew_the_date_of_a_locked_id_stays_known_to_staff(site: Site) -> None:
    for caller in (ELSEWHERE, "0310000098"):
        await ring_in(site, three(SACHIKO.id, WRONG), caller)
    await ring_in(site, tries((SACHIKO.id, BIRTH), (NOBODYS, BIRTH), (SACHIKO.id, WRONG)), "0310000097")
    assert (SACHIKO.id, None, "0310000097", UNKNOWN_CALLER) in await tasks(site)


async def test_when_all_tries_of_a_day_are_used_up_staff_are_alarmed_and_callers_hear_the_same(
    site: Site, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    calls = -(-LIMITS.per_day // LIMITS.per_call)
    for at in range(calls):
        await ring_in(site, tries(*[(f"80000{at:02d}{part}", BIRTH) for part in range(3)]), f"0310002{at:03d}")
    (alarm,) = await site.database.read(list_alarms)
    assert (alarm.kind, alarm.subject) == (GUESSING, DAY.isoformat())
    assert [each.message for each in caplog.records if "alarm" in each.message] == ["alarm: guessing"]
    phone = await ring_in(site, f"{three(SACHIKO.id, BIRTH)} -")
    assert phone.said == [*REFUSED, WITHHELD_END, THANKS]
    # Whoever rings from their own telephone is not concerned.
    await ring_in(site, WALK, SACHIKO.numbers[0])
    assert await site.database.read(report_ends) == [(SACHIKO.id, "complete")]
    clock.time += timedelta(days=1)
    phone = await ring_in(site, f"{HANAKO.id}# {BIRTH} {WALK}")
    assert AGAIN not in phone.said
