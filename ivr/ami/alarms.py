"""What of the watch's findings must be told, and which trunks must not be used meanwhile. Pure."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ivr.ami.state import DOWN, Failures, Standing, State, follow, worst_minute

#: So long the last findings count when the manager is lost. Then nothing is known of any trunk, and none is kept
#: closed for something that may be over: a call that fails says so itself.
HOLD = timedelta(minutes=5)

#: State -> kind of the alarm, `alarm.<kind>` of the catalogue.
_KINDS = {
    State.UNREACHABLE: "trunk_unreachable",
    State.UNREGISTERED: "trunk_unregistered",
    State.REFUSED: "registration_refused",
    State.PASSWORD: "trunk_password",
}
#: Alarms that the watch raises, and ends when it does not find them any more.
WATCHED = (*_KINDS.values(), "trunk_address", "ami_lost", "turned_away")


@dataclass(frozen=True)
class View:
    """All that the watch knows."""

    trunks: Mapping[str, Standing] = field(default_factory=dict)
    lost_since: datetime | None = None  #: the manager; None: connected
    outside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: trunk -> addresses past its networks
    channels: Mapping[str, int] = field(default_factory=dict)  #: trunk -> how many it carries
    failures: Failures = field(default_factory=Failures)


@dataclass(frozen=True)
class Rules:
    """What counts as worth telling."""

    settle: timedelta  #: a fault that is over sooner is not told
    failures_per_minute: int


@dataclass(frozen=True)
class Finding:
    """Something that must be told."""

    kind: str
    subject: str  #: the trunk, if it is one
    details: str


def findings(view: View, rules: Rules, now: datetime) -> list[Finding]:
    """Everything that is wrong now."""
    found = [
        Finding(_KINDS[each.state], name, each.detail)
        for name, each in view.trunks.items()
        if each.state in DOWN and each.down_since is not None and now - each.down_since >= rules.settle
    ]
    found += [Finding("trunk_address", name, ", ".join(each)) for name, each in view.outside.items()]
    if view.lost_since is not None and now - view.lost_since >= rules.settle:
        found.append(Finding("ami_lost", "", ""))
    worst = worst_minute(view.failures, now)
    if worst >= rules.failures_per_minute:
        found.append(Finding("turned_away", "", str(worst)))
    return found


def up(view: View) -> dict[str, int]:
    """Trunk -> 1: in order, 0: down; those of which nothing is known are left out."""
    known = ((name, each.state) for name, each in view.trunks.items() if each.state is not State.UNKNOWN)
    return {name: int(state is State.WELL) for name, state in known}


def lost(view: View, now: datetime) -> View:
    """The manager cannot be reached: what was known stands for a while."""
    since = view.lost_since or now
    if now - since < HOLD:
        return replace(view, lost_since=since)
    unknown = {name: follow(each, State.UNKNOWN, "", now, answered=each.answered) for name, each in view.trunks.items()}
    return replace(view, lost_since=since, trunks=unknown, channels={})


def outside(addresses: Iterable[str], networks: Sequence[str]) -> tuple[str, ...]:
    """Those of the IPv4 addresses that are in none of the networks, in order."""
    allowed = [ipaddress.IPv4Network(each) for each in networks]
    found = {ipaddress.IPv4Address(each) for each in addresses}
    return tuple(str(each) for each in sorted(found) if not any(each in network for network in allowed))
