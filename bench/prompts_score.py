"""What a recogniser's transcripts say about a voice: kana error rate, and values understood in a closed set. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Errors:
    """Kana of many lines: wrong ones out of all."""

    wrong: int
    kana: int

    @property
    def rate(self) -> float:
        """Share of wrong kana, 0 to more than 1."""
        return self.wrong / self.kana if self.kana else 0.0


@dataclass(frozen=True)
class Understood:
    """Values of a closed set, each compared with the readings of all of them."""

    nearest: int  #: the right one is strictly nearer than every other
    exact: int  #: heard kana for kana
    total: int
    missed: tuple[str, ...]  #: prompt ids whose right reading was not strictly nearest


def bare(reading: str) -> str:
    """Katakana without punctuation, and with the spellings that sound alike as one."""
    kana = re.sub(r"[^ァ-ヴー]", "", reading)
    kana = kana.replace("ヅ", "ズ").replace("ヂ", "ジ").replace("ヲ", "オ")
    # オウ and エイ are the long vowels ー of another spelling.
    kana = re.sub(r"(?<=[オコソトノホモヨロゴゾドボポョ])ウ", "ー", kana)
    return re.sub(r"(?<=[エケセテネヘメレゲゼデベペェ])イ", "ー", kana)


def distance(one: str, other: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for place, sign in enumerate(one, 1):
        last, row[0] = row[0], place
        for at, against in enumerate(other, 1):
            last, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, last + (sign != against))
    return row[-1]


def kana_errors(wanted: Mapping[str, str], heard: Mapping[str, str]) -> Errors:
    """Over all prompts: wanted and heard readings by prompt id. A line that was not heard at all is all wrong."""
    wrong = sum(distance(bare(reading), bare(heard.get(prompt, ""))) for prompt, reading in wanted.items())
    return Errors(wrong, sum(len(bare(reading)) for reading in wanted.values()))


def understood(wanted: Mapping[str, str], heard: Mapping[str, str]) -> Understood:
    """Of a closed set of values: how many were taken for themselves."""
    readings = {prompt: bare(reading) for prompt, reading in wanted.items()}
    missed: list[str] = []
    exact = 0
    for prompt, reading in readings.items():
        said = bare(heard.get(prompt, ""))
        exact += said == reading
        others = min(distance(said, other) for name, other in readings.items() if name != prompt)
        if distance(said, reading) >= others:
            missed.append(prompt)
    return Understood(len(readings) - len(missed), exact, len(readings), tuple(missed))
