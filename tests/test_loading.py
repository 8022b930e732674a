"""Everything that is wrong before the first call, at once."""

import shutil
from pathlib import Path

import pytest

from ivr.config import Config
from ivr.errors import BadInput
from ivr.loading import CALL_FRAME, load_questionnaire, prepare
from ivr.questionnaire.said import prompt_ids
from ivr.studio import FRAME
from tests.cases_runner import ROOT
from tests.fakes.site import DAILY, settings


def config(folder: Path, prompts: Path) -> Config:
    return settings(questionnaire=str(folder / "daily.yaml"), prompts=str(prompts))


def test_what_comes_with_the_project_is_in_order(tmp_path: Path) -> None:
    source = (ROOT / "questionnaires" / "daily.yaml").read_text(encoding="utf-8")
    (tmp_path / "daily.yaml").write_text(source, encoding="utf-8")
    prepared = prepare(config(tmp_path, ROOT / "prompts"))
    assert prepared.questionnaire.questions == DAILY.questions
    assert prepared.source == source
    assert prepared.prompts.missing({*CALL_FRAME, *prompt_ids(DAILY)}, "ja") == []


def test_both_halves_are_read_whatever_is_wrong_with_the_other(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "prompts" / "ja" / "frame", tmp_path / "prompts" / "ja" / "frame")
    (tmp_path / "prompts" / "ja" / "frame" / "ready.wav").write_bytes(b"")
    (tmp_path / "daily.yaml").write_text("id: daily\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        prepare(config(tmp_path, tmp_path / "prompts"))
    files = {each.file for each in caught.value.problems}
    assert files == {str(tmp_path / "prompts" / "ja" / "frame" / "ready.wav"), str(tmp_path / "daily.yaml")}


def test_a_missing_folder_of_sounds_is_not_the_only_thing_said(tmp_path: Path) -> None:
    source = (ROOT / "questionnaires" / "daily.yaml").read_text(encoding="utf-8")
    (tmp_path / "daily.yaml").write_text(source.replace("question: eating", "question: eatin"), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        prepare(config(tmp_path, tmp_path / "none"))
    assert [each.message for each in caught.value.problems] == ["prompts.no_folder", "questionnaire.unknown_question"]


def test_with_a_studio_its_own_words_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "daily.yaml").write_text((ROOT / "questionnaires" / "daily.yaml").read_text(), encoding="utf-8")
    for part in ("frame", "daily", "value", "date", "time"):
        shutil.copytree(ROOT / "prompts" / "ja" / part, tmp_path / "prompts" / "ja" / part)
    without = config(tmp_path, tmp_path / "prompts")
    prepare(without)
    with_studio = without.model_copy(update={"studio": settings(studio={"extension": "701"}).studio})
    with pytest.raises(BadInput) as caught:
        prepare(with_studio)
    assert [each.values["prompt"] for each in caught.value.problems] == sorted(FRAME)


def test_the_next_call_needs_the_times_of_the_slots(tmp_path: Path) -> None:
    shutil.copy(ROOT / "questionnaires" / "daily.yaml", tmp_path / "daily.yaml")
    shutil.copytree(ROOT / "prompts" / "ja", tmp_path / "prompts" / "ja")
    shutil.rmtree(tmp_path / "prompts" / "ja" / "time", ignore_errors=True)
    with pytest.raises(BadInput) as caught:
        prepare(config(tmp_path, tmp_path / "prompts"))
    assert [each.values["prompts"] for each in caught.value.problems] == ["time/hour_14_end, time/hour_9_end"]


def test_each_missing_prompt_of_the_frame_is_named(tmp_path: Path) -> None:
    shutil.copy(ROOT / "questionnaires" / "daily.yaml", tmp_path / "daily.yaml")
    shutil.copytree(ROOT / "prompts" / "ja", tmp_path / "prompts" / "ja")
    for each in CALL_FRAME:
        (tmp_path / "prompts" / "ja" / f"{each}.wav").unlink()
    with pytest.raises(BadInput) as caught:
        prepare(config(tmp_path, tmp_path / "prompts"))
    named = [each.values["prompt"] for each in caught.value.problems if each.message == "prompts.missing"]
    assert sorted(map(str, named)) == sorted(CALL_FRAME)


def test_a_questionnaire_that_cannot_be_read(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "none.yaml", "file.missing"), (tmp_path, "file.unreadable")):
        with pytest.raises(BadInput) as caught:
            load_questionnaire(path)
        assert [(each.message, each.file) for each in caught.value.problems] == [(message, str(path))]
