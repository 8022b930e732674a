"""A phone, event by event, on a clock that the test moves. Requests end in a record; nothing here waits."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.ari.client import AriClient
from ivr.ari.events import Channel, Event, from_json
from ivr.ari.phone import AriPhone
from ivr.ari.playing import media_uri
from ivr.ari.rest import Params
from ivr.ari.settings import PbxSettings
from ivr.call import Ending, Outcome
from ivr.digits import EndedBy, Entry, KeyRules
from ivr.errors import PbxError, PbxRefused, PbxSilent, PbxUnreachable, problem
from ivr.phone import HungUp, Phone
from tests.ari.conftest import CALL, MORE, QUESTION, TAIL
from tests.fakes.ari import Clock, idle

SILENCE, APOLOGY = media_uri(TAIL.silence), media_uri(TAIL.apology)
T = TypeVar("T")
ONE = KeyRules(first_key=15)
THREE = KeyRules(length=3)


class Wire(AriClient):
    """A client whose requests are written down and answered as the test says."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(PbxSettings("http://127.0.0.1:1", "kenko", "secret"), clock.now, clock.sleep)
        self.clock = clock
        self.sent: list[str] = []
        self.bodies: list[Any] = []
        self.replies: dict[str, object] = {}  #: request -> what it gives, if anything
        self.errors: dict[str, list[PbxError]] = {}  #: beginning of the request -> what to raise, one by one

    async def request(
        self, method: str, path: str, *, params: Params | None = None, body: object = None, deadline: float = 5.0
    ) -> Any:
        said = f"{method} {path.replace(CALL, 'CALL')}"
        self.sent.append(said)
        if body is not None:
            self.bodies.append(body)
        for beginning, errors in self.errors.items():
            if said.startswith(beginning) and errors:
                raise errors.pop(0)
        return self.replies.get(said)

    def event(self, kind: str, **fields: Any) -> None:
        self._route(make_event(kind, **fields))

    def playback(self, kind: str, number: int, media: str = "", next_media: str = "", state: str = "") -> None:
        self._route(playback_event(kind, number, media, next_media, state))

    async def key(self, digit: str, after: float = 1.0) -> None:
        await self.clock.advance(after)
        self.event("ChannelDtmfReceived", digit=digit)
        await idle()

    async def prompt(self, number: int) -> None:
        """The question plays to its end."""
        self.playback("PlaybackStarted", number, media_uri(QUESTION), SILENCE)
        await self.clock.advance(2.0)
        self.playback("PlaybackContinuing", number, media_uri(QUESTION), SILENCE)
        self.playback("PlaybackStarted", number, SILENCE, SILENCE)
        await idle()


def make_event(kind: str, **fields: Any) -> Event:
    return from_json({"type": kind, "channel": {"id": CALL, "state": "Up"}, **fields})


def playback_event(kind: str, number: int, media: str, next_media: str, state: str) -> Event:
    body = {"id": f"{CALL}.{number}", "target_uri": f"channel:{CALL}", "media_uri": media, "state": state}
    return from_json({"type": kind, "playback": body | {"next_media_uri": next_media}})


@asynccontextmanager
async def doing(work: Coroutine[Any, Any, T]) -> AsyncIterator[asyncio.Task[T]]:
    """Run beside the test, which must see its end."""
    task = asyncio.create_task(work)
    await idle()
    yield task
    await idle()
    assert task.done()


@pytest.fixture
def wire(clock: Clock) -> Wire:
    return Wire(clock)


@pytest.fixture
def phone(wire: Wire) -> AriPhone:
    return AriPhone(wire, CALL, TAIL, answered=True)


async def test_it_is_a_phone(phone: AriPhone) -> None:
    as_phone: Phone = phone
    assert as_phone.call_id == CALL


async def test_a_key_during_the_prompt_stops_it_at_once(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION, MORE], ONE)) as asking:
        assert wire.bodies == [
            {"media": [media_uri(QUESTION), media_uri(MORE), SILENCE, SILENCE, SILENCE, SILENCE, APOLOGY]}
        ]
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), media_uri(MORE))
        await wire.key("3")
    assert asking.result() == Entry("3", EndedBy.FULL)
    assert wire.sent == ["POST /channels/CALL/play/CALL.0", "DELETE /playbacks/CALL.0"]


