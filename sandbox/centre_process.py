"""The stand-in centre in a process of its own, and what our service's settings say of it."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from ivr.errors import KenkoError, problem
from sandbox.centre import ADDRESS, certificates_in
from sandbox.service import ROOT


class NoCentre(KenkoError):
    """The stand-in centre did not start."""


@contextlib.asynccontextmanager
async def running_centre(folder: Path, port: int) -> AsyncIterator[None]:
    """The centre of this absolute folder on this port, until the end of the block. Raises NoCentre."""
    words = (sys.executable, "-m", "sandbox.centre", str(folder), str(port))
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        if not await process.stdout.readline():
            raise NoCentre(problem("sandbox.no_centre", port=port))
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def sync_settings(folder: Path, port: int) -> dict[str, str]:
    """The part `sync` of config.yaml that leads to the centre of this absolute folder on this port."""
    certificates = certificates_in(folder / "certificates")
    return {
        "centre_url": f"https://{ADDRESS}:{port}",
        "ca_file": str(certificates.ca),
        "certificate_file": str(certificates.client.certificate),
        "key_file": str(certificates.client.key),
    }
