"""A caller is put through to another telephone, event by event; and what is left of that after a restart of ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from ivr.ari.app import Pbx
from ivr.ari.leg import caller_of, check, leg_id
from ivr.ari.phone import AriPhone
from ivr.ari.settings import PbxSettings
from ivr.errors import PbxError, PbxRefused, PbxSilent, PbxUnreachable, problem
from ivr.numbers import Numbering, Plan
from ivr.phone import HungUp
from tests.ari.conftest import CALL, QUESTION, TAIL, settings_for
from tests.ari.test_app import Calls, running
from tests.ari.test_phone import Wire
from tests.fakes.ari import Clock, FakeAsterisk, Reply, idle, make_channel

SETTINGS = PbxSettings(
    "http://127.0.0.1:1",
    "kenko",
    "secret",
    callers={"trunk": "05000000100"},
    telephones=("desk",),
    more_trunks=("trunk-2",),
    numbering=Numbering(Plan.PRACTICE, frozenset({"05000000100"})),
)
LEG = leg_id(SETTINGS, CALL)


@pytest.fixture
def wire(clock: Clock) -> Wire:
    wire = Wire(clock)
    wire.settings = replace(wire.settings, callers={"trunk": "05000000100"}, telephones=("desk",))
    return wire


@pytest.fixture
def phone(wire: Wire) -> AriPhone:
    return AriPhone(wire, CALL, TAIL, answered=True)


@asynccontextmanager
async def putting_through(phone: AriPhone) -> AsyncIterator[asyncio.Task[bool]]:
    task = asyncio.create_task(phone.put_through("desk", 30))
    await idle()
    yield task
    await idle()
    assert task.done()


def happens(wire: Wire, kind: str, channel: str = LEG, /, **fields: object) -> None:
    wire.event(kind, channel={"id": channel}, **fields)


RING = "POST /channels/kc-leg-CALL"
TONE = "POST /channels/CALL/play/CALL.0"
JOIN = ["POST /bridges", "POST /bridges/kc-leg-CALL/addChannel"]
CLEAR = ["DELETE /channels/kc-leg-CALL", "DELETE /bridges/kc-leg-CALL"]


async def test_somebody_answers_and_they_talk(wire: Wire, phone: AriPhone) -> None:
    async with putting_through(phone) as task:
        happens(wire, "StasisStart", args=["outbound"])
        await idle()
        await wire.clock.advance(600)
        assert not task.done()
        happens(wire, "ChannelDtmfReceived", CALL, digit="5")
        happens(wire, "StasisEnd")
        # Twice, as by the two applications of 22.10.1.
        happens(wire, "ChannelDestroyed", cause=16)
        happens(wire, "ChannelDestroyed", cause=16)
    assert task.result() is True
    assert wire.sent == [RING, TONE, "DELETE /playbacks/CALL.0", *JOIN, *CLEAR]
    assert wire.bodies == [
        {
            "endpoint": "PJSIP/desk",
            "context": "kenko-outbound",
            "extension": "answered",
            "priority": 1,
            "timeout": 30,
            "callerId": "05000000100",
        },
        {"media": ["tone:ring;tonezone=jp"]},
        {"type": "mixing", "bridgeId": LEG},
    ]
    assert wire.watched() == {CALL}
    # And the caller is still there.
    saying = asyncio.create_task(phone.say([QUESTION]))
    await wire.clock.advance(1)
    assert wire.sent[-1] == "POST /channels/CALL/play/CALL.1"
    saying.cancel()


@pytest.mark.parametrize("how", [{"cause": 19, "tech_cause": 480}, {"cause": 17, "tech_cause": 486}])
async def test_nobody_answers(wire: Wire, phone: AriPhone, how: dict[str, int]) -> None:
    async with putting_through(phone) as task:
        happens(wire, "ChannelDestroyed", **how)
    assert task.result() is False
    assert wire.sent == [RING, TONE, "DELETE /playbacks/CALL.0", *CLEAR]
    assert wire.watched() == {CALL}


async def test_a_telephone_that_never_says_how_it_ended(wire: Wire, phone: AriPhone) -> None:
    async with putting_through(phone) as task:
        await wire.clock.advance(33)
    assert task.result() is False
    assert wire.sent[-2:] == CLEAR


@pytest.mark.parametrize("answered", [False, True])
async def test_the_caller_hangs_up(wire: Wire, phone: AriPhone, answered: bool) -> None:
    async with putting_through(phone) as task:
        if answered:
            happens(wire, "StasisStart", args=["outbound"])
            await idle()
        happens(wire, "ChannelDestroyed", CALL, cause=16)
    assert isinstance(task.exception(), HungUp)
    assert wire.sent[-2:] == CLEAR
    assert not wire.watched()


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (RING, PbxRefused(500, "Allocation failed", "")),
        (RING, PbxUnreachable(problem("pbx.unreachable", url="http://127.0.0.1:1"))),
        (JOIN[0], PbxSilent(problem("pbx.silent", request="POST"))),
        (JOIN[1], PbxRefused(404, "Channel not found", "")),
    ],
)
async def test_asterisk_will_not(wire: Wire, phone: AriPhone, request_: str, error: PbxError) -> None:
    wire.errors[request_] = [error]
    async with putting_through(phone) as task:
        if not task.done():
            happens(wire, "StasisStart", args=["outbound"])
    assert task.result() is False
    assert wire.sent[-2:] == CLEAR
    assert wire.watched() == {CALL}


async def test_a_request_whose_fate_is_unknown_may_ring(wire: Wire, phone: AriPhone) -> None:
    wire.errors[RING] = [PbxSilent(problem("pbx.silent", request="POST"))]
    async with putting_through(phone) as task:
        happens(wire, "StasisStart", args=["outbound"])
        await idle()
        happens(wire, "ChannelDestroyed")
    assert task.result() is True


async def test_what_is_gone_already_is_no_trouble(
    wire: Wire, phone: AriPhone, caplog: pytest.LogCaptureFixture
) -> None:
    wire.errors[CLEAR[0]] = [PbxRefused(404, "Channel not found", "")]
    wire.errors[CLEAR[1]] = [PbxRefused(404, "Bridge not found", "")]
    async with putting_through(phone) as task:
        happens(wire, "ChannelDestroyed")
    assert task.result() is False
    assert not caplog.records


async def test_who_talks_goes_on_talking_when_we_stop(wire: Wire, phone: AriPhone) -> None:
    task = asyncio.create_task(phone.put_through("desk", 30))
    await idle()
    happens(wire, "StasisStart", args=["outbound"])
    await idle()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert wire.sent[-2:] == JOIN


async def test_a_talk_that_a_process_before_us_began_is_not_disturbed(wire: Wire) -> None:
    phone = AriPhone(wire, CALL, TAIL, answered=True, taken_over=True, talks=True)
    saying = asyncio.create_task(phone.say([QUESTION]))
    await wire.clock.advance(300)
    assert wire.sent == []
    happens(wire, "ChannelDestroyed")
    await idle()
    assert wire.sent[:2] == CLEAR
    assert wire.sent[-1] == TONE  # the question
    saying.cancel()


async def test_such_a_talk_ends_when_the_caller_hangs_up(wire: Wire) -> None:
    phone = AriPhone(wire, CALL, TAIL, answered=True, taken_over=True, talks=True)
    saying = asyncio.create_task(phone.say([QUESTION]))
    await idle()
    happens(wire, "ChannelDestroyed", CALL, cause=16)
    await idle()
    assert isinstance(saying.exception(), HungUp)
    assert wire.sent == CLEAR


@pytest.mark.parametrize("given", ["desk", "0310000001@trunk", "09000000001@trunk-2"])
def test_what_may_be_rung(given: str) -> None:
    check(given, SETTINGS)


@pytest.mark.parametrize(
    "given",
    [
        *("", "other", "desk@", "desk&other"),
        *("110@trunk", "0310000001", "0310000001@other", "+81310000001@trunk", "05000000100@trunk"),
        *("0310000001@trunk&PJSIP/other", "0310000001@trunk/x"),
    ],
)
async def test_what_may_not(wire: Wire, phone: AriPhone, given: str) -> None:
    wire.settings = SETTINGS
    with pytest.raises(ValueError, match="not a"):
        await phone.put_through(given, 30)
    assert wire.sent == []


def test_a_leg_is_known_by_its_id() -> None:
    assert caller_of(SETTINGS, leg_id(SETTINGS, "1700.1")) == "1700.1"
    assert caller_of(SETTINGS, "kc-0123") is None
    assert caller_of(SETTINGS, "1700.1") is None


def pbx_of(asterisk: FakeAsterisk, calls: Calls, clock: Clock) -> Pbx:
    settings = replace(settings_for(asterisk), telephones=("desk",))
    return Pbx(settings, calls, TAIL, now=clock.now, sleep=clock.sleep, jitter=lambda: 1.0)


def living(asterisk: FakeAsterisk, *channels: str) -> None:
    for each in channels:
        asterisk.channels[each] = make_channel(each, state="Up", app_name="Stasis", app_data="kenko,inbound")


async def test_after_a_restart_who_talks_is_left_alone_and_the_other_legs_end(
    asterisk: FakeAsterisk, clock: Clock
) -> None:
    living(asterisk, "1.1", "1.2", *(leg_id(SETTINGS, each) for each in ("1.1", "1.2", "gone")))
    bridge = {"id": "kc-leg-1.1", "channels": ["1.1", "kc-leg-1.1"]}
    asterisk.answer("GET", "/bridges/kc-leg-1.1", Reply(body=bridge))
    calls = Calls()

    async def talk(phone: AriPhone) -> None:
        await phone.say([QUESTION])

    calls.talk = talk
    async with running(pbx_of(asterisk, calls, clock)):
        assert calls.told == [("reconciled", ["1.1", "1.2"], False), ("found", "1.1"), ("found", "1.2")]
        ended = [each.path for each in asterisk.seen("DELETE", "/(channels|bridges)/.*")]
        assert sorted(ended) == [f"/{what}/kc-leg-{of}" for what in ("bridges", "channels") for of in ("1.2", "gone")]
        await asterisk.until_seen("POST", "/channels/1.2/play/.*")
        assert not asterisk.seen("POST", "/channels/1.1/play/.*")
        await asterisk.destroyed("kc-leg-1.1")
        await asterisk.until_seen("POST", "/channels/1.1/play/.*")


async def test_a_telephone_that_asterisk_does_not_have_closes_no_gate(asterisk: FakeAsterisk, clock: Clock) -> None:
    asterisk.answer(
        "POST",
        "/applications/kenko-trunk/subscription",
        lambda seen: Reply(body={}),
        lambda seen: Reply(422, {"message": "Event source does not exist"}),
    )
    pbx = pbx_of(asterisk, Calls(), clock)
    async with running(pbx):
        assert pbx.is_ready
    wanted = [each.params["eventSource"] for each in asterisk.seen("POST", "/applications/kenko-trunk/subscription")]
    assert wanted == ["endpoint:PJSIP/trunk", "endpoint:PJSIP/desk"]
