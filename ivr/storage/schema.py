"""All tables. Times are UTC (columns.Moment); a day is the local day of the centre, decided by the caller."""

from sqlalchemy import DDL, REAL, CheckConstraint, Column, ForeignKey, Index, Integer, Text, event, text

from ivr.call import CallState, Direction, Outcome
from ivr.handover import Settled
from ivr.questionnaire.outcomes import Level, SessionStatus
from ivr.storage import (  # noqa: F401 - for METADATA
    schema_callers,
    schema_comparisons,
    schema_erased,
    schema_house,
    schema_imports,
    schema_telephones,
)
from ivr.storage.columns import Day, TimeOfDay, one_of
from ivr.storage.schema_centre import centre_people, conflicts
from ivr.storage.schema_outbox import outbox
from ivr.storage.tables import index_where, metadata
from ivr.storage.tables import key_column as _key
from ivr.storage.tables import moment_column as _moment
from ivr.storage.tables import reference as _to
from ivr.storage.tables import strict_table as _table
from ivr.storage.tables import text_column as _text
from ivr.storage.tables import unique_where as _unique_where
from ivr.storage.words import Auth, Cause, Completeness, Decided, Source, Verdict

#: What all tables of this module and of those beside it belong to.
METADATA = metadata
#: Those beside it.
MORE_TABLES = (outbox, centre_people, conflicts)

#: Attempts to one person in one slot, those that met a full network too, whatever else fails.
MOST_ATTEMPTS_A_SLOT = 30

people = _table(
    "people",
    Column("id", Text, primary_key=True),
    _text("name"),
    _text("kana"),
    Column("language", Text, nullable=False, server_default="ja"),
    _moment("created_at"),
    _moment("closed_at", null=True),
    _text("closed_by", null=True),
    _text("closed_reason", null=True),
    _moment("paused_since", null=True),
    _moment("paused_until", null=True),
    _text("paused_by", null=True),
    _text("paused_reason", null=True),
    Column("own_time", TimeOfDay, nullable=True),
    Column("hours_from", TimeOfDay, nullable=True),
    Column("hours_until", TimeOfDay, nullable=True),
    Column("risk", Text, nullable=False, server_default="normal"),
    Column("facts", Text, nullable=False, server_default="{}"),
    Column("begins", Day, nullable=True),
    Column("ends", Day, nullable=True),
    Column("birth_date", Day, nullable=True),
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

person_slots = _table(
    "person_slots",
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    _text("slot"),
    Index(None, "person_id", "slot", unique=True),
)

decisions = _table(
    "decisions",
    _key(),
    _to("person_id", "people.id"),
    _text("kind"),
    _moment("at"),
    _text("by"),
    _text("reason"),
    _moment("until", null=True),
    one_of("kind", Decided),
    CheckConstraint("by <> '' AND reason <> ''", name="signed"),
    Index(None, "person_id"),
    autoincrement=True,
)

#: What was decided stays as it was written down, whoever writes to the database; it goes only with all that there is of
#: a person, once their tombstone stands.
DECISIONS_STAY = tuple(
    f"CREATE TRIGGER decisions_no_{verb} BEFORE {verb.upper()} ON decisions {unless}"
    "BEGIN SELECT RAISE(ABORT, 'decisions are only ever added'); END"
    for verb, unless in (
        ("update", ""),
        ("delete", "WHEN NOT EXISTS (SELECT 1 FROM tombstones WHERE person_id = OLD.person_id) "),
    )
)
for _trigger in DECISIONS_STAY:
    event.listen(decisions, "after_create", DDL(_trigger).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]

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
    index_where("sessions_of_nobody", "claimed_id", where="person_id IS NULL"),
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
    Column("trunk", Text, nullable=False, server_default=""),
    _text("fault", null=True),
    # One call for several persons of a household: the attempt whose call it is; NULL: this one has its own. No foreign
    # key: SQLite cannot add one to a table, and an erasure may take the other attempt away.
    _text("together_with", null=True),
    one_of("state", CallState),
    one_of("outcome", Outcome),
    CheckConstraint(
        "(state = 'ended') = (outcome IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)", name="ended"
    ),
    Index(None, "day", "person_id"),
    Index(None, "day", "number"),
    Index(None, "day", "trunk", "planned_at"),
    # Invariant 2, held by the database: two live calls to a person or to a number cannot be written down.
    _unique_where("one_active_attempt_per_person", "person_id", where="state <> 'ended'"),
    _unique_where("one_active_attempt_per_number", "number", where="state <> 'ended' AND together_with IS NULL"),
    index_where("attempts_together", "together_with", where="together_with IS NOT NULL"),
    # For erasures: without these a database reads all of the table for every row that goes.
    Index(None, "person_id"),
    Index(None, "number"),
)

