"""Speech for tests, made of the finished sounds of this repository, and what may be wrong with it."""

from pathlib import Path

import numpy as np

from ivr.voice.lint import RATE, Samples, read_wav

PROMPTS = Path(__file__).parents[2] / "prompts"

#: A whole prompt, as it is played.
GOOD = read_wav(PROMPTS / "ja/frame/greeting.wav")


def quiet(seconds: float, rate: int = RATE) -> Samples:
    return np.zeros(int(seconds * rate))


def hum(seconds: float, hertz: float = 50.0, rate: int = RATE) -> Samples:
    """Mains hum with its harmonics, about as loud as speech."""
    at = np.arange(int(seconds * rate)) / rate
    return np.asarray(sum(0.1 / n * np.sin(2 * np.pi * hertz * n * at) for n in range(1, 12)))


def noise(seconds: float, amplitude: float, rate: int = RATE) -> Samples:
    return np.random.default_rng(1).normal(0.0, amplitude, int(seconds * rate))


def overdriven(samples: Samples, gain: float = 30.0) -> Samples:
    """As a microphone that is set too high hears it."""
    return np.clip(samples * gain, -0.99, 0.99)
