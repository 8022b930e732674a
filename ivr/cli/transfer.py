"""`kenko-call person make-key|hand-over|take-over`: people who go to another centre or come from one."""

import asyncio
import os
import secrets
import stat
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from ivr import sealed
from ivr.cli.output import DEFAULT_CONFIG, ConfigPath, day_of, now_at
from ivr.cli.person import Id
from ivr.cli.staff import By, Reason, signed_by
from ivr.config import Config, read_config
from ivr.document import read_content as read_file
from ivr.errors import BadInput, KenkoError, problem
from ivr.files.saving import save_or_refuse
from ivr.messages import text
from ivr.person import Person
from ivr.roster import parse_people
from ivr.storage.database import open_database, open_reader
from ivr.storage.decisions import NotPossible, Signed
from ivr.storage.people import get_person
from ivr.storage.transfers import IdTaken, Other, TakenBefore, history_of, note_handed_over, take_over
from ivr.transfer_settings import Partner
from ivr.transferred import NotUnderstood, Transferred, read_content, roster_of, to_content


def make_key(config: ConfigPath = DEFAULT_CONFIG) -> None:
    settings = read_config(config)
    file = _key_file(settings)
    if not file.exists():
        secret = sealed.make_secret(secrets.token_bytes(sealed.SECRET_BYTES))
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(problem("file.unwritable", str(file), reason=error.strerror or str(error))) from None
        save_or_refuse(file, secret.encode() + b"\n")
    public = sealed.public_of(_secret(settings))
    typer.echo(text("cli.person.make_key.public", key=public, fingerprint=sealed.fingerprint(public)))
    for each in settings.transfers.partners:
        told = {"name": each.name, "fingerprint": _fingerprint(each)}
        typer.echo(text("cli.person.make_key.partner", **told))


def hand_over(
    id: Id,
    to: Annotated[str, typer.Option("--to", help=text("cli.person.hand_over.to"))],
    output: Annotated[Path, typer.Option("--output", "-o", help=text("cli.person.hand_over.output"))],
    reason: Reason,
    config: ConfigPath = DEFAULT_CONFIG,
    by: By = None,
    close: Annotated[bool, typer.Option("--close", help=text("cli.person.hand_over.close"))] = False,
) -> None:
    settings = read_config(config)
    signed = signed_by(settings, by, reason)
    secret = _secret(settings)
    partner = next((each for each in settings.transfers.partners if each.name == to), None)
    if partner is None:
        known = ", ".join(each.name for each in settings.transfers.partners) or "-"
        raise BadInput(problem("cli.person.hand_over.unknown", name=to, known=known))
    other = Other(uuid.uuid4().hex, partner.name, _fingerprint(partner))
    with open_reader(settings.database) as reader:
        person = reader.read(get_person, id)
        if person is None:
            raise BadInput(problem("cli.people.nobody", id=id))
        if close and person.closing is not None:
            raise BadInput(problem("cli.people.not_observed", id=id))
        content = to_content(person, settings.centre.name, reader.read(history_of, id))
    expires_at = signed.at + timedelta(days=settings.transfers.valid_days)
    envelope = sealed.Envelope(other.id, sealed.public_of(secret), partner.key, signed.at, expires_at)
    if output.exists():
        raise BadInput(problem("cli.person.hand_over.exists", str(output)))
    # The file first: whoever is closed without one is with nobody.
    save_or_refuse(output, sealed.seal(content, envelope, secret, secrets.token_bytes(sealed.SEAL_BYTES)))
    try:
        asyncio.run(_note(settings, id, other, signed, close=close))
    except KenkoError:
        output.unlink(missing_ok=True)
        raise
    said = "cli.person.handed_over.closed" if close else "cli.person.handed_over"
    last = expires_at.astimezone(settings.centre.zone).date()
    typer.echo(text(said, id=id, name=to, file=output, until=last, fingerprint=other.fingerprint))


