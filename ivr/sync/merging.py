"""Who is right when a person was changed here and at the centre: the rule of docs/centre.md, and nothing else. Pure.

Compared are three versions: what the centre said last, what stands here, what the centre says now.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from ivr.person import Person
from ivr.roster import NUMBER_COLUMNS, cells_of


class Kept(StrEnum):
    """Which of two values stands in the roster here."""

    HERE = "here"
    CENTRE = "centre"


class Step(StrEnum):
    """What becomes of somebody's observation."""

    NOTHING = "nothing"
    CLOSE = "close"
    REOPEN = "reopen"


#: Field of the rule -> columns of the roster that mean one thing together.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "kana": ("kana",),
    "numbers": NUMBER_COLUMNS,
    "time": ("slot", "own_time"),
    "hours": ("hours_from", "hours_until"),
    "period": ("begins", "ends"),
    "language": ("language",),
    "risk": ("risk",),
    "facts": ("facts",),
    "birth_date": ("birth_date",),
}
#: ... -> attributes of Person that hold them, where they are not called the same.
_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {"time": ("slots", "own_time"), "period": ("begins", "ends")}
#: These decide whether and how a person is reached. Staff here have last spoken with them: their word stands until
#: somebody decides, or a corrected number would be lost to an old one without anybody noticing.
KEPT_HERE = frozenset({"numbers", "time", "hours", "period"})
#: The field of a difference about whether somebody is under observation, and its two values.
STANDING, OBSERVED, CLOSED = "standing", "observed", "closed"

Cells = Mapping[str, str]


@dataclass(frozen=True)
class Conflict:
    """A field that differs, and that both sides may have changed."""

    field: str
    here: Cells  #: what stood here: column -> text
    centre: Cells
    kept: Kept


@dataclass(frozen=True)
class Before:
    """What the centre said last about somebody's observation."""

    closed: datetime | None = None  #: when the centre had closed
    taken: datetime | None = None  #: when that closing was carried out here


def part(cells: Cells, field: str) -> dict[str, str]:
    """The columns of one field."""
    return {column: cells.get(column, "") for column in FIELDS[field]}


def written(cells: Cells) -> str:
    """As it is stored."""
    return json.dumps(dict(cells), ensure_ascii=False, sort_keys=True)


def read_written(stored: str) -> Cells:
    """What `written` wrote."""
    cells: dict[str, str] = json.loads(stored)
    return cells


def merge(before: Cells | None, ours: Person, theirs: Person) -> tuple[Person, tuple[Conflict, ...]]:
    """Who the person is from now on, and the fields about which the sides disagree.

    `before`: cells of what the centre said last; None: it never spoke of this person, so that nobody knows which
    value is the newer one. Pauses and closings are not looked at.
    """
    here, centre = cells_of(ours), cells_of(theirs)
    result, conflicts = ours, []
    for field in FIELDS:
        mine, other = part(here, field), part(centre, field)
        if mine == other or (before is not None and part(before, field) == other):
            continue  # they agree, or only we changed it
        kept = Kept.CENTRE
        if before is None or part(before, field) != mine:
            kept = Kept.HERE if field in KEPT_HERE else Kept.CENTRE
            conflicts.append(Conflict(field, mine, other, kept))
        if kept is Kept.CENTRE:
            result = _with(result, theirs, field)
    return result, tuple(conflicts)


def _with(person: Person, other: Person, field: str) -> Person:
    taken: dict[str, Any] = {name: getattr(other, name) for name in _ATTRIBUTES.get(field, (field,))}
    return replace(person, **taken)


def judge_standing(
    theirs: datetime | None,
    ours: datetime | None,
    before: Before | None,
    reopened: datetime | None,
    anew: bool,
    decided: datetime | None,
) -> tuple[Step, Kept | None]:
    """What becomes of somebody's observation, and whose word was kept if that is to be shown.

    `theirs`, `ours`: when the centre and when we closed, None: under observation. `before`: what the centre said last.
    `reopened`: when staff here last took the person up again. `anew`: the centre speaks of a new period that begins
    after our closing. `decided`: when staff here last decided a difference about this.
    """
    if theirs is not None:
        if ours is not None or (before is not None and before.closed == theirs):
            return Step.NOTHING, None  # closed here too; or what is known already, and staff have gone on calling
        if reopened is not None and reopened >= theirs:
            return Step.NOTHING, Kept.HERE
        return Step.CLOSE, None
    if ours is None:
        return Step.NOTHING, None
    if before is not None and before.taken == ours:
        return Step.REOPEN, None  # the centre takes its own closing back
    if anew:
        return Step.REOPEN, Kept.CENTRE
    if decided is not None and decided >= ours:
        return Step.NOTHING, None
    return Step.NOTHING, Kept.HERE
