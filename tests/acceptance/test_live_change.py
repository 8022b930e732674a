"""The questionnaire is changed while somebody is on the line, judged by what each far end recorded and by the rows."""

from dataclasses import dataclass

import pytest
import pytest_asyncio

from sandbox.journal import CallRecord
from sandbox.network import Network
from sandbox.service import command, running_service
from tests.acceptance.scene import QUESTIONNAIRE, WELL, Scene, does, person, set_scene, told_by_logs, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(200)]

OLD = QUESTIONNAIRE.read_text(encoding="utf-8")
#: Asks for cough only.
NEW = OLD.replace("  - {id: breathless, kind: yes_no_unknown, ask: [daily/breathless]}\n", "")
BROKEN = NEW.replace("daily/cough", "daily/no_such_words")

#: Thinks so long before each key that everything else happens meanwhile.
IN_A_CALL = person("37000001", "09000370001", does("answers", *WELL, think=11))
#: Their own calls are not answered: they ring us.
LATER = person("37000002", "09000370002", does("busy"))
BACK = person("37000003", "09000370003", does("busy"))
#: As WELL, without the key for the gate.
CALLS = does("answers", *WELL[1:]).script


@dataclass(frozen=True)
class Told:
    """What came of it."""

    scene: Scene
    later: CallRecord
    back: CallRecord


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """One call; a change; another call; a file that is no good; back to the old version; a third call."""
    folder = tmp_path_factory.mktemp("live") / "service"
    file = folder / "questionnaire.yaml"
    dialling = {"attempts": 1}
    changes = {"questionnaire": str(file), "dialling": dialling}
    folder.mkdir()
    file.write_text(OLD, encoding="utf-8")
    scene = await set_scene(network, (IN_A_CALL, LATER, BACK), folder, changes)

    def decided(cause: str, verdict: str) -> bool:
        found = [(each["cause"], each["verdict"]) for each in scene.table("activations")]
        return (cause, verdict) in found

    async with running_service(scene.service):
        await until(lambda: bool(scene.table("answers")), 60, "the first answer")
        file.write_text(NEW, encoding="utf-8")
        await until(lambda: decided("saved", "done"), 10, "the saved file is live")
        later = await network.carrier.call_in(CALLS, LATER.number)
        file.write_text(BROKEN, encoding="utf-8")
        await until(lambda: decided("saved", "refused"), 10, "the broken file is refused")
        (old,) = [each["hash"] for each in scene.table("questionnaires") if each["source"] == OLD]
        code, said, complaint = await command(scene.service, "questionnaires", "activate", old[:12])
        assert code == 0, said + complaint
        back = await network.carrier.call_in(CALLS, BACK.number)
        await until(lambda: bool(scene.calls_of(IN_A_CALL.number)[0].ended), 60, "the end of the first call")
    return Told(scene, later, back)


#: The prompts that tell the two versions apart. Cut to their first words, others begin as these do.
TELLING = frozenset({"daily/cough", "daily/breathless", "daily/closing"})


def heard(told: Told, record: CallRecord) -> list[str]:
    return [each.prompt for each in told.scene.heard(record, only=TELLING)]


async def test_the_call_in_progress_finished_on_the_version_it_began_with(told: Told) -> None:
    (record,) = told.scene.calls_of(IN_A_CALL.number)
    assert heard(told, record) == ["daily/cough", "daily/breathless", "daily/closing"]
    # The others were on the line in between.
    assert record.began < told.later.began < told.back.began < (record.ended or 0)


async def test_a_call_begun_later_got_the_new_one(told: Told) -> None:
    assert heard(told, told.later) == ["daily/cough", "daily/closing"]


async def test_after_going_back_the_old_one_is_asked_again(told: Told) -> None:
    assert heard(told, told.back) == ["daily/cough", "daily/breathless", "daily/closing"]


async def test_every_answer_leads_to_the_version_it_was_given_to(told: Told) -> None:
    hashes = {each["source"]: each["hash"] for each in told.scene.table("questionnaires")}
    sessions = {each["person_id"]: each for each in told.scene.table("sessions")}
    assert {who: each["questionnaire_hash"] for who, each in sessions.items()} == {
        IN_A_CALL.id: hashes[OLD],
        LATER.id: hashes[NEW],
        BACK.id: hashes[OLD],
    }
    assert {each["status"] for each in sessions.values()} == {"completed"}
    of_later = [each for each in told.scene.table("answers") if each["session_id"] == sessions[LATER.id]["id"]]
    assert [each["question_id"] for each in of_later] == ["temperature", "cough"]


async def test_who_changed_it_is_written_down(told: Told) -> None:
    found = [(each["cause"], each["verdict"], bool(each["by_whom"])) for each in told.scene.table("activations")]
    assert found == [
        ("started", "done", False),
        ("saved", "done", False),
        ("saved", "refused", False),
        ("activate", "done", True),
    ]


async def test_no_log_tells_anything(told: Told) -> None:
    assert told_by_logs(told.scene) == []
