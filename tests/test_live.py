"""What new sessions get: a saved file, a wish of the staff, and what stays when a file is no good."""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from ivr import live as module
from ivr.erased import write_erased
from ivr.errors import BadInput
from ivr.live import Live, go_live, run_live
from ivr.questionnaire.parse import parse
from ivr.storage.database import Database
from ivr.storage.people import list_people
from ivr.storage.questionnaires import (
    Activation,
    get_activation,
    history,
    open_wishes,
    questionnaire_source,
    standing,
    wish,
)
from ivr.storage.tombstones import Tombstone, tombstones
from ivr.storage.words import Cause, Verdict
from tests.cases_runner import CASES, ROOT
from tests.fakes.site import Clock, settings

OLD = (CASES / "three.yaml").read_text(encoding="utf-8")
#: The last question is gone.
NEW = OLD.replace("  - {id: breathless, kind: yes_no_unknown, ask: [daily/breathless]}\n", "")
BROKEN = OLD.replace("kind: number", "kind: nummer")
#: A file that is being written: it reads well, and lacks its end.
HALF = OLD[: OLD.index("alerts:")]


def hash_of(source: str) -> str:
    return parse(source.encode(), "").hash


@dataclass
class Installation:
    """A folder with a questionnaire and prompts, and services that start on it."""

    folder: Path
    database: Database
    clock: Clock = field(default_factory=Clock)
    names: Callable[[], str] = field(default_factory=lambda: map(str, count()).__next__)

    @property
    def file(self) -> Path:
        return self.folder / "three.yaml"

    def sound(self, prompt: str) -> Path:
        return self.folder / "prompts" / "ja" / f"{prompt}.wav"

    async def start(self) -> Live:
        config = settings(
            database=str(self.folder / "kenko-call.db"),
            questionnaire=str(self.file),
            prompts=str(self.folder / "prompts"),
            pbx={
                "secret_file": "secret",
                "inbound_numbers": ["05000000100"],
                "value_links": str(self.folder / "links"),
            },
        )
        return await go_live(config, self.database, self.clock.now, lambda: "id", self.names)

    async def history(self) -> list[tuple[str, str | None, str]]:
        """Cause, version and verdict, oldest first."""
        found = reversed(await self.database.read(history, 100))
        return [(each.cause, each.hash, each.verdict) for each in found]

    async def wish(self, cause: Cause, version: str | None = None) -> int:
        return await self.database.write(wish, cause, "sato", version, self.clock.now())


@pytest.fixture
def there(database: Database, tmp_path: Path) -> Installation:
    (tmp_path / "three.yaml").write_text(OLD, encoding="utf-8")
    shutil.copytree(ROOT / "prompts" / "ja", tmp_path / "prompts" / "ja")
    return Installation(tmp_path, database)


async def save(there: Installation, live: Live, source: str) -> None:
    """Save the file and look until it is settled."""
    there.file.write_text(source, encoding="utf-8")
    await settle(live)


async def settle(live: Live) -> None:
    await live.look()
    await live.look()


async def test_the_first_start_takes_the_file(there: Installation) -> None:
    live = await there.start()
    assert live.site.questionnaire.hash == hash_of(OLD)
    assert await there.history() == [("started", hash_of(OLD), "done")]
    assert await there.database.read(questionnaire_source, hash_of(OLD)) == OLD
    await settle(live)
    assert len(await there.history()) == 1


async def test_a_saved_file_is_live_for_whoever_begins_then(there: Installation) -> None:
    live = await there.start()
    in_a_call = live.site
    await save(there, live, NEW)
    assert live.site.questionnaire.hash == hash_of(NEW)
    assert in_a_call.questionnaire.hash == hash_of(OLD)
    now = await there.database.read(standing)
    assert now.live is not None
    assert (now.live.cause, now.live.by_whom, now.live.hash) == (Cause.SAVED, None, hash_of(NEW))
    assert await there.database.read(questionnaire_source, hash_of(NEW)) == NEW


async def test_a_file_that_is_still_being_written_is_let_alone(there: Installation) -> None:
    live = await there.start()
    assert parse(HALF.encode(), "").alerts == ()
    there.file.write_text(HALF, encoding="utf-8")
    await live.look()
    there.file.write_text(NEW, encoding="utf-8")
    await settle(live)
    assert await there.history() == [("started", hash_of(OLD), "done"), ("saved", hash_of(NEW), "done")]


async def test_saving_without_a_change_is_nothing(there: Installation) -> None:
    live = await there.start()
    await save(there, live, OLD)
    assert len(await there.history()) == 1


