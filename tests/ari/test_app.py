"""The life of the connection: reconcile, then open the gate; again after every break; stop when replaced."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from ivr.ari import link as link_module
from ivr.ari.app import Pbx
from ivr.ari.events import WANTED, WANTED_OF_TRUNK
from ivr.ari.phone import AriPhone
from ivr.ari.settings import Transport
from ivr.call import Ending, Outcome
from ivr.digits import Entry, KeyRules
from ivr.endpoints import caller_number, endpoint_of
from ivr.errors import BadInput, PbxError
from ivr.phone import DialOrder, HungUp
from tests.ari.conftest import CALL, QUESTION, TAIL, settings_for
from tests.fakes.ari import Clock, FakeAsterisk, Reply, make_channel

Talk = Callable[[AriPhone], Awaitable[None]]


async def wait_for_ever(phone: AriPhone) -> None:
    await asyncio.Event().wait()


class Calls:
    """Writes down what it is told; what it does with a call is the test's."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self.talk: Talk = wait_for_ever

    async def arrived(self, phone: AriPhone, caller: str | None, dialled: str) -> None:
        self.told.append(("arrived", phone.call_id, caller, dialled))
        await self.talk(phone)

    async def studio(self, phone: AriPhone, endpoint: str, extension: str) -> None:
        self.told.append(("studio", phone.call_id, endpoint, extension))
        await self.talk(phone)

    async def found(self, phone: AriPhone) -> None:
        self.told.append(("found", phone.call_id))
        await self.talk(phone)

    async def reconciled(self, live_ids: frozenset[str], restarted: bool) -> None:
        self.told.append(("reconciled", sorted(live_ids), restarted))


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def pbx(asterisk: FakeAsterisk, calls: Calls, clock: Clock) -> Pbx:
    return make_pbx(asterisk, calls, clock)


def make_pbx(
    asterisk: FakeAsterisk,
    calls: Calls,
    clock: Clock,
    *,
    transport: Transport = Transport.AUTO,
    secret: str | None = None,
    startup_time: str | None = None,
) -> Pbx:
    settings = settings_for(asterisk, transport, secret) if secret else settings_for(asterisk, transport)
    return Pbx(settings, calls, TAIL, now=clock.now, sleep=clock.sleep, jitter=lambda: 1.0, startup_time=startup_time)


@asynccontextmanager
async def running(pbx: Pbx) -> AsyncIterator[asyncio.Task[None]]:
    """Run, wait for the open gate, and end."""
    task = asyncio.create_task(pbx.run())
    await pbx.ready()
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not pbx.is_ready


async def reconnect(asterisk: FakeAsterisk, clock: Clock, pbx: Pbx) -> None:
    """The socket breaks, and comes back."""
    await asterisk.drop()
    await asterisk.until(lambda: not pbx.is_ready and 0.5 in clock.pending())
    await clock.advance(0.5)
    await pbx.ready()


async def test_the_order_before_the_gate_opens(asterisk: FakeAsterisk, calls: Calls, pbx: Pbx) -> None:
    async with running(pbx):
        assert [f"{each.method} {each.path}" for each in asterisk.requests] == [
            "GET /asterisk/info",
            "GET /applications/kenko",
            "PUT /applications/kenko/eventFilter",
            "GET /applications/kenko-trunk",
            "PUT /applications/kenko-trunk/eventFilter",
            "POST /applications/kenko-trunk/subscription",
            "POST /events/user/kenko-echo",
            "POST /events/user/kenko-echo",
            "GET /channels",
        ]
        assert asterisk.filters == {"kenko": list(WANTED), "kenko-trunk": list(WANTED_OF_TRUNK)}
        assert asterisk.subscriptions == {"kenko": [], "kenko-trunk": ["PJSIP/trunk"]}
        assert calls.told == [("reconciled", [], False)]


