"""Callers that nobody here wrote: SIPp and baresip, as Debian has them, ring our PBX from the provider's side.

They do not listen, so they press by the clock, slowly enough for a machine that is busy.
"""

import asyncio
import contextlib
import json
import os
import wave
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sandbox import keypcap
from sandbox.install import Baresip, find_baresip

#: Seconds from the answer to the first key, from one key to the next, and from one entry to the next.
_FIRST, _BETWEEN, _THINKING = 6.0, 0.6, 6.0
#: Until the call must be over, after the last key.
_END_SECONDS = 30.0
_START_SECONDS = 10.0
#: Ports that one call takes.
PORTS = 20


class Keys(StrEnum):
    """How a telephone sends keys."""

    RFC4733 = "rfc4733"
    INFO = "info"


@dataclass(frozen=True)
class Errand:
    """One call: who rings whom, from where, and what they press."""

    folder: Path  #: new, for the files of this call
    pbx_port: int  #: on 127.0.0.1
    address: str  #: the caller's own
    port: int  #: the first of PORTS that are free
    caller: str
    number: str
    entries: Sequence[str]  #: keys, an entry a question
    keys: Keys


class Failed(Exception):
    """A stranger could not hold the call to its end; with its own words."""


async def ring_with_sipp(errand: Errand) -> None:
    """Make the call, and wait until our side ends it. Raises Failed."""
    errand.folder.mkdir(parents=True)
    scenario = errand.folder / "scenario.xml"
    if errand.keys is Keys.RFC4733:
        keypcap.write(errand.folder / "keys.pcap", _pauses(errand))
    scenario.write_text("\n".join(_scenario(errand)), encoding="utf-8")
    # It sends those packets past the kernel, which only root may.
    as_we_are = errand.keys is Keys.INFO or os.geteuid() == 0
    command = [
        *(() if as_we_are else ("sudo", "-n")),
        *("sipp", f"127.0.0.1:{errand.pbx_port}", "-sf", str(scenario), "-m", "1", "-nostdin", "-trace_err"),
        *("-i", errand.address, "-p", str(errand.port), "-ci", errand.address, "-cp", str(errand.port + 2)),
        *("-mi", errand.address, "-mp", str(errand.port + 4)),
        *("-timeout", f"{_longest(errand):.0f}s", "-timeout_error"),
    ]
    async with _running(command, errand) as process:
        code = await process.wait()
    if code:
        complaints = "".join(each.read_text() for each in errand.folder.glob("*_errors.log"))
        raise Failed(f"sipp ended with {code}: {complaints or _said(errand)}")


