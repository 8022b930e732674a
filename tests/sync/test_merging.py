"""The rule for what was changed on both sides: one table for the fields, one for whether somebody is called at all."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.person import OWN_TIME, Hours, Person, Risk
from ivr.roster import COLUMNS, cells_of
from ivr.sync.merging import FIELDS, KEPT_HERE, Before, Kept, Step, judge_standing, merge
from tests.storage.records import HANAKO

HERE, CENTRE = Kept.HERE, Kept.CENTRE

#: field -> what the centre said before, what stands here, what the centre says now.
VERSIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "name": ({"name": "あ"}, {"name": "い"}, {"name": "う"}),
    "kana": ({"kana": "ア"}, {"kana": "イ"}, {"kana": "ウ"}),
    "numbers": tuple({"numbers": (each,)} for each in ("0310000001", "0310000002", "0310000003")),
    "time": (
        {"slots": ("morning",)},
        {"slots": ("afternoon",)},
        {"slots": ("morning", OWN_TIME), "own_time": time(10)},
    ),
    "hours": ({"hours": None}, {"hours": Hours(time(9), time(10))}, {"hours": Hours(time(9), time(11))}),
    "period": ({"ends": None}, {"ends": date(2025, 1, 20)}, {"begins": date(2025, 1, 7)}),
    "language": ({"language": "ja"}, {"language": "en"}, {"language": "vi"}),
    "risk": ({"risk": Risk.NORMAL}, {"risk": Risk.LOW}, {"risk": Risk.HIGH}),
    "facts": ({"facts": {}}, {"facts": {"oximeter": "yes"}}, {"facts": {"oximeter": "no"}}),
    "birth_date": tuple({"birth_date": date(1935, 4, each)} for each in (1, 2, 3)),
}


def test_every_column_but_the_id_belongs_to_one_field() -> None:
    assert sorted(column for columns in FIELDS.values() for column in columns) == sorted(set(COLUMNS) - {"id"})
    assert VERSIONS.keys() == FIELDS.keys()
    assert FIELDS.keys() >= KEPT_HERE == {"numbers", "time", "hours", "period"}


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_in_each_case(field: str) -> None:
    old, mine, other = (replace(HANAKO, **each) for each in VERSIONS[field])
    told = cells_of(old)
    both = HERE if field in KEPT_HERE else CENTRE
    winner = mine if both is HERE else other
    for before, ours, theirs, result, conflict in (
        (told, old, old, old, None),
        (told, old, other, other, None),  # only the centre changed it
        (told, mine, old, mine, None),  # only we did
        (told, other, other, other, None),  # both did, and agree
        (told, mine, other, winner, both),
        (None, old, old, old, None),  # the centre never spoke of them, and agrees
        (None, mine, other, winner, both),  # nobody knows which is newer
    ):
        merged, conflicts = merge(before, ours, theirs)
        assert merged == result
        assert [(each.field, each.kept) for each in conflicts] == ([(field, conflict)] if conflict else [])
        for each in conflicts:
            assert each.here != each.centre
            assert {**cells_of(ours), **each.here} == cells_of(ours)
            assert {**cells_of(theirs), **each.centre} == cells_of(theirs)


def test_one_field_does_not_decide_for_another() -> None:
    ours = replace(HANAKO, numbers=("0310000002",))
    theirs = replace(HANAKO, name="見本 はな子", risk=Risk.HIGH)
    merged, conflicts = merge(cells_of(HANAKO), ours, theirs)
    assert (merged, conflicts) == (replace(theirs, numbers=ours.numbers), ())


_SOMEBODY = st.fixed_dictionaries({field: st.sampled_from(versions) for field, versions in VERSIONS.items()}).map(
    lambda chosen: replace(HANAKO, **{name: value for each in chosen.values() for name, value in each.items()})
)


@given(st.none() | _SOMEBODY, _SOMEBODY, _SOMEBODY)
def test_no_value_is_lost_unseen(before: Person | None, ours: Person, theirs: Person) -> None:
    """Whatever was changed here stands here or is shown; and whoever could be rung still can."""
    told = cells_of(before) if before else None
    merged, conflicts = merge(told, ours, theirs)
    shown = {each.field for each in conflicts}
    for field, columns in FIELDS.items():
        mine, result = ({each: cells_of(of)[each] for each in columns} for of in (ours, merged))
        changed_here = told is None or {each: told[each] for each in columns} != mine
        assert mine == result or not changed_here or field in shown
    assert merged.numbers
    assert merged.slots


MONDAY = datetime(2025, 1, 6, tzinfo=UTC)
TUESDAY, WEDNESDAY = (MONDAY + timedelta(days=each) for each in (1, 2))


@pytest.mark.parametrize(
    ("theirs", "ours", "before", "reopened", "anew", "decided", "step", "kept"),
    [
        pytest.param(None, None, None, None, False, None, Step.NOTHING, None, id="called on both sides"),
        pytest.param(MONDAY, None, None, None, False, None, Step.CLOSE, None, id="closed there"),
        pytest.param(MONDAY, None, Before(), None, False, None, Step.CLOSE, None, id="closed there now"),
        pytest.param(MONDAY, TUESDAY, Before(), None, False, None, Step.NOTHING, None, id="closed on both sides"),
        pytest.param(
            *(MONDAY, None, Before(MONDAY, MONDAY), TUESDAY, False, None, Step.NOTHING, None),
            id="taken up here after their closing: it does not close a second time",
        ),
        pytest.param(
            *(WEDNESDAY, None, Before(MONDAY, MONDAY), TUESDAY, False, None, Step.CLOSE, None),
            id="closed there once more, after that",
        ),
        pytest.param(
            *(MONDAY, None, Before(), TUESDAY, False, None, Step.NOTHING, HERE),
            id="taken up here after they closed, of which we hear only now",
        ),
        pytest.param(None, MONDAY, Before(), None, False, None, Step.NOTHING, HERE, id="closed here, not there"),
        pytest.param(None, MONDAY, None, None, False, None, Step.NOTHING, HERE, id="closed here, first word of theirs"),
        pytest.param(None, MONDAY, Before(), None, False, TUESDAY, Step.NOTHING, None, id="... staff know that"),
        pytest.param(
            None, TUESDAY, Before(), MONDAY, False, MONDAY, Step.NOTHING, HERE, id="... staff knew of an earlier one"
        ),
        pytest.param(
            None, MONDAY, Before(MONDAY, MONDAY), None, False, None, Step.REOPEN, None, id="they take theirs back"
        ),
        pytest.param(
            *(None, TUESDAY, Before(MONDAY, MONDAY), None, False, None, Step.NOTHING, HERE),
            id="they take theirs back, ours stays",
        ),
        pytest.param(None, MONDAY, Before(), None, True, None, Step.REOPEN, CENTRE, id="a new period begins"),
    ],
)
def test_whether_somebody_is_called(
    theirs: datetime | None,
    ours: datetime | None,
    before: Before | None,
    reopened: datetime | None,
    anew: bool,
    decided: datetime | None,
    step: Step,
    kept: Kept | None,
) -> None:
    assert judge_standing(theirs, ours, before, reopened, anew, decided) == (step, kept)


_MOMENT = st.none() | st.sampled_from((MONDAY, TUESDAY, WEDNESDAY))


@given(_MOMENT, _MOMENT, st.none() | st.builds(Before, _MOMENT, _MOMENT), _MOMENT, st.booleans(), _MOMENT)
def test_nobody_is_closed_without_a_closing_and_no_closing_of_ours_ends_unseen(
    theirs: datetime | None,
    ours: datetime | None,
    before: Before | None,
    reopened: datetime | None,
    anew: bool,
    decided: datetime | None,
) -> None:
    step, kept = judge_standing(theirs, ours, before, reopened, anew, decided)
    if step is Step.CLOSE:
        assert theirs is not None
        assert ours is None
    if step is Step.REOPEN:
        assert theirs is None
        assert kept is CENTRE or (before is not None and before.taken == ours)