async def test_what_does_not_pass_is_written_down_once_and_what_is_live_stays(there: Installation) -> None:
    live = await there.start()
    await save(there, live, BROKEN)
    there.file.touch()
    await settle(live)
    assert live.site.questionnaire.hash == hash_of(OLD)
    assert await there.history() == [("started", hash_of(OLD), "done"), ("saved", None, "refused")]
    refused = (await there.database.read(standing)).refused
    assert refused is not None
    (said,) = refused.problems
    assert "nummer" in said["ja"]
    assert said["en"].startswith(f"{there.file}:")
    # Put right: the version stays, and nothing is refused any more.
    await save(there, live, OLD)
    now = await there.database.read(standing)
    assert now.refused is None
    assert now.live is not None
    assert (now.live.cause, now.live.hash) == (Cause.SAVED, hash_of(OLD))


async def test_a_file_that_is_gone_is_refused(there: Installation) -> None:
    live = await there.start()
    there.file.unlink()
    await settle(live)
    refused = (await there.database.read(standing)).refused
    assert refused is not None
    assert refused.file_hash is None
    assert live.site.questionnaire.hash == hash_of(OLD)


async def test_a_new_file_waits_for_its_recordings(there: Installation) -> None:
    live = await there.start()
    await save(there, live, OLD.replace("daily/cough", "daily/new_words"))
    refused = (await there.database.read(standing)).refused
    assert refused is not None
    assert "daily/new_words" in refused.problems[0]["ja"]
    shutil.copy(there.sound("daily/cough"), there.sound("daily/new_words"))
    await settle(live)
    # Nobody saved the file again.
    assert live.site.questionnaire.questions[1].ask == ("daily/new_words",)
    assert (await there.database.read(standing)).refused is None


async def test_new_recordings_are_used_and_values_keep_the_names_that_say_nothing(there: Installation) -> None:
    live = await there.start()
    before = live.site.prompts
    shutil.copy(there.sound("daily/opening"), there.sound("daily/cough"))
    there.sound("value/temperature_999").write_bytes(there.sound("value/temperature_365").read_bytes())
    await settle(live)
    after = live.site.prompts
    assert after.sounds["ja", "daily/cough"].seconds == before.sounds["ja", "daily/opening"].seconds
    # A call in progress plays by the links that it has: they stay.
    value = ("ja", "value/temperature_365")
    assert after.sounds[value] == before.sounds[value]
    assert after.sounds[value].path.exists()
    new = after.sounds["ja", "value/temperature_999"].path
    assert new.parent == there.folder / "links"
    assert "temperature" not in new.name
    assert len(await there.history()) == 1


async def test_recordings_that_a_call_cannot_use_are_not_taken(there: Installation) -> None:
    live = await there.start()
    before = live.site.prompts
    there.sound("daily/cough").write_bytes(b"RIFF")
    await settle(live)
    assert live.site.prompts == before
    assert (await there.history())[-1] == ("saved", None, "refused")


async def test_a_sound_of_other_words_does_not_go_live(there: Installation) -> None:
    for name in ("ja.yaml", "manifest.json"):
        shutil.copy(ROOT / "prompts" / name, there.folder / "prompts" / name)
    live = await there.start()
    script = there.folder / "prompts" / "ja.yaml"
    words = script.read_text(encoding="utf-8")
    begin, rest = words.split("  daily/cough:\n", 1)
    script.write_text(f"{begin}  daily/cough:\n{rest.replace('咳', 'せき', 1)}", encoding="utf-8")
    await save(there, live, NEW)
    assert live.site.questionnaire.hash == hash_of(OLD)
    refused = (await there.database.read(standing)).refused
    assert refused is not None
    assert [("daily/cough" in each["en"]) for each in refused.problems] == [True]
    # Its words are as they were spoken again: the file that waited for it is taken.
    script.write_text(words, encoding="utf-8")
    await settle(live)
    assert live.site.questionnaire.hash == hash_of(NEW)


async def test_new_recordings_are_used_although_the_new_file_is_refused(there: Installation) -> None:
    live = await there.start()
    shutil.copy(there.sound("daily/opening"), there.sound("daily/cough"))
    await save(there, live, BROKEN)
    sounds = live.site.prompts.sounds
    assert sounds["ja", "daily/cough"].seconds == sounds["ja", "daily/opening"].seconds
    assert live.site.questionnaire.hash == hash_of(OLD)


async def test_staff_go_back_in_one_step_until_the_file_is_changed(there: Installation) -> None:
    live = await there.start()
    await save(there, live, NEW)
    wished = await there.wish(Cause.ACTIVATE, hash_of(OLD))
    await live.look()
    assert live.site.questionnaire.hash == hash_of(OLD)
    done = await there.database.read(get_activation, wished)
    assert (done.verdict, done.by_whom, done.file_hash) == (Verdict.DONE, "sato", hash_of(NEW))
    assert await there.database.read(open_wishes) == ()
    there.file.touch()
    await settle(live)
    assert live.site.questionnaire.hash == hash_of(OLD)
    # ... also over a restart.
    live = await there.start()
    assert live.site.questionnaire.hash == hash_of(OLD)
    await save(there, live, NEW + "\n# again\n")
    assert live.site.questionnaire.hash == hash_of(NEW + "\n# again\n")