async def test_a_key_after_the_prompt(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        await wire.prompt(0)
        await wire.key("5", after=14.9)
    assert asking.result() == Entry("5", EndedBy.FULL)


async def test_silence_is_counted_from_the_end_of_the_prompt(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        await wire.prompt(0)
        await wire.clock.advance(15.4)  # a key that is down at 15 s was pressed in time
        assert not asking.done()
        await wire.clock.advance(0.1)
    assert asking.result() == Entry("", EndedBy.SILENCE)
    assert wire.sent[-2:] == ["DELETE /playbacks/CALL.0", "GET /channels/CALL/rtp_statistics"]


async def test_a_key_that_is_ignored_lets_the_prompt_go_on(wire: Wire, phone: AriPhone) -> None:
    rules = KeyRules(ignored=frozenset("789"))
    async with doing(phone.ask([QUESTION], rules)) as asking:
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        await wire.key("7")
        assert wire.sent == ["POST /channels/CALL/play/CALL.0"]
        await wire.key("1")
    assert asking.result() == Entry("1", EndedBy.FULL)


async def test_the_guard_begins_when_the_prompt_does(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        await wire.clock.advance(2.0)
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        await wire.key("1", after=0.4)
        assert not asking.done()
        await wire.key("2", after=0.6)
    assert asking.result() == Entry("2", EndedBy.FULL)


async def test_several_keys_keep_a_tail_playing(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], THREE)) as asking:
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        await wire.key("3")
        assert wire.sent[1:] == ["DELETE /playbacks/CALL.0", "POST /channels/CALL/play/CALL.1"]
        assert wire.bodies[1] == {"media": [SILENCE] * 7 + [APOLOGY]}  # 2 x 15 s and 5 s
        wire.playback("PlaybackFinished", 0, state="done")
        wire.playback("PlaybackStarted", 1, SILENCE, SILENCE)
        await wire.key("6")
        await wire.key("5")
    assert asking.result() == Entry("365", EndedBy.FULL)
    assert wire.sent[3:] == ["DELETE /playbacks/CALL.1"]


async def test_keys_faster_than_our_requests_are_all_there(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], THREE)) as asking:
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        await wire.clock.advance(1.0)
        for digit in "365":
            wire.event("ChannelDtmfReceived", digit=digit)
    assert asking.result() == Entry("365", EndedBy.FULL)


async def test_a_pause_ends_an_entry(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], THREE)) as asking:
        await wire.prompt(0)
        await wire.key("3")
        await wire.clock.advance(15.5)
    assert asking.result() == Entry("3", EndedBy.PAUSE)


async def test_keys_between_two_prompts_answer_the_next_one_if_it_is_known(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)):
        await wire.prompt(0)
        await wire.key("1")
    wire.playback("PlaybackFinished", 0, state="done")
    for digit in "365":
        await wire.key(digit)
    known = replace(THREE, guard=0.0)
    async with doing(phone.ask([QUESTION], known)) as asking:
        pass
    assert asking.result() == Entry("365", EndedBy.FULL)
    assert len(wire.bodies) == 1  # nothing more was said


async def test_keys_between_two_prompts_are_dropped(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)):
        await wire.prompt(0)
        await wire.key("1")
    wire.playback("PlaybackFinished", 0, state="done")
    await wire.key("2")
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        await wire.prompt(1)
        await wire.key("3")
    assert asking.result() == Entry("3", EndedBy.FULL)


async def test_the_next_prompt_waits_for_the_end_of_the_one_stopped(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)):
        await wire.prompt(0)
        await wire.key("1")
    async with doing(phone.say([MORE])) as saying:
        assert len(wire.bodies) == 1
        wire.playback("PlaybackFinished", 0, state="done")
        await idle()
        assert len(wire.bodies) == 2
        wire.playback("PlaybackContinuing", 1, media_uri(MORE), SILENCE)
    assert saying.done()


