"""What commands show to people with rich. A command that draws no table does not import it."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from ivr.messages import text

console = Console()
err_console = Console(stderr=True)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table; `columns` are ids of the catalogue."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(text(column), overflow="fold")  # a number that is cut is no number
    for row in rows:
        table.add_row(*row)
    console.print(table)
