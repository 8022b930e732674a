"""Calls from persons, on a real database: who they are, and a line that tells nobody anything."""

from dataclasses import replace

import pytest

from ivr.call import CallState, Direction, Outcome
from ivr.errors import StorageError, problem
from ivr.handover import HandOver
from ivr.inbound import NOT_CONFIRMED, receive
from ivr.questionnaire.model import FollowUpReason
from ivr.site import Site
from ivr.storage.calls import get_call
from ivr.storage.decisions import Signed, close_person
from ivr.storage.followups import NewFollowUp, open_follow_up, open_follow_ups
from ivr.storage.people import upsert_people
from ivr.storage.reports import reports_of_day
from ivr.storage.words import Auth, Source
from ivr.unknown_caller import NO_ID
from tests.fakes.phone import FakePhone, keys
from tests.rows import answer_rows, call_ends, report_ends, session_ends, tasks
from tests.storage.records import BORN, DAY, HANAKO, NOW, SACHIKO, TARO

WALK = "2 2 365 1 98# 1"
#: Hanako's own number, and the landline that she shares with Taro.
OWN, SHARED = "09000000001", "0310000001"
#: An ID of the right form that nobody has.
NOBODYS = "999999"
#: The birth date of Sachiko and of Hanako: Showa 10.
BIRTH = "3100405#"
WELCOME, ENTER_ID = ("frame/inbound_greeting",), ("frame/enter_id",)
ENTER_DATE = ("frame/enter_birth_date", "frame/birth_date_example")
CHOOSE = ("frame/household", "frame/household_1", "frame/household_2")
ANOTHER = ("frame/household_another",)
LET_GO = ("frame/id_given_up", "frame/leave_name")


async def ring_in(
    site: Site, pressed: str, caller: str | None, *, before: int | None = None, after: int | None = None
) -> FakePhone:
    """A whole call; the caller hangs up `before` or `after` the prompts of a step."""
    phone = FakePhone(site.new_id(), keys(pressed), before, after)
    await receive(site, phone, caller)
    return phone


async def test_a_known_number_goes_straight_to_the_questions(site: Site) -> None:
    phone = await ring_in(site, WALK, OWN)
    assert phone.answered
    assert phone.over
    assert phone.said[0] == WELCOME
    assert phone.said[1][0] == "daily/opening"
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    (report,) = await site.database.read(reports_of_day, DAY)
    assert (report.source, report.auth, report.claimed_id) == (Source.HEALTH_CALL, Auth.REGISTERED_NUMBER, None)
    call = await site.database.read(get_call, phone.call_id)
    assert (call.direction, call.state, call.outcome) == (Direction.INBOUND, CallState.ENDED, Outcome.ANSWERED)
    assert (call.number, call.attempt_id) == (OWN, None)


async def test_the_number_may_be_shown_in_the_international_form(site: Site) -> None:
    phone = await ring_in(site, "", "+819000000001", after=1)
    assert phone.said[1][0] == "daily/opening"


async def test_the_call_is_written_down_before_it_is_answered(site: Site) -> None:
    seen: list[object] = []

    class Phone(FakePhone):
        async def answer(self) -> None:
            seen.append(await site.database.read(call_ends))
            await super().answer()

    await receive(site, Phone("c-1", hang_up_before=0), OWN)
    assert seen == [[("dialing", None)]]


@pytest.mark.parametrize(
    ("caller", "auth"),
    [
        (None, Auth.WITHHELD),
        ("0310000099", Auth.OTHER_NUMBER),
        ("110", Auth.OTHER_NUMBER),
        ("12345678901234567890", Auth.OTHER_NUMBER),
    ],
)
async def test_another_number_is_asked_for_id_and_birth_date(site: Site, caller: str | None, auth: Auth) -> None:
    phone = await ring_in(site, f"{SACHIKO.id}# {BIRTH} {WALK}", caller)
    assert phone.said[:3] == [WELCOME, ENTER_ID, ENTER_DATE]
    assert await site.database.read(session_ends) == [(SACHIKO.id, SACHIKO.id, "completed")]
    (report,) = await site.database.read(reports_of_day, DAY)
    assert (report.auth, report.source) == (auth, Source.HEALTH_CALL)
    assert await site.database.read(tasks) == []


