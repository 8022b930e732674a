"""The accept: strangers disturb no call, whatever they send; a call is taken, held, and ended."""

import asyncio
import logging
import socket
from pathlib import Path

import pytest

from ivr.fastagi import server
from ivr.phone import Phone
from tests.fastagi.pbx import CALL, HEADER, listening

HALF = HEADER[: len(HEADER) // 2]


async def hang_about(phone: Phone) -> None:
    await asyncio.Event().wait()


async def end(phone: Phone) -> None:
    """The conversation is over at once."""


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.2)


async def test_a_call_is_taken_and_hung_up(tmp_path: Path, port: int) -> None:
    async with listening(end, tmp_path, port) as (place, desk):
        wire = await place.call()
        assert await wire.serve("200 result=1") == ["HANGUP"]
        assert await wire.is_closed()
        assert desk.told == [(CALL, "09000000001", "05000000100")]
        assert place.server.live_ids() == frozenset()


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        HALF.encode(),
        b"x" * 1_000_000,
        b"agi_network: yes\n" * 60_000,
        b"\n\n",
        b"GET / HTTP/1.1\n\n",
        b"\x00" * 99,
    ],
    ids=["nothing", "half a header", "a megabyte", "a megabyte of lines", "an empty one", "a browser", "zeros"],
)
@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
async def test_a_stranger_disturbs_no_call(tmp_path: Path, port: int, sent: bytes, leaves: bool) -> None:
    async with listening(hang_about, tmp_path, port) as (place, desk):
        await place.call("1.1")
        stranger = await place.connect()
        stranger.writer.write(sent)
        if leaves:
            stranger.writer.close()
        second = await place.call("1.2")
        if not leaves:
            assert await stranger.is_closed()
        assert place.server.live_ids() == {"1.1", "1.2"}
        assert [each[0] for each in desk.told] == ["1.1", "1.2"]
        assert not second.reader.at_eof()


@pytest.mark.usefixtures("_impatient")
async def test_many_strangers_do_not_keep_a_call_out_for_long(tmp_path: Path, port: int) -> None:
    async with listening(hang_about, tmp_path, port) as (place, _):
        strangers = [await place.connect() for _ in range(server.MOST_STRANGERS + 20)]
        assert all([await each.is_closed() for each in strangers])
        await place.call()


async def test_one_call_comes_once(tmp_path: Path, port: int) -> None:
    async with listening(hang_about, tmp_path, port) as (place, desk):
        await place.call()
        again = await place.connect()
        again.writer.write(HEADER.format(call=CALL, caller="09000000001").encode())
        assert await again.is_closed()
        assert len(desk.told) == 1


async def test_one_bad_call_hurts_no_other_and_hears_an_apology(
    tmp_path: Path, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(phone: Phone) -> None:
        if phone.call_id == "1.2":
            raise KeyError("of ours")
        await hang_about(phone)

    async with listening(fail, tmp_path, port) as (place, _):
        await place.call("1.1")
        bad = await place.call("1.2")
        # It may not be answered yet.
        served = await bad.serve("200 result=0", "200 result=0", "200 result=1")
        assert served == ["ANSWER", 'STREAM FILE /p/ja/frame/apology "" 0', "HANGUP"]
        assert place.server.live_ids() == {"1.1"}
    assert "call_failed" in [vars(each).get("action") for each in caplog.records]


async def test_when_we_stop_asterisk_goes_on_by_itself(tmp_path: Path, port: int) -> None:
    async with listening(hang_about, tmp_path, port) as (place, _):
        wire = await place.call()
    assert await wire.is_closed()
    assert wire.sent == []  # no hang-up: the dialplan has an apology


async def test_a_port_that_is_taken_is_waited_for(tmp_path: Path, port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        there = asyncio.get_running_loop().call_later(0.1, other.close)
        async with listening(end, tmp_path, port) as (place, _):
            wire = await place.call()
            assert await wire.command() == "HANGUP"
        there.cancel()
    assert "agi_not_listening" in [vars(each).get("action") for each in caplog.records]


async def test_it_listens_on_loopback_only(tmp_path: Path, port: int) -> None:
    async with listening(end, tmp_path, port):
        with pytest.raises(OSError):  # noqa: PT011 - which error depends on the system
            socket.create_connection(("127.0.0.2", port), 0.5).close()
