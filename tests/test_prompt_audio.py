"""The finished sound files: all there, fit for a telephone, and made from the words that prompts/ja.yaml has now."""

import json
import re
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ivr.document import read_document, validate
from ivr.voice.lint import RATE, Samples, active_speech_level, faults, measure, read_wav
from ivr.voice.script import (
    QUIET,
    QUIET_SECONDS,
    Line,
    ScriptFile,
    kana_number,
    lines,
    morae,
    sound_key,
    with_kanji_numerals,
)

PROMPTS = Path(__file__).parent.parent / "prompts"
AUDIO = PROMPTS / "ja"
SCRIPT = lines(validate(read_document(PROMPTS / "ja.yaml"), ScriptFile))
MANIFEST = json.loads((PROMPTS / "manifest.json").read_text(encoding="utf-8"))


# --- the files ---


def test_each_line_has_a_file_and_each_file_a_line() -> None:
    found = {path.relative_to(AUDIO).with_suffix("").as_posix() for path in AUDIO.rglob("*") if path.is_file()}
    assert found == {line.prompt for line in SCRIPT} | {QUIET}


def test_every_value_of_the_daily_questionnaire_can_be_read_back() -> None:
    values = {line.prompt for line in SCRIPT if line.prompt.startswith(("value/temperature_", "value/oxygen_"))}
    temperatures = {f"value/temperature_{keys}" for keys in range(340, 421)}
    assert values == temperatures | {f"value/oxygen_{keys}" for keys in range(70, 101)}


@pytest.mark.parametrize("line", SCRIPT, ids=lambda line: line.prompt)
def test_sound_is_fit_for_a_call(line: Line) -> None:
    found = measure(read_wav(AUDIO / f"{line.prompt}.wav"))
    assert faults(found, morae(line.reading)) == []
    assert found.seconds == pytest.approx(MANIFEST[line.prompt]["seconds"], abs=0.001)


def test_the_quiet_is_digital_silence_of_exactly_its_length() -> None:
    samples = read_wav(AUDIO / f"{QUIET}.wav")
    assert samples.size == QUIET_SECONDS * RATE
    assert not samples.any()


def test_no_two_lines_sound_the_same() -> None:
    """A mix-up of files would tell a patient a wrong temperature."""
    sounds = [(AUDIO / f"{line.prompt}.wav").read_bytes() for line in SCRIPT]
    assert len(set(sounds)) == len(sounds)


# --- what they were made from ---


def test_manifest_names_every_sound() -> None:
    assert set(MANIFEST) == {line.prompt for line in SCRIPT} | {QUIET}


@pytest.mark.parametrize("line", SCRIPT, ids=lambda line: line.prompt)
def test_sound_was_made_from_the_present_words(line: Line) -> None:
    made = MANIFEST[line.prompt]
    assert made["key"] == sound_key(line, made["voice"])


@pytest.mark.parametrize("line", SCRIPT, ids=lambda line: line.prompt)
def test_readings_are_katakana(line: Line) -> None:
    assert re.fullmatch(r"[ァ-ヴー、。]+", line.reading)


@pytest.mark.parametrize(
    ("prompt", "reading"),
    [
        ("value/temperature_365", "サンジューロクド、ゴブデスネ。"),
        ("value/temperature_360", "サンジューロクド、レーブデスネ。"),
        ("value/temperature_347", "サンジューヨンド、ナナブデスネ。"),
        ("value/temperature_400", "ヨンジュード、レーブデスネ。"),
        ("value/temperature_419", "ヨンジューイチド、キューブデスネ。"),
        ("value/oxygen_70", "ナナジュッパーセント、デスネ。"),
        ("value/oxygen_98", "キュージューハチパーセント、デスネ。"),
        ("value/oxygen_100", "ヒャクパーセント、デスネ。"),
    ],
)
def test_reading_of_a_value(prompt: str, reading: str) -> None:
    assert next(line.reading for line in SCRIPT if line.prompt == prompt) == reading


def test_the_words_of_a_value_are_its_keys() -> None:
    for line in SCRIPT:
        if line.prompt.startswith(("value/temperature_", "value/oxygen_")):
            assert "".join(re.findall(r"\d", line.text)) == line.prompt.rpartition("_")[2]


def test_kana_numbers_differ_and_rise() -> None:
    readings = [kana_number(number) for number in range(1, 101)]
    assert len(set(readings)) == 100
    assert all(one != other for one, other in pairwise(readings))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("36度5分", "三十六度五分"),
        ("11の質問", "十一の質問"),
        ("119番", "百十九番"),
        ("0番", "零番"),
        ("100パーセント", "百パーセント"),
        ("9、8、", "九、八、"),
    ],
)
def test_kanji_numerals(text: str, spoken: str) -> None:
    assert with_kanji_numerals(text) == spoken


@pytest.mark.parametrize(
    ("reading", "count"), [("シャープヲ、", 4), ("ヒャクジューキューバン", 8), ("ロッケタ。", 4), ("ヴァ", 1)]
)
def test_morae(reading: str, count: int) -> None:
    assert morae(reading) == count


# --- the checks themselves can fail ---

GOOD = read_wav(AUDIO / "frame/greeting.wav")
GOOD_MORAE = next(morae(line.reading) for line in SCRIPT if line.prompt == "frame/greeting")


def quiet(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE))


@pytest.mark.parametrize(
    ("samples", "count", "named"),
    [
        (GOOD * 0.8, GOOD_MORAE, "level"),
        (GOOD * 1.2, GOOD_MORAE, "level"),
        (np.append(GOOD, [0.9]), GOOD_MORAE, "peak"),
        (np.concatenate([quiet(0.3), GOOD]), GOOD_MORAE, "lead"),
        (np.concatenate([GOOD, quiet(0.3)]), GOOD_MORAE, "tail"),
        (np.concatenate([GOOD, quiet(0.8), GOOD]), 2 * GOOD_MORAE, "pause"),
        (GOOD, 2 * GOOD_MORAE, "rate"),
        (GOOD, GOOD_MORAE // 2, "rate"),
    ],
)
def test_a_broken_sound_is_named(samples: Samples, count: int, named: str) -> None:
    assert named in {each.partition(":")[0] for each in faults(measure(samples), count)}


def test_silence_is_not_speech() -> None:
    with pytest.raises(ValueError, match="no speech"):
        measure(quiet(1))


@pytest.mark.parametrize(("rate", "width", "channels"), [(16000, 2, 1), (8000, 1, 1), (8000, 2, 2)])
def test_other_formats_are_refused(tmp_path: Path, rate: int, width: int, channels: int) -> None:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setframerate(rate)
        sound.setsampwidth(width)
        sound.setnchannels(channels)
        sound.writeframes(bytes(800 * width * channels))
    with pytest.raises(ValueError, match=f"{rate} Hz, {width * 8} bit, {channels} ch"):
        read_wav(path)


def test_active_level_of_a_tone_does_not_count_its_pauses() -> None:
    tone = 0.1 * np.sqrt(2) * np.sin(2 * np.pi * 1000 * np.arange(4 * RATE) / RATE)  # -20 dB of full scale
    assert active_speech_level(tone) == pytest.approx(-20, abs=0.1)
    paused = np.concatenate([tone, quiet(4), tone])
    assert active_speech_level(paused) == pytest.approx(-20, abs=0.3)
