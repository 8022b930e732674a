"""The agenda: one row for every person, day and slot, with the next step written down until the row is settled."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, and_, bindparam, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ivr.call import CARRIED, UNCLEAR, CallState, Fault, Outcome
from ivr.core.sip_statuses import Others
from ivr.handover import CALLING_GOES_ON, HandOver, Settled
from ivr.person import Person
from ivr.storage.calls import AlreadyCalling, Attempt, attempt_of, plan_attempt
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import get_person, read_people, selects
from ivr.storage.schema import agenda, answers, attempts, calls, follow_ups, numbers, people, reports, touched
from ivr.storage.schema import sessions as session_table
from ivr.storage.schema_telephones import telephones
from ivr.storage.touched import planned
from ivr.storage.words import Completeness


@dataclass(frozen=True, slots=True)
class Row:
    """One person in one slot of one day."""

    person_id: str
    day: date
    slot: str
    risk: int  #: higher goes first
    until: datetime  #: when the window ends
    next_at: datetime | None  #: when the dialler looks at it next; None: settled
    settled: Settled | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """What one number went through on a day."""

    calls: int
    vain_until: datetime | None
    in_use: bool


@dataclass(frozen=True)
class Facts:
    """All that a decision about one row needs to know, read at one moment."""

    person: Person | None  #: closed or not; None: there is none of this id
    since: datetime | None  #: when the person was entered
    attempts: tuple[Attempt, ...]  #: of the day, all slots, oldest first
    uses: dict[str, Used]
    reported: bool
    handed_over: bool  #: staff have a task about the day that is not the dialler's own: a wish for a call, say
    talking: bool
    tones: bool = True  #: whether a key was ever heard from one of the numbers
    known: frozenset[str] = frozenset()  #: numbers that somebody has ever answered, or called us from
    trunk: str = ""  #: by which the person was last reached: they know its number
    #: Attempt that was turned down -> what became of calls to others by its trunk, next to it.
    others: Mapping[str, Others] = field(default_factory=dict)
    #: The report came by a key for a place of a shared telephone: who of the household has not reported. Perhaps one of
    #: them chose the wrong place.
    missing_mates: tuple[Person, ...] = ()


#: Such a call rang no telephone: it needs no rest, and counts for no number.
NEVER_RANG = (Outcome.CONGESTION, Outcome.REFUSED)
#: What was turned down for a reason that might meet every call.
TURNED_DOWN = (Outcome.REFUSED, Outcome.FAILED, Outcome.UNKNOWN)
#: A person is rung by the trunk by which they were reached in so many days: it is its number that they know.
_TRUNK_KEPT_DAYS = 7


def was_turned_down(outcome: Outcome | None, fault: Fault | None) -> bool:
    """Whether a call ended so that only others can tell whose matter it is."""
    return outcome in TURNED_DOWN and fault in UNCLEAR


_OF = (
    agenda.c.person_id == bindparam("person"),
    agenda.c.day == bindparam("on_day"),
    agenda.c.slot == bindparam("in_slot"),
    agenda.c.settled.is_(None),
)
_ADD = insert(agenda)
_OPEN = (
    select(agenda)
    .where(agenda.c.settled.is_(None), agenda.c.day <= bindparam("on_day"))
    .order_by(agenda.c.day, agenda.c.next_at)
)
_SHARING = (
    select(agenda)
    .join(numbers, numbers.c.person_id == agenda.c.person_id)
    .join(people, people.c.id == agenda.c.person_id)
    .where(
        numbers.c.number == bindparam("on_number"),
        agenda.c.day == bindparam("on_day"),
        agenda.c.settled.is_(None),
        people.c.closed_at.is_(None),
    )
    .order_by(agenda.c.person_id, agenda.c.slot)
)
_DUE = select(agenda.c.person_id, agenda.c.day, agenda.c.slot).where(
    agenda.c.settled.is_(None), agenda.c.next_at <= bindparam("at")
)
_MOVE = update(agenda).where(*_OF)
_TRY = update(agenda).where(*_OF).values(tries=agenda.c.tries + 1, next_at=bindparam("then"))
_SINCE = select(people.c.created_at).where(people.c.id == bindparam("person"))
_ATTEMPTS = (
    select(attempts)
    .where(attempts.c.day == bindparam("on_day"), attempts.c.person_id == bindparam("person"))
    .order_by(attempts.c.planned_at, attempts.c.id)
)
_ON_MY_NUMBERS = select(numbers.c.number).where(numbers.c.person_id == bindparam("person"))
_TELEPHONES = select(telephones.c.number, telephones.c.keys_at).where(telephones.c.number.in_(_ON_MY_NUMBERS))
_EARLIER = attempts.alias("earlier")
#: The first call of somebody that was turned down on a day tells of the trunk; the next ones may be their own matter.
_TURNED_DOWN = and_(
    attempts.c.outcome.in_(TURNED_DOWN),
    attempts.c.fault.in_(UNCLEAR),
    ~exists().where(
        _EARLIER.c.day == attempts.c.day,
        _EARLIER.c.person_id == attempts.c.person_id,
        _EARLIER.c.trunk == attempts.c.trunk,
        _EARLIER.c.planned_at < attempts.c.planned_at,
        _EARLIER.c.outcome.in_(TURNED_DOWN),
        _EARLIER.c.fault.in_(UNCLEAR),
    ),
)
_BESIDE = (
    select(attempts.c.outcome, attempts.c.fault)
    .where(
        attempts.c.day == bindparam("on_day"),
        attempts.c.trunk == bindparam("by_trunk"),
        # One call for several persons tells of the trunk once.
        attempts.c.together_with.is_(None),
        or_(
            attempts.c.state == CallState.TALKING,
            attempts.c.fault.in_(CARRIED),
            and_(_TURNED_DOWN, attempts.c.person_id != bindparam("person")),
        ),
    )
    .limit(1)
)
_BEFORE = _BESIDE.where(attempts.c.planned_at < bindparam("planned")).order_by(attempts.c.planned_at.desc())
_AFTER = _BESIDE.where(attempts.c.planned_at > bindparam("planned")).order_by(attempts.c.planned_at)
_REACHED_BY = (
    select(attempts.c.trunk)
    .where(
        attempts.c.day.in_(bindparam("on_days", expanding=True)),
        attempts.c.person_id == bindparam("person"),
        attempts.c.fault == Fault.PERSON,
        attempts.c.trunk != "",
    )
    .order_by(attempts.c.planned_at.desc())
    .limit(1)
)
_USES = select(attempts.c.number, attempts.c.outcome, attempts.c.ended_at).where(
    attempts.c.day == bindparam("on_day"),
    attempts.c.number.in_(_ON_MY_NUMBERS),
    # One call to a household is one use of its telephone, for whomever it was.
    attempts.c.together_with.is_(None),
)
_REPORTED = select(
    exists().where(
        reports.c.person_id == bindparam("person"),
        reports.c.day == bindparam("on_day"),
        reports.c.completeness == Completeness.COMPLETE,
    )
)
#: Whether what was reported was said on a telephone that others have, too.
_CHOSEN = select(
    exists()
    .where(reports.c.person_id == bindparam("person"), reports.c.day == bindparam("on_day"))
    .where(reports.c.completeness == Completeness.COMPLETE, answers.c.session_id == reports.c.session_id)
    .where(calls.c.id == answers.c.call_id, numbers.c.number == calls.c.number)
    .where(numbers.c.person_id != bindparam("person"))
)
_MISSING_MATES = selects(
    people.c.closed_at.is_(None),
    people.c.id != bindparam("person"),
    people.c.id.in_(select(numbers.c.person_id).where(numbers.c.number.in_(_ON_MY_NUMBERS))),
    ~exists().where(
        reports.c.person_id == people.c.id,
        reports.c.day == bindparam("on_day"),
        reports.c.completeness == Completeness.COMPLETE,
    ),
)
_HANDED_OVER = select(
    exists().where(
        follow_ups.c.person_id == bindparam("person"),
        follow_ups.c.day == bindparam("on_day"),
        # What the dialler gave to staff about another slot of the day ends no other slot; some tasks end none.
        follow_ups.c.reason.not_in((*HandOver, *CALLING_GOES_ON)),
    )
)
_WITH_STAFF = select(follow_ups.c.id).where(
    follow_ups.c.person_id == bindparam("person"),
    follow_ups.c.day == bindparam("on_day"),
    follow_ups.c.reason.in_(tuple(HandOver)),
    follow_ups.c.closed_at.is_(None),
)
_TOLD = select(
    exists().where(
        follow_ups.c.person_id == bindparam("person"),
        follow_ups.c.day == bindparam("on_day"),
        follow_ups.c.reason == bindparam("why"),
    )
)
_TALKING = select(
    exists().where(
        session_table.c.person_id == bindparam("person"),
        calls.c.session_id == session_table.c.id,
        calls.c.state != CallState.ENDED,
    )
)
#: Whose entry changed is planned so many at once: in the same transaction answers wait.
_AT_ONCE = 500
_TOUCHED = people.c.id.in_(select(touched.c.person_id).order_by(touched.c.person_id).limit(_AT_ONCE))
_EVERYBODY = selects(people.c.closed_at.is_(None))
_TOUCHED_ONES = selects(_TOUCHED)
_CREATED = {
    False: select(people.c.id, people.c.created_at).where(people.c.closed_at.is_(None)),
    True: select(people.c.id, people.c.created_at).where(_TOUCHED),
}
_KNOWN = select(agenda).where(
    agenda.c.person_id == bindparam("person"),
    agenda.c.day == bindparam("on_day"),
    agenda.c.slot == bindparam("in_slot"),
)
_PLAN_AGAIN = (
    update(agenda)
    .where(
        agenda.c.person_id == bindparam("person"),
        agenda.c.day == bindparam("on_day"),
        agenda.c.slot == bindparam("in_slot"),
        or_(agenda.c.settled.is_(None), agenda.c.settled == Settled.EXCLUDED),
    )
    .values(risk=bindparam("new_risk"), until=bindparam("new_until"), next_at=bindparam("new_next"), settled=None)
)


_THESE = (agenda.c.day == bindparam("on_day"), agenda.c.person_id.in_(bindparam("ids", expanding=True)))
_KEYS = select(agenda.c.person_id, agenda.c.slot).where(*_THESE)
_FORGET_DAYS_OFF = delete(agenda).where(
    *_THESE,
    agenda.c.settled == Settled.EXCLUDED,
    agenda.c.tries == 0,
    agenda.c.person_id.in_(select(people.c.id).where(people.c.closed_at.is_(None))),
)


def to_plan(connection: Connection, *, changed: bool) -> tuple[tuple[Person, datetime], ...]:
    """Everybody under observation, and since when; or whose entry changed, closed or not. By id."""
    found = read_people(connection, _TOUCHED_ONES if changed else _EVERYBODY)
    if not found:
        return ()
    since = {row.id: row.created_at for row in connection.execute(_CREATED[changed])}
    return tuple((each, since[each.id]) for each in found)


def plan_all(connection: Connection, day: date, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Store what is new of a day; what is known stays, but for days off, as settings change. The new and open ones."""
    if not rows:
        return ()
    keys = {"on_day": day, "ids": [each.person_id for each in rows]}
    connection.execute(_FORGET_DAYS_OFF, keys)
    known = {(row.person_id, row.slot) for row in connection.execute(_KEYS, keys)}
    new = [each for each in rows if (each.person_id, each.slot) not in known]
    _add(connection, new)
    return tuple(each for each in new if each.settled is None)


