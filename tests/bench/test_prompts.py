"""What the benchmark of the voices makes of transcripts."""

from itertools import product

import pytest

from bench.prompts import SETS, good, score, spelt
from bench.prompts_score import Errors, Understood, bare, distance, kana_errors, understood

VALUES = {
    "value/temperature_365": "サンジューロクド、ゴブデスネ。",
    "value/temperature_366": "サンジューロクド、ロクブデスネ。",
    "value/temperature_375": "サンジューナナド、ゴブデスネ。",
}


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("", "", 0), ("ゴブ", "ゴブ", 0), ("ゴブ", "ロクブ", 2), ("アイ", "", 2), ("カキク", "キク", 1)],
)
def test_distance(one: str, other: str, apart: int) -> None:
    assert distance(one, other) == distance(other, one) == apart


@pytest.mark.parametrize(
    ("reading", "kana"),
    [
        ("サンド、ゴブ。", "サンドゴブ"),
        ("ツヅキヲ", "ツズキオ"),
        ("オウケ", "オーケ"),
        ("セイ", "セー"),
        ("イウ", "イウ"),
    ],
)
def test_what_sounds_alike_is_alike(reading: str, kana: str) -> None:
    assert bare(reading) == kana


def test_kana_errors_over_all_lines() -> None:
    found = kana_errors({"a": "アイウエ", "b": "カキクケコサ"}, {"a": "アイウ"})
    assert found == Errors(7, 10)
    assert found.rate == pytest.approx(0.7)
    assert Errors(0, 0).rate == 0


def test_a_value_is_understood_if_nothing_else_is_as_near() -> None:
    heard = {
        "value/temperature_365": "サンジューロクドゴブデスネ",
        "value/temperature_366": "サンジューロクド、ロクムデスネ",
        "value/temperature_375": "サンジュードゴブデスネ",  # as near to 36 as to 37
    }
    assert understood(VALUES, heard) == Understood(2, 1, 3, ("value/temperature_375",))


def test_what_was_not_heard_is_not_understood() -> None:
    assert understood(VALUES, {}).nearest == 0


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("36.5度", "三十六点五度"),
        ("98%", "九十八%"),
        ("119番", "百十九番"),
        ("2026", "二 零 二 六"),
        ("はい。", "はい。"),
    ],
)
def test_numerals_become_what_the_dictionary_reads(written: str, spoken: str) -> None:
    assert spelt(written) == spoken


def test_a_voice_is_good_when_every_set_is_understood() -> None:
    kana = ["".join(pair) for pair in product("アカサタナハマヤラワ", repeat=2)]
    readings = {f"{each}{number}": kana[number] for each, least in SETS.items() for number in range(least)}
    readings["daily/cough"] = "セキ"
    found = score("nitech", readings, dict(readings), lambda text: text)
    assert good(found)
    assert (found.prompts.wrong, found.prompts.kana) == (0, 2)
    deaf = score("nitech", readings, {**readings, "value/oxygen_3": ""}, lambda text: text)
    assert not good(deaf)
