"""The watch against a stand-in manager: looks, wakes at events, and comes back after every kind of loss."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from ivr.ami import link
from ivr.ami.link import open_link
from ivr.ami.state import Registration, Seen
from ivr.ami.watch import Watch
from ivr.errors import PbxSilent, PbxUnreachable
from tests.ami.manager import FakeManager

REGISTRATION = {
    "Event": "OutboundRegistrationDetail",
    "ObjectName": "trunk",
    "ClientUri": "sip:line1@127.0.0.1",
    "ServerUri": "sip:127.0.0.1:5060",
    "Status": "Registered",
}
AUTH = {"Event": "AuthDetail", "ObjectName": "trunk", "Password": "secretsecret1234"}


@pytest.fixture
async def manager() -> AsyncIterator[FakeManager]:
    fake = FakeManager(
        {
            "PJSIPShowRegistrationsOutbound": [REGISTRATION, AUTH],
            "DeviceStateList": [{"Event": "DeviceStateChange", "Device": "PJSIP/trunk", "State": "INUSE"}],
            "CoreShowChannels": [{"Event": "CoreShowChannel", "Channel": "PJSIP/trunk-0000000a"}],
        }
    )
    async with fake.serving():
        yield fake


class Eyes:
    """A watch that runs, and what it told. Polls never come: only events and losses make it look again."""

    def __init__(self, manager: FakeManager) -> None:
        self.found: asyncio.Queue[Seen | None] = asyncio.Queue()
        self.turned_away = 0
        self.slept: list[float] = []
        self.noted: list[tuple[str, type[BaseException]]] = []
        self.watch = Watch(manager.settings, 5.0, self._saw, self._away, self._note, self._sleep, lambda: 1.0)

    async def _saw(self, seen: Seen | None) -> None:
        self.found.put_nowait(seen)

    def _away(self) -> None:
        self.turned_away += 1

    def _note(self, action: str, error: BaseException) -> None:
        self.noted.append((action, type(error)))

    async def _sleep(self, seconds: float) -> None:
        if seconds == self.watch.poll_seconds:
            await asyncio.Event().wait()
        self.slept.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def eyes(manager: FakeManager) -> AsyncIterator[Eyes]:
    eyes = Eyes(manager)
    running = asyncio.create_task(eyes.watch.run())
    yield eyes
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


ACCOUNT = ("sip:line1@127.0.0.1", "sip:127.0.0.1:5060")
WELL = Seen({"trunk": Registration("Registered", *ACCOUNT)}, {"trunk": "INUSE"}, {"trunk": 1})


async def test_it_looks_at_once_and_again_when_something_is_told(
    manager: FakeManager, eyes: Eyes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert await eyes.found.get() == WELL
    manager.lists["PJSIPShowRegistrationsOutbound"] = [REGISTRATION | {"Status": "Rejected"}, AUTH]
    manager.lists["DeviceStateList"] = None  # its module is not loaded
    manager.tell("ChallengeSent")  # an honest telephone: nothing to look at
    manager.tell("FailedACL")
    manager.tell("Registry")
    seen = await eyes.found.get()
    assert seen is not None
    assert seen.registrations is not None
    assert (seen.registrations["trunk"].status, seen.devices) == ("Rejected", None)
    assert (eyes.turned_away, manager.logins) == (1, 1)
    assert {each["Action"] for each in manager.asked} == {"Login", *manager.lists}
    # What is said over the wire holds our secret and the trunk's: nothing of it is logged, at any level.
    assert "secretsecret1234" not in caplog.text
    assert manager.settings.secret not in caplog.text


async def test_it_comes_back_after_every_loss(manager: FakeManager, eyes: Eyes) -> None:
    assert await eyes.found.get() == WELL
    await manager.drop()
    # Noticed without a poll: as soon as something is to be asked.
    eyes.watch._told.set()
    assert await eyes.found.get() is None
    assert await eyes.found.get() == WELL
    assert manager.logins == 2
    manager.tell("Shutdown")
    assert await eyes.found.get() is None
    assert await eyes.found.get() == WELL


async def test_waits_grow_while_nobody_answers(manager: FakeManager) -> None:
    eyes = Eyes(manager)
    eyes.watch.settings = replace(manager.settings, port=1)
    running = asyncio.create_task(eyes.watch.run())
    for _ in range(8):
        assert await eyes.found.get() is None
    running.cancel()
    assert eyes.slept[:6] == [1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


async def test_a_failure_of_ours_does_not_end_it(manager: FakeManager) -> None:
    eyes = Eyes(manager)
    seen: list[Seen | None] = []

    async def broken(found: Seen | None) -> None:
        seen.append(found)
        if len(seen) == 1:
            raise KeyError("told nothing")
        eyes.found.put_nowait(found)

    eyes.watch.saw = broken
    running = asyncio.create_task(eyes.watch.run())
    assert await eyes.found.get() is None
    assert await eyes.found.get() == WELL
    assert eyes.noted == [("watch_failed", KeyError)]
    running.cancel()


async def test_a_wrong_password_is_said(manager: FakeManager) -> None:
    with pytest.raises(PbxUnreachable, match="watch"):
        await open_link(replace(manager.settings, secret="another"), lambda _: None)


async def test_silence_is_no_answer(manager: FakeManager, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = await open_link(manager.settings, lambda _: None)
    monkeypatch.setattr(link, "_ANSWER_SECONDS", 0.05)
    manager.silent = True
    with pytest.raises(PbxSilent, match="DeviceStateList"):
        await connection.listed("DeviceStateList")
    waiting = asyncio.create_task(connection.listed("CoreShowChannels"))
    await asyncio.sleep(0)
    connection.close()
    with pytest.raises(PbxSilent):
        await waiting
    with pytest.raises(PbxSilent):
        await connection.listed("DeviceStateList")
