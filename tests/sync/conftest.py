"""A stand-in centre on loopback, and an outbox full of reports that wants to get there."""

import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ivr.questionnaire.model import SessionStatus
from ivr.storage.database import Database
from ivr.storage.outbox import Row, all_rows
from ivr.storage.sessions import save_turn
from ivr.sync.delivery import State
from ivr.sync.http_carrier import HttpCarrier
from ivr.sync.push import Push
from ivr.sync.settings import Sync
from sandbox.centre import Centre
from sandbox.certificates import Certificates, make_certificates
from tests.fakes.site import Clock
from tests.storage.records import HANAKO, NOW, SACHIKO, TARO, begin_session, turn

PERSONS = (HANAKO, TARO, SACHIKO)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Of a centre and of a client that it knows."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def centre(tmp_path: Path, certificates: Certificates) -> AsyncIterator[Centre]:
    """Running."""
    centre = Centre(tmp_path / "centre", certificates)
    await centre.start()
    try:
        yield centre
    finally:
        await centre.stop()


@pytest.fixture
def strict(certificates: Certificates) -> Iterator[str]:
    """A server that says why it hangs up; asyncio's says nothing (3.11), so the stand-in centre cannot."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.centre.certificate, certificates.centre.key)
    context.load_verify_locations(cafile=certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED

    def serve() -> None:
        with suppress(OSError):
            while True:
                accepted, _ = listening.accept()
                with suppress(OSError), accepted, context.wrap_socket(accepted, server_side=True) as known:
                    known.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def settings_of(url: str, certificates: Certificates, **other: object) -> Sync:
    """How to get there."""
    given = {
        "centre_url": url,
        "ca_file": certificates.ca,
        "certificate_file": certificates.client.certificate,
        "key_file": certificates.client.key,
        "timeout_seconds": 1,
    }
    # As they are: relative paths would want the folder of a config.yaml.
    return Sync.model_validate(given | other, context={"folder": Path("/")})


def file_report(connection: Connection, number: int, value: str = "36.5") -> None:
    """A complete report: the first 24 and every tenth of one of three persons in turn, the others of unknown callers.

    What one person reported is sent one by one; thousands of three persons would test little but that.
    """
    known = number < 24 or number % 10 == 0
    begin_session(connection, f"s-{number}", PERSONS[number % 3] if known else None)
    given = turn(("temperature", value), status=SessionStatus.COMPLETED)
    save_turn(connection, f"s-{number}", None, given, NOW)


Make = Callable[[Sync], Push]


@pytest.fixture
async def make(database: Database, clock: Clock) -> AsyncIterator[Make]:
    """Makes a sender; its connections end with the test. Time stands still unless the test moves it."""
    carriers: list[HttpCarrier] = []

    async def no_sleep(_: float) -> None:
        raise AssertionError("nobody waits in these tests")

    def make(settings: Sync) -> Push:
        carriers.append(HttpCarrier(settings))
        return Push(database, carriers[-1], settings, clock.now, lambda: 1.0, no_sleep)

    yield make
    for each in carriers:
        await each.close()


async def file(database: Database, *numbers: int) -> None:
    for number in numbers:
        await database.write(file_report, number)


async def rows(database: Database) -> tuple[Row, ...]:
    return await database.read(all_rows)


async def states(database: Database) -> list[tuple[State, str]]:
    return [(each.state, each.problem) for each in await rows(database)]
