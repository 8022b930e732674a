"""A stand-in Asterisk, a client of it, and sounds that exist only as names."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr.ari.client import AriClient
from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings, Transport
from ivr.numbers import Numbering, Plan
from ivr.prompts import Sound
from tests.fakes.ari import SECRET, USER, Clock, FakeAsterisk

QUESTION = Sound("question", Path("/sounds/question.wav"), 2.0)
MORE = Sound("more", Path("/sounds/more.wav"), 1.0)
TAIL = Tail(
    silence=Sound("frame/silence", Path("/sounds/silence.wav"), 5.0),
    apology=Sound("frame/apology", Path("/sounds/apology.wav"), 3.0),
)
CALL = "kc-call-1"


def settings_for(asterisk: FakeAsterisk, transport: Transport = Transport.AUTO, secret: str = SECRET) -> PbxSettings:
    return PbxSettings(
        asterisk.url,
        USER,
        secret,
        callers={"trunk": "05000000100"},
        transport=transport,
        numbering=Numbering(Plan.PRACTICE),
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def asterisk() -> AsyncIterator[FakeAsterisk]:
    async with FakeAsterisk().serving() as fake:
        yield fake


@pytest.fixture(params=[Transport.HTTP, Transport.WEBSOCKET])
async def client(request: pytest.FixtureRequest, asterisk: FakeAsterisk, clock: Clock) -> AsyncIterator[AriClient]:
    """Connected, over each of the two transports in turn."""
    async with AriClient(settings_for(asterisk, request.param), clock.now, clock.sleep) as client:
        await client.connect()
        assert client.choose_transport(asterisk.version) is request.param
        yield client
