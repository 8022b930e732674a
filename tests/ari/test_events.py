"""What Asterisk says, read: the shapes are those a real 22.10.1 sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ari.events import (
    WANTED,
    ApplicationReplaced,
    Channel,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelUserevent,
    Event,
    Ignored,
    Playback,
    PlaybackContinuing,
    PlaybackFinished,
    PlaybackStarted,
    RestResponse,
    StasisEnd,
    StasisStart,
    Vanished,
    channel_of,
    from_json,
    parse,
)

RAW_CHANNEL = {
    "id": "kc-1",
    "name": "PJSIP/trunk-0000000c",
    "state": "Up",
    "protocol_id": "66790c87",
    "caller": {"name": "", "number": "09000000001"},
    "connected": {"name": "", "number": ""},
    "accountcode": "",
    "dialplan": {
        "context": "c",
        "exten": "answered",
        "priority": 2,
        "app_name": "Stasis",
        "app_data": "kenko,outbound",
    },
    "creationtime": "2026-01-01T00:00:00.000+0000",
    "language": "en",
}
CHANNEL = Channel("kc-1", "PJSIP/trunk-0000000c", "Up", "09000000001", "answered", "Stasis", "kenko,outbound")
RAW_PLAYBACK = {
    "id": "kc-1.0",
    "media_uri": "sound:/a",
    "next_media_uri": "sound:/b",
    "target_uri": "channel:kc-1",
    "language": "en",
    "state": "continuing",
}
PLAYBACK = Playback("kc-1.0", "sound:/a", "sound:/b", "kc-1", "continuing")


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({"type": "StasisStart", "args": ["outbound"], "channel": RAW_CHANNEL}, StasisStart(CHANNEL, ("outbound",))),
        ({"type": "StasisEnd", "channel": RAW_CHANNEL}, StasisEnd(CHANNEL)),
        (
            {"type": "ChannelDestroyed", "cause": 17, "cause_txt": "x", "tech_cause": 486, "channel": RAW_CHANNEL},
            ChannelDestroyed(CHANNEL, 17, 486),
        ),
        ({"type": "ChannelDestroyed", "cause": 16, "channel": RAW_CHANNEL}, ChannelDestroyed(CHANNEL, 16, 0)),
        (
            {"type": "ChannelDtmfReceived", "digit": "#", "duration_ms": 200, "channel": RAW_CHANNEL},
            ChannelDtmfReceived(CHANNEL, "#", 200),
        ),
        ({"type": "PlaybackStarted", "playback": RAW_PLAYBACK}, PlaybackStarted(PLAYBACK)),
        ({"type": "PlaybackContinuing", "playback": RAW_PLAYBACK}, PlaybackContinuing(PLAYBACK)),
        ({"type": "PlaybackFinished", "playback": RAW_PLAYBACK}, PlaybackFinished(PLAYBACK)),
        ({"type": "ApplicationReplaced", "application": "kenko"}, ApplicationReplaced("kenko")),
        ({"type": "ChannelUserevent", "application": "kenko", "eventname": "x"}, ChannelUserevent("kenko")),
        (
            {
                "type": "RESTResponse",
                "request_id": "7",
                "status_code": 404,
                "reason_phrase": "No",
                "message_body": "{}",
            },
            RestResponse("7", 404, "No", "{}"),
        ),
    ],
)
def test_each_kind_we_use(fields: dict[str, Any], event: Event) -> None:
    assert parse(json.dumps({**fields, "timestamp": "t", "asterisk_id": "a", "something": {"new": 1}})) == event
    assert fields["type"] in WANTED


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "ChannelVarset", "variable": "x"},
        {"type": "StasisStart"},
        {"type": "StasisStart", "channel": {}},
        {"type": "ChannelDtmfReceived", "channel": RAW_CHANNEL},
        {"type": "ChannelDtmfReceived", "digit": "12", "channel": RAW_CHANNEL},
        {"type": "PlaybackFinished", "playback": {**RAW_PLAYBACK, "target_uri": "bridge:b"}},
        {"type": "PlaybackFinished", "playback": None},
        {"type": ["StasisStart"]},
    ],
)
def test_what_is_unknown_or_lacks_its_object_is_ignored(fields: dict[str, Any]) -> None:
    assert isinstance(from_json(fields), Ignored)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, b"\xff\xfe", '"StasisStart"'])
def test_no_text_makes_it_raise(text: str | bytes) -> None:
    assert parse(text) == Ignored()


def test_the_channel_of_each_event() -> None:
    assert (
        channel_of(StasisEnd(CHANNEL))
        == channel_of(PlaybackStarted(PLAYBACK))
        == channel_of(Vanished("kc-1"))
        == "kc-1"
    )
    assert channel_of(ApplicationReplaced()) == channel_of(RestResponse("1", 200)) == channel_of(Ignored("x")) == ""


def test_neither_digit_nor_number_shows_in_a_log_line() -> None:
    shown = repr(ChannelDtmfReceived(CHANNEL, "7", 100)) + repr(StasisStart(CHANNEL, ("inbound", "0312345678")))
    assert "'7'" not in shown
    assert "09000000001" not in shown
    assert "0312345678" not in shown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
#: Objects that look right from afar: our field names, anything at all in them.
NAMES = ["type", "channel", "playback", "id", "args", "digit", "cause", "target_uri", "dialplan", "caller", "number"]
ALIKE = st.fixed_dictionaries(
    {"type": st.sampled_from(WANTED)},
    optional={name: JSON | st.dictionaries(st.sampled_from(NAMES), JSON) for name in NAMES if name != "type"},
)


@given(JSON | ALIKE)
def test_any_json_gives_a_record(message: object) -> None:
    event = from_json(message)
    assert isinstance(channel_of(event), str)
    assert isinstance(repr(event), str)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_text_gives_a_record(text: str | bytes) -> None:
    assert isinstance(channel_of(parse(text)), str)