async def test_an_edit_that_was_taken_back_does_not_bring_the_file_back(there: Installation) -> None:
    live = await there.start()
    await save(there, live, NEW)
    await there.wish(Cause.ACTIVATE, hash_of(OLD))
    await live.look()
    await save(there, live, BROKEN)
    await save(there, live, NEW)
    assert live.site.questionnaire.hash == hash_of(OLD)
    assert (await there.database.read(standing)).refused is None


async def test_reload_reads_the_file_even_if_it_is_as_it_was(there: Installation) -> None:
    live = await there.start()
    await save(there, live, NEW)
    await there.wish(Cause.ACTIVATE, hash_of(OLD))
    wished = await there.wish(Cause.RELOAD)
    await live.look()
    assert live.site.questionnaire.hash == hash_of(NEW)
    done = await there.database.read(get_activation, wished)
    assert (done.verdict, done.hash, done.by_whom) == (Verdict.DONE, hash_of(NEW), "sato")


async def test_reload_says_each_time_what_is_wrong(there: Installation) -> None:
    live = await there.start()
    there.file.write_text(BROKEN, encoding="utf-8")
    for _ in range(2):
        wished = await there.wish(Cause.RELOAD)
        await live.look()
        refused = await there.database.read(get_activation, wished)
        assert refused.verdict is Verdict.REFUSED
        assert len(refused.problems) == 1


async def test_an_old_version_whose_recordings_are_gone_is_refused(there: Installation) -> None:
    live = await there.start()
    await save(there, live, NEW)
    there.sound("daily/breathless").unlink()
    await settle(live)
    assert live.site.questionnaire.hash == hash_of(NEW)
    wished = await there.wish(Cause.ACTIVATE, hash_of(OLD))
    await live.look()
    refused: Activation = await there.database.read(get_activation, wished)
    assert refused.verdict is Verdict.REFUSED
    assert "daily/breathless" in refused.problems[0]["en"]
    assert live.site.questionnaire.hash == hash_of(NEW)
    # It says nothing about the file.
    assert (await there.database.read(standing)).refused is None


async def test_a_restart_with_a_broken_file_goes_on_with_what_was_live(there: Installation) -> None:
    await there.start()
    there.file.write_text(BROKEN, encoding="utf-8")
    live = await there.start()
    assert live.site.questionnaire.hash == hash_of(OLD)
    assert (await there.history())[-1] == ("started", None, "refused")
    there.file.write_text(NEW, encoding="utf-8")
    live = await there.start()
    assert live.site.questionnaire.hash == hash_of(NEW)
    assert (await there.database.read(standing)).refused is None


async def test_nothing_starts_without_anything_to_say(there: Installation) -> None:
    there.file.write_text(BROKEN, encoding="utf-8")
    with pytest.raises(BadInput):
        await there.start()
    assert await there.history() == []
    there.file.write_text(OLD, encoding="utf-8")
    await there.start()
    there.sound("frame/ready").unlink()
    with pytest.raises(BadInput) as caught:
        await there.start()
    assert "frame/ready" in caught.value.render("en")


async def test_links_that_cannot_be_made_are_a_problem_not_a_fault(there: Installation) -> None:
    live = await there.start()
    shutil.rmtree(there.folder / "links")
    (there.folder / "links").write_bytes(b"")
    await save(there, live, NEW)
    assert live.site.questionnaire.hash == hash_of(OLD)
    refused = (await there.database.read(standing)).refused
    assert refused is not None
    assert str(there.folder / "links") in refused.problems[0]["en"]


async def test_a_fault_of_one_look_does_not_end_it(there: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    live = await there.start()
    looks: list[float] = []

    async def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise asyncio.CancelledError

    async def broken() -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(live, "look", broken)
    with pytest.raises(asyncio.CancelledError):
        await run_live(live, sleep)
    assert looks == [module.LOOK_SECONDS] * 3


async def test_whom_a_restored_backup_brought_back_is_erased_before_anything_else(there: Installation) -> None:
    stone = Tombstone("200001", there.clock.now(), "sato", "wished")
    await asyncio.to_thread(write_erased, there.folder / "erased.jsonl", (stone,))
    await there.start()
    assert "200001" not in {each.id for each in await there.database.read(list_people, closed=True)}
    assert await there.database.read(tombstones) == (stone,)


async def test_without_the_list_of_the_erased_no_service_starts(there: Installation) -> None:
    await asyncio.to_thread((there.folder / "erased.jsonl").write_text, "{")
    with pytest.raises(BadInput) as refused:
        await there.start()
    assert [each.message for each in refused.value.problems] == ["erased.bad_line"]
