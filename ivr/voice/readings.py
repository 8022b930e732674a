"""How Japanese numbers sound: plain ones, months, days, hours, minutes and single digits. Pure, tables only.

Every reading was compared with Open JTalk's for all dates and times; where the two differ (零時, the minutes), the
engine is wrong and gets another spelling.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_DIGITS = "零一二三四五六七八九"
_ONES = ("", "イチ", "ニ", "サン", "ヨン", "ゴ", "ロク", "ナナ", "ハチ", "キュー")
#: 四分 and 七分 as ヨンブ and ナナブ: シブ and シチブ sound too much like ニブ and イチブ on a telephone.
TENTHS = ("レーブ", "イチブ", "ニブ", "サンブ", "ヨンブ", "ゴブ", "ロクブ", "ナナブ", "ハチブ", "キューブ")
#: One by one, as numbers are read out on a telephone: ニー and ゴー are made long, never シ, シチ or ク.
TELEPHONE_DIGITS = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_MONTHS = {4: "シガツ", 7: "シチガツ", 9: "クガツ"}
_DAYS = {
    1: "ツイタチ", 2: "フツカ", 3: "ミッカ", 4: "ヨッカ", 5: "イツカ", 6: "ムイカ", 7: "ナノカ", 8: "ヨーカ",
    9: "ココノカ", 10: "トーカ", 14: "ジューヨッカ", 17: "ジューシチニチ", 19: "ジュークニチ", 20: "ハツカ",
    24: "ニジューヨッカ", 27: "ニジューシチニチ", 29: "ニジュークニチ",
}  # fmt: skip
_HOURS = {0: "レージ", 4: "ヨジ", 7: "シチジ", 9: "クジ"}


@dataclass(frozen=True)
class Counted:
    """One number with its counter."""

    text: str  #: as written: 11月
    reading: str  #: in katakana: ジューイチガツ
    spoken: str  #: as an engine must be given it


@dataclass(frozen=True)
class Counter:
    """Which numbers there are, and how one of them sounds."""

    numbers: range
    of: Callable[[int], Counted]


def kana_number(number: int) -> str:
    """0 to 100, with the readings that are hardest to mistake on a telephone: ヨン, ナナ, キュー."""
    if number in (0, 100):
        return "ヒャク" if number else "ゼロ"
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


def _month(number: int) -> Counted:
    return Counted(f"{number}月", _MONTHS.get(number) or f"{kana_number(number)}ガツ", f"{kanji_number(number)}月")


def _day(number: int) -> Counted:
    # 一日 by itself is イチニチ to the engine: a whole day.
    spoken = "ついたち" if number == 1 else f"{kanji_number(number)}日"
    return Counted(f"{number}日", _DAYS.get(number) or f"{kana_number(number)}ニチ", spoken)


def _hour(number: int) -> Counted:
    half, hour = ("午前", number) if number < 12 else ("午後", number - 12)
    last = _HOURS.get(hour) or f"{kana_number(hour)}ジ"
    return Counted(f"{half}{hour}時", ("ゴゼン" if number < 12 else "ゴゴ") + last, f"{half}{kanji_number(hour)}時")


def _minute(number: int) -> Counted:
    """Steps of five only: the others have readings of their own (ハップン), and no call is announced to the minute."""
    tens, ones = divmod(number, 10)
    full_tens = ("" if tens == 1 else _ONES[tens]) + "ジュップン"
    reading = f"{kana_number(number)}フン" if ones else full_tens
    # 分 in kana: 五分 is ゴブ here, a temperature's tenths.
    return Counted(f"{number}分", reading, kanji_number(number) + ("ふん" if ones else "ぷん"))


def _digit(number: int) -> Counted:
    return Counted(str(number), TELEPHONE_DIGITS[number], TELEPHONE_DIGITS[number])


#: What a script may count with.
COUNTERS: Mapping[str, Counter] = {
    "month": Counter(range(1, 13), _month),
    "day": Counter(range(1, 32), _day),
    "hour": Counter(range(24), _hour),
    "minute": Counter(range(5, 60, 5), _minute),
    "digit": Counter(range(10), _digit),
}
