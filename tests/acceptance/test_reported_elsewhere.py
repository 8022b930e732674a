"""A report that enters at the centre while the person's number rings: the call greets, says so, and ends."""

import pytest

from sandbox.centre import Centre
from sandbox.certificates import make_certificates
from sandbox.network import Network
from sandbox.service import PRACTICE_DAY, running_service
from tests.acceptance.scene import WELL, Scene, does, person, set_scene, told_by_logs, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

#: Answers after so long that the centre's word is here before, even on a busy machine.
RINGS_SECONDS = 25.0


async def test_a_report_entered_at_the_centre_stops_the_call_that_rings(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("elsewhere")
    certificates = make_certificates(folder / "certificates")
    centre = Centre(folder / "centre", certificates)
    await centre.start()
    slow = person("38000001", "09000380001", does("answers", *WELL, ring=RINGS_SECONDS))
    other = person("38000002", "09000380002", does("answers", *WELL))
    settings = {
        "sync": {
            "centre_url": centre.url,
            "ca_file": str(certificates.ca),
            "certificate_file": str(certificates.client.certificate),
            "key_file": str(certificates.client.key),
            "pull_seconds": 1,
        },
        "dialling": {"ring_seconds": 60},
    }
    try:
        scene = await set_scene(network, (slow, other), folder / "service", settings)
        async with running_service(scene.service):
            await until(lambda: slow.number in {each.called for each in scene.invites()}, 60, "the telephone rings")
            report = {"kind": "report", "report_id": "web-1", "person_id": slow.id, "day": PRACTICE_DAY.isoformat()}
            centre.changes.put(report)
            await until(lambda: _is_over(scene, slow.number), 120, "the call")
            await until(lambda: _is_over(scene, other.number), 60, "the other call")
            await until(lambda: all(each["state"] == "ended" for each in scene.table("calls")), 30, "its end")
    finally:
        await centre.stop()
    (record,) = scene.calls_of(slow.number)
    # It was there before the telephone was answered ...
    (taken,) = [each for each in scene.table("reports") if each["id"] == "web-1"]
    (attempt,) = [each for each in scene.table("attempts") if each["person_id"] == slow.id]
    (call,) = [each for each in scene.table("calls") if each["attempt_id"] == attempt["id"]]
    assert call["started_at"] < taken["created_at"] < call["answered_at"]
    assert taken["source"] == "self_entry"
    # ... and this is all that was heard: no question, and nobody had to press a key.
    assert [each.prompt for each in scene.heard(record)] == ["frame/greeting", "frame/already_in"]
    assert (record.pressed, record.ended_by, attempt["outcome"]) == ("", "pbx", "answered")
    assert {each["person_id"] for each in scene.table("sessions")} == {other.id}
    assert [each for each in scene.table("follow_ups") if each["person_id"] == slow.id] == []
    assert scene.status()[slow.id].state == "reported"
    # Whoever did not report there was asked as ever.
    heard = [each.prompt for each in scene.heard(scene.calls_of(other.number)[0])]
    assert heard[0] == "frame/greeting"
    assert heard[-1] == "daily/closing"
    assert told_by_logs(scene) == []


def _is_over(scene: Scene, number: str) -> bool:
    calls = scene.calls_of(number)
    return bool(calls) and all(each.ended is not None for each in calls)
