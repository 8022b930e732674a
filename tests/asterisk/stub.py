"""The least service there can be: places a call, plays prompts one after another, waits for keys after each."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sandbox import ari
from sandbox.ari import Ari, Event
from sandbox.network import Network


@dataclass(frozen=True)
class Step:
    """One prompt and how many keys it takes."""

    sounds: Sequence[str]  #: prompt ids
    keys: int


@dataclass
class Stub:
    """An application on our PBX."""

    network: Network
    ari: Ari
    steps: Sequence[Step]
    heard: dict[str, str] = field(default_factory=lambda: defaultdict(str))  #: channel -> all keys
    destroyed: dict[str, Event] = field(default_factory=dict)
    _inbox: dict[str, asyncio.Queue[Event]] = field(default_factory=lambda: defaultdict(asyncio.Queue))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            async for event in self.ari.events():
                playback = event.get("playback", {}).get("target_uri", "").removeprefix("channel:")
                channel = event.get("channel", {}).get("id") or playback
                if event["type"] == "StasisStart":
                    group.create_task(self._talk(channel, longest="".join(event["args"][2:])))
                self._inbox[channel].put_nowait(event)

    async def watch(self, ends: Ari) -> None:
        async for event in ends.events():
            if event["type"] == "ChannelDestroyed":
                self.destroyed[event["channel"]["id"]] = event

    async def _talk(self, channel: str, *, longest: str) -> None:
        """`longest`: seconds for which an inbound call may last."""
        if longest:
            variable = f"/channels/{channel}/variable"
            await self.ari.request("POST", variable, variable="TIMEOUT(absolute)", value=longest)
            await self.ari.request("POST", f"/channels/{channel}/answer")
            await asyncio.sleep(0.5)
        for step in self.steps:
            if not await self._ask(channel, step):
                return
        await self.ari.attempt("DELETE", f"/channels/{channel}")

    async def _ask(self, channel: str, step: Step) -> bool:
        prompts = self.network.settings.prompts.resolve() / "ja"
        media = ",".join(f"sound:{prompts / each}" for each in step.sounds)
        playback = (await self.ari.request("POST", f"/channels/{channel}/play", media=media))["id"]
        keys, plays = 0, True
        while keys < step.keys or (plays and not step.keys):
            event = await self._inbox[channel].get()
            match event["type"]:
                case "ChannelDtmfReceived":
                    keys += 1
                    self.heard[channel] += event["digit"]
                    await self.ari.attempt("DELETE", f"/playbacks/{playback}")
                case "PlaybackFinished" if event["playback"]["id"] == playback:
                    plays = False
                case "StasisEnd":
                    return False
        return True


@asynccontextmanager
async def stub_service(network: Network, steps: Sequence[Step]) -> AsyncIterator[Stub]:
    """Serve `steps` to whoever calls or is called."""
    trunk = replace(network.pbx.site, application="kenko-trunk")
    async with ari.connected(network.pbx.site) as access, ari.connected(trunk) as ends:
        # Without it the end of a call that was never answered is not told; as one application with the rest,
        # every key would arrive twice (22.10.1).
        source = f"endpoint:PJSIP/{network.pbx.trunk}"
        await ends.request("POST", "/applications/kenko-trunk/subscription", eventSource=source)
        stub = Stub(network, access, steps)
        serving = [asyncio.create_task(stub.run()), asyncio.create_task(stub.watch(ends))]
        try:
            yield stub
        finally:
            for each in serving:
                each.cancel()
            await asyncio.gather(*serving, return_exceptions=True)


async def dial(access: Ari, network: Network, number: str, ring: int = 20) -> str:
    """Ring a number as our service does: into the dialplan, never `app=`."""
    reply = await access.request(
        "POST",
        "/channels",
        endpoint=f"PJSIP/{number}@{network.pbx.trunk}",
        context=network.pbx.site.outbound_context,
        extension="answered",
        priority=1,
        timeout=ring,
        callerId=network.pbx.inbound_number,
        channelId=f"test-{number}",
    )
    return str(reply["id"])
