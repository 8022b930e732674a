"""What goes wrong around a service in the practice network: a full disk, a process that stands still, a broken way.

Everything is done from outside and taken back afterwards; nothing of ours knows of it.
"""

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import pairwise
from pathlib import Path

from sandbox.journal import CallRecord

#: Enough for a database, its journal and the log of a long run.
_DISK_MEGABYTES = 64


@dataclass
class Disk:
    """The disk of a service: a small file system of its own, or, where nobody may mount one, a limit on its files."""

    folder: Path
    is_mounted: bool

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self, pid: int) -> None:
        """From now on the process can write nothing more."""
        if not self.is_mounted:
            # Python ignores SIGXFSZ: every write fails, with EFBIG instead of ENOSPC.
            _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
            return
        with suppress(OSError), self._filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def free(self, pid: int) -> None:
        """There is room again."""
        if self.is_mounted:
            self._filler.unlink(missing_ok=True)
            return
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk for the files of a service, at `folder`."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MEGABYTES}m,mode=700", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield Disk(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


@asynccontextmanager
async def standing_still(pid: int) -> AsyncIterator[None]:
    """A process gets no time until the end of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Way(Enum):
    """How a connection is."""

    OPEN = auto()
    BLACKHOLE = auto()  #: open, and nothing gets through
    SLOW = auto()  #: everything gets through half a second later


@dataclass
class Road:
    """The way from a service to Asterisk, which can be cut."""

    host: str
    port: int
    way: Way = Way.OPEN
    address: str = ""
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """All connections end at once."""
        for each in list(self._writers):
            each.transport.abort()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Road"]:
        """Until the end of the block."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        self.address = f"http://{host}:{port}"
        try:
            yield self
        finally:
            server.close()
            self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, back}
        self._writers |= both
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer), return_exceptions=True)
        self._writers -= both

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                while self.way is Way.BLACKHOLE:  # noqa: ASYNC110 - the test's own state tells nobody
                    await asyncio.sleep(0.1)
                if self.way is Way.SLOW:
                    await asyncio.sleep(0.5)
                sink.write(data)
                await sink.drain()
        finally:
            sink.close()


def at_once(calls: list[CallRecord]) -> list[str]:
    """Numbers that were rung by us while another call of ours to them lived."""
    found = []
    ours = sorted((each for each in calls if not each.inbound), key=lambda each: (each.number, each.began))
    for before, after in pairwise(ours):
        if before.number == after.number and (before.ended is None or after.began < before.ended):
            found.append(after.number)
    return found


def longest_silence(call: CallRecord) -> float:
    """Seconds of a call in which nothing was said and nothing pressed, between its answer and its end."""
    if call.answered is None or call.ended is None:
        return 0.0
    length = call.ended - call.answered
    spans = [(each.began, length if each.ended is None else each.ended) for each in call.speeches]
    spans += [(each.offset_began, each.offset_ended) for each in call.keys]
    quiet, at = 0.0, 0.0
    for began, ended in sorted(spans):
        quiet, at = max(quiet, began - at), max(at, ended)
    return max(quiet, length - at)
