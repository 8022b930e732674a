"""All tables. Times are UTC (columns.Moment); a day is the local day of the centre, decided by the caller."""

from enum import StrEnum

from sqlalchemy import REAL, CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, Table, Text, text

from ivr.call import CallState, Direction, Outcome
from ivr.questionnaire.model import Level, SessionStatus
from ivr.storage.columns import Day, Moment, one_of


class Completeness(StrEnum):
    """How much of a questionnaire a report holds."""

    COMPLETE = "complete"
    PARTIAL = "partial"  #: at least one answer


class Source(StrEnum):
    """How a report came to be."""

    AUTOMATIC_CALL = "automatic_call"  #: we rang
    HEALTH_CALL = "health_call"  #: the person rang us
    SELF_ENTRY = "self_entry"  #: the person wrote it, in a form or another system


class Auth(StrEnum):
    """What made us take the caller for the person."""

    REGISTERED_NUMBER = "registered_number"
    KEYED_ID = "keyed_id"
    OUTBOUND = "outbound"  #: we rang a number of theirs


class Cause(StrEnum):
    """Why a version of the questionnaire was to go live."""

    STARTED = "started"  #: the service started
    SAVED = "saved"  #: the file, or a recording, was changed
    RELOAD = "reload"  #: an operator wanted the file to be read
    ACTIVATE = "activate"  #: an operator wanted this version


class Verdict(StrEnum):
    """What came of it."""

    WISHED = "wished"  #: a service has still to look at it
    DONE = "done"
    REFUSED = "refused"  #: what was live stays


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _table(name: str, *parts: Column[object] | CheckConstraint | Index, autoincrement: bool = False) -> Table:
    # STRICT: without it SQLite takes the text "tomorrow" for an integer column.
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_autoincrement=autoincrement)


def _text(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, Text, nullable=null)


def _moment(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, Moment, nullable=null)


def _to(name: str, target: str, *, null: bool = False) -> Column[object]:
    return Column(name, Text, ForeignKey(target), nullable=null)


def _key() -> Column[object]:
    return Column("id", Integer, primary_key=True)


def _unique_where(name: str, *columns: str, where: str) -> Index:
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


people = _table(
    "people",
    Column("id", Text, primary_key=True),
    _text("name"),
    _text("kana"),
    Column("language", Text, nullable=False, server_default="ja"),
    _text("slot"),
    _moment("created_at"),
    _moment("closed_at", null=True),
    CheckConstraint("length(id) BETWEEN 6 AND 8", name="id"),
)

numbers = _table(
    "numbers",
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("number"),
    # Not unique: a household shares its telephone.
    Index(None, "number"),
)

questionnaires = _table(
    "questionnaires",
    Column("hash", Text, primary_key=True),
    _text("id"),
    _text("source"),
    _moment("stored_at"),
)

activations = _table(
    "activations",
    _key(),
    _text("cause"),
    _text("by_whom", null=True),
    _to("hash", "questionnaires.hash", null=True),
    # Not to questionnaires: what was refused is not kept.
    _text("file_hash", null=True),
    _text("verdict"),
    Column("problems", Text, nullable=False, server_default="[]"),
    _moment("wished_at"),
    _moment("decided_at", null=True),
    Column("decided", Integer, nullable=True, unique=True),
    one_of("cause", Cause),
    one_of("verdict", Verdict),
    CheckConstraint("(verdict = 'wished') = (decided IS NULL)", name="decided"),
    CheckConstraint("verdict <> 'done' OR hash IS NOT NULL", name="known"),
    autoincrement=True,
)

sessions = _table(
    "sessions",
    Column("id", Text, primary_key=True),
    _to("person_id", "people.id", null=True),
    _text("claimed_id", null=True),
    Column("day", Day, nullable=False),
    _to("questionnaire_hash", "questionnaires.hash"),
    _text("language"),
    _text("source"),
    _text("auth"),
    _text("status"),
    _text("state"),
    _moment("started_at"),
    _moment("updated_at"),
    one_of("source", Source),
    one_of("auth", Auth),
    one_of("status", SessionStatus),
    Index(None, "person_id", "day"),
    _unique_where("one_waiting_session", "person_id", "day", where="status = 'waiting'"),
)