def plan_changed(connection: Connection, rows: Sequence[Row], people_ids: Iterable[str]) -> tuple[Row, ...]:
    """Store rows that are new and plan open or excluded ones anew; these people are then not touched any more.

    A row that ended with a report or with staff stays as it is. Returns those of the rows that are open now.
    """
    found = []
    for each in rows:
        key = {"person": each.person_id, "on_day": each.day, "in_slot": each.slot}
        if connection.execute(_KNOWN, key).first() is None:
            _add(connection, [each])
        elif each.settled is None:
            new = {"new_risk": each.risk, "new_until": each.until, "new_next": each.next_at}
            connection.execute(_PLAN_AGAIN, key | new)
        stored = _row(connection.execute(_KNOWN, key).mappings().one())
        if stored.settled is None:
            found.append(stored)
    planned(connection, people_ids)
    return tuple(found)


def _add(connection: Connection, rows: Sequence[Row]) -> None:
    if rows:
        fields = ("person_id", "day", "slot", "risk", "until", "next_at", "settled")
        connection.execute(_ADD, [{name: getattr(each, name) for name in fields} for each in rows])


def open_rows(connection: Connection, day: date) -> tuple[Row, ...]:
    """What is not settled, of this day and of those before; the oldest day first, then by time."""
    return tuple(_row(each) for each in connection.execute(_OPEN, {"on_day": day}).mappings())


