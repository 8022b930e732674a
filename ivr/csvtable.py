"""Tables from CSV files: bytes into trimmed cells with their lines. Knows no column of any table.

UTF-8 (with or without byte order mark) or Shift_JIS as Japanese Excel writes it; CRLF or LF; quotes as usual in CSV.
Lines without content are skipped.
"""

import csv
import io
import unicodedata
from collections.abc import Collection, Iterator

from ivr.errors import BadInput, problem


def lines_of(content: bytes, file: str) -> Iterator[tuple[int, list[str]]]:
    """The line on which each record begins, and its cells trimmed. Raises BadInput where the CSV breaks."""
    reader = csv.reader(io.StringIO(_decode(content, file), newline=""), strict=True)
    line = 1
    try:
        for record in reader:
            row = [each.strip() for each in record]
            if any(row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(problem("roster.broken", file, line, reason=str(error))) from None


def columns_of(
    line: int, row: list[str], file: str, required: Collection[str], allowed: Collection[str]
) -> tuple[str, ...]:
    """The names of the columns, from the first line of a table. Raises BadInput with everything that is wrong."""
    names = tuple(unicodedata.normalize("NFKC", each).lower() for each in row)
    problems = [problem("roster.unknown_column", file, line, column=each) for each in names if each not in allowed]
    problems += [problem("roster.missing_column", file, line, column=each) for each in required if each not in names]
    twice = sorted({each for each in names if names.count(each) > 1})
    problems += [problem("roster.column_twice", file, line, column=each) for each in twice]
    if problems:
        known = problem("roster.columns", file, line, required=", ".join(required), allowed=", ".join(allowed))
        raise BadInput(*problems, known)
    return names


def _decode(content: bytes, file: str) -> str:
    # A NUL is in no text, but in every UTF-16 file ("Unicode text" of Excel), workbook and picture.
    if b"\0" not in content:
        # UTF-8 first: Shift_JIS is almost never valid UTF-8, while UTF-8 often passes as Shift_JIS.
        for encoding in ("utf-8-sig", "cp932"):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                pass
    raise BadInput(problem("roster.encoding", file))
