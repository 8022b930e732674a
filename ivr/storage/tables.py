"""How tables and columns are written in `schema`: one naming, strict types."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, Table, Text, text

from ivr.storage.columns import Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def strict_table(name: str, *parts: Column[object] | CheckConstraint | Index, autoincrement: bool = False) -> Table:
    # STRICT: without it SQLite takes the text "tomorrow" for an integer column.
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_autoincrement=autoincrement)


def text_column(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, Text, nullable=null)


def moment_column(name: str, *, null: bool = False) -> Column[object]:
    return Column(name, Moment, nullable=null)


def reference(name: str, target: str, *, null: bool = False) -> Column[object]:
    return Column(name, Text, ForeignKey(target), nullable=null)


def key_column() -> Column[object]:
    return Column("id", Integer, primary_key=True)


def index_where(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of some rows only.

    PostgreSQL's copy of the condition stands in the migrations, which make the tables. Named here, it would have
    SQLAlchemy import that dialect in every process: 40 ms.
    """
    return Index(name, *columns, unique=unique, sqlite_where=text(where))


def unique_where(name: str, *columns: str, where: str) -> Index:
    return index_where(name, *columns, where=where, unique=True)
