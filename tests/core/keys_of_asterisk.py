"""What Asterisk makes of a finger: how it tells keys that come as RFC 4733 and as SIP INFO, in bursts and in order.

After `__ast_read` of main/channel.c (22.10.1); test_dtmf_decoder.py compares it with what a real one told. All times
are whole milliseconds.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

GAP, SHORTEST, VOICE = 45, 80, 20


@dataclass(frozen=True)
class Told:
    """One event as ARI brings it."""

    key: str
    held: int
    at: int


@dataclass(frozen=True, order=True)
class Frame:
    """Something that comes to Asterisk."""

    at: int
    order: int
    key: str  #: empty: voice
    begins: bool = False  #: the key goes down
    held: int = 0
    queued: bool = False  #: by SIP INFO: it waits until the channel is ready for it


@dataclass
class Channel:
    """One channel. As long as a key waits for its turn, nothing new is read."""

    told: list[Told] = field(default_factory=list)
    down: bool = False
    plays: int | None = None  #: for how long the key that is played must last
    since: int = -10_000
    waiting: deque[Frame] = field(default_factory=deque)
    unread: deque[Frame] = field(default_factory=deque)

    def take(self, frame: Frame, now: int) -> None:
        """A frame comes."""
        self.run(now)
        if frame.queued:
            self.waiting.append(frame)
        else:
            self.unread.append(frame)
        self.run(now)

    def run(self, until: int) -> None:
        """Do what can be done by this moment."""
        now = self.since
        while self.waiting or self.unread:
            if self.waiting:
                now = max(now, self.waiting[0].at, self.since + (GAP if self.plays is None else self.plays))
                if now > until:
                    return
                if self.plays is not None:
                    self.plays, self.since = None, now
                elif now - self.since >= GAP:
                    self._end(self.waiting.popleft(), now)
            else:
                now = max(now, self.unread[0].at)
                self._read(self.unread.popleft(), now)

    def _read(self, frame: Frame, now: int) -> None:
        if self.plays is not None and now - self.since >= self.plays:
            self.plays, self.since = None, now
        if not frame.key:
            return
        if not frame.begins:
            self._end(frame, now)
        elif self.plays is None and now - self.since >= GAP:
            self.down, self.since = True, now

    def _end(self, frame: Frame, now: int) -> None:
        self.told.append(Told(frame.key, frame.held, now))
        if self.plays is not None or (not self.down and now - self.since < GAP):
            self.waiting.append(frame)
        elif not self.down:
            self.plays, self.since = max(frame.held, SHORTEST), now
        else:
            # As long as the packets say, or as far apart as they came: what is missing is played.
            length = min(frame.held, now - self.since)
            self.down, self.since = False, now
            self.plays = SHORTEST - length if length < SHORTEST else None


def tell(frames: Iterable[Frame], until: int) -> Sequence[Told]:
    """What Asterisk tells of these frames, with voice every 20 ms."""
    channel = Channel()
    voice = [Frame(at, -1, "") for at in range(0, until, VOICE)]
    for frame in sorted([*frames, *voice]):
        channel.take(frame, frame.at)
    return channel.told


def by_packets(order: int, key: str, down: int, up: int) -> list[Frame]:
    """A key as RFC 4733; the frames that Asterisk's RTP makes of the packets."""
    return [Frame(down, 3 * order, key, begins=True), Frame(up, 3 * order + 1, key, held=up - down)]


def by_info(order: int, key: str, held: int, at: int) -> Frame:
    """A key as SIP INFO, which comes `at` this moment."""
    return Frame(at, 3 * order + 2, key, held=held, queued=True)