@pytest.mark.parametrize("caller", ["110", "+12125550100", "alice", "0312345"])
async def test_a_number_that_cannot_be_a_persons_is_kept_for_staff_to_see(site: Site, caller: str) -> None:
    phone = await ring_in(site, "1# 1# 1# 2 rec:4", caller)
    assert phone.said[1] == ENTER_ID
    assert (await site.database.read(get_call, phone.call_id)).number == caller
    found = await site.database.read(open_follow_ups)
    assert found
    assert {each.number for each in found} == {caller}


@pytest.mark.parametrize(
    "caller",
    [
        "819000000001",
        "9000000001",
        "00819000000001",
        "010819000000001",
        "090-0000-0001",
        "+81-90-0000-0001",
        "+8109000000001",
    ],
)
async def test_one_number_in_whatever_form_the_network_writes_it(site: Site, caller: str) -> None:
    phone = await ring_in(site, WALK, caller)
    assert phone.said[:1] == [WELCOME]
    assert phone.said[1][0] == "daily/opening"
    (report,) = await site.database.read(reports_of_day, DAY)
    assert (report.person_id, report.auth) == (HANAKO.id, Auth.REGISTERED_NUMBER)
    assert (await site.database.read(get_call, phone.call_id)).number == OWN


async def test_a_household_reports_one_after_another(site: Site) -> None:
    phone = await ring_in(site, f"1 1 {WALK} 1 2 1 {WALK} 2", SHARED)
    assert phone.said[:2] == [WELCOME, CHOOSE]
    assert phone.said[2] == ("frame/household_is_1", "frame/household_right")
    assert phone.said[3][0] == "daily/opening"
    assert phone.said.count(CHOOSE) == phone.said.count(ANOTHER) == 2
    assert phone.said[-1] == ("frame/thanks",)
    assert phone.over
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete"), (TARO.id, "complete")]
    assert {each.auth for each in await site.database.read(reports_of_day, DAY)} == {Auth.REGISTERED_NUMBER}
    assert await site.database.read(call_ends) == [("ended", Outcome.ANSWERED)]


async def test_of_a_household_one_whose_report_is_in_is_told_so(site: Site) -> None:
    await ring_in(site, f"1 1 {WALK} 2", SHARED)
    phone = await ring_in(site, f"1 1 - 1 2 1 {WALK}", SHARED)
    assert phone.said[3:6] == [("frame/report_in", "frame/attend"), ("frame/thanks",), ANOTHER]
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete"), (TARO.id, "complete")]


async def test_each_of_a_household_may_do_what_everybody_may(site: Site) -> None:
    await ring_in(site, f"1 1 {WALK} 1 2 1 {WALK} 2", SHARED)
    await ring_in(site, "2 1 0 1 1 1 0 2", SHARED)
    assert await site.database.read(tasks) == [
        (TARO.id, None, FollowUpReason.CALL_WISHED),
        (HANAKO.id, None, FollowUpReason.CALL_WISHED),
    ]


async def test_who_rings_from_the_shared_number_goes_on_in_the_middle(site: Site) -> None:
    await ring_in(site, "2 1 2 2", SHARED, after=5)
    phone = await ring_in(site, "2 1 365 1 98# 1", SHARED)
    assert phone.said[3][0] == "frame/resume"
    assert await site.database.read(session_ends) == [(TARO.id, None, "completed")]


async def test_a_household_that_presses_nothing_is_a_follow_up(site: Site) -> None:
    phone = await ring_in(site, "- - -", SHARED)
    assert phone.said[-2] == ("frame/id_given_up", "frame/tones", "frame/leave_or_wish")
    (task,) = await site.database.read(open_follow_ups)
    assert (task.reason, task.person_id, task.number) == (NO_ID, None, SHARED)
    assert await site.database.read(call_ends) == [("ended", Outcome.NO_KEY)]


async def test_of_a_very_large_household_each_keys_who_it_is(site: Site) -> None:
    many = [replace(TARO, id=f"7000{at:02d}", birth_date=BORN) for at in range(9)]
    await site.database.write(upsert_people, many, NOW)
    phone = await ring_in(site, f"700003# {BIRTH} {WALK}", SHARED)
    assert phone.said[1] == ENTER_ID
    (report,) = await site.database.read(reports_of_day, DAY)
    assert (report.person_id, report.auth) == ("700003", Auth.REGISTERED_NUMBER)


