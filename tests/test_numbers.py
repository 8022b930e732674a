"""Which numbers may be rung: a row for each class of the numbering plan."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.numbers import BadNumber, Numbering, Plan, dialable, forms_of, from_network, mask, normalise, spelt


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
    "raw",
    [
        "0" + "90" + "1" * 8,
        "0" + "80" + "1" * 8,
        "0" + "70" + "1" * 8,
        "0" + "60" + "1" * 8,  # mobile since July 2026
        "050" + "1" * 8,
        "0311111111",
        "0" + "466" + "1" * 6,
        "0" + "9942" + "1" * 5,
        # Area codes with 0 as fourth digit exist, so such beginnings are not denied.
        *(f"0{area}" + "1" * 6 for area in ("460", "470", "480", "980")),
    ],
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
        ("0190" + "1" * 6, "number.special"),
        ("020" + "1" * 8, "number.special"),  # pagers, machines
        ("0200" + "1" * 7, "number.special"),
        ("0600" + "1" * 6, "number.special"),
        ("0800" + "1" * 6, "number.special"),
        ("０１２０－" + "1" * 6, "number.special"),
        ("+81 120 " + "1" * 6, "number.special"),
        ("+81 (0)570 " + "1" * 6, "number.special"),
        *((f"1{each}", "number.emergency") for each in ("10", "18", "19", "04", "17", "71", "77", "88", "89")),
        ("０１１０", "number.unknown_class"),
        ("+81 (0)119", "number.unknown_class"),
        ("8190" + "1" * 8, "number.no_zero"),
        ("90" + "1" * 8, "number.no_zero"),
        ("0081" + "90" + "1" * 8, "number.international"),
        ("+8210" + "1" * 8, "number.not_digits"),
        ("0033" + "1" * 8, "number.international"),
        ("0077" + "1" * 8, "number.international"),
        ("186" + "0" + "9" * 10, "number.emergency"),
        ("#31#" + "0" + "9" * 10, "number.not_digits"),
        ("0" * 9, "number.international"),
        ("031111111", "number.unknown_class"),
        ("03111111112", "number.unknown_class"),
        ("0311111111;ext=5", "number.not_digits"),
        ("tel:0311111111", "number.not_digits"),
        ("0311111111 p 5", "number.not_digits"),
        ("03-ABCD-1111", "number.not_digits"),
        ("0311111111@evil", "number.not_digits"),
        ("0311111111,", "number.not_digits"),
        ("٠٣١١١١١١١١", "number.not_digits"),
        ("0311111111\u200b", "number.not_digits"),
        ("0391" + "1" * 7, "number.unknown_class"),
        ("0111011111", "number.unassigned"),  # a form that exists, of an area code that does not
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


def test_our_own_numbers_are_refused_however_they_are_written() -> None:
    numbering = Numbering(Plan.PRACTICE, frozenset(map(spelt, ("0500-0000-100", "+81 3 1000 0001"))))
    assert numbering.own == {"05000000100", "0310000001"}
    for raw in ("05000000100", "０５００−００００−１００", "+81 500 0000 100", "03-1000-0001"):
        with pytest.raises(BadNumber) as refused:
            dialable(raw, numbering)
        assert refused.value.message == "number.own"
    assert dialable("03-1000-0002", numbering) == "0310000002"


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
    assert not number.startswith(("0120", "0570", "0990", "020"))
    assert normalise(number, plan) == number


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


DIGITS = st.text("0123456789０９+-ー ()", min_size=2, max_size=14)
HEADS = ["", "0", "1", "00", "010", "0120", "0570", "0990", "020", "110", "119", "184", "186", "+81", "+1", "050"]


@given(st.sampled_from(HEADS), DIGITS, st.sampled_from(list(Plan)))
def test_no_denied_beginning_ever_passes(head: str, rest: str, plan: Plan) -> None:
    try:
        number = normalise(head + rest, plan)
    except BadNumber:
        return
    practice = re.compile(r"0(?:[679]0|50)0[0-9]{7}|0800000[0-9]{4}|0310[0-9]{6}")
    japan = re.compile(r"0(?:[6789]0|50)[1-9][0-9]{7}|0[1-9][1-9][0-9]{7}")
    assert {Plan.PRACTICE: practice, Plan.JAPAN: japan}[plan].fullmatch(number)
    if plan is Plan.JAPAN:
        assert number[:4] not in {"0120", "0170", "0180", "0190", "0570", "0800", "0910", "0990", "0600", "0200"}


#: One number as networks, gateways and routers write it.
HEARD = (
    *("09000000001", "+819000000001", "819000000001", "9000000001", "00819000000001", "010819000000001"),
    *("090-0000-0001", "+81-90-0000-0001", "+81(0)90-0000-0001", "8109000000001", "＋８１ ９０ ００００ ０００１"),
)


@pytest.mark.parametrize("raw", HEARD)
def test_one_form_of_a_number_that_the_network_says(raw: str) -> None:
    assert normalise(from_network(raw), Plan.PRACTICE) == "09000000001"


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("310000001", "0310000001"),
        ("81310000001", "0310000001"),
        ("+81310000001", "0310000001"),
        ("0310000001", "0310000001"),
        # Not ours to guess at: another country, a short number, no number at all.
        ("+12125550100", "+12125550100"),
        ("0012125550100", "0012125550100"),
        ("110", "110"),
        ("701", "701"),
        ("81110", "81110"),
        ("alice", "alice"),
        ("", ""),
    ],
)
def test_other_numbers_that_the_network_says(raw: str, wanted: str) -> None:
    assert from_network(raw) == wanted


@given(st.from_regex(r"0[1-9][0-9]{8,9}", fullmatch=True))
def test_each_form_of_a_number_is_read_as_that_number(number: str) -> None:
    forms = forms_of(number)
    assert len(set(forms)) == len(forms)
    assert {from_network(each) for each in forms} == {number}


def test_what_people_write_is_not_guessed_at() -> None:
    for raw in ("9000000001", "819000000001"):
        with pytest.raises(BadNumber):
            normalise(raw, Plan.PRACTICE)
