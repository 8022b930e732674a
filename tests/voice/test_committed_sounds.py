"""The finished sound files: all there, fit for a telephone, and made from the words that the scripts have now."""

import re
from pathlib import Path

import pytest

from ivr.voice.limits import TARGET, TOLERANCE
from ivr.voice.lint import RATE, measure, read_wav
from ivr.voice.manifest import NARROW, digest, read_manifest
from ivr.voice.readings import morae
from ivr.voice.review import check_prompts, read_script
from ivr.voice.script import SILENCES, Line

PROMPTS = Path(__file__).parent.parent.parent / "prompts"
LANGUAGES = sorted(each.stem for each in PROMPTS.glob("??.yaml"))
SCRIPTS = {language: read_script(PROMPTS, language) for language in LANGUAGES}
MANIFEST = read_manifest(PROMPTS, NARROW)
NAMES = {f"{language}/{line.prompt}": line for language, script in SCRIPTS.items() for line in script.lines}
SILENT = sorted(f"{language}/{prompt}" for language in LANGUAGES for prompt in SILENCES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_stale_or_unfit(language: str) -> None:
    assert [each.render("en") for each in check_prompts(PROMPTS, language)] == []


def test_each_line_has_a_file_and_each_file_a_line() -> None:
    found = {path.relative_to(PROMPTS).with_suffix("").as_posix() for path in PROMPTS.glob("??/**/*.wav")}
    assert found == NAMES.keys() | SILENT
    assert MANIFEST.keys() == found


@pytest.mark.parametrize("name", NAMES)
def test_the_manifest_tells_the_truth(name: str) -> None:
    path = PROMPTS / f"{name}.wav"
    assert digest(path) == MANIFEST[name].sha256
    found, kept = vars(measure(read_wav(path))), MANIFEST[name].measures
    assert kept is not None
    # Another build of numpy may round the last digit the other way.
    assert found == pytest.approx(vars(kept), abs=0.11)


@pytest.mark.parametrize("name", NAMES)
def test_all_sounds_are_equally_loud(name: str) -> None:
    kept = MANIFEST[name].measures
    assert kept is not None
    assert kept.loudness == pytest.approx(TARGET, abs=TOLERANCE)


@pytest.mark.parametrize("name", SILENT)
def test_silences_are_digital_silence_of_exactly_their_length(name: str) -> None:
    samples = read_wav(PROMPTS / f"{name}.wav")
    assert samples.size == SILENCES[name.partition("/")[2]] * RATE
    assert not samples.any()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_lines_sound_the_same(language: str) -> None:
    """A mix-up of files would tell a patient a wrong temperature."""
    sounds = [(PROMPTS / language / f"{line.prompt}.wav").read_bytes() for line in SCRIPTS[language].lines]
    assert len(set(sounds)) == len(sounds)


@pytest.mark.parametrize("line", SCRIPTS["ja"].lines, ids=lambda line: line.prompt)
def test_readings_are_katakana(line: Line) -> None:
    assert re.fullmatch(r"[ァ-ヴー、。]+", line.reading)


def test_old_ears_can_follow() -> None:
    """Four to five morae a second, the pace that old listeners understood best."""
    beats = sum(morae(line.reading) for line in SCRIPTS["ja"].lines)
    seconds = sum(each.measures.seconds for name, each in MANIFEST.items() if name in NAMES and each.measures)
    assert 3.5 < beats / seconds < 5
