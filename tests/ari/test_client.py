"""Requests over both transports against a real server, and each channel's events in order."""

import asyncio

import pytest

from ivr.ari.client import AriClient
from ivr.ari.events import Channel, ChannelDtmfReceived, Event, Gap, Ignored, StasisStart, Vanished, from_json
from ivr.ari.inbox import Inbox
from ivr.ari.settings import Transport
from ivr.errors import BadInput, PbxRefused, PbxSilent, PbxUnreachable
from tests.ari.conftest import CALL, settings_for
from tests.fakes.ari import Clock, FakeAsterisk, Reply, idle


async def drain(inbox: Inbox) -> list[Event]:
    return [(await inbox.next(0.0) or (0.0, Ignored()))[1] for _ in iter(inbox.is_empty, True)]


async def test_a_request_and_its_reply(client: AriClient, asterisk: FakeAsterisk) -> None:
    asterisk.answer("POST", "/channels/x/play/y", Reply(201, {"id": "y"}))
    body = {"media": ["sound:/a", "sound:/b"]}
    assert await client.request("POST", "/channels/x/play/y", params={"lang": "ja"}, body=body) == {"id": "y"}
    (seen,) = asterisk.requests
    assert (seen.params, seen.body, seen.over) == ({"lang": "ja"}, body, client.settings.transport)


async def test_no_content_is_none(client: AriClient, asterisk: FakeAsterisk) -> None:
    asterisk.answer("DELETE", "/playbacks/x", Reply(204))
    assert await client.request("DELETE", "/playbacks/x") is None


@pytest.mark.parametrize("key", ["message", "error"])
async def test_asterisks_own_words_are_kept(client: AriClient, asterisk: FakeAsterisk, key: str) -> None:
    asterisk.answer("POST", "/channels/x", Reply(500, {key: "Allocation failed"}))
    with pytest.raises(PbxRefused) as refused:
        await client.request("POST", "/channels/x", body={"endpoint": "PJSIP/09012345678@trunk"})
    assert (refused.value.status, refused.value.reason) == (500, "Allocation failed")
    assert "POST /channels/x" in str(refused.value)
    assert "09012345678" not in str(refused.value)


async def test_a_number_in_asterisks_words_is_blotted_out(client: AriClient, asterisk: FakeAsterisk) -> None:
    asterisk.answer("POST", "/channels/x", Reply(400, {"message": "no endpoint PJSIP/09012345678@trunk"}))
    with pytest.raises(PbxRefused) as refused:
        await client.request("POST", "/channels/x")
    assert refused.value.reason == "no endpoint PJSIP/…@trunk"


@pytest.mark.parametrize("raw", [b"<html><h1>500</h1></html>", b"{", b'{"message": ', b"[1]", b"", b"x" * 50_000])
async def test_an_error_in_any_shape_is_a_refusal(client: AriClient, asterisk: FakeAsterisk, raw: bytes) -> None:
    asterisk.answer("GET", "/channels/x", Reply(500, raw=raw))
    with pytest.raises(PbxRefused) as refused:
        await client.request("GET", "/channels/x")
    assert refused.value.status == 500
    assert len(refused.value.reason) <= 200
    assert "\n" not in refused.value.reason


async def test_a_success_that_cannot_be_read_may_have_been_carried_out(
    client: AriClient, asterisk: FakeAsterisk
) -> None:
    asterisk.answer("POST", "/channels/x", Reply(200, raw=b"<html>what?</html>"))
    with pytest.raises(PbxSilent):
        await client.request("POST", "/channels/x")


async def test_ten_megabytes_do_not_fill_the_memory(asterisk: FakeAsterisk, clock: Clock) -> None:
    asterisk.answer("GET", "/channels", Reply(200, raw=b"[" + b" " * 10_000_000 + b"]"))
    asterisk.answer("GET", "/channels", Reply(500, raw=b"x" * 10_000_000))
    async with AriClient(settings_for(asterisk, Transport.HTTP), clock.now, clock.sleep) as client:
        with pytest.raises(PbxSilent):
            await client.request("GET", "/channels")
        with pytest.raises(PbxRefused):
            await client.request("GET", "/channels")


