"""A telephone in the terminal (`kenko-call try`): prompts as text, keys from the keyboard or a script, no waiting."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ivr import recordings
from ivr.call import Ending
from ivr.digits import Entry, KeyRules, begin, deadline, end_prompt, expire, press
from ivr.errors import BadInput, problem
from ivr.messages import text
from ivr.phone import HungUp, Recording
from ivr.prompts import Prompts, Sound, spoken_as
from ivr.questionnaire.model import RecordRules

#: Instead of keys: nothing is pressed.
SILENCE = "-"
#: Instead of keys: the caller hangs up.
HANG_UP = "hangup"
#: Instead of keys: something is said for so many seconds, `rec:4`.
SPEECH = "rec:"

#: Q.850 "normal clearing".
_NORMAL_CLEARING = 16
#: Seconds that everything takes on this telephone's own clock, which nobody waits for.
_PROMPT_SECONDS = 1.0
_BETWEEN_KEYS = 0.3

_KEYS = re.compile(r"[0-9*#]+|rec:[0-9]{1,3}(\.[0-9])?")


class TerminalPhone:
    """One "call". Implements `ivr.phone.Phone`.

    `texts` says what each prompt says, `answers` gives keys, `-`, `rec:4` or `hangup` for one ask after another (its
    end is a hang-up), `show` prints a line.
    """

    def __init__(
        self, call_id: str, texts: Mapping[str, str], answers: Iterator[str], show: Callable[[str], None]
    ) -> None:
        self._call_id = call_id
        self._texts = texts
        self._answers = answers
        self._show = show
        self._over = False

    @property
    def call_id(self) -> str:
        """The id given."""
        return self._call_id

    async def answer(self) -> None:
        """Nothing rings here."""
        self._require_live()

    async def until_answered(self, ring_seconds: float) -> None:
        """Nothing rings here."""
        self._require_live()

    async def say(self, sounds: Sequence[Sound]) -> None:
        """Print what is said. Raises HungUp after the end."""
        self._require_live()
        for sound in sounds:
            self._show(self._texts.get(sound.prompt, sound.prompt))

    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """Print what is said and take one answer. Keys left over when the entry is complete are lost. Raises HungUp."""
        await self.say(sounds)
        answer = await self._answer()
        # Whoever speaks where keys are asked for presses none.
        return gather("" if answer == SILENCE or answer.startswith(SPEECH) else answer, rules)

    async def _answer(self) -> str:
        # Reading the keyboard blocks the loop, which has nothing else to do here, and so Ctrl-C ends it at once.
        answer = next(self._answers, HANG_UP)
        if answer == HANG_UP:
            await self.hang_up()
            self._require_live()
        return answer

    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """Print what is said and take one answer; `rec:4` is 4 seconds of speech. Raises HungUp, StorageError."""
        await self.say(sounds)
        answer = await self._answer()
        if answer.startswith(SPEECH):
            return spoken(answer, limits, target)
        entry = gather("" if answer == SILENCE else answer, rules)
        return entry if entry.keys else Recording(0.0)

    async def hang_up(self) -> None:
        """The end."""
        self._over = True

    def _require_live(self) -> None:
        if self._over:
            raise HungUp(Ending(None, _NORMAL_CLEARING))


def spoken(word: str, limits: RecordRules, target: Path) -> Recording:
    """The recording of somebody who speaks as `rec:4` says, and then presses `#`. Raises StorageError."""
    seconds = min(float(word.removeprefix(SPEECH)), limits.max_seconds)
    return Recording(recordings.store(target, recordings.silence(seconds)))


def gather(keys: str, rules: KeyRules) -> Entry:
    """The entry that `keys` make when they are pressed after the prompt, one after another, and then no more."""
    now = max(_PROMPT_SECONDS, rules.guard)
    state = end_prompt(begin(rules, 0.0), now)
    for key in keys:
        now += _BETWEEN_KEYS
        step = press(state, key, now)
        if isinstance(step, Entry):
            return step
        state = step
    due = deadline(state)
    assert due is not None  # the prompt has ended
    end = expire(state, due)
    assert isinstance(end, Entry)
    return end


def scripted(keys: str, show: Callable[[str], None]) -> Iterator[str]:
    """Answers from a script such as `1 365 1 98# - hangup`: one word for each ask, shown as it is used.

    Raises BadInput for a word that is none of keys, `-`, `rec:4` and `hangup`.
    """
    words = keys.split()
    problems = [problem("questionnaire.bad_answer", given=word) for word in words if not _is_answer(word)]
    if problems:
        raise BadInput(*problems)
    return _shown(words, show)


def _shown(words: Iterable[str], show: Callable[[str], None]) -> Iterator[str]:
    for word in words:
        show(f"> {word}")
        yield word


def typed(show: Callable[[str], None], read: Callable[[str], str] = input) -> Iterator[str]:
    """Answers from the keyboard, one line for each ask; an empty line is silence, the end of input a hang-up."""
    while True:
        try:
            line = read("> ").strip() or SILENCE
        except EOFError:
            return
        if _is_answer(line):
            yield line
        else:
            show(text("questionnaire.bad_answer", given=line))


def _is_answer(word: str) -> bool:
    return word in (SILENCE, HANG_UP) or _KEYS.fullmatch(word) is not None


def unrecorded(prompt_ids: Iterable[str], language: str, *others: str) -> Prompts:
    """Prompts without audio, for a telephone that only prints: a questionnaire can be tried before it is recorded.

    Of the `others` (languages), a sound bears the name `en:frame/ready`.
    """
    sounds = {}
    for each in prompt_ids:
        for spoken in dict.fromkeys(spoken_as(each, own) for own in (language, *others)):
            name = spoken[1] if spoken[0] == language else ":".join(spoken)
            sounds[spoken] = Sound(name, Path(), 0.0)
    return Prompts(Path(), sounds)
