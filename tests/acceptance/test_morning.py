"""One morning with everybody at once. Judged by the rows and by the carrier's own list of INVITEs."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import pytest
import pytest_asyncio

from ivr.storage.status import PersonStatus
from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.service import running_service
from tests.acceptance.cast import (
    CALLING_IN,
    CALLS_IN,
    EVERYBODY,
    HOUSEHOLD,
    UNKNOWN_ID,
    Case,
    settled,
)
from tests.acceptance.scene import Row, Scene, does, set_scene, told_by_logs

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(500)]

LONGEST_SECONDS = 400.0
DIALLING = {
    "ring_seconds": 45,
    "attempts": 2,
    "rest_seconds": 0,
    "retry_seconds": {
        "busy": [3],
        "no_answer": [3],
        "unreachable": [3],
        "rejected": [3],
        "congestion": [2, 3],
        "no_key": [3],
        "cut_off": [40],  # long enough for a busy machine to ring us in between
    },
}


@dataclass(frozen=True)
class Morning:
    """It is over: what everybody saw of it."""

    scene: Scene
    calls_in: dict[str, CallRecord]

    def attempts(self, person_id: str) -> list[Row]:
        return [each for each in self.scene.table("attempts") if each["person_id"] == person_id]

    def heard(self, record: CallRecord) -> list[str]:
        """Which prompts the person heard, in order."""
        return [each.prompt for each in self.scene.heard(record)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def morning(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Morning:
    """Everybody is rung until nobody is left to ring; those who call in do."""
    second = {each.id: each.second_number for each in EVERYBODY if each.second_number}
    for number in second.values():
        network.carrier.assign(number, [does("answers", "1", "365", "1", "2", "2")])
    scene = await set_scene(
        network,
        (each.person for each in EVERYBODY),
        tmp_path_factory.mktemp("morning") / "service",
        {"dialling": DIALLING},
        second,
    )
    async with running_service(scene.service) as process:
        calls_in = await _until_over(scene, LONGEST_SECONDS)
    assert process.returncode == 0  # it ran until it was told to end
    return Morning(scene, calls_in)


async def _until_over(scene: Scene, seconds: float) -> dict[str, CallRecord]:
    waiting = list(CALLS_IN)
    calling: dict[str, asyncio.Task[CallRecord]] = {}
    status: dict[str, PersonStatus] = {}
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status = await asyncio.to_thread(scene.status)
        for each in [each for each in waiting if each.after in status and each.when(status[each.after])]:
            waiting.remove(each)
            calling[each.name] = asyncio.create_task(scene.network.carrier.call_in(each.call.script, each.number))
        over = not waiting and all(each.done() for each in calling.values())
        if over and len(status) == len(EVERYBODY) and all(settled(each) for each in status.values()):
            return {name: task.result() for name, task in calling.items()}
        await asyncio.sleep(0.3)
    unsettled = [each for each in status.values() if not settled(each)]
    raise AssertionError(f"not over: {unsettled}, {[each.name for each in waiting]}")


@pytest.mark.parametrize("case", EVERYBODY, ids=lambda case: case.id)
async def test_everybody_ends_as_they_must(case: Case, morning: Morning) -> None:
    assert " ".join(each["outcome"] for each in morning.attempts(case.id)) == case.outcomes
    complete = [
        each
        for each in morning.scene.table("reports")
        if each["person_id"] == case.id and each["completeness"] == "complete"
    ]
    assert [_answers(morning, each) for each in complete] == ([case.answers] if case.answers else [])
    follow_ups = [each for each in morning.scene.table("follow_ups") if each["person_id"] == case.id]
    assert {each["reason"]: each["closed_at"] is None for each in follow_ups} == case.follow_ups
    alerts = [each["rule"] for each in morning.scene.table("alerts") if each["person_id"] == case.id]
    assert tuple(alerts) == case.alerts


def _answers(morning: Morning, report: Row) -> dict[str, str]:
    answers = [each for each in morning.scene.table("answers") if each["session_id"] == report["session_id"]]
    # Once each: a key that counted twice would leave a second answer.
    assert len({each["question_id"] for each in answers}) == len(answers)
    return {each["question_id"]: each["value"] for each in answers}


@pytest.mark.parametrize("case", EVERYBODY, ids=lambda case: case.id)
async def test_the_carrier_saw_one_call_for_each_attempt(case: Case, morning: Morning) -> None:
    numbers = {case.person.number, case.second_number}
    mine = [each["number"] for each in morning.attempts(case.id)]
    assert set(mine) <= numbers
    if case.person.number != HOUSEHOLD:
        assert [each.called for each in morning.scene.invites() if each.called in numbers] == mine


async def test_the_carrier_saw_no_other_number_and_always_ours(morning: Morning) -> None:
    invites = morning.scene.invites()
    assert Counter(each.called for each in invites) == Counter(
        each["number"] for each in morning.scene.table("attempts") if each["together_with"] is None
    )
    assert {each.caller for each in invites} == {morning.scene.network.pbx.inbound_number}


async def test_one_live_call_per_number(morning: Morning) -> None:
    by_number = defaultdict(list)
    for each in morning.scene.calls():
        if not each.inbound:
            by_number[each.number].append(each)
    # One that is for both of them, and one more for who was not there.
    assert len(by_number[HOUSEHOLD]) == 2
    for calls in by_number.values():
        for one, other in pairwise(sorted(calls, key=lambda each: each.began)):
            assert one.ended is not None
            assert one.ended <= other.began


async def test_nothing_is_left_open(morning: Morning) -> None:
    for table in ("calls", "attempts"):
        assert {each["state"] for each in morning.scene.table(table)} == {"ended"}
    complete = {each["session_id"] for each in morning.scene.table("reports") if each["completeness"] == "complete"}
    assert {each["id"] for each in morning.scene.table("sessions") if each["status"] == "completed"} == complete


async def test_the_source_says_who_dialled_first(morning: Morning) -> None:
    sources = {
        each["person_id"]: each["source"]
        for each in morning.scene.table("reports")
        if each["completeness"] == "complete"
    }
    for case in CALLING_IN:
        assert sources[case.id] == case.sources


async def test_a_caller_whose_report_is_in_hears_that(morning: Morning) -> None:
    record = morning.calls_in["already in"]
    assert morning.heard(record) == ["frame/inbound_greeting", "frame/report_in", "frame/attend", "frame/thanks"]
    assert record.ended_by == "pbx"


async def test_a_household_is_asked_who_it_is(morning: Morning) -> None:
    heard = morning.heard(morning.calls_in["household"])
    assert heard[:4] == ["frame/inbound_greeting", "frame/household", "frame/household_1", "frame/household_2"]
    assert heard[4:6] == ["frame/household_is_2", "frame/household_right"]
    assert heard[-2:] == ["frame/household_another", "frame/thanks"]


async def test_a_caller_known_by_number_is_not_asked_for_it(morning: Morning) -> None:
    heard = morning.heard(morning.calls_in["after all"])
    assert heard[:3] == ["frame/inbound_greeting", "daily/opening", "daily/temperature"]


async def test_nobody_can_hear_whether_an_id_exists(morning: Morning) -> None:
    known, unknown = (morning.heard(morning.calls_in[each]) for each in ("known id", "unknown id"))
    asked = ["frame/enter_id", "frame/enter_birth_date", "frame/birth_date_example"]
    assert known[:4] == ["frame/inbound_greeting", *asked]
    assert known[-1] == "daily/closing"
    again = ["frame/not_confirmed", *asked]
    let_go = ["frame/id_given_up", "frame/leave_name", "frame/thanks"]
    assert unknown == ["frame/inbound_greeting", *asked, *again, *again, *let_go]


async def test_staff_see_who_rang_with_an_unknown_id(morning: Morning) -> None:
    assert not [each for each in morning.scene.table("sessions") if each["claimed_id"] == UNKNOWN_ID]
    assert _tasks_of_nobody(morning.scene.table("follow_ups")) == {"unknown_caller": UNKNOWN_ID, "no_id": None}


def _tasks_of_nobody(follow_ups: Iterable[Row]) -> dict[str, str | None]:
    return {each["reason"]: each["claimed_id"] for each in follow_ups if each["person_id"] is None}


async def test_who_cannot_key_an_id_is_told_how_and_then_let_go(morning: Morning) -> None:
    assert morning.heard(morning.calls_in["no id"]) == [
        "frame/inbound_greeting",
        "frame/enter_id",
        *(("frame/id_form", "frame/enter_id") * 2),
        "frame/id_given_up",
        "frame/leave_name",
        "frame/thanks",
    ]


@pytest.mark.parametrize(
    ("number", "hint"), [("09000310021", set()), ("09000310025", set()), ("0310310028", {"frame/tones"})]
)
async def test_somebody_who_presses_nothing_hears_no_word_about_health(
    number: str, hint: set[str], morning: Morning
) -> None:
    records = morning.scene.calls_of(number)
    assert len(records) == 2
    said: set[str] = set()
    for record in records:
        heard = morning.heard(record)
        assert set(heard[:-1]) - hint == {"frame/greeting", "frame/doubt", "frame/ready"}
        assert heard[-1] == "frame/not_reached"
        assert heard.count("frame/ready") == 3
        said |= set(heard)
    # Whence no key was ever heard, the hint to switch to tones is said too; a mobile telephone has no such switch.
    assert said & {"frame/tones"} == hint


async def test_no_log_tells_anything(morning: Morning) -> None:
    assert told_by_logs(morning.scene) == []