async def test_no_reply_in_time(client: AriClient, asterisk: FakeAsterisk) -> None:
    asterisk.answer("POST", "/channels/x", lambda _: None)
    with pytest.raises(PbxSilent) as silent:
        await client.request("POST", "/channels/x", deadline=0.01)
    assert "POST /channels/x" in silent.value.render("en")


async def test_while_booting_nothing_is_carried_out(client: AriClient, asterisk: FakeAsterisk) -> None:
    asterisk.answer("POST", "/channels/x", Reply(503, {"message": "Asterisk not booted"}))
    with pytest.raises(PbxUnreachable):
        await client.request("POST", "/channels/x")


async def test_nothing_listens_there(clock: Clock) -> None:
    async with AriClient(settings_for(FakeAsterisk(url="http://127.0.0.1:1")), clock.now, clock.sleep) as client:
        with pytest.raises(PbxUnreachable):
            await client.request("GET", "/asterisk/info")
        with pytest.raises(PbxUnreachable):
            await client.connect()


async def test_a_wrong_secret_is_one_sentence(asterisk: FakeAsterisk, clock: Clock) -> None:
    async with AriClient(settings_for(asterisk, secret="wrong"), clock.now, clock.sleep) as client:
        with pytest.raises(BadInput) as refused:
            await client.connect()
    assert len(refused.value.problems) == 1
    assert "wrong" not in str(refused.value)
    assert "kenko" in refused.value.render("en")


@pytest.mark.parametrize("status", [404, 503])
async def test_a_refused_handshake_means_booting(asterisk: FakeAsterisk, clock: Clock, status: int) -> None:
    asterisk.handshakes.append(status)
    async with AriClient(settings_for(asterisk), clock.now, clock.sleep) as client:
        with pytest.raises(PbxUnreachable):
            await client.connect()


@pytest.mark.parametrize(
    ("method", "path", "blocks"),
    [
        ("POST", "/channels/x/answer", True),
        ("POST", "/channels/x/variable", True),
        ("GET", "/channels/x/variable", True),
        ("POST", "/bridges/kc-leg-x/addChannel", True),
        ("POST", "/bridges/kc-leg-x/removeChannel", True),
        ("POST", "/channels/x", False),
        ("GET", "/channels/x", False),
        ("DELETE", "/channels/x", False),
        ("POST", "/channels/x/play/x.0", False),
        ("DELETE", "/playbacks/x.0", False),
        ("POST", "/channels/x/record", False),
        ("POST", "/recordings/live/x.0/stop", False),
        ("DELETE", "/recordings/live/x.0", False),
        ("POST", "/bridges", False),
        ("GET", "/bridges/kc-leg-x", False),
        ("POST", "/events/user/kenko-echo", False),
        ("POST", "/channels/answer/play/answer.0", False),
    ],
)
async def test_what_a_channel_can_hold_up_never_goes_over_the_websocket(
    client: AriClient, asterisk: FakeAsterisk, method: str, path: str, blocks: bool
) -> None:
    """C9: see `BLOCKING` for which these are."""
    asterisk.answer(method, path, Reply(204))
    await client.request(method, path)
    wanted = "http" if blocks or client.settings.transport is Transport.HTTP else "websocket"
    assert asterisk.requests[0].over == wanted


async def test_without_a_websocket_requests_go_over_http(client: AriClient, asterisk: FakeAsterisk) -> None:
    await asterisk.until(lambda: asterisk.sockets)
    link = await client.connect()
    client.choose_transport(asterisk.version)
    await link.close()
    await client.request("GET", "/asterisk/info")
    assert asterisk.requests[-1].over == "http"


async def test_a_request_under_way_when_the_socket_ends_is_unclear(asterisk: FakeAsterisk, clock: Clock) -> None:
    asterisk.answer("POST", "/channels/x", lambda _: None)
    async with AriClient(settings_for(asterisk), clock.now, clock.sleep) as client:
        await client.connect()
        client.choose_transport(asterisk.version)
        request = asyncio.create_task(client.request("POST", "/channels/x"))
        await asterisk.until_seen("POST", "/channels/x")
        await asterisk.drop()
        with pytest.raises(PbxSilent):
            await request


