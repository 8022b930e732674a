"""A telephone in the terminal (`kenko-call try`): prompts as text, keys from the keyboard or a script, no waiting."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ivr import recordings
from ivr.call import Ending
from ivr.digits import EndedBy, Entry, KeyRules
from ivr.errors import BadInput, problem
from ivr.messages import text
from ivr.phone import HungUp, Recording
from ivr.pressing import press_keys
from ivr.prompts import PAUSE, PAUSE_SECONDS, Prompts, Sound, spoken_as
from ivr.questionnaire.model import RecordRules
from ivr.tape import Tape

#: Instead of keys: nothing is pressed.
SILENCE = "-"
#: Instead of keys: the caller hangs up.
HANG_UP = "hangup"
#: Instead of keys: something is said for so many seconds, `rec:4`.
SPEECH = "rec:"

#: Instead of keys: somebody answers the telephone that the caller is put through to, and they talk.
TALK = "talk"

#: Q.850 "normal clearing".
_NORMAL_CLEARING = 16
#: Seconds of a prompt that is not recorded, on this telephone's own clock, which nobody waits for.
UNRECORDED_SECONDS = 1.0

#: Keys, and perhaps how many seconds after the prompt began the first of them is pressed.
_KEYS = re.compile(r"(?P<keys>[0-9*#]+)(@(?P<at>[0-9]{1,3}(\.[0-9]{1,2})?))?")
_SPEECH = re.compile(r"rec:[0-9]{1,3}(\.[0-9])?")


class TerminalPhone:
    """One "call". Implements `ivr.phone.Phone`.

    `texts` says what each prompt says, `answers` gives keys (`365`, or `365@2`: two seconds after the prompt began),
    `-`, `rec:4`, `talk` or `hangup` for one ask after another (its end is a hang-up), `show` prints a line, `tape`
    records it all.
    """

    def __init__(
        self,
        call_id: str,
        texts: Mapping[str, str],
        answers: Iterator[str],
        show: Callable[[str], None],
        tape: Tape | None = None,
    ) -> None:
        self._call_id = call_id
        self._texts = texts
        self._answers = answers
        self._show = show
        self._tape = tape
        self._script: list[str] = []
        self._over = False

    @property
    def call_id(self) -> str:
        """The id given."""
        return self._call_id

    @property
    def script(self) -> str:
        """What was pressed so far, as a script that comes to the same."""
        return " ".join(self._script)

    async def answer(self) -> None:
        """Nothing rings here."""
        self._require_live()

    async def until_answered(self, ring_seconds: float) -> None:
        """Nothing rings here."""
        self._require_live()

    async def say(self, sounds: Sequence[Sound]) -> None:
        """Print what is said. Raises HungUp after the end."""
        self._print(sounds)
        if self._tape:
            self._tape.play(sounds)

    async def ask(self, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        """Print what is said and take one answer. Keys left over when the entry is complete are lost. Raises HungUp."""
        self._print(sounds)
        return self._press(await self._answer(sounds), sounds, rules)

    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """Print what is said and take one answer; `rec:4` is 4 seconds of speech. Raises HungUp, StorageError."""
        self._print(sounds)
        answer = await self._answer(sounds)
        if not answer.startswith(SPEECH):
            entry = self._press(answer, sounds, rules)
            return entry if entry.keys else Recording(0.0)
        self._script.append(answer)
        recording = spoken(answer, limits, target)
        if self._tape:
            self._tape.play(sounds)
            self._tape.speak(recording.seconds)
        return recording

    async def put_through(self, endpoint: str, ring_seconds: float) -> bool:
        """Take one answer: `talk` if somebody answers, anything else if nobody does. Raises HungUp."""
        self._require_live()
        answer = await self._answer(())
        self._script.append(TALK if answer == TALK else SILENCE)
        return answer == TALK

    async def _answer(self, sounds: Sequence[Sound]) -> str:
        # Reading the keyboard blocks the loop, which has nothing else to do here, and so Ctrl-C ends it at once.
        answer = next(self._answers, HANG_UP)
        if answer == HANG_UP:
            if self._tape:
                self._tape.play(sounds)
            self._script.append(HANG_UP)
            await self.hang_up()
            self._require_live()
        return answer

    def _press(self, answer: str, sounds: Sequence[Sound], rules: KeyRules) -> Entry:
        keys, at = _pressed(answer)
        pressing = press_keys(keys, rules, sum(each.seconds for each in sounds), at)
        if self._tape:
            self._tape.play_and_press(sounds, pressing)
        self._script.append(_word_of(pressing.entry))
        return pressing.entry

    async def hang_up(self) -> None:
        """The end."""
        self._over = True

    def _print(self, sounds: Sequence[Sound]) -> None:
        self._require_live()
        for sound in sounds:
            if sound.prompt != PAUSE:
                self._show(self._texts.get(sound.prompt, sound.prompt))

    def _require_live(self) -> None:
        if self._over:
            raise HungUp(Ending(None, _NORMAL_CLEARING))


def spoken(word: str, limits: RecordRules, target: Path) -> Recording:
    """The recording of somebody who speaks as `rec:4` says, and then presses `#`. Raises StorageError."""
    seconds = min(float(word.removeprefix(SPEECH)), limits.max_seconds)
    return Recording(recordings.store(target, recordings.silence(seconds)))


def gather(keys: str, rules: KeyRules) -> Entry:
    """The entry that `keys` make when they are pressed after the prompt, one after another, and then no more."""
    return press_keys(keys, rules, max(UNRECORDED_SECONDS, rules.closed)).entry


def _pressed(answer: str) -> tuple[str, float | None]:
    """Keys and moment of a word of a script or a line of the keyboard."""
    found = _KEYS.fullmatch(answer)
    if found is None:
        return "", None
    return found["keys"], float(found["at"]) if found["at"] else None


def _word_of(entry: Entry) -> str:
    """The word of a script that makes this entry."""
    return entry.keys + ("#" if entry.ended_by is EndedBy.END_KEY else "") or SILENCE


def scripted(keys: str, show: Callable[[str], None]) -> Iterator[str]:
    """Answers from a script such as `1 365 1 98#@1.5 - hangup`: one word for each ask, shown as it is used.

    Raises BadInput for a word that is none of keys, `-`, `rec:4`, `talk` and `hangup`.
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
    return word in (SILENCE, HANG_UP, TALK) or any(form.fullmatch(word) for form in (_KEYS, _SPEECH))


def unrecorded(prompt_ids: Iterable[str], *languages: str) -> Prompts:
    """Prompts without audio, for a telephone that only prints: a questionnaire can be tried before it is recorded."""
    spoken = {spoken_as(each, language) for each in prompt_ids for language in languages}
    sounds = {each: Sound(each[1], Path(), UNRECORDED_SECONDS) for each in spoken}
    return Prompts(Path(), {(each, PAUSE): Sound(PAUSE, Path(), PAUSE_SECONDS) for each in languages} | sounds)
