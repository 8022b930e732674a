"""One call over FastAGI, against a peer that says what Asterisk says: keys, prompts, recordings, ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import pytest_asyncio

from ivr.call import Ending, Outcome
from ivr.digits import EndedBy, Entry, KeyRules
from ivr.fastagi import channel
from ivr.phone import HungUp, Phone, Recording
from ivr.prompts import Sound
from ivr.questionnaire.model import RecordRules
from ivr.recordings import length_of, silence
from tests.fastagi.pbx import ALIVE, CALL, DONE, Place, Wire, listening

ONE, TWO = (Sound(f"q/{name}", Path(f"/p/{name}.wav"), 2.0) for name in ("one", "two"))
ALL = "0123456789*#"
PLAY_ONE, PLAY_TWO = (f"STREAM FILE /p/{name} {ALL} 0" for name in ("one", "two"))
LIMITS = RecordRules(60, 4)
GONE = "200 result=-1 endpos=800"
RULES = KeyRules(first_key=8, inter_key=3, total=20)
SEVERAL = KeyRules(length=3, first_key=8, inter_key=3, total=20)

Result = TypeVar("Result")


@dataclass
class Talk:
    """A call, seen from both sides."""

    phone: Phone
    wire: Wire
    place: Place
    folder: Path

    async def led(self, work: Awaitable[Result], *replies: str | tuple[float, str]) -> tuple[Result, list[str]]:
        """What comes of it when Asterisk replies so (after so many seconds), and what it was asked."""
        doing = asyncio.ensure_future(work)
        asked = []
        for each in replies:
            seconds, said = each if isinstance(each, tuple) else (0.0, each)
            asked.append(await self.wire.command())
            self.place.clock[0] += seconds
            self.wire.reply(*said.split("\n"))
        return await doing, asked

    async def ended(self, work: Awaitable[object], *replies: str | tuple[float, str]) -> Ending:
        """The same, of something that raises HungUp."""
        with pytest.raises(HungUp) as over:
            await self.led(work, *replies)
        return over.value.ending


@pytest_asyncio.fixture
async def talk(tmp_path: Path, port: int) -> AsyncIterator[Talk]:
    phones: asyncio.Queue[Phone] = asyncio.Queue()

    async def take(phone: Phone) -> None:
        await phones.put(phone)
        await asyncio.Event().wait()

    async with listening(take, tmp_path, port) as (place, _):
        wire = await place.call()
        yield Talk(await phones.get(), wire, place, tmp_path)


async def test_a_call_is_answered_and_spoken_to(talk: Talk) -> None:
    assert talk.phone.call_id == CALL
    assert (await talk.led(talk.phone.answer(), DONE))[1] == ["ANSWER"]
    _, asked = await talk.led(talk.phone.say([ONE, TWO]), (2, DONE), (2, DONE))
    assert asked == ['STREAM FILE /p/one "" 0', 'STREAM FILE /p/two "" 0']
    await talk.phone.until_answered(0)


async def test_the_first_key_that_counts_stops_the_prompts(talk: Talk) -> None:
    entry, asked = await talk.led(talk.phone.ask([ONE, TWO], RULES), (2, DONE), (1, "200 result=53 endpos=8000"))
    assert entry == Entry("5", EndedBy.FULL)
    assert asked == [PLAY_ONE, PLAY_TWO]


async def test_a_key_too_soon_is_dropped_and_the_prompt_goes_on_where_it_was(talk: Talk) -> None:
    replies = ((0.3, "200 result=49 endpos=2400"), (1.7, DONE), (1, "200 result=50"))
    entry, asked = await talk.led(talk.phone.ask([ONE], RULES), *replies)
    assert entry == Entry("2", EndedBy.FULL)
    assert asked == [PLAY_ONE, f"STREAM FILE /p/one {ALL} 2400", "WAIT FOR DIGIT 3500"]


async def test_ignored_keys_stop_no_prompt_and_shorten_no_wait(talk: Talk) -> None:
    rules = KeyRules(first_key=8, ignored=frozenset("#9"))
    replies = ((2, DONE), (3, "200 result=57"), (5.5, "200 result=0"))
    entry, asked = await talk.led(talk.phone.ask([ONE], rules), *replies)
    assert entry == Entry("", EndedBy.SILENCE)
    assert asked == ["STREAM FILE /p/one 012345678* 0", "WAIT FOR DIGIT 8500", "WAIT FOR DIGIT 5500"]


async def test_several_keys_the_first_of_them_into_the_prompt(talk: Talk) -> None:
    replies = ((1, "200 result=51 endpos=8000"), (0.3, "200 result=54"), (0.3, "200 result=53"))
    entry, asked = await talk.led(talk.phone.ask([ONE, TWO], SEVERAL), *replies)
    assert entry == Entry("365", EndedBy.FULL)
    assert asked == [PLAY_ONE, "WAIT FOR DIGIT 3500", "WAIT FOR DIGIT 3500"]


@pytest.mark.parametrize(
    ("last", "entry"),
    [
        ((0.3, "200 result=35"), Entry("3", EndedBy.END_KEY)),
        ((0.3, "200 result=42"), Entry("*", EndedBy.FULL)),
        ((3.5, "200 result=0"), Entry("3", EndedBy.PAUSE)),
    ],
)
async def test_how_an_entry_of_several_keys_ends(talk: Talk, last: tuple[float, str], entry: Entry) -> None:
    found, _ = await talk.led(talk.phone.ask([ONE], SEVERAL), (2, DONE), (1, "200 result=51"), last)
    assert found == entry


async def test_a_key_of_a_trembling_hand_is_one(talk: Talk) -> None:
    replies = ((1, "200 result=51 endpos=1"), (0.2, "200 result=51"), (2, "200 result=54"), (2, "200 result=53"))
    entry, _ = await talk.led(talk.phone.ask([ONE], SEVERAL), *replies)
    assert entry.keys == "365"


async def test_a_missing_sound_is_no_end_of_the_call(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    entry, asked = await talk.led(talk.phone.ask([ONE, TWO], RULES), GONE, ALIVE, (1, "200 result=49 endpos=800"))
    assert entry.keys == "1"
    assert asked == [PLAY_ONE, "CHANNEL STATUS", PLAY_TWO]
    assert "not played: q/one" in caplog.text
    await talk.led(talk.phone.say([ONE]), GONE, ALIVE)


@pytest.mark.parametrize(
    "replies",
    [
        ("HANGUP",),
        (GONE, "HANGUP"),
        (GONE, "511 Command Not Permitted on a dead channel or intercept routine"),
        (GONE, "200 result=-1"),
        (DONE, "200 result=-1", "HANGUP"),
    ],
)
async def test_a_hang_up_is_heard_at_the_next_command(talk: Talk, replies: tuple[str, ...]) -> None:
    assert await talk.ended(talk.phone.ask([ONE], RULES), *replies) == Ending(None, 16)
    with pytest.raises(HungUp):
        await talk.phone.say([ONE])
    with pytest.raises(HungUp):
        await talk.phone.until_answered(0)
    await talk.phone.hang_up()
    assert len(talk.wire.sent) == len(replies)


async def test_the_end_of_asterisk(talk: Talk) -> None:
    saying = asyncio.ensure_future(talk.phone.say([ONE]))
    await talk.wire.command()
    talk.wire.writer.close()
    with pytest.raises(HungUp) as over:
        await saying
    assert over.value.ending.outcome is Outcome.UNKNOWN


async def test_an_asterisk_that_says_nothing_any_more(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "REPLY_SECONDS", 0.05)
    with pytest.raises(HungUp) as over:
        await talk.phone.say([Sound("q", Path("/p/q.wav"), 0.05)])
    assert over.value.ending.outcome is Outcome.UNKNOWN


async def test_a_recording_that_a_key_ends(talk: Talk) -> None:
    target, tape = talk.folder / "kept.wav", talk.folder / f"{CALL}-1.wav"
    tape.write_bytes(silence(7))
    said, asked = await talk.led(talk.phone.record([ONE], RULES, LIMITS, target), (2, DONE), (7, "200 result=35"))
    assert said == Recording(7.0)
    assert asked == [PLAY_ONE, f"RECORD FILE {tape.with_suffix('')} wav {ALL} 60000 0 s=4"]
    assert length_of(target) == 7
    assert not tape.exists()


@pytest.mark.parametrize(("seconds", "kept"), [(10, 6.2), (60, 7.0)])
async def test_of_the_silence_that_ended_a_recording_little_is_left(talk: Talk, seconds: float, kept: float) -> None:
    (talk.folder / f"{CALL}-1.wav").write_bytes(silence(7))
    target = talk.folder / "kept.wav"
    ended = (seconds, "200 result=1 (timeout) endpos=56000")
    said, _ = await talk.led(talk.phone.record([ONE], RULES, LIMITS, target), (2, DONE), ended)
    assert isinstance(said, Recording)
    assert said.seconds == pytest.approx(kept)


@pytest.mark.parametrize("moment", ["while the prompt speaks", "while something is said"])
async def test_a_key_instead_of_a_recording(talk: Talk, moment: str) -> None:
    tape, target = talk.folder / f"{CALL}-1.wav", talk.folder / "kept.wav"
    tape.write_bytes(silence(2))
    early = ((1, "200 result=53 endpos=1"),)
    late = ((2, DONE), (0.1, "200 result=53 (dtmf) endpos=1"))
    replies = early if moment.startswith("while the") else late
    said, _ = await talk.led(talk.phone.record([ONE], RULES, LIMITS, target), *replies)
    assert said == Entry("5", EndedBy.FULL)
    assert not target.exists()


async def test_who_hangs_up_while_they_speak_has_said_it(talk: Talk) -> None:
    (talk.folder / f"{CALL}-1.wav").write_bytes(silence(3))
    target = talk.folder / "kept.wav"
    hung_up = "200 result=-1 (hangup) endpos=24000"
    said, _ = await talk.led(talk.phone.record([ONE], RULES, LIMITS, target), (2, DONE), (3, hung_up))
    assert said == Recording(3.0)
    with pytest.raises(HungUp):
        await talk.phone.say([ONE])


async def test_who_hangs_up_without_a_word(talk: Talk) -> None:
    ending = await talk.ended(
        talk.phone.record([ONE], RULES, LIMITS, talk.folder / "x.wav"), DONE, "200 result=-1 (hangup) endpos=0"
    )
    assert ending == Ending(None, 16)


async def test_a_recording_that_asterisk_cannot_make(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    said, _ = await talk.led(talk.phone.record([ONE], RULES, LIMITS, talk.folder / "x.wav"), DONE, GONE, ALIVE)
    assert said == Recording(0.0)
    assert "record_refused" in caplog.text


@pytest.mark.parametrize(("status", "talked"), [("ANSWER", True), ("NOANSWER", False), ("CHANUNAVAIL", False)])
async def test_put_through(talk: Talk, status: str, talked: bool) -> None:
    found, asked = await talk.led(talk.phone.put_through("desk", 30), DONE, f"200 result=1 ({status})")
    assert found is talked
    assert asked == ['EXEC Dial "PJSIP/desk,30,grIf(05000000100)"', "GET VARIABLE DIALSTATUS"]


async def test_what_the_duty_telephone_sees_is_the_trunks_own_number(talk: Talk) -> None:
    _, asked = await talk.led(talk.phone.put_through("0310000001@trunk-2", 5), DONE, "200 result=1 (BUSY)")
    assert asked[0] == 'EXEC Dial "PJSIP/0310000001@trunk-2,5,grIf(05000000200)"'


async def test_the_caller_hangs_up_while_they_talk(talk: Talk) -> None:
    assert await talk.ended(talk.phone.put_through("desk", 30), "200 result=-1", "HANGUP") == Ending(None, 16)


@pytest.mark.parametrize("given", ["other", "", "110@trunk", "0310000001@other", "desk&other", "desk,30,g"])
async def test_what_may_not_be_rung(talk: Talk, given: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        await talk.phone.put_through(given, 30)
    assert talk.wire.sent == []
