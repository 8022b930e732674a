"""What a sound must be to be understood on a telephone: the figures of one sound, and what is wrong with them. Pure."""

import math
from dataclasses import dataclass

TARGET = -20.0  #: LUFS and dBov; the level of Asterisk's own sounds, and what all prompts agree on
TOLERANCE = 1.0  #: LU
#: dB of the active level. It takes 200 ms after each sound for speech, and so rates a single word lower.
ACTIVE_TOLERANCE = 1.5
PEAK = -3.0  #: dBFS; leaves room for the telephone network's own gain
MAX_SECONDS = 20.0  #: nobody keeps more in mind
MAX_EDGE = 0.2  #: seconds of silence at either end
MAX_PAUSE = 0.7  #: seconds of silence inside; after 1.2 s a listener takes the prompt for finished
PACE = (3.5, 7.0)  #: morae per second of speech without pauses
MIN_SWING = 6.0  #: dB; the prompts have 9 and more, hum and noise less than 3
MAX_END = -12.0  #: dB against the active level, in the last 20 ms

#: A recording softer than this (dBov) is mostly the noise of its microphone.
QUIETEST_RECORDING = -48.0
#: Flat wave tops that are still an accident of rounding.
_MOST_FLAT = 2


@dataclass(frozen=True)
class Measures:
    """Figures of one sound. Silence has -inf for the decibels."""

    seconds: float
    level: float  #: dBov, active speech level of ITU-T P.56
    loudness: float  #: LUFS, ITU-R BS.1770
    peak: float  #: dBFS
    flat: int  #: flat wave tops, where the microphone or a program was overdriven
    swing: float  #: dB between loud and soft moments of the sound; hum and noise have hardly any
    end: float  #: dB, the last 20 ms against the active level; near 0 when a word is cut off
    lead: float  #: seconds of silence before the speech
    tail: float  #: and after it
    longest_pause: float  #: seconds
    pauses: float  #: seconds, all pauses inside together

    @property
    def speaking(self) -> float:
        """Seconds of speech without pauses and edges."""
        return self.seconds - self.lead - self.tail - self.pauses


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a sound."""

    name: str  #: message `sound.<name>` of the catalogue
    figure: str = ""


def faults(found: Measures, morae: int) -> list[Fault]:
    """What a caller would suffer from in a finished sound; empty when it is fit. 0 morae: the pace is not known."""
    if found.peak == -math.inf:
        return [Fault("silence")]
    if found.swing < MIN_SWING:
        return [Fault("no_speech", f"{found.swing:.0f} dB")]
    pace = morae / found.speaking if morae and found.speaking > 0 else None
    loud = f"{found.level:.1f} dBov, {found.loudness:.1f} LUFS"
    checks = {
        Fault("too_quiet", loud): (found.loudness < TARGET - TOLERANCE or found.level < TARGET - ACTIVE_TOLERANCE),
        Fault("too_loud", loud): found.loudness > TARGET + TOLERANCE or found.level > TARGET + ACTIVE_TOLERANCE,
        Fault("clipped", f"{found.peak:.1f} dBFS"): found.peak > PEAK or found.flat > _MOST_FLAT,
        Fault("cut_off", f"{found.end:.0f} dB"): found.end > MAX_END,
        Fault("too_long", f"{found.seconds:.1f} s"): found.seconds > MAX_SECONDS,
        Fault("lead", f"{found.lead:.2f} s"): found.lead > MAX_EDGE,
        Fault("tail", f"{found.tail:.2f} s"): found.tail > MAX_EDGE,
        Fault("pause", f"{found.longest_pause:.2f} s"): found.longest_pause > MAX_PAUSE,
        Fault("too_fast", f"{pace or 0:.1f}"): pace is not None and pace > PACE[1],
        Fault("too_slow", f"{pace or 0:.1f}"): pace is not None and pace < PACE[0],
    }
    return [fault for fault, wrong in checks.items() if wrong]


def recording_faults(found: Measures) -> list[Fault]:
    """What the telephone chain cannot put right in a recording."""
    if found.peak == -math.inf:
        return [Fault("silence")]
    if found.swing < MIN_SWING:
        return [Fault("no_speech", f"{found.swing:.0f} dB")]
    checks = {
        Fault("recorded_too_softly", f"{found.level:.0f} dBov"): found.level < QUIETEST_RECORDING,
        Fault("clipped", f"{found.peak:.1f} dBFS"): found.flat > _MOST_FLAT,
        Fault("cut_off", f"{found.end:.0f} dB"): found.end > MAX_END,
    }
    return [fault for fault, wrong in checks.items() if wrong]
