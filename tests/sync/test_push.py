"""Sending to a centre over real TLS: every fault that the centre knows, certificates, a proxy, and what follows."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.storage.alarms import standing_alarms
from ivr.storage.database import Database
from ivr.storage.link import get_link, wish_now
from ivr.storage.outbox import Row, backlog, retry
from ivr.sync.delivery import Reply, State
from ivr.sync.http import refuses_us, retry_after, tls_of
from ivr.sync.http_carrier import HttpCarrier
from ivr.sync.push import Push, serve
from ivr.sync.settings import Sync
from sandbox.centre import Centre, Fault
from sandbox.certificates import Certificates, make_certificates
from tests.fakes.site import Clock
from tests.storage.records import NOW
from tests.sync.conftest import Make, file, rows, settings_of, states


def stored_exactly(centre: Centre, frozen: tuple[Row, ...]) -> None:
    """Each once, byte for byte."""
    assert sorted(centre.documents()) == sorted((each.key, each.payload) for each in frozen)


async def test_reports_arrive(database: Database, centre: Centre, certificates: Certificates, make: Make) -> None:
    await file(database, *range(7))
    push = make(settings_of(centre.url, certificates))
    for _ in range(3):
        await push.turn()
    assert await push.turn() is False
    frozen = await rows(database)
    stored_exactly(centre, frozen)
    assert centre.requests == 7
    assert {each.record_id for each in frozen} == {f"R-{number}" for number in range(1, 8)}
    assert (await database.read(get_link)).last_success == NOW


async def test_alerts_go_first_and_a_person_in_order(
    database: Database, centre: Centre, certificates: Certificates, make: Make
) -> None:
    await file(database, 0, 3, 6)
    push = make(settings_of(centre.url, certificates))
    for _ in range(3):
        await push.turn()
    assert [key for key, _ in centre.documents()] == [each.key for each in await rows(database)]


@pytest.mark.parametrize(
    ("fault", "problem", "waits", "stops", "stored"),
    [
        pytest.param(Fault.BUSY, "http_429", 7.0, False, False, id="busy"),
        pytest.param(Fault.ERROR, "http_500", 5.0, False, False, id="error"),
        pytest.param(Fault.GATEWAY, "http_503", 5.0, False, False, id="gateway"),
        pytest.param(Fault.UNKNOWN, "http_401", 0.0, True, False, id="unknown"),
        pytest.param(Fault.MOVED, "http_307", 0.0, True, False, id="moved"),
        pytest.param(Fault.CUT_BEFORE, "cut", 5.0, False, False, id="cut before"),
        pytest.param(Fault.CUT_AFTER, "cut", 5.0, False, True, id="cut after"),
        pytest.param(Fault.SLOW, "timed_out", 5.0, False, True, id="slow"),
        pytest.param(Fault.WRONG_KEY, "wrong_key", 5.0, False, True, id="wrong key"),
        pytest.param(Fault.NO_ID, "no_record_id", 5.0, False, True, id="no id"),
        pytest.param(Fault.HTML, "unreadable", 5.0, False, False, id="html"),
        pytest.param(Fault.HUGE, "too_big", 5.0, False, False, id="huge"),
        pytest.param(Fault.ENDLESS, "timed_out", 5.0, False, False, id="endless"),
    ],
)
async def test_each_fault_ends_with_one_copy(
    database: Database,
    centre: Centre,
    certificates: Certificates,
    make: Make,
    clock: Clock,
    fault: Fault,
    problem: str,
    waits: float,
    stops: bool,
    stored: bool,
) -> None:
    await file(database, 0)
    push = make(settings_of(centre.url, certificates))
    centre.faults.append(fault)
    await push.turn()
    (row,) = await rows(database)
    assert (row.state, row.problem) == (State.WAITING, problem)
    assert row.next_at is not None
    assert (row.next_at - NOW).total_seconds() == waits
    assert bool(centre.documents()) == stored
    assert ("sync_stopped", "") in await database.read(standing_alarms) or not stops
    # Not a moment earlier.
    requests = centre.requests
    await push.turn()
    assert centre.requests == requests
    clock.advance(16)
    await push.turn()
    stored_exactly(centre, await rows(database))
    assert await states(database) == [(State.ACKNOWLEDGED, "")]
    assert await database.read(standing_alarms) == ()
    assert centre.redirected == 0


async def test_what_the_centre_refuses_is_parked_and_the_rest_goes_on(
    database: Database, centre: Centre, certificates: Certificates, make: Make, clock: Clock
) -> None:
    await file(database, 0, 1, 2, 3)
    push = make(settings_of(centre.url, certificates, connections=1))
    centre.faults.append(Fault.REFUSED)
    await push.turn()
    await push.turn()
    assert await states(database) == [(State.PARKED, "http_400"), *[(State.ACKNOWLEDGED, "")] * 3]
    assert await database.read(standing_alarms) == (("sync_parked", ""),)
    await database.write(retry, None, clock.now())
    await push.turn()
    stored_exactly(centre, await rows(database))
    assert await database.read(standing_alarms) == ()


async def test_two_acknowledgements_are_one(
    database: Database, centre: Centre, certificates: Certificates, make: Make, clock: Clock
) -> None:
    """The second one must not be taken for the answer to the next request on that connection."""
    await file(database, *range(12))
    push = make(settings_of(centre.url, certificates, connections=1))
    for _ in range(40):
        centre.faults.append(Fault.TWICE)
        await push.turn()
        clock.advance(16)
    frozen = await rows(database)
    stored_exactly(centre, frozen)
    # And each knows the number that its own document got.
    numbers = {key: f"R-{at}" for at, (key, _) in enumerate(centre.documents(), 1)}
    assert {each.key: each.record_id for each in frozen} == numbers


async def test_a_centre_that_is_down_is_asked_ever_more_seldom(
    database: Database, centre: Centre, certificates: Certificates, make: Make, clock: Clock
) -> None:
    await file(database, *range(9))
    push = make(settings_of(centre.url, certificates))
    await centre.stop()
    asked = 0
    for _ in range(24 * 60):
        await push.turn()
        link = await database.read(get_link)
        asked, before = link.failures, asked
        assert asked - before <= 1
        clock.advance(1)
    # A day at 5 minutes is 288.
    assert 280 < asked < 300
    assert link.problem == "unreachable"
    # Nothing was to blame on a document, and old it is.
    assert {each for each, _ in await states(database)} == {State.WAITING}
    assert await database.read(standing_alarms) == (("sync_old", ""),)
    await centre.start()
    for _ in range(40):
        await push.turn()
        clock.advance(1)
    stored_exactly(centre, await rows(database))
    assert await database.read(standing_alarms) == ()


async def test_staff_can_have_it_tried_at_once(
    database: Database, centre: Centre, certificates: Certificates, make: Make, clock: Clock
) -> None:
    await file(database, 0)
    push = make(settings_of(centre.url, certificates))
    await centre.stop()
    await push.turn()
    await centre.start()
    await push.turn()
    assert centre.requests == 0
    await database.write(wish_now, clock.now())
    await push.turn()
    stored_exactly(centre, await rows(database))


# --- who is who ---


async def tried(database: Database, settings: Sync, make: Make) -> tuple[list[tuple[State, str]], bool]:
    """What became of one report, and whether everything stopped."""
    await file(database, 0)
    await make(settings).turn()
    return await states(database), (await database.read(get_link)).stopped


async def test_a_centre_of_another_ca_gets_nothing(
    database: Database, centre: Centre, certificates: Certificates, make: Make, tmp_path: Path
) -> None:
    other = make_certificates(tmp_path / "other")
    settings = settings_of(centre.url, replace(certificates, ca=other.ca))
    assert await tried(database, settings, make) == ([(State.WAITING, "tls")], True)
    assert centre.requests == 0


async def test_a_certificate_for_another_host_gets_nothing(
    database: Database, centre: Centre, certificates: Certificates, make: Make
) -> None:
    settings = settings_of(centre.url.replace("127.0.0.1", "localhost"), certificates)
    assert await tried(database, settings, make) == ([(State.WAITING, "tls")], True)
    assert centre.requests == 0


async def test_a_centre_that_does_not_know_us_stops_everything(
    database: Database, strict: str, certificates: Certificates, make: Make, tmp_path: Path
) -> None:
    strangers = make_certificates(tmp_path / "other").client
    settings = settings_of(strict, replace(certificates, client=strangers))
    assert await tried(database, settings, make) == ([(State.WAITING, "tls")], True)
    assert await refuses_us(settings)
    assert not await refuses_us(settings_of(strict, certificates))


async def test_a_certificate_of_ours_that_is_renewed_needs_no_restart(
    database: Database, centre: Centre, certificates: Certificates, make: Make, clock: Clock, tmp_path: Path
) -> None:
    ours = tmp_path / "ours.pem"
    settings = settings_of(centre.url, certificates, certificate_file=ours)
    push = make(settings)
    await file(database, 0)
    await push.turn()
    assert (await database.read(get_link)).stopped
    ours.write_bytes(certificates.client.certificate.read_bytes())
    clock.advance(15)
    await push.turn()
    stored_exactly(centre, await rows(database))


def test_nothing_older_than_tls_1_2_and_no_other_ca(certificates: Certificates) -> None:
    context = tls_of(settings_of("https://127.0.0.1:1", certificates))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


async def test_a_centre_that_knows_only_tls_1_1_gets_nothing(
    database: Database, certificates: Certificates, make: Make
) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    old.load_cert_chain(certificates.centre.certificate, certificates.centre.key)
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0, ssl=old)
    async with server:
        port = server.sockets[0].getsockname()[1]
        settings = settings_of(f"https://127.0.0.1:{port}", certificates)
        # asyncio's server says nothing when it hangs up; others send an alert, and everything stops.
        (state,), _ = await tried(database, settings, make)
        assert state[0] is State.WAITING


async def test_plain_http_on_the_port_of_https_gets_nothing(
    database: Database, certificates: Certificates, make: Make
) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = settings_of(f"https://127.0.0.1:{port}", certificates)
        (state,), _ = await tried(database, settings, make)
        assert state[0] is State.WAITING


# --- proxies ---


@pytest.fixture
async def proxy() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A proxy that joins whom it is told to, and the first lines that it was told."""
    told: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        told.append(head.splitlines()[0])
        host, port = head.split()[1].decode().split(":")
        there, to_there = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(_pipe(reader, to_there), _pipe(there, writer))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", told


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()


