"""Calls that nothing of ours took: written down when they are found out, once, with a task for staff.

And calls to a number that is not ours: counted, with an alarm of the day.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, select

from ivr.call import Direction, Ending, Outcome
from ivr.handover import NOT_OURS, SERVICE_DOWN
from ivr.storage import facts
from ivr.storage.alarms import raise_alarm
from ivr.storage.calls import Call, end_call, start_call
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import people_by_number
from ivr.storage.reports import report_exists
from ivr.storage.schema import calls

#: The fact of how far Asterisk's call records were read; and of which numbers that are not ours came how often today.
READ_UNTIL, DIALLED_TODAY = "cdr.read_until", "cdr.not_ours"
#: Forms that are told apart, and the longest one: whoever tries numbers one after another must not fill the table.
_MOST_FORMS, _LONGEST_FORM = 20, 40
_OTHERS = "…"


@dataclass(frozen=True)
class MissedCall:
    """Somebody rang, and heard only the apology."""

    id: str  #: the channel's
    number: str | None  #: None: withheld
    at: datetime
    day: date  #: local day


@dataclass(frozen=True)
class NotOurs:
    """Calls that the provider sent to a number that is not ours."""

    day: date  #: local day
    dialled: Sequence[str]  #: the number of each, as it came


def note_missed(
    connection: Connection,
    found: Sequence[MissedCall],
    read_until: str,
    due_at: datetime,
    at: datetime,
    others: NotOurs | None = None,
) -> int:
    """Write them down, and how far was read. How many were new.

    Whoever the number belongs to is a task for staff; a number that nobody on the roster has is one for all such calls
    of the day. A call that is known by its id had begun with us, and has what it left there.
    """
    new = [each for each in found if not _is_known(connection, each.id)]
    for each in new:
        start_call(connection, Call(each.id, Direction.INBOUND, each.at, number=each.number))
        ending = Ending(Outcome.FAILED, note="nothing of ours could take it")
        end_call(connection, each.id, ending, Outcome.FAILED, each.at)
        owners = people_by_number(connection, each.number) if each.number else ()
        for owner in owners or (None,):
            if owner is not None and report_exists(connection, owner.id, each.day):
                continue  # they got through after all
            task = NewFollowUp(each.day, SERVICE_DOWN, owner.id if owner else None, due_at=due_at)
            open_follow_up(connection, task, at)
    if others is not None and others.dialled:
        _count_not_ours(connection, others, at)
    facts.set_fact(connection, READ_UNTIL, read_until)
    return len(new)


def _count_not_ours(connection: Connection, others: NotOurs, at: datetime) -> None:
    """Most likely our number in a form that we do not know, or the provider's mistake: nobody gets through to us."""
    day = others.day.isoformat()
    before = json.loads(facts.get_fact(connection, DIALLED_TODAY) or "{}")
    counted: Counter[str] = Counter(before["forms"] if before.get("day") == day else {})
    for each in others.dialled:
        form = each[:_LONGEST_FORM]
        counted[form if form in counted or len(counted) < _MOST_FORMS else _OTHERS] += 1
    facts.set_fact(connection, DIALLED_TODAY, json.dumps({"day": day, "forms": counted}, ensure_ascii=False))
    raise_alarm(connection, NOT_OURS, day, ", ".join(f"{form} ({n})" for form, n in counted.most_common()), at)


def _is_known(connection: Connection, call_id: str) -> bool:
    return connection.execute(select(calls.c.id).where(calls.c.id == call_id)).first() is not None