async def _note(settings: Config, id: str, other: Other, signed: Signed, *, close: bool) -> None:
    async with await open_database(settings.database, beside_service=True) as database:
        closing = Signed(
            signed.by, text("cli.person.handed_over.reason", name=other.centre, said=signed.reason), signed.at
        )
        try:
            await database.write(note_handed_over, id, other, closing if close else signed, close=close)
        except NotPossible:
            raise BadInput(problem("cli.people.not_observed", id=id)) from None


def take_over_person(
    file: Annotated[Path, typer.Argument(help=text("cli.person.take_over.file"))],
    config: ConfigPath = DEFAULT_CONFIG,
    by: By = None,
    new_id: Annotated[str | None, typer.Option("--as", help=text("cli.person.take_over.as"), metavar="ID")] = None,
    slot: Annotated[str | None, typer.Option("--slot", help=text("cli.person.take_over.slot"))] = None,
) -> None:
    settings = read_config(config)
    secret = _secret(settings)
    try:
        envelope, content = sealed.open_sealed(read_file(file), secret, now_at(settings))
        partner = next((each for each in settings.transfers.partners if each.key == envelope.sender), None)
        if partner is None:
            raise sealed.Broken("unknown_sender", fingerprint=sealed.fingerprint(envelope.sender))
        told = read_content(content)
    except sealed.Broken as broken:
        raise BadInput(problem(f"sealed.{broken.why}", str(file), None, **broken.values)) from None
    except NotUnderstood:
        raise BadInput(problem("cli.person.take_over.not_understood", str(file))) from None
    signed = signed_by(settings, by, text("cli.person.taken_over.reason", name=partner.name))
    other = Other(envelope.id, partner.name, _fingerprint(partner))
    person = _person(settings, told, str(file), new_id, slot)
    try:
        count = asyncio.run(_take_over(settings, person, told, content.decode(), other, signed))
    except TakenBefore as before:
        at = before.at.astimezone(settings.centre.zone)
        raise BadInput(problem("cli.person.take_over.twice", str(file), at=f"{at:%Y-%m-%d %H:%M}")) from None
    except IdTaken:
        raise BadInput(problem("cli.person.take_over.id_taken", str(file), id=person.id)) from None
    typer.echo(
        text("cli.person.taken_over", id=person.id, name=partner.name, reports=count, fingerprint=other.fingerprint)
    )


def _person(settings: Config, told: Transferred, file: str, id: str | None, slot: str | None) -> Person:
    """Checked by our own rules, as a line of a roster. Raises BadInput with every problem."""
    (person,) = parse_people(roster_of(told, id, slot), file, settings.roster_rules.on(day_of(settings, None)))
    return person


async def _take_over(
    settings: Config, person: Person, told: Transferred, content: str, other: Other, signed: Signed
) -> int:
    due_at = signed.at + timedelta(minutes=settings.dialling.follow_up_minutes)
    async with await open_database(settings.database, beside_service=True) as database:
        return await database.write(take_over, person, told, content, other, signed, due_at, settings.centre.zone)


def _key_file(settings: Config) -> Path:
    if settings.transfers.key_file is None:
        raise BadInput(problem("cli.person.no_key_file"))
    return settings.transfers.key_file


def _secret(settings: Config) -> str:
    """Our secret key. Raises BadInput if there is none, or others can read it, or it is none."""
    file = _key_file(settings)
    try:
        with file.open(encoding="utf-8") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            secret = opened.read().strip()
    except FileNotFoundError:
        raise BadInput(problem("cli.person.no_key", str(file))) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(problem("file.unreadable", str(file), reason=str(error))) from None
    if mode & 0o077:
        raise BadInput(problem("cli.person.open_key", str(file)))
    try:
        sealed.public_of(secret)
    except sealed.Broken as broken:
        raise BadInput(problem(f"sealed.{broken.why}", str(file))) from None
    return secret


def _fingerprint(partner: Partner) -> str:
    try:
        return sealed.fingerprint(partner.key)
    except sealed.Broken as broken:
        raise BadInput(problem(f"sealed.{broken.why}")) from None
