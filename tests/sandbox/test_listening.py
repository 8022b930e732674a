"""What an ear makes of loud and quiet pieces: pauses inside a prompt are no end, its end is."""

import pytest

from sandbox import sound
from sandbox.listening import Ear, Heard, hear, listen_anew, wait


def listen(pattern: list[tuple[float, bool]], ear: Ear | None = None, silent_wire: bool = False) -> list[str]:
    """Feed stretches of (seconds, loud) in pieces of 20 ms; what was noticed, with the moment in tenths."""
    ear, now, noticed = ear or Ear(), 0.0, []
    for seconds, loud in pattern:
        for _ in range(round(seconds / 0.02)):
            now += 0.02
            if loud or not silent_wire:
                ear, heard = hear(ear, loud, now)
                noticed += [f"{heard} {now:.1f}"] if heard else []
            ear, heard = wait(ear, now)
            noticed += [f"{heard} {now:.1f}"] if heard else []
    return noticed


@pytest.mark.parametrize("silent_wire", [False, True], ids=["silence is sent", "nothing is sent"])
@pytest.mark.parametrize(
    ("pattern", "noticed"),
    [
        ([(2, False)], []),
        ([(1, True), (2, False)], ["began 0.1", "ended 2.0"]),
        ([(1, True), (0.8, False), (1, True), (2, False)], ["began 0.1", "ended 3.8"]),
        ([(1, True), (1.2, False), (1, True), (2, False)], ["began 0.1", "ended 2.0", "began 2.3", "ended 4.2"]),
        ([(0.04, True), (2, False)], []),  # a click
        ([(0.04, True), (0.5, False), (0.04, True), (2, False)], []),  # two clicks
        ([(0.04, True), (0.06, False), (1, True), (2, False)], ["began 0.1", "ended 2.1"]),
    ],
)
def test_speech(pattern: list[tuple[float, bool]], noticed: list[str], silent_wire: bool) -> None:
    assert listen(pattern, silent_wire=silent_wire) == noticed


def test_nothing_is_heard_while_deaf() -> None:
    assert listen([(3, True), (2, False)], Ear(deaf_until=2)) == ["began 2.1", "ended 4.0"]


def test_after_own_keys_it_is_something_new() -> None:
    ear, _ = hear(Ear(speaking=True, loud_since=0, last_loud=1), True, 1)
    assert listen([(1, True)], listen_anew(ear, deaf_until=0.3)) == ["began 0.4"]


def test_heard_has_two_words() -> None:
    assert [str(each) for each in Heard] == ["began", "ended"]


def test_loudness() -> None:
    assert not sound.is_loud(sound.SILENCE * 160)
    quiet = bytes(sound.to_mu_law(60 if at % 2 else -60) for at in range(160))
    assert not sound.is_loud(quiet)
    assert sound.is_loud(sound.murmur(1)[400:560])


@pytest.mark.parametrize("value", [0, 1, -1, 100, -100, 5000, -5000, 32767, -32768])
def test_mu_law_there_and_back(value: int) -> None:
    back = int.from_bytes(sound.to_linear(bytes([sound.to_mu_law(value)])), "little", signed=True)
    assert abs(back - value) <= max(8, abs(value) * 0.04)