async def test_what_was_answered_before_the_second_beginning_stays(site: Site) -> None:
    await ring_in(site, f"{SACHIKO.id}# {BIRTH} 1 2", None, after=6)
    phone = await ring_in(site, f"{SACHIKO.id}# {BIRTH} {WALK}", None)
    assert not any("frame/resume" in each for each in phone.said)
    assert await site.database.read(answer_rows) == [
        ("complexion", "changed"),
        ("breathless", "no"),
        ("complexion", "as_usual"),
        ("breathless", "no"),
        ("temperature", "36.5"),
        ("oxygen", "98"),
    ]
    assert await site.database.read(report_ends) == [(SACHIKO.id, "complete")]


async def test_a_report_from_elsewhere_takes_no_task_from_staff(site: Site) -> None:
    for person in (HANAKO, SACHIKO):
        await site.database.write(open_follow_up, NewFollowUp(DAY, HandOver.NOT_REACHED, person.id), NOW)
    await ring_in(site, f"{SACHIKO.id}# {BIRTH} {WALK}", None)
    await ring_in(site, WALK, OWN)
    assert [each.person_id for each in await site.database.read(open_follow_ups)] == [SACHIKO.id]


async def test_a_person_who_is_no_longer_observed_is_not_recognised_by_number(site: Site) -> None:
    await site.database.write(close_person, HANAKO.id, Signed("見本", "終了", NOW))
    phone = await ring_in(site, "", OWN)
    assert phone.said[1] == ENTER_ID


async def test_with_one_of_two_gone_the_shared_number_is_the_others(site: Site) -> None:
    await site.database.write(close_person, TARO.id, Signed("見本", "終了", NOW))
    phone = await ring_in(site, WALK, SHARED)
    assert phone.said[1][0] == "daily/opening"
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_who_cannot_key_a_birth_date_is_a_follow_up(site: Site) -> None:
    phone = await ring_in(site, f"{SACHIKO.id}# 19350230 0405# -", None)
    assert phone.said[-2:] == [LET_GO, ("frame/thanks",)]
    assert await site.database.read(tasks) == [(None, SACHIKO.id, NO_ID)]
    # Keys came, and we came to an end; the note says what was missing.
    assert await site.database.read(call_ends) == [("ended", Outcome.ANSWERED)]
    assert (await site.database.read(get_call, phone.call_id)).note == NOT_CONFIRMED


async def test_who_cannot_key_an_id_is_a_follow_up(site: Site) -> None:
    phone = await ring_in(site, "- 12# -", None)
    assert phone.said[-2:] == [LET_GO, ("frame/thanks",)]
    assert phone.over
    assert await site.database.read(tasks) == [(None, None, NO_ID)]
    assert await site.database.read(call_ends) == [("ended", Outcome.ANSWERED)]
    assert await site.database.read(session_ends) == []


@pytest.mark.parametrize(
    ("caller", "end", "outcome"),
    [
        pytest.param(OWN, {"before": 0}, Outcome.NO_KEY, id="before the greeting"),
        pytest.param(OWN, {"after": 0}, Outcome.NO_KEY, id="in the greeting"),
        pytest.param(OWN, {"after": 1}, Outcome.CUT_OFF, id="at the first question"),
        pytest.param(None, {"after": 1}, Outcome.NO_KEY, id="before keying an ID"),
        pytest.param(None, {"after": 2}, Outcome.CUT_OFF, id="before keying a birth date"),
        pytest.param(None, {"before": 3}, Outcome.CUT_OFF, id="after keying who they are"),
    ],
)
async def test_hanging_up_early(site: Site, caller: str | None, end: dict[str, int], outcome: Outcome) -> None:
    await ring_in(site, f"{SACHIKO.id}# {BIRTH}" if caller is None else "", caller, **end)
    assert await site.database.read(call_ends) == [("ended", outcome)]
    assert await site.database.read(answer_rows) == []
    assert await site.database.read(report_ends) == []


async def test_a_database_that_fails_is_apologised_for(site: Site) -> None:
    write = site.database.write

    async def full(function: object, *args: object) -> object:
        if getattr(function, "__name__", "") in ("open_session", "try_caller", "open_follow_up"):
            raise StorageError(problem("storage.full"))
        return await write(function, *args)  # type: ignore[arg-type]

    site.database.write = full  # type: ignore[assignment, method-assign]
    for pressed, caller in ((WALK, OWN), (f"{NOBODYS}# {BIRTH} " * 3, None), ("- - -", None)):
        phone = await ring_in(site, pressed, caller)
        assert phone.said[-1] == ("frame/apology",)
        assert phone.over
    assert await site.database.read(call_ends) == [("ended", Outcome.FAILED)] * 3
