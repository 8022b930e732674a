"""What a process before us had found about the trunks."""

from datetime import UTC, datetime
from typing import cast

import pytest

from scheduler.gates import Gates
from scheduler.health import Health
from scheduler.rows import Rows
from scheduler.standing import Standing, take_over
from scheduler.watchdog import REFUSALS

NOW = datetime(2026, 11, 4, 0, 0, tzinfo=UTC)
TRUNK = "trunk"


class FailsOnce:
    """Rows whose first read fails."""

    failed = False

    async def standing_alarms(self) -> list[tuple[str, str]]:
        if not self.failed:
            self.failed = True
            raise OSError("gone")
        return [(next(iter(REFUSALS)), TRUNK)]


async def test_a_refused_trunk_is_closed_although_the_first_read_failed() -> None:
    standing, rows = Standing(Gates(), {TRUNK: Health()}), cast(Rows, FailsOnce())
    with pytest.raises(OSError, match="gone"):
        await take_over(standing, rows, NOW)
    assert not standing.gates.reasons(TRUNK)
    await take_over(standing, rows, NOW)
    assert standing.gates.reasons(TRUNK)
