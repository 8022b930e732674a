"""The network of the benchmark: one carrier that calls, and two equal PBXs, one for each side of the comparison."""

import contextlib
import shutil
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from bench.calls import FIRST_KEY_SECONDS, HOLD_SECONDS, KEY_SECONDS, PAUSE_SECONDS
from ivr import pbx
from ivr.pbx import PbxSite, Trunk
from ivr.questionnaire.model import Questionnaire
from sandbox import ari
from sandbox.ari import Ari
from sandbox.asterisk import complaints, running
from sandbox.carrier import Carrier
from sandbox.network import Network, Pbx, carrier_files
from sandbox.settings import INBOUND_NUMBER, PORTS, PROMPTS, NetworkSettings, carrier_site, pbx_site

CONFIG = Path(__file__).with_name("config")
#: On either PBX: calls to INBOUND_NUMBER reach our service, calls to this one the pure dialplan.
PLAIN_NUMBER = "05000000101"
#: What both sides play to its end is cut to this: the shorter a call, the less the sound hides what we cost.
CUT_SECONDS = 0.7
_CUT = ("frame/inbound_greeting", "daily/closing")


@dataclass(frozen=True)
class Target:
    """One of the two PBXs, and the number on it that is called."""

    network: Network
    number: str

    @property
    def pid(self) -> int:
        """Of its Asterisk."""
        return self.network.pbx.pid

    @property
    def endpoint(self) -> str:
        """How the carrier's Asterisk reaches the number."""
        return f"PJSIP/pbx/sip:{self.number}@127.0.0.1:{self.network.pbx.site.sip_port}"


@dataclass(frozen=True)
class Bench:
    """Everything that runs, but our service."""

    carrier: Ari
    carrier_pid: int
    plain: Target
    kenko: Target
    prompts: Path
    sites: tuple[PbxSite, ...]

    def complaints(self) -> list[str]:
        """WARNING and ERROR lines of all three Asterisks."""
        return [line for site in self.sites for line in complaints(site)]


@contextlib.asynccontextmanager
async def running_bench(settings: NetworkSettings, questionnaire: Questionnaire) -> AsyncIterator[Bench]:
    """Start the three Asterisks. Takes the ports of two networks from the base port. Raises CannotStart."""
    prompts = cut_prompts(settings.folder / "prompts")
    settings = replace(settings, prompts=prompts)
    calling = carrier_site(settings)
    sites = (_site(settings, 0, calling), _site(settings, 1, calling))
    async with contextlib.AsyncExitStack() as stack:
        carrier_pid = await stack.enter_async_context(running(settings.asterisk, calling, _carrier_files(settings)))
        access = await stack.enter_async_context(ari.connected(calling))
        pids = [
            await stack.enter_async_context(running(settings.asterisk, site, pbx_files(site, questionnaire)))
            for site in sites
        ]
        carrier = Carrier(access, calling, (), settings.folder, carrier_pid)
        plain, kenko = (Network(settings, Pbx(*each), carrier) for each in zip(sites, pids, strict=True))
        yield Bench(
            access,
            carrier_pid,
            Target(plain, PLAIN_NUMBER),
            Target(kenko, INBOUND_NUMBER),
            prompts,
            (calling, *sites),
        )


def cut_prompts(folder: Path) -> Path:
    """A copy of the sounds in which greeting and closing are short, without the script that would refuse those."""
    shutil.copytree(PROMPTS / "ja", folder / "ja")
    for prompt in _CUT:
        path = folder / "ja" / f"{prompt}.wav"
        with wave.open(str(path)) as sound:
            shape, frames = sound.getparams(), sound.readframes(int(CUT_SECONDS * sound.getframerate()))
        with wave.open(str(path), "wb") as sound:
            sound.setparams(shape)
            sound.writeframes(frames)
    return folder


def pbx_files(site: PbxSite, questionnaire: Questionnaire) -> dict[str, str]:
    """A PBX as any site has it, and beside it the questionnaire as a dialplan."""
    files = pbx.render(site)
    sounds = f"{site.prompts}/ja"
    first, *others = (each.ask for each in questionnaire.questions)
    asked = [[*questionnaire.opening, *first], *others]
    values = {
        "site": site,
        "plain_number": PLAIN_NUMBER,
        "sounds": sounds,
        "questions": ["&".join(f"{sounds}/{prompt}" for prompt in each) for each in asked],
    }
    files["extensions.conf"] += pbx.fill(CONFIG, **values, **_CALLER)["pbx_dialplan.conf"]
    files["modules.conf"] += "load = app_read.so\n"
    return files


_CALLER = {
    "first_key": FIRST_KEY_SECONDS,
    "pause_ms": round(PAUSE_SECONDS * 1000),
    "key_ms": round(KEY_SECONDS * 1000),
    "hold_seconds": HOLD_SECONDS,
}


def _carrier_files(settings: NetworkSettings) -> dict[str, str]:
    files = carrier_files(settings)
    nothing = {"site": carrier_site(settings), "plain_number": "", "sounds": "", "questions": ()}
    files["extensions.conf"] += pbx.fill(CONFIG, **nothing, **_CALLER)["carrier_dialplan.conf"]
    files["modules.conf"] += "load = app_senddtmf.so\n"
    files["asterisk.conf"] = files["asterisk.conf"].replace("[options]\n", "[options]\ntransmit_silence = yes\n")
    return files


def _site(settings: NetworkSettings, index: int, carrier: PbxSite) -> PbxSite:
    """The first or second PBX; both have the same trunk."""
    folder = settings.folder / f"side{index}"
    site = pbx_site(replace(settings, folder=folder, base_port=settings.base_port + index * PORTS))
    return replace(site, trunk=Trunk("127.0.0.1", carrier.sip_port, ("127.0.0.1/32",), qualify_seconds=1))
