"""Whether the computer's clock is kept right by a time service, as the kernel knows it (Linux)."""

import ctypes

#: adjtimex(2): the kernel's answer while no time service keeps the clock.
_TIME_ERROR = 5
#: More than any `struct timex` (208 bytes on 64-bit Linux). All zero: only ask.
_TIMEX_BYTES = 512


def is_synchronised() -> bool:
    """Whether chrony, ntpd or systemd-timesyncd has told the kernel that the clock is right. False: not known."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return False
    state = adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return bool(0 <= state < _TIME_ERROR)