_UNACCOUNTED = "direction = 'inbound' AND state = 'ended' AND next_step IS NULL"

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
    _text("record", null=True),
    _text("next_step", null=True),
    Column("pressed", Integer, nullable=False, server_default=text("0")),
    one_of("direction", Direction),
    one_of("state", CallState),
    one_of("outcome", Outcome),
    CheckConstraint(
        "(state = 'ended') = (outcome IS NOT NULL) AND (state = 'ended') = (ended_at IS NOT NULL)", name="ended"
    ),
    Index(None, "session_id"),
    # One request to dial per attempt, ever: a repeated one cannot be written down.
    Index("one_call_per_attempt", "attempt_id", unique=True),
    index_where("open_calls", "started_at", where="state <> 'ended'"),
    index_where("calls_to_account_for", "started_at", where=_UNACCOUNTED),
    Index(None, "number"),
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
    # For erasures: a database looks for answers of every call that is deleted.
    Index(None, "call_id"),
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
    Index(None, "call_id"),
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
    Index(None, "person_id"),
    index_where("reports_of_nobody", "claimed_id", where="person_id IS NULL"),
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
    # Which nobody's follow-up is about: staff know from it whom to ring.
    _text("number", null=True),
    _moment("due_at", null=True),
    _moment("opened_at"),
    _moment("closed_at", null=True),
    CheckConstraint("reason <> ''", name="reason"),
    Index(None, "day", "person_id"),
    _unique_where("one_open_follow_up", "person_id", "day", "reason", where="closed_at IS NULL"),
    Index(None, "person_id"),
    Index(None, "session_id"),
    Index(None, "attempt_id"),
    index_where("follow_ups_of_nobody", "claimed_id", where="person_id IS NULL"),
    index_where("follow_ups_with_number", "number", where="number IS NOT NULL"),
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
    #: The person took the answer back that fired it.
    _moment("withdrawn_at", null=True),
    one_of("level", Level),
    Index("one_alert_per_rule", "session_id", "rule", unique=True),
    Index(None, "person_id"),
    autoincrement=True,
)

agenda = _table(
    "agenda",
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
    Column("day", Day, primary_key=True),
    Column("slot", Text, primary_key=True),
    Column("risk", Integer, nullable=False, server_default=text("0")),
    _moment("until"),
    # Invariant 5: what is not settled has a moment at which the dialler looks at it.
    _moment("next_at", null=True),
    _text("settled", null=True),
    # A runaway loop ends here, whatever the policy says (surveda #2369 saw 96 calls to one person).
    Column("tries", Integer, nullable=False, server_default=text("0")),
    CheckConstraint(f"tries BETWEEN 0 AND {MOST_ATTEMPTS_A_SLOT}", name="tries"),
    one_of("settled", Settled),
    CheckConstraint("(settled IS NULL) = (next_at IS NOT NULL)", name="open"),
    Index(None, "day", "person_id"),
    index_where("open_steps", "day", "next_at", where="settled IS NULL"),
)

touched = _table(
    "touched",
    # Whose entry in the roster changed, or about whom staff decided: the dialler plans them anew and removes the row.
    Column("person_id", Text, ForeignKey("people.id"), primary_key=True),
)
