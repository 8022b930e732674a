"""The settings of the Asterisk that we render configuration for, and of the studio: `pbx.asterisk` and `studio`."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ivr.dialling import Part
from ivr.document import FilePath, written_as


def is_network(given: str) -> bool:
    """Whether this is an IPv4 address or CIDR range, and not half the world: at least 8 bits are fixed."""
    try:
        return ipaddress.IPv4Network(given).prefixlen >= 8
    except ValueError:
        return False


def _network(given: str) -> str:
    if not is_network(given):
        raise PydanticCustomError("network", "198.51.100.0/24")
    return given


#: As pjsip.conf names it.
EndpointName = Annotated[str, written_as("trunk", r"[A-Za-z0-9_-]+")]
#: What a name in a file of Asterisk may be, without being read as more.
Host = Annotated[str, written_as("host", r"[A-Za-z0-9][A-Za-z0-9.-]*")]
Address = Annotated[str, written_as("address", r"[0-9]{1,3}(\.[0-9]{1,3}){3}")]
Network = Annotated[str, AfterValidator(_network)]


class SipTrunk(Part):
    """How one of our trunks is reached: the provider's side of what `trunks`, or `pbx.trunk`, counts lines of."""

    name: Annotated[str, written_as("trunk", r"[A-Za-z0-9_-]+")] = "trunk"
    host: Host
    #: None: a name is looked up with its services first (SRV, RFC 3263), and then 5060.
    port: int | None = Field(default=None, ge=1, le=65535)
    networks: tuple[Network, ...] = Field(min_length=1)
    user: str = ""
    auth_user: str = ""
    password_file: FilePath | None = None
    domain: str = ""
    from_user: str = ""
    dtmf: Literal["rfc4733", "auto", "inband", "info", "auto_info"] = "rfc4733"
    trust_caller_id: bool = False
    qualify_seconds: int = Field(default=30, ge=0, le=3600)


class Asterisk(Part):
    """Folders, addresses and trunks of the Asterisk whose configuration `kenko-call pbx` renders."""

    etc: FilePath = Path("/etc/asterisk")
    modules: FilePath = Path("/usr/lib/x86_64-linux-gnu/asterisk/modules")
    data: FilePath = Path("/usr/share/asterisk")
    state: FilePath = Path("/var/lib/asterisk")
    run: FilePath = Path("/run/asterisk")
    log: FilePath = Path("/var/log/asterisk")
    run_as: Annotated[str, written_as("system_user", r"[a-z_][a-z0-9_-]*")] = "asterisk"
    sounds: FilePath | None = None
    sip_address: Address = "0.0.0.0"
    sip_port: int = Field(default=5060, ge=1, le=65535)
    external_address: Address | None = None
    local_networks: tuple[Network, ...] = ()
    rtp_first: int = Field(default=10000, ge=1024, le=65534)
    rtp_last: int = Field(default=10199, ge=1025, le=65535)
    longest_call_seconds: int = Field(default=1800, ge=60, le=7200)
    sip_trunks: tuple[SipTrunk, ...] = ()


class Studio(Part):
    """The number in the house on which staff speak prompts."""

    #: None: there is no such number.
    extension: Annotated[str, written_as("extension", r"[0-9]{2,6}")] | None = None
    pin_file: FilePath = Field(default=Path("var/studio.pin"), validate_default=True)
    endpoints: tuple[EndpointName, ...] = Field(default=("studio",), min_length=1)
    networks: tuple[Network, ...] = ()
    password_file: FilePath = Field(default=Path("var/studio.secret"), validate_default=True)
