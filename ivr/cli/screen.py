"""What commands show to people with rich. A command that draws no table does not import it."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ivr.cli.output import as_text
from ivr.messages import text

# Names come from outside: nothing in them is markup or the code of an emoji.
console = Console(markup=False, emoji=False)
err_console = Console(stderr=True, markup=False, emoji=False)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """A table; `columns` are ids of the catalogue. A cell that is a string is text, whatever stands in it."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(text(column), overflow="fold")  # a number that is cut is no number
    for row in rows:
        table.add_row(*(Text(as_text(each)) if isinstance(each, str) else each for each in row))
    console.print(table)
