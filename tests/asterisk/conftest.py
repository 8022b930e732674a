"""One practice network for each worker: starting it takes seconds, and most tests only place calls."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio

from sandbox.install import Asterisk, find_asterisk
from sandbox.network import Network, running_network
from sandbox.ports import reserved_base_port
from sandbox.settings import NetworkSettings


@pytest.fixture(scope="session")
def asterisk() -> Asterisk:
    """The real thing."""
    found = find_asterisk()
    if found is None:
        pytest.fail("no Asterisk: run scripts/test, or .venv/bin/python -m sandbox.install")
    return found


@pytest.fixture(scope="module")
def new_settings(
    asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], NetworkSettings]]:
    """Makes settings for one more network, whose ports are its own until the module ends."""
    with ExitStack() as reserved:
        yield lambda: NetworkSettings(
            tmp_path_factory.mktemp("net"), asterisk, reserved.enter_context(reserved_base_port())
        )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def network(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """Both sides, running. Tests that use it need `pytest.mark.asyncio(loop_scope="session")`."""
    with reserved_base_port() as base:
        settings = NetworkSettings(tmp_path_factory.mktemp("net"), asterisk, base, far_end=True)
        async with running_network(settings) as running:
            yield running


_numbers = itertools.count(1)


@pytest.fixture
def number() -> str:
    """A mobile number that no other test uses."""
    return f"0900100{next(_numbers):04d}"
