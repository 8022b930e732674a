"""Starts and stops one Asterisk: ready when it says so, gone when we are gone."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
from collections.abc import AsyncIterator

import aiohttp

from ivr import pbx
from ivr.errors import KenkoError, problem
from ivr.pbx import PbxSite
from sandbox.ari import authorization
from sandbox.install import Asterisk

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
#: Bytes of a UNIX socket's path (sockaddr_un), less one for the end.
_LONGEST_SOCKET = 107
#: pjproject says so of the first module that it takes in after a SIP message (Asterisk 22: the transports are bound
#: before the last modules are loaded). Another's OPTIONS at that moment brings it about; it waits 100 ms and is fine.
_EARLY_PACKET = "registered during operation"


class CannotStart(KenkoError):
    """The practice network cannot start; the message says why and what to do."""


@contextlib.asynccontextmanager
async def running(asterisk: Asterisk, site: PbxSite, files: dict[str, str]) -> AsyncIterator[int]:
    """One Asterisk with these files, ready for ARI and SIP; gives its process id. Raises CannotStart."""
    _check_ports(site)
    _prepare(site, files)
    with (site.log / "console.log").open("wb") as console:
        process = await asyncio.create_subprocess_exec(
            *(*asterisk.command, "-C", str(site.etc / "asterisk.conf"), "-f"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
    try:
        await _until_ready(site, process)
        yield process.pid
    finally:
        await asyncio.shield(_stop(process))


def complaints(site: PbxSite) -> list[str]:
    """Lines of WARNING or ERROR in the log of an instance, without those that tell of a moment and not of a fault."""
    log = site.log / "messages.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return [each for each in lines if ("WARNING[" in each or "ERROR[" in each) and _EARLY_PACKET not in each]


def _die_with_parent() -> None:
    # Between fork and exec: the kernel ends Asterisk when the thread that started it ends, however that comes.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prepare(site: PbxSite, files: dict[str, str]) -> None:
    if len(os.fsencode(site.run / "asterisk.ctl")) > _LONGEST_SOCKET:
        raise CannotStart(problem("sandbox.folder_too_long", folder=site.run))
    for folder in (
        site.etc,
        site.state,
        site.state / "recording",
        site.run,
        site.log,
        site.log / "cdr-custom",
        site.log / "cel-custom",
    ):
        folder.mkdir(parents=True, exist_ok=True)
    # Old complaints are not this run's.
    (site.log / "messages.log").unlink(missing_ok=True)
    pbx.write(files, site.etc)


def _check_ports(site: PbxSite) -> None:
    wanted = [
        (socket.SOCK_DGRAM, site.sip_address, site.sip_port),
        (socket.SOCK_STREAM, site.ari_address, site.ari_port),
    ]
    for kind, address, port in wanted:
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                raise CannotStart(problem("sandbox.port_in_use", port=port)) from None


async def _until_ready(site: PbxSite, process: asyncio.subprocess.Process, seconds: float = 30.0) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not (await _ari_answers(site) and await _sip_answers(site)):
                if process.returncode is not None:
                    break
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise CannotStart(problem("sandbox.not_ready", log=site.log, seconds=int(seconds))) from None
    if process.returncode is not None:
        raise CannotStart(problem("sandbox.ended", log=site.log, status=process.returncode))


async def _ari_answers(site: PbxSite) -> bool:
    url = f"http://{site.ari_address}:{site.ari_port}/ari/asterisk/info"
    headers, timeout = authorization(site), aiohttp.ClientTimeout(total=2)
    try:
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session, session.get(url) as reply:
            return reply.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _sip_answers(site: PbxSite) -> bool:
    """Whether an OPTIONS gets any reply; from 127.0.0.1 we are the trunk, so it is 200 or 404."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        request = (
            f"OPTIONS sip:{site.sip_address}:{site.sip_port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{os.urandom(8).hex()};rport\r\n"
            f"From: <sip:ready@127.0.0.1:{port}>;tag={os.urandom(4).hex()}\r\n"
            f"To: <sip:{site.sip_address}:{site.sip_port}>\r\n"
            f"Call-ID: {os.urandom(8).hex()}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n"
        )
        await loop.sock_sendto(probe, request.encode(), (site.sip_address, site.sip_port))
        try:
            async with asyncio.timeout(0.5):
                return (await loop.sock_recv(probe, 4096)).startswith(b"SIP/2.0 ")
        except (TimeoutError, OSError):
            return False


async def _stop(process: asyncio.subprocess.Process, seconds: float = 5.0) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
                return
        except TimeoutError:
            continue