async def ring_with_baresip(errand: Errand) -> Path:
    """Make the call, and wait until our side ends it; the recording of what was heard. Raises Failed."""
    baresip = find_baresip()
    if baresip is None:
        raise Failed("no baresip: run .venv/bin/python -m sandbox.install --strangers")
    errand.folder.mkdir(parents=True)
    with wave.open(str(errand.folder / "silence.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(int(2 * 8000 * _longest(errand))))
    account, config = [_account(errand)], _baresip_config(errand, baresip)
    for name, lines in (("config", config), ("accounts", account), ("contacts", [])):
        (errand.folder / name).write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    async with _running([*baresip.command, "-f", str(errand.folder)], errand):
        try:
            async with asyncio.timeout(_longest(errand)):
                await _dial_and_press(errand)
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            raise Failed(f"baresip: {error!r}: {_said(errand)}") from error
    (heard,) = errand.folder.glob("dump-*-dec.wav")
    return heard


def _longest(errand: Errand) -> float:
    keys = sum(len(each) for each in errand.entries)
    return _START_SECONDS + _FIRST + keys * _BETWEEN + len(errand.entries) * _THINKING + _END_SECONDS


@contextlib.asynccontextmanager
async def _running(command: Sequence[str], errand: Errand) -> AsyncIterator[asyncio.subprocess.Process]:
    with (errand.folder / "said.log").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=errand.folder, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(_START_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def _said(errand: Errand) -> str:
    return (errand.folder / "said.log").read_text(encoding="utf-8", errors="replace")[-2000:]


def _pauses(errand: Errand) -> Iterator[tuple[float, str]]:
    """Each key, and the seconds before it."""
    pause = _FIRST
    for entry in errand.entries:
        for key in entry:
            yield pause, key
            pause = _BETWEEN
        pause = _THINKING


_HEAD = """\
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]-[call_number]
To: <sip:{number}@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
Contact: <sip:{caller}@[local_ip]:[local_port]>
Max-Forwards: 70"""
_OFFER = f"""\
v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 {keypcap.EVENTS}
a=rtpmap:0 PCMU/8000
a=rtpmap:{keypcap.EVENTS} telephone-event/8000
a=fmtp:{keypcap.EVENTS} 0-15"""


def _scenario(errand: Errand) -> Iterator[str]:
    """What SIPp does. No pause after the last key: a BYE that comes in a pause was not expected."""

    def send(method: str, sequence: str, kind: str = "", body: str = "") -> str:
        head = _HEAD.format(caller=errand.caller, number=errand.number)
        to = f"sip:{errand.number}@[remote_ip]:[remote_port]"
        kind = f"Content-Type: {kind}\n" if kind else ""
        end = f"CSeq: {sequence}\n{kind}Content-Length: [len]\n\n{body}"
        return f"<send><![CDATA[\n{method} {to} SIP/2.0\n{head}\n{end}\n]]></send>"

    yield '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="a report">'
    yield send("INVITE", "1 INVITE", "application/sdp", _OFFER)
    yield '<recv response="100" optional="true"/><recv response="180" optional="true"/>'
    yield '<recv response="183" optional="true"/><recv response="200" rtd="true"/>'
    yield send("ACK", "1 ACK")
    if errand.keys is Keys.RFC4733:
        yield f'<nop><action><exec play_pcap_audio="{errand.folder}/keys.pcap"/></action></nop>'
    else:
        for count, (pause, key) in enumerate(_pauses(errand), 2):
            yield f'<pause milliseconds="{1000 * pause:.0f}"/>'
            yield send("INFO", f"{count} INFO", "application/dtmf-relay", f"Signal={key}\nDuration=160")
            yield '<recv response="200"/>'
    yield f'<recv request="BYE" timeout="{1000 * _longest(errand):.0f}"/>'
    yield "<send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]"
    yield "Content-Length: 0\n\n]]></send>\n</scenario>"


def _account(errand: Errand) -> str:
    mode = ";dtmfmode=info" if errand.keys is Keys.INFO else ""
    address = f"sip:{errand.caller}@127.0.0.1:{errand.pbx_port};transport=udp"
    return f"<{address}>;regint=0;audio_codecs=pcmu{mode}"


def _baresip_config(errand: Errand, baresip: Baresip) -> Iterator[str]:
    # It takes the port after its own, too, for TLS.
    yield f"sip_listen {errand.address}:{errand.port}"
    yield f"ctrl_tcp_listen {errand.address}:{errand.port + 2}"
    yield f"rtp_ports {errand.port + 4}-{errand.port + PORTS - 1}"
    yield f"module_path {baresip.modules}"
    for each in ("g711", "aufile", "aubridge", "sndfile"):
        yield f"module {each}.so"
    for each in ("account", "menu", "ctrl_tcp"):
        yield f"module_app {each}.so"
    # The call ends when the sound that is sent does.
    yield f"audio_source aufile,{errand.folder}/silence.wav"
    yield "audio_player aubridge,nobody"
    yield f"snd_path {errand.folder}"


async def _dial_and_press(errand: Errand) -> None:
    while True:
        try:
            reader, writer = await asyncio.open_connection(errand.address, errand.port + 2)
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.1)

    async def tell(command: str, parameters: str) -> None:
        said = json.dumps({"command": command, "params": parameters}).encode()
        writer.write(b"%d:%s," % (len(said), said))
        await writer.drain()

    try:
        await tell("dial", f"sip:{errand.number}@127.0.0.1:{errand.pbx_port}")
        await _until(reader, "CALL_ESTABLISHED")
        for pause, key in _pauses(errand):
            await asyncio.sleep(pause)
            await tell("sndcode", key)
        await _until(reader, "CALL_CLOSED")
    finally:
        writer.close()


async def _until(reader: asyncio.StreamReader, wanted: str) -> None:
    """Read netstrings to an event of the call. Raises OSError if the call ends before."""
    while True:
        length = int((await reader.readuntil(b":"))[:-1])
        said: dict[str, Any] = json.loads((await reader.readexactly(length + 1))[:-1])
        kind = said.get("type")
        if kind == wanted:
            return
        if kind == "CALL_CLOSED":
            raise OSError(f"the call ended: {said.get('param')}")
