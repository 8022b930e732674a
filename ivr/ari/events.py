"""What Asterisk tells us, as frozen records. Pure: JSON in, record out; no JSON whatever makes it raise.

Fields are those of `rest-api/events.json`, Asterisk 22.10.1. Digits and numbers are kept out of `repr`, so that an
event in a log line shows neither.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Channel:
    """One leg of a call, as Asterisk sees it."""

    id: str
    name: str = field(default="", repr=False)
    state: str = ""  #: `Down`, `Ring`, `Ringing`, `Up`, …
    caller: str = field(default="", repr=False)  #: number of the far end; empty if withheld
    exten: str = field(default="", repr=False)
    app_name: str = ""  #: dialplan application it is in; `Stasis` while we hold it
    app_data: str = field(default="", repr=False)  #: for Stasis: `<app>,<argument>,…`


@dataclass(frozen=True)
class Playback:
    """One request to play a list of sounds."""

    id: str
    media: str = ""  #: for PlaybackContinuing the file that just ENDED, else the one that plays (22.10.1)
    next_media: str = ""  #: empty at the last of the list
    channel_id: str = ""
    state: str = ""  #: `playing`, `continuing`, `done`, `failed`


@dataclass(frozen=True)
class StasisStart:
    """The channel is ours to command from now on."""

    channel: Channel
    args: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class StasisEnd:
    """The channel is ours no more; ChannelDestroyed with the cause mostly follows, sometimes it came before."""

    channel: Channel


@dataclass(frozen=True)
class ChannelDestroyed:
    """The call is over."""

    channel: Channel
    cause: int = 0  #: Q.850
    tech_cause: int = 0  #: SIP status; 0 if there was none (an answered call ends without)


@dataclass(frozen=True)
class Dialling:
    """How a call of ours that nobody has answered yet gets on."""

    channel: Channel
    status: str = ""  #: RINGING, PROGRESS (it speaks before it answers), CANCEL (redirected, 22.10.1), ANSWER, …


@dataclass(frozen=True)
class ChannelDtmfReceived:
    """A key was let go: there is no event for its beginning.

    22.10.1 plays a key that came too soon after the one before to its full length first, and tells it then.
    """

    channel: Channel
    digit: str = field(default="", repr=False)
    duration_ms: int = 0
    stamped: float | None = None  #: when Asterisk made the event, in seconds of its clock; None: it does not say


@dataclass(frozen=True)
class ChannelHold:
    """The other side does not listen for a while: it has put us on hold (a re-INVITE with sendonly or inactive)."""

    channel: Channel


@dataclass(frozen=True)
class ChannelUnhold:
    """It listens again."""

    channel: Channel


@dataclass(frozen=True)
class PlaybackStarted:
    """A file of a list begins: this comes again for every file of the list (22.10.1)."""

    playback: Playback


@dataclass(frozen=True)
class PlaybackContinuing:
    """A file of the list ended and another follows."""

    playback: Playback


@dataclass(frozen=True)
class PlaybackFinished:
    """The whole list is over: played, stopped, failed, or (`failed` too) the caller hung up."""

    playback: Playback


@dataclass(frozen=True)
class Recording:
    """What is said on one channel, being stored."""

    name: str
    channel_id: str


@dataclass(frozen=True)
class RecordingEnded:
    """RecordingFinished: it is stored (`#`, silence, the longest time, a stop, a hang-up); or RecordingFailed."""

    recording: Recording


@dataclass(frozen=True)
class ApplicationReplaced:
    """Another connection took our application over."""

    application: str = ""


@dataclass(frozen=True)
class ChannelUserevent:
    """Our own echo: an event we asked for, to see that events reach us."""

    application: str = ""


@dataclass(frozen=True)
class Vanished:
    """Our own, not Asterisk's: while we were away the channel went, and nobody will tell how."""

    channel_id: str


@dataclass(frozen=True)
class Gap:
    """Our own, not Asterisk's: up to now events of the channel may have been lost; keys among them."""

    channel_id: str


@dataclass(frozen=True)
class RestResponse:
    """The answer to a request that went over the WebSocket."""

    request_id: str
    status: int
    reason: str = ""
    body: str = field(default="", repr=False)


@dataclass(frozen=True)
class Ignored:
    """Something we have no use for."""

    type: str = ""


Event = (
    StasisStart
    | StasisEnd
    | ChannelDestroyed
    | Dialling
    | ChannelDtmfReceived
    | ChannelHold
    | ChannelUnhold
    | PlaybackStarted
    | PlaybackContinuing
    | PlaybackFinished
    | RecordingEnded
    | ApplicationReplaced
    | ChannelUserevent
    | Vanished
    | Gap
    | RestResponse
    | Ignored
)


