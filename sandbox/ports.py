"""Finds ports on which a practice network can start."""

import socket

from ivr.errors import BadInput, problem
from sandbox.settings import PORTS

#: Below the range from which the kernel takes ports by itself.
BASE_PORTS = range(20000, 32000, PORTS)
#: The fixed ports of a network, counted from its base port: SIP and HTTP of both sides, our
#: manager, FastAGI, and the stand-in centre.
_FIXED = range(7)
#: Those given away, the longest ago first.
_taken: list[int] = []


def free_base_port() -> int:
    """A base port whose fixed ports nobody uses; one that was given away before only when there is no other, for its
    network may not have started yet. Raises BadInput.
    """
    for base in (*(each for each in BASE_PORTS if each not in _taken), *_taken):
        if all(_is_free(base + each) for each in _FIXED):
            if base in _taken:
                _taken.remove(base)
            _taken.append(base)
            return base
    raise BadInput(problem("sandbox.no_ports"))


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