async def test_but_not_for_long(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)):
        await wire.prompt(0)
        await wire.key("1")
    async with doing(phone.say([MORE])):
        await wire.clock.advance(0.25)
        assert len(wire.bodies) == 2
        await wire.clock.advance(4.0)


async def test_a_prompt_of_which_nothing_is_heard_ends_by_the_watchdog(
    wire: Wire, phone: AriPhone, caplog: pytest.LogCaptureFixture
) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        await wire.clock.advance(2.0 + 3.0)
        assert [each.action for each in caplog.records] == ["playback_silent"]  # type: ignore[attr-defined]
        await wire.clock.advance(15.4)
        assert not asking.done()
        await wire.clock.advance(0.2)
    assert asking.result() == Entry("", EndedBy.SILENCE)


async def test_a_prompt_that_fails_still_listens(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        wire.playback("PlaybackFinished", 0, state="failed")
        await wire.key("4", after=10.0)
    assert asking.result() == Entry("4", EndedBy.FULL)
    assert len(wire.bodies) == 1


@pytest.mark.parametrize(
    "error", [PbxRefused(500, "Allocation failed", "POST"), PbxSilent(problem("pbx.closed"))], ids=["refused", "silent"]
)
async def test_a_request_to_play_that_fails_still_listens(wire: Wire, phone: AriPhone, error: PbxError) -> None:
    wire.errors["POST"] = [error]
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        await wire.key("4", after=6.0)
    assert asking.result() == Entry("4", EndedBy.FULL)


async def test_a_prompt_stopped_by_mistake_is_played_once_more(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        for number in (0, 1):
            wire.playback("PlaybackStarted", number, media_uri(QUESTION), SILENCE)
            await wire.clock.advance(0.2)
            wire.playback("PlaybackFinished", number, state="done")
            await idle()
        assert wire.sent == ["POST /channels/CALL/play/CALL.0", "POST /channels/CALL/play/CALL.1"]
        assert wire.bodies[0] == wire.bodies[1]
        await wire.key("2")
    assert asking.result() == Entry("2", EndedBy.FULL)


async def test_so_is_a_sentence(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.say([QUESTION])):
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        await wire.clock.advance(0.2)
        wire.playback("PlaybackFinished", 0, state="done")
        await idle()
        assert len(wire.bodies) == 2
        await wire.prompt(1)


async def test_a_sentence_is_played_to_its_end_whatever_is_pressed(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.say([QUESTION])) as saying:
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        await wire.key("1")
        await wire.key("#")
        assert not saying.done()
        wire.playback("PlaybackContinuing", 0, media_uri(QUESTION), SILENCE)
    assert wire.bodies == [{"media": [media_uri(QUESTION), SILENCE, APOLOGY]}]
    assert wire.sent[-1] == "DELETE /playbacks/CALL.0"


async def test_a_stop_that_comes_too_late_is_ordinary(
    wire: Wire, phone: AriPhone, caplog: pytest.LogCaptureFixture
) -> None:
    wire.errors["DELETE"] = [PbxRefused(404, "Playback not found", "DELETE")]
    async with doing(phone.ask([QUESTION], ONE)):
        await wire.prompt(0)
        await wire.key("1")
    assert caplog.records == []
    async with doing(phone.say([MORE])):  # and nothing is waited for
        assert len(wire.bodies) == 2
        wire.playback("PlaybackContinuing", 1, media_uri(MORE), SILENCE)


async def test_answer_leaves_half_a_second(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.answer()) as answering:
        assert wire.sent == ["POST /channels/CALL/answer"]
        await wire.clock.advance(0.4)
        assert not answering.done()
        await wire.clock.advance(0.1)


def ways(phone: AriPhone) -> list[Awaitable[object]]:
    return [phone.ask([QUESTION], ONE), phone.say([QUESTION]), phone.answer()]


@pytest.mark.parametrize("way", range(3))
@pytest.mark.parametrize("before", [True, False], ids=["before", "meanwhile"])
async def test_a_hang_up_ends_whatever_goes_on(wire: Wire, phone: AriPhone, way: int, before: bool) -> None:
    everything = ways(phone)
    chosen = everything.pop(way)
    for each in everything:
        each.close()  # type: ignore[attr-defined]

    def hang_up() -> None:
        wire.playback("PlaybackFinished", 0, state="failed")
        wire.event("StasisEnd")
        wire.event("ChannelDestroyed", cause=16)

    if before:
        hang_up()
    task = asyncio.ensure_future(chosen)
    await idle()
    if not before:
        hang_up()
    await wire.clock.advance(0.5)
    if way == 2 and not before:
        await task  # the half second passes; the next method tells
        task = asyncio.ensure_future(phone.say([QUESTION]))
        await idle()
    assert isinstance(task.exception(), HungUp)
    assert task.exception().ending == Ending(None, cause=16)  # type: ignore[union-attr]
    with pytest.raises(HungUp):
        await phone.ask([QUESTION], ONE)
    sent = len(wire.sent)
    await phone.hang_up()
    assert len(wire.sent) == sent
    assert CALL not in wire.watched()


async def test_the_cause_is_waited_for_two_seconds(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        wire.event("StasisEnd")
        await wire.clock.advance(1.9)
        assert not asking.done()
        wire.event("ChannelDestroyed", cause=127, tech_cause=500)
    assert isinstance(asking.exception(), HungUp)
    assert asking.exception().ending == Ending(None, 127, 500)  # type: ignore[union-attr]


async def test_and_no_longer(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        wire.event("StasisEnd")
        await wire.clock.advance(2.0)
    assert isinstance(asking.exception(), HungUp)


@pytest.mark.parametrize("status", [404, 409, 412])
async def test_a_channel_that_is_gone_is_a_hang_up(wire: Wire, phone: AriPhone, status: int) -> None:
    wire.errors["POST"] = [PbxRefused(status, "Channel not found", "POST")]
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        wire.event("ChannelDestroyed", cause=16)
    assert isinstance(asking.exception(), HungUp)


async def test_a_call_that_ended_before_it_was_taken_up_is_a_hang_up(wire: Wire, phone: AriPhone) -> None:
    wire.errors["POST"] = [PbxRefused(409, "Channel not in Stasis application", "POST") for _ in range(2)]
    phone.take_up("1800")
    async with doing(phone.answer()) as taking:
        await wire.clock.advance(3.0)  # nothing of it comes any more
    assert isinstance(taking.exception(), HungUp)
    assert wire.sent == ["POST /channels/CALL/variable", "POST /channels/CALL/answer"]


@pytest.mark.parametrize("error", [PbxSilent(problem("pbx.closed")), PbxRefused(500, "Allocation failed", "POST")])
async def test_whether_a_call_may_last_can_be_unclear(
    wire: Wire, phone: AriPhone, error: PbxError, caplog: pytest.LogCaptureFixture
) -> None:
    wire.errors["POST"] = [error]
    phone.take_up("1800")
    async with doing(phone.answer()):
        await wire.clock.advance(0.5)
    assert len(caplog.records) == 1


async def test_after_a_gap_the_question_is_asked_again_at_once(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], THREE)) as asking:
        await wire.prompt(0)
        await wire.key("3")
        wire.reconcile({CALL: Channel(CALL, app_name="Stasis")})
        await idle()
        assert wire.sent[-2:] == ["DELETE /playbacks/CALL.1", "POST /channels/CALL/play/CALL.2"]
        assert wire.bodies[-1]["media"][0] == media_uri(QUESTION)
        # A key of the entry may be lost in between: what came before counts no more.
        for digit in "365":
            await wire.key(digit)
    assert asking.result() == Entry("365", EndedBy.FULL)


async def test_after_a_gap_nothing_of_before_plays_on(wire: Wire, phone: AriPhone) -> None:
    """Whether the first stop was carried out is not known."""
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        await wire.prompt(0)
        wire.errors["DELETE"] = [PbxSilent(problem("pbx.closed"))]
        for _ in range(2):
            wire.reconcile({CALL: Channel(CALL, app_name="Stasis")})
            await idle()
        assert wire.sent[1:] == [
            *("DELETE /playbacks/CALL.0", "DELETE /playbacks/CALL.0", "POST /channels/CALL/play/CALL.1"),
            *("DELETE /playbacks/CALL.1", "POST /channels/CALL/play/CALL.2"),
        ]
        await wire.key("1")
    assert asking.result() == Entry("1", EndedBy.FULL)


async def test_what_is_said_goes_on_through_a_gap(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.say([QUESTION])):
        wire.reconcile({CALL: Channel(CALL, app_name="Stasis")})
        await wire.prompt(0)
    assert wire.sent == ["POST /channels/CALL/play/CALL.0", "DELETE /playbacks/CALL.0"]


async def test_a_dead_asterisk_is_a_hang_up(wire: Wire, phone: AriPhone) -> None:
    wire.errors["POST"] = [PbxUnreachable(problem("pbx.closed"))]
    with pytest.raises(HungUp) as hung_up:
        await phone.ask([QUESTION], ONE)
    assert hung_up.value.ending.outcome is Outcome.UNKNOWN


async def test_a_call_that_went_while_we_were_away(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        wire.reconcile({})
    assert isinstance(asking.exception(), HungUp)
    assert asking.exception().ending.outcome is Outcome.UNKNOWN  # type: ignore[union-attr]


@pytest.mark.parametrize("error", [None, PbxRefused(404, "Channel not found", "DELETE")], ids=["204", "404"])
async def test_hanging_up(
    wire: Wire, phone: AriPhone, error: PbxError | None, caplog: pytest.LogCaptureFixture
) -> None:
    wire.errors["DELETE"] = [error] if error else []
    await phone.hang_up()
    await phone.hang_up()
    assert wire.sent == ["DELETE /channels/CALL"]
    assert caplog.records == []
    with pytest.raises(HungUp):
        await phone.say([QUESTION])


async def test_hanging_up_is_asked_twice_at_most(wire: Wire, phone: AriPhone) -> None:
    wire.errors["DELETE"] = [PbxSilent(problem("pbx.closed"))] * 3
    await phone.hang_up()
    assert wire.sent == ["DELETE /channels/CALL"] * 2


async def test_what_a_process_before_us_plays_is_stopped_first(wire: Wire) -> None:
    phone = AriPhone(wire, CALL, TAIL, answered=True, taken_over=True)
    wire.errors["DELETE"] = [PbxRefused(404, "not found", "DELETE")] * 6
    async with doing(phone.say([QUESTION])):
        stopped = [f"DELETE {kind}/CALL.{n}" for kind in ("/recordings/live", "/playbacks") for n in range(4)]
        assert wire.sent == [*stopped, "POST /channels/CALL/play/CALL.0"]
        await wire.prompt(0)


async def test_a_stop_whose_fate_is_not_known_is_asked_for_again(wire: Wire, phone: AriPhone) -> None:
    wire.errors["DELETE"] = [PbxSilent(problem("pbx.closed"))]
    async with doing(phone.ask([QUESTION], ONE)):
        await wire.prompt(0)
        await wire.key("1")
    for number in (1, 2):
        async with doing(phone.say([QUESTION])):
            await wire.clock.advance(0.25)
            await wire.prompt(number)
    assert wire.sent == [
        "POST /channels/CALL/play/CALL.0",
        "DELETE /playbacks/CALL.0",
        "DELETE /playbacks/CALL.0",
        "POST /channels/CALL/play/CALL.1",
        "DELETE /playbacks/CALL.1",
        "POST /channels/CALL/play/CALL.2",
        "DELETE /playbacks/CALL.2",
    ]


async def test_a_call_taken_over_while_it_rings_is_talked_to_when_answered(wire: Wire) -> None:
    phone = AriPhone(wire, CALL, TAIL, answered=False, taken_over=True)
    async with doing(phone.say([QUESTION])):
        assert wire.sent == []
        wire.event("StasisStart", args=["outbound"])
        await idle()
        await wire.prompt(0)


@pytest.mark.parametrize(
    ("tech_cause", "state", "outcome"),
    [
        (486, "Ringing", Outcome.BUSY),
        (404, "Down", Outcome.BAD_NUMBER),
        (404, "Ringing", Outcome.NO_ANSWER),
        (486, "Up", Outcome.NO_ANSWER),  # gone as soon as it was answered
    ],
)
async def test_or_says_why_it_was_not(wire: Wire, tech_cause: int, state: str, outcome: Outcome) -> None:
    phone = AriPhone(wire, CALL, TAIL, answered=False, taken_over=True)
    async with doing(phone.say([QUESTION])) as saying:
        wire.event("ChannelDestroyed", cause=17, tech_cause=tech_cause, channel={"id": CALL, "state": state})
    assert isinstance(saying.exception(), HungUp)
    ending = saying.exception().ending  # type: ignore[union-attr]
    assert replace(ending, note="") == Ending(outcome, 17, tech_cause)


@pytest.mark.parametrize(("rung", "outcome"), [(9.0, Outcome.UNREACHABLE), (20.0, Outcome.NO_ANSWER)])
async def test_its_ringing_time_goes_on_from_where_it_was(wire: Wire, rung: float, outcome: Outcome) -> None:
    phone = AriPhone(wire, CALL, TAIL, answered=False, taken_over=True)
    async with doing(phone.until_answered(20.0)) as waiting:
        await wire.clock.advance(rung)
        wire.event("ChannelDestroyed", cause=19, tech_cause=480, channel={"id": CALL, "state": "Down"})
    assert isinstance(waiting.exception(), HungUp)
    assert waiting.exception().ending.outcome is outcome  # type: ignore[union-attr]


async def test_or_is_ended_after_two_minutes(wire: Wire) -> None:
    phone = AriPhone(wire, CALL, TAIL, answered=False, taken_over=True)
    async with doing(phone.say([QUESTION])) as saying:
        await wire.clock.advance(120.0)
    assert isinstance(saying.exception(), HungUp)
    assert wire.sent == ["DELETE /channels/CALL"]


async def test_no_key_is_in_any_log_line(wire: Wire, phone: AriPhone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wire.errors["POST"] = [PbxSilent(problem("pbx.closed"))]
    wire.errors["DELETE"] = [PbxSilent(problem("pbx.closed"))]
    async with doing(phone.ask([QUESTION], KeyRules(length=5))):
        for digit in "98769":
            await wire.key(digit, after=4.0)
    assert caplog.records
    assert not re.search("[6-9]", "".join(each.getMessage() for each in caplog.records))


NUMBERS = st.integers(0, 4)
MEDIA = st.sampled_from([media_uri(QUESTION), media_uri(MORE), SILENCE, APOLOGY, ""])
PLAYBACK = st.builds(
    playback_event,
    st.sampled_from(["PlaybackStarted", "PlaybackContinuing", "PlaybackFinished"]),
    NUMBERS,
    MEDIA,
    MEDIA,
    st.sampled_from(["playing", "continuing", "done", "failed"]),
)
KEY = st.builds(lambda digit: make_event("ChannelDtmfReceived", digit=digit), st.sampled_from("0123456789*#"))
OTHER = st.sampled_from([make_event("StasisStart", args=["outbound"]), from_json({"type": "ChannelVarset"})])
STORM = st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.1, 0.6, 3.0]), PLAYBACK | KEY | OTHER), max_size=25)


