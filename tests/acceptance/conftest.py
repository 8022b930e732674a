"""A practice network whose prompts are cut to their first words, so that a whole morning takes a minute."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.install import Asterisk
from sandbox.network import Network, running_network
from sandbox.ports import reserved_base_port
from sandbox.settings import PROMPTS, NetworkSettings
from tests.acceptance import audio
from tests.asterisk.conftest import asterisk

__all__ = ["asterisk", "network", "short_prompts"]

#: Longer than a key and the deaf moment after it, so that every prompt is noticed.
CLIP_SECONDS = 0.9


@pytest.fixture(scope="session")
def short_prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All prompts, each cut short; the quiet one is as it is."""
    folder = tmp_path_factory.mktemp("prompts")
    for path in (PROMPTS / "ja").glob("*/*.wav"):
        target = folder / path.relative_to(PROMPTS)
        audio.write(target, audio.clip(audio.read(path), CLIP_SECONDS))
    shutil.copy(PROMPTS / "ja/frame/quiet.wav", folder / "ja/frame/quiet.wav")
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def network(
    asterisk: Asterisk, short_prompts: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    """Both sides, running. Tests that use it need `pytest.mark.asyncio(loop_scope="session")`."""
    with reserved_base_port() as base:
        settings = NetworkSettings(
            tmp_path_factory.mktemp("net"),
            asterisk,
            base,
            prompts=short_prompts,
            channels=60,
            second_trunk=True,
            info_trunk=True,
            far_end=True,
        )
        async with running_network(settings) as running:
            yield running