def due_keys(connection: Connection, at: datetime) -> tuple[tuple[str, str, str], ...]:
    """Person, ISO day and slot of all that is not settled and was to be looked at by then."""
    found = connection.execute(_DUE, {"at": at})
    return tuple((person_id, day.isoformat(), slot) for person_id, day, slot in found)


def rows_of(connection: Connection, keys: Iterable[tuple[str, str, str]]) -> tuple[Row, ...]:
    """Those of these rows (person, ISO day, slot) that are not settled."""
    found = []
    for person_id, day, slot in keys:
        key = {"person": person_id, "on_day": date.fromisoformat(day), "in_slot": slot}
        row = connection.execute(_KNOWN, key).mappings().first()
        if row is not None and row["settled"] is None:
            found.append(_row(row))
    return tuple(found)


def rows_of_day(connection: Connection, day: date) -> tuple[Row, ...]:
    """Every row of a day, by person and slot."""
    wanted = select(agenda).where(agenda.c.day == day).order_by(agenda.c.person_id, agenda.c.slot)
    return tuple(_row(each) for each in connection.execute(wanted).mappings())


def _row(found: object) -> Row:
    given = dict(found)  # type: ignore[call-overload]
    settled = given["settled"]
    return Row(**(given | {"settled": None if settled is None else Settled(settled)}))