@settings(deadline=None, max_examples=150)
@given(STORM, st.sampled_from([ONE, THREE, KeyRules(length=8)]))
def test_events_late_doubled_or_in_any_order_never_hang_a_question(
    storm: Sequence[tuple[float, Event]], rules: KeyRules
) -> None:
    async def play() -> None:
        clock = Clock()
        wire = Wire(clock)
        phone = AriPhone(wire, CALL, TAIL, answered=True)
        asking = asyncio.create_task(phone.ask([QUESTION], rules))
        await idle()
        pressed = ""
        for wait, event in storm:
            await clock.advance(wait)
            if not asking.done():
                pressed += getattr(event, "digit", "")
            wire._route(event)
            await idle()
        await clock.advance(2.0 + 3.0 + rules.first_key + rules.total + 1.0)
        entry = asking.result()
        assert len(entry.keys) <= rules.length
        found = iter(pressed)
        assert all(key in found for key in entry.keys), "only keys that were pressed, in their order"
        assert len(wire.bodies) <= 3, "the question, once more after a stop by mistake, and a tail"

    asyncio.run(play())


@settings(deadline=None, max_examples=100)
@given(STORM, st.integers(0, 25))
def test_nor_does_a_hang_up_in_the_midst_of_them_get_lost(storm: Sequence[tuple[float, Event]], when: int) -> None:
    async def play() -> None:
        clock = Clock()
        wire = Wire(clock)
        phone = AriPhone(wire, CALL, TAIL, answered=True)

        async def talk() -> None:
            while True:
                await phone.ask([QUESTION], THREE)
                await phone.say([MORE])

        talking = asyncio.create_task(talk())
        await idle()
        for wait, event in storm[:when]:
            await clock.advance(wait)
            wire._route(event)
        wire.event("ChannelDestroyed", cause=16)
        for wait, event in storm[when:]:
            wire._route(event)
            await clock.advance(wait)
        await clock.advance(1.0)
        assert isinstance(talking.exception(), HungUp)

    asyncio.run(play())


