"""Which numbers may be rung: a row for each class of the numbering plan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.numbers import BadNumber, Plan, mask, normalise


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("09000000001", "09000000001"),
        ("08000000001", "08000000001"),
        ("090-0000-0001", "09000000001"),
        (" ０９０ー００００ー０００１ ", "09000000001"),
        ("+81 90 0000 0001", "09000000001"),
        ("+81(0)90-0000-0001", "09000000001"),
        ("0310000001", "0310000001"),
        ("0500-0000-100", "05000000100"),
        ("06000000001", "06000000001"),
    ],
)
def test_practice_numbers_in_their_national_form(raw: str, wanted: str) -> None:
    assert normalise(raw, Plan.PRACTICE) == wanted


@pytest.mark.parametrize(
    "raw", ["0" + "90" + "1" * 8, "050" + "1" * 8, "0" + "60" + "1" * 8, "0460" + "1" * 6, "0311111111"]
)
def test_japanese_classes_that_may_be_rung(raw: str) -> None:
    assert normalise(raw, Plan.JAPAN) == raw


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("110", "number.emergency"),
        ("１１９", "number.emergency"),
        ("118", "number.emergency"),
        ("104", "number.emergency"),
        ("0110", "number.unknown_class"),
        ("+81110", "number.unknown_class"),
        ("0119", "number.unknown_class"),
        ("+1 212 000 0000", "number.not_digits"),
        ("0010" + "1" * 8, "number.international"),
        ("010" + "1" * 9, "number.international"),
        ("0120" + "1" * 6, "number.special"),
        ("0570" + "1" * 6, "number.special"),
        ("0990" + "1" * 6, "number.special"),
        ("0800" + "1" * 7, "number.special"),
        ("0180" + "1" * 6, "number.special"),
        ("0170" + "1" * 6, "number.special"),
        ("0910" + "1" * 6, "number.special"),
        ("020" + "1" * 8, "number.unknown_class"),
        ("0200" + "1" * 7, "number.unknown_class"),
        ("09000000001", "number.practice"),  # do not exist outside the practice network
        ("0310000001", "number.practice"),
        ("184" + "0" + "9" * 10, "number.emergency"),
        ("*67" + "0" + "9" * 10, "number.not_digits"),
        ("0" * 12, "number.international"),
        ("090" + "1" * 7, "number.unknown_class"),
        ("090" + "1" * 9, "number.unknown_class"),
        ("", "number.not_digits"),
        ("090" + "1" * 8 + "\n1", "number.not_digits"),
        ("500&PJSIP/trunk", "number.not_digits"),
        ("${SHELL(id)}", "number.not_digits"),
    ],
)
def test_everything_else_is_refused_with_its_reason(raw: str, message: str) -> None:
    with pytest.raises(BadNumber) as refused:
        normalise(raw, Plan.JAPAN)
    assert refused.value.message == message


def test_a_practice_installation_rings_no_real_number() -> None:
    with pytest.raises(BadNumber) as refused:
        normalise("090" + "1" * 8, Plan.PRACTICE)
    assert refused.value.message == "number.not_practice"


@given(st.text(), st.sampled_from(list(Plan)))
def test_whatever_passes_is_plain_digits_of_a_known_length(raw: str, plan: Plan) -> None:
    try:
        number = normalise(raw, plan)
    except BadNumber:
        return
    assert number.isascii()
    assert number.isdigit()
    assert len(number) in (10, 11)
    assert number[0] == "0"
    assert number[1] != "0"


@given(st.from_regex(r"0[0-9]{9,10}", fullmatch=True))
def test_the_two_plans_share_no_number(number: str) -> None:
    allowed = 0
    for plan in Plan:
        try:
            allowed += normalise(number, plan) == number
        except BadNumber:
            continue
    assert allowed <= 1


def test_mask_shows_the_last_three_digits_only() -> None:
    assert mask("09000000123") == "…123"
    assert mask(None) == "-"
