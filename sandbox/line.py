"""One call at the carrier, from the first ring to the hang-up: a scripted person on a telephone."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox import patient, sound
from sandbox.ari import Ari, Event
from sandbox.handset import Clock, Handset
from sandbox.journal import CallRecord, KeyPress, Speech
from sandbox.listening import Ear, Heard
from sandbox.patient import Act, Patient
from sandbox.script import HANG_UP, SIP_STATUS, CallScript, Does, spoken_and_pressed

#: How long a key sounds; Asterisk drops what is shorter than 80 ms.
KEY_SECONDS = 0.12
#: Asterisk itself is quiet so long before the first key of a request (main/app.c, 22.10.1).
QUIET_SECONDS = 0.1
#: After the last key: the sound that it stops may still be on its way.
DEAF_SECONDS = 0.3


@dataclass(frozen=True)
class Up:
    """The other side is there: answered, or the ear is in its place."""


@dataclass(frozen=True)
class Gone:
    """The channel is no more."""


News = Up | Gone | tuple[Heard, float]


class Line:
    """A call: its channel, its telephone, and the entry of the journal that grows with it."""

    def __init__(self, ari: Ari, record: CallRecord, changed: Callable[[CallRecord], None]) -> None:
        self.record = record
        self._ari = ari
        self._changed = changed
        self._inbox: asyncio.Queue[News] = asyncio.Queue()
        self._ear_ready = asyncio.Event()
        self._gone = asyncio.Event()
        self._we_hung_up = False

    @property
    def channel(self) -> str:
        """The channel's id."""
        return self.record.call_id

    @property
    def ear_channel(self) -> str:
        """The id of the channel that carries the sound to our telephone."""
        return f"ear-{self.record.call_id}"

    def note(self, **changes: object) -> None:
        """Write into the journal."""
        self.record = replace(self.record, **changes)  # type: ignore[arg-type]
        self._changed(self.record)

    def event(self, event: Event) -> None:
        """Something happened to a channel of this call."""
        mine = event["channel"]["id"] == self.channel
        match event["type"]:
            case "StasisStart" if mine:
                self._inbox.put_nowait(Up())
            case "StasisStart":
                self._ear_ready.set()
            case "StasisEnd" | "ChannelDestroyed" if mine and not self._gone.is_set():
                self._gone.set()
                self._inbox.put_nowait(Gone())

    def heard(self, heard: Heard, now: float, handset: Handset) -> None:
        """The telephone's ear noticed something."""
        offset = handset.offset(now)
        if heard is Heard.BEGAN:
            speeches = (*self.record.speeches, Speech(offset))
            self.note(prompts_heard=self.record.prompts_heard + 1, speeches=speeches)
        elif self.record.speeches:
            *before, last = self.record.speeches
            self.note(speeches=(*before, replace(last, ended=offset)))
        self._inbox.put_nowait((heard, now))

    async def refuse(self, how: Does) -> None:
        """Do not answer. By the dialplan: no hang-up cause becomes a 603 (21 is sent as 403, 31 as 480; 22.10.1)."""
        await self._ari.attempt(
            "POST", f"/channels/{self.channel}/continue", context="refuse", extension=SIP_STATUS[how], priority=1
        )
        await self._gone.wait()
        self._close("patient")

    async def ring(self, seconds: float | None) -> bool:
        """Ring so long, or for ever; whether the caller is still there."""
        await self._ari.attempt("POST", f"/channels/{self.channel}/ring")
        try:
            async with asyncio.timeout(seconds):
                await self._gone.wait()
                self._close("pbx")
                return False
        except TimeoutError:
            return True

    async def wait_up(self, seconds: float) -> bool:
        """Wait for the answer of a call that we placed; whether it came."""
        try:
            async with asyncio.timeout(seconds):
                if isinstance(await self._inbox.get(), Up):
                    return True
        except TimeoutError:
            await self._ari.attempt("DELETE", f"/channels/{self.channel}")
        self._close("pbx")
        return False

    async def talk(self, script: CallScript, clock: Clock, recording: Path, application: str) -> None:
        """Answer (or have been answered), listen and press, until one side hangs up."""
        bridge = f"bridge-{self.channel}"

        def notice(heard: Heard, now: float) -> None:
            self.heard(heard, now, handset)

        async with clock.handset(notice, recording) as handset:
            try:
                target = await self._connect_ear(handset, bridge, application)
                # Joined before it is answered, or the first 40 ms are lost.
                await self._ari.attempt("POST", f"/bridges/{bridge}/addChannel", channel=self.channel)
                await self._ari.attempt("POST", f"/channels/{self.channel}/answer")
                now = time.monotonic()
                says = sound.murmur(script.speaks) if script.speaks else b""
                handset.begin(target, Ear(deaf_until=0 if script.hears_meanwhile else now + script.speaks), says)
                self.note(answered=time.time(), recording=recording)
                await self._converse(script, handset)
            finally:
                await self._ari.attempt("DELETE", f"/channels/{self.channel}")
                await self._ari.attempt("DELETE", f"/channels/{self.ear_channel}")
                await self._ari.attempt("DELETE", f"/bridges/{bridge}")
        self._close("patient" if self._we_hung_up else "pbx")

    async def _connect_ear(self, handset: Handset, bridge: str, application: str) -> tuple[str, int]:
        await self._ari.request("POST", "/bridges", bridgeId=bridge, type="mixing")
        ear = await self._ari.request(
            "POST",
            "/channels/externalMedia",
            channelId=self.ear_channel,
            app=application,
            external_host=f"127.0.0.1:{handset.port}",
            format="ulaw",
        )
        await self._ear_ready.wait()
        await self._ari.request("POST", f"/bridges/{bridge}/addChannel", channel=self.ear_channel)
        place = ear["channelvars"]
        return place["UNICASTRTP_LOCAL_ADDRESS"], int(place["UNICASTRTP_LOCAL_PORT"])

    async def _converse(self, script: CallScript, handset: Handset) -> None:
        person = Patient(script)
        act = patient.after_keys(person, time.monotonic())
        enough = time.monotonic() + script.patience
        while True:
            match await self._news(min(act.at, enough) if act else enough):
                case Gone():
                    return
                case (Heard() as heard, now):
                    person, meant = patient.react(person, heard, now, busy=act is not None)
                    act = act or meant
                case None if act and act.keys:
                    await self._press(act, script.key_pause, handset)
                    act = patient.after_keys(person, time.monotonic())
                case None:
                    await self._hang_up()
                    return

    async def _news(self, until: float) -> News | None:
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                return await self._inbox.get()
        except TimeoutError:
            return None

    async def _press(self, act: Act, pause: float, handset: Handset) -> None:
        speaks, keys = spoken_and_pressed(act.keys)
        if speaks:
            handset.say(sound.murmur(speaks))
            if await self._ended_within(speaks):
                return
            if keys == HANG_UP:
                await self._hang_up()
                return
        for index, key in enumerate(keys):
            if await self._ended_within(max(0.0, pause - QUIET_SECONDS) if index else 0.0):
                return
            began = time.monotonic() + QUIET_SECONDS
            ended = began + KEY_SECONDS
            # One request a key: the moments are then ours to know, and no key is sent into a dead call.
            await self._ari.attempt(
                "POST", f"/channels/{self.channel}/dtmf", dtmf=key, duration=int(KEY_SECONDS * 1000)
            )
            await asyncio.sleep(max(0.0, ended - time.monotonic()))
            press = KeyPress(key, began, ended, handset.offset(began), handset.offset(ended))
            self.note(keys=(*self.record.keys, press))
        handset.listen_anew(time.monotonic() + DEAF_SECONDS)

    async def _ended_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._gone.wait()
        except TimeoutError:
            return False

    async def _hang_up(self) -> None:
        self._we_hung_up = not self._gone.is_set()
        await self._ari.attempt("DELETE", f"/channels/{self.channel}")
        await self._gone.wait()

    def _close(self, ended_by: str) -> None:
        self.note(ended=time.time(), ended_by=ended_by)
