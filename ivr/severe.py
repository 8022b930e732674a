"""What a severe answer brings at once: advice, and in office hours somebody to talk to. The alert is stored before."""

import logging
from dataclasses import replace
from datetime import timedelta

from ivr.config import Config, is_holiday
from ivr.conversation import Voice
from ivr.phone import Phone
from ivr.questionnaire.model import Level, Turn
from ivr.site import Site
from ivr.storage.followups import NewFollowUp, close_for_session, open_follow_up
from ivr.storage.sessions import StoredSession

log = logging.getLogger(__name__)

#: Follow-up: somebody gave a severe answer and could not be put through: ring them at once.
SEVERE = "severe"

#: What is said about it.
FRAME = ("frame/severe", "frame/putting_through", "frame/not_put_through", "frame/resume")


def is_severe(turn: Turn) -> bool:
    """Whether an answer that stands from this turn on made the most urgent kind of alert."""
    return any(rule.level is Level.EMERGENCY for rule in turn.heed)


async def heed(site: Site, phone: Phone, voice: Voice, session: StoredSession, turn: Turn) -> None:
    """Say what to do, and put the caller through if somebody is there. The caller is back when this returns.

    Everybody hears the same, whoever they are and whatever is known of them: the line is write-only. All of it, keys or
    no keys: what is pressed meanwhile answers nothing. Raises HungUp.
    """
    if site.prompts.missing(FRAME, voice.language):
        voice = replace(voice, language=site.questionnaire.language)
    endpoint = telephone_now(site)
    if endpoint is None:
        await voice.say(phone, ("frame/severe",))
        return
    duty = site.config.duty
    # Before it rings: whatever happens from here on, somebody has to ring back unless they did talk.
    due_at = site.now() + timedelta(minutes=duty.call_back_minutes)
    task = NewFollowUp(session.day, SEVERE, session.person_id, session.claimed_id, session.id, due_at=due_at)
    await site.database.write(open_follow_up, task, site.now())
    await voice.say(phone, ("frame/severe", "frame/putting_through"))
    talked = await phone.put_through(endpoint, duty.answer_seconds)
    log.info("put through: %s", talked, extra={"action": "put_through", "call": phone.call_id})
    if talked:
        await site.database.write(close_for_session, session.id, SEVERE, site.now())
    going_on = ("frame/resume",) if turn.rules is not None else ()
    after = going_on if talked else ("frame/not_put_through", *going_on)
    if after:
        await voice.say(phone, after)


def telephone_now(site: Site) -> str | None:
    """The duty telephone, as Asterisk names it, if somebody sits by it now."""
    config = site.config
    there = config.duty.is_there(site.now().astimezone(config.centre.zone), is_holiday)
    return duty_endpoint(config) if there else None


def duty_endpoint(config: Config) -> str | None:
    """The duty telephone as Asterisk names it; a number is rung by the first trunk. None: there is none."""
    if config.duty.number is not None:
        return f"{config.duty_number}@{config.all_trunks()[0].name}"
    return config.duty.endpoint
