"""The errors a person may meet, and whose they are. No module below this one may be imported here but messages.

KenkoError
├── BadInput        the operator's or author's: a file or option is wrong; every problem at once; exit code 2
├── PbxError        Asterisk's
│   ├── PbxUnreachable   nothing answers there, or it is still booting
│   ├── PbxRefused       it answered and said no; keeps its own words
│   └── PbxSilent        a request got no reply in time: it may or may not have been carried out
└── StorageError    the database cannot be used
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivr.messages import text


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, where, and (in the message) what is allowed.

    `message` is an id of the catalogue, `values` fill its blanks; one that is a Problem itself is said in the same
    language. `file` and `line` (from 1) may be unknown.
    """

    message: str
    values: dict[str, object]
    file: str | None = None
    line: int | None = None

    def render(self, language: str | None = None) -> str:
        """`file:line: what is wrong`, in the given language or the one in force."""
        where = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        said = text(self.message, language, **{name: _said(each, language) for name, each in self.values.items()})
        return f"{where}: {said}" if where else said


def _said(value: object, language: str | None) -> object:
    return value.render(language) if isinstance(value, Problem) else value


def problem(message: str, file: str | None = None, line: int | None = None, **values: object) -> Problem:
    """Short form of `Problem`, values by name."""
    return Problem(message, values, file, line)


def to_stored(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """As plain data for a row, of which `from_stored` makes problems again, said in the language in force then."""
    return [
        {"message": each.message, "file": each.file, "line": each.line, "values": {**_stored_values(each.values)}}
        for each in problems
    ]


def _stored_values(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: to_stored([each])[0] if isinstance(each, Problem) else str(each) for name, each in values.items()}


def from_stored(stored: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """See `to_stored`."""
    return [
        Problem(
            each["message"],
            {name: from_stored([v])[0] if isinstance(v, dict) else v for name, v in each["values"].items()},
            each["file"],
            each["line"],
        )
        for each in stored
    ]


class KenkoError(Exception):
    """Root of everything we raise on purpose."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems: Sequence[Problem] = problems

    def render(self, language: str | None = None) -> str:
        """All problems, one a line."""
        return "\n".join(each.render(language) for each in self.problems)

    def __str__(self) -> str:
        return self.render()


class BadInput(KenkoError):
    """A file or an option is wrong. Holds every problem found, not the first."""


class PbxError(KenkoError):
    """Something between us and Asterisk went wrong."""


class PbxUnreachable(PbxError):
    """Nothing answers there, or Asterisk is still booting."""


class PbxRefused(PbxError):
    """Asterisk answered and said no.

    `status` is its HTTP status, `reason` its own words.
    """

    def __init__(self, status: int, reason: str, request: str) -> None:
        super().__init__(problem("pbx.refused", status=status, reason=reason, request=request))
        self.status = status
        self.reason = reason


class PbxSilent(PbxError):
    """A request got no reply within its deadline. It may have been carried out: never repeat it blindly."""


class StorageError(KenkoError):
    """The database cannot be used."""
