"""What Asterisk's manager says, made into how each trunk stands and how many were turned away. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Fields = Mapping[str, str]

#: Events after which it is worth looking at once. They say what happened, not for which trunk: the lists say that.
TELLING = frozenset({"Registry", "ContactStatus", "PeerStatus", "DeviceStateChange", "FullyBooted", "Reload"})
#: Security events of somebody who was turned away (22.10.1). Not ChallengeSent: an honest telephone gets one each time.
FAILURES = frozenset(
    {"FailedACL", "InvalidAccountID", "InvalidPassword", "ChallengeResponseFailed", "UnexpectedAddress"}
)
#: No answer at all, where the code of one would stand.
SILENCE = "-"
#: The detail of a trunk that is unreachable, and never answered OPTIONS.
NEVER_ANSWERED = "OPTIONS"
#: Minutes without such a burst after which it is over.
QUIET_MINUTES = 5

_ENDPOINT = re.compile(r"PJSIP/(.+)-[0-9a-f]+")
#: The code of an answer stands in Asterisk's log only, in neither list nor event. 22.10.1 writes `Temporal response
#: '401' received from …`, `Fatal response '404' received from …`, `403 Forbidden fatal response received from …`, and
#: `No response received from …`, each going on `'SERVER' on registration attempt to 'CLIENT'`.
_ANSWER = re.compile(
    r"(?:response '(?P<code>[0-9]{3})'|(?P<forbidden>403) Forbidden fatal response|(?P<none>No response))"
    r" received from '(?P<server>[^'\n]*)' on registration attempt to '(?P<client>[^'\n]*)'"
)


class State(StrEnum):
    """How a trunk stands."""

    WELL = "well"  #: registered, or, if it does not register, there
    UNREACHABLE = "unreachable"  #: nobody answers when Asterisk asks whether it is there
    UNREGISTERED = "unregistered"  #: no answer to our registration, or none yet
    REFUSED = "refused"  #: 403, or another no
    PASSWORD = "password"  #: 401 or 407 although we sent our password
    UNKNOWN = "unknown"  #: nobody can say


#: A call by such a trunk would come to nothing.
DOWN = frozenset({State.UNREACHABLE, State.UNREGISTERED, State.REFUSED, State.PASSWORD})


@dataclass(frozen=True)
class Registration:
    """One registration of ours, as Asterisk lists it."""

    status: str  #: Registered, Unregistered, Rejected, Stopped
    client: str  #: as whom, `sip:user@host`
    server: str


@dataclass(frozen=True)
class Seen:
    """What one look found. None: Asterisk does not know the question, or does not let us ask it."""

    registrations: Mapping[str, Registration] | None  #: by trunk
    devices: Mapping[str, str] | None  #: endpoint -> NOT_INUSE, INUSE, UNAVAILABLE …
    channels: Mapping[str, int]  #: endpoint -> its channels


@dataclass(frozen=True)
class Standing:
    """How one trunk stands."""

    state: State
    detail: str  #: the SIP code, or Asterisk's own word; "" where there is none
    since: datetime  #: in this state
    down_since: datetime | None  #: in whatever state of DOWN
    answered: bool = False  #: the provider has answered OPTIONS at least once


@dataclass(frozen=True)
class Failures:
    """How many were turned away, minute by minute: the last few."""

    minutes: tuple[tuple[int, int], ...] = ()  #: minute since 1970, how many; the newest last


_NONE = Registration("", "", "")


def read_registrations(events: Iterable[Fields]) -> dict[str, Registration]:
    """From the list of PJSIPShowRegistrationsOutbound. Its AuthDetail, which holds the password, is not looked at."""
    return {
        each["ObjectName"]: Registration(each.get("Status", ""), each.get("ClientUri", ""), each.get("ServerUri", ""))
        for each in events
        if each.get("Event") == "OutboundRegistrationDetail"
    }


def read_devices(events: Iterable[Fields]) -> dict[str, str]:
    """PJSIP endpoint -> state, from the list of DeviceStateList."""
    return {
        each["Device"].removeprefix("PJSIP/"): each.get("State", "")
        for each in events
        if each.get("Device", "").startswith("PJSIP/")
    }


def count_channels(events: Iterable[Fields]) -> dict[str, int]:
    """PJSIP endpoint -> how many channels it has, from the list of CoreShowChannels."""
    found = (_ENDPOINT.fullmatch(each.get("Channel", "")) for each in events)
    return dict(Counter(each[1] for each in found if each))


def last_answer(log: str, registration: Registration) -> str:
    """The SIP code of the last answer to this registration in Asterisk's log; SILENCE if there was no answer.

    "" if the log says nothing of it.
    """
    code = ""
    for found in _ANSWER.finditer(log):
        if (found["server"], found["client"]) == (registration.server, registration.client):
            code = found["code"] or found["forbidden"] or SILENCE
    return code


def judge(name: str, registers: bool, seen: Seen, log: str, *, answered: bool) -> tuple[State, str]:
    """How a trunk stands, and the detail. `log`: the end of Asterisk's log; "" if it may not be read.

    `answered`: whether the provider ever answered the question whether it is there (OPTIONS). Many never do: of those a
    good registration tells more.
    """
    device = None if seen.devices is None else seen.devices.get(name)
    registered = registers and (seen.registrations or {}).get(name, _NONE).status == "Registered"
    if device == "UNAVAILABLE" and (answered or not registered):
        return State.UNREACHABLE, "" if answered else NEVER_ANSWERED
    if not registers:
        return (State.UNKNOWN if device is None else State.WELL), ""
    if seen.registrations is None:
        return State.UNKNOWN, ""
    registration = seen.registrations.get(name)
    if registration is None:
        return State.UNREGISTERED, "-"
    if registration.status == "Registered":
        return State.WELL, ""
    if registration.status != "Rejected":
        return State.UNREGISTERED, registration.status
    code = last_answer(log, registration)
    if code == SILENCE:  # Asterisk calls that Rejected too.
        return State.UNREGISTERED, ""
    return (State.PASSWORD if code in ("401", "407") else State.REFUSED), code


def answers(name: str, seen: Seen, before: Standing | None) -> bool:
    """Whether the provider answers OPTIONS now or has done so before."""
    device = (seen.devices or {}).get(name)
    return (before is not None and before.answered) or device not in (None, "UNAVAILABLE", "INVALID", "UNKNOWN")


def follow(before: Standing | None, state: State, detail: str, now: datetime, *, answered: bool = False) -> Standing:
    """What is found now, with the moments at which it began."""
    since = before.since if before is not None and before.state is state else now
    down_since = (before.down_since if before is not None else None) or now
    return Standing(state, detail, since, down_since if state in DOWN else None, answered)


def count_failure(before: Failures, now: datetime) -> Failures:
    """One more was turned away."""
    minute = int(now.timestamp() // 60)
    kept = tuple(each for each in before.minutes if minute - each[0] <= QUIET_MINUTES)
    if kept and kept[-1][0] == minute:
        return Failures((*kept[:-1], (minute, kept[-1][1] + 1)))
    return Failures((*kept, (minute, 1)))


def worst_minute(failures: Failures, now: datetime) -> int:
    """How many were turned away in the worst of the last QUIET_MINUTES."""
    minute = int(now.timestamp() // 60)
    return max((count for when, count in failures.minutes if minute - when <= QUIET_MINUTES), default=0)
