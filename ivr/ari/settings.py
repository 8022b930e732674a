"""Where Asterisk is and what is agreed with its dialplan; which versions will do. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ivr.errors import BadInput, problem
from ivr.numbers import Numbering, Plan

#: Oldest releases with the ARI security fixes and right hang-up causes.
_OLDEST = {22: (22, 10, 1), 20: (20, 20, 1)}
_PREFERRED = 22


class Transport(StrEnum):
    """How requests go to Asterisk. Events always come over the WebSocket."""

    AUTO = "auto"  #: over the WebSocket where Asterisk offers it
    HTTP = "http"
    WEBSOCKET = "websocket"


@dataclass(frozen=True)
class PbxSettings:
    """How to reach one Asterisk, and the names agreed with its dialplan."""

    url: str  #: `http://127.0.0.1:8088`, without `/ari`
    user: str
    secret: str = field(repr=False)
    trunk: str = "trunk"  #: PJSIP endpoint of the provider
    more_trunks: tuple[str, ...] = ()  #: further ones, that an order may name
    callers: Mapping[str, str] = field(default_factory=dict)  #: trunk -> the number that called people see
    places: Mapping[str, str] = field(default_factory=dict)  #: trunk -> where calls are addressed, if we know it
    telephones: tuple[str, ...] = ()  #: endpoints of our own staff's telephones, to which callers may be put through
    #: Whether Asterisk takes keys as SIP INFO beside what a trunk agreed on: one press may then come twice.
    two_ways: bool = False
    app: str = "kenko"  #: `Stasis(<app>,outbound)` and `Stasis(<app>,inbound,<dialled number>,<seconds>)`
    transport: Transport = Transport.AUTO
    context: str = "kenko-outbound"  #: where an answered outbound call goes on
    extension: str = "answered"
    #: What may be rung, asked once more by the last step.
    numbering: Numbering = field(default_factory=lambda: Numbering(Plan.JAPAN))
    #: Call ids that we chose ourselves begin so: a channel left over from before is known by it.
    id_prefix: str = "kc-"

    @property
    def trunk_app(self) -> str:
        """The second application, which alone is subscribed to the trunk: see `ivr.ari.app`."""
        return f"{self.app}-trunk"


Version = tuple[int, int, int]


def read_version(said: str) -> Version | None:
    """`22.10.1+dfsg…` -> (22, 10, 1). None for what is no plain release (`certified-20.7-cert1`, `GIT-22-…`)."""
    found = re.match(r"([0-9]{1,4})\.([0-9]{1,4})\.([0-9]{1,4})", said)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def check_version(said: str) -> bool:
    """Whether this Asterisk is the preferred LTS; False: tolerated, warn. Raises BadInput for any other."""
    version = read_version(said)
    oldest = _OLDEST.get(version[0]) if version else None
    if version is None or oldest is None or version < oldest:
        raise BadInput(problem("pbx.too_old", version=said[:40] or "?"))
    return version[0] == _PREFERRED


def rest_over_websocket(said: str) -> bool:
    """Whether this Asterisk takes requests over the WebSocket (22.4 and 20.14 brought it)."""
    version = read_version(said)
    return version is not None and (version >= (22, 4, 0) or (20, 14, 0) <= version < (21, 0, 0))
