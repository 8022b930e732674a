"""How a trunk stands, from what a real Asterisk 22.10.1 said: its lists, and the words of its log."""

from datetime import UTC, datetime, timedelta

import pytest

from ivr.ami.state import (
    NEVER_ANSWERED,
    Failures,
    Registration,
    Seen,
    State,
    answers,
    count_channels,
    count_failure,
    follow,
    judge,
    read_devices,
    read_registrations,
    worst_minute,
)

NOW = datetime(2026, 11, 4, tzinfo=UTC)
ACCOUNT = ("sip:line1@127.0.0.1", "sip:127.0.0.1:20002")
REGISTRATION = {
    "Event": "OutboundRegistrationDetail",
    "ObjectName": "trunk",
    "ClientUri": ACCOUNT[0],
    "ServerUri": ACCOUNT[1],
    "Status": "Rejected",
}
AUTH = {"Event": "AuthDetail", "ObjectName": "trunk", "Password": "secretsecret1234"}
PREFIX = "[2026-11-25 06:29:30.101] WARNING[14677] res_pjsip_outbound_registration.c: "
TO = " received from '{server}' on registration attempt to '{client}', retrying in '3'"
SAID = {
    "401": "Temporal response '401'" + TO,
    "403": "403 Forbidden fatal response" + TO + " seconds",
    "404": "Fatal response '404'" + TO + " seconds",
    "none": "No response" + TO,
}


def log(*answers: str, client: str = ACCOUNT[0]) -> str:
    return "".join(PREFIX + SAID[each].format(server=ACCOUNT[1], client=client) + "\n" for each in answers)


def seen(status: str | None = "Rejected", device: str | None = "NOT_INUSE") -> Seen:
    registrations = {"trunk": Registration(status, *ACCOUNT)} if status else {}
    return Seen(registrations, {"trunk": device} if device else {}, {})


def test_the_lists_are_read_without_the_password() -> None:
    found = read_registrations([AUTH, REGISTRATION, {"Event": "OutboundRegistrationDetailComplete"}])
    assert found == {"trunk": Registration("Rejected", *ACCOUNT)}
    assert "secret" not in repr(found)
    devices = [{"Device": "PJSIP/trunk", "State": "UNAVAILABLE"}, {"Device": "Local/x", "State": "UNKNOWN"}, {}]
    assert read_devices(devices) == {"trunk": "UNAVAILABLE"}
    channels = [{"Channel": f"PJSIP/my-trunk-0000000{each}"} for each in "ab"] + [{"Channel": "Local/x;1"}]
    assert count_channels(channels) == {"my-trunk": 2}


@pytest.mark.parametrize(
    ("found", "said", "state", "detail"),
    [
        (seen("Registered"), "", State.WELL, ""),
        (seen("Registered", "UNAVAILABLE"), "", State.UNREACHABLE, ""),
        (seen("Rejected", "UNAVAILABLE"), log("403"), State.UNREACHABLE, ""),
        (seen("Unregistered"), "", State.UNREGISTERED, "Unregistered"),
        (seen("Stopped"), "", State.UNREGISTERED, "Stopped"),
        (seen(None), "", State.UNREGISTERED, "-"),
        (seen(), log("403", "none"), State.UNREGISTERED, ""),
        (seen(), log("401", "403"), State.REFUSED, "403"),
        (seen(), log("404"), State.REFUSED, "404"),
        (seen(), log("403", "401"), State.PASSWORD, "401"),
        (seen(), log("401") + log("403", client="sip:other@127.0.0.1"), State.PASSWORD, "401"),
        (seen(), "", State.REFUSED, ""),  # the log may not be read
        (Seen(None, {"trunk": "INUSE"}, {}), "", State.UNKNOWN, ""),
        (Seen(None, None, {}), "", State.UNKNOWN, ""),
    ],
)
def test_a_trunk_that_registers(found: Seen, said: str, state: State, detail: str) -> None:
    assert judge("trunk", True, found, said, answered=True) == (state, detail)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (seen(None), State.WELL),
        (seen(None, "INUSE"), State.WELL),
        (seen(None, "UNAVAILABLE"), State.UNREACHABLE),
        (seen(None, None), State.UNKNOWN),
        (Seen({}, None, {}), State.UNKNOWN),
    ],
)
def test_a_trunk_that_does_not_register(found: Seen, state: State) -> None:
    assert judge("trunk", False, found, "", answered=True) == (state, "")


def test_since_when() -> None:
    later, latest = NOW + timedelta(seconds=1), NOW + timedelta(seconds=2)
    well = follow(None, State.WELL, "", NOW)
    assert (well.since, well.down_since) == (NOW, None)
    gone = follow(well, State.UNREACHABLE, "", later)
    assert (gone.since, gone.down_since) == (later, later)
    refused = follow(gone, State.REFUSED, "403", latest)
    # Another fault: the state is new, that it is down is not.
    assert (refused.since, refused.down_since) == (latest, later)
    assert follow(refused, State.REFUSED, "404", latest + timedelta(hours=1)).since == latest
    assert follow(refused, State.WELL, "", latest).down_since is None


def test_who_is_turned_away_is_counted_by_the_minute_and_forgotten() -> None:
    failures = Failures()
    for second in (0, 1, 59, 60, 61):
        failures = count_failure(failures, NOW + timedelta(seconds=second))
    assert [count for _, count in failures.minutes] == [3, 2]
    assert worst_minute(failures, NOW + timedelta(minutes=5)) == 3
    assert worst_minute(failures, NOW + timedelta(minutes=6)) == 2
    assert worst_minute(failures, NOW + timedelta(minutes=7)) == 0
    assert len(count_failure(failures, NOW + timedelta(hours=1)).minutes) == 1


@pytest.mark.parametrize(
    ("registers", "answered", "state"),
    [
        (True, False, (State.WELL, "")),  # a good registration tells more than a question that nobody ever answered
        (True, True, (State.UNREACHABLE, "")),
        (False, False, (State.UNREACHABLE, NEVER_ANSWERED)),
        (False, True, (State.UNREACHABLE, "")),
    ],
)
def test_a_provider_who_does_not_answer_options(registers: bool, answered: bool, state: tuple[State, str]) -> None:
    registered = {"trunk": Registration("Registered", "sip:line1@example.jp", "sip:example.jp")}
    found = Seen(registered, {"trunk": "UNAVAILABLE"}, {})
    assert judge("trunk", registers, found, "", answered=answered) == state


def test_what_answered_once_answers() -> None:
    there, gone = (Seen({}, {"trunk": each}, {}) for each in ("NOT_INUSE", "UNAVAILABLE"))
    assert answers("trunk", there, None)
    assert not answers("trunk", gone, None)
    assert not answers("other", there, None)
    assert answers("trunk", gone, follow(None, State.WELL, "", NOW, answered=True))
