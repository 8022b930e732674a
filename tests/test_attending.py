"""What somebody known by their number may do when today's report is in, on a real database."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from ivr.call import Outcome
from ivr.handover import MESSAGE_LEFT, TURNED_AWAY
from ivr.inbound import receive, turn_away
from ivr.questionnaire.model import FollowUpReason
from ivr.recordings import length_of
from ivr.site import Site
from ivr.storage.agenda import facts_of
from ivr.storage.alarms import standing_alarms
from ivr.storage.followups import open_alerts, open_follow_ups
from ivr.storage.reports import export_rows, last_report
from ivr.storage.schema import follow_ups
from ivr.storage.status import DayState, status_of_day
from ivr.storage.voice_messages import messages_between
from tests.fakes.phone import FakePhone, keys
from tests.rows import call_ends, report_ends, session_ends, tasks
from tests.storage.records import DAY, HANAKO, SACHIKO, TARO

WALK = "2 2 365 1 98# 1"
WORSE = "2 2 391 1 90# 1"
OWN, SHARED = "09000000001", "0310000001"
GREETING, MENU = ("frame/inbound_greeting",), ("frame/report_in", "frame/attend")


@pytest.fixture
def site(site: Site, tmp_path: Path) -> Site:
    """With a folder of its own for what is said."""
    return replace(site, config=site.config.model_copy(update={"database": tmp_path / "kenko-call.db"}))


async def ring_in(
    site: Site, pressed: str, caller: str | None = OWN, *, before: int | None = None, after: int | None = None
) -> FakePhone:
    phone = FakePhone(site.new_id(), keys(pressed), before, after)
    await receive(site, phone, caller)
    return phone


async def test_who_has_reported_is_asked_what_they_wish(site: Site) -> None:
    await ring_in(site, WALK)
    phone = await ring_in(site, "-")
    assert phone.said == [GREETING, MENU, ("frame/thanks",)]
    assert phone.over
    assert await site.database.read(call_ends) == [("ended", Outcome.ANSWERED)] * 2
    assert len(await site.database.read(report_ends)) == 1
    assert await site.database.read(tasks) == []


async def test_a_corrected_report_supersedes_the_first_one(site: Site) -> None:
    await ring_in(site, WORSE)
    phone = await ring_in(site, f"1 {WALK}")
    assert phone.said[2][0] == "daily/opening"
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")] * 2
    first, second = await site.database.read(export_rows, DAY, DAY)
    assert (first.answers["oxygen"], second.answers["oxygen"]) == ("90", "98")
    assert (first.superseded, second.superseded) == (True, False)
    # What staff were told stays until they have seen it.
    assert {each.session_id for each in await site.database.read(open_alerts)} != set()
    (status,) = [each for each in await site.database.read(status_of_day, DAY) if each.person_id == HANAKO.id]
    assert status.state is DayState.REPORTED


async def test_a_correction_is_not_compared_with_the_report_that_it_corrects(site: Site) -> None:
    await ring_in(site, WORSE)
    assert await site.database.read(last_report, HANAKO.id, DAY) == {}


async def test_a_correction_that_broke_off_leaves_the_report_standing_and_can_be_gone_on_with(site: Site) -> None:
    await ring_in(site, WALK)
    await ring_in(site, "1 2 1", after=4)
    assert [each.superseded for each in await site.database.read(export_rows, DAY, DAY)] == [False, False]
    facts = await site.database.read(facts_of, HANAKO.id, DAY)
    assert facts.reported
    phone = await ring_in(site, "1 365 1 98# 1")
    assert phone.said[2][0] == "frame/resume"
    assert [end for *_, end in await site.database.read(session_ends)] == ["completed", "completed"]
    assert [each.superseded for each in await site.database.read(export_rows, DAY, DAY)] == [True, False]


async def test_a_message_is_kept_with_the_task_of_listening_to_it(site: Site) -> None:
    await ring_in(site, WALK)
    phone = await ring_in(site, "2 rec:4")
    assert phone.said[2:] == [("frame/leave_message",), ("frame/message_kept", "frame/thanks")]
    (message,) = await site.database.read(messages_between, DAY, DAY)
    assert (message.person_id, message.seconds, message.is_answer) == (HANAKO.id, 4.0, True)
    assert message.call_id == phone.call_id
    assert length_of(site.config.voice_messages / f"{message.id}.wav") == 4.0
    assert await site.database.read(tasks) == [(HANAKO.id, None, MESSAGE_LEFT)]
    # It is no report, and the one of today stands.
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]
    assert (await site.database.read(call_ends))[-1] == ("ended", Outcome.ANSWERED)


async def test_a_message_beside_a_correction_that_broke_off(site: Site) -> None:
    await ring_in(site, WALK)
    await ring_in(site, "1 2 1", after=4)
    await ring_in(site, "2 rec:4")
    assert len(await site.database.read(messages_between, DAY, DAY)) == 1


@pytest.mark.parametrize("pressed", ["2 -", "2 rec:0.4", "2 5"])
async def test_nothing_was_said(site: Site, pressed: str) -> None:
    await ring_in(site, WALK)
    phone = await ring_in(site, pressed)
    assert phone.said[-1] == ("frame/silence", "frame/thanks")
    assert await site.database.read(messages_between, DAY, DAY) == ()
    assert await site.database.read(tasks) == []
    folder = site.config.voice_messages
    assert not folder.exists() or list(folder.iterdir()) == []


async def test_a_call_is_wished(site: Site) -> None:
    await ring_in(site, WALK)
    seen: list[object] = []

    async def watch(_: int, said: tuple[str, ...]) -> None:
        if said == ("frame/call_wished_end",):
            seen.extend(await site.database.read(tasks))

    phone = FakePhone(site.new_id(), keys("0"), watch=watch)
    await receive(site, phone, OWN)
    assert phone.over
    # Stored before it is promised.
    assert seen == [(HANAKO.id, None, FollowUpReason.CALL_WISHED)]


async def test_a_wrong_key_and_a_repetition(site: Site) -> None:
    await ring_in(site, WALK)
    phone = await ring_in(site, "* 7 8")
    assert phone.said == [GREETING, MENU, MENU, ("frame/wrong_key", "frame/attend"), ("frame/thanks",)]


async def test_a_key_that_is_stuck(site: Site) -> None:
    await ring_in(site, WALK)
    phone = await ring_in(site, " ".join("*" * 100))
    assert phone.over
    assert len(phone.said) < 30


async def test_who_rings_back_goes_on_where_they_stopped(site: Site) -> None:
    await ring_in(site, "2 2", after=3)
    phone = await ring_in(site, "365 1 98# 1")
    assert phone.said[1][0] == "frame/resume"
    assert await site.database.read(report_ends) == [(HANAKO.id, "complete")]


async def test_who_keys_an_id_never_hears_that_a_report_is_in_but_the_newer_one_counts(site: Site) -> None:
    first = await ring_in(site, f"{SACHIKO.id}# 3100405# {WORSE}", None)
    second = await ring_in(site, f"{SACHIKO.id}# 3100405# {WALK}", None)
    assert [each[:1] for each in first.said[:3]] == [each[:1] for each in second.said[:3]]
    assert [each.superseded for each in await site.database.read(export_rows, DAY, DAY)] == [True, False]


def due(connection: Connection) -> list[tuple[str | None, str]]:
    return [(row.person_id, row.reason) for row in connection.execute(select(follow_ups).order_by(follow_ups.c.id))]


@pytest.mark.parametrize(
    ("caller", "tasks_of"),
    [(OWN, [HANAKO.id]), (SHARED, [HANAKO.id, TARO.id]), (None, []), ("0310000099", [])],
)
async def test_who_is_turned_away_hears_when_to_ring_again(site: Site, caller: str | None, tasks_of: list[str]) -> None:
    phone = FakePhone(site.new_id())
    await turn_away(site, phone, caller)
    assert phone.answered
    assert phone.said == [("frame/all_busy",)]
    assert phone.over
    assert await site.database.read(call_ends) == [("ended", Outcome.CONGESTION)]
    assert sorted(await site.database.read(due)) == [(each, TURNED_AWAY) for each in tasks_of]
    assert await site.database.read(standing_alarms) == ()


async def test_who_was_turned_away_is_still_called_and_a_report_settles_it(site: Site) -> None:
    await turn_away(site, FakePhone(site.new_id()), OWN)
    facts = await site.database.read(facts_of, HANAKO.id, DAY)
    assert not facts.handed_over
    await ring_in(site, WALK)
    assert await site.database.read(open_follow_ups) == ()


async def test_who_hangs_up_before_they_hear_it_was_turned_away_too(site: Site) -> None:
    phone = FakePhone(site.new_id(), hang_up_before=0)
    await turn_away(site, phone, OWN)
    assert await site.database.read(call_ends) == [("ended", Outcome.CONGESTION)]
