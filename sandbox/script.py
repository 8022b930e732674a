"""What the people of the practice network do, read from YAML."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ivr.document import Document, Place, read_document, validate
from ivr.errors import BadInput, Problem

HANG_UP = "hang_up"
BEHAVIOURS = Path(__file__).with_name("behaviours.yaml")

#: One entry of `keys`: what is pressed when speech ends; empty: nothing this time. `say_4#`: speaks for 4 s first.
#: `say_4hang_up`: speaks, then hangs up.
Keys = Annotated[str, StringConstraints(pattern=r"^(say_[0-9]{1,2})?([0-9*#]*|hang_up)$")]
#: Only blocks that Japan does not assign, as ivr.numbers has them: nobody can be rung by accident.
Fictional = Annotated[str, StringConstraints(pattern=r"^(0[5679]00[0-9]{7}|0800000[0-9]{4}|0310[0-9]{6})$")]


def spoken_and_pressed(entry: str) -> tuple[int, str]:
    """How many seconds somebody speaks, and what they press (or HANG_UP) after it."""
    found = re.fullmatch(r"(?:say_([0-9]{1,2}))?([0-9*#]*|hang_up)", entry)
    return (int(found[1] or 0), found[2]) if found else (0, entry)


class Does(StrEnum):
    """How a number answers a call at all."""

    ANSWERS = "answers"
    BUSY = "busy"
    RINGS = "rings"  #: until the caller gives up
    NOT_IN_SERVICE = "not_in_service"
    CONGESTION = "congestion"
    REJECTS = "rejects"
    UNREACHABLE = "unreachable"  #: switched off, out of range
    BARRED = "barred"  #: not the person's doing: the carrier takes no calls from us
    SILENT = "silent_network"  #: nothing answers in time, so says the carrier


#: The SIP answer of a number that is not answered by anybody.
SIP_STATUS = {
    Does.BUSY: 486,
    Does.NOT_IN_SERVICE: 404,
    Does.CONGESTION: 503,
    Does.REJECTS: 603,
    Does.UNREACHABLE: 480,
    Does.BARRED: 403,
    Does.SILENT: 408,
}


class When(StrEnum):
    """When somebody hangs up: before, while or after a prompt speaks."""

    BEFORE = "before"
    WHILE = "while"
    AFTER = "after"


class Strict(BaseModel):
    """A mistyped key is an error."""

    # Numbers become text: an answer is compared as it is stored, `36.5`.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class HangUp(Strict):
    """Leaving in the middle."""

    prompt: int = Field(ge=1)  #: counted by beginnings of speech
    when: When = When.AFTER


class CallScript(Strict):
    """What somebody does on one call."""

    does: Does = Does.ANSWERS
    ring: float = Field(default=0.5, ge=0, le=120)  #: seconds before answering
    keys: tuple[Keys, ...] = ()
    think: float = Field(default=0.6, ge=0, le=60)  #: seconds from the end of speech to the first key
    key_pause: float = Field(default=0.18, ge=0.1, le=60)  #: seconds between keys
    barge_in: float | None = Field(default=None, ge=0.1, le=10)  #: seconds after speech began; not: waits for its end
    speaks: float = Field(default=0, ge=0, le=120)  #: seconds of a notice or greeting that plays when it is answered
    hears_meanwhile: bool = True  #: whether anybody can listen while `speaks` plays
    hang_up: HangUp | None = None
    patience: float = Field(default=900, gt=0)  #: seconds after the answer, then hangs up


class Given(Strict):
    """A call as written: a behaviour's name, and what is different."""

    like: str | None = None
    does: Does | None = None
    ring: float | None = None
    keys: tuple[Keys, ...] | None = None
    think: float | None = None
    key_pause: float | None = None
    barge_in: float | None = None
    speaks: float | None = None
    hears_meanwhile: bool | None = None
    hang_up: HangUp | None = None
    patience: float | None = None


