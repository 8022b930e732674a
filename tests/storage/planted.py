"""Somebody of whom there is something in every table that can hold anything about a person, each with its own mark.

The marks are letters that occur nowhere else, so that a search through raw bytes means something.
"""

from typing import Any

from sqlalchemy import Connection, Table, insert, select

from ivr.person import Person
from ivr.storage.callers import Try, try_caller
from ivr.storage.decisions import Signed, close_person
from ivr.storage.people import upsert_people
from ivr.storage.schema import (
    METADATA,
    agenda,
    alerts,
    answers,
    attempts,
    calls,
    decisions,
    follow_ups,
    reports,
    sessions,
    touched,
    voice_messages,
)
from ivr.storage.schema_callers import caller_unlocks
from ivr.storage.schema_centre import centre_people, conflicts
from ivr.storage.schema_erased import transfers
from ivr.storage.schema_imports import imported, imports
from ivr.storage.schema_outbox import outbox
from ivr.storage.schema_telephones import telephones
from tests.storage.records import BORN, DAY, NOW, TARO, later

#: Has the household's landline first, and a mobile that is nobody else's.
MARKED = Person(
    id="31415926",
    name="消滅 予定子",
    kana="ショウメツ ヨテイコ",
    numbers=("0310000001", "09000000077"),
    slots=("morning",),
    facts={"qqfact": "qqfactvalue"},
    birth_date=BORN,
)
#: A number that they had before, and nobody else.
FORMER = "09000000088"
#: What must be in the export, and in no byte afterwards. The landline is TARO's, too.
MARKS = (
    *("消滅", "ショウメツ", "09000000077", FORMER, "qqfactvalue", "qqdecision", "qqslotname", "qqoutcome", "qqanswer"),
    *("qqsession", "qqvoice", "qqreport", "qqalert", "qqtask", "qqunlock", "qqoutbox", "qqtransfer", "qqattempt"),
    *("qqcall", "qqclaimed", "qqcentre", "qqconflict", "qqimported"),
)
CLOSED = Signed("saito", "qqdecision", NOW)


def plant(connection: Connection) -> None:
    """Enter MARKED, with a past, and close; nothing about them is unsent."""
    upsert_people(connection, (MARKED,), NOW)
    id = MARKED.id

    def put(table: Table, **values: Any) -> None:
        connection.execute(insert(table), values)

    close_person(connection, id, CLOSED)
    put(imports, id=1, at=NOW, by="saito", file="roster.csv")
    put(imported, import_id=1, person_id=id, before='{"name": "qqimported"}', stored="-")
    put(agenda, person_id=id, day=DAY, slot="qqslotname", until=NOW, settled="reported", tries=1)
    held: dict[str, Any] = {
        "day": DAY,
        "questionnaire_hash": "hash-1",
        "language": "ja",
        "source": "automatic_call",
        "auth": "outbound",
        "status": "completed",
        "state": '{"said": "qqsession"}',
        "started_at": NOW,
        "updated_at": NOW,
    }
    put(sessions, id="qqsession-1", person_id=id, **held)
    put(sessions, id="qqclaimed-1", person_id=None, claimed_id=id, **held)
    put(sessions, id="taros", person_id=TARO.id, **(held | {"state": "{}"}))
    ended: dict[str, Any] = {"state": "ended", "outcome": "answered", "ended_at": later(3)}
    put(
        attempts,
        id="qqattempt-1",
        person_id=id,
        number=MARKED.numbers[0],
        day=DAY,
        slot="qqslotname",
        planned_at=NOW,
        **ended,
    )
    call = {"started_at": NOW, "cause": 0, "tech_cause": 0}
    # On the first call TARO reported, too; on the second nobody was known.
    outbound = {"direction": "outbound", "attempt_id": "qqattempt-1", "session_id": "taros", "note": ""}
    put(calls, id="shared-1", number=MARKED.numbers[0], **outbound, **call, **ended)
    inbound: dict[str, Any] = {"direction": "inbound", "note": "qqoutcome"}
    put(calls, id="qqcall-2", number=MARKED.numbers[1], session_id="qqsession-1", **inbound, **call, **ended)
    put(calls, id="qqcall-3", number=MARKED.numbers[1], session_id=None, **inbound, **call, **ended)
    # From a number of before, under which they were known.
    put(sessions, id="qqsession-2", person_id=id, **(held | {"auth": "registered_number"}))
    put(calls, id="qqcall-4", number=FORMER, session_id="qqsession-2", **inbound, **call, **ended)
    put(telephones, number=FORMER, keys_at=NOW, silent_at=None)
    for session, value, on in (
        ("qqsession-1", "qqanswer", "shared-1"),
        ("qqclaimed-1", "qqanswer", None),
        ("taros", "taro said", "shared-1"),
    ):
        put(answers, session_id=session, question_id="cough", value=value, call_id=on, at=NOW)
    put(
        voice_messages,
        id="qqvoice-1",
        session_id="qqsession-1",
        question_id="-",
        call_id="qqcall-2",
        seconds=3,
        at=NOW,
    )
    told = {"day": DAY, "completeness": "complete", "source": "automatic_call", "auth": "outbound"}
    put(reports, id="qqreport-1", session_id="qqsession-1", person_id=id, created_at=NOW, updated_at=NOW, **told)
    put(
        alerts,
        session_id="qqsession-1",
        person_id=id,
        rule="qqalert",
        level="urgent",
        reason="{}",
        at=NOW,
        acknowledged_at=NOW,
    )
    put(follow_ups, person_id=id, day=DAY, reason="qqtask", opened_at=NOW, closed_at=NOW)
    put(follow_ups, person_id=None, day=DAY, reason="unknown_caller", number=MARKED.numbers[1], opened_at=NOW)
    put(follow_ups, person_id=None, claimed_id="99999999", day=DAY, reason="x", number=MARKED.numbers[1], opened_at=NOW)
    put(telephones, number=MARKED.numbers[0], keys_at=NOW, silent_at=None)
    put(telephones, number=MARKED.numbers[1], keys_at=NOW, silent_at=None)
    try_caller(connection, Try(id, BORN, MARKED.numbers[1], DAY, NOW), "key of numbers")
    try_caller(connection, Try("99999999", BORN, MARKED.numbers[1], DAY, NOW), "key of numbers")
    put(caller_unlocks, at=NOW, claimed_id=id, by="saito", reason="qqunlock")
    put(
        transfers,
        id="t-1",
        way="in",
        person_id=id,
        centre="c",
        fingerprint="f",
        at=NOW,
        by="saito",
        reason="r",
        content='{"told": "qqtransfer"}',
    )
    put(centre_people, person_id=id, revision=1, cells='{"name": "qqcentre"}', said_at=NOW)
    put(conflicts, person_id=id, field="name", here="{}", centre='{"name": "qqconflict"}', kept="centre", found_at=NOW)
    sent = {"kind": "report", "revision": 1, "lane": 1, "sha256": "0" * 64, "state": "acknowledged", "record_id": "r"}
    about = (id, "qqoutbox-1"), ("qqclaimed-1", "qqoutbox-2")
    for whom, key in about:
        put(
            outbox,
            key=key,
            about=whom,
            subject="kc-" + key[-1],
            sequence=1,
            payload=b'{"v": "qqoutbox"}',
            queued_at=NOW,
            settled_at=NOW,
            **sent,
        )
    assert connection.execute(select(touched).where(touched.c.person_id == id)).first()
    assert connection.execute(select(decisions).where(decisions.c.person_id == id)).first()


def everything(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {
        table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
        for table in METADATA.sorted_tables
    }