async def test_a_hold_waits_and_the_question_is_asked_again(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.ask([QUESTION], ONE)) as asking:
        wire.playback("PlaybackStarted", 0, media_uri(QUESTION), SILENCE)
        wire.event("ChannelHold")
        await idle()
        await wire.clock.advance(600)
        assert not asking.done()
        wire.event("ChannelUnhold")
        await idle()
        assert wire.sent[-1] == "POST /channels/CALL/play/CALL.1"
        assert "DELETE /playbacks/CALL.0" in wire.sent
        wire.playback("PlaybackStarted", 1, media_uri(QUESTION), SILENCE)
        await wire.key("4")
    assert asking.result() == Entry("4", EndedBy.FULL)


async def test_who_hangs_up_on_hold_has_hung_up(wire: Wire, phone: AriPhone) -> None:
    async with doing(phone.say([QUESTION])) as saying:
        wire.event("ChannelHold")
        await idle()
        wire.event("ChannelDestroyed", cause=16)
    assert isinstance(saying.exception(), HungUp)


async def test_a_hold_that_nobody_was_told_of_is_over_before_the_next_prompt(wire: Wire, phone: AriPhone) -> None:
    wire.event("ChannelHold")
    async with doing(phone.say([QUESTION])) as saying:
        await wire.clock.advance(60)
        assert not [each for each in wire.sent if "/play/" in each]
        wire.event("ChannelUnhold")
        await idle()
        await wire.prompt(0)
        wire.playback("PlaybackFinished", 0, state="done")
    assert saying.result() is None