def parse(text: str | bytes) -> Event:
    """The record for one message. What is unknown, broken or lacks its channel becomes `Ignored`; never raises."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return Ignored()
    return from_json(message)


def from_json(message: object) -> Event:
    """As `parse`, for a message already decoded."""
    fields = _mapping(message)
    kind = _text(fields, "type")
    build = _KINDS.get(kind)
    return (build(fields) if build else None) or Ignored(kind)


def channel_of(event: Event) -> str:
    """Id of the channel an event belongs to; empty if it belongs to none."""
    match event:
        case PlaybackStarted() | PlaybackContinuing() | PlaybackFinished():
            return event.playback.channel_id
        case RecordingEnded():
            return event.recording.channel_id
        case Vanished() | Gap():
            return event.channel_id
        case ApplicationReplaced() | ChannelUserevent() | RestResponse() | Ignored():
            return ""
        case _:
            return event.channel.id


def read_channel(value: object) -> Channel | None:
    """A channel as events and `GET /channels` describe it; None without an id."""
    fields = _mapping(value)
    dialplan = _mapping(fields.get("dialplan"))
    found = Channel(
        id=_text(fields, "id"),
        name=_text(fields, "name"),
        state=_text(fields, "state"),
        caller=_text(_mapping(fields.get("caller")), "number"),
        exten=_text(dialplan, "exten"),
        app_name=_text(dialplan, "app_name"),
        app_data=_text(dialplan, "app_data"),
    )
    return found if found.id else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _number(fields: Mapping[str, object], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _moment(fields: Mapping[str, object], name: str) -> float | None:
    """`2026-11-29T09:00:00.123+0900` as seconds."""
    try:
        return datetime.fromisoformat(_text(fields, name)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _playback(fields: Mapping[str, object]) -> Playback | None:
    playback = _mapping(fields.get("playback"))
    kind, _, channel_id = _text(playback, "target_uri").partition(":")
    if kind != "channel" or not channel_id or not _text(playback, "id"):
        return None
    return Playback(
        id=_text(playback, "id"),
        media=_text(playback, "media_uri"),
        next_media=_text(playback, "next_media_uri"),
        channel_id=channel_id,
        state=_text(playback, "state"),
    )


def _stasis_start(fields: Mapping[str, object]) -> Event | None:
    channel = read_channel(fields.get("channel"))
    args = fields.get("args")
    words = tuple(each for each in args if isinstance(each, str)) if isinstance(args, list) else ()
    return StasisStart(channel, words) if channel else None


def _stasis_end(fields: Mapping[str, object]) -> Event | None:
    channel = read_channel(fields.get("channel"))
    return StasisEnd(channel) if channel else None


def _destroyed(fields: Mapping[str, object]) -> Event | None:
    channel = read_channel(fields.get("channel"))
    return ChannelDestroyed(channel, _number(fields, "cause"), _number(fields, "tech_cause")) if channel else None


def _dialling(fields: Mapping[str, object]) -> Event | None:
    channel = read_channel(fields.get("peer"))
    return Dialling(channel, _text(fields, "dialstatus")) if channel else None


def _key(fields: Mapping[str, object]) -> Event | None:
    channel, digit = read_channel(fields.get("channel")), _text(fields, "digit")
    if channel is None or len(digit) != 1 or digit not in "0123456789*#ABCD":
        return None
    return ChannelDtmfReceived(channel, digit, _number(fields, "duration_ms"), _moment(fields, "timestamp"))


def _held(fields: Mapping[str, object]) -> Event | None:
    channel = read_channel(fields.get("channel"))
    return ChannelHold(channel) if channel else None


def _resumed(fields: Mapping[str, object]) -> Event | None:
    channel = read_channel(fields.get("channel"))
    return ChannelUnhold(channel) if channel else None


def _started(fields: Mapping[str, object]) -> Event | None:
    playback = _playback(fields)
    return PlaybackStarted(playback) if playback else None


def _continuing(fields: Mapping[str, object]) -> Event | None:
    playback = _playback(fields)
    return PlaybackContinuing(playback) if playback else None


def _finished(fields: Mapping[str, object]) -> Event | None:
    playback = _playback(fields)
    return PlaybackFinished(playback) if playback else None


def _recorded(fields: Mapping[str, object]) -> Event | None:
    recording = _mapping(fields.get("recording"))
    kind, _, channel_id = _text(recording, "target_uri").partition(":")
    name = _text(recording, "name")
    return RecordingEnded(Recording(name, channel_id)) if kind == "channel" and channel_id and name else None


def _response(fields: Mapping[str, object]) -> Event:
    return RestResponse(
        _text(fields, "request_id"),
        _number(fields, "status_code"),
        _text(fields, "reason_phrase"),
        _text(fields, "message_body"),
    )


_KINDS: Mapping[str, Callable[[Mapping[str, object]], Event | None]] = {
    "StasisStart": _stasis_start,
    "StasisEnd": _stasis_end,
    "ChannelDestroyed": _destroyed,
    "Dial": _dialling,
    "ChannelDtmfReceived": _key,
    "ChannelHold": _held,
    "ChannelUnhold": _resumed,
    "PlaybackStarted": _started,
    "PlaybackContinuing": _continuing,
    "PlaybackFinished": _finished,
    "RecordingFinished": _recorded,
    "RecordingFailed": _recorded,
    "ApplicationReplaced": lambda fields: ApplicationReplaced(_text(fields, "application")),
    "ChannelUserevent": lambda fields: ChannelUserevent(_text(fields, "application")),
    "RESTResponse": _response,
}

#: What the application that is subscribed to the trunk is filtered to: what comes of a call before it is in Stasis.
WANTED_OF_TRUNK = ("ChannelDestroyed", "ChannelUserevent", "Dial")
#: What the main application is filtered to. ApplicationReplaced and RESTResponse must be among them: 22.10.1 filters
#: even those, and without the latter no request over the WebSocket is ever answered.
WANTED = tuple(each for each in _KINDS if each != "Dial")
