"""The outbox: what waits to be sent, in which order, and what became of it. What is put in is `leaving`'s business."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from ivr.storage.packed import unpack
from ivr.storage.portions import portions
from ivr.storage.schema_outbox import outbox
from ivr.sync.delivery import LANES, LONGEST_ASKED, Sent, Settlement, State
from ivr.sync.documents import Document, Kind, ReportDocument, document_from, freeze


@dataclass(frozen=True)
class Row:
    """One document of the outbox."""

    id: int
    key: str
    kind: Kind
    about: str  #: a person's id, or the report's of an unknown caller
    subject: str
    revision: int
    payload: bytes
    sha256: str
    state: State
    tries: int
    failed_since: datetime | None
    problem: str
    record_id: str | None
    queued_at: datetime
    next_at: datetime | None

    @property
    def sent(self) -> Sent:
        """What decisions about it need."""
        return Sent(self.id, self.key, self.sha256, self.tries, self.failed_since)


@dataclass(frozen=True)
class Backlog:
    """How the outbox stands."""

    unsent: int  #: waiting or in flight
    parked: int
    acknowledged: int
    oldest: datetime | None  #: since when the oldest unsent document waits

    def age(self, now: datetime) -> float:
        """Of the oldest unsent document, seconds; 0 if there is none."""
        return max(0.0, (now - self.oldest).total_seconds()) if self.oldest else 0.0


#: Written out, not bound: SQLite takes an index of the unsent only for the very words of its condition (UNSENT), and
#: would otherwise look at everything that ever left.
_UNSETTLED: tuple[ColumnElement[str], ...] = (
    literal_column(f"'{State.WAITING}'"),
    literal_column(f"'{State.IN_FLIGHT}'"),
)
_UNSENT = outbox.c.state.in_(_UNSETTLED)
_EARLIER = outbox.alias("earlier")
#: Somebody's next document waits until the one before has been settled: what one person reported arrives in order.
_FIRST = ~exists().where(
    _EARLIER.c.about == outbox.c.about,
    _EARLIER.c.lane == outbox.c.lane,
    _EARLIER.c.id < outbox.c.id,
    _EARLIER.c.state.in_(_UNSETTLED),
)
#: A moment further away than any wait was written by a clock that was wrong.
_DUE = or_(outbox.c.next_at <= bindparam("now"), outbox.c.next_at > bindparam("never"))
_READY = (
    select(outbox)
    .where(
        outbox.c.state == State.WAITING,
        _DUE,
        _FIRST,
    )
    .order_by(outbox.c.lane, outbox.c.id)
    .limit(bindparam("most"))
)
_TAKE = update(outbox).where(outbox.c.id == bindparam("row"))
_SETTLE = update(outbox).where(outbox.c.id == bindparam("row"), outbox.c.state != State.ACKNOWLEDGED)
_IS_LOST = select(outbox.c.id).where(outbox.c.state == State.IN_FLIGHT, _DUE).limit(1)
_LOST = update(outbox).where(outbox.c.state == State.IN_FLIGHT)
_LAST_SEQUENCE = select(func.max(outbox.c.sequence)).where(outbox.c.about == bindparam("whom"))
_LAST_REVISION = (
    select(outbox.c.payload)
    .where(outbox.c.kind == bindparam("of_kind"), outbox.c.subject == bindparam("of_subject"))
    .order_by(outbox.c.revision.desc())
    .limit(1)
)
_PUT = insert(outbox)
_SUCCESSOR = (
    select(outbox.c.record_id)
    .where(
        outbox.c.kind == bindparam("of_kind"),
        outbox.c.subject == bindparam("of_subject"),
        outbox.c.revision > bindparam("than"),
        outbox.c.state == State.ACKNOWLEDGED,
    )
    .order_by(outbox.c.revision.desc())
    .limit(1)
)


def next_sequence(connection: Connection, about: str) -> int:
    """The number that the next document about somebody gets, from 1."""
    return (connection.execute(_LAST_SEQUENCE, {"whom": about}).scalar_one() or 0) + 1


def last_revision(connection: Connection, report_id: str) -> ReportDocument | None:
    """The latest frozen document of a report."""
    payload = connection.execute(_LAST_REVISION, {"of_kind": Kind.REPORT, "of_subject": report_id}).scalar()
    if payload is None:
        return None
    document = document_from(unpack(payload))
    assert isinstance(document, ReportDocument)
    return document


def successor(connection: Connection, row: Row) -> str | None:
    """The centre's record id of a later revision of the same subject; None if none has arrived there."""
    values = {"of_kind": row.kind, "of_subject": row.subject, "than": row.revision}
    return connection.execute(_SUCCESSOR, values).scalar()


def put(connection: Connection, about: str, document: Document) -> None:
    """Freeze a document and leave it to be sent, in the transaction of what it tells.

    Raises IntegrityError if its subject has this revision already.
    """
    frozen = freeze(document)
    connection.execute(
        _PUT,
        {
            "key": frozen.key,
            "kind": document.kind,
            "about": about,
            "subject": document.subject,
            "revision": document.revision,
            "sequence": document.sequence,
            "lane": LANES[document.kind],
            "payload": frozen.payload,
            "sha256": frozen.sha256,
            "state": State.WAITING,
            "queued_at": document.frozen_at,
            "next_at": document.frozen_at,
        },
    )


