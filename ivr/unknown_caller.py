"""A caller of whom the number does not say who they are: ID and birth date, and what is left if that does not succeed.

The line is write-only: nothing that is said here depends on what stands in the tables.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from ivr.attending import choose, leave_message
from ivr.calling import ask_for_birth_date, ask_for_id
from ivr.conversation import Voice
from ivr.handover import UNKNOWN_CALLER
from ivr.identity import GUESSING, LIMITS, Verdict
from ivr.person import Person
from ivr.phone import HungUp, Phone
from ivr.questionnaire.model import FollowUpReason
from ivr.site import Site
from ivr.storage.callers import Try, try_caller
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.words import Auth, Source
from ivr.walk import Who

log = logging.getLogger(__name__)

NO_ID = "no_id"  #: follow-up: a caller who could not key who they are


@dataclass(frozen=True)
class Caller:
    """What the network says of a caller."""

    shown: str | None  #: the number as it came; None: withheld
    number: str | None  #: in the form of the roster; None also if it is none that could be rung back
    household: Sequence[Person]  #: whose number it is

    @property
    def for_staff(self) -> str | None:
        """What staff see of the number: also one of which we can make nothing."""
        return self.number or self.shown


@dataclass
class _Claim:
    """Who somebody says they are, as far as they came."""

    id: str | None = None
    person_id: str | None = None  #: ID and date fit together, but a lock stood before it
    reason: str = NO_ID


async def identify(site: Site, phone: Phone, voice: Voice, caller: Caller) -> Who | None:
    """By ID and birth date; None if that did not succeed: the caller heard whom to ring. Raises HungUp.

    An unknown ID, a wrong date and a lock lead to the same words, the same questions and the same work.
    """
    await voice.say(phone, ("frame/inbound_greeting",))
    claim = _Claim()
    try:
        who = await _ask_who(site, phone, voice, caller, claim)
    except HungUp:
        if claim.id is not None:
            await _tell_staff(site, caller, claim)
        raise
    if who is None:
        await _tell_staff(site, caller, claim)
        await _let_go(site, phone, voice, caller, claim.id)
    return who


async def give_up(site: Site, phone: Phone, voice: Voice, caller: Caller) -> None:
    """Somebody of a household, or whoever has their telephone, did not say who they are. Raises HungUp."""
    await _tell_staff(site, caller, _Claim())
    await _let_go(site, phone, voice, caller, None)


async def _ask_who(site: Site, phone: Phone, voice: Voice, caller: Caller, claim: _Claim) -> Who | None:
    for turn in range(LIMITS.per_call):
        first = ("frame/not_confirmed",) if turn else ()
        ids = site.config.ids
        claimed = await ask_for_id(phone, voice, ids.check_digit, first, ids.first_key_seconds)
        if claimed is None:
            return None
        claim.id = claimed
        born = await ask_for_birth_date(phone, voice, site.today(), ids.first_key_seconds)
        if born is None:
            return None
        given = Try(claimed, born, caller.for_staff, site.today(), site.now())
        judged = await site.database.write(try_caller, given, site.new_id())
        if judged.alarmed:
            log.error("alarm: %s", GUESSING, extra={"action": "alarm", "reason": GUESSING})
        if judged.verdict is Verdict.PASSED:
            return Who(judged.person_id, claimed, Source.HEALTH_CALL, _strength(caller, judged.person_id))
        claim.person_id, claim.reason = judged.person_id or claim.person_id, UNKNOWN_CALLER
    return None


def _strength(caller: Caller, person_id: str | None) -> Auth:
    if any(each.id == person_id for each in caller.household):
        return Auth.REGISTERED_NUMBER
    return Auth.WITHHELD if caller.shown is None else Auth.OTHER_NUMBER


async def _tell_staff(site: Site, caller: Caller, claim: _Claim) -> None:
    """Before it is said. Whoever is locked out and knew the date is most likely the person: staff see whom to ring."""
    claimed = None if claim.person_id else claim.id
    task = NewFollowUp(site.today(), claim.reason, claim.person_id, claimed, number=caller.for_staff)
    await site.database.write(open_follow_up, task, site.now())


async def _let_go(site: Site, phone: Phone, voice: Voice, caller: Caller, claimed: str | None) -> None:
    """Say whom to ring, and take a message; where we see a number, also the wish to be rung on it. Raises HungUp."""
    can_be_rung = caller.number is not None
    menu, keys = ("frame/leave_or_wish", "02") if can_be_rung else ("frame/leave_name", "2")
    match await choose(phone, voice, ("frame/id_given_up",), menu, keys):
        case "2":
            await leave_message(site, phone, voice, Who(None, claimed, Source.HEALTH_CALL, Auth.UNCONFIRMED))
        case "0":
            wish = NewFollowUp(site.today(), FollowUpReason.CALL_WISHED, claimed_id=claimed, number=caller.number)
            await site.database.write(open_follow_up, wish, site.now())
            await voice.say(phone, ("frame/call_wished_end",))
        case _:
            await voice.say(phone, ("frame/thanks",))
