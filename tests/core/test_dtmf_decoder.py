"""One press for one finger: what a real Asterisk told, then ten thousand random hands."""

import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pytest

from ivr.core.dtmf_decoder import KeyPress, begin_decoding, decode
from tests.core.keys_of_asterisk import Frame, Told, by_info, by_packets, tell

HANDS = 10_000 if os.environ.get("KENKO_LONG") else 500


def decoded(told: Iterable[Told], *, two_ways: bool, late: Sequence[float] = ()) -> list[KeyPress]:
    """The presses. Asterisk's clock stands an hour before ours; event by event, `late` says how long it lay about."""
    decoder, found, arrived = begin_decoding(two_ways=two_ways), [], 0.0
    for at, each in enumerate(told):
        stamped = each.at / 1000
        arrived = max(arrived, stamped + 3600 + 0.002 + (late[at] if at < len(late) else 0.0))
        decoder, press = decode(decoder, each.key, each.held / 1000, arrived, stamped)
        found += [press] if press else []
    return found


def keys(presses: Iterable[KeyPress]) -> str:
    return "".join(each.key for each in presses)


def of(text: str) -> list[Told]:
    """`3/120@9989`: key, how long it was held, when it was told."""
    return [Told(word[0], int(word[2:].partition("@")[0]), int(word.partition("@")[2])) for word in text.split()]


#: Told by Asterisk 22.10.1 to raw RTP and INFO.
BURST = "3/120@9989 6/120@10533 6/120@10533 6/120@10658"  # 3; then 6 and 6 held back and sent at once
IN_ONE_GO = "3/120@795 6/120@795 6/120@920 5/120@925 5/120@1090 1/120@1090 1/120@1256"  # 3651
SHORT = "5/40@764 5/40@907 5/40@1050"  # 40 ms long, 100 ms apart
#: 366, each as RFC 4733 and at its end as INFO; then INFO at its beginning.
TWICE = "3/120@2271 3/120@2316 6/120@2496 6/120@2661 6/120@2726 6/120@2826 6/120@2991"
TWICE_AT_ONCE = "3/200@331 3/200@533 3/200@576 6/200@821 6/200@887 6/200@1068 6/200@1313 6/200@1314 6/200@1558"


@pytest.mark.parametrize(
    ("told", "two_ways", "pressed"),
    [
        (BURST, False, "366"),
        (BURST, True, "366"),
        (IN_ONE_GO, False, "3651"),
        (SHORT, False, "555"),
        (TWICE, True, "366"),
        (TWICE_AT_ONCE, True, "366"),
        # A key held for seconds; and one of which a gateway told the beginning, then only the end.
        ("7/1000@2863 7/8000@12000", False, "77"),
        ("7/340@500 7/1000@1000 7/340@4500 7/2000@6000", False, "77"),
    ],
)
def test_what_a_real_asterisk_told(told: str, two_ways: bool, pressed: str) -> None:
    assert keys(decoded(of(told), two_ways=two_ways)) == pressed


def test_the_model_of_asterisk_tells_the_same() -> None:
    """What the random hands below are judged by is no invention."""
    burst = [frame for at, key in enumerate("3651") for frame in by_packets(at, key, 0, 120)]
    at_once = [replace(each, at=800) for each in burst]
    assert keys_told(tell(at_once, 3000)) == "3665511"
    twice = [
        *(frame for at, key in enumerate("366") for frame in by_packets(at, key, 230 * at, 230 * at + 120)),
        *(by_info(at, key, 120, 230 * at + 120) for at, key in enumerate("366")),
    ]
    assert keys_told(tell([replace(each, at=each.at + 2151) for each in twice], 6000)) == "3366666"


def keys_told(told: Iterable[Told]) -> str:
    return "".join(each.key for each in told)


@dataclass(frozen=True)
class Hand:
    """What somebody did, and what became of it on the way."""

    pressed: list[tuple[str, int, int]]  #: key, down, up
    told: Sequence[Told]
    two_ways: bool
    late: list[float]


def hand(chance: random.Random) -> Hand:
    """A finger: keys at least 40 ms long and 100 ms apart; a network: one way or both, held back, told late."""
    pressed: list[tuple[str, int, int]] = []
    now = 1000
    two_ways = chance.random() < 0.5
    both = two_ways and chance.random() < 0.7
    # Every call begins with a key that nobody presses twice: by it is known whether keys come by two ways.
    for at in range(chance.randint(2, 12)):
        key = chance.choice("0123456789*#") if at != 1 else chance.choice("36")
        if at > 1 and chance.random() < 0.4:
            key = pressed[-1][0]
        held = chance.choice([chance.randint(40, 90), chance.randint(60, 300), chance.randint(300, 900)])
        if not both and chance.random() < 0.03:
            held = chance.randint(1000, 8000)
        pressed.append((key, now, now + held))
        pause = chance.choice([chance.randint(100, 160), chance.randint(160, 600), chance.randint(600, 4000)])
        if both:
            # By two ways Asterisk plays every key twice, and falls behind whoever presses faster than that.
            pause += held + 45
        now += held + (pause if at else max(pause, 700))
    frames = [frame for at, each in enumerate(pressed) for frame in by_packets(at, *each)]
    if both:
        for at, (key, down, up) in enumerate(pressed):
            # Telephones say how long at most a key of theirs sounds, however long it was held.
            frames.append(by_info(at, key, min(up - down, 300), up + chance.randint(0, 90)))
    elif chance.random() < 0.6:
        frames = held_back(chance, frames, pressed)
    told = tell(frames, now + 12_000)
    # Our own side stands still now and then: events come in one go.
    late = [chance.choice([0.0, 0.0, 0.0, chance.random()]) for _ in told]
    return Hand(pressed, told, two_ways, late)


def held_back(chance: random.Random, frames: list[Frame], pressed: list[tuple[str, int, int]]) -> list[Frame]:
    """Some of the packets come all at once, in order, when the network lets them go."""
    last = pressed[-1][2]
    for _ in range(chance.randint(1, 3)):
        began = chance.randint(pressed[1][1], last)
        ended = began + chance.choice([chance.randint(20, 200), chance.randint(200, 1500)])
        if all(up - down < 1000 for _, down, up in pressed if down < ended and up > began):
            frames = [replace(each, at=ended) if began <= each.at < ended else each for each in frames]
    return frames


def test_random_hands() -> None:
    """Never a key twice, never one lost."""
    for seed in range(HANDS):
        each = hand(random.Random(seed))
        found = keys(decoded(each.told, two_ways=each.two_ways, late=each.late))
        assert found == "".join(key for key, _, _ in each.pressed), (seed, each)
