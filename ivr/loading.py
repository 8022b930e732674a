"""Reads what a service or a check needs before the first call, and finds everything that is wrong with it at once."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ivr.config import Config
from ivr.document import read_content
from ivr.errors import BadInput, Problem, problem
from ivr.prompts import Prompts, spoken_as
from ivr.questionnaire.checks import check
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from ivr.questionnaire.said import prompt_ids
from ivr.sounds import check_sounds, load_prompts
from ivr.studio import FRAME as STUDIO_FRAME

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
    "frame/enter_birth_date",
    "frame/birth_date_example",
    "frame/birth_date_form",
    "frame/not_confirmed",
    "frame/leave_or_wish",
    "frame/leave_name",
    "frame/household",
    *(f"frame/household_{key}" for key in range(1, 10)),
    *(f"frame/household_is_{key}" for key in range(1, 10)),
    "frame/household_right",
    "frame/household_another",
    "frame/already_in",
    "frame/report_in",
    "frame/attend",
    "frame/leave_message",
    "frame/message_kept",
    "frame/thanks",
    "frame/all_busy",
    "frame/wrong_key",
    "frame/tones",
    "frame/severe",
    "frame/putting_through",
    "frame/not_put_through",
    "frame/resume",
    "frame/silence",
    "frame/call_wished_end",
    "frame/interrupted",
    "frame/apology",
    "frame/quiet",
    "frame/pause",
)


@dataclass(frozen=True)
class Prepared:
    """What was read."""

    questionnaire: Questionnaire
    source: str  #: the questionnaire's text
    prompts: Prompts


@dataclass(frozen=True)
class OnDisk:
    """What is on disk, good or bad."""

    file_hash: str | None  #: SHA-256 of the questionnaire's file, hex; None: it cannot be read
    questionnaire: Questionnaire | None  #: None: it does not even read well
    source: str
    prompts: Prompts | None  #: None: some recording is not what a call needs
    problems: tuple[Problem, ...]  #: any: calls cannot be held with it


def load_questionnaire(path: Path) -> tuple[Questionnaire, str]:
    """A questionnaire and its text. Raises BadInput with every problem, each at its line."""
    source = read_content(path)
    return parse(source, str(path)), source.decode("utf-8")


def prepare(config: Config) -> Prepared:
    """Read questionnaire and prompts. Raises BadInput with every problem of both."""
    found = read_disk(config)
    if found.problems or found.questionnaire is None or found.prompts is None:
        raise BadInput(*found.problems)
    return Prepared(found.questionnaire, found.source, found.prompts)


def read_disk(config: Config) -> OnDisk:
    """Read questionnaire and prompts, with every problem of both: also sounds of other words, clipped ones, …"""
    problems: list[Problem] = []
    prompts = questionnaire = file_hash = None
    source = b""
    try:
        prompts = load_prompts(config.prompts)
    except BadInput as bad:
        problems += bad.problems
    try:
        source = read_content(config.questionnaire)
        file_hash = hashlib.sha256(source).hexdigest()
        questionnaire = parse(source, str(config.questionnaire))
        problems += judge(config, questionnaire, prompts)
        problems += check_sounds(config.prompts, _spoken(config, questionnaire))
    except BadInput as bad:
        problems += bad.problems
    return OnDisk(file_hash, questionnaire, source.decode("utf-8", "replace"), prompts, tuple(problems))


def judge(config: Config, questionnaire: Questionnaire, prompts: Prompts | None) -> list[Problem]:
    """Everything for which no call can be held with this questionnaire and these prompts (None: not looked at)."""
    problems = check(questionnaire, prompts, _next_times(config))
    frame = (*CALL_FRAME, *_studio_frame(config))
    return problems + (missing_frame(prompts, questionnaire.language, frame) if prompts is not None else [])


#: What tells that a file was changed: its path, when it was written, its length.
Trace = frozenset[tuple[str, int, int]]


def trace_disk(config: Config) -> Trace:
    """A trace of the questionnaire's file, of all sounds and their words: another one means that one was changed."""
    return frozenset((*_trace_file(config.questionnaire), *_trace_folder(config.prompts)))


def _trace_file(path: Path) -> Iterator[tuple[str, int, int]]:
    with suppress(OSError):
        found = path.stat()
        yield str(path), found.st_mtime_ns, found.st_size


def _trace_folder(folder: Path) -> Iterator[tuple[str, int, int]]:
    # Once a second beside all calls: a directory entry costs a tenth of a Path.
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _trace_folder(Path(entry.path))
            elif entry.name.endswith((".wav", ".yaml", ".json")):
                found = entry.stat()
                yield entry.path, found.st_mtime_ns, found.st_size


def find_problems(config: Config) -> list[Problem]:
    """Everything for which what is on disk cannot go live."""
    return list(read_disk(config).problems)


def _spoken(config: Config, questionnaire: Questionnaire) -> set[tuple[str, str]]:
    """Language and prompt id of all that calls say."""
    said = (*prompt_ids(questionnaire, _next_times(config)), *CALL_FRAME)
    spoken = {spoken_as(each, language) for language in questionnaire.languages for each in said}
    return spoken | {(questionnaire.language, each) for each in _studio_frame(config)}


def _studio_frame(config: Config) -> tuple[str, ...]:
    return STUDIO_FRAME if config.studio.extension else ()


def _next_times(config: Config) -> list[str]:
    return [f"{slot.first:%H%M}" for slot in config.slots.values()]


def missing_frame(prompts: Prompts, language: str, frame: Iterable[str]) -> list[Problem]:
    """A problem for each prompt of the call frame that has no audio."""
    folder = str(prompts.folder / language)
    return [
        problem("prompts.missing", folder, prompt=each, language=language, folder=folder)
        for each in prompts.missing(frame, language)
    ]
