"""Workbooks of spreadsheets (.xlsx by openpyxl, .ods by its XML): cells as the text that people see in them. Pure.

Spreadsheets turn digits into numbers: what was lost by that (zeros in front) cannot be brought back here, but where a
cell shows its zeros by a number format, it has them.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

from ivr.errors import BadInput, problem

#: A workbook of a hundred thousand people has 60 MB unpacked; one of 1 GB is an attack or an accident.
MOST_UNPACKED = 400 * 1024 * 1024
#: Columns and empty lines beyond these are formatting that reaches to the end of the sheet.
MOST_COLUMNS = 200
_OLD = b"\xd0\xcf\x11\xe0"  #: .xls, or a workbook with a password
_ZEROS = re.compile(r"[0\-]+")


def is_workbook(content: bytes) -> bool:
    """Whether this is a spreadsheet's own file, of whatever kind."""
    return content.startswith((b"PK\x03\x04", _OLD))


def read_workbook(content: bytes, file: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of its only sheet that holds anything. Raises BadInput."""
    if content.startswith(_OLD):
        raise BadInput(problem("workbook.old", file))
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = set(packed.namelist())
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise BadInput(problem("workbook.too_big", file))
            if "xl/workbook.xml" in names:
                sheets = _xlsx_sheets(content, file)
            elif "content.xml" in names:
                sheets = _ods_sheets(packed.read("content.xml"))
            else:
                raise BadInput(problem("workbook.unknown", file))
        yield from _only_one(sheets, file)
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, ValueError, EOFError, OSError, TypeError) as error:
        raise BadInput(problem("workbook.broken", file, reason=type(error).__name__)) from None


Line = tuple[int, list[str]]


def _only_one(sheets: Iterable[tuple[str, Iterator[Line]]], file: str) -> Iterator[Line]:
    used: str | None = None
    for name, lines in sheets:
        for line in lines:
            if used not in (None, name):
                raise BadInput(problem("workbook.sheets", file, first=used, second=name))
            used = name
            yield line


def _xlsx_sheets(content: bytes, file: str) -> Iterator[tuple[str, Iterator[Line]]]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about drawings and validations, which do not matter here
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        formulas = load_workbook(io.BytesIO(content), read_only=True) if _has_formulas(content) else None
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            if formulas is not None:
                _check_results(sheet, formulas[sheet.title], file)
            yield sheet.title, _xlsx_lines(sheet)


def _has_formulas(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheets = [each for each in packed.namelist() if each.startswith("xl/worksheets/") and each.endswith(".xml")]
        return any(re.search(rb"<f[ >/]", packed.read(each)) for each in sheets)


def _check_results(sheet: Any, formulas: Any, file: str) -> None:
    """A formula whose result was not stored would read as an empty cell."""
    formulas.reset_dimensions()
    for line, (values, written) in enumerate(zip(sheet.iter_rows(), formulas.iter_rows(), strict=False), 1):
        for value, formula in zip(values, written, strict=False):
            if formula.value is not None and value.value is None:
                raise BadInput(problem("workbook.no_result", file, line))


def _xlsx_lines(sheet: Any) -> Iterator[Line]:
    for number, row in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS), 1):
        cells = ["" if each.value is None else _written(each.value, each.number_format) for each in row]
        if any(cells):
            yield number, cells


def _written(value: object, form: str = "General") -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    if isinstance(value, timedelta):
        value = (datetime(1900, 1, 1, tzinfo=UTC) + value).time()
    if isinstance(value, time):
        return value.isoformat("minutes") if not value.second else value.isoformat("seconds")
    if isinstance(value, date):
        return value.isoformat()
    return _number(value, form)


def _number(value: object, form: str) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    # Formats such as 00000000 and 000-0000-0000 show zeros that the number has not.
    shown = re.sub(r'[\\" ]|;.*', "", form)
    digits = shown.count("0") if _ZEROS.fullmatch(shown) else 0
    return str(value).zfill(digits) if isinstance(value, int) and value >= 0 else str(value)


_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def _ods_sheets(content: bytes) -> Iterator[tuple[str, Iterator[Line]]]:
    if b"<!ENTITY" in content[:4096]:
        raise ValueError("entities")
    root = ElementTree.fromstring(content)
    for table in root.iter(f"{_TABLE}table"):
        yield table.get(f"{_TABLE}name", ""), _ods_lines(table)


def _ods_lines(table: ElementTree.Element) -> Iterator[Line]:
    number = 1
    for row in table.iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row:
            if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                times = int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
                cells += [_ods_text(cell)] * min(times, MOST_COLUMNS)
        times = int(row.get(f"{_TABLE}number-rows-repeated", "1"))
        cells = _without_empty_end(cells)
        if cells:
            for each in range(times):
                yield number + each, list(cells)
        number += times


def _ods_text(cell: ElementTree.Element) -> str:
    """What is shown, but for days, times and numbers, which each country shows in another way."""
    kind, value = cell.get(f"{_OFFICE}value-type"), cell.get(f"{_OFFICE}value")
    if kind == "date":
        return cell.get(f"{_OFFICE}date-value", "").replace("T", " ")
    if kind == "time":
        found = re.fullmatch(r"PT(\d+)H(\d+)M(\d+)S", cell.get(f"{_OFFICE}time-value", ""))
        return ":".join(found.groups()) if found else ""
    shown = "\n".join("".join(_pieces(each)) for each in cell.findall(f"{_TEXT}p"))
    if kind == "float" and value is not None and not re.fullmatch(r"0[0-9-]*", shown):
        return _number(float(value), "General")
    return shown


def _pieces(element: ElementTree.Element) -> Iterator[str]:
    """The text in it; ElementTree's own `itertext` knows neither blanks nor comments of OpenDocument."""
    yield element.text or ""
    for each in element:
        if each.tag == f"{_TEXT}s":
            yield " " * min(int(each.get(f"{_TEXT}c", "1")), 1000)
        elif each.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            yield "\n" if each.tag.endswith("break") else "\t"
        elif each.tag != f"{_TEXT}ruby-text":
            yield from _pieces(each)
        yield each.tail or ""


def _without_empty_end(cells: Sequence[str]) -> list[str]:
    last = max((at for at, each in enumerate(cells, 1) if each), default=0)
    return list(cells[:last])


def write_workbook(title: str, rows: Iterable[Sequence[str]]) -> bytes:
    """An .xlsx file of one sheet whose every cell is text: no spreadsheet makes a number, a day or a formula of it."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            cell.data_type = "s"
            cell.number_format = "@"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
