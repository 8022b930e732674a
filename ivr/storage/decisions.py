"""What staff decided about persons: who is not called, from when, why, and who said so. Rows are only ever added."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from ivr.handover import PERIOD_OVER
from ivr.storage.schema import decisions, follow_ups, people
from ivr.storage.touched import touch
from ivr.storage.words import Decided


@dataclass(frozen=True)
class Signed:
    """Who decides something, when and why."""

    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Decision:
    """One decision as stored."""

    person_id: str
    kind: Decided
    at: datetime
    by: str
    reason: str
    until: datetime | None


class NotPossible(Exception):
    """A decision that makes no sense for `ids`: nothing was stored for anybody."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"not possible for {len(ids)}")
        self.ids = ids


def for_all(connection: Connection, ids: Sequence[str], decision: Callable[..., bool], *args: object) -> None:
    """`decision(connection, id, *args)` for each of them. Raises NotPossible with those for whom it said False."""
    refused = [each for each in ids if not decision(connection, each, *args)]
    if refused:
        raise NotPossible(refused)


def pause_person(connection: Connection, person_id: str, until: datetime, signed: Signed) -> bool:
    """No calls before `until`; False if there is nobody of this id under observation. Replaces an earlier pause."""
    return _decide(
        connection,
        person_id,
        Decided.PAUSE,
        signed,
        until,
        paused_since=signed.at,
        paused_until=until,
        paused_by=signed.by,
        paused_reason=signed.reason,
    )


def resume_person(connection: Connection, person_id: str, signed: Signed) -> bool:
    """End the pause; False if none is in force. The row keeps when it was: a day of it may still be looked at."""
    in_force = (people.c.paused_since <= signed.at, people.c.paused_until > signed.at)
    changed = update(people).where(people.c.id == person_id, people.c.closed_at.is_(None), *in_force)
    if connection.execute(changed.values(paused_until=signed.at)).rowcount != 1:
        return False
    _write_down(connection, person_id, Decided.RESUME, signed)
    return True


def close_person(connection: Connection, person_id: str, signed: Signed) -> bool:
    """End the observation; False if it had ended or there is no such person. That the period is over is settled."""
    values = {"closed_at": signed.at, "closed_by": signed.by, "closed_reason": signed.reason}
    if not _decide(connection, person_id, Decided.CLOSE, signed, None, **values):
        return False
    connection.execute(
        update(follow_ups)
        .where(
            follow_ups.c.person_id == person_id,
            follow_ups.c.reason == PERIOD_OVER,
            follow_ups.c.closed_at.is_(None),
        )
        .values(closed_at=signed.at)
    )
    return True


def reopen_person(connection: Connection, person_id: str, signed: Signed) -> bool:
    """Take a closed person under observation again, from now on as if newly entered; False if not closed."""
    changed = update(people).where(people.c.id == person_id, people.c.closed_at.is_not(None))
    values = {"closed_at": None, "closed_by": None, "closed_reason": None, "created_at": signed.at}
    if connection.execute(changed.values(values)).rowcount != 1:
        return False
    _write_down(connection, person_id, Decided.REOPEN, signed)
    return True


def take_up(connection: Connection, person_id: str, signed: Signed) -> bool:
    """Call the person again: ends a pause or takes back a closing; False if neither stands."""
    return resume_person(connection, person_id, signed) or reopen_person(connection, person_id, signed)


def decisions_about(connection: Connection, person_id: str) -> tuple[Decision, ...]:
    """Every decision about a person, the oldest first."""
    columns = [decisions.c[name] for name in ("person_id", "kind", "at", "by", "reason", "until")]
    wanted = select(*columns).where(decisions.c.person_id == person_id).order_by(decisions.c.id)
    return tuple(Decision(**{**row, "kind": Decided(row["kind"])}) for row in connection.execute(wanted).mappings())


def _decide(
    connection: Connection, person_id: str, kind: Decided, signed: Signed, until: datetime | None, **values: object
) -> bool:
    """Change a person under observation and write down why; False if there is none."""
    changed = update(people).where(people.c.id == person_id, people.c.closed_at.is_(None)).values(values)
    if connection.execute(changed).rowcount != 1:
        return False
    _write_down(connection, person_id, kind, signed, until)
    return True


def _write_down(
    connection: Connection, person_id: str, kind: Decided, signed: Signed, until: datetime | None = None
) -> None:
    touch(connection, (person_id,))
    connection.execute(
        insert(decisions),
        {
            "person_id": person_id,
            "kind": kind,
            "at": signed.at,
            "by": signed.by,
            "reason": signed.reason,
            "until": until,
        },
    )
