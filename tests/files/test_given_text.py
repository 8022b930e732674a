"""Text by any door: cleaned, limited and compared in one place."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.files.given_text import LONGEST_TEXT, WrongCell, check_text, clean, fold


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("  見本 花子　", "見本 花子"),
        ("見\u200b本 花\u200d子", "見本 花子"),
        ("\ufeff見本\u00ad花子", "見本花子"),
        ("\u202a090-0000-0001\u202c", "090-0000-0001"),
        ("\u202e子花本見", "子花本見"),
        ("ミホ\u3164ン", "ミホン"),
        (unicodedata.normalize("NFD", "ベッド ガク"), "ベッド ガク"),
        (unicodedata.normalize("NFD", "Nguyễn Thị Ánh"), "Nguyễn Thị Ánh"),
        ("e\u200b\u0301", "é"),
        ("João\u00a0da\u2009Silva", "João da Silva"),
        ("見本　花子", "見本　花子"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("神\ufa19社 \ufa10", "神\ufa19社 \ufa10"),  # NFC would take other forms of these kanji
        ("अर्\u200dयाल", "अर्\u200dयाल"),  # spelt with a joiner
        ("अर\u200dयाल", "अरयाल"),
        ("𠮷田", "𠮷田"),
    ],
)
def test_what_cannot_be_seen_goes_and_what_is_written_stays(typed: str, wanted: str) -> None:
    assert clean(typed) == wanted
    assert clean(wanted) == wanted


@given(st.text())
def test_cleaning_twice_is_cleaning_once_and_leaves_nothing_invisible(typed: str) -> None:
    found = clean(typed)
    assert clean(found) == found
    joiners = sum(each in "\u200c\u200d" for each in found)
    assert sum(unicodedata.category(each) == "Cf" for each in found) == joiners


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("葛\U000e0100城", "葛城"),
        ("神\ufa19田", "神神田"),
        ("見 本\u200b", "見本"),
        ("ﾐﾎﾝ ﾊﾅｺ", "ミホンハナコ"),
        ("ＭＡＲＩＡ", "maria"),
        (unicodedata.normalize("NFD", "ガク"), "ガク"),
    ],
)
def test_what_is_one_when_it_is_compared(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("あ" * (LONGEST_TEXT + 1), "roster.too_long"),
        ("あ" * 100_000, "roster.too_long"),
        ("見本\ufffd", "roster.damaged"),
        ("\ue000田", "roster.private_letter"),
        ("見\n本", "roster.control"),
        ("見\u2028本", "roster.control"),
        ("\x1b[31m見本", "roster.control"),
    ],
)
def test_what_no_name_may_hold(typed: str, wanted: str) -> None:
    with pytest.raises(WrongCell) as wrong:
        check_text(typed)
    assert wrong.value.message == wanted


@pytest.mark.parametrize("typed", ["あ" * LONGEST_TEXT, "𪚲見本", "\U00031350田", "Nguyễn", "शर्मा"])
def test_what_a_name_may_hold(typed: str) -> None:
    assert check_text(typed) == typed
