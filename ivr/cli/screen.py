"""What commands show to people with rich. A command that draws no table does not import it."""

from collections.abc import Iterable, Sequence

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ivr.cli.output import as_text
from ivr.messages import text

# Names come from outside: nothing in them is markup or the code of an emoji.
console = Console(markup=False, emoji=False)
err_console = Console(stderr=True, markup=False, emoji=False)


#: Rows of a table with lines around them. A hundred thousand would take rich two minutes.
MOST_DRAWN = 2000


def _print_plain(title: str, columns: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> None:
    """The same as lines with blanks between the columns."""
    cells = [[as_text(str(each)).replace("\n", " ") for each in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    typer.echo(title)
    lines = ("  ".join(_padded(*each) for each in zip(row, widths, strict=True)).rstrip() for row in (columns, *cells))
    typer.echo("\n".join(lines))


def _padded(cell: str, width: int) -> str:
    return cell + " " * (width - (len(cell) if cell.isascii() else cell_len(cell)))


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """A table; `columns` are ids of the catalogue. A cell that is a string is text, whatever stands in it."""
    found = list(rows)
    if len(found) > MOST_DRAWN:
        _print_plain(title, [text(each) for each in columns], found)
        return
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(text(column), overflow="fold")  # a number that is cut is no number
    for row in found:
        table.add_row(*(Text(as_text(each)) if isinstance(each, str) else each for each in row))
    console.print(table)
