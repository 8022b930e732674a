"""The test call: asked for by a row, placed once, judged by what its far end pressed, answered by a row."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from ivr.call import Ending, Outcome
from ivr.phone import Phone
from ivr.selftest import ANSWERED, PATIENCE, Answer, Verdict, answer_wishes, call_ourselves, read_answer, wish
from ivr.site import Site
from ivr.storage import facts
from tests.fakes.phone import FakePhone, keys

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def steady() -> float:
    return 0.0


@pytest.mark.parametrize(
    ("pressed", "verdict"), [("1", Verdict.HEARD), ("2", Verdict.NOT_HEARD), (".", Verdict.NOT_HEARD)]
)
async def test_it_is_judged_by_the_key(site: Site, pressed: str, verdict: Verdict) -> None:
    phone = FakePhone("c-1", keys(pressed))

    async def dial(_: str) -> Phone:
        return phone

    assert await call_ourselves(site, dial, "w-1", steady) == Answer("w-1", verdict, 0.0)
    assert phone.said == [("frame/greeting",)]
    assert phone.over


async def test_a_call_that_cannot_be_placed(site: Site) -> None:
    async def dial(_: str) -> Ending:
        return Ending(Outcome.FAILED, note="Allocation failed")

    assert await call_ourselves(site, dial, "w-1", steady) == Answer(
        "w-1", Verdict.NOT_ANSWERED, 0.0, "Allocation failed"
    )


class Service:
    """One that looks as often as the test lets it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.dialled = 0
        self.due, self.looked = asyncio.Semaphore(0), asyncio.Semaphore(0)
        self.running = asyncio.create_task(answer_wishes(lambda: site, self.dial, lambda: NOW, steady, self.sleep))

    async def dial(self, call_id: str) -> Phone:
        self.dialled += 1
        if self.dialled == 3:
            raise KeyError("told nothing")
        return FakePhone(call_id, keys("1"))

    async def sleep(self, _: float) -> None:
        self.looked.release()
        await self.due.acquire()

    async def look(self) -> None:
        await self.looked.acquire()
        self.due.release()
        await self.looked.acquire()
        self.looked.release()

    async def answer_to(self, wanted: str) -> Answer | None:
        return read_answer(await self.site.database.read(facts.get_fact, ANSWERED), wanted)


async def test_each_wish_is_carried_out_once(site: Site) -> None:
    service = Service(site)
    await service.look()
    assert service.dialled == 0
    await wish(site.database, "w-1", NOW)
    await service.look()
    await service.look()
    assert await service.answer_to("w-1") == Answer("w-1", Verdict.HEARD, 0.0)
    assert service.dialled == 1
    # An answer to somebody else is none; a wish of before a restart is nobody's any more.
    assert await service.answer_to("w-2") is None
    await wish(site.database, "w-old", NOW - PATIENCE - timedelta(seconds=1))
    await service.look()
    assert service.dialled == 1
    await wish(site.database, "w-2", NOW)
    await service.look()
    assert await service.answer_to("w-2") is not None
    # What goes wrong with one hurts neither the service nor the next.
    for wanted in ("w-3", "w-4"):
        await wish(site.database, wanted, NOW)
        await service.look()
    assert await service.answer_to("w-4") is not None
    assert not service.running.done()
    service.running.cancel()
