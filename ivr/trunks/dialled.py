"""How a number on a trunk is named to Asterisk, and where on a trunk requests are addressed. Pure."""

from collections.abc import Mapping


def server_of(host: str, port: int | None) -> str:
    """Where requests go, as a URI writes it; without a port DNS is asked for the host's services (SRV) first."""
    return host if port is None else f"{host}:{port}"


def place_of(host: str, port: int | None, domain: str) -> str:
    """What requests name as their target: the provider's domain, if it has another name than its host.

    They go to the host all the same: Asterisk takes that for a proxy, and looks up no domain.
    """
    return domain or server_of(host, port)


def dialled(endpoint: str, places: Mapping[str, str]) -> str:
    """`0…@trunk`, or a telephone of our staff, as Asterisk is asked to ring it; `places`: trunk -> see `place_of`.

    With the whole URI: by the trunk's name alone Asterisk (22.10.1) places no call while its OPTIONS stay without an
    answer, and there are providers who never answer them. Of a PBX that is not ours no place is known.
    """
    number, _, trunk = endpoint.partition("@")
    return f"PJSIP/{trunk}/sip:{number}@{places[trunk]}" if trunk in places else f"PJSIP/{endpoint}"
