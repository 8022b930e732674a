"""The days of the outbox: asked for by an index, and what was compared is written down with its alarm or not at all."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Connection, event

from ivr.storage import comparisons
from ivr.storage.alarms import standing_alarms
from ivr.storage.comparisons import Latest, held_on, held_with, keep, latest, standing
from ivr.storage.database import Database
from ivr.storage.link import DIFFERS
from ivr.storage.outbox import rows_of
from ivr.sync.comparison import Compared, Difference, Outcome, Sort
from tests.storage.records import DAY, NOW, later
from tests.sync.conftest import file_report

LOST = Difference(Sort.MISSING, "k-1", 1, "a" * 64, None)
AGREED = Outcome(DAY, 12, 12, 0, ())
DIFFERED = replace(AGREED, there=11, differences=(LOST,))


def test_no_question_walks_through_the_whole_outbox(connection: Connection) -> None:
    file_report(connection, 0)
    asked: list[tuple[str, object]] = []

    def before(_: object, __: object, statement: str, values: object, *___: object) -> None:
        asked.append((statement, values))

    event.listen(connection, "before_cursor_execute", before)
    assert len(held_on(connection, DAY)) == 1
    assert held_on(connection, date(2025, 1, 7)) == held_on(connection, date(2025, 1, 5)) == ()
    assert len(held_with(connection, [held_on(connection, DAY)[0].key, "other"])) == 1
    assert len(rows_of(connection, [1, 2])) == 1
    standing(connection)
    of_outbox = [each for each in asked if "outbox" in each[0]]
    assert len(of_outbox) == 7
    for statement, values in of_outbox:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()  # type: ignore[arg-type]
        steps = [row[-1] for row in plan if "outbox" in row[-1]]
        # The oldest document is the first entry of the index: SQLite calls that a search, too.
        assert all(each.startswith("SEARCH") for each in steps), (statement, steps)


def test_what_was_compared_is_kept(connection: Connection) -> None:
    assert latest(connection) == Latest(None, None, 0)
    assert standing(connection) == (None, {})
    file_report(connection, 0)
    assert keep(connection, DIFFERED, later(1))
    assert standing_alarms(connection) == ((DIFFERS, "2025-01-06"),)
    assert standing(connection) == (DAY, {DAY: Compared(later(1), open=True)})
    assert keep(connection, replace(DIFFERED, day=date(2025, 1, 7)), later(2))
    assert latest(connection) == Latest(date(2025, 1, 7), later(2), 2)
    assert not keep(connection, AGREED, later(3))
    assert latest(connection) == Latest(date(2025, 1, 7), later(3), 1)
    assert standing_alarms(connection) == ((DIFFERS, "2025-01-07"),)
    assert standing(connection)[1][DAY] == Compared(later(3), open=False)
    keep(connection, replace(AGREED, unsent=1), later(4))
    assert standing(connection)[1][DAY] == Compared(later(4), open=True)


async def test_a_comparison_and_its_alarm_are_one_transaction(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyError("the process dies here")

    monkeypatch.setattr(comparisons, "stand", die)
    with pytest.raises(KeyError):
        await database.write(keep, DIFFERED, NOW)
    assert await database.read(latest) == Latest(None, None, 0)