async def test_subscriptions_of_an_earlier_run_are_undone(asterisk: FakeAsterisk, pbx: Pbx) -> None:
    asterisk.subscriptions = {"kenko": ["PJSIP/trunk"], "kenko-trunk": ["PJSIP/old"]}
    async with running(pbx):
        assert asterisk.subscriptions == {"kenko": [], "kenko-trunk": ["PJSIP/trunk"]}


@pytest.mark.parametrize("transport", list(Transport))
async def test_how_requests_go(asterisk: FakeAsterisk, calls: Calls, clock: Clock, transport: Transport) -> None:
    async with running(make_pbx(asterisk, calls, clock, transport=transport)):
        assert asterisk.requests[0].over == "http"
        wanted = "http" if transport is Transport.HTTP else "websocket"
        assert {each.over for each in asterisk.requests[1:]} == {wanted}


@pytest.mark.parametrize("status", [404, 503])
async def test_asterisk_may_take_its_time_to_boot(asterisk: FakeAsterisk, clock: Clock, pbx: Pbx, status: int) -> None:
    asterisk.handshakes = [status]
    asterisk.answer("GET", "/asterisk/info", Reply(status, {"message": "?"}))
    run = asyncio.create_task(pbx.run())
    for wait in (1.0, 2.0):  # it doubles
        await asterisk.until(lambda wait=wait: wait in clock.pending())  # type: ignore[misc]
        assert not pbx.is_ready
        await clock.advance(wait)
    await pbx.ready()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_the_waits_grow_to_fifteen_seconds_and_start_again(pbx: Pbx) -> None:
    assert [pbx._back_off(tries) for tries in (0, 1, 2, 3, 4, 5, 99)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


@pytest.mark.parametrize(("version", "word"), [("22.10.0", "22.10.1"), ("18.9.0", "18.9.0"), ("", "?")])
async def test_a_version_that_will_not_do(asterisk: FakeAsterisk, pbx: Pbx, version: str, word: str) -> None:
    asterisk.version = version
    with pytest.raises(BadInput) as refused:
        await pbx.run()
    assert word in refused.value.render("en")
    assert not pbx.is_ready


async def test_the_older_lts_is_tolerated_with_a_warning(
    asterisk: FakeAsterisk, pbx: Pbx, caplog: pytest.LogCaptureFixture
) -> None:
    asterisk.version = "20.20.1"
    async with running(pbx):
        assert "pbx_old_lts" in actions(caplog)


async def test_a_wrong_secret_ends_it_in_one_sentence(asterisk: FakeAsterisk, calls: Calls, clock: Clock) -> None:
    with pytest.raises(BadInput) as refused:
        await make_pbx(asterisk, calls, clock, secret="wrong").run()
    assert len(refused.value.render("ja").splitlines()) == 1


async def test_but_not_once_it_was_right(
    asterisk: FakeAsterisk, clock: Clock, pbx: Pbx, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(pbx):
        asterisk.handshakes = [401]
        await asterisk.drop()
        await asterisk.until(lambda: 0.5 in clock.pending())
        await clock.advance(0.5)
        await asterisk.until(lambda: 1.0 in clock.pending())
        assert [each.levelname for each in caplog.records] == ["ERROR"]
        await clock.advance(1.0)
        await pbx.ready()


async def test_replaced_means_stop(asterisk: FakeAsterisk, calls: Calls, clock: Clock, pbx: Pbx) -> None:
    first = asyncio.create_task(pbx.run())
    await pbx.ready()
    async with running(make_pbx(asterisk, calls, clock)):
        with pytest.raises(PbxError) as replaced:
            await first
        assert "kenko" in replaced.value.render("en")
        assert not pbx.is_ready


async def test_late_handshakes_of_our_own_do_not_drive_us_out(
    asterisk: FakeAsterisk, clock: Clock, pbx: Pbx, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Asterisk stood still while we tried, and carries the tries out when it goes on, after the one that we hold."""
    monkeypatch.setattr(link_module, "_CONNECT_SECONDS", 0.05)
    async with running(pbx) as task:
        asterisk.stands_still = asyncio.Event()
        await asterisk.drop()
        for pause in (0.5, 1.0):
            await asterisk.until(lambda pause=pause: pause in clock.pending())  # type: ignore[misc]
            await clock.advance(pause)
        await asterisk.until(lambda: 2.0 in clock.pending())
        asterisk.stands_still = None
        await clock.advance(2.0)
        await pbx.ready()
        for _ in range(2):
            await asterisk.send("ApplicationReplaced")
            await asterisk.until(lambda: not pbx.is_ready)
            await asterisk.until(lambda: 0.5 in clock.pending())
            await clock.advance(0.5)
            await pbx.ready()
        assert not task.done()
        assert sum(vars(each).get("action") == "pbx_replaced_by_us" for each in caplog.records) == 2
        await asterisk.send("ApplicationReplaced")
        with pytest.raises(PbxError):
            await task


async def test_a_minute_later_it_is_somebody_else(
    asterisk: FakeAsterisk, clock: Clock, pbx: Pbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "_CONNECT_SECONDS", 0.05)
    async with running(pbx) as task:
        asterisk.stands_still = asyncio.Event()
        await asterisk.drop()
        await asterisk.until(lambda: 0.5 in clock.pending())
        await clock.advance(0.5)
        await asterisk.until(lambda: 1.0 in clock.pending())
        asterisk.stands_still = None
        await clock.advance(1.0)
        await pbx.ready()
        clock.time += 60.0
        await asterisk.send("ApplicationReplaced")
        with pytest.raises(PbxError):
            await task


async def test_a_call_goes_on_through_any_number_of_breaks(
    asterisk: FakeAsterisk, calls: Calls, clock: Clock, pbx: Pbx
) -> None:
    async with running(pbx):
        phone = await dial(asterisk, pbx)
        asking = asyncio.create_task(phone.ask([QUESTION], KeyRules()))
        await asterisk.until_seen("POST", f"/channels/{CALL}/play/.*")
        for times in range(1, 6):
            await reconnect(asterisk, clock, pbx)
            # Keys may be lost: asked again each time.
            again = await asterisk.until_seen("POST", f"/channels/{CALL}/play/.*", times + 1)
            assert again.body["media"][0] == "sound:/sounds/question"
        assert calls.told.count(("reconciled", [CALL], False)) == 5
        assert ("found", CALL) not in calls.told
        await clock.advance(1.0)
        await asterisk.send("ChannelDtmfReceived", CALL, digit="3")
        assert (await asking).keys == "3"


async def dial(asterisk: FakeAsterisk, pbx: Pbx) -> AriPhone:
    dialling = asyncio.create_task(pbx.line.dial(DialOrder(CALL, "0310000001", 30)))
    await asterisk.until_seen("POST", f"/channels/{CALL}")
    await asterisk.answered(CALL)
    phone = await dialling
    assert isinstance(phone, AriPhone)
    return phone


async def test_a_call_that_ended_in_a_break_is_told(asterisk: FakeAsterisk, clock: Clock, pbx: Pbx) -> None:
    async with running(pbx):
        phone = await dial(asterisk, pbx)
        asking = asyncio.create_task(phone.ask([QUESTION], KeyRules()))
        await asterisk.until_seen("POST", f"/channels/{CALL}/play/.*")
        asterisk.channels.clear()
        await reconnect(asterisk, clock, pbx)
        with pytest.raises(HungUp) as hung_up:
            await asking
        assert hung_up.value.ending.outcome is Outcome.UNKNOWN


async def test_an_answer_in_a_break_is_told(asterisk: FakeAsterisk, clock: Clock, pbx: Pbx) -> None:
    async with running(pbx):
        dialling = asyncio.create_task(pbx.line.dial(DialOrder(CALL, "0310000001", 30)))
        await asterisk.until_seen("POST", f"/channels/{CALL}")
        await asterisk.drop()
        await asterisk.answered(CALL)  # nobody hears that
        await asterisk.until(lambda: not pbx.is_ready and 0.5 in clock.pending())
        await clock.advance(0.5)
        assert isinstance(await dialling, AriPhone)


async def test_after_a_restart_of_asterisk_no_call_lives(
    asterisk: FakeAsterisk, calls: Calls, clock: Clock, pbx: Pbx
) -> None:
    async with running(pbx):
        phone = await dial(asterisk, pbx)
        asterisk.startup_time = "2026-01-02T00:00:00.000+0000"
        await reconnect(asterisk, clock, pbx)
        with pytest.raises(HungUp):
            await phone.say([QUESTION])
        assert calls.told[-1][2] is True
        assert pbx.startup_time == asterisk.startup_time


@pytest.mark.parametrize(("before", "restarted"), [(None, False), ("2026-01-01T00:00:00.000+0000", False), ("x", True)])
async def test_a_restart_while_we_were_away(
    asterisk: FakeAsterisk, calls: Calls, clock: Clock, before: str | None, restarted: bool
) -> None:
    async with running(make_pbx(asterisk, calls, clock, startup_time=before)):
        assert calls.told == [("reconciled", [], restarted)]


@pytest.mark.parametrize("app", ["kenko", "kenko-trunk"])
async def test_a_connection_gone_deaf_is_made_anew(
    asterisk: FakeAsterisk, calls: Calls, clock: Clock, pbx: Pbx, caplog: pytest.LogCaptureFixture, app: str
) -> None:
    async with running(pbx):
        phone = await dial(asterisk, pbx)
        asking = asyncio.create_task(phone.ask([QUESTION], KeyRules()))
        await asterisk.until_seen("POST", f"/channels/{CALL}/play/.*")
        await clock.advance(5.0)  # all is well
        await asterisk.until_seen("POST", "/events/user/kenko-echo", 4)
        await asterisk.until(lambda: clock.pending().count(5.0) == 2)
        assert pbx.is_ready
        asterisk.deaf = {app}
        await clock.advance(5.0)
        await asterisk.until_seen("POST", "/events/user/kenko-echo", 6)
        await asterisk.until(lambda: clock.pending().count(5.0) == 2)
        await clock.advance(5.0)
        await asterisk.until(lambda: not pbx.is_ready and 0.5 in clock.pending())
        assert "pbx_deaf" in actions(caplog)
        await clock.advance(0.5)
        await pbx.ready()
        await asterisk.until_seen("POST", f"/channels/{CALL}/play/.*", 2)
        await clock.advance(1.0)
        await asterisk.send("ChannelDtmfReceived", CALL, digit="3")
        assert (await asking).keys == "3"


async def test_a_gate_stays_closed_while_deaf(asterisk: FakeAsterisk, clock: Clock, pbx: Pbx) -> None:
    asterisk.answer("POST", "/events/user/.*", Reply(204), Reply(204), Reply(404, {"message": "Application not found"}))
    run = asyncio.create_task(pbx.run())
    await asterisk.until(lambda: clock.pending().count(5.0) == 2)
    await clock.advance(5.0)
    for wait in (1.0, 2.0):
        await asterisk.until(lambda wait=wait: wait in clock.pending())  # type: ignore[misc]
        assert not pbx.is_ready
        await clock.advance(wait)
    await pbx.ready()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_while_there_is_no_connection_nothing_is_dialled(asterisk: FakeAsterisk, clock: Clock, pbx: Pbx) -> None:
    async with running(pbx):
        await asterisk.drop()
        await asterisk.until(lambda: not pbx.is_ready)
        ending = await pbx.line.dial(DialOrder(CALL, "0310000001", 30))
        assert isinstance(ending, Ending)
        assert ending.outcome is Outcome.FAILED
        assert asterisk.seen("POST", "/channels/.*") == []


async def test_an_inbound_call(asterisk: FakeAsterisk, calls: Calls, clock: Clock, pbx: Pbx) -> None:
    entries: list[Entry] = []

    async def talk(phone: AriPhone) -> None:
        entries.append(await phone.ask([QUESTION], KeyRules()))

    calls.talk = talk
    async with running(pbx):
        asterisk.channels["1700.1"] = make_channel("1700.1", state="Ring", caller="0310000001")
        await asterisk.send("StasisStart", "1700.1", args=["inbound", "0310000000", "1800"])
        await asterisk.until_seen("POST", "/channels/1700.1/play/.*")
        # A call that nothing takes up is ended by the dialplan. It is taken up beside the talk, which need not wait.
        await asterisk.until_seen("POST", "/channels/1700.1/variable")
        (taken_up,) = asterisk.seen("POST", "/channels/1700.1/variable")
        assert (taken_up.params["value"], taken_up.over) == ("1800", "http")
        await clock.advance(1.0)
        await asterisk.send("ChannelDtmfReceived", "1700.1", digit="3")
        await asterisk.until_seen("DELETE", "/channels/1700.1")  # the call ends when the conversation does
        assert [each.keys for each in entries] == ["3"]
        assert calls.told[1:] == [("arrived", "1700.1", "0310000001", "0310000000")]


async def test_a_telephone_in_the_house_records_prompts(asterisk: FakeAsterisk, calls: Calls, pbx: Pbx) -> None:
    async def end(_: AriPhone) -> None:
        return None

    calls.talk = end
    async with running(pbx):
        asterisk.channels["1700.1"] = make_channel("1700.1", name="PJSIP/desk-1-0000000a", exten="701", state="Ring")
        await asterisk.send("StasisStart", "1700.1", args=["studio"])
        await asterisk.until_seen("DELETE", "/channels/1700.1")
        assert calls.told[1:] == [("studio", "1700.1", "desk-1", "701")]


@pytest.mark.parametrize("name", ["Local/701@from-house-0000000a;1", "PJSIP/", ""])
def test_only_pjsip_channels_have_an_endpoint(name: str) -> None:
    assert endpoint_of(name) == ""


async def test_one_bad_call_hurts_no_other(
    asterisk: FakeAsterisk, calls: Calls, clock: Clock, pbx: Pbx, caplog: pytest.LogCaptureFixture
) -> None:
    async def talk(phone: AriPhone) -> None:
        if phone.call_id == "bad":
            raise RuntimeError("a mistake of ours")
        await phone.ask([QUESTION], KeyRules())

    calls.talk = talk
    async with running(pbx):
        for name in ("good", "bad"):
            asterisk.channels[name] = make_channel(name)
            await asterisk.send("StasisStart", name, args=["inbound", "0310000000"])
        # It may not be answered yet.
        await asterisk.until_seen("POST", "/channels/bad/answer")
        await asterisk.until(lambda: 0.5 in clock.pending())
        await clock.advance(0.5)
        apology = await asterisk.until_seen("POST", "/channels/bad/play/.*")
        assert apology.body["media"][0] == "sound:/sounds/apology"
        await asterisk.destroyed("bad")
        await asterisk.until(lambda: "call_failed" in actions(caplog))
        await asterisk.until_seen("POST", "/channels/good/play/.*")
        await clock.advance(1.0)
        await asterisk.send("ChannelDtmfReceived", "good", digit="1")
        await asterisk.until_seen("DELETE", "/channels/good")


async def test_calls_left_by_a_process_before_us(asterisk: FakeAsterisk, calls: Calls, pbx: Pbx) -> None:
    stasis = {"app_name": "Stasis", "state": "Up"}
    asterisk.channels = {
        "kc-talking": make_channel("kc-talking", app_data="kenko,outbound", **stasis),
        "kc-ringing": make_channel("kc-ringing", state="Ringing"),
        "1700.1": make_channel("1700.1", app_data="kenko,inbound,0310000000", **stasis),
        "1700.2": make_channel("1700.2", app_name="Stasis", app_data="kenko,inbound,0310000000", state="Ring"),
        "theirs": make_channel("theirs", app_data="kenko-other,inbound", **stasis),
        "1700.3": make_channel("1700.3", app_name="Dial", app_data="PJSIP/desk", state="Up"),
    }
    async with running(pbx):
        await asterisk.until(lambda: len(calls.told) == 5)
        assert calls.told[0] == ("reconciled", ["1700.1", "1700.2", "kc-ringing", "kc-talking"], False)
        assert sorted(calls.told[1:], key=str) == [
            ("arrived", "1700.2", None, "0310000000"),
            ("found", "1700.1"),
            ("found", "kc-ringing"),
            ("found", "kc-talking"),
        ]
    assert not [each for each in asterisk.requests if "theirs" in each.path or "1700.3" in each.path]


async def test_a_call_given_up_and_answered_after_all_is_found(asterisk: FakeAsterisk, calls: Calls, pbx: Pbx) -> None:
    async with running(pbx):
        await asterisk.answered("kc-late")
        await asterisk.until(lambda: ("found", "kc-late") in calls.told)


async def test_events_of_other_peoples_channels_are_nothing_to_us(
    asterisk: FakeAsterisk, calls: Calls, pbx: Pbx, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(pbx):
        await asterisk.destroyed("theirs")
        await asterisk.send("ChannelDtmfReceived", "theirs", digit="1")
        phone = await dial(asterisk, pbx)
        await phone.hang_up()
        assert len(calls.told) == 1
        assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


async def test_ending_leaves_nobody_waiting(asterisk: FakeAsterisk, pbx: Pbx) -> None:
    async with running(pbx):
        phone = await dial(asterisk, pbx)
        asking = asyncio.create_task(phone.ask([QUESTION], KeyRules()))
        await asterisk.until_seen("POST", f"/channels/{CALL}/play/.*")
    with pytest.raises(HungUp):
        await asking
    assert not asterisk.seen("DELETE", f"/channels/{CALL}")


async def test_no_number_no_key_no_secret_in_any_log_line(
    asterisk: FakeAsterisk, calls: Calls, clock: Clock, pbx: Pbx, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asterisk.answer("POST", f"/channels/{CALL}", Reply(400, {"message": "bad endpoint PJSIP/0310000001@trunk"}))
    async with running(pbx):
        ending = await pbx.line.dial(DialOrder(CALL, "0310000001", 30))
        asterisk.channels["1700.1"] = make_channel("1700.1", caller="0398765432")
        await asterisk.send("StasisStart", "1700.1", args=["inbound", "0310000000"])
        await reconnect(asterisk, clock, pbx)
    said = "".join(str(vars(each)) + each.getMessage() for each in caplog.records if each.name.startswith("ivr"))
    for secret in ("0310000001", "0398765432", "0310000000", "the secret"):
        assert secret not in said + str(ending)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("0312345678", "0312345678"),
        (" +81312345678", "+81312345678"),
        ("", None),
        ("anonymous", None),
        ("Anonymous", None),
        ("unavailable", None),
        ("P", None),
        # Not withheld: an option behind a number is no part of it, and what is no number is for staff to see.
        ("0312345678;x=y", "0312345678"),
        ("090-0000-0001", "090-0000-0001"),
        ("alice", "alice"),
        ("１１０\x07", "１１０"),
        ("9" * 50, "9" * 40),
        ("<unknown>", None),
        ("Restricted", None),
        (";npdi", None),
    ],
)
def test_the_callers_number(said: str, number: str | None) -> None:
    assert caller_number(said) == number


@pytest.mark.parametrize(
    ("presentation", "shown"), [*((each, True) for each in range(4)), *((each, False) for each in (32, 33, 34, 35, 67))]
)
def test_a_number_that_the_caller_withholds(presentation: int, shown: bool) -> None:
    assert caller_number("0312345678", presentation) == ("0312345678" if shown else None)


def actions(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [getattr(each, "action", "") for each in caplog.records]
