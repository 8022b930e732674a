"""Whatever the centre and staff do in whatever order: nobody goes, no closing is undone and none is made unseen."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from ivr.person import Person
from ivr.roster import cells_of
from ivr.storage.conflicts import open_conflicts, settle
from ivr.storage.decisions import Signed, close_person, decisions_about, reopen_person
from ivr.storage.people import get_person, list_people, upsert_people
from ivr.storage.sqlite import connect_writer
from ivr.storage.words import Decided
from ivr.sync.merging import FIELDS, Kept, part
from tests.storage.records import ROSTER, TARO, later
from tests.storage.test_arriving import RULES, take
from tests.sync.changes import closing, said

NUMBERS = ("0310000001", "0310000002", "0310000003")
_CHANGE = st.fixed_dictionaries(
    {},
    optional={
        "numbers": st.sampled_from(NUMBERS).map(lambda each: (each,)),
        "name": st.sampled_from(("あ", "い")),
        "slots": st.sampled_from((("morning",), ("afternoon",))),
        "begins": st.sampled_from((None, date(2025, 1, 5), date(2025, 2, 1))),
    },
)
#: Who does it, what is changed, and whether they close, take up again, or leave that as it is.
_STEP = st.tuples(
    st.sampled_from(("centre", "staff", "decide")), _CHANGE, st.sampled_from((None, "close", "open")), st.booleans()
)


@pytest.fixture(scope="module")
def opened(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """One for all examples, each of which leaves it as it was."""
    connection = connect_writer(Path(shutil.copy(made, tmp_path_factory.mktemp("any") / "kenko-call.db")))
    yield connection
    connection.close()


@contextmanager
def undone(connection: Connection) -> Iterator[Connection]:
    with connection.begin() as transaction:
        try:
            yield connection
        finally:
            transaction.rollback()


@given(steps=st.lists(_STEP, max_size=6))
def test_any_exchange(opened: Connection, steps: list[tuple[str, dict[str, Any], str | None, bool]]) -> None:
    with undone(opened) as connection:
        centre, closed, revision = TARO, None, 0
        for minute, (who, change, standing, which) in enumerate(steps, 1):
            at = later(minute)
            before = get_person(connection, TARO.id)
            assert before is not None
            shown = {each.field for each in open_conflicts(connection)}
            if who == "centre":
                revision += 1
                centre = replace(centre, **change)
                closed = closing(at.isoformat()) if standing == "close" else None if standing == "open" else closed
                take(connection, said(centre, revision, closed), at=at)
                _check_after_the_centre(connection, before, centre, closed is not None, at)
                # The same page once more, as after a cut connection.
                after = get_person(connection, TARO.id)
                take(connection, said(centre, revision, closed), at=later(minute + 0.5))
                assert get_person(connection, TARO.id) == after
            elif who == "staff":
                signed = Signed("佐藤", "-", at)
                upsert_people(connection, [replace(before, **change)], at)
                if standing is not None:
                    (close_person if standing == "close" else reopen_person)(connection, TARO.id, signed)
                assert {each.field for each in open_conflicts(connection)} == shown
            else:
                ids = [each.id for each in open_conflicts(connection)]
                settle(connection, ids, Kept.HERE if which else Kept.CENTRE, RULES, Signed("佐藤", "-", at))
                assert open_conflicts(connection) == ()
        assert {each.id for each in list_people(connection, closed=True)} == {each.id for each in ROSTER}
        # Open or closed: the last decision says so, and who made it.
        person = get_person(connection, TARO.id)
        made_decisions = decisions_about(connection, TARO.id)
        assert person is not None
        is_closed = bool(made_decisions) and made_decisions[-1].kind is Decided.CLOSE
        assert (person.closing is not None) == is_closed


def _check_after_the_centre(
    connection: Connection, before: Person, centre: Person, is_closed_there: bool, at: datetime
) -> None:
    person = get_person(connection, before.id)
    assert person is not None
    shown = {each.field for each in open_conflicts(connection)}
    mine, theirs, now = (cells_of(each) for each in (before, centre, person))
    for field in FIELDS:
        # What stands there is somebody's word, and never a third thing.
        assert part(now, field) in (part(mine, field), part(theirs, field))
    last = decisions_about(connection, before.id)[-1:]
    if before.closing is None and person.closing is not None:
        assert is_closed_there
        assert [(each.kind, each.at) for each in last] == [(Decided.CLOSE, at)]
        assert last[0].by == "鈴木（中央システム）"
    if before.closing is not None and person.closing is None:
        assert not is_closed_there
        assert [(each.kind, each.at) for each in last] == [(Decided.REOPEN, at)]
        by_the_centre = before.closing.by == "鈴木（中央システム）"
        assert by_the_centre or "standing" in shown
