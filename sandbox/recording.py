"""What was heard in one call, put together from RTP packets. Pure but for the file that it writes."""

import wave
from pathlib import Path

from sandbox import sound

_RATE = 8000
#: Samples. The RTP clock is believed unless it differs from ours by more: then it is another stream's.
_DRIFT = 5 * _RATE


class Recording:
    """Mu-law from the answer on, exact to the sample by the RTP clock, silence filled in."""

    def __init__(self) -> None:
        self._heard = bytearray()
        self._last: tuple[int, int] | None = None  #: where the last packet stands in `_heard`, and its RTP time

    def add(self, payload: bytes, stamp: int, seconds: float) -> None:
        """A packet of mu-law came `seconds` after the answer, with this RTP time.

        Placed by the RTP clock: it goes on through silence, and it does not mind that we wake late.
        """
        by_clock = max(0, int(seconds * _RATE) - len(payload))
        at = by_clock
        if self._last is not None:
            position, last_stamp = self._last
            by_stamp = position + ((stamp - last_stamp) & 0xFFFFFFFF)
            at = by_stamp if abs(by_stamp - by_clock) <= _DRIFT else by_clock
        self._heard += sound.SILENCE * (at - len(self._heard))
        self._heard[at : at + len(payload)] = payload
        self._last = (at, stamp)

    def write(self, path: Path, seconds: float) -> None:
        """A WAV file (16 bit, 8 kHz) of the whole call, which took so long."""
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, _RATE, 0, "NONE", ""))
            file.writeframes(sound.to_linear(bytes(self._heard.ljust(int(seconds * _RATE), sound.SILENCE))))