async def test_a_proxy_only_if_the_settings_name_it(
    database: Database,
    centre: Centre,
    certificates: Certificates,
    make: Make,
    proxy: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, told = proxy
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.setenv(name, url)
    await file(database, 0)
    await make(settings_of(centre.url, certificates)).turn()
    assert len(centre.documents()) == 1
    assert told == []
    await file(database, 1)
    through = make(settings_of(centre.url, certificates, proxy=url))
    await through.turn()
    stored_exactly(centre, await rows(database))
    assert told == [f"CONNECT 127.0.0.1:{centre.port} HTTP/1.1".encode()]
    await through.carrier.close()


# --- the loop ---


async def test_the_loop_sends_what_comes_and_survives_its_own_faults(
    database: Database, centre: Centre, certificates: Certificates, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_of(centre.url, certificates)

    class Faulty(HttpCarrier):
        failed = False

        async def carry(self, row: Row, now: datetime) -> Reply:
            if not self.failed:
                self.failed = True
                raise KeyError("a fault of ours")
            return await super().carry(row, now)

    async def sleep(_: float) -> None:
        clock.advance(2)
        await asyncio.sleep(0)

    await file(database, 0, 1)
    push = Push(database, Faulty(settings), settings, clock.now, lambda: 1.0, sleep)
    task = asyncio.create_task(push.run())
    await _all_gone(database)
    await file(database, 2)
    await _all_gone(database)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    stored_exactly(centre, await rows(database))
    assert "sync_failed" in {vars(each).get("action") for each in caplog.records}


async def _all_gone(database: Database) -> None:
    async with asyncio.timeout(20):
        while (await database.read(backlog)).unsent:  # noqa: ASYNC110, a row has no event
            await asyncio.sleep(0.01)


async def test_without_a_centre_nothing_is_sent(database: Database, clock: Clock) -> None:
    async def sleep(_: float) -> None:
        raise AssertionError("it looks at nothing")

    await file(database, 0)
    task = asyncio.create_task(serve(database, Sync(), clock.now, lambda: 1.0, sleep))
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await states(database) == [(State.WAITING, "")]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("9" * 40, 999999999.0),
        ("Mon, 06 Jan 2025 00:02:00 GMT", 120.0),
        ("Sun, 05 Jan 2025 00:00:00 GMT", 0.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_how_long_a_centre_asks_us_to_wait(given: str | None, seconds: float | None) -> None:
    assert retry_after(given, datetime(2025, 1, 6, tzinfo=UTC)) == seconds