def open_rows_sharing(connection: Connection, number: str, day: date) -> tuple[Row, ...]:
    """What is not settled on a day of everybody under observation who has this number, by person and slot."""
    return tuple(_row(each) for each in connection.execute(_SHARING, {"on_number": number, "on_day": day}).mappings())


def facts_of(connection: Connection, person_id: str, day: date) -> Facts:
    """All that is known of a person and day at this moment."""
    values = {"person": person_id, "on_day": day}
    person = get_person(connection, person_id)
    reported = bool(connection.execute(_REPORTED, values).scalar_one())
    chosen = reported and bool(connection.execute(_CHOSEN, values).scalar_one())
    tried = tuple(attempt_of(row) for row in connection.execute(_ATTEMPTS, values).mappings())
    keys = {row.number: row.keys_at for row in connection.execute(_TELEPHONES, values)}
    return Facts(
        person=person,
        since=connection.execute(_SINCE, values).scalar_one_or_none(),
        attempts=tried,
        uses=uses_of((*row,) for row in connection.execute(_USES, values)),
        reported=reported,
        handed_over=bool(connection.execute(_HANDED_OVER, values).scalar_one()),
        talking=bool(connection.execute(_TALKING, values).scalar_one()),
        missing_mates=read_people(connection, _MISSING_MATES, values) if chosen else (),
        tones=any(at is not None for at in keys.values()),
        known=frozenset(keys),
        trunk=_reached_by(connection, person_id, day),
        others={each.id: _others(connection, each) for each in tried if was_turned_down(each.outcome, each.fault)},
    )


def _reached_by(connection: Connection, person_id: str, day: date) -> str:
    days = [day - timedelta(days=back) for back in range(_TRUNK_KEPT_DAYS)]
    return connection.execute(_REACHED_BY, {"person": person_id, "on_days": days}).scalar_one_or_none() or ""


def _others(connection: Connection, attempt: Attempt) -> Others:
    """What became of calls to others next to this one, which was turned down."""
    values = {
        "person": attempt.person_id,
        "on_day": attempt.day,
        "by_trunk": attempt.trunk,
        "planned": attempt.planned_at,
    }
    before, after = (connection.execute(each, values).first() for each in (_BEFORE, _AFTER))
    if any(each is not None and was_turned_down(each.outcome, each.fault) for each in (before, after)):
        return Others.REFUSED
    return Others.NONE if after is None else Others.THROUGH


def uses_of(ends: Iterable[tuple[str, str | None, datetime | None]]) -> dict[str, Used]:
    """What each number went through: from number, outcome and end of every attempt of a day."""
    found: dict[str, Used] = {}
    for number, outcome, ended in ends:
        before = found.get(number, Used(0, None, False))
        vain = before.vain_until
        if ended is not None and outcome not in (Outcome.ANSWERED, *NEVER_RANG):
            vain = ended if vain is None else max(vain, ended)
        counted = outcome not in NEVER_RANG
        found[number] = Used(before.calls + counted, vain, before.in_use or outcome is None)
    return found


