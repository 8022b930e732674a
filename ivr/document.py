"""Reads a YAML file into plain data that remembers its lines, and into pydantic models with every problem at once."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import AfterValidator, BaseModel, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from ivr.errors import BadInput, Problem, problem
from ivr.messages import catalogue

#: A place in the data: keys and list indexes from the root.
Place = tuple[str | int, ...]

Model = TypeVar("Model", bound=BaseModel)


def _beside_document(given: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return (folder / given).resolve()


#: Relative paths count from the folder that `validate` is given, which is that of config.yaml.
FilePath = Annotated[Path, AfterValidator(_beside_document)]


class Loader(yaml.CSafeLoader):
    """YAML without its traps: only true and false are truth values (a key named `no` stays text), 9:00 stays text
    (YAML 1.1 reads it as 540), and dates stay text.
    """


_PLAIN = {
    "tag:yaml.org,2002:null": (r"~|null|", ["~", "n", ""]),
    "tag:yaml.org,2002:bool": (r"true|false", ["t", "f"]),
    "tag:yaml.org,2002:int": (r"[-+]?(0|[1-9][0-9]{0,17})", list("-+0123456789")),
    "tag:yaml.org,2002:float": (r"[-+]?[0-9]+\.[0-9]+", list("-+0123456789")),
    "tag:yaml.org,2002:merge": (r"<<", ["<"]),
}
#: Aliases of aliases can make a short file endless: no file of ours has so many places.
_MOST_PLACES = 100_000

Loader.yaml_implicit_resolvers = {}
for _tag, (_pattern, _first) in _PLAIN.items():
    Loader.add_implicit_resolver(_tag, re.compile(rf"^(?:{_pattern})$"), _first)


@dataclass(frozen=True)
class Document:
    """Data of one YAML file, and the line (from 1) on which each place of it begins."""

    file: str
    data: Any
    lines: dict[Place, int]

    def line(self, place: Place) -> int:
        """The line of `place`, or of the nearest place around it that is known."""
        while place:
            # A key such as `5:` is a number to the model, but text where the lines are counted.
            for last in (place[-1], str(place[-1])):
                if (*place[:-1], last) in self.lines:
                    return self.lines[(*place[:-1], last)]
            place = place[:-1]
        return self.lines.get((), 1)

    def problem(self, message: str, place: Place = (), **values: object) -> Problem:
        """A problem at `place` of this file."""
        return problem(message, self.file, self.line(place), **values)


def read_content(path: Path) -> bytes:
    """The bytes of a file. Raises BadInput if it is missing or unreadable."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadInput(problem("file.missing", str(path))) from None
    except OSError as error:
        raise BadInput(problem("file.unreadable", str(path), reason=error.strerror or str(error))) from None


def read_document(path: Path) -> Document:
    """Read `path`. Raises BadInput if it is missing, unreadable, not YAML, or gives a key twice."""
    try:
        source = read_content(path).decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(problem("file.not_utf8", str(path))) from None
    return parse_document(source, str(path))


def parse_document(source: str, file: str) -> Document:
    """Parse YAML text; `file` is only for messages. Raises BadInput as `read_document` does."""
    try:
        loader = Loader(source)
        root = loader.get_single_node()
        if root is None:
            return Document(file, {}, {(): 1})
        lines: dict[Place, int] = {}
        problems: list[Problem] = []
        _walk(root, (), lines, problems, file)
        if problems:
            raise BadInput(*problems)
        return Document(file, loader.construct_document(root), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise BadInput(problem("yaml.broken", file, line, reason=error.problem or str(error))) from None
    except yaml.YAMLError as error:
        raise BadInput(problem("yaml.broken", file, reason=str(error))) from None
    except RecursionError:
        raise BadInput(problem("yaml.broken", file, reason="found an alias inside itself")) from None


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], problems: list[Problem], file: str) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if len(lines) > _MOST_PLACES:
        raise yaml.MarkedYAMLError(problem="found too many aliases", problem_mark=node.start_mark)
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                problems.append(problem("yaml.twice", file, key.start_mark.line + 1, key=name))
            seen.add(name)
            lines[(*place, name)] = key.start_mark.line + 1
            _walk(value, (*place, name), lines, problems, file)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _walk(value, (*place, index), lines, problems, file)


