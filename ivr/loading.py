"""Reads what a service or a check needs before the first call, and finds everything that is wrong with it at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ivr.config import Config
from ivr.errors import BadInput, Problem, problem
from ivr.prompts import Prompts, spoken_as
from ivr.questionnaire.checks import check
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from ivr.questionnaire.said import prompt_ids
from ivr.sounds import check_sounds, load_prompts

#: What a call speaks besides the questionnaire.
CALL_FRAME = (
    "frame/greeting",
    "frame/doubt",
    "frame/ready",
    "frame/not_reached",
    "frame/inbound_greeting",
    "frame/enter_id",
    "frame/id_form",
    "frame/id_given_up",
    "frame/already_in",
    "frame/silence",
    "frame/call_wished_end",
    "frame/interrupted",
    "frame/apology",
    "frame/quiet",
)


@dataclass(frozen=True)
class Prepared:
    """What was read."""

    questionnaire: Questionnaire
    source: str  #: the questionnaire's text
    prompts: Prompts


def load_questionnaire(path: Path) -> tuple[Questionnaire, str]:
    """A questionnaire and its text. Raises BadInput with every problem, each at its line."""
    try:
        source = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(problem("file.missing", str(path))) from None
    except OSError as error:
        raise BadInput(problem("file.unreadable", str(path), reason=error.strerror or str(error))) from None
    return parse(source, str(path)), source.decode("utf-8")


def prepare(config: Config) -> Prepared:
    """Read questionnaire and prompts. Raises BadInput with every problem of both."""
    problems: list[Problem] = []
    prompts = None
    try:
        prompts = load_prompts(config.prompts)
    except BadInput as bad:
        problems += bad.problems
    try:
        questionnaire, source = load_questionnaire(config.questionnaire)
    except BadInput as bad:
        raise BadInput(*problems, *bad.problems) from None
    next_times = [f"{slot.first:%H%M}" for slot in config.slots.values()]
    problems += check(questionnaire, prompts, next_times)
    if prompts is not None:
        problems += missing_frame(prompts, questionnaire.language, CALL_FRAME)
    if problems or prompts is None:
        raise BadInput(*problems)
    return Prepared(questionnaire, source, prompts)


def find_problems(config: Config) -> list[Problem]:
    """Everything that `prepare` would refuse, and what is wrong with the sounds themselves: stale, clipped, …"""
    problems: list[Problem] = []
    try:
        prepare(config)
    except BadInput as bad:
        problems += bad.problems
    try:
        questionnaire, _ = load_questionnaire(config.questionnaire)
        next_times = [f"{slot.first:%H%M}" for slot in config.slots.values()]
        said = (*prompt_ids(questionnaire, next_times), *CALL_FRAME)
        spoken = {spoken_as(each, language) for language in questionnaire.languages for each in said}
        return problems + check_sounds(config.prompts, spoken)
    except BadInput as bad:
        return problems + [each for each in bad.problems if each not in problems]


def missing_frame(prompts: Prompts, language: str, frame: Iterable[str]) -> list[Problem]:
    """A problem for each prompt of the call frame that has no audio."""
    folder = str(prompts.folder / language)
    return [
        problem("prompts.missing", folder, prompt=each, language=language, folder=folder)
        for each in prompts.missing(frame, language)
    ]
