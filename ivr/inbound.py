"""One call from a person: who is it, and then what they may do; or that all places are taken.

Whatever fails, they hear something true at once, and what became of the call is written as soon as it can be: who owns
a caller when stands in docs/helping.md.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from ivr.attending import attend
from ivr.call import Direction, Ending, Outcome
from ivr.calling import choose_place, wish_for_another
from ivr.conversation import Voice, apologise, hold, say_and_end
from ivr.handover import TURNED_AWAY
from ivr.hearing import HeardPhone, listened_to, note_hearing
from ivr.numbers import BadNumber, from_network, normalise
from ivr.outbound import finish
from ivr.person import MOST_PLACES, Person
from ivr.phone import Phone
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.missed import write_late
from ivr.storage.people import household_of, people_by_number
from ivr.storage.words import Auth, Source
from ivr.unknown_caller import Caller, give_up, identify
from ivr.walk import Who, walk

log = logging.getLogger(__name__)

#: Note of a call whose caller pressed keys and was not let in.
NOT_CONFIRMED = "the caller was not confirmed"


#: How long a caller hears it ring before we take the call without a row, to say that we cannot take it.
FIRST_ROW_SECONDS = 2.0


async def receive(site: Site, phone: Phone, caller: str | None) -> None:
    """Take a call to its end, and store its outcome. `caller`: the number as the network showed it."""
    site = site.for_caller()
    number = known_form(site, caller)
    voice = Voice(site.prompts, site.questionnaire.language)
    heard = await _begin(site, phone, voice, number or caller)
    if heard is None:
        return
    reached = over = False

    def found() -> None:
        nonlocal reached
        reached = True

    async def conversation() -> None:
        nonlocal over
        await heard.answer()
        await site.database.write(calls.answer_call, phone.call_id, site.now())
        owners = await site.database.read(people_by_number, number) if number else ()
        match owners:
            case [owner]:
                own = replace(voice, language=site.language_for(owner.language))
                await own.say(heard, ("frame/inbound_greeting",))
                found()
                await attend(site, heard, own, _by_number(owner))
            case [_, *_] if len(owners) <= MOST_PLACES:
                await _household(site, heard, voice, Caller(caller, number, owners), found)
            case _:
                who = await identify(site, heard, voice, Caller(caller, number, owners))
                if who is not None:
                    found()
                    await walk(site, heard, who)
        over = True

    ending = await hold(heard, voice, conversation(), site.database.pending.note)
    if not reached and heard.heard:
        # Keys came, but nobody knows whose.
        outcome = Outcome.ANSWERED if over else Outcome.CUT_OFF
        ending = replace(ending, outcome=ending.outcome or outcome, note=ending.note or NOT_CONFIRMED)
    await finish(site, phone.call_id, ending, reached)
    await note_hearing(site, heard)


async def turn_away(site: Site, phone: Phone, caller: str | None) -> None:
    """All places are taken: say so, and when to ring again. A caller known by the number is a task for staff."""
    site = site.for_caller()
    number = known_form(site, caller)
    voice = Voice(site.prompts, site.questionnaire.language)
    heard = await _begin(site, phone, voice, number or caller)
    if heard is None:
        return

    async def conversation() -> None:
        await heard.answer()
        await site.database.write(calls.answer_call, phone.call_id, site.now())
        owners = await site.database.read(people_by_number, number) if number else ()
        for owner in owners:
            task = NewFollowUp(site.today(), TURNED_AWAY, owner.id)
            await site.database.write(open_follow_up, task, site.now())
        own = replace(voice, language=site.language_for(owners[0].language)) if owners else voice
        await say_and_end(heard, own, "frame/all_busy")

    ending = await hold(heard, voice, conversation(), site.database.pending.note)
    log.warning("a caller was turned away", extra={"action": "turned_away", "call": phone.call_id})
    ending = replace(ending, outcome=ending.outcome or Outcome.CONGESTION, note="all places were taken")
    await finish(site, phone.call_id, ending, reached=False)


async def _begin(site: Site, phone: Phone, voice: Voice, number: str | None) -> HeardPhone | None:
    """Write the call down, before it is answered. None if storage fails: the caller has heard an apology, and is gone.

    What became of the call is then written as soon as it can be. `number`: in the form of the roster, else as it came.
    """
    call = calls.Call(phone.call_id, Direction.INBOUND, site.now(), number=number)
    try:
        async with asyncio.timeout(FIRST_ROW_SECONDS):
            await site.database.write(calls.start_call, call)
            return await listened_to(site, phone, voice, patience=1)
    except Exception as error:  # a task border
        log.exception("a call cannot be written down", extra={"action": "call_failed", "call": call.id})
        site.database.pending.note("call_failed", error)
        await apologise(phone, voice)
        await site.database.pending.write(write_late, call, Ending(Outcome.FAILED), site.now())
        return None


async def _household(site: Site, phone: Phone, voice: Voice, caller: Caller, found: Callable[[], None]) -> None:
    """One person after another on a telephone that they share, without a name.

    The places are those of the card. `found` is called when one of them was chosen. Raises HungUp.
    """
    assert caller.number is not None
    members = {each.place: each.person for each in await site.database.read(household_of, caller.number)}
    await voice.say(phone, ("frame/inbound_greeting",))
    chosen = await choose_place(phone, voice, tuple(members))
    if chosen is None:
        await give_up(site, phone, voice, caller)
        return
    found()
    # One who reports for all of them has so many turns, and one for a wrong key each.
    for _ in range(2 * len(members)):
        person = members[chosen]
        own = replace(voice, language=site.language_for(person.language))
        await attend(site, phone, own, _by_number(person))
        if not await wish_for_another(phone, voice):
            break
        chosen = await choose_place(phone, voice, tuple(members))
        if chosen is None:
            break
    await voice.say(phone, ("frame/thanks",))


def _by_number(person: Person) -> Who:
    return Who(person.id, None, Source.HEALTH_CALL, Auth.REGISTERED_NUMBER)


def known_form(site: Site, caller: str | None) -> str | None:
    """The caller's number in the form of the roster. One that could not be rung back is no number of a person."""
    if caller is None:
        return None
    try:
        return normalise(from_network(caller), site.config.numbers)
    except BadNumber:
        return None
