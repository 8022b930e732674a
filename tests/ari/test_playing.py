"""One list of sounds: its tail, its beginning and its end."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ari.events import Ignored, Playback, PlaybackContinuing, PlaybackFinished, PlaybackStarted
from ivr.ari.playing import Playing, hear, longest_wait, media, media_uri
from ivr.digits import KeyRules
from tests.ari.conftest import MORE, QUESTION, TAIL

SILENCE = media_uri(TAIL.silence)
PLAYING = Playing("c.0", (QUESTION, MORE), 15.0, SILENCE, asked_at=10.0)


def test_a_sound_is_named_by_its_path_without_wav() -> None:
    assert media_uri(QUESTION) == "sound:/sounds/question"


def test_silence_then_an_apology_follow_the_sounds() -> None:
    silences = ["sound:/sounds/silence"] * 4  # 15 s + 5 s
    assert media([QUESTION, MORE], TAIL, 15.0) == [
        "sound:/sounds/question",
        "sound:/sounds/more",
        *silences,
        "sound:/sounds/apology",
    ]


@given(st.floats(0, 120))
def test_the_silence_lasts_longer_than_the_wait(wait: float) -> None:
    played = media([], TAIL, wait)
    assert wait + 5.0 <= 5.0 * (len(played) - 1) <= wait + 10.0


@pytest.mark.parametrize(
    ("rules", "seconds"),
    [(KeyRules(length=2), 15.0), (KeyRules(length=4), 45.0), (KeyRules(length=20), 90.0), (KeyRules(), 15.0)],
)
def test_how_long_an_entry_of_several_keys_may_take(rules: KeyRules, seconds: float) -> None:
    assert longest_wait(rules) == seconds


def test_it_begins_with_the_first_file() -> None:
    first = hear(PLAYING, PlaybackStarted(Playback("c.0", media_uri(QUESTION), media_uri(MORE))), 11.0)
    second = hear(first, PlaybackStarted(Playback("c.0", media_uri(MORE), SILENCE)), 13.0)
    assert (first.began, second.began) == (11.0, 11.0)
    assert not second.ended


def test_it_ends_when_the_silence_comes_next() -> None:
    assert not hear(PLAYING, PlaybackContinuing(Playback("c.0", media_uri(QUESTION), media_uri(MORE))), 13.0).ended
    assert hear(PLAYING, PlaybackContinuing(Playback("c.0", media_uri(MORE), SILENCE)), 14.0).ended
    assert hear(PLAYING, PlaybackStarted(Playback("c.0", SILENCE)), 14.0).ended
    assert not hear(PLAYING, PlaybackContinuing(Playback("c.0", media_uri(MORE), SILENCE)), 14.0).finished


def test_the_end_of_the_list() -> None:
    done = hear(PLAYING, PlaybackFinished(Playback("c.0", state="done")), 14.0)
    failed = hear(PLAYING, PlaybackFinished(Playback("c.0", state="failed")), 14.0)
    assert (done.ended, done.finished, done.failed) == (True, True, False)
    assert (failed.ended, failed.finished, failed.failed) == (True, True, True)


def test_events_of_another_list_change_nothing() -> None:
    for kind in (PlaybackStarted, PlaybackContinuing, PlaybackFinished):
        assert hear(PLAYING, kind(Playback("c.1", SILENCE, SILENCE, state="done")), 11.0) is PLAYING
    assert hear(PLAYING, Ignored("x"), 11.0) is PLAYING


def test_a_list_over_at_once_was_stopped_by_mistake() -> None:
    over = replace(PLAYING, began=20.0, ended=True, finished=True)
    assert over.stopped_by_mistake(20.1)
    assert not over.stopped_by_mistake(20.3)
    assert not replace(over, failed=True).stopped_by_mistake(20.1)
    assert not replace(over, again=True).stopped_by_mistake(20.1)
    assert not replace(over, finished=False).stopped_by_mistake(20.1)


def test_when_the_watchdog_barks() -> None:
    assert PLAYING.watchdog == 10.0 + 2.0 + 1.0 + 3.0
