"""Calls from persons, on a real database: who they are, and a line that tells nobody anything."""

import pytest

from ivr.call import CallState, Direction, Outcome
from ivr.errors import StorageError, problem
from ivr.inbound import NO_ID, UNKNOWN_CALLER, receive
from ivr.site import Site
from ivr.storage.calls import get_call
from ivr.storage.decisions import Signed, close_person
from ivr.storage.reports import reports_of_day
from ivr.storage.words import Auth, Source
from tests.fakes.phone import FakePhone, keys
from tests.rows import answer_rows, call_ends, report_ends, session_ends, tasks
from tests.storage.records import DAY, HANAKO, NOW, SACHIKO, TARO

WALK = "2 2 365 1 98# 1"
#: Hanako's own number, and the landline that she shares with Taro.
OWN, SHARED = "09000000001", "0310000001"
#: An ID of the right form that nobody has.
NOBODYS = "999999"
WELCOME, ENTER_ID = ("frame/inbound_greeting",), ("frame/enter_id",)


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


@pytest.mark.parametrize("caller", [None, "0310000099", "110", "12345678901234567890"])
async def test_another_number_is_asked_for_the_id(site: Site, caller: str | None) -> None:
    phone = await ring_in(site, f"{SACHIKO.id}# {WALK}", caller)
    assert phone.said[:2] == [WELCOME, ENTER_ID]
    assert await site.database.read(session_ends) == [(SACHIKO.id, SACHIKO.id, "completed")]
    (report,) = await site.database.read(reports_of_day, DAY)
    assert (report.auth, report.source) == (Auth.KEYED_ID, Source.HEALTH_CALL)
    assert await site.database.read(tasks) == []


async def test_a_number_that_cannot_be_a_persons_is_not_kept(site: Site) -> None:
    phone = await ring_in(site, "", "110")
    assert (await site.database.read(get_call, phone.call_id)).number is None


async def test_a_shared_number_is_asked_for_the_id(site: Site) -> None:
    phone = await ring_in(site, f"{TARO.id} {WALK}", SHARED)
    assert phone.said[:2] == [WELCOME, ENTER_ID]
    assert await site.database.read(session_ends) == [(TARO.id, TARO.id, "completed")]


async def test_who_rings_from_the_shared_number_goes_on_in_the_middle(site: Site) -> None:
    await ring_in(site, f"{TARO.id} 2 2", SHARED, after=4)
    phone = await ring_in(site, f"{TARO.id} 365 1 98# 1", SHARED)
    assert phone.said[2][0] == "frame/resume"
    assert await site.database.read(session_ends) == [(TARO.id, TARO.id, "completed")]


async def test_the_line_tells_nobody_whether_an_id_exists(site: Site) -> None:
    """The same keys, the same words in the same order, whoever is known and whatever stands in the tables."""
    await site.database.write(close_person, TARO.id, Signed("見本", "終了", NOW))
    told = {}
    for case, claimed in {"known": SACHIKO.id, "unknown": NOBODYS, "no longer observed": TARO.id}.items():
        told[case] = [
            (await ring_in(site, f"- 12# {claimed}# {pressed}", None, after=end)).said
            for pressed, end in (
                ("2 2 364", 6),  # hangs up in the middle
                (WALK, 99),  # rings again and answers everything
                (WALK, 99),  # rings again although the report is in
                ("0 2", 99),  # wishes a call
                ("- - -", 99),  # cannot key
            )
        ]
    assert told["known"] == told["unknown"] == told["no longer observed"]
    assert [len(each) for each in told["known"]] == [7, 11, 11, 7, 8]
    assert not any("frame/already_in" in said or "frame/resume" in said for call in told["known"] for said in call)
    # Staff see the difference.
    people = [(person, claimed) for person, claimed, _ in await site.database.read(session_ends)]
    assert people.count((None, NOBODYS)) == people.count((None, TARO.id)) == 5
    assert (None, NOBODYS, UNKNOWN_CALLER) in await site.database.read(tasks)
    assert (SACHIKO.id, None) not in people


