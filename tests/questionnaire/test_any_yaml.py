"""Whatever is written: a questionnaire or messages, never a traceback."""

import random
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.errors import BadInput, Problem
from ivr.questionnaire.checks import check
from ivr.questionnaire.model import Questionnaire
from ivr.questionnaire.parse import parse
from tests.cases_runner import CASES, ROOT

SOURCES = [
    path.read_text(encoding="utf-8")
    for folder in (ROOT / "questionnaires", ROOT / "tests" / "questionnaire" / "broken", CASES)
    for path in sorted(folder.rglob("*.yaml"))
    if path.name not in ("conversations.yaml", "examples.yaml")
]
#: Everything that has a meaning somewhere in a questionnaire, and what looks like it.
WORDS = sorted({word for source in SOURCES for word in source.replace("\n", " ").split(" ") if word})
ODD = [
    *("~", "null", "true", "yes", "0", "-1", "1e9", "1E+99999", ".nan", ".inf", "0x1F", "9:00", "2026-11-25"),
    *(
        "[]",
        "{}",
        "''",
        "&a",
        "*a",
        "<<:",
        "!!python/object:os.system",
        "!!binary",
        "? ",
        "|",
        ">",
        "- -",
        "---",
        "...",
    ),
    *("{keys}", "{value}", "{{", "}", "%", "\u0000", "\u0085", "\u2028", "\ud7ff", "０", "end", "otherwise"),
]

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=True).map(str),
    st.text(max_size=8),
    st.sampled_from(WORDS),
    st.sampled_from(ODD),
)
KEYS = st.sampled_from([
    *("id", "title", "language", "languages", "facts", "questions", "alerts", "kind", "ask", "say", "ask_if", "say_if"),
    *("then", "keys", "any", "all", "how_many", "question", "fact", "is", "below", "at_least", "falls_by", "answered"),
    *("range", "digits", "decimals", "read_back", "alone", "next_call", "times", "tries", "frame", "ja", "en", "1"),
])  # fmt: skip
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=30,
)


def read(source: bytes) -> tuple[Questionnaire | None, list[Problem]]:
    """What the source comes to; every message can be said in both languages."""
    try:
        found = parse(source, "any.yaml")
        problems = check(found, None)
    except BadInput as bad:
        found, problems = None, list(bad.problems)
        assert problems
    for each in problems:
        assert each.render("ja").startswith("any.yaml")
        assert each.render("en").startswith("any.yaml")
    return found, problems


@settings(deadline=None)
@given(st.one_of(st.text(), st.text("abc:-[]{}\"'#&*!|>%@ \n\t01~")))
def test_any_text(source: str) -> None:
    read(source.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(source: bytes) -> None:
    read(source)


@settings(deadline=None)
@given(TREES)
def test_any_tree(tree: Any) -> None:
    read(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass"))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SOURCES),
    st.lists(
        st.tuples(st.sampled_from(["word", "odd", "key", "drop", "twice", "swap", "cut"]), st.integers(0, 2**32)),
        min_size=1,
        max_size=4,
    ),
)
def test_any_slip_of_the_pen(source: str, slips: list[tuple[str, int]]) -> None:
    """A questionnaire that was in order, or nearly, with a few words or lines changed."""
    for slip, seed in slips:
        source = slipped(source, slip, random.Random(seed))
    read(source.encode())


def slipped(source: str, slip: str, chance: random.Random) -> str:
    lines = source.split("\n")
    at = chance.randrange(len(lines))
    match slip:
        case "drop":
            lines.pop(at)
        case "twice":
            lines.insert(at, lines[chance.randrange(len(lines))])
        case "swap":
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case "cut":
            return source[: chance.randrange(len(source) + 1)]
        case _:
            words = lines[at].split(" ")
            new = chance.choice(ODD if slip == "odd" else WORDS)
            words[chance.randrange(len(words))] = new + (":" if slip == "key" else "")
            lines[at] = " ".join(words)
    return "\n".join(lines)
