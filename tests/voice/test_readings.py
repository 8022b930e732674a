"""How numbers sound, and what an engine is given to say them."""

from itertools import pairwise
from pathlib import Path

import pytest

from ivr.document import parse_document, validate
from ivr.errors import BadInput
from ivr.voice.readings import kana_number, kanji_number, morae, with_kanji_numerals
from ivr.voice.review import read_script
from ivr.voice.script import PIPELINE, Line, ScriptFile, Word, lines, sound_key

LINES = {line.prompt: line for line in read_script(Path(__file__).parents[2] / "prompts", "ja").lines}


@pytest.mark.parametrize(
    ("prompt", "reading"),
    [
        ("value/temperature_365", "サンジューロクド、ゴブデスネ。"),
        ("value/temperature_360", "サンジューロクド、レーブデスネ。"),
        ("value/temperature_347", "サンジューヨンド、ナナブデスネ。"),
        ("value/temperature_400", "ヨンジュード、レーブデスネ。"),
        ("value/temperature_419", "ヨンジューイチド、キューブデスネ。"),
        ("value/oxygen_70", "ナナジュッパーセント、デスネ。"),
        ("value/oxygen_98", "キュージューハチパーセント、デスネ。"),
        ("value/oxygen_100", "ヒャクパーセント、デスネ。"),
    ],
)
def test_reading_of_a_value(prompt: str, reading: str) -> None:
    assert LINES[prompt].reading == reading


def test_every_value_of_the_daily_questionnaire_can_be_read_back() -> None:
    assert {f"value/temperature_{keys}" for keys in range(340, 421)} <= LINES.keys()
    assert {f"value/oxygen_{keys}" for keys in range(70, 101)} <= LINES.keys()


def test_the_words_of_a_value_are_its_keys() -> None:
    for prompt, line in LINES.items():
        if prompt.startswith(("value/temperature_", "value/oxygen_")):
            assert "".join(each for each in line.text if each.isdigit()) == prompt.rpartition("_")[2]


def test_kana_numbers_differ() -> None:
    readings = [kana_number(number) for number in range(101)]
    assert len(set(readings)) == 101
    assert all(one != other for one, other in pairwise(readings))


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("36度5分", "三十六度五分"),
        ("11の質問", "十一の質問"),
        ("119番", "百十九番"),
        ("0番", "零番"),
        ("100パーセント", "百パーセント"),
        ("9、8、", "九、八、"),
    ],
)
def test_kanji_numerals(text: str, spoken: str) -> None:
    assert with_kanji_numerals(text) == spoken


def test_kanji_numbers_end_at_999() -> None:
    with pytest.raises(ValueError, match="1000"):
        kanji_number(1000)


@pytest.mark.parametrize(
    ("reading", "count"), [("シャープヲ、", 4), ("ヒャクジューキューバン", 8), ("ロッケタ。", 4), ("ヴァ", 1)]
)
def test_morae(reading: str, count: int) -> None:
    assert morae(reading) == count


# --- what makes a sound out of date ---

LINE = Line("a", "米印を、1番", "コメジルシヲ、イチバン", "米印を、一番")
WORDS = {"米印": Word(reading="コメジルシ", accent=3)}


def test_the_key_of_a_sound_changes_with_all_it_was_made_from() -> None:
    keys = {
        sound_key(LINE, "nitech", WORDS),
        sound_key(LINE, "jf_alpha", WORDS),
        sound_key(LINE, "nitech", {}),
        sound_key(LINE, "nitech", {"米印": Word(reading="コメジルシ", accent=2)}),
        sound_key(Line("a", "米印、1番", LINE.reading, LINE.spoken), "nitech", WORDS),
        sound_key(Line("a", LINE.text, "ベーインヲ、イチバン", LINE.spoken), "nitech", WORDS),
        sound_key(Line("a", LINE.text, LINE.reading, "こめじるしを、一番"), "nitech", WORDS),
    }
    assert len(keys) == 7
    assert PIPELINE.isdigit()


def test_words_that_a_line_does_not_hold_leave_it_as_it_is() -> None:
    assert sound_key(LINE, "nitech", {**WORDS, "五分": Word(reading="ゴブ", accent=1)}) == sound_key(
        LINE, "nitech", WORDS
    )


# --- scripts ---


def script(source: str) -> ScriptFile:
    return validate(parse_document(source, "ja.yaml"), ScriptFile)


def test_parts_with_a_counter_become_one_line_for_each_number() -> None:
    found = lines(
        script(
            'prompts: {}\ncounted: {"time/minute_{n}_end": {counter: minute, text: "{}です。", reading: "{}デス。"}}'
        )
    )
    assert [each.prompt for each in found] == [f"time/minute_{n}_end" for n in range(5, 60, 5)]
    assert found[1] == Line("time/minute_10_end", "10分です。", "ジュップンデス。", "十ぷんです。")


def test_a_language_without_kana_keeps_its_numerals() -> None:
    assert lines(script("prompts: {a: {text: Press 1.}}")) == (Line("a", "Press 1.", "", "Press 1."),)


@pytest.mark.parametrize(
    "source",
    [
        "prompts: {a: {text: ''}}",
        "prompts: {a: {txt: x}}",
        "prompts: {}\nwords: {米印: {reading: こめじるし, accent: 3}}",
        "prompts: {}\nwords: {米印: {reading: コメジルシ, accent: -1}}",
        "prompts: {}\ncounted: {a: {counter: year}}",
    ],
)
def test_wrong_scripts_are_refused(source: str) -> None:
    with pytest.raises(BadInput):
        script(source)


def test_a_prompt_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    both = "prompts:\n  digit/1: {text: 1}\ncounted: {'digit/{n}': {counter: digit}}"
    (tmp_path / "ja.yaml").write_text(both.replace("text: 1", "text: いち"), encoding="utf-8")
    with pytest.raises(BadInput, match=r"ja\.yaml:2: .*digit/1"):
        read_script(tmp_path, "ja")
