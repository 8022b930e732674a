"""One call from a person: who is it, and then what they may do; or that all places are taken."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from ivr.attending import attend
from ivr.call import Direction, Outcome
from ivr.conversation import Voice, ask_for_id, hold, say_and_end
from ivr.handover import TURNED_AWAY
from ivr.hearing import listened_to, note_hearing
from ivr.numbers import BadNumber, normalise
from ivr.outbound import finish
from ivr.person import Person
from ivr.phone import Phone
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import get_person, people_by_number
from ivr.storage.words import Auth, Source
from ivr.walk import Who, walk

log = logging.getLogger(__name__)

UNKNOWN_CALLER = "unknown_caller"  #: follow-up: a report under an ID that nobody on the roster has
NO_ID = "no_id"  #: follow-up: a caller who could not key an ID


async def receive(site: Site, phone: Phone, caller: str | None) -> None:
    """Take a call to its end, and store its outcome. `caller`: the number as the network showed it."""
    number = known_form(site, caller)
    call = calls.Call(phone.call_id, Direction.INBOUND, site.now(), number=number)
    await site.database.write(calls.start_call, call)
    voice = Voice(site.prompts, site.questionnaire.language)
    heard = await listened_to(site, phone, voice, patience=1)
    reached = False

    async def conversation() -> None:
        nonlocal reached
        await heard.answer()
        await site.database.write(calls.answer_call, phone.call_id, site.now())
        owners = await site.database.read(people_by_number, number) if number else ()
        # A household's shared telephone does not tell which of them calls: ask, as for an unknown one.
        owner = owners[0] if len(owners) == 1 else None
        if owner is not None:
            own = replace(voice, language=site.language_for(owner.language))
            await own.say(heard, ("frame/inbound_greeting",))
            reached = True
            await attend(site, heard, own, Who(owner.id, None, Source.HEALTH_CALL, Auth.REGISTERED_NUMBER))
        elif (who := await _by_id(site, heard, voice, owners)) is not None:
            reached = True
            await walk(site, heard, who)

    ending = await hold(heard, voice, conversation())
    await finish(site, phone.call_id, ending, reached)
    await note_hearing(site, heard)


async def turn_away(site: Site, phone: Phone, caller: str | None) -> None:
    """All places are taken: say so, and when to ring again. Whoever is known by the number is a task for staff."""
    number = known_form(site, caller)
    call = calls.Call(phone.call_id, Direction.INBOUND, site.now(), number=number)
    await site.database.write(calls.start_call, call)
    owners = await site.database.read(people_by_number, number) if number else ()
    for each in owners:
        task = NewFollowUp(site.today(), TURNED_AWAY, each.id)
        await site.database.write(open_follow_up, task, site.now())
    voice = Voice(site.prompts, site.questionnaire.language)
    voice = replace(voice, language=site.language_for(owners[0].language)) if owners else voice

    async def conversation() -> None:
        await phone.answer()
        await site.database.write(calls.answer_call, phone.call_id, site.now())
        await say_and_end(phone, voice, "frame/all_busy")

    ending = await hold(phone, voice, conversation())
    log.warning("a caller was turned away", extra={"action": "turned_away", "call": phone.call_id})
    ending = replace(ending, outcome=ending.outcome or Outcome.CONGESTION, note="all places were taken")
    await finish(site, phone.call_id, ending, reached=False)


async def _by_id(site: Site, phone: Phone, voice: Voice, household: Sequence[Person]) -> Who | None:
    """By the ID that the caller keys; None if the call is over. Raises HungUp.

    The line is write-only: an ID that nobody has, and one whose report is in
    already, lead to the same questions as any other; staff see the difference, the caller does not. Only a caller
    who also rings from the number of that person's `household` may go on in the middle.
    """
    await voice.say(phone, ("frame/inbound_greeting",))
    claimed = await ask_for_id(phone, voice)
    if claimed is None:
        follow_up = NewFollowUp(site.today(), NO_ID)
        await site.database.write(open_follow_up, follow_up, site.now())
        await say_and_end(phone, voice, "frame/id_given_up")
        return None
    person = await site.database.read(get_person, claimed)
    if person is None or person.closed_at is not None:
        follow_up = NewFollowUp(site.today(), UNKNOWN_CALLER, claimed_id=claimed)
        await site.database.write(open_follow_up, follow_up, site.now())
        return Who(None, claimed, Source.HEALTH_CALL, Auth.KEYED_ID)
    at_home = any(each.id == person.id for each in household)
    return Who(person.id, claimed, Source.HEALTH_CALL, Auth.REGISTERED_NUMBER if at_home else Auth.KEYED_ID)


def known_form(site: Site, caller: str | None) -> str | None:
    """The caller's number in the form of the roster. One that could not be rung back is no number of a person."""
    if caller is None:
        return None
    try:
        return normalise(caller, site.config.numbers)
    except BadNumber:
        return None