def validate(document: Document, model: type[Model], context: dict[str, Any] | None = None) -> Model:
    """The document's data as `model`. Raises BadInput with every problem, at its line.

    Models should forbid extra keys; an unknown key is answered with the nearest allowed one.
    """
    try:
        return model.model_validate(document.data, context=context)
    except ValidationError as error:
        found = error.errors()
        inside = {each["loc"][:depth] for each in found for depth in range(len(each["loc"]))}
        # A list of one thing that is wrong is not also too short.
        real = [each for each in found if each["type"] != "too_short" or each["loc"] not in inside]
        raise BadInput(*(_as_problem(document, model, each) for each in real)) from None


def _as_problem(document: Document, model: type[BaseModel], found: ErrorDetails) -> Problem:
    # "[key]": the key itself is wrong, not what stands under it.
    place: Place = tuple(part for part in found["loc"] if part != "[key]")
    shown = ".".join(str(part) for part in place)
    match found["type"]:
        case "extra_forbidden":
            allowed = _allowed_keys(model, place[:-1])
            return document.problem(
                "yaml.unknown_key",
                place,
                key=place[-1],
                nearest=did_you_mean(str(place[-1]), allowed),
                allowed=", ".join(allowed),
            )
        case "missing":
            return document.problem("yaml.missing_key", place, path=shown)
        case "model_type" | "dict_type":
            return document.problem("yaml.not_mapping", place)
        case kind:
            allowed_values = _allowed_values(kind, found.get("ctx", {}), found["msg"])
            if isinstance(found["input"], dict):
                return document.problem("yaml.wrong_part", place, path=shown, allowed=allowed_values)
            given = repr(found["input"])
            return document.problem("yaml.wrong_value", place, path=shown, given=given, allowed=allowed_values)


def _allowed_values(kind: str, values: Mapping[str, object], otherwise: str) -> Problem | str:
    if f"allowed.{kind}" not in catalogue():
        return otherwise
    # Bounds as they were written, not as floats; and pydantic joins words in English: 'a', 'b' or 'c'.
    listed = {name: _plain(each) for name, each in values.items()}
    return Problem(f"allowed.{kind}", listed)


def _plain(value: object) -> object:
    if isinstance(value, float):
        return f"{value:g}"
    return value.replace("' or '", "', '") if isinstance(value, str) else value


def written_as(kind: str, form: str) -> AfterValidator:
    """Text of the form of a regular expression; the sentence `allowed.<kind>` says what that is."""
    pattern = re.compile(form)

    def check(given: str) -> str:
        if not pattern.fullmatch(given):
            raise PydanticCustomError(kind, form)
        return given

    return AfterValidator(check)


def did_you_mean(given: str, allowed: list[str]) -> Problem | str:
    """`Did you mean …?` for a misspelt key, or nothing."""
    close = difflib.get_close_matches(given, allowed, n=1)
    return problem("yaml.nearest", key=close[0]) if close else ""


def _allowed_keys(model: type[BaseModel], place: Place) -> list[str]:
    """Names of the fields of the model at `place`, as far as it can be followed."""
    current: Any = model
    for part in place:
        current = _under(current, part)
    return [field.alias or name for name, field in current.model_fields.items()] if _is_model(current) else []


def _under(kind: Any, part: str | int) -> Any:
    """The type of what stands under one key or index of a `kind`."""
    if _is_model(kind):
        fields = kind.model_fields.items()
        kind = next((field.annotation for name, field in fields if part in (name, field.alias)), None)
    else:
        # list[X], tuple[X, ...], dict[str, X]: whatever the key or index is.
        kind = [each for each in get_args(kind) if each is not Ellipsis][-1:]
        kind = kind[0] if kind else None
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = get_args(kind)[0]
    return kind


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
