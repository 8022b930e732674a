"""Goes on with a call that another process of ours held when it died: the person on it still waits."""

from dataclasses import replace

from ivr.call import Ending, Outcome
from ivr.conversation import Voice, apologise, hold, say_and_end
from ivr.outbound import finish, talk
from ivr.phone import Phone
from ivr.questionnaire.model import SessionStatus
from ivr.site import Site
from ivr.storage import calls, sessions
from ivr.storage.people import get_person
from ivr.walk import go_on

#: What is said again when only the farewell was cut short.
_FAREWELL = {
    SessionStatus.COMPLETED: "frame/already_in",
    SessionStatus.ENDED_EARLY: "frame/call_wished_end",
    SessionStatus.GAVE_UP: "frame/call_wished_end",
}


async def take_over(site: Site, phone: Phone) -> None:
    """Say sorry and go on at the open question; on a call of ours with nothing begun yet, begin. Stores the outcome.

    A call that was written off meanwhile ends in words: its person may be rung by another one already. Raises
    StorageError if nothing can be read of it.
    """
    site = site.for_caller()
    voice, note = Voice(site.prompts, site.questionnaire.language), site.database.pending.note
    try:
        call = await site.database.read(calls.get_call, phone.call_id)
    except LookupError:
        # Of an installation before this database, or its row could not be written: Asterisk's record is its trace.
        await apologise(phone, voice)
        return
    if call.session_id is not None:
        ending = await hold(phone, voice, _go_on(site, phone, voice, call.session_id), note)
        await finish(site, phone.call_id, ending, reached=True)
        return
    attempt = await site.database.read(calls.get_attempt, call.attempt_id) if call.attempt_id else None
    if attempt is not None:
        rung = (site.now() - call.started_at).total_seconds()
        ring_seconds = site.config.dialling.ring_seconds
        left = min(max(0.0, ring_seconds - rung), ring_seconds)  # whatever the clock did meanwhile
        person = await site.database.read(get_person, attempt.person_id)
        await talk(site, phone, attempt, person, left)
        return
    # They rang us, and we do not know yet who it is: staff ring back.
    await apologise(phone, voice)
    await finish(site, phone.call_id, Ending(Outcome.FAILED, note="interrupted before we knew who it is"), False)


async def _go_on(site: Site, phone: Phone, voice: Voice, session_id: str) -> None:
    session = await site.database.read(sessions.get_session, session_id)
    voice = replace(voice, language=site.language_for(session.state.language))
    if session.state.status is not SessionStatus.WAITING:
        await say_and_end(phone, voice, "frame/interrupted", _FAREWELL[session.state.status])
        return
    await voice.say(phone, ("frame/interrupted",))
    await go_on(site, phone, session)
