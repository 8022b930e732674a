"""Where one practice network lives: its folder, its ports, its Asterisk."""

import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ivr.pbx import HousePhone, ManagerUser, PbxSite, Trunk
from sandbox.install import Asterisk

#: Fictional: 050-0 is never assigned.
INBOUND_NUMBER = "05000000100"
#: What a second trunk presents.
SECOND_NUMBER = "05000000200"
#: Loopback as well.
INFO_ADDRESS = "127.0.0.2"
#: Of the far ends that speak SIP themselves (`far_end`): one known by its address, one with which our PBX registers.
FAR_ADDRESS = "127.0.0.3"
FAR_REGISTRAR = "127.0.0.4"
#: The port of all of them, counted from the base port.
FAR_PORT = 2
#: Its domain, which leads nowhere.
FAR_DOMAIN = "practice.invalid"
#: As whom our PBX registers there.
FAR_USER = "user0001"
#: On which staff speak prompts.
STUDIO_EXTENSION = "701"
#: Ports that one network takes, from its base port.
PORTS = 1000
#: Of the stand-in centre, counted from the base port.
CENTRE_PORT = 6
PROMPTS = Path(__file__).resolve().parent.parent / "prompts"


def far_trunk(base_port: int, name: str, address: str, **changes: Any) -> Trunk:
    """A trunk of our PBX to a far end of our own on this address; `changes`: what is not as usual."""
    given: dict[str, Any] = {"port": base_port + FAR_PORT, "networks": (f"{address}/32",), "trust_caller_id": True}
    return Trunk(address, name=name, **(given | {"qualify_seconds": 1} | changes))


@dataclass(frozen=True)
class NetworkSettings:
    """One practice network. Several run side by side if folders differ and base ports are PORTS apart."""

    folder: Path  #: everything it writes; kept when it stops
    asterisk: Asterisk
    base_port: int = 20000
    prompts: Path = PROMPTS
    channels: int = 30  #: calls at once, at most 140
    inbound_numbers: tuple[str, ...] = (INBOUND_NUMBER,)
    longest_call: int = 1800  #: seconds
    second_trunk: bool = False  #: `trunk-2` to the same carrier, which calls us `line2` there and is told SECOND_NUMBER
    agi_only: bool = False  #: callers are handed over by FastAGI at once, as by a PBX without ARI
    info_trunk: bool = False  #: `trunk-info`, for calls from INFO_ADDRESS, whose keys come as SIP INFO
    far_end: bool = False  #: `trunk-far` and `trunk-registered`, which lead to far ends of our own (sandbox/farend)
    far_trunks: tuple[Trunk, ...] = ()  #: further ones to far ends, each with an address of its own in 127.0.0.0/8
    secret: str = field(default_factory=lambda: secrets.token_hex(24), repr=False)


def pbx_site(settings: NetworkSettings) -> PbxSite:
    """Our PBX, configured as a site would configure it."""
    base = settings.base_port
    # 1 s: the practice carrier may come and go faster than a real one.
    trunk = Trunk("127.0.0.1", base + 2, ("127.0.0.1/32",), qualify_seconds=1)
    second = replace(trunk, name="trunk-2", from_user="line2", caller_id=SECOND_NUMBER)
    info = replace(trunk, name="trunk-info", networks=(f"{INFO_ADDRESS}/32",), dtmf="info", qualify_seconds=0)
    login = {"user": FAR_USER, "password": settings.secret, "domain": FAR_DOMAIN}
    registered = far_trunk(base, "trunk-registered", FAR_REGISTRAR, **login)
    far = (far_trunk(base, "trunk-far", FAR_ADDRESS), registered) if settings.far_end else ()
    more = (
        *((second,) if settings.second_trunk else ()),
        *((info,) if settings.info_trunk else ()),
        *far,
        *settings.far_trunks,
    )
    return _site(
        settings,
        "pbx",
        sip_port=base,
        ari_port=base + 1,
        trunk=trunk,
        more_trunks=more,
        rtp_first=base + 100,
        rtp_last=base + 399,
        channels=settings.channels,
        manager=ManagerUser("kenko-watch", settings.secret, base + 4),
        agi_port=base + 5,
        agi_only=settings.agi_only,
        house=HousePhone(STUDIO_EXTENSION, ("127.0.0.1/32",), settings.secret),
    )


def carrier_site(settings: NetworkSettings) -> PbxSite:
    """The carrier: folders and ports as any site, the rest is in carrier_config/."""
    base = settings.base_port
    return _site(
        settings,
        "carrier",
        sip_port=base + 2,
        ari_port=base + 3,
        trunk=Trunk("127.0.0.1", base, ("127.0.0.1/32",)),
        rtp_first=base + 400,
        rtp_last=base + 999,
        channels=290,  # two channels a call: the line and the telephone's ear
        application="carrier",
    )


def _site(settings: NetworkSettings, name: str, **special: object) -> PbxSite:
    home = settings.folder.resolve() / name
    given: dict[str, object] = {
        "etc": home / "etc",
        "modules": settings.asterisk.modules,
        "data": settings.asterisk.data.resolve(),
        "state": home / "state",
        "run": home / "run",
        "log": home / "log",
        "prompts": settings.prompts.resolve(),
        "sip_address": "127.0.0.1",
        "inbound_numbers": settings.inbound_numbers,
        "ari_user": "kenko",
        "ari_secret": settings.secret,
        "longest_call": settings.longest_call,
    }
    return PbxSite(**(given | special))  # type: ignore[arg-type]
