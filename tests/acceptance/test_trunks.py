"""Two trunks with two numbers, and a trunk that takes no calls from us, judged by what reached the carrier."""

import time
from collections.abc import Sequence

import pytest

from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.script import Call, Person
from sandbox.service import command, running_service, set_clock
from sandbox.settings import INBOUND_NUMBER, SECOND_NUMBER
from tests.acceptance.scene import WELL, Scene, does, person, set_scene, told_by_logs, until
from tests.acceptance.test_slot import at_once, clock

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400)]

AGAIN = [3, 3]
SETTINGS = {
    "lines": {"total": 5, "reserved_for_inbound": 1, "calls_per_second": 4},
    "dialling": {
        "ring_seconds": 15,
        "rest_seconds": 0,
        "retry_seconds": {"busy": AGAIN, "unreachable": AGAIN, "no_answer": AGAIN, "congestion": [3, 3, 3, 3]},
    },
    "gate": {"times": 1, "wait_seconds": 4},
}
TRUNKS = (
    {"name": "trunk", "total": 4, "reserved_for_inbound": 1, "calls_per_second": 10},
    {"name": "trunk-2", "caller_id": SECOND_NUMBER, "total": 3, "reserved_for_inbound": 1, "calls_per_second": 10},
)


def people(scene: int, *calls: Sequence[Call]) -> list[Person]:
    """Rung in this order."""
    return [person(f"37{scene}0{at:04}", f"0900037{scene}{at:03}", *each) for at, each in enumerate(calls)]


def outbound(scene: Scene) -> list[CallRecord]:
    return sorted((each for each in scene.calls() if not each.inbound), key=lambda each: each.began)


def settled(scene: Scene) -> bool:
    status = scene.status()
    return len(status) == len(scene.people) and all(each.state == "reported" for each in status.values())


def standing(scene: Scene) -> list[tuple[str, str]]:
    return [(each["kind"], each["subject"]) for each in scene.table("alarms") if each["ended_at"] is None]


async def test_two_trunks_present_their_numbers_and_keep_their_limits(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cast = people(0, *([(does("answers", *WELL),)] * 14))
    changes = {**SETTINGS, "lines": None, "trunks": TRUNKS}
    scene = await set_scene(network, cast, tmp_path_factory.mktemp("two") / "service", changes)
    async with running_service(scene.service):
        await until(lambda: settled(scene), 120, "everybody reported")
    assert len(scene.invites()) == len(cast)
    by_number = {
        number: [each for each in outbound(scene) if each.caller == number]
        for number in (INBOUND_NUMBER, SECOND_NUMBER)
    }
    assert {each.caller for each in scene.invites()} == set(by_number)
    assert {number: at_once(calls) for number, calls in by_number.items()} == {INBOUND_NUMBER: 3, SECOND_NUMBER: 2}
    assert told_by_logs(scene) == []


async def test_a_refused_trunk_is_tried_by_one_call_until_it_takes_calls_again(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The first three people's calls are turned down with 403; after the second one the service is killed."""
    well = does("answers", *WELL)
    cast = people(1, *([(does("barred"), well)] * 3), *([(well,)] * 5))
    scene = await set_scene(network, cast, tmp_path_factory.mktemp("barred") / "service", SETTINGS)
    started = time.time()
    async with running_service(scene.service) as process:
        await until(lambda: standing(scene) == [("trunk_refused", "trunk")], 60, "the alarm")
        process.kill()
        await process.wait()
    assert [each.behaviour for each in outbound(scene)[:2]] == ["barred", "barred"]
    before = len(outbound(scene))
    set_clock(scene.service, f"09:{clock(time.time() - started + 2)}")
    async with running_service(scene.service):
        await until(lambda: settled(scene), 120, "everybody reported")
        await until(lambda: standing(scene) == [], 90, "the end of the alarm")
    probe, third, *others = outbound(scene)[before:]
    # One that is refused after the restart, nobody beside it, and after the pause one that is answered: then all.
    assert [probe.behaviour, third.behaviour] == ["barred", "answers"]
    assert third.began - probe.began >= 2.9
    assert third.answered is not None
    assert all(each.began >= third.answered for each in others)
    assert at_once([third, *others]) == 4
    attempts = scene.table("attempts")
    assert sorted(each["outcome"] for each in attempts) == ["answered"] * 8 + ["refused"] * 3
    statuses = [each["tech_cause"] for each in scene.table("calls") if each["outcome"] == "refused"]
    assert statuses == [403, 403, 403]
    code, said, _ = await command(scene.service, "alarms", "--all")
    assert "SIP 403" in said, code


async def test_three_calls_without_an_answer_are_an_alarm(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cast = people(2, *([(does("silent_network"), does("answers", *WELL))] * 3))
    scene = await set_scene(network, cast, tmp_path_factory.mktemp("silent") / "service", SETTINGS)
    async with running_service(scene.service):
        await until(lambda: ("trunk_silent", "trunk") in standing(scene), 60, "the alarm")
        await until(lambda: settled(scene), 120, "everybody reported")
    assert [each["tech_cause"] for each in scene.table("calls")][:3] == [408, 408, 408]
