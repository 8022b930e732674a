"""What the other modules trust: a prompt that was played is found, one that was not is told apart, at any pair."""

from pathlib import Path

import numpy as np
import pytest

from sandbox.settings import PROMPTS
from sandbox.sound import to_linear, to_mu_law
from tests.acceptance import audio

NAMES = sorted(str(each.relative_to(PROMPTS / "ja")) for each in (PROMPTS / "ja").glob("[df]*/*.wav"))
SPOKEN = [each for each in NAMES if each != "frame/quiet.wav"]


def sound(name: str) -> audio.Sound:
    return audio.read(PROMPTS / "ja" / name)


def telephone(given: audio.Sound) -> audio.Sound:
    """Through mu-law and back, as the network carries it."""
    code = bytes(to_mu_law(int(each)) for each in given)
    return np.frombuffer(to_linear(code), dtype="<i2").astype(np.float64)


def call(*parts: audio.Sound) -> audio.Sound:
    return telephone(np.concatenate(parts))


def test_a_prompt_that_was_played_is_found_to_the_sample() -> None:
    cough, ready = sound("daily/cough.wav"), sound("frame/ready.wav")
    heard = call(np.zeros(4321), ready, np.zeros(777), cough, np.zeros(99))
    for prompt, begin in ((ready, 4321), (cough, 4321 + len(ready) + 777)):
        found = audio.find(prompt, heard)
        assert found.at == begin / audio.RATE
        assert found.score > 0.99


@pytest.mark.parametrize("one", ["daily/cough", "daily/nausea", "daily/breathless", "frame/ready", "frame/resume"])
def test_a_prompt_that_was_not_played_stays_far_below(one: str) -> None:
    others = telephone(np.concatenate([sound(each) for each in SPOKEN if each != f"{one}.wav"]))
    assert audio.find(sound(f"{one}.wav"), others).score < 0.5


@pytest.mark.parametrize("one", [365, 371, 385, 400])
def test_no_value_is_taken_for_its_neighbour(one: int) -> None:
    said = sound(f"value/temperature_{one}.wav")
    for other in (one - 1, one + 1, one + 10):
        heard = np.pad(sound(f"value/temperature_{other}.wav"), len(said))
        assert audio.find(said, heard).score < audio.PLAYED


def test_each_time_is_found() -> None:
    cough, ready = sound("daily/cough.wav"), sound("frame/ready.wav")
    heard = call(cough, ready, cough, np.zeros(100), cough)
    assert [round(each.at, 2) for each in audio.find_all(cough, heard)] == [
        0.0,
        round((len(cough) + len(ready)) / audio.RATE, 2),
        round((2 * len(cough) + len(ready) + 100) / audio.RATE, 2),
    ]
    assert audio.find_all(sound("daily/nausea.wav"), heard) == []


def test_a_prompt_that_was_sent_a_moment_late_is_found_and_a_part_of_one_is_not() -> None:
    opening = sound("daily/opening.wav")
    middle = len(opening) // 2
    late = call(np.zeros(500), opening[:middle], np.zeros(1000), opening[middle:])
    assert [round(each.at, 1) for each in audio.find_all(opening, late)] == [0.1]
    assert audio.find_all(opening, call(opening[:middle], np.zeros(len(opening)))) == []


def test_what_nobody_expected_is_noticed() -> None:
    cough, ready = sound("daily/cough.wav"), sound("frame/ready.wav")
    heard = call(cough, ready)
    whole = (len(cough) + len(ready)) / audio.RATE
    assert audio.longest_loud(heard, [(0, whole)]) == 0
    assert audio.longest_loud(heard, [(0, len(cough) / audio.RATE)]) > 1


@pytest.mark.parametrize("rest", ["daily/cough.wav", None])
def test_the_moment_at_which_a_prompt_stops(rest: str | None) -> None:
    ready = sound("frame/ready.wav")
    cut = int(2.0 * audio.RATE)
    heard = call(np.zeros(800), ready[:cut], sound(rest) if rest else np.zeros(8 * audio.RATE))
    stopped = audio.stopped_after(ready, heard, 0.1, moment=1.9)
    assert 0.1 < stopped <= 0.24
    assert audio.stopped_after(ready, call(np.zeros(800), ready), 0.1, moment=1.9) > 2


def test_cutting_a_prompt_short(tmp_path: Path) -> None:
    short = audio.clip(sound("daily/opening.wav"), 0.9)
    assert len(short) == audio.RATE
    audio.write(tmp_path / "a/b.wav", short)
    assert np.abs(audio.read(tmp_path / "a/b.wav") - short).max() < 1