def begin_attempts(
    connection: Connection, attempt: Attempt, then: datetime, others: Sequence[tuple[Attempt, datetime]]
) -> tuple[Attempt, ...]:
    """`begin_attempt`, and those of `others` (with their next step) who can share its call: who of them does.

    Raises as begin_attempt, for `attempt`. One of the others who is being rung elsewhere, or needs no call any more, is
    left out.
    """
    begin_attempt(connection, attempt, then)
    begun = []
    for other, later in others:
        with suppress(AlreadyCalling, LookupError, TooManyTries), connection.begin_nested():
            begin_attempt(connection, other, later)
            begun.append(other)
    return tuple(begun)


def begin_attempt(connection: Connection, attempt: Attempt, then: datetime) -> None:
    """Write down, in one go, that a number is about to be rung and when to look again should it be lost.

    Raises AlreadyCalling if the person or the number is being rung, LookupError if the row is settled or gone, and
    TooManyTries if the row has had as many attempts as the database lets it have.
    """
    values = {"person": attempt.person_id, "on_day": attempt.day, "in_slot": attempt.slot, "then": then}
    try:
        with connection.begin_nested():
            if connection.execute(_TRY, values).rowcount != 1:
                raise LookupError(f"no open step for attempt {attempt.id}")
    except IntegrityError:
        raise TooManyTries from None
    plan_attempt(connection, attempt)


class TooManyTries(Exception):
    """The hard limit of attempts in one slot is reached: nothing was planned."""


def set_next(connection: Connection, person_id: str, day: date, slot: str, at: datetime) -> None:
    """The dialler looks at this row `at`; a settled one stays settled."""
    connection.execute(_MOVE, {"person": person_id, "on_day": day, "in_slot": slot, "next_at": at})


def settle(connection: Connection, person_id: str, day: date, slot: str, how: Settled) -> None:
    """Nothing more is to be done; the first word stands."""
    values = {"person": person_id, "on_day": day, "in_slot": slot}
    connection.execute(_MOVE, values | {"next_at": None, "settled": how})


def hand_over(
    connection: Connection, row: tuple[str, date, str], reason: HandOver, due_at: datetime | None, at: datetime
) -> None:
    """Open the follow-up and settle the row, in one go. One task a person and day is enough, whatever the slots."""
    person_id, day, slot = row
    if connection.execute(_WITH_STAFF, {"person": person_id, "on_day": day}).first() is None:
        open_follow_up(connection, NewFollowUp(day, reason, person_id, due_at=due_at), at)
    settle(connection, person_id, day, slot, Settled.HANDED_OVER)


def tell_staff(
    connection: Connection, row: tuple[str, date, str], reason: HandOver, due_at: datetime | None, at: datetime
) -> None:
    """Open the follow-up while calling goes on; once a day, whatever staff made of it."""
    person_id, day, _ = row
    if not connection.execute(_TOLD, {"person": person_id, "on_day": day, "why": reason}).scalar_one():
        open_follow_up(connection, NewFollowUp(day, reason, person_id, due_at=due_at), at)


def observed(connection: Connection) -> int:
    """How many people are under observation."""
    return connection.execute(select(func.count()).where(people.c.closed_at.is_(None))).scalar_one()


@dataclass(frozen=True)
class Count:
    """How a slot of a day stands."""

    slot: str
    people: int
    untouched: int  #: open, and nobody has been rung for it
    open: int


def counts(connection: Connection, day: date) -> tuple[Count, ...]:
    """How many rows each slot of the day has."""
    wanted = (
        select(
            agenda.c.slot,
            func.count().label("people"),
            func.sum(case((agenda.c.settled.is_(None) & (agenda.c.tries == 0), 1), else_=0)).label("untouched"),
            func.sum(case((agenda.c.settled.is_(None), 1), else_=0)).label("open"),
        )
        .where(agenda.c.day == day)
        .group_by(agenda.c.slot)
        .order_by(agenda.c.slot)
    )
    return tuple(Count(row.slot, row.people, row.untouched, row.open) for row in connection.execute(wanted))
