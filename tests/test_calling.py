"""What a caller is asked before the line knows whose report it takes."""

from datetime import date

import pytest

from ivr.calling import CHOICE_GUARD, ask_for_birth_date, ask_for_id, choose_place, wish_for_another
from ivr.conversation import Voice
from ivr.identity import check_digit
from ivr.loading import CALL_FRAME
from ivr.questionnaire.turns import MOST_REPEATS
from ivr.terminal import unrecorded
from tests.fakes.phone import FakePhone, keys

VOICE = Voice(unrecorded(CALL_FRAME, "ja"), "ja")
TODAY = date(2026, 11, 4)
ASK_DATE = ("frame/enter_birth_date", "frame/birth_date_example")
CHOOSE = ("frame/household", "frame/household_1", "frame/household_2", "frame/household_3")


@pytest.mark.parametrize(
    ("pressed", "found", "after"),
    [
        pytest.param("00123456", "00123456", [], id="eight digits"),
        pytest.param("123456#", "123456", [], id="six and #"),
        pytest.param("123456", "123456", [], id="six and a pause"),
        pytest.param("1234567#", "1234567", [], id="seven"),
        pytest.param("12345# 123456#", "123456", ["frame/id_form"], id="too short, then right"),
        pytest.param("- 123456#", "123456", ["frame/silence"], id="silence, then right"),
        pytest.param("# 123456#", "123456", ["frame/silence"], id="a # alone is silence"),
        pytest.param("12* 123456#", "123456", [""], id="once more in the middle"),
        pytest.param("1 - 2 123456#", None, ["frame/id_form", "frame/silence"], id="three tries"),
    ],
)
async def test_the_id(pressed: str, found: str | None, after: list[str]) -> None:
    phone = FakePhone(press=keys(pressed))
    assert await ask_for_id(phone, VOICE, check_digit=False) == found
    assert phone.said == [("frame/enter_id",), *((*each.split(), "frame/enter_id") for each in after)]


async def test_a_slip_is_heard_before_the_birth_date() -> None:
    phone = FakePhone(press=keys("1005724# 1005742# 0105724#"))
    assert await ask_for_id(phone, VOICE, check_digit=True) is None
    assert phone.said[1:] == [("frame/wrong_key", "frame/enter_id")] * 2
    right = "100572" + check_digit("100572")
    assert await ask_for_id(FakePhone(press=keys(f"{right}#")), VOICE, check_digit=True) == right


async def test_a_stuck_star_comes_to_an_end() -> None:
    stuck = FakePhone(press=lambda _: "*")
    assert await ask_for_id(stuck, VOICE, check_digit=False) is None
    assert len(stuck.said) == MOST_REPEATS + 1


@pytest.mark.parametrize(
    ("pressed", "found", "after"),
    [
        pytest.param("3100405#", date(1935, 4, 5), [], id="era"),
        pytest.param("3100405", date(1935, 4, 5), [], id="era and a pause"),
        pytest.param("19350405", date(1935, 4, 5), [], id="western"),
        pytest.param("0405# 3100405#", date(1935, 4, 5), ["frame/birth_date_form"], id="month and day only"),
        pytest.param("3650101# 19350230 -", None, ["frame/birth_date_form"] * 2, id="slips"),
        pytest.param("- 19350405", date(1935, 4, 5), ["frame/silence"], id="silence"),
    ],
)
async def test_the_birth_date(pressed: str, found: date | None, after: list[str]) -> None:
    phone = FakePhone(press=keys(pressed))
    assert await ask_for_birth_date(phone, VOICE, TODAY) == found
    assert phone.said == [ASK_DATE, *((each, *ASK_DATE) for each in after)]


@pytest.mark.parametrize(
    ("pressed", "found", "steps"),
    [
        pytest.param("1 1", 1, 2, id="first"),
        pytest.param("3 1", 3, 2, id="third"),
        pytest.param("4 0 2 1", 2, 4, id="wrong keys"),
        pytest.param("- 4 -", None, 3, id="no place"),
        pytest.param("* 2 1", 2, 3, id="again"),
        pytest.param("1 2 3 1", 3, 4, id="chosen anew"),
        pytest.param("1 2 1 2 1 2", None, 6, id="never right"),
        pytest.param("1 - - -", None, 4, id="never confirmed"),
    ],
)
async def test_choosing_a_place(pressed: str, found: int | None, steps: int) -> None:
    phone = FakePhone(press=keys(pressed))
    assert await choose_place(phone, VOICE, (1, 2, 3)) == found
    assert phone.said[0] == CHOOSE
    assert len(phone.said) == steps


async def test_only_those_who_are_there_are_offered_each_at_their_own_place() -> None:
    phone = FakePhone(press=keys("1 3 1"))
    assert await choose_place(phone, VOICE, (2, 3)) == 3
    assert phone.said == [
        ("frame/household", "frame/household_2", "frame/household_3"),
        ("frame/wrong_key", "frame/household", "frame/household_2", "frame/household_3"),
        ("frame/household_is_3", "frame/household_right"),
    ]


async def test_the_key_before_pressed_twice_chooses_nobody() -> None:
    phone = FakePhone(press=keys("1 1"))
    await choose_place(phone, VOICE, (1, 2))
    assert phone.rules[0].guard == CHOICE_GUARD


@pytest.mark.parametrize(("pressed", "found"), [("1", True), ("2", False), ("3 1", True), ("- - -", False)])
async def test_another_person(pressed: str, found: bool) -> None:
    assert await wish_for_another(FakePhone(press=keys(pressed)), VOICE) is found
