"""kill -9 while writing: what was acknowledged is there, and nothing by halves."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest
from pysqlite3 import dbapi2 as sqlite3

#: Saves turns as fast as it can and prints the number of each after its commit.
PROGRAM = """if True:
    import asyncio, sys
    from ivr.storage import sqlite
    from ivr.storage.database import open_database
    from ivr.storage.sessions import save_turn
    from tests.storage.records import NOW, begin_session, turn

    file, mode, life = sys.argv[1:]
    sqlite.journal_mode = lambda version: mode  # both modes, whatever the version of this machine

    async def main() -> None:
        async with await open_database(file) as database:
            await database.write(begin_session, life, None)
            number = 0
            while True:
                # Two answers a turn: half of a pair would be a torn transaction.
                pair = turn(("left", f"{life}-{number}"), ("right", f"{life}-{number}"))
                await database.write(save_turn, life, None, pair, NOW)
                print(number, flush=True)
                number += 1

    asyncio.run(main())"""

ROOT = Path(__file__).parents[2]
#: In each mode.
LIVES = 10


@pytest.mark.timeout(240)
@pytest.mark.parametrize("mode", ["persist", "wal"])
def test_nothing_acknowledged_is_lost_by_kill_9(file: Path, mode: str) -> None:
    chance = random.Random(20250106)
    acknowledged: dict[str, int] = {}
    for life in (f"life-{number}" for number in range(LIVES)):
        command = [sys.executable, "-c", PROGRAM, str(file), mode, life]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
            assert writer.stdout
            first = writer.stdout.readline()
            assert first == "0\n"
            time.sleep(chance.uniform(0, 0.15))
            writer.send_signal(signal.SIGKILL)
            acknowledged[life] = _last(writer.stdout) + 1
    _check(file, acknowledged)


def _last(lines: IO[str]) -> int:
    whole = [int(line) for line in lines if line.endswith("\n")]
    return whole[-1] if whole else 0


def _check(file: Path, acknowledged: dict[str, int]) -> None:
    connection = sqlite3.connect(file)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    stored: dict[str, list[list[str]]] = {}
    for side in ("left", "right"):
        for life, value in connection.execute(
            "SELECT session_id, value FROM answers WHERE question_id = ? ORDER BY id", (side,)
        ):
            stored.setdefault(life, [[], []])[side == "right"].append(value)
    states = dict(connection.execute("SELECT id, state FROM sessions").fetchall())
    connection.close()
    for life, count in acknowledged.items():
        left, right = stored[life]
        assert left == right == [f"{life}-{number}" for number in range(len(left))]
        # The last one may have been committed and not acknowledged any more.
        assert count <= len(left) <= count + 1
        assert left[-1] in states[life]
