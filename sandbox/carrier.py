"""The carrier: owns all fictional numbers, lets their people answer and call, and writes down what it saw."""

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote

from ivr.pbx import PbxSite
from sandbox.ari import Ari, Event
from sandbox.handset import Clock
from sandbox.journal import CALLING, CallRecord, Invite, read_invites
from sandbox.line import Line
from sandbox.presented import Said
from sandbox.script import Call, CallScript, Does, Person

log = logging.getLogger(__name__)

WITHHELD = "withheld"
HOUSE = "house"
_NOBODY = Call("not_in_service", CallScript(does=Does.NOT_IN_SERVICE))


class CarrierLost(Exception):
    """The carrier has no Asterisk any more: nothing that was seen since can be believed."""


class Carrier:
    """The running application of the carrier's Asterisk."""

    def __init__(self, ari: Ari, site: PbxSite, people: Iterable[Person], recordings: Path, pid: int) -> None:
        self._ari = ari
        self._site = site
        self.people = tuple(people)
        self._scripts = {each.number: each.calls for each in self.people}
        self.pid = pid  #: of its Asterisk, for measuring
        self.recordings = recordings
        self._clock = Clock()
        self._lines: dict[str, Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()
        self._records: dict[str, CallRecord] = {}
        self.said: list[Said] = []  #: what each call to a number that exists said of who rings
        self._watchers: list[Callable[[CallRecord], None]] = []

    @property
    def calls(self) -> list[CallRecord]:
        """All calls in the order in which they began; a call in progress as it stands."""
        return list(self._records.values())

    def calls_of(self, number: str) -> list[CallRecord]:
        """The calls to or from one number."""
        return [each for each in self.calls if each.number == number]

    def invites(self) -> list[Invite]:
        """Every call that reached this carrier, as its Asterisk wrote it down."""
        return read_invites(self._site.log / "cel-custom" / "invites.csv")

    def watch(self, watcher: Callable[[CallRecord], None]) -> None:
        """Be told whenever a call changes."""
        self._watchers.append(watcher)

    def assign(self, number: str, calls: Iterable[Call | CallScript]) -> None:
        """From now on this number belongs to somebody who does this; their calls count from 1 again."""
        self._scripts[number] = tuple(each if isinstance(each, Call) else Call("own", each) for each in calls)
        self._counts[number] = 0

    async def run(self) -> None:
        """Serve until cancelled. Raises CarrierLost: from then on every call would meet a dead network."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._clock.run())
            try:
                async for event in self._ari.events():
                    self._dispatch(event)
                raise CarrierLost(f"the carrier's Asterisk closed its connection; see {self._site.log}")
            finally:
                for each in self._tasks:
                    each.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def call_in(self, script: CallScript, from_number: str | None, to: str | None = None) -> CallRecord:
        """Somebody calls us (`from_number` None: number withheld); returns when the call is over."""
        trunk = "pbx" if from_number else "pbx-withheld"
        return await self._place(script, from_number or WITHHELD, to or self._site.presented_number, trunk, from_number)

    async def call_from_house(self, script: CallScript, extension: str) -> CallRecord:
        """One of our staff uses the telephone in our house; returns when the call is over."""
        return await self._place(script, HOUSE, extension, "pbx-house", None)

    async def _place(
        self, script: CallScript, number: str, to: str, endpoint: str, caller_id: str | None
    ) -> CallRecord:
        line = self._open(CALLING + secrets.token_hex(6), number, Call("calls in", script), caller=number, inbound=True)
        try:
            await self._ari.request(
                "POST",
                "/channels",
                endpoint=f"PJSIP/{to}@{endpoint}",
                channelId=line.channel,
                app=self._site.application,
                appArgs="calling",
                timeout=60,
                **({"callerId": caller_id} if caller_id else {}),
            )
            if await line.wait_up(65):
                await line.talk(script, self._clock, self._recording(line.record), self._site.application)
        finally:
            self._forget(line)
        return line.record

    def callers(self) -> list[Person]:
        """The people whose script says that they call in, in their order."""
        return sorted((each for each in self.people if each.calls_in), key=lambda each: each.calls_order)

    async def call_in_as(self, person: Person) -> CallRecord:
        """The call that this person's script says they make."""
        if person.calls_in is None:
            raise ValueError(f"{person.id} has no calls_in")
        return await self.call_in(person.calls_in.script, person.calls_from)

    def _dispatch(self, event: Event) -> None:
        channel = event.get("channel", {}).get("id", "")
        if event["type"] == "StasisStart" and event["args"][:1] == ["called"]:
            self._serve(event)
        elif line := self._lines.get(channel):
            line.event(event)

    def _serve(self, event: Event) -> None:
        channel, (number, *told) = event["channel"], event["args"][1:]
        sender, asserted, privacy, other = map(unquote, told)
        self.said.append(Said(number, sender, [asserted] if asserted else [], privacy, other))
        self._counts[number] += 1
        calls = self._scripts.get(number, ())
        call = calls[min(self._counts[number], len(calls)) - 1] if calls else _NOBODY
        line = self._open(channel["id"], number, call, caller=channel["caller"]["number"], inbound=False)
        task = asyncio.create_task(self._let(line, call.script))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let(self, line: Line, script: CallScript) -> None:
        try:
            if script.does in (Does.ANSWERS, Does.RINGS):
                if await line.ring(script.ring if script.does is Does.ANSWERS else None):
                    await line.talk(script, self._clock, self._recording(line.record), self._site.application)
            else:
                await line.refuse(script.does)
        except Exception:
            log.exception("call failed", extra={"action": "sandbox.call", "call": line.channel})
        finally:
            self._forget(line)

    def _open(self, channel: str, number: str, call: Call, *, caller: str, inbound: bool) -> Line:
        if inbound:
            self._counts[f"in-{number}"] += 1
        record = CallRecord(
            call_id=channel,
            number=number,
            count=self._counts[f"in-{number}" if inbound else number],
            inbound=inbound,
            behaviour=call.behaviour,
            caller=caller,
            began=time.time(),
        )
        line = Line(self._ari, record, self._changed)
        self._lines |= {line.channel: line, line.ear_channel: line}
        self._changed(record)
        return line

    def _forget(self, line: Line) -> None:
        self._lines.pop(line.channel, None)
        self._lines.pop(line.ear_channel, None)

    def _changed(self, record: CallRecord) -> None:
        self._records[record.call_id] = record
        for each in self._watchers:
            each(record)

    def _recording(self, record: CallRecord) -> Path:
        way = "in-" if record.inbound else ""
        return self.recordings / f"{record.number}-{way}{record.count}.wav"
