"""One practice network for the whole session: starting it takes seconds, and most tests only place calls."""

import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.install import Asterisk, find_asterisk
from sandbox.network import Network, running_network
from sandbox.ports import free_base_port
from sandbox.settings import NetworkSettings


@pytest.fixture(scope="session")
def asterisk() -> Asterisk:
    """The real thing."""
    found = find_asterisk()
    if found is None:
        pytest.fail("no Asterisk: run scripts/test, or .venv/bin/python -m sandbox.install")
    return found


@pytest.fixture(scope="session")
def new_settings(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], NetworkSettings]:
    """Makes settings for one more network."""
    return lambda: NetworkSettings(_short(tmp_path_factory), asterisk, free_base_port())


def _short(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("net")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def network(new_settings: Callable[[], NetworkSettings]) -> AsyncIterator[Network]:
    """Both sides, running. Tests that use it need `pytest.mark.asyncio(loop_scope="session")`."""
    async with running_network(replace(new_settings(), far_end=True)) as running:
        yield running


_numbers = itertools.count(1)


@pytest.fixture
def number() -> str:
    """A mobile number that no other test uses."""
    return f"0900100{next(_numbers):04d}"
