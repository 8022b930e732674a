"""What several commands say of the questionnaire in force and of the way to the centre."""

from collections.abc import Iterator

from ivr.cli.output import local_moment, now_at
from ivr.config import Config
from ivr.messages import language_in_force, text
from ivr.storage.outbox import Backlog
from ivr.storage.pulled import Pulled
from ivr.storage.questionnaires import Activation, Standing


def refusal_line(refused: Activation) -> str:
    """That what is on disk is not used."""
    return text("cli.questionnaires.file_refused", count=len(refused.problems))


def standing_data(now: Standing) -> dict[str, object]:
    """How things stand, for programs."""
    return {"live": now.live and now.live.hash, "refused": refusals(now.refused) if now.refused else []}


def refusals(each: Activation) -> list[str]:
    """Why a version was refused, a sentence each."""
    return [said[language_in_force()] for said in each.problems]


def pull_data(settings: Config, found: Pulled) -> dict[str, object]:
    """How it stands with what comes in, for programs."""
    return {
        "on": settings.sync.pulls,
        "last_success": found.link.last_success,
        "age_seconds": found.age(now_at(settings)),
        "cursor": found.cursor,
        "problem": found.link.problem,
        "until": found.link.until,
        "refused": [each.render() for each in found.problems],
        "conflicts": found.conflicts,
    }


def is_troubled(settings: Config, found: Pulled) -> bool:
    """Whether somebody must look at what comes in."""
    return bool(found.conflicts or (settings.sync.pulls and found.link.problem))


def pull_lines(settings: Config, found: Pulled) -> Iterator[str]:
    """The same for people: what comes in, why not, and what the two sides disagree about."""
    link = found.link
    if settings.sync.pulls:
        age = found.age(now_at(settings))
        yield text("cli.sync.pull.never") if age is None else text("cli.sync.pull.last", age=spoken_age(age))
        if link.problem:
            until = local_moment(settings, link.until) if link.until else "-"
            yield text("cli.sync.pull.fails", problem=link.problem, until=until, cursor=found.cursor or "-")
        yield from (each.render() for each in found.problems)
    if found.conflicts:
        yield text("cli.sync.pull.conflicts", count=found.conflicts)


def spoken_age(seconds: float) -> str:
    """`2:05` (hours and minutes); with days in front when there are any: `3d 2:05`."""
    minutes = int(seconds // 60)
    days, hours = divmod(minutes // 60, 24)
    return (f"{days}d " if days else "") + f"{hours}:{minutes % 60:02}"


def unsent_line(config: Config, found: Backlog) -> str | None:
    """One line for the screen of the day; None if there is nothing to say, or nowhere to send it."""
    if config.sync.destination is None or found.oldest is None:
        return None
    return text("cli.status.unsent", count=found.unsent, age=spoken_age(found.age(now_at(config))))
