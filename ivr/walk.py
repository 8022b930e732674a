"""A person's walk through the questionnaire on one call: which session it belongs to, and how each turn is stored.

Two calls of one person may be in one session: see ivr.storage.sessions for which of them holds it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from ivr import recordings
from ivr.conversation import Voice, converse
from ivr.person import Person, is_excluded
from ivr.phone import Phone
from ivr.questionnaire.model import Input, NextCall, PersonFacts, Pressed, Questionnaire, Recorded, Turn
from ivr.questionnaire.next_call import next_call_of, say_next_call
from ivr.questionnaire.parse import parse
from ivr.questionnaire.turns import reopen, start
from ivr.severe import heed, is_severe
from ivr.site import Site
from ivr.storage import sessions
from ivr.storage.people import get_person
from ivr.storage.questionnaires import questionnaire_source
from ivr.storage.reports import last_report, went_through
from ivr.storage.sessions import StoredSession
from ivr.storage.voice_messages import Said
from ivr.storage.words import Auth, Source
from ivr.window import windows_of

log = logging.getLogger(__name__)

#: A call that is further away is not promised: much can change until then.
LOOK_AHEAD_DAYS = 14


@dataclass(frozen=True)
class Who:
    """Whose report a call brings."""

    person_id: str | None  #: None: nobody on the roster
    claimed_id: str | None  #: the ID that was keyed, known or not
    source: Source
    auth: Auth


async def walk(site: Site, phone: Phone, who: Who) -> Turn:
    """Today's open session of the person, or a new one, to its last turn; the call goes on. Raises HungUp."""
    session, first = await _waiting(site, who) or await _opened(site, who)
    return await _walk(site, phone, session, first)


async def go_on(site: Site, phone: Phone, session: StoredSession) -> Turn:
    """Go on with this session, whosever it is, to its last turn; the call goes on. Raises HungUp."""
    questionnaire = await version_of(site, session.state.questionnaire)
    return await _walk(site, phone, session, reopen(questionnaire, session.state))


async def _walk(site: Site, phone: Phone, session: StoredSession, first: Turn) -> Turn:
    questionnaire = await version_of(site, first.session.questionnaire)
    tapes = _Tapes(lambda: site.config.voice_messages / f"{site.new_id()}.wav")

    voice = Voice(site.prompts, questionnaire.language)
    heeded = False

    async def commit(turn: Turn, given: Input | None) -> None:
        nonlocal heeded
        said = tapes.named_by(turn)
        pressed = isinstance(given, Pressed | Recorded)
        save = (session.id, phone.call_id, turn, site.now(), said, pressed)
        await site.database.write(sessions.save_turn, *save)
        if not heeded and is_severe(turn):
            heeded = True  # Once a call: every further severe answer is an alert all the same.
            await heed(site, phone, voice.of(turn), session, turn)

    try:
        return await converse(phone, voice, questionnaire, first, commit, tapes.new_file)
    except sessions.HeldElsewhere:
        # Whoever is still here hears a friendly word; mostly this call has no far end any more.
        log.info("the person goes on on another call", extra={"action": "held_elsewhere", "call": phone.call_id})
        await voice.of(first).say(phone, ("frame/thanks",))
        return first


@dataclass
class _Tapes:
    """What is said on one call, between its file and its row."""

    new_path: Callable[[], Path]
    files: list[Path] = field(default_factory=list)

    def new_file(self) -> Path:
        """Where the next thing that is said goes."""
        self.files.append(self.new_path())
        return self.files[-1]

    def named_by(self, turn: Turn) -> tuple[Said, ...]:
        """What was said since the last turn and means something to this one. What does not (a click) is deleted."""
        questions = {each.value: each.question for each in turn.answered} | {
            turn.session.pending: turn.session.question
        }
        kept = [each for each in self.files if each.stem in questions]
        for each in self.files:
            if each not in kept:
                each.unlink(missing_ok=True)
        self.files.clear()
        return tuple(Said(each.stem, questions[each.stem], recordings.length_of(each)) for each in kept)


async def _known_of(site: Site, who: Who) -> PersonFacts:
    """What the questions of a new session may depend on."""
    if who.person_id is None or not who.auth.is_their_telephone:
        # Whoever keys an ID and a birth date may be anybody: what is asked and said tells nothing of what is known.
        return PersonFacts()
    person = await site.database.read(get_person, who.person_id)
    if person is None:
        return PersonFacts()
    last = await site.database.read(last_report, person.id, site.today())
    knows = await site.database.read(went_through, person.id, site.questionnaire.hash, site.today())
    return PersonFacts(person.facts, person.language, last, _next_call(site, person), knows=knows)


def _next_call(site: Site, person: Person) -> NextCall | None:
    """When we ring next, of somebody whose report of today is then in: never again today.

    None also if it cannot be said: somebody's own time may have no recording, and a call must not fail for that.
    """
    for ahead in range(1, LOOK_AHEAD_DAYS + 1):
        windows = windows_of(site.today() + timedelta(days=ahead), person, site.config.calendar)
        firsts = [each.first for each in windows if not is_excluded(person, each.first)]
        if firsts:
            first = min(firsts).astimezone(site.config.centre.zone)
            # 9:07 is "about 9:05": there are recordings for every five minutes.
            call = next_call_of(first - timedelta(minutes=first.minute % 5), site.today())
            said = say_next_call(site.questionnaire.next_call, call)
            return None if any(site.prompts.missing(said, each) for each in site.questionnaire.languages) else call
    return None


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
    if not who.auth.is_their_telephone:
        # To go on in the middle would say how far the person got: from the beginning. What was answered stays stored.
        return session, start(questionnaire, await _known_of(site, who))
    return session, reopen(questionnaire, session.state)


async def _opened(site: Site, who: Who) -> tuple[StoredSession, Turn]:
    first = start(site.questionnaire, await _known_of(site, who))
    session = StoredSession(
        id=site.new_id(),
        person_id=who.person_id,
        claimed_id=who.claimed_id,
        day=site.today(),
        language=first.session.language,
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