async def test_after_the_end_nothing_is_sent(asterisk: FakeAsterisk, clock: Clock) -> None:
    client = AriClient(settings_for(asterisk), clock.now, clock.sleep)
    async with client:
        inbox = client.watch(CALL)
    assert await drain(inbox) == [Vanished(CALL)]
    with pytest.raises(PbxUnreachable):
        await client.request("GET", "/asterisk/info")


async def test_events_of_each_channel_in_order(client: AriClient, asterisk: FakeAsterisk) -> None:
    one, two = client.watch("one"), client.watch("two")
    for number in range(500):
        await asterisk.send("ChannelDtmfReceived", "one" if number % 3 else "two", digit=str(number % 10))
        await asterisk.send("ChannelDtmfReceived", "stranger", digit="1")
    await asterisk.send_raw("this is no JSON")
    await asterisk.send("StasisStart", "last", args=[])
    assert (await client.arrivals.get()).channel.id == "last"
    for inbox, wanted in ((one, [n for n in range(500) if n % 3]), (two, [n for n in range(500) if not n % 3])):
        events = await drain(inbox)
        assert [each.digit for each in events if isinstance(each, ChannelDtmfReceived)] == [str(n % 10) for n in wanted]


async def test_what_follows_an_arrival_is_not_lost(client: AriClient, asterisk: FakeAsterisk) -> None:
    await asterisk.send("StasisStart", "new", args=["inbound", "0310000000"])
    await asterisk.send("ChannelDtmfReceived", "new", digit="1")
    await asterisk.send("StasisStart", "last", args=[])
    assert (await client.arrivals.get()).args == ("inbound", "0310000000")
    await client.arrivals.get()
    assert len(await drain(client.watch("new"))) == 1


async def test_a_channel_forgotten_is_a_stranger(client: AriClient, asterisk: FakeAsterisk) -> None:
    client.watch("gone")
    client.forget("gone")
    await asterisk.send("ChannelDtmfReceived", "gone", digit="1")
    await asterisk.send("StasisStart", "last", args=[])
    await client.arrivals.get()
    assert client.watched() == {"last"}


async def test_a_key_that_came_in_time_counts_however_late_it_is_read(clock: Clock, asterisk: FakeAsterisk) -> None:
    client = AriClient(settings_for(asterisk), clock.now, clock.sleep)
    inbox = client.watch("x")
    key = from_json({"type": "ChannelDtmfReceived", "digit": "1", "channel": {"id": "x"}})
    inbox.put(key)
    clock.time += 60
    assert await inbox.next(until=1000.0) == (1000.0, key)
    assert await inbox.next(until=1000.0) is None


async def test_reconciling_tells_each_owner(clock: Clock, asterisk: FakeAsterisk) -> None:
    client = AriClient(settings_for(asterisk), clock.now, clock.sleep)
    gone, talking, ringing = client.watch("gone"), client.watch("talking"), client.watch("ringing")
    living = {"talking": Channel("talking", app_name="Stasis"), "ringing": Channel("ringing", app_name="AppDial2")}
    client.reconcile(living)
    assert await drain(gone) == [Vanished("gone")]
    assert await drain(talking) == [StasisStart(living["talking"]), Gap("talking")]
    assert ringing.is_empty()


async def test_pings_and_no_pong(asterisk: FakeAsterisk, clock: Clock) -> None:
    async with AriClient(settings_for(asterisk), clock.now, clock.sleep) as client:
        link = await client.connect()
        for _ in range(3):
            await client.request("GET", "/asterisk/info")
            await asterisk.until(lambda: link._pong)
            await clock.advance(5)
        assert link.is_open
        await asterisk.until(lambda: link._pong)
        asterisk.answers_pings = False
        await clock.advance(5)
        assert link.is_open
        await clock.advance(5)
        await asyncio.wait_for(link.ended(), 5)
        assert not link.replaced


async def test_a_clean_end_is_an_end(asterisk: FakeAsterisk, clock: Clock) -> None:
    async with AriClient(settings_for(asterisk), clock.now, clock.sleep) as client:
        link = await client.connect()
        await asterisk.until(lambda: asterisk.sockets)
        await asterisk.drop()
        await asyncio.wait_for(link.ended(), 5)
        await idle()
        assert not link.is_open
