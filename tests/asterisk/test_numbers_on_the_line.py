"""Whose number calls and which number is called, in every form in which lines write them, as real calls."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
import pytest_asyncio

from ivr.ari.app import Pbx
from ivr.ari.playing import Tail
from ivr.ari.settings import PbxSettings
from ivr.fastagi.server import AgiServer
from ivr.fastagi.settings import AgiSettings
from ivr.phone import Phone
from ivr.prompts import Sound
from ivr.storage.database import open_reader
from ivr.storage.words import Auth
from sandbox.asterisk import complaints
from sandbox.farend.leg import Leg
from sandbox.farend.message import Headers
from sandbox.network import Network, running_network
from sandbox.script import Call, CallScript, Person
from sandbox.service import BIRTH_DATE_KEYS, Installation, command, running_service, write_files
from sandbox.settings import INBOUND_NUMBER, NetworkSettings
from tests.contract.test_drivers import listening
from tests.rows import calls_and_sessions, report_ends, tasks

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]

HIDDEN = '"Anonymous" <sip:anonymous@anonymous.invalid>'
#: Shapes of the caller's number: what stands for `{}` is the number without its first 0.
SHAPES = ("0{}", "+81{}", "81{}", "{}", "0081{}", "01081{}", "+81-{}")
#: What is no number of ours: other numbers, the names that Asterisk uses itself, odd signs, nothing.
NOT_OURS = (
    "05000000101",
    "+815000000101",
    "110",
    "T",
    "s",
    "h",
    "i",
    "t",
    "e",
    "o",
    "a",
    "fax",
    "kenko",
    "_x",
    "05000000100,1",
)
#: Our number in other forms.
OURS = (
    *("sip:+815000000100@{}", "sip:815000000100@{}", "sip:05000000100;npdi@{}", "sip:05000000100;phone-context=+81@{}"),
    *("sip:05000000100;cpc=ordinary@{}", "sip:+815000000100;npdi;cpc=payphone@{};user=phone", "tel:+815000000100"),
    *("sip:00815000000100@{}", "sip:5000000100@{}"),
)


@dataclass
class Desk:
    """Takes calls and notes who rings whom; hangs up."""

    seen: list[tuple[str | None, str]] = field(default_factory=list)

    async def arrived(self, phone: Phone, caller: str | None, dialled: str) -> None:
        self.seen.append((caller, dialled))
        await phone.answer()

    async def studio(self, phone: Phone, endpoint: str, extension: str) -> None: ...

    async def found(self, phone: Phone) -> None: ...

    async def reconciled(self, live_ids: frozenset[str], restarted: bool) -> None: ...


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def line(new_settings: Callable[[], NetworkSettings]) -> AsyncIterator[Network]:
    """A network whose provider says anything; its records are kept until the end."""
    async with running_network(replace(new_settings(), far_end=True)) as running:
        yield running


@asynccontextmanager
async def by_ari(line: Network) -> AsyncIterator[Desk]:
    desk = Desk()
    apology = Sound("frame/apology", line.settings.prompts.resolve() / "ja/frame/apology", 3.0)
    settings = PbxSettings(line.pbx.ari_url.removesuffix("/ari"), line.pbx.user, line.pbx.secret, "trunk-far")
    pbx = Pbx(settings, desk, Tail(apology, apology), now=time.monotonic, sleep=asyncio.sleep, jitter=random.random)
    running = asyncio.create_task(pbx.run())
    try:
        async with asyncio.timeout(20):
            await pbx.ready()
        yield desk
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def by_fastagi(line: Network) -> AsyncIterator[Desk]:
    desk = Desk()
    apology = Sound("frame/apology", line.settings.prompts.resolve() / "ja/frame/apology", 3.0)
    settings = AgiSettings(line.pbx.site.agi_port, line.pbx.site.state / "recording")
    server = AgiServer(settings, desk, lambda: apology, now=time.monotonic, sleep=asyncio.sleep)
    running = asyncio.create_task(server.run())
    try:
        await listening(line.pbx.site.agi_port)
        yield desk
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


WAYS = pytest.mark.parametrize("way", [by_ari, by_fastagi])
Way = Callable[[Network], AbstractAsyncContextManager[Desk]]


async def ring(line: Network, caller: str, headers: Headers = (), uri: str = "", number: str = INBOUND_NUMBER) -> int:
    leg = await line.far.call(number, caller, headers, uri=uri)
    if code_of(leg) == 200:
        await leg.until_over()
    return code_of(leg)


def code_of(leg: Leg) -> int:
    """The final answer to a call."""
    assert leg.final is not None
    return leg.final.code


@WAYS
async def test_our_number_is_ours_in_every_form(line: Network, way: Way) -> None:
    place = f"127.0.0.1:{line.pbx.site.sip_port}"
    async with way(line) as desk:
        codes = await asyncio.gather(*(ring(line, "09000000001", uri=each.format(place)) for each in OURS))
    assert codes == [200] * len(OURS)
    assert desk.seen == [("09000000001", INBOUND_NUMBER)] * len(OURS)


@WAYS
async def test_who_calls_is_what_the_provider_asserts_or_from(line: Network, way: Way) -> None:
    asserted = "P-Asserted-Identity"
    said: list[tuple[str, Headers, str | None]] = [
        ("090-0000-0001", (), "090-0000-0001"),
        (HIDDEN, ((asserted, "<sip:+819000000001@127.0.0.3>"),), "+819000000001"),
        (HIDDEN, ((asserted, "<sip:+819000000001@127.0.0.3>, <tel:+819000000001>"),), "+819000000001"),
        (HIDDEN, ((asserted, "<tel:+81-90-0000-0001>"),), "+81-90-0000-0001"),
        ("09000000002", ((asserted, '"見本 花子" <sip:09000000001@127.0.0.3;user=phone>'),), "09000000001"),
        ("<tel:+819000000001>", (), "+819000000001"),
        # A name that looks like a number is a name.
        ('"<sip:09000000009@x>" <sip:alice@127.0.0.3>', (), "alice"),
        (HIDDEN, (), None),
    ]
    async with way(line) as desk:
        for caller, headers, _ in said:
            assert await ring(line, caller, headers) == 200
    assert [caller for caller, _ in desk.seen] == [wanted for *_, wanted in said]


@WAYS
async def test_a_number_that_the_caller_withholds_is_seen_by_nobody(line: Network, way: Way) -> None:
    number = "09007654321"
    known = ("P-Asserted-Identity", f"<sip:{number}@127.0.0.3>")
    async with way(line) as desk:
        for privacy in ("id", "user;id", "ID;critical", "header;user", "full"):
            assert await ring(line, HIDDEN, (known, ("Privacy", privacy))) == 200
        assert await ring(line, number, (("Privacy", "id"),)) == 200
        assert await ring(line, HIDDEN, (("Remote-Party-ID", f"<sip:{number}@127.0.0.3>;privacy=full"),)) == 200
        assert await ring(line, HIDDEN, (known, ("Privacy", "none"))) == 200
    assert [caller for caller, _ in desk.seen] == [*[None] * 7, number]
    # Only the one that allowed it stands in Asterisk's own records, of each of the two ways.
    assert line.pbx.cdr.read_text(encoding="utf-8").count(number) == (1 if way is by_ari else 2)


NAMES = ("n" * 100, "見本 花子", "\udc8c\udca9\udc96{", "\udcff\udcfe", 'a\\"b')


async def test_no_name_and_no_number_is_in_any_log_of_asterisk(line: Network) -> None:
    number = "09006543210"
    async with by_ari(line) as desk:
        for name in NAMES:
            whole = f'"{name}" <sip:{number}@127.0.0.3>'
            assert await ring(line, whole) == 200
            assert await ring(line, HIDDEN, (("P-Asserted-Identity", whole),)) == 200
    assert [caller for caller, _ in desk.seen] == [number] * 2 * len(NAMES)
    logged = b"".join(each.read_bytes() for each in line.pbx.site.log.glob("*.log"))
    assert number[1:].encode() not in logged
    for name in NAMES:
        assert name[:20].encode("utf-8", "surrogateescape") not in logged
    assert not [each for each in complaints(line.pbx.site) if "UTF-8" in each or "parse" in each]


async def test_what_is_no_number_of_ours_is_refused_as_any_unknown_number(line: Network) -> None:
    """Also the names of Asterisk itself: no apology, no call that looks as if the service were down."""
    codes = await asyncio.gather(*(ring(line, "09000000001", number=each) for each in NOT_OURS))
    assert codes == [404] * len(NOT_OURS)
    assert "kenko-last-way" not in line.pbx.cdr.read_text(encoding="utf-8")


#: One for each shape, in From and as the provider asserts it; one whose provider asserts two values; one who hides it;
#: one who rings twice.
(*SHOWN, TWICE, SHY, QUIET) = (
    Person(f"{20000000 + at}", "見本", f"0900800{at:04}", (Call("answers", CallScript()),))
    for at in range(2 * len(SHAPES) + 3)
)


#: Somebody who says nothing is let go soon.
SHORT = """
id: short
title: {ja: 1つの質問, en: One question}
language: ja
times: {first_key: 5, inter_key: 5, total: 20}
tries: 2
opening: []
questions: [{id: cough, kind: yes_no_unknown, ask: [daily/cough, frame/yes_no_unknown]}]
closing: [daily/closing]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def service(line: Network, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """Our service at seven in the morning: it rings nobody."""
    asterisk = {"log": str(line.pbx.site.log)}
    changes: dict[str, object] = {
        "practice_clock": "2026-11-04 07:00",
        "lines": {"total": 30, "reserved_for_inbound": 20},
        "pbx": {"asterisk": asterisk, "inbound_numbers": ["+815000000100"]},
    }
    folder = tmp_path_factory.mktemp("service")
    (folder / "short.yaml").write_text(SHORT, encoding="utf-8")
    changes["questionnaire"] = str(folder / "short.yaml")
    made = write_files(line, (*SHOWN, TWICE, SHY, QUIET), folder, changes)
    assert (await command(made, "check"))[0] == 0
    code, _, complaint = await command(made, "people", "import", "--yes", str(made.folder / "people.csv"))
    assert code == 0, complaint
    # What was sent astray before the service was there is told, too.
    assert await ring(line, "09000000001", number="+815000000199") == 404
    async with running_service(made):
        async with asyncio.timeout(30):
            while await ring(line, "09000000001") != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        yield made


def sessions_of(service: Installation) -> set[tuple[str | None, str | None, Auth]]:
    with open_reader(service.database) as reader:
        return set(reader.read(calls_and_sessions))


async def test_one_person_in_every_shape_of_their_number(line: Network, service: Installation) -> None:
    """The same greeting, and no question who it is: the questions begin, on the session of a registered number."""

    said: list[tuple[str, Headers]] = []
    for person, shape in zip(SHOWN, SHAPES * 2, strict=True):
        shown = shape.format(person.number[1:])
        asserted = ("P-Asserted-Identity", f"<sip:{shown}@127.0.0.3>")
        said.append((shown, ()) if len(said) < len(SHAPES) else (HIDDEN, (asserted,)))
    both = f"<sip:+81{TWICE.number[1:]}@127.0.0.3>, <tel:+81{TWICE.number[1:]}>"
    said.append((HIDDEN, (("P-Asserted-Identity", both),)))
    legs = await asyncio.gather(*(line.far.call(INBOUND_NUMBER, *each) for each in said))
    assert [code_of(each) for each in legs] == [200] * len(said)
    known = {(each.id, each.number, Auth.REGISTERED_NUMBER) for each in (*SHOWN, TWICE)}
    async with asyncio.timeout(40):
        while sessions_of(service) != known:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await asyncio.gather(*(each.bye() for each in legs))


async def test_a_withheld_number_is_asked_who_it_is_and_stored_nowhere(line: Network, service: Installation) -> None:
    headers = (("P-Asserted-Identity", f"<sip:{SHY.number}@127.0.0.3>"), ("Privacy", "id"))
    leg = await line.far.call(INBOUND_NUMBER, HIDDEN, headers)
    assert code_of(leg) == 200
    await leg.listen()
    await leg.press(f"{SHY.id}#")
    await leg.pause(2)  # into the next question
    await leg.press(BIRTH_DATE_KEYS)
    async with asyncio.timeout(40):
        while (SHY.id, None, Auth.WITHHELD) not in sessions_of(service):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await leg.bye()


async def test_calls_that_went_astray_are_an_alarm_that_shows_the_form(service: Installation) -> None:
    _, said, _ = await command(service, "alarms", "--json")
    (alarm,) = [each for each in json.loads(said)["alarms"] if each["kind"] == "not_ours"]
    assert "+815000000199 (1)" in alarm["details"]
    _, said, _ = await command(service, "doctor", "--json")
    assert any(each["check"] == "alarms" and "inbound_numbers" in each["says"] for each in json.loads(said)["lines"])


async def test_who_reports_on_another_call_while_one_is_silent_could_enter(
    line: Network, service: Installation
) -> None:
    silent = await line.far.call(INBOUND_NUMBER, QUIET.number)
    await silent.listen()
    speaking = await line.far.call(INBOUND_NUMBER, QUIET.number)
    await speaking.walk(["1"])
    await asyncio.gather(speaking.until_over(), silent.until_over())
    with open_reader(service.database) as reader:
        assert (QUIET.id, "complete") in reader.read(report_ends)
        assert [each for each in reader.read(tasks) if each[0] == QUIET.id] == []
