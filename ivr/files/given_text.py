"""Text as it comes in by any door (file, centre, keyboard): cleaned and limited here and nowhere else. Pure."""

import re
import unicodedata

#: Longest name, reading, reason or other line of text, in characters after cleaning.
LONGEST_TEXT = 200


class WrongCell(ValueError):
    """What stands there cannot be used. `message` is an id of the catalogue, `values` fill its blanks."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


#: Letters and marks that show nothing, but are not of the category Cf (Default_Ignorable_Code_Point of Unicode);
#: not the variation selectors, which choose the form of a kanji.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0]")
#: Kanji that NFC would replace by another form of theirs (神 by 神): a name keeps the one that it is written with.
_COMPATIBILITY = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f])")
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_JOINERS = "\u200c\u200d"
_VIRAMA = 9  #: its canonical combining class
_UNUSABLE = ("Cc", "Cs", "Cn", "Zl", "Zp")


def clean(given: str) -> str:
    """The text without blanks at its ends and without what cannot be seen, in Unicode's composed form (NFC).

    Dropped are format characters (category Cf: zero width spaces, marks of direction, soft hyphens) and blank
    letters. Joiners stay behind a virama, where Indic scripts spell with them. Other kinds of blank become a space,
    but for the wide one of Japanese.
    """
    if given.isascii():
        return given.strip()
    if not given.isprintable() or _BLANK.search(given):
        given = _visible(given)
    if not unicodedata.is_normalized("NFC", given):
        parts = _COMPATIBILITY.split(given)
        given = "".join(each if at % 2 else unicodedata.normalize("NFC", each) for at, each in enumerate(parts))
    return given.strip()


def _visible(given: str) -> str:
    kept: list[str] = []
    for each in given:
        kind = unicodedata.category(each)
        is_joined = each in _JOINERS and kept and unicodedata.combining(kept[-1]) == _VIRAMA
        if (kind == "Cf" or _BLANK.match(each)) and not is_joined:
            continue
        kept.append(" " if kind == "Zs" and each != "\u3000" else each)
    return "".join(kept)


def fold(text: str) -> str:
    """What is left of a text to compare it with another: no case, no width, no blanks, no forms of one kanji."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    folded = _VARIATION.sub("", _BLANK.sub("", folded))
    return "".join(each for each in folded if not each.isspace() and unicodedata.category(each) != "Cf")


def check_text(text: str) -> str:
    """The cleaned text if a name may be so. Raises WrongCell for letters that mean nothing elsewhere, and length."""
    if len(text) > LONGEST_TEXT:
        raise WrongCell("roster.too_long", most=LONGEST_TEXT, found=len(text))
    if "\ufffd" in text:
        raise WrongCell("roster.damaged")
    if not text.isprintable():
        # Kanji are still being added to the planes 2 and 3, after this Python's Unicode.
        kinds = {unicodedata.category(each) for each in text if not "\U00020000" <= each <= "\U0003fffd"}
        if "Co" in kinds:
            raise WrongCell("roster.private_letter")
        if kinds.intersection(_UNUSABLE):
            raise WrongCell("roster.control")
    return text
