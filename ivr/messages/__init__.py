"""The catalogue of everything an operator or staff member reads: Japanese first, English second."""

import os
from functools import cache
from importlib.resources import files

import yaml

LANGUAGES = ("ja", "en")


def language_in_force() -> str:
    """`KENKO_LANG` if it names a language of the catalogue, else Japanese."""
    wanted = os.environ.get("KENKO_LANG", "")[:2].lower()
    return wanted if wanted in LANGUAGES else LANGUAGES[0]


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Message id -> language -> text with `{blanks}`, of all files of this folder. An id stands in one file only."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            entries: dict[str, dict[str, str]] = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader) or {}
            twice = found.keys() & entries.keys()
            if twice:
                raise ValueError(f"{file.name}: message ids given twice: {', '.join(sorted(twice))}")
            found |= entries
    return found


def text(message: str, language: str | None = None, /, **values: object) -> str:
    """The message in `language` (default: the one in force), its blanks filled. Raises KeyError for an unknown id."""
    return catalogue()[message][language or language_in_force()].format(**values)
