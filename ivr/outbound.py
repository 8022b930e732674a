"""One attempt to reach a person, or a household on one telephone: dial, greet, ask, and say how it ended."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from ivr.attending import attend
from ivr.call import Direction, Ending, Outcome
from ivr.calling import choose_member, wish_for_another
from ivr.conversation import AT_ONCE, Greeted, Voice, greet, hold, judge, say_and_end
from ivr.hearing import HeardPhone, listened_to, note_hearing
from ivr.numbers import BadNumber, dialable
from ivr.person import Member, Person, is_excluded
from ivr.phone import DialOrder, Line, Phone
from ivr.questionnaire.model import FollowUpReason
from ivr.site import Site
from ivr.storage import calls, sessions
from ivr.storage.followups import NewFollowUp, open_follow_up
from ivr.storage.people import get_person, household_of
from ivr.storage.reports import report_exists
from ivr.storage.words import Auth, Source
from ivr.walk import Who, walk
from ivr.window import Window, slot_of

log = logging.getLogger(__name__)


#: Why staff must ring somebody after the greeting.
_REASONS = {Greeted.CALL_WISHED: FollowUpReason.CALL_WISHED, Greeted.LOST: FollowUpReason.COULD_NOT_ENTER}


async def ring(site: Site, line: Line, attempt: calls.Attempt, trunk: str = "") -> None:
    """Make the call of a planned attempt, by this trunk. Returns when it is over and its outcome stored."""
    call_id = site.new_id()
    # Written and committed before the request to dial: whatever happens then, this attempt has had its call.
    call = calls.Call(call_id, Direction.OUTBOUND, site.now(), attempt.id, attempt.number)
    await site.database.write(calls.start_call, call)
    keep = site.database.pending.write  # from here on an end that cannot be written now is written later
    person = await site.database.read(get_person, attempt.person_id)
    within = 0.0 if person is None else _seconds_left(site, attempt, person)
    if person is None or within < site.config.dialling.ring_seconds:
        # Writing it down took until the window was over, or staff said no meanwhile: nothing is sent.
        too_late = Ending(Outcome.FAILED, note="the window was over")
        await keep(calls.end_call, call_id, too_late, Outcome.FAILED, site.now())
        log.warning("not dialled: the window was over", extra={"action": "window_over", "call": call_id})
        return
    if not _is_dialable(site, attempt.number):
        # The settings changed since the roster was read: the last door would refuse it anyway.
        refused = Ending(Outcome.BAD_NUMBER, note="not a number that may be rung")
        await keep(calls.end_call, call_id, refused, Outcome.BAD_NUMBER, site.now())
        log.warning("not dialled: the number may not be rung", extra={"action": "number_refused", "call": call_id})
        return
    order = DialOrder(call_id, attempt.number, site.config.dialling.ring_seconds, trunk, within)
    answered = await line.dial(order)
    if isinstance(answered, Ending):
        outcome = answered.outcome or Outcome.UNKNOWN
        await keep(calls.end_call, call_id, answered, outcome, site.now())
        log.info("not answered", extra={"action": "call_ended", "call": call_id, "outcome": outcome})
        return
    await talk(site, answered, attempt, person)


def _is_dialable(site: Site, number: str) -> bool:
    try:
        return dialable(number, site.config.numbering) == number
    except BadNumber:
        return False


def _seconds_left(site: Site, attempt: calls.Attempt, person: Person) -> float:
    """Until the end of the window as it is now; 0: not now, or staff said no meanwhile."""
    if is_excluded(person, site.now()):
        return 0.0
    window = slot_of(attempt.day, person, attempt.slot, site.config.calendar)
    if not isinstance(window, Window) or not window.allows(site.now(), site.config.dialling.ring_seconds):
        return 0.0
    return (window.until - site.now()).total_seconds()


@dataclass
class _Heard:
    """What has become of an outbound call so far."""

    reached: bool = False  #: somebody pressed a key
    #: Person -> what the call came to for them, on a telephone that several persons share.
    apart: dict[str, Outcome] = field(default_factory=dict)


async def talk(
    site: Site, phone: Phone, attempt: calls.Attempt, person: Person | None, ring_seconds: float = 0.0
) -> None:
    """Hold an outbound call to its end, and store its outcome. It was answered, or may ring so much longer.

    `person`: None if there is none any more. From the answer on somebody listens: nothing here may fail before `hold`,
    which apologises.
    """
    site = site.for_caller()
    voice = Voice(site.prompts, site.language_for(person.language if person else ""))
    heard: HeardPhone | None = None
    so_far = _Heard()
    answered_at: datetime | None = None

    async def conversation() -> None:
        nonlocal heard, answered_at
        # Two silences: whoever was slow to put the receiver to the ear has one.
        heard = await listened_to(site, phone, voice, patience=2)
        await heard.until_answered(ring_seconds)
        answered_at = site.now()
        if not await site.database.write(calls.answer_call, phone.call_id, answered_at):
            # Given up as lost, and here after all: the person may be rung by another call already.
            await say_and_end(heard, voice, "frame/apology")
            return
        household = await site.database.read(household_of, attempt.number)
        if len(household) > 1:
            await _household(site, heard, voice, attempt, household, so_far)
        else:
            await _alone(site, heard, voice, attempt, so_far)

    ending = await hold(phone, voice, conversation(), site.database.pending.note)
    seconds = AT_ONCE
    if heard is not None and answered_at is not None and not heard.was_awaited:
        seconds = (site.now() - answered_at).total_seconds()
    await finish(site, phone.call_id, ending, so_far.reached, seconds, so_far.apart)
    if heard is not None:
        await note_hearing(site, heard)


async def _alone(site: Site, phone: Phone, voice: Voice, attempt: calls.Attempt, so_far: _Heard) -> None:
    """A telephone of one person: whoever presses 1 there is taken for them. Raises HungUp."""
    person_id = attempt.person_id
    if await site.database.read(report_exists, person_id, site.today()):
        # It came in by another way while the telephone rang.
        so_far.reached = True
        await say_and_end(phone, voice, "frame/greeting", "frame/already_in")
        return
    gate = site.config.gate
    greeted = await greet(phone, voice, gate.times, gate.wait_seconds)
    so_far.reached = greeted is not Greeted.NOBODY
    match greeted:
        case Greeted.READY if await site.database.read(report_exists, person_id, site.today()):
            # ... or while we waited for the key: never ask a second time.
            await say_and_end(phone, voice, "frame/already_in")
        case Greeted.READY:
            await walk(site, phone, Who(person_id, None, Source.AUTOMATIC_CALL, Auth.OUTBOUND))
        case Greeted.CALL_WISHED | Greeted.LOST:
            # Who is there and does not find the key: no further call of today will help.
            task = NewFollowUp(site.today(), _REASONS[greeted], person_id, attempt_id=attempt.id)
            await site.database.write(open_follow_up, task, site.now())
            await say_and_end(phone, voice, "frame/call_wished_end")
        case Greeted.NOBODY:
            # Maybe a machine listens: no word about health.
            await say_and_end(phone, voice, "frame/not_reached")


async def _household(
    site: Site, phone: Phone, voice: Voice, attempt: calls.Attempt, household: Sequence[Member], so_far: _Heard
) -> None:
    """A telephone that several persons share: who it is comes before anything that is stored of anybody. Raises HungUp.

    Whoever is there may report, one after another, not only those who are due; but for whom staff decided against.
    """
    members = [each for each in household if not is_excluded(each.person, site.now())]
    if not await _are_missing(site, members):
        so_far.reached = True
        await say_and_end(phone, voice, "frame/greeting", "frame/already_in")
        return
    gate = site.config.gate
    greeted = await greet(phone, voice, gate.times, gate.wait_seconds)
    so_far.reached = greeted is not Greeted.NOBODY
    if greeted is Greeted.NOBODY:
        await say_and_end(phone, voice, "frame/not_reached")
        return
    together = await site.database.read(calls.attempts_together, attempt.id)
    so_far.apart.update({each.person_id: Outcome.NO_KEY for each in (attempt, *together)})
    # Who does not find the 1 finds no place either.
    member = None if greeted is Greeted.LOST else await choose_member(phone, voice, members)
    if greeted is not Greeted.READY:
        # Not said whose wish it is: staff see the number.
        person_id, number = (member.person.id, None) if member else (None, attempt.number)
        wish = NewFollowUp(site.today(), _REASONS[greeted], person_id, attempt_id=attempt.id, number=number)
        await site.database.write(open_follow_up, wish, site.now())
        await say_and_end(phone, voice, "frame/call_wished_end")
        return
    if member is None:
        # Everybody who is due is rung again, as after a call that nobody took.
        await say_and_end(phone, voice, "frame/not_reached")
        return
    # One who reports for all of them has so many turns, and one for a wrong key each.
    for _ in range(2 * len(members)):
        own = replace(voice, language=site.language_for(member.person.language))
        so_far.apart[member.person.id] = Outcome.CUT_OFF
        await attend(site, phone, own, Who(member.person.id, None, Source.AUTOMATIC_CALL, Auth.OUTBOUND))
        so_far.apart[member.person.id] = Outcome.ANSWERED
        if not (await _are_missing(site, members) and await wish_for_another(phone, voice)):
            break
        member = await choose_member(phone, voice, members)
        if member is None:
            break
    await voice.say(phone, ("frame/thanks",))


async def _are_missing(site: Site, members: Sequence[Member]) -> bool:
    """Whether the report of one of them is not in."""
    for each in members:
        if not await site.database.read(report_exists, each.person.id, site.today()):
            return True
    return False


async def finish(
    site: Site,
    call_id: str,
    ending: Ending,
    reached: bool,
    seconds: float = AT_ONCE,
    apart: Mapping[str, Outcome] = MappingProxyType({}),
) -> None:
    """Store how an answered call ended, now or as soon as it can be; `reached`: somebody was there who could report.

    `seconds`: how long a call lasted that ended before anybody could press. `apart`: person -> what it came to for
    them, where several persons share the telephone.
    """
    # What broke the call broke it for everybody who had not come to their end.
    of = {each: own for each, own in apart.items() if ending.outcome is None or own is Outcome.ANSWERED}
    decide = partial(judge, reached, seconds=seconds)
    outcome = await site.database.pending.write(sessions.end_talk, call_id, ending, decide, site.now(), of)
    log.info("call over", extra={"action": "call_ended", "call": call_id, "outcome": outcome or "not written yet"})
