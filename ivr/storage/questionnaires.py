"""Every version of a questionnaire that was ever asked, and who put which in force when.

An answer means nothing without its question: versions stay. `activations` is both a journal and the way in which a
command asks a service for something: a wish is written down, the service decides on it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from ivr.errors import Problem
from ivr.messages import LANGUAGES
from ivr.storage.schema import activations
from ivr.storage.schema import questionnaires as table
from ivr.storage.words import Cause, Verdict


@dataclass(frozen=True)
class Activation:
    """A version that was to go live, and what came of it."""

    id: int
    cause: Cause
    by_whom: str | None  #: login name of the operator; None: no command was given
    hash: str | None  #: the version; None: nobody knows it yet, or the file held none
    file_hash: str | None  #: of the file's bytes when it was decided; None: it could not be read
    verdict: Verdict
    problems: tuple[Mapping[str, str], ...]  #: why it was refused: language -> text
    wished_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True)
class NewVersion:
    """A version that may not be stored yet."""

    id: str
    source: str


@dataclass(frozen=True)
class Decision:
    """What the service made of a wish, or of a file that was saved."""

    cause: Cause
    hash: str | None
    file_hash: str | None
    problems: Sequence[Problem] = ()  #: any: refused
    new: NewVersion | None = None  #: what `hash` stands for, to be stored with it


@dataclass(frozen=True)
class Standing:
    """How things stand."""

    live: Activation | None  #: what new sessions get; None: there was never anything
    refused: Activation | None  #: what is on disk and was refused, if that still holds


@dataclass(frozen=True)
class Version:
    """One version that was ever live."""

    hash: str
    id: str
    stored_at: datetime


def store_questionnaire(connection: Connection, hash: str, id: str, source: str, at: datetime) -> None:
    """Keep this version (`source`: the text of the file, `hash`: of its bytes); known ones stay as they are."""
    if questionnaire_source(connection, hash) is None:
        connection.execute(insert(table).values(hash=hash, id=id, source=source, stored_at=at))


def questionnaire_source(connection: Connection, hash: str) -> str | None:
    """The text of the version, None if it is unknown."""
    return connection.execute(select(table.c.source).where(table.c.hash == hash)).scalar_one_or_none()


def questionnaire_sources(connection: Connection) -> tuple[str, ...]:
    """The texts of all versions that were ever in force, oldest first."""
    return tuple(connection.execute(select(table.c.source).order_by(table.c.stored_at, table.c.hash)).scalars())


def versions_like(connection: Connection, beginning: str) -> tuple[Version, ...]:
    """The versions whose hash begins so, oldest first."""
    wanted = select(table).where(table.c.hash.startswith(beginning, autoescape=True))
    rows = connection.execute(wanted.order_by(table.c.stored_at, table.c.hash))
    return tuple(Version(row.hash, row.id, row.stored_at) for row in rows)


def wish(connection: Connection, cause: Cause, by_whom: str, hash: str | None, at: datetime) -> int:
    """Ask the service for a version (None: the one in the file). The id by which to look for what it decided."""
    values = {"cause": cause, "by_whom": by_whom, "hash": hash, "verdict": Verdict.WISHED, "wished_at": at}
    wished = insert(activations).values(**values).returning(activations.c.id)
    return int(connection.execute(wished).scalar_one())


def open_wishes(connection: Connection) -> tuple[Activation, ...]:
    """Wishes that nobody has decided on, oldest first."""
    wanted = select(activations).where(activations.c.verdict == Verdict.WISHED)
    return _found(connection, wanted.order_by(activations.c.id))


def get_activation(connection: Connection, id: int) -> Activation:
    """Raises LookupError if it is unknown."""
    for each in _found(connection, select(activations).where(activations.c.id == id)):
        return each
    raise LookupError(f"no activation {id}")


def decide(connection: Connection, decision: Decision, at: datetime, wish: int | None = None) -> None:
    """Write down what was decided: on a wish, or on what the service found by itself."""
    if decision.hash is not None and decision.new is not None:
        store_questionnaire(connection, decision.hash, decision.new.id, decision.new.source, at)
    last = connection.execute(select(func.coalesce(func.max(activations.c.decided), 0))).scalar_one()
    values = {
        "cause": decision.cause,
        "hash": decision.hash,
        "file_hash": decision.file_hash,
        "verdict": Verdict.REFUSED if decision.problems else Verdict.DONE,
        "problems": json.dumps(said(decision.problems), ensure_ascii=False),
        # Not the time: a clock may go back, and practice begins anew at each start.
        "decided": last + 1,
        "decided_at": at,
    }
    if wish is None:
        connection.execute(insert(activations).values(**values, wished_at=at))
    else:
        connection.execute(update(activations).where(activations.c.id == wish).values(**values))


def said(problems: Sequence[Problem]) -> list[Mapping[str, str]]:
    """The problems as they are kept: in every language of the staff."""
    return [{language: each.render(language) for language in LANGUAGES} for each in problems]


def standing(connection: Connection) -> Standing:
    """What is live, and whether what is on disk was refused."""
    newest = select(activations).order_by(activations.c.decided.desc()).limit(1)
    live = _found(connection, newest.where(activations.c.verdict == Verdict.DONE))
    # To go back to an old version says nothing about the file.
    of_disk = newest.where(activations.c.verdict != Verdict.WISHED, activations.c.cause != Cause.ACTIVATE)
    disk = _found(connection, of_disk)
    refused = [each for each in disk if each.verdict is Verdict.REFUSED]
    return Standing(live[0] if live else None, refused[0] if refused else None)


def history(connection: Connection, most: int) -> tuple[Activation, ...]:
    """The latest decisions and open wishes, newest first."""
    newest = activations.c.decided.desc().nulls_first()
    return _found(connection, select(activations).order_by(newest, activations.c.id.desc()).limit(most))


def _found(connection: Connection, wanted: Select[tuple[object, ...]]) -> tuple[Activation, ...]:
    return tuple(_activation(row) for row in connection.execute(wanted).mappings())


def _activation(row: RowMapping) -> Activation:
    return Activation(
        id=row["id"],
        cause=Cause(row["cause"]),
        by_whom=row["by_whom"],
        hash=row["hash"],
        file_hash=row["file_hash"],
        verdict=Verdict(row["verdict"]),
        problems=tuple(json.loads(row["problems"])),
        wished_at=row["wished_at"],
        decided_at=row["decided_at"],
    )
