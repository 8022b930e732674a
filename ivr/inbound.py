"""One call from a person: who is it, is today's report in already, else the same conversation as on our own calls."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ivr.call import Direction
from ivr.calling import MOST_TO_CHOOSE, ask_for_birth_date, ask_for_id, choose_person, wish_for_another
from ivr.conversation import Voice, hold
from ivr.identity import LIMITS, Verdict
from ivr.numbers import BadNumber, normalise
from ivr.outbound import finish
from ivr.person import Person
from ivr.phone import Phone
from ivr.site import Site
from ivr.storage import calls
from ivr.storage.callers import Try, try_caller
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import people_by_number
from ivr.storage.reports import report_exists
from ivr.storage.words import Auth, Source
from ivr.walk import Who, walk

UNKNOWN_CALLER = "unknown_caller"  #: follow-up: a caller whose ID and birth date we could not take
NO_ID = "no_id"  #: follow-up: a caller who could not key who they are


async def receive(site: Site, phone: Phone, caller: str | None) -> None:
    """Take a call to its end, and store its outcome. `caller`: the number as the network showed it."""
    number = _known_form(site, caller)
    call = calls.Call(phone.call_id, Direction.INBOUND, site.now(), number=number)
    await site.database.write(calls.start_call, call)
    voice = Voice(site.prompts, site.questionnaire.language)
    reached = False

    def found() -> None:
        nonlocal reached
        reached = True

    async def conversation() -> None:
        await phone.answer()
        await site.database.write(calls.answer_call, phone.call_id, site.now())
        owners = await site.database.read(people_by_number, number) if number else ()
        match owners:
            case [owner]:
                await _known(site, phone, voice, owner, found, "frame/inbound_greeting")
            case [_, *_] if len(owners) <= MOST_TO_CHOOSE:
                await _household(site, phone, voice, owners, found)
            case _:
                who = await _identified(site, phone, voice, number or caller, owners)
                if who is not None:
                    found()
                    await walk(site, phone, who)

    ending = await hold(phone, voice, conversation())
    await finish(site, phone.call_id, ending, reached)


async def _known(
    site: Site, phone: Phone, voice: Voice, person: Person, found: Callable[[], None], *greeting: str
) -> None:
    """Somebody for whom the number vouches; `found` is called after the greeting. The call goes on. Raises HungUp."""
    voice = replace(voice, language=site.language_for(person.language))
    if await site.database.read(report_exists, person.id, site.today()):
        await voice.say(phone, (*greeting, "frame/already_in"))
        found()
        return
    if greeting:
        await voice.say(phone, greeting)
    found()
    await walk(site, phone, Who(person.id, None, Source.HEALTH_CALL, Auth.REGISTERED_NUMBER))


async def _household(
    site: Site, phone: Phone, voice: Voice, household: Sequence[Person], found: Callable[[], None]
) -> None:
    """One person after another on a telephone that they share, without a name.

    The order is that of the roster: by ID. Raises HungUp.
    """
    await voice.say(phone, ("frame/inbound_greeting",))
    # One who reports for all of them has so many turns, and one for a wrong key each.
    for turn in range(2 * len(household)):
        chosen = await choose_person(phone, voice, len(household))
        if chosen is None:
            if turn == 0:
                await site.database.write(open_follow_up, NewFollowUp(site.today(), NO_ID), site.now())
                await voice.say(phone, ("frame/id_given_up",))
                return
            break
        await _known(site, phone, voice, household[chosen], found)
        if not await wish_for_another(phone, voice):
            break
    await voice.say(phone, ("frame/goodbye",))


async def _identified(
    site: Site, phone: Phone, voice: Voice, caller: str | None, household: Sequence[Person]
) -> Who | None:
    """By ID and birth date; None if the caller could not be identified, and was told so. Raises HungUp.

    An unknown ID, a wrong date and a lock lead to the same words, the same questions and the same work.
    """
    await voice.say(phone, ("frame/inbound_greeting",))
    claimed = person_id = None
    for turn in range(LIMITS.per_call):
        claimed = await ask_for_id(phone, voice, site.config.ids.check_digit)
        born = await ask_for_birth_date(phone, voice, site.today()) if claimed else None
        if claimed is None or born is None:
            await site.database.write(open_follow_up, NewFollowUp(site.today(), NO_ID, claimed_id=claimed), site.now())
            await voice.say(phone, ("frame/id_given_up",))
            return None
        given = Try(claimed, born, caller, site.today(), site.now())
        judged = await site.database.write(try_caller, given, site.new_id())
        person_id = judged.person_id
        if judged.verdict is Verdict.PASSED:
            return Who(person_id, claimed, Source.HEALTH_CALL, _strength(caller, person_id, household))
        if turn < LIMITS.per_call - 1:
            await voice.say(phone, ("frame/not_confirmed",))
    # Whoever is locked out and knew the date is most likely the person: staff see whom to ring.
    follow_up = NewFollowUp(site.today(), UNKNOWN_CALLER, person_id, None if person_id else claimed)
    await site.database.write(open_follow_up, follow_up, site.now())
    await voice.say(phone, ("frame/not_confirmed_end",))
    return None


def _strength(caller: str | None, person_id: str | None, household: Sequence[Person]) -> Auth:
    if any(each.id == person_id for each in household):
        return Auth.REGISTERED_NUMBER
    return Auth.WITHHELD if caller is None else Auth.OTHER_NUMBER


def _known_form(site: Site, caller: str | None) -> str | None:
    """The caller's number in the form of the roster. One that could not be rung back is no number of a person."""
    if caller is None:
        return None
    try:
        return normalise(caller, site.config.numbers)
    except BadNumber:
        return None
