"""What stands on the card, before anybody thinks of how it looks."""

from dataclasses import replace
from datetime import time

import pytest

from ivr.leaflet.content import Answer, Site, grouped, leaflet_of
from tests.cases_runner import daily
from tests.flow.test_cards import branching

SITE = Site(
    centre="さくら保健所",
    callers=("05000000100",),
    call_in=("05000000100",),
    telephone="03-1000-0123",
    hours="平日",
    slots=((time(9), time(11, 30)), (time(14), time(16, 30))),
    greeting="こちらは、さくら保健所です。",
)


def test_the_daily_questionnaire_is_two_numbers_and_nine_questions_alike() -> None:
    leaflet = leaflet_of(daily(), SITE, "ja")
    temperature, oxygen, others = leaflet.blocks
    assert temperature.example == Answer("365", "36.5")
    assert temperature.answers == (Answer("5#", "体温計がない"),)
    assert "3 桁" in temperature.how
    assert temperature.confirmed
    assert oxygen.example == Answer("98#", "98")
    assert "最後に #" in oxygen.how
    assert others.answers == (Answer("1", "はい"), Answer("2", "いいえ"), Answer("3", "わからない"))
    assert not others.confirmed
    assert [each.number for each in others.questions] == list(range(3, 12))
    assert others.questions[2].word == "息苦しい"
    assert leaflet.patience == "30"


def test_what_is_not_asked_of_everybody_several_keys_and_speech() -> None:
    leaflet = leaflet_of(branching(), SITE, "ja")
    well, temperature, oxygen, symptoms, message, again = leaflet.blocks
    assert well.answers == (Answer("1", "よい"), Answer("2", "ふつう"), Answer("3", "わるい"))
    assert [each.questions[0].perhaps for each in leaflet.blocks] == [False, False, True, False, False, False]
    assert (temperature.example, oxygen.example) == (Answer("380", "38.0"), Answer("85#", "85"))
    assert symptoms.answers[-1] == Answer("9", "なし")
    assert "すべて押して、最後に #" in symptoms.how
    assert "60 秒以内" in message.how
    assert again.how == ""


def test_only_neighbours_with_the_same_keys_share_a_picture() -> None:
    questions = daily().questions
    apart = replace(daily(), questions=(questions[2], questions[0], questions[3]))
    assert [len(each.questions) for each in leaflet_of(apart, SITE, "ja").blocks] == [1, 1, 1]


@pytest.mark.parametrize(
    ("first", "until", "japanese", "english"),
    [
        (time(9), time(11, 30), "午前9時 ～ 11時30分 ごろ", "9:00 a.m. to 11:30 a.m."),
        (time(8, 30), time(12), "午前8時30分 ～ 午後0時 ごろ", "8:30 a.m. to 12:00 p.m."),
        (time(12, 15), time(20), "午後0時15分 ～ 8時 ごろ", "12:15 p.m. to 8:00 p.m."),
    ],
)
def test_times_of_day(first: time, until: time, japanese: str, english: str) -> None:
    site = replace(SITE, slots=((first, until),))
    assert leaflet_of(daily(), site, "ja").slots == (japanese,)
    assert leaflet_of(daily(), site, "en").slots == (english,)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("05000000100", "050-0000-0100"),
        ("09000000001", "090-0000-0001"),
        ("0310000123", "03-1000-0123"),
        ("0120000000", "0120-000-000"),
        ("08000000000", "0800-000-0000"),
        # Nobody can tell from the digits where this area code ends.
        ("0861000123", "0861000123"),
        ("086-100-0123", "086-100-0123"),
    ],
)
def test_numbers_as_people_read_them(number: str, shown: str) -> None:
    assert grouped(number) == shown


def test_other_languages_than_the_catalogues_are_english() -> None:
    assert leaflet_of(daily(), SITE, "vi").language == "en"
