"""The catalogue of everything an operator or staff member reads: Japanese first, English second."""

import os
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import yaml

LANGUAGES = ("ja", "en")


def language_in_force() -> str:
    """`KENKO_LANG` if it names a language of the catalogue, else Japanese."""
    wanted = os.environ.get("KENKO_LANG", "")[:2].lower()
    return wanted if wanted in LANGUAGES else LANGUAGES[0]


Entries = dict[str, dict[str, str]]

#: A message id at the beginning of a line of a file; texts are indented.
_ID = re.compile(rb"^([a-z0-9_.]+):", re.MULTILINE)


def catalogue() -> Entries:
    """Message id -> language -> text with `{blanks}`, of all files of this folder."""
    return {message: entry for file in dict.fromkeys(_files().values()) for message, entry in _entries(file).items()}


def text(message: str, language: str | None = None, /, **values: object) -> str:
    """The message in `language` (default: the one in force), its blanks filled. Raises KeyError for an unknown id."""
    return _entries(_files()[message])[message][language or language_in_force()].format(**values)


@cache
def _files() -> dict[str, str]:
    """Message id -> its file; an id stands in one only. Found without reading YAML: a command needs few of them."""
    found: dict[str, str] = {}
    for name, content in _contents():
        for id in _ID.findall(content):
            if found.setdefault(id.decode(), name) != name:
                raise ValueError(f"{name}: message id given twice: {id.decode()}")
    return found


def _contents() -> Iterator[tuple[str, bytes]]:
    for file in sorted(files(__name__).iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            yield file.name, file.read_bytes()


@cache
def _entries(file: str) -> Entries:
    entries: Entries = yaml.load((files(__name__) / file).read_bytes(), Loader=yaml.CSafeLoader)
    return entries
