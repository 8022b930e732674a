"""Puts the questionnaire and the recordings that new sessions get in force: as the file is saved, or as staff wish.

It alone changes what is live, and it knows no call: whoever begins one takes `Live.site` and keeps it to the end.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto

from ivr.config import Config
from ivr.erased import erase_restored
from ivr.errors import BadInput, Problem, StorageError, problem
from ivr.loading import OnDisk, Trace, judge, read_disk, trace_disk
from ivr.prompts import Prompts
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from ivr.recordings import beep_in
from ivr.site import Site
from ivr.storage.database import Database
from ivr.storage.questionnaires import (
    Activation,
    Decision,
    NewVersion,
    Standing,
    decide,
    open_wishes,
    questionnaire_source,
    said,
    standing,
)
from ivr.storage.words import Cause
from ivr.veil import veil

log = logging.getLogger(__name__)

#: Seconds between two looks at wishes and files. Two looks must see the same before a change counts: a file that is
#: just being written may already read well, and lack its last lines.
LOOK_SECONDS = 1.0

#: So many problems of a refused file stand in the log; all are in the table.
_LOGGED = 5


class Step(Enum):
    """What is to be done about what is on disk."""

    ADOPT = auto()  #: the file's version goes live
    REFUSE = auto()  #: what is wrong is written down, what is live stays
    CLEAR = auto()  #: nothing is wrong any more, what is live stays
    NOTHING = auto()


def weigh(disk: OnDisk, now: Standing, asked: bool) -> Step:
    """Decide. `asked`: somebody wants the file to be read, so that it counts even if it is as it was. Pure."""
    if disk.problems:
        known = now.refused is not None and now.refused.file_hash == disk.file_hash
        same = known and list(now.refused.problems if now.refused else ()) == said(disk.problems)
        return Step.NOTHING if same and not asked else Step.REFUSE
    # Compared with the file as it was then, not with what is live: who went back to an old version keeps it until the
    # file is changed.
    if asked or now.live is None or now.live.file_hash != disk.file_hash:
        return Step.ADOPT
    return Step.CLEAR if now.refused else Step.NOTHING


class Live:
    """What is live. Made by `go_live`."""

    def __init__(self, site: Site, trace: Trace, new_name: Callable[[], str]) -> None:
        self.site = site  #: as calls that begin now get it; never changed, only replaced
        self._new_name = new_name
        self._trace = self._settled = trace

    async def look(self) -> None:
        """Carry out what staff wish, and what was saved; then follow the rows. Raises StorageError: look again."""
        for each in await self.site.database.read(open_wishes):
            await (self._read(Cause.RELOAD, each) if each.cause is Cause.RELOAD else self._activate(each))
        trace = await asyncio.to_thread(trace_disk, self.site.config)
        if trace == self._trace != self._settled:
            await self._read(Cause.SAVED)
            self._settled = trace
        self._trace = trace
        await self._follow()

    async def _follow(self) -> None:
        """What the rows say is live, is: also if whoever wrote it down could not go on to take it."""
        site = self.site
        live = (await site.database.read(standing)).live
        if live is None or live.hash is None or live.hash == site.questionnaire.hash:
            return
        with suppress(BadInput):  # no call can be held with it, and that is written down: what was live goes on
            self.site = replace(site, questionnaire=await _stored(site.config, site.database, live.hash, site.prompts))

    async def _read(self, cause: Cause, wish: Activation | None = None) -> None:
        """Weigh what is on disk."""
        site = self.site
        disk = await self._disk()
        step = weigh(disk, await site.database.read(standing), asked=wish is not None)
        await _note(site, step, disk, cause, wish)
        wanted = disk.questionnaire if step is Step.ADOPT and disk.questionnaire else site.questionnaire
        if disk.prompts is not None and not judge(site.config, wanted, disk.prompts):
            # New recordings are used although the new file is refused, if what stays live can be spoken with them.
            self.site = replace(site, questionnaire=wanted, prompts=disk.prompts)

    async def _activate(self, wish: Activation) -> None:
        """A version that was live before, with the recordings of now."""
        site = self.site
        disk = await self._disk()
        prompts = disk.prompts or site.prompts
        problems: Sequence[Problem] = ()
        try:
            questionnaire = await _stored(site.config, site.database, wish.hash or "", prompts)
            site = replace(site, questionnaire=questionnaire, prompts=prompts)
        except BadInput as bad:
            problems = bad.problems
        await _write(site, Decision(Cause.ACTIVATE, wish.hash, disk.file_hash, problems), wish)
        self.site = site

    async def _disk(self) -> OnDisk:
        return await asyncio.to_thread(_read_veiled, self.site.config, self._new_name, self.site.prompts)


async def go_live(
    config: Config,
    database: Database,
    now: Callable[[], datetime],
    new_id: Callable[[], str],
    new_name: Callable[[], str],
) -> Live:
    """What calls get when a service starts: the file's version if it was changed and is good, else what was live.

    Raises BadInput with every problem if no call could be held; StorageError.
    """
    await erase_restored(database, config, now().astimezone(config.centre.zone).date())
    trace = await asyncio.to_thread(trace_disk, config)
    disk = await asyncio.to_thread(_read_veiled, config, new_name, None)
    before = await database.read(standing)
    step = weigh(disk, before, asked=False)
    questionnaire = disk.questionnaire
    if disk.prompts is None or (before.live is None and disk.problems):
        raise BadInput(*disk.problems)
    if step is not Step.ADOPT and before.live is not None:
        questionnaire = await _stored(config, database, before.live.hash or "", disk.prompts)
    assert questionnaire is not None  # what is adopted has no problems
    site = Site(config, questionnaire, disk.prompts, database, now, new_id)
    await _note(site, step, disk, Cause.STARTED, None)
    return Live(site, trace, new_name)


def _read_veiled(config: Config, new_name: Callable[[], str], before: Prompts | None) -> OnDisk:
    """What is on disk, its recordings as Asterisk may see them."""
    disk = read_disk(config)
    if disk.prompts is None:
        return disk
    folder = config.pbx.value_links
    try:
        veiled = veil(disk.prompts, folder, new_name, before)
        # Once only: a call may be playing it.
        beep = before.beep if before is not None else beep_in(folder)
        return replace(disk, prompts=replace(veiled, beep=beep))
    except (BadInput, StorageError) as bad:
        return replace(disk, prompts=None, problems=(*disk.problems, *bad.problems))


async def _stored(config: Config, database: Database, version: str, prompts: Prompts) -> Questionnaire:
    """A version that was live before. Raises BadInput if no call can be held with it any more."""
    source = await database.read(questionnaire_source, version)
    if source is None:
        raise BadInput(problem("live.unknown_version", version=version))
    questionnaire = await asyncio.to_thread(parse, source.encode(), version)
    problems = judge(config, questionnaire, prompts)
    if problems:
        raise BadInput(*problems)
    return questionnaire


async def _note(site: Site, step: Step, disk: OnDisk, cause: Cause, wish: Activation | None) -> None:
    """Write down what became of what is on disk, if that is something to say."""
    match step:
        case Step.ADOPT:
            new = NewVersion(disk.questionnaire.id, disk.source) if disk.questionnaire else None
            await _write(site, Decision(cause, disk.file_hash, disk.file_hash, new=new), wish)
        case Step.REFUSE:
            await _write(site, Decision(cause, None, disk.file_hash, disk.problems), wish)
        case Step.CLEAR:
            await _write(site, Decision(cause, site.questionnaire.hash, disk.file_hash), wish)


async def _write(site: Site, decision: Decision, wish: Activation | None) -> None:
    await site.database.write(decide, decision, site.now(), wish.id if wish else None)
    if decision.problems:
        wrong = "; ".join(each.render("en") for each in decision.problems[:_LOGGED])
        log.warning("refused, what is live stays: %s", wrong, extra={"action": "questionnaire_refused"})
    else:
        log.info("live: version %.12s", decision.hash, extra={"action": "questionnaire_live"})


async def run_live(live: Live, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Look again and again, until cancelled."""
    while True:
        await sleep(LOOK_SECONDS)
        try:
            await live.look()
        except Exception as error:  # a task border: what is live stays, calls go on, and the next look does all of it
            log.exception("what is live could not be looked after", extra={"action": "live_failed"})
            live.site.database.pending.note("live_failed", error)
