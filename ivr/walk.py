"""A person's walk through the questionnaire on one call: which session it belongs to, and how each turn is stored."""

from dataclasses import dataclass

from ivr.conversation import Voice, converse
from ivr.phone import Phone
from ivr.questionnaire.model import Questionnaire, Turn
from ivr.questionnaire.parse import parse
from ivr.questionnaire.turns import reopen, start
from ivr.site import Site
from ivr.storage import sessions
from ivr.storage.questionnaires import questionnaire_source
from ivr.storage.schema import Auth, Source
from ivr.storage.sessions import StoredSession


@dataclass(frozen=True)
class Who:
    """Whose report a call brings."""

    person_id: str | None  #: None: nobody on the roster
    claimed_id: str | None  #: the ID that was keyed, known or not
    source: Source
    auth: Auth


async def walk(site: Site, phone: Phone, who: Who) -> None:
    """Go on with today's open session of the person, or begin one, to its end. Raises HungUp."""
    session, first = await _waiting(site, who) or await _opened(site, who)
    await _walk(site, phone, session, first)


async def go_on(site: Site, phone: Phone, session: StoredSession) -> None:
    """Go on with this session, whosever it is, to its end. Raises HungUp."""
    questionnaire = await version_of(site, session.state.questionnaire)
    await _walk(site, phone, session, reopen(questionnaire, session.state))


async def _walk(site: Site, phone: Phone, session: StoredSession, first: Turn) -> None:
    questionnaire = await version_of(site, first.session.questionnaire)

    async def commit(turn: Turn) -> None:
        await site.database.write(sessions.save_turn, session.id, phone.call_id, turn, site.now())

    await converse(phone, Voice(site.prompts, questionnaire.language), questionnaire, first, commit)


async def version_of(site: Site, version: str) -> Questionnaire:
    """The version with this hash: a session ends on the one it began with. Raises LookupError if there is none."""
    if version == site.questionnaire.hash:
        return site.questionnaire
    source = await site.database.read(questionnaire_source, version)
    if source is None:
        raise LookupError(f"questionnaire {version} is not stored")
    return parse(source.encode(), version)


async def _waiting(site: Site, who: Who) -> tuple[StoredSession, Turn] | None:
    if who.person_id is None:
        return None
    session = await site.database.read(sessions.waiting_session, who.person_id, site.today())
    if session is None:
        return None
    questionnaire = await version_of(site, session.state.questionnaire)
    if who.auth is Auth.KEYED_ID:
        # To go on in the middle would say that the ID exists, and how far its person got: from the beginning, as with
        # an ID that nobody has. What was answered before stays stored.
        return session, start(questionnaire)
    return session, reopen(questionnaire, session.state)


async def _opened(site: Site, who: Who) -> tuple[StoredSession, Turn]:
    first = start(site.questionnaire)
    session = StoredSession(
        id=site.new_id(),
        person_id=who.person_id,
        claimed_id=who.claimed_id,
        day=site.today(),
        language=site.questionnaire.language,
        source=who.source,
        auth=who.auth,
        state=first.session,
        started_at=site.now(),
        updated_at=site.now(),
    )
    try:
        await site.database.write(sessions.open_session, session)
    except sessions.AlreadyWaiting:
        # Another call of the same person was faster (they rang while we rang them): go on with its session.
        waiting = await _waiting(site, who)
        if waiting is None:
            raise
        return waiting
    return session, first
