"""What `try --audio` writes: each prompt where it would be heard, cut where a key stops it, and tones that decode."""

import sys
from array import array
from pathlib import Path

import numpy as np
import pytest

from ivr.digits import KeyRules
from ivr.errors import BadInput
from ivr.pressing import BETWEEN_KEYS, press_keys
from ivr.prompts import Sound
from ivr.sounds import load_prompts
from ivr.tape import KEYPAD, RATE, TONE_SECONDS, Tape, _little_endian
from tests.acceptance import audio
from tests.cases_runner import ROOT

SOUNDS = load_prompts(ROOT / "prompts").sounds
COUGH, READY, TEMPERATURE = (SOUNDS["ja", each] for each in ("daily/cough", "frame/ready", "daily/temperature"))
CHOICE = KeyRules(length=1, first_key=6, end=frozenset(), ignored=frozenset("#"))
NUMBER = KeyRules(length=3, first_key=6, inter_key=2, ignored=frozenset("#"))

#: The frequencies of the standard, written out once more.
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)
TONES = {
    key: (ROWS[y], COLUMNS[x]) for y, keys in enumerate(("123", "456", "789", "*0#")) for x, key in enumerate(keys)
}


def written(tape: Tape, folder: Path) -> audio.Sound:
    tape.write(folder / "call.wav")
    return audio.read(folder / "call.wav")


def key_in(piece: audio.Sound) -> tuple[int, int]:
    """The two strongest frequencies of the keypad, each from its group."""
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), RATE))
    return max(ROWS, key=lambda hertz: spectrum[hertz]), max(COLUMNS, key=lambda hertz: spectrum[hertz])


def test_prompts_follow_one_another_without_a_gap(tmp_path: Path) -> None:
    tape = Tape()
    tape.play([COUGH])
    tape.play([READY, COUGH])
    heard = written(tape, tmp_path)
    assert len(heard) == round((2 * COUGH.seconds + READY.seconds) * RATE)
    assert [round(each.at, 3) for each in audio.find_all(audio.read(READY.path), heard)] == [round(COUGH.seconds, 3)]
    assert len(audio.find_all(audio.read(COUGH.path), heard)) == 2


@pytest.mark.parametrize("key", [*"0123456789*#"])
def test_each_key_has_its_two_frequencies_for_100_ms_and_low(key: str, tmp_path: Path) -> None:
    tape = Tape()
    # Any one key is an entry here.
    rules = KeyRules(length=1, first_key=6, end=frozenset())
    tape.play_and_press([], press_keys(key, rules, 0.0))
    heard = written(tape, tmp_path)
    begin = len(heard) - int(TONE_SECONDS * RATE)
    assert not heard[:begin].any()
    assert key_in(heard[begin:]) == TONES[key]
    level = 10 * np.log10(np.mean(heard[begin:] ** 2) / 32768**2)
    assert -30 < level < -24


def test_a_key_stops_the_prompt_there(tmp_path: Path) -> None:
    tape = Tape()
    tape.play_and_press([TEMPERATURE], press_keys("365", NUMBER, TEMPERATURE.seconds, at=3.0))
    over = tape.seconds
    tape.play([READY])
    heard = written(tape, tmp_path)
    prompt = audio.read(TEMPERATURE.path)
    cut = 3 * RATE
    assert (heard[:cut] == prompt[:cut]).all()
    assert audio.find_all(prompt, heard) == []
    assert over == pytest.approx(3.0 + 2 * BETWEEN_KEYS + TONE_SECONDS)
    for index, key in enumerate("365"):
        at = cut + round(BETWEEN_KEYS * index * RATE)
        assert key_in(heard[at : at + int(TONE_SECONDS * RATE)]) == TONES[key]
        assert key == "5" or not heard[at + RATE // 10 : at + 3 * RATE // 10].any()
    assert audio.find(audio.read(READY.path), heard).at == pytest.approx(over, abs=0.001)


def test_a_key_that_does_not_count_sounds_over_the_prompt(tmp_path: Path) -> None:
    tape = Tape()
    tape.play_and_press([TEMPERATURE], press_keys("#", CHOICE, TEMPERATURE.seconds, at=2.0))
    heard, prompt = written(tape, tmp_path), audio.read(TEMPERATURE.path)
    assert key_in((heard[: len(prompt)] - prompt)[2 * RATE : 2 * RATE + RATE // 10]) == TONES["#"]
    assert len(audio.find_all(prompt, heard)) == 1
    # And then nobody presses anything.
    assert tape.seconds == pytest.approx(TEMPERATURE.seconds + 6.5)
    assert not heard[len(prompt) :].any()


def test_somebody_speaks_and_presses_hash(tmp_path: Path) -> None:
    tape = Tape()
    tape.speak(2.0)
    heard = written(tape, tmp_path)
    assert not heard[: 2 * RATE].any()
    assert key_in(heard[2 * RATE :]) == TONES["#"]
    assert tape.seconds == 2.0 + TONE_SECONDS


def test_what_is_not_recorded_is_silence_and_is_named(tmp_path: Path) -> None:
    tape = Tape()
    tape.play([Sound("a/b", Path(), 1.0), COUGH, Sound("a/b", Path(), 1.0)])
    assert tape.unrecorded == ("a/b",)
    heard = written(tape, tmp_path)
    assert not heard[:RATE].any()
    assert audio.find(audio.read(COUGH.path), heard).at == 1.0


def test_the_keypad_is_the_one_of_the_standard() -> None:
    assert [*"".join(KEYPAD)] == [*TONES]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        Tape().write(tmp_path / "none" / "call.wav")
    assert str(tmp_path / "none" / "call.wav") in caught.value.render()


def test_wav_is_little_endian_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _little_endian(array("h", [1])).tolist() == [1]
    monkeypatch.setattr(sys, "byteorder", "big")
    assert _little_endian(array("h", [1])).tolist() == [256]