attempts = _table(
    "attempts",
    Column("id", Text, primary_key=True),
    _to("person_id", "people.id"),
    _text("number"),
    Column("day", Day, nullable=False),
    _text("slot"),
    _text("state"),
    _text("outcome", null=True),
    _moment("planned_at"),
    _moment("ended_at", null=True),
    one_of("state", CallState),
    one_of("outcome", Outcome),
    CheckConstraint(
        "(state = 'ended') = (outcome IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)", name="ended"
    ),
    Index(None, "day", "person_id"),
    # Invariant 2, held by the database: two live calls to a person or to a number cannot be written down.
    _unique_where("one_active_attempt_per_person", "person_id", where="state <> 'ended'"),
    _unique_where("one_active_attempt_per_number", "number", where="state <> 'ended'"),
)

calls = _table(
    "calls",
    Column("id", Text, primary_key=True),
    _to("attempt_id", "attempts.id", null=True),
    _text("direction"),
    _text("number", null=True),
    _to("session_id", "sessions.id", null=True),
    _text("state"),
    _moment("started_at"),
    _moment("answered_at", null=True),
    _moment("ended_at", null=True),
    _text("outcome", null=True),
    Column("cause", Integer, nullable=False, server_default=text("0")),
    Column("tech_cause", Integer, nullable=False, server_default=text("0")),
    Column("note", Text, nullable=False, server_default=""),
    one_of("direction", Direction),
    one_of("state", CallState),
    one_of("outcome", Outcome),
    CheckConstraint(
        "(state = 'ended') = (outcome IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)", name="ended"
    ),
    Index(None, "session_id"),
    # One request to dial per attempt, ever: a repeated one cannot be written down.
    Index("one_call_per_attempt", "attempt_id", unique=True),
    Index("open_calls", "started_at", sqlite_where=text("state <> 'ended'"), postgresql_where=text("state <> 'ended'")),
)

answers = _table(
    "answers",
    _key(),
    _to("session_id", "sessions.id"),
    _text("question_id"),
    _text("value"),
    _to("call_id", "calls.id", null=True),
    _moment("at"),
    Index(None, "session_id"),
    # AUTOINCREMENT: the order of ids decides which answer is the last, so an id must never come again.
    autoincrement=True,
)

voice_messages = _table(
    "voice_messages",
    Column("id", Text, primary_key=True),
    _to("session_id", "sessions.id"),
    _text("question_id"),
    _to("call_id", "calls.id", null=True),
    Column("seconds", REAL, nullable=False),
    _moment("at"),
    CheckConstraint("seconds > 0", name="seconds"),
    Index(None, "session_id"),
)

reports = _table(
    "reports",
    Column("id", Text, primary_key=True),
    Column("session_id", Text, ForeignKey("sessions.id"), nullable=True, unique=True),
    _to("person_id", "people.id", null=True),
    _text("claimed_id", null=True),
    Column("day", Day, nullable=False),
    _text("completeness"),
    _text("source"),
    _text("auth"),
    _moment("created_at"),
    _moment("updated_at"),
    one_of("completeness", Completeness),
    one_of("source", Source),
    one_of("auth", Auth),
    Index(None, "day", "person_id"),
)

follow_ups = _table(
    "follow_ups",
    _key(),
    _to("person_id", "people.id", null=True),
    _text("claimed_id", null=True),
    Column("day", Day, nullable=False),
    # No list of reasons here: the engine and the scheduler each have theirs, and both will grow.
    _text("reason"),
    _to("session_id", "sessions.id", null=True),
    _to("attempt_id", "attempts.id", null=True),
    _moment("due_at", null=True),
    _moment("opened_at"),
    _moment("closed_at", null=True),
    CheckConstraint("reason <> ''", name="reason"),
    Index(None, "day", "person_id"),
    _unique_where("one_open_follow_up", "person_id", "day", "reason", where="closed_at IS NULL"),
    autoincrement=True,
)

alerts = _table(
    "alerts",
    _key(),
    _to("session_id", "sessions.id"),
    _to("person_id", "people.id", null=True),
    _text("rule"),
    _text("level"),
    _text("reason"),
    _moment("at"),
    _moment("acknowledged_at", null=True),
    one_of("level", Level),
    Index("one_alert_per_rule", "session_id", "rule", unique=True),
    autoincrement=True,
)

facts = _table(
    "facts",
    Column("key", Text, primary_key=True),
    _text("value"),
)
