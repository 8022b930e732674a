"""Each fault of a sound, in generated audio: found, and named."""

import math

import numpy as np
import pytest

from ivr.messages import catalogue
from ivr.voice.chain import band_pass, level
from ivr.voice.limits import faults, recording_faults
from ivr.voice.lint import RATE, Samples, measure
from ivr.voice.loudness import active_speech_level, loudness
from ivr.voice.readings import morae
from ivr.voice.review import read_script
from tests.voice.speech import GOOD, PROMPTS, hum, noise, overdriven, quiet

GOOD_MORAE = next(morae(line.reading) for line in read_script(PROMPTS, "ja").lines if line.prompt == "frame/greeting")
#: As it comes from a microphone: the room before and after.
RAW = np.concatenate([quiet(0.4), GOOD * 0.5, quiet(0.4)]) + noise(GOOD.size / RATE + 0.8, 2e-4)[: GOOD.size + 6400]


def names(samples: Samples, count: int = GOOD_MORAE) -> set[str]:
    return {each.name for each in faults(measure(samples), count)}


def test_a_good_sound_has_no_fault() -> None:
    assert names(GOOD) == set()


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        (quiet(2), "silence"),
        (noise(2, 1e-5), "silence"),
        (level(hum(2)), "no_speech"),
        (level(band_pass(hum(2))), "no_speech"),
        (level(noise(2, 0.1)), "no_speech"),
        (GOOD * 0.8, "too_quiet"),
        (GOOD * 1.25, "too_loud"),
        (np.append(GOOD, [0.9]), "clipped"),
        (overdriven(GOOD) * 0.3, "clipped"),
        (GOOD[: GOOD.size // 3], "cut_off"),
        (np.tile(GOOD, 5), "too_long"),
        (np.concatenate([quiet(0.3), GOOD]), "lead"),
        (np.concatenate([GOOD, quiet(0.3)]), "tail"),
        (np.concatenate([GOOD, quiet(0.8), GOOD]), "pause"),
    ],
)
def test_a_broken_sound_is_named(samples: Samples, named: str) -> None:
    assert named in names(samples)


def test_the_pace_is_judged_by_the_reading() -> None:
    assert names(GOOD, 2 * GOOD_MORAE) == {"too_fast"}
    assert names(GOOD, GOOD_MORAE // 2) == {"too_slow"}
    assert names(GOOD, 0) == set()  # a language without kana


@pytest.mark.parametrize(
    ("samples", "named"),
    [
        (quiet(2), {"silence"}),
        (hum(2), {"no_speech"}),
        (noise(2, 0.01), {"no_speech"}),
        (overdriven(RAW), {"clipped"}),
        (RAW[: 3200 + GOOD.size // 3], {"cut_off"}),
        (RAW * 0.01, {"recorded_too_softly"}),
        (RAW, set()),
    ],
)
def test_a_recording_that_cannot_be_put_right_is_named(samples: Samples, named: set[str]) -> None:
    assert {each.name for each in recording_faults(measure(samples))} == named


def test_every_fault_has_its_words() -> None:
    found = {"silence", "no_speech", "too_quiet", "too_loud", "clipped", "cut_off", "too_long", "lead", "tail", "pause"}
    found |= {"too_fast", "too_slow", "recorded_too_softly", "low_rate"}
    assert {f"sound.{each}" for each in found} == {each for each in catalogue() if each.startswith("sound.")}


# --- the measures themselves ---


def tone(seconds: float, rate: int, hertz: float = 1000.0) -> Samples:
    """-20 dB of full scale."""
    return np.asarray(0.1 * np.sqrt(2) * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate))


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_active_level_of_a_tone_does_not_count_its_pauses(rate: int) -> None:
    assert active_speech_level(tone(4, rate), rate) == pytest.approx(-20, abs=0.1)
    paused = np.concatenate([tone(4, rate), quiet(4, rate), tone(4, rate)])
    assert active_speech_level(paused, rate) == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_loudness_of_the_reference_tone(rate: int) -> None:
    """BS.1770: a sine of 997 Hz at full scale in one channel is -3.01 LUFS; pauses fall below the gate."""
    full = 10 * tone(4, rate, 997.0) / np.sqrt(2)
    assert loudness(full, rate) == pytest.approx(-3.01, abs=0.1)
    assert loudness(np.concatenate([full, quiet(4, rate)]), rate) == pytest.approx(-3.01, abs=0.3)


def test_loudness_of_nothing() -> None:
    assert loudness(quiet(1), RATE) == -math.inf
    assert active_speech_level(quiet(1), RATE) == -math.inf