async def silent_entries(wire: Wire, phone: AriPhone, received: Sequence[int | None]) -> int:
    """How many questions nobody answers are asked when so many packets have come at the end of each."""
    for at, count in enumerate(received):
        wire.replies["GET /channels/CALL/rtp_statistics"] = {"rxcount": count}
        asking = asyncio.create_task(phone.ask([QUESTION], ONE))
        await idle()
        await wire.clock.advance(1)  # what was stopped before is over
        await wire.prompt(at % 4)
        await wire.clock.advance(16)
        await idle()
        if isinstance(asking.exception(), HungUp):
            return at + 1
        assert asking.result() == Entry("", EndedBy.SILENCE)
    return 0


@pytest.mark.parametrize(
    ("received", "asked"),
    [
        ([500, 500, 500, 500], 3),  # nothing comes any more
        ([500, 600, 600, 700, 700, 700], 6),
        ([500, 600, 700, 800], 0),  # somebody is there, and presses nothing
        ([0, 0, 0, 0], 0),  # never sent any sound: mute from the beginning
        ([None, None, None, None], 0),  # Asterisk does not say
    ],
)
async def test_a_call_from_which_nothing_comes_any_more_ends(
    wire: Wire, phone: AriPhone, received: Sequence[int | None], asked: int
) -> None:
    assert await silent_entries(wire, phone, received) == asked
    assert ("DELETE /channels/CALL" in wire.sent) is (asked > 0)
