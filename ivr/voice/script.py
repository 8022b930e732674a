"""What is said: the lines of prompts/<language>.yaml, values and parts one by one, with their readings. Pure."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ivr.prompts import PAUSE, PAUSE_SECONDS
from ivr.spoken import DIGIT_PAUSE
from ivr.voice.readings import COUNTERS, TENTHS, kana_number, with_kanji_numerals

#: Raise it when a change in the code of this package makes other audio from the same text.
PIPELINE = "3"

#: Played while we wait for keys, so that a call is never without sound packets; its length is what the drivers rely on.
QUIET = "frame/quiet"
#: Sounds that hold digital silence, and its seconds.
SILENCES = {QUIET: 5.0, PAUSE: PAUSE_SECONDS, DIGIT_PAUSE: 0.4}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Line(_Part):
    text: str = Field(min_length=1)  #: what is said, as an operator reads it
    reading: str = ""  #: the same in katakana, as it must sound; languages without kana have none
    speak: str | None = None  #: another spelling for the engine, where it would misread `text`


class _Values(_Part):
    first: int
    last: int
    text: str  #: with {whole} and, for tenths, {tenth}
    reading: str = ""  #: with {whole} and, for tenths, {tenth} (which has its ブ)


class _Counted(_Part):
    counter: Literal["month", "day", "hour", "minute", "digit"]
    text: str = "{}"  #: with {} for the number and its counter
    reading: str = "{}"


class Word(_Part):
    """One word that the engine's own dictionary would misread, or say with a wrong melody."""

    reading: str = Field(pattern=r"^[ァ-ヴー]+$")
    #: The beat after which the voice falls: 0 for none. ハシ (bridge) is 2, ハシ (chopsticks) is 1.
    accent: int = Field(ge=0, le=20)


class ScriptFile(_Part):
    """The content of prompts/<language>.yaml."""

    voice: str = ""  #: which voice speaks: a name of ivr.voice.engines, or an .htsvoice file
    words: Mapping[str, Word] = {}
    prompts: Mapping[str, _Line]
    values: Mapping[str, _Values] = {}
    counted: Mapping[str, _Counted] = {}


@dataclass(frozen=True)
class Line:
    """One finished sound file: its prompt id and what is said in it."""

    prompt: str
    text: str
    reading: str  #: katakana; empty where the language has none
    spoken: str  #: what the engine is given: kanji numerals, or the entry's own spelling


def lines(script: ScriptFile) -> tuple[Line, ...]:
    """Every line that has a sound file, in the order of the file; values and counted parts last."""
    written = (
        Line(prompt, each.text, each.reading, each.speak or _spelling(each.text, each.reading))
        for prompt, each in script.prompts.items()
    )
    values = (line for name, rule in script.values.items() for line in _value_lines(name, rule))
    counted = (line for name, rule in script.counted.items() for line in _counted_lines(name, rule))
    return (*written, *values, *counted)


def _spelling(text: str, reading: str) -> str:
    """Only what is read in kana is Japanese."""
    return with_kanji_numerals(text) if reading else text


def _value_lines(name: str, rule: _Values) -> Iterator[Line]:
    """`value/<name>_<keys as typed>`. With {tenth} in the text the last key is a tenth: 365 is 36 degrees 5."""
    tenths = "{tenth}" in rule.text
    for keys in range(rule.first, rule.last + 1):
        whole, tenth = divmod(keys, 10) if tenths else (keys, 0)
        text = rule.text.format(whole=whole, tenth=tenth)
        reading = rule.reading and rule.reading.format(whole=kana_number(whole), tenth=TENTHS[tenth])
        reading = reading.replace("ジューパ", "ジュッパ")  # 七十パーセント
        yield Line(f"value/{name}_{keys}", text, reading, _spelling(text, reading))


def _counted_lines(name: str, rule: _Counted) -> Iterator[Line]:
    """`name` is a prompt id with {n} for the number: date/month_{n}."""
    counter = COUNTERS[rule.counter]
    for number in counter.numbers:
        said = counter.of(number)
        yield Line(
            name.format(n=number),
            rule.text.format(said.text),
            rule.reading.format(said.reading),
            with_kanji_numerals(rule.text.format(said.spoken)),
        )


def sound_key(line: Line, voice: str, words: Mapping[str, Word]) -> str:
    """What a synthetic sound was made from. It changes when the file has to be made again; a word of the dictionary
    counts for the lines that hold it.
    """
    used = [f"{word} {each.reading} {each.accent}" for word, each in sorted(words.items()) if word in line.spoken]
    source = "\n".join((line.text, line.reading, line.spoken, voice, PIPELINE, *used))
    return hashlib.sha256(source.encode()).hexdigest()[:16]
