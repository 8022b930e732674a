"""Reserves ports on which a practice network can start: two that start in the same second never take the same."""

import contextlib
import socket
from collections.abc import Iterator

from ivr.errors import BadInput, problem
from sandbox.settings import PORTS

#: Below and above the range from which the kernel takes ports by itself (Linux: 32768 to 60999).
BASE_PORTS = (*range(2000, 32000, PORTS), *range(61000, 65000, PORTS))
#: The fixed ports of a network, counted from its base port: SIP and HTTP of both sides, our
#: manager, FastAGI, and the stand-in centre.
_FIXED = range(7)


@contextlib.contextmanager
def reserved_base_port() -> Iterator[int]:
    """A base port that is ours until the end, on this machine, whether its network has started or not.

    The reservation is the name of an abstract UNIX socket, which the kernel gives to one process and takes back when
    that ends, however it ends. Raises BadInput if none is left.
    """
    for base in BASE_PORTS:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reservation:
            if _is_reserved(reservation, base) and all(_is_free(base + each) for each in _FIXED):
                yield base
                return
    raise BadInput(problem("sandbox.no_ports"))


def _is_reserved(reservation: socket.socket, base: int) -> bool:
    try:
        reservation.bind(f"\0kenko-call-practice-network-{base}")
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