async def test_what_was_answered_before_the_second_beginning_stays(site: Site) -> None:
    await ring_in(site, f"{SACHIKO.id}# 1 2", None, after=5)
    await ring_in(site, f"{SACHIKO.id}# {WALK}", None)
    assert await site.database.read(answer_rows) == [
        ("complexion", "changed"),
        ("breathless", "no"),
        ("complexion", "as_usual"),
        ("breathless", "no"),
        ("temperature", "36.5"),
        ("oxygen", "98"),
    ]
    assert await site.database.read(report_ends) == [(SACHIKO.id, "complete")]


async def test_a_report_of_an_unknown_id_is_kept_for_staff(site: Site) -> None:
    await ring_in(site, f"{NOBODYS}# {WALK}", OWN[:-1] + "9")
    assert await site.database.read(tasks) == [(None, NOBODYS, UNKNOWN_CALLER)]
    assert await site.database.read(report_ends) == [(None, "complete")]
    assert len(await site.database.read(answer_rows)) == 4
    assert await site.database.read(call_ends) == [("ended", Outcome.ANSWERED)]


async def test_a_person_who_is_no_longer_observed_is_not_recognised_by_number(site: Site) -> None:
    await site.database.write(close_person, HANAKO.id, Signed("見本", "終了", NOW))
    phone = await ring_in(site, "", OWN)
    assert phone.said[1] == ENTER_ID


async def test_with_one_of_two_gone_the_shared_number_is_the_others(site: Site) -> None:
    await site.database.write(close_person, TARO.id, Signed("見本", "終了", NOW))
    phone = await ring_in(site, WALK, SHARED)
    assert phone.said[1][0] == "daily/opening"
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_who_cannot_key_an_id_is_a_follow_up(site: Site) -> None:
    phone = await ring_in(site, "- 12# -", None)
    assert phone.said[-1] == ("frame/id_given_up",)
    assert phone.over
    assert await site.database.read(tasks) == [(None, None, NO_ID)]
    assert await site.database.read(call_ends) == [("ended", Outcome.NO_KEY)]
    assert await site.database.read(session_ends) == []


@pytest.mark.parametrize(
    ("caller", "end", "outcome"),
    [
        pytest.param(OWN, {"before": 0}, Outcome.NO_KEY, id="before the greeting"),
        pytest.param(OWN, {"after": 0}, Outcome.NO_KEY, id="in the greeting"),
        pytest.param(OWN, {"after": 1}, Outcome.CUT_OFF, id="at the first question"),
        pytest.param(None, {"after": 1}, Outcome.NO_KEY, id="before keying an ID"),
        pytest.param(None, {"before": 2}, Outcome.CUT_OFF, id="after keying an ID"),
    ],
)
async def test_hanging_up_early(site: Site, caller: str | None, end: dict[str, int], outcome: Outcome) -> None:
    await ring_in(site, f"{SACHIKO.id}#" if caller is None else "", caller, **end)
    assert await site.database.read(call_ends) == [("ended", outcome)]
    assert await site.database.read(answer_rows) == []
    assert await site.database.read(report_ends) == []


async def test_a_database_that_fails_is_apologised_for(site: Site) -> None:
    write = site.database.write

    async def full(function: object, *args: object) -> object:
        if getattr(function, "__name__", "") in ("open_session", "open_follow_up"):
            raise StorageError(problem("storage.full"))
        return await write(function, *args)  # type: ignore[arg-type]

    site.database.write = full  # type: ignore[assignment, method-assign]
    for pressed, caller in ((WALK, OWN), (f"{NOBODYS}#", None), ("- - -", None)):
        phone = await ring_in(site, pressed, caller)
        assert phone.said[-1] == ("frame/apology",)
        assert phone.over
    assert await site.database.read(call_ends) == [("ended", Outcome.FAILED)] * 3