def is_due(connection: Connection, now: datetime) -> bool:
    """Whether `take` would find something."""
    never = now + timedelta(seconds=2 * LONGEST_ASKED)
    if connection.execute(_IS_LOST, {"now": now, "never": never}).first():
        return True
    return connection.execute(_READY, {"now": now, "never": never, "most": 1}).first() is not None


def take(connection: Connection, most: int, now: datetime, seconds: float) -> tuple[Row, ...]:
    """Up to `most` documents that are to be sent now, one of a person and lane; they are in flight from here on.

    Alerts first, then by age. After `seconds` without a settlement they count as lost, and wait again.
    """
    release(connection, now)
    never = now + timedelta(seconds=2 * LONGEST_ASKED)
    rows = _rows(connection, _READY, {"now": now, "never": never, "most": most})
    if rows:
        values = {"state": State.IN_FLIGHT, "next_at": now + timedelta(seconds=seconds)}
        connection.execute(_TAKE, [{"row": each.id, **values} for each in rows])
    return rows


def settle(connection: Connection, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write down what became of documents. What was acknowledged stays so."""
    if settlements:
        connection.execute(
            _SETTLE,
            [
                {
                    "row": each.id,
                    "state": each.state,
                    "next_at": each.next_at,
                    "tries": each.tries,
                    "failed_since": each.failed_since,
                    "problem": each.problem,
                    "record_id": each.record_id,
                    "settled_at": None if each.next_at else now,
                }
                for each in settlements
            ],
        )


def put_back(connection: Connection, ids: Iterable[int], now: datetime) -> None:
    """These were taken and not sent: they are the next ones again."""
    rows = [{"row": each, "state": State.WAITING, "next_at": now} for each in ids]
    if rows:
        connection.execute(_SETTLE, rows)


def release(connection: Connection, now: datetime, *, every: bool = False) -> int:
    """Whoever sent these died, or could not write down what came of it: they wait again. How many.

    `every`: for the start of a service, when nothing can be in flight.
    """
    never = now + timedelta(seconds=2 * LONGEST_ASKED)
    values = {"state": State.WAITING, "next_at": now}
    if every:
        return connection.execute(_LOST.values(values)).rowcount
    return connection.execute(_LOST.where(_DUE).values(values), {"now": now, "never": never}).rowcount


def hurry(connection: Connection, now: datetime) -> int:
    """Everything that waits is due now. How many."""
    later = update(outbox).where(outbox.c.state == State.WAITING, outbox.c.next_at > now)
    return connection.execute(later.values(next_at=now)).rowcount


def retry(connection: Connection, ids: Sequence[int] | None, now: datetime) -> int:
    """What is parked (None: all of it) is to be sent again. How many."""
    parked = update(outbox).where(outbox.c.state == State.PARKED)
    if ids is not None:
        parked = parked.where(outbox.c.id.in_(ids))
    again: dict[str, Any] = {"state": State.WAITING, "next_at": now, "settled_at": None, "tries": 0}
    return connection.execute(parked.values(**again, failed_since=None)).rowcount


def parked_rows(connection: Connection) -> tuple[Row, ...]:
    """What the centre would not have, the oldest first."""
    return _rows(connection, select(outbox).where(outbox.c.state == State.PARKED).order_by(outbox.c.id), {})


def all_rows(connection: Connection, most: int = 1000, after: int = 0) -> tuple[Row, ...]:
    """Up to `most` documents with an id above `after`, in the order in which they were frozen."""
    return _rows(connection, select(outbox).where(outbox.c.id > after).order_by(outbox.c.id).limit(most), {})


def rows_of(connection: Connection, ids: Sequence[int]) -> tuple[Row, ...]:
    """The documents with these ids, by id."""
    found: list[Row] = []
    for part in portions(ids):
        wanted = select(outbox).where(outbox.c.id.in_(part)).order_by(outbox.c.id)
        found += _rows(connection, wanted, {})
    return tuple(found)


def count_parked(connection: Connection) -> int:
    """How many documents are parked."""
    return connection.execute(_PARKED).scalar_one()


_PARKED = select(func.count()).select_from(outbox).where(outbox.c.state == State.PARKED)


def backlog(connection: Connection) -> Backlog:
    """How the outbox stands."""
    unsent, oldest = connection.execute(select(func.count(), func.min(outbox.c.queued_at)).where(_UNSENT)).one()
    parked = count_parked(connection)
    # Not those that are acknowledged: they are nearly all, and counting them would read every payload.
    acknowledged = connection.execute(_ALL).scalar_one() - unsent - parked
    return Backlog(unsent, parked, acknowledged, oldest)


_ALL = select(func.count()).select_from(outbox)


def oldest_unsent(connection: Connection) -> datetime | None:
    """Since when the oldest unsent document waits."""
    found: datetime | None = connection.execute(_OLDEST).scalar_one()
    return found


_OLDEST = select(func.min(outbox.c.queued_at)).where(_UNSENT)


def _rows(connection: Connection, wanted: Select[Any], values: dict[str, Any]) -> tuple[Row, ...]:
    return tuple(
        Row(
            id=row["id"],
            key=row["key"],
            kind=Kind(row["kind"]),
            about=row["about"],
            subject=row["subject"],
            revision=row["revision"],
            payload=unpack(row["payload"]),
            sha256=row["sha256"],
            state=State(row["state"]),
            tries=row["tries"],
            failed_since=row["failed_since"],
            problem=row["problem"],
            record_id=row["record_id"],
            queued_at=row["queued_at"],
            next_at=row["next_at"],
        )
        for row in connection.execute(wanted, values).mappings()
    )
