"""Tables that people hand in: bytes of CSV, .xlsx or .ods into cleaned cells by column, with their lines. Pure.

One reader for rosters, external reports and lists from the centre. Knows no column of any table: a Layout does.
CSV: UTF-8 (with or without byte order mark), or Shift_JIS or EUC-JP where nothing else can be meant; CRLF or LF.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr.errors import BadInput, Problem, problem
from ivr.files.given_text import clean, fold


@dataclass(frozen=True)
class Layout:
    """What a table may hold."""

    columns: tuple[str, ...]
    required: tuple[str, ...]
    empty: Problem  #: what is said of a file without any line
    names: Mapping[str, str] = field(default_factory=dict)  #: other names of the columns, as `fold` gives them
    half_width: frozenset[str] = frozenset()  #: columns in which half-width kana are nothing strange


@dataclass(frozen=True)
class Table:
    """What a file holds."""

    columns: tuple[str, ...]  #: those that it has
    #: Line (from 1), and its cells by column, or what is wrong with it as a whole. Raises BadInput where CSV breaks.
    rows: Iterator[tuple[int, dict[str, str] | Problem]]


def read_table(content: bytes, file: str, layout: Layout) -> Table:
    """`file` is only for messages. Raises BadInput for what is no such table: with everything wrong with its header.

    Short lines are filled up with empty cells. Empty columns without a name and empty lines are passed over.
    """
    lines = _lines(content, file, layout)
    header = next(lines, None)
    if header is None:
        raise BadInput(Problem(layout.empty.message, layout.empty.values, file))
    names = _columns(*header, file, layout)
    return Table(tuple(filter(None, names)), _rows(lines, names))


def _lines(content: bytes, file: str, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """The line on which each record begins, and its cells, cleaned."""
    # Only now: most files are CSV.
    from ivr.files.workbook import is_workbook, read_workbook

    if is_workbook(content):
        records = read_workbook(content, file)
    else:
        records = _csv_records(_decode(content, file, layout), file)
    for line, record in records:
        row = [clean(each) for each in record]
        if any(row):
            yield line, row


def _csv_records(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for record in reader:
            yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(problem("roster.broken", file, line, reason=str(error))) from None


def _columns(line: int, row: list[str], file: str, layout: Layout) -> tuple[str, ...]:
    """The column of each cell of the header; "" where it has no name."""
    names = tuple(_column(each, layout) for each in row)
    known = [each for each in names if each]
    problems = [
        problem("roster.unknown_column", file, line, column=each[:40]) for each in known if each not in layout.columns
    ]
    problems += [
        problem("roster.missing_column", file, line, column=each) for each in layout.required if each not in known
    ]
    twice = sorted({each for each in known if known.count(each) > 1})
    problems += [problem("roster.column_twice", file, line, column=each[:40]) for each in twice]
    if problems:
        required, allowed = ", ".join(layout.required), ", ".join(layout.columns)
        raise BadInput(*problems, problem("roster.columns", file, line, required=required, allowed=allowed))
    return names


def _column(name: str, layout: Layout) -> str:
    folded = fold(name)
    return folded if folded in layout.columns else layout.names.get(folded, name)


def _rows(
    lines: Iterator[tuple[int, list[str]]], names: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str] | Problem]]:
    width = len(names)
    nameless = [at for at, each in enumerate(names) if not each]
    for line, row in lines:
        if len(row) < width:
            row += [""] * (width - len(row))
        if len(row) > width and any(row[width:]):
            yield line, problem("roster.cells", wanted=width, found=len(row))
        elif any(row[at] for at in nameless):
            yield line, problem("roster.nameless", column=next(at + 1 for at in nameless if row[at]))
        elif any("\ufffd" in each for each in row):
            yield line, problem("roster.damaged_line")
        else:
            yield line, {name: cell for name, cell in zip(names, row, strict=False) if name}


#: What UTF-8 and EUC-JP look like when they are read as Shift_JIS; kanji of no name.
_STRANGE = re.compile("[｡-ﾟ繝繧]")
_KANA = re.compile("[ぁ-んァ-ヶ]")
_RUN = re.compile("[｡-ﾟ]+")
_HALF_WIDTH_KANA = re.compile("(?:[ｶ-ﾄﾊ-ﾎｳ]ﾞ|[ﾊ-ﾎ]ﾟ|[ｦ-ｯｱ-ﾝｰ])+")


def _decode(content: bytes, file: str, layout: Layout) -> str:
    """The text; U+FFFD where something is damaged in a text whose encoding is beyond doubt. Raises BadInput."""
    # A NUL is in no text, but in every UTF-16 file ("Unicode text" of Excel) and picture.
    if b"\0" in content:
        raise BadInput(problem("roster.encoding", file))
    # UTF-8 first: Shift_JIS is almost never valid UTF-8, while UTF-8 often passes as Shift_JIS.
    damaged = content.decode("utf-8-sig", "replace")
    if content.startswith(b"\xef\xbb\xbf") or _is_meant(damaged):
        return damaged
    shift_jis, euc = _decoded(content, "cp932"), _decoded(content, "euc_jp")
    if shift_jis is not None and not _STRANGE.search(shift_jis):
        return shift_jis
    if euc is not None and (shift_jis is None or not _is_half_width(shift_jis)):
        return euc
    if shift_jis is not None:
        _check_half_width(shift_jis, file, layout)
        return shift_jis
    damaged = content.decode("cp932", "replace")
    if _is_meant(damaged) and not _STRANGE.search(damaged):
        return damaged
    raise BadInput(problem("roster.encoding", file))


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_meant(damaged: str) -> bool:
    """Whether so much of it reads well that the encoding is right, and the rest is damage."""
    wrong = damaged.count("\ufffd")
    return not wrong or sum(not each.isascii() for each in damaged) - wrong > 3 * wrong


def _is_half_width(text: str) -> bool:
    return not re.search("[繝繧]", text) and all(map(_HALF_WIDTH_KANA.fullmatch, _RUN.findall(text)))


def _check_half_width(text: str, file: str, layout: Layout) -> None:
    """Half-width kana are what offices write in a column of readings, and what wrong encodings make everywhere."""
    records = _csv_records(text, file)
    header = next(records, (1, []))[1]
    expected = [_column(clean(each), layout) in layout.half_width for each in header]
    for line, record in records:
        for at, cell in enumerate(record):
            # Both widths in one cell come of a damaged byte.
            is_expected = at < len(expected) and expected[at] and _is_half_width(cell) and not _KANA.search(cell)
            if _STRANGE.search(cell) and not is_expected:
                raise BadInput(problem("roster.encoding_unsure", file, line))