class CallIn(Given):
    """A call that somebody makes to us."""

    from_number: Fictional | Literal["withheld"] | None = None  #: not given: the own number
    order: int = 0  #: who calls in first, second, third


class GivenPerson(Strict):
    """One person as written."""

    id: str = Field(pattern=r"^[0-9]{6,8}$")
    name: str = ""
    number: Fictional
    calls: tuple[str | Given, ...] = ("answers",)
    keys: tuple[Keys, ...] = ()  #: for every call that has none of its own
    calls_in: CallIn | None = None
    expect: Literal["reported", "partial", "follow_up", ""] = ""
    answers: dict[str, str] = {}
    note: str = ""


class GivenScenario(Strict):
    """A file of people. `shared` is room for YAML anchors."""

    people: tuple[GivenPerson, ...]
    shared: Any = None


class GivenBehaviours(Strict):
    """behaviours.yaml."""

    behaviours: dict[str, CallScript]


@dataclass(frozen=True)
class Call:
    """One call of a person: which behaviour, and what it comes to."""

    behaviour: str
    script: CallScript


@dataclass(frozen=True)
class Person:
    """Somebody in the practice network."""

    id: str
    name: str
    number: str
    calls: tuple[Call, ...]  #: the last one again for every further call
    calls_in: Call | None = None
    calls_from: str | None = None  #: the number they call in from; None: withheld
    calls_order: int = 0  #: who calls in first, second, third
    expect: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    note: str = ""


def load_behaviours(path: Path = BEHAVIOURS) -> dict[str, CallScript]:
    """The named behaviours. Raises BadInput."""
    return validate(read_document(path), GivenBehaviours).behaviours


def load_people(path: Path, behaviours: dict[str, CallScript] | None = None) -> tuple[Person, ...]:
    """The people of a scenario, in order. Raises BadInput with every problem."""
    document = read_document(path)
    given = validate(document, GivenScenario)
    known = behaviours if behaviours is not None else load_behaviours()
    problems: list[Problem] = []
    people = tuple(_person(each, index, known, document, problems) for index, each in enumerate(given.people))
    problems += _shared_ids(people, document)
    if problems:
        raise BadInput(*problems)
    return people


def _person(
    given: GivenPerson, index: int, known: dict[str, CallScript], document: Document, problems: list[Problem]
) -> Person:
    place: Place = ("people", index)
    calls = tuple(
        _call(Given(like=each) if isinstance(each, str) else each, given.keys, known, document, (*place, "calls", at))
        for at, each in enumerate(given.calls)
    )
    calls_in = _call(given.calls_in, given.keys, known, document, (*place, "calls_in")) if given.calls_in else None
    problems += [each for each in (*calls, calls_in) if isinstance(each, Problem)]
    calling = given.calls_in.from_number if given.calls_in else None
    return Person(
        id=given.id,
        name=given.name,
        number=given.number,
        calls=tuple(each for each in calls if isinstance(each, Call)),
        calls_in=calls_in if isinstance(calls_in, Call) else None,
        calls_from=None if calling == "withheld" else calling or given.number,
        calls_order=given.calls_in.order if given.calls_in else 0,
        expect=given.expect,
        answers=given.answers,
        note=given.note,
    )


def _call(
    given: Given, keys: tuple[str, ...], known: dict[str, CallScript], document: Document, place: Place
) -> Call | Problem:
    like = given.like or "answers"
    if like not in known:
        return document.problem("sandbox.no_behaviour", place, name=like, allowed=", ".join(known))
    base = known[like]
    changes = given.model_dump(exclude_none=True, exclude={"like", "from_number", "order"})
    if not base.keys:
        changes.setdefault("keys", keys)
    return Call(like, CallScript.model_validate(base.model_dump() | changes))


def _shared_ids(people: tuple[Person, ...], document: Document) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for index, each in enumerate(people):
        if each.id in seen:
            problems.append(document.problem("sandbox.id_twice", ("people", index, "id"), id=each.id))
        seen.add(each.id)
    return problems
