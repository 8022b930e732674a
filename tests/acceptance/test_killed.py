"""Our process dies (SIGKILL) with people on the line: nobody is left in silence, and a new process goes on with them.

At the moment of the kill one person listens in the middle of a prompt, one is waited for, one has pressed the first
of three digits, one is being rung and will answer, one is being rung and never will.
"""

import shutil
import time
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import Call, Person
from sandbox.service import running_service, set_clock
from sandbox.settings import PROMPTS
from tests.acceptance import audio
from tests.acceptance.scene import WELL, Row, Scene, does, person, set_scene, told_by_logs, until

pytestmark = [
    pytest.mark.asterisk,
    pytest.mark.measures,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

#: Who is who, in the order of the cast.
LISTENS, WAITED_FOR, IN_A_NUMBER, RINGING, NOBODY = range(5)
REACHED = (LISTENS, WAITED_FOR, IN_A_NUMBER, RINGING)
#: Longer than everybody else needs to be in their place.
OPENING_SECONDS = 18.0
RING_SECONDS = 34
ANSWERS_AFTER = 28

#: Seconds after the voice began: past all that is said after the interruption.
_PRESSES = 3.2
#: Nobody is there to hang up after the apology: they do it themselves, so many seconds after they answered.
_PATIENCE = 75


def _first(name: str, *keys: str, **other: object) -> Call:
    return does(name, *keys, patience=_PATIENCE, **other)


#: What they do on the first call, and on the next.
ROLES: dict[int, tuple[Call, Call]] = {
    LISTENS: (_first("answers", *WELL), does("barges_in", *WELL)),
    WAITED_FOR: (
        _first("barges_in", "1", "365", "1", "", "2", "2", barge_in=_PRESSES),
        does("barges_in", "1", "2", "2"),
    ),
    IN_A_NUMBER: (
        _first("barges_in", "1", "3", "365", "1", "2", "2", barge_in=_PRESSES),
        does("barges_in", *WELL),
    ),
    RINGING: (_first("answers", *WELL, ring=ANSWERS_AFTER), does("barges_in", *WELL)),
    NOBODY: (does("rings"), does("rings")),
}


def cast(scene: int) -> list[Person]:
    """People of their own for each scene: recordings are named after the numbers."""
    return [person(f"34000{scene}{role:02d}", f"09000340{scene}{role:02d}", *calls) for role, calls in ROLES.items()]


@pytest.fixture(scope="module")
def prompts(short_prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short ones, but for the opening."""
    folder = tmp_path_factory.mktemp("long") / "prompts"
    shutil.copytree(short_prompts, folder)
    opening = audio.read(PROMPTS / "ja/daily/opening.wav")
    while len(opening) < OPENING_SECONDS * audio.RATE:
        opening = audio.call(opening, opening)
    audio.write(folder / "ja/daily/opening.wav", audio.clip(opening, OPENING_SECONDS))
    return folder


async def killed_service(network: Network, people: list[Person], prompts: Path, folder: Path) -> tuple[Scene, float]:
    """A service that is no more, everybody as it left them, and the seconds that a start takes on this machine."""
    retry = {"unknown": [1], "no_answer": [1], "cut_off": [1]}
    dialling = {"ring_seconds": RING_SECONDS, "attempts": 2, "retry_seconds": retry, "rest_seconds": 1}
    scene = await set_scene(network, people, folder, {"dialling": dialling, "prompts": str(prompts)})
    began = time.monotonic()
    async with running_service(scene.service) as process:
        await until(lambda: "action=started" in scene.service.log.read_text(encoding="utf-8"), 60, "the service")
        start_seconds = time.monotonic() - began
        await until(lambda: _in_place(scene), 60, "everybody in their place")
        process.kill()
        await process.wait()
        assert _in_place(scene)
    return scene, start_seconds


def _in_place(scene: Scene) -> bool:
    calls = [scene.calls_of(each.number) for each in scene.people]
    if not all(calls):
        return False
    listens, waited_for, in_a_number, ringing, nobody = (each[0] for each in calls)
    return (
        listens.pressed == "1"
        and len(listens.speeches) == 2
        and listens.speeches[-1].ended is None
        and waited_for.pressed == "13651"
        and len(waited_for.speeches) == 4
        and waited_for.speeches[-1].ended is not None
        and in_a_number.pressed == "13"
        and ringing.answered is None
        and nobody.ended is None
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def taken_over(network: Network, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The service is started again at once."""
    scene, start_seconds = await killed_service(network, cast(1), prompts, tmp_path_factory.mktemp("over") / "service")
    # The clock goes on from where it was, as a real one does: it begins again when the service has started. A little
    # fast harms nobody; slow, and a call that ends would seem not to have rung to its end.
    since = time.time() - min(each.began for each in scene.calls()) + start_seconds + 5
    set_clock(scene.service, f"09:{int(since) // 60:02}:{int(since) % 60:02}")
    async with running_service(scene.service):
        await until(lambda: _all_settled(scene), 180, "the end of the day")
    return scene


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def left_alone(network: Network, prompts: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The service is started again when all calls are over, and rings them once more."""
    scene, _ = await killed_service(network, cast(2), prompts, tmp_path_factory.mktemp("alone") / "service")
    await until(lambda: all(each.ended for each in scene.calls()), 150, "the end of all calls")
    set_clock(scene.service, "09:10")
    async with running_service(scene.service):
        await until(lambda: _all_settled(scene), 180, "the end of the day")
    return scene


def _all_settled(scene: Scene) -> bool:
    status = scene.status().values()
    # Reported with its last question, a call goes on to the closing.
    return {each.state for each in status} == {"reported", "follow_up"} and not _open(scene)


def _open(scene: Scene) -> list[Row]:
    return [each for table in ("calls", "attempts") for each in scene.table(table) if each["state"] != "ended"]


def number_of(scene: Scene, role: int) -> str:
    return scene.people[role].number


def first_call(scene: Scene, role: int) -> CallRecord:
    return scene.calls_of(number_of(scene, role))[0]


def heard_by(scene: Scene, role: int) -> list[str]:
    """On the first call."""
    return [each.prompt for each in scene.heard(first_call(scene, role))]


@pytest.mark.parametrize(
    ("role", "then"),
    [(LISTENS, "daily/temperature"), (WAITED_FOR, "daily/cough"), (IN_A_NUMBER, "daily/temperature")],
    ids=["listens", "waited-for", "in-a-number"],
)
async def test_a_new_process_says_sorry_and_asks_the_open_question(taken_over: Scene, role: int, then: str) -> None:
    heard = heard_by(taken_over, role)
    sorry = heard.index("frame/interrupted")
    assert heard[sorry + 1 : sorry + 3] == ["frame/resume", then]
    assert heard[-2:] == ["daily/breathless", "daily/closing"]
    assert "frame/apology" not in heard


async def test_what_the_old_process_was_saying_is_stopped(taken_over: Scene) -> None:
    assert "daily/opening" not in heard_by(taken_over, LISTENS)


async def test_who_answers_only_now_is_greeted_as_ever(taken_over: Scene) -> None:
    heard = heard_by(taken_over, RINGING)
    assert heard[:3] == ["frame/greeting", "frame/ready", "daily/opening"]
    assert "frame/interrupted" not in heard


async def test_one_call_for_each_attempt_and_all_of_it_written_down(taken_over: Scene) -> None:
    reached = sorted(number_of(taken_over, role) for role in REACHED)
    outcomes = {each["number"]: each["outcome"] for each in taken_over.table("attempts")}
    assert {number: outcomes[number] for number in reached} == dict.fromkeys(reached, "answered")
    invites = [each.called for each in taken_over.invites()]
    assert sorted(each for each in invites if each != number_of(taken_over, NOBODY)) == reached
    assert_all_reported(taken_over)


async def test_a_call_is_answered_when_somebody_answers(taken_over: Scene) -> None:
    (call,) = [each for each in taken_over.table("calls") if each["number"] == number_of(taken_over, RINGING)]
    rang = datetime.fromisoformat(call["answered_at"]) - datetime.fromisoformat(call["started_at"])
    # Not when the new process found it ringing.
    assert rang.total_seconds() > ANSWERS_AFTER - 5


async def test_who_never_answers_is_not_reached(taken_over: Scene) -> None:
    calls = [each for each in taken_over.table("calls") if each["number"] == number_of(taken_over, NOBODY)]
    assert [(each["outcome"], each["answered_at"]) for each in calls] == [("no_answer", None)] * 2
    assert [each["reason"] for each in taken_over.table("follow_ups")] == ["not_reached"]


def assert_all_reported(scene: Scene) -> None:
    assert _open(scene) == []
    numbers = {each.id: each.number for each in scene.people}
    reports = {numbers[each["person_id"]]: each for each in scene.table("reports")}
    assert set(reports) == {number_of(scene, role) for role in REACHED}
    for report in reports.values():
        assert report["completeness"] == "complete"
        answers = [each for each in scene.table("answers") if each["session_id"] == report["session_id"]]
        assert [(each["question_id"], each["value"]) for each in answers] == [
            ("temperature", "36.5"),
            ("cough", "no"),
            ("breathless", "no"),
        ]


@pytest.mark.parametrize("role", REACHED, ids=["listens", "waited-for", "in-a-number", "ringing"])
async def test_without_a_new_process_asterisk_apologises(left_alone: Scene, role: int) -> None:
    heard = heard_by(left_alone, role)
    assert heard[-1] == "frame/apology"
    assert heard.count("frame/apology") == 1
    # After the apology of the dialplan Asterisk hangs up; after the one behind a prompt nobody is there to do it.
    assert first_call(left_alone, role).ended_by == ("pbx" if role == RINGING else "patient")


async def test_the_apology_comes_only_after_the_wait_for_a_key(left_alone: Scene) -> None:
    *_, question, apology = left_alone.heard(first_call(left_alone, WAITED_FOR))
    assert question.prompt == "daily/cough"
    # 15 s for the key, 5 s of margin, in silences of 5 s.
    assert apology.at - question.until == pytest.approx(20, abs=1)


async def test_people_who_were_left_are_rung_again_and_report(left_alone: Scene) -> None:
    assert_all_reported(left_alone)
    numbers = [each.number for each in left_alone.people]
    attempts = [each["number"] for each in left_alone.table("attempts")]
    invites = [each.called for each in left_alone.invites()]
    assert sorted(invites) == sorted(attempts) == sorted(numbers * 2)
    last = [each["outcome"] for each in left_alone.table("attempts") if each["number"] == number_of(left_alone, NOBODY)]
    assert last == ["no_answer", "no_answer"]


async def test_no_log_tells_anything(taken_over: Scene, left_alone: Scene) -> None:
    for scene in (taken_over, left_alone):
        assert told_by_logs(scene) == []
