"""What somebody may do on a call to us besides reporting for the first time today."""

from dataclasses import replace
from pathlib import Path

from ivr import recordings
from ivr.conversation import Voice
from ivr.digits import Entry, KeyRules
from ivr.phone import Phone
from ivr.questionnaire.model import FollowUpReason, Pressed, RecordRules, SessionStatus, Silence
from ivr.questionnaire.turns import MOST_REPEATS, SHORTEST_MESSAGE, start
from ivr.site import Site
from ivr.storage import sessions
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.reports import report_exists
from ivr.storage.sessions import StoredSession
from ivr.storage.voice_messages import NO_QUESTION, Said
from ivr.walk import Who, walk

#: How long a message may be, and how much silence ends it. Old people pause.
MESSAGE = RecordRules(max_seconds=120, silence_seconds=6)

_TRIES = 2
_RULES = KeyRules(first_key=15, ignored=frozenset("#"))


async def attend(site: Site, phone: Phone, voice: Voice, who: Who) -> None:
    """Take the report of today; or, if it is in, offer what else can be done. The caller was greeted. Raises HungUp.

    Only for who is known by the telephone: it tells that a report is in, which nobody may learn from an ID.
    """
    assert who.person_id is not None
    if not await site.database.read(report_exists, who.person_id, site.today()):
        await walk(site, phone, who)
        return
    match await choose(phone, voice, ("frame/report_in",), "frame/attend", "012"):
        case "1":
            await walk(site, phone, who)
        case "2":
            await leave_message(site, phone, voice, who)
        case "0":
            wish = NewFollowUp(site.today(), FollowUpReason.CALL_WISHED, who.person_id)
            await site.database.write(open_follow_up, wish, site.now())
            await voice.say(phone, ("frame/call_wished_end",))
        case _:
            await voice.say(phone, ("frame/thanks",))


async def choose(phone: Phone, voice: Voice, first: tuple[str, ...], menu: str, offered: str) -> str:
    """One of the `offered` keys, asked for by `menu` after the `first` words; empty if none of them. Raises HungUp."""
    say = (*first, menu)
    tries = repeats = 0
    while tries < _TRIES and repeats <= MOST_REPEATS:
        match await voice.ask(phone, say, _RULES):
            case Pressed("*") | Silence(too_early=True):
                repeats += 1
                continue
            case Pressed(key) if key in offered:
                return key
            case Pressed():
                say = ("frame/wrong_key", menu)
            case _:
                # They heard that they may simply hang up.
                return ""
        tries += 1
    return ""


async def leave_message(site: Site, phone: Phone, voice: Voice, who: Who) -> None:
    """Record what somebody says, for staff to listen to. Raises HungUp, StorageError."""
    target = site.config.voice_messages / f"{site.new_id()}.wav"
    prompts = site.prompts
    beep = (prompts.beep,) if prompts.beep else ()
    asked = (*prompts.resolve(("frame/leave_message",), voice.language), *beep)
    said = await phone.record(asked, _RULES, MESSAGE, target)
    if isinstance(said, Entry) or said.seconds < SHORTEST_MESSAGE:
        target.unlink(missing_ok=True)
        await voice.say(phone, ("frame/silence", "frame/thanks"))
        return
    await _keep(site, phone.call_id, who, target)
    await voice.say(phone, ("frame/message_kept", "frame/thanks"))


async def _keep(site: Site, call_id: str, who: Who, file: Path) -> None:
    """Store the message and the task of listening to it, in a session of its own that asks and answers nothing."""
    state = replace(start(site.questionnaire).session, status=SessionStatus.ENDED_EARLY)
    session = StoredSession(
        id=site.new_id(),
        person_id=who.person_id,
        claimed_id=who.claimed_id,
        day=site.today(),
        language=state.language,
        source=who.source,
        auth=who.auth,
        state=state,
        started_at=site.now(),
        updated_at=site.now(),
    )
    said = Said(file.stem, NO_QUESTION, recordings.length_of(file))
    await site.database.write(sessions.keep_message, session, call_id, said, site.now())
