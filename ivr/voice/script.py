"""What is said: the lines of prompts/<language>.yaml and the values that are read back, with their readings. Pure."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

#: Raise it when a change in speech.py, dictionary.csv or chain.py makes other audio from the same text.
PIPELINE = "2"

#: Played while we wait for keys, so that a call is never without sound packets; its length is what the drivers rely on.
QUIET = "frame/quiet"
QUIET_SECONDS = 5.0

_DIGITS = "零一二三四五六七八九"
_ONES = ("", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュー")
#: 四分 and 七分 as ヨンブ and ナナブ: シブ and シチブ sound too much like ニブ and イチブ on a telephone.
_TENTHS = ("レーブ", "イチブ", "ニブ", "サンブ", "ヨンブ", "ゴブ", "ロクブ", "ナナブ", "ハチブ", "キューブ")


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field(min_length=1)  #: what is said, as an operator reads it
    reading: str = Field(min_length=1)  #: the same in katakana, as it must sound
    speak: str | None = None  #: another spelling for the engine, where it would misread `text`


class _Values(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    first: int
    last: int
    text: str  #: with {whole} and, for tenths, {tenth}
    reading: str  #: with {whole} and, for tenths, {tenth} (which has its ブ)


class ScriptFile(BaseModel):
    """The content of prompts/<language>.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompts: Mapping[str, _Line]
    values: Mapping[str, _Values] = {}


@dataclass(frozen=True)
class Line:
    """One finished sound file: its prompt id and what is said in it."""

    prompt: str
    text: str
    reading: str
    spoken: str  #: what the engine is given: kanji numerals, or the entry's own spelling


def lines(script: ScriptFile) -> tuple[Line, ...]:
    """Every line that has a sound file, in the order of the file; the values last."""
    written = (
        Line(prompt, each.text, each.reading, each.speak or with_kanji_numerals(each.text))
        for prompt, each in script.prompts.items()
    )
    return (*written, *(line for name, rule in script.values.items() for line in _value_lines(name, rule)))


def _value_lines(name: str, rule: _Values) -> Iterator[Line]:
    """`value/<name>_<keys as typed>`. With {tenth} in the text the last key is a tenth: 365 is 36 degrees 5."""
    tenths = "{tenth}" in rule.text
    for keys in range(rule.first, rule.last + 1):
        whole, tenth = divmod(keys, 10) if tenths else (keys, 0)
        text = rule.text.format(whole=whole, tenth=tenth)
        reading = rule.reading.format(whole=kana_number(whole), tenth=_TENTHS[tenth])
        reading = reading.replace("ジューパ", "ジュッパ")  # 七十パーセント
        yield Line(f"value/{name}_{keys}", text, reading, with_kanji_numerals(text))


def kana_number(number: int) -> str:
    """1 to 100, with the readings that are hardest to mistake on a telephone: ヨン, ナナ, キュー."""
    if number == 100:
        return "ヒャク"
    tens, ones = divmod(number, 10)
    return ("" if tens < 2 else _ONES[tens]) + ("ジュー" if tens else "") + _ONES[ones]


def with_kanji_numerals(text: str) -> str:
    """`36度5分` -> `三十六度五分`: the dictionary knows the kanji, and Arabic numerals are misread."""
    return re.sub(r"[0-9]+", lambda found: kanji_number(int(found.group())), text)


def kanji_number(number: int) -> str:
    """0 to 999; a leading 一 before 十 and 百 is not written."""
    if not 0 <= number <= 999:
        raise ValueError(number)
    if number == 0:
        return _DIGITS[0]
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    parts = [(hundreds, "百"), (tens, "十")]
    written = "".join(("" if count == 1 else _DIGITS[count]) + unit for count, unit in parts if count)
    return written + (_DIGITS[ones] if ones else "")


def morae(reading: str) -> int:
    """Beats of a katakana reading: small vowels belong to the sign before them, ー ッ ン count."""
    return len(re.findall(r"[ァ-ヴー]", re.sub(r"[ャュョァィゥェォヮ]", "", reading)))


def sound_key(line: Line, voice: str) -> str:
    """What a finished file was made from. It changes when the file has to be made again."""
    source = "\n".join((line.text, line.reading, line.spoken, voice, PIPELINE))
    return hashlib.sha256(source.encode()).hexdigest()[:16]
