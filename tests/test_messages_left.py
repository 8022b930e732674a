"""Whole calls on which somebody speaks: the file is on the disk before the turn that names it, and nothing is lost."""

from dataclasses import replace
from pathlib import Path

import pytest

from ivr.inbound import receive
from ivr.loading import CALL_FRAME
from ivr.questionnaire.parse import parse
from ivr.questionnaire.said import prompt_ids
from ivr.recordings import length_of
from ivr.site import Site
from ivr.storage.database import Database
from ivr.storage.people import upsert_people
from ivr.storage.questionnaires import store_questionnaire
from ivr.storage.sessions import waiting_session
from ivr.storage.voice_messages import VoiceMessage, messages_between
from ivr.terminal import unrecorded
from tests.cases_runner import CASES
from tests.fakes.phone import FakePhone, keys
from tests.fakes.site import Clock, open_site
from tests.rows import answer_rows, session_ends
from tests.storage.records import DAY, HANAKO

OWN = "09000000001"
SOURCE = (CASES / "spoken.yaml").read_text(encoding="utf-8")
SPOKEN = parse(SOURCE.encode(), "spoken.yaml")


@pytest.fixture
async def site(database: Database, clock: Clock, tmp_path: Path) -> Site:
    await database.write(store_questionnaire, SPOKEN.hash, SPOKEN.id, SOURCE, clock.now())
    site = await open_site(database, clock, SPOKEN)
    config = site.config.model_copy(update={"database": tmp_path / "kenko-call.db"})
    return replace(site, config=config, prompts=unrecorded({*prompt_ids(SPOKEN), *CALL_FRAME}, "ja", "en"))


async def call(site: Site, pressed: str, caller: str = OWN, **phone: object) -> FakePhone:
    made = FakePhone(site.new_id(), keys(pressed), **phone)  # type: ignore[arg-type]
    await receive(site, made, caller)
    return made


async def stored(site: Site) -> tuple[VoiceMessage, ...]:
    return await site.database.read(messages_between, DAY, DAY)


def files(site: Site) -> dict[str, float]:
    return {each.stem: length_of(each) for each in site.config.voice_messages.iterdir()}


async def test_a_message_is_a_file_and_a_row_before_the_next_word(site: Site) -> None:
    seen: list[tuple[int, int]] = []

    async def watch(step: int, _: tuple[str, ...]) -> None:
        if step >= 4:
            seen.append((len(files(site)), len(await stored(site))))

    await call(site, "1 2 rec:4 1", watch=watch)
    (message,) = await stored(site)
    assert seen == [(1, 1), (1, 1)]
    assert files(site) == {message.id: 4.0}
    assert (message.person_id, message.question_id, message.seconds, message.is_answer) == (
        HANAKO.id,
        "message",
        4.0,
        True,
    )
    assert (await site.database.read(answer_rows))[-1] == ("message", message.id)
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "completed")]


async def test_what_was_spoken_again_is_kept_too(site: Site) -> None:
    await call(site, "1 2 rec:4 2 rec:2 1")
    first, second = await stored(site)
    assert (first.seconds, first.is_answer) == (4.0, False)
    assert (second.seconds, second.is_answer) == (2.0, True)
    assert set(files(site)) == {first.id, second.id}


async def test_a_click_is_no_message_and_leaves_no_file(site: Site) -> None:
    await call(site, "1 2 rec:0.4 - rec:3 1")
    (message,) = await stored(site)
    assert files(site) == {message.id: 3.0}


async def test_whoever_hangs_up_after_it_has_left_it(site: Site) -> None:
    await call(site, "1 2 rec:4", hang_up_before=4)
    (message,) = await stored(site)
    assert message.is_answer
    phone = await call(site, "")
    assert phone.said[1:] == [("frame/resume", "frame/thanks")]
    assert await site.database.read(session_ends) == [(HANAKO.id, None, "completed")]


async def test_a_disk_that_is_full_is_apologised_for_and_the_file_is_found_later(site: Site) -> None:
    site.config.voice_messages.write_bytes(b"")  # in place of the folder
    phone = await call(site, "1 2 rec:4 1")
    assert phone.said[-1] == ("frame/apology",)
    assert await stored(site) == ()


async def test_the_language_of_the_roster_is_the_sessions(site: Site) -> None:
    await site.database.write(upsert_people, (replace(HANAKO, language="en"),), site.now())
    await call(site, "2", hang_up_after=1)
    session = await site.database.read(waiting_session, HANAKO.id, DAY)
    assert session is not None
    assert (session.language, session.state.language) == ("en", "en")


async def test_somebody_is_greeted_in_their_language_if_all_of_it_is_there(site: Site) -> None:
    assert [site.language_for(each) for each in ("en", "ja", "pt", "")] == ["en", "ja", "ja", "ja"]
    without = {key: sound for key, sound in site.prompts.sounds.items() if key != ("en", "frame/ready")}
    site = replace(site, prompts=replace(site.prompts, sounds=without))
    assert site.language_for("en") == "ja"
