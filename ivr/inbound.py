"""One call from a person: who is it, is today's report in already, else the same conversation as on our own calls."""

from collections.abc import Sequence
from dataclasses import replace

from ivr.call import Direction
from ivr.conversation import Voice, ask_for_id, hold, say_and_end
from ivr.numbers import BadNumber, normalise
from ivr.outbound import finish
from ivr.person import Person
from ivr.phone import Phone
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import get_person, people_by_number
from ivr.storage.reports import report_exists
from ivr.storage.words import Auth, Source
from ivr.walk import Who, walk

UNKNOWN_CALLER = "unknown_caller"  #: follow-up: a report under an ID that nobody on the roster has
NO_ID = "no_id"  #: follow-up: a caller who could not key an ID


async def receive(site: Site, phone: Phone, caller: str | None) -> None:
    """Take a call to its end, and store its outcome. `caller`: the number as the network showed it."""
    number = _known_form(site, caller)
    call = calls.Call(phone.call_id, Direction.INBOUND, site.now(), number=number)
    await site.database.write(calls.start_call, call)
    voice = Voice(site.prompts, site.questionnaire.language)
    reached = False

    async def conversation() -> None:
        nonlocal reached
        await phone.answer()
        await site.database.write(calls.answer_call, phone.call_id, site.now())
        owners = await site.database.read(people_by_number, number) if number else ()
        # A household's shared telephone does not tell which of them calls: ask, as for an unknown one.
        owner = owners[0] if len(owners) == 1 else None
        who = await (_known(site, phone, voice, owner) if owner else _by_id(site, phone, voice, owners))
        reached = who is not None or owner is not None
        if who is not None:
            await walk(site, phone, who)

    ending = await hold(phone, voice, conversation())
    await finish(site, phone.call_id, ending, reached)


async def _known(site: Site, phone: Phone, voice: Voice, person: Person) -> Who | None:
    """By the number; None if today's report is in already and the call is over. Raises HungUp."""
    voice = replace(voice, language=site.language_for(person.language))
    if await site.database.read(report_exists, person.id, site.today()):
        await say_and_end(phone, voice, "frame/inbound_greeting", "frame/already_in")
        return None
    await voice.say(phone, ("frame/inbound_greeting",))
    return Who(person.id, None, Source.HEALTH_CALL, Auth.REGISTERED_NUMBER)


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


def _known_form(site: Site, caller: str | None) -> str | None:
    """The caller's number in the form of the roster. One that could not be rung back is no number of a person."""
    if caller is None:
        return None
    try:
        return normalise(caller, site.config.numbers)
    except BadNumber:
        return None
