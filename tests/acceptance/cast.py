"""Everybody whom the morning of test_morning.py rings or who rings in it, and what must come of each."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ivr.call import Outcome
from ivr.conversation import AT_ONCE
from ivr.storage.status import PersonStatus
from sandbox.script import Call, HangUp, Person, When
from sandbox.service import BIRTH_DATE_KEYS
from tests.acceptance.scene import WELL, does, person

ANSWERS_WELL = {"temperature": "36.5", "cough": "no", "breathless": "no"}


@dataclass(frozen=True)
class Case:
    """One person: what they do, and how the day ends."""

    person: Person
    outcomes: str  #: of the attempts, in order
    answers: dict[str, str] = field(default_factory=dict)  #: of the complete report; none: there is none
    follow_ups: dict[str, bool] = field(default_factory=dict)  #: reason -> whether it is still open at the end
    sources: str = "automatic_call"  #: of the complete report
    alerts: tuple[str, ...] = ()
    second_number: str = ""

    @property
    def id(self) -> str:
        """The person's."""
        return self.person.id


@dataclass(frozen=True)
class CallIn:
    """A call to us."""

    name: str
    number: str | None  #: None: withheld
    call: Call
    after: str  #: id of the person on whose state it waits
    when: Callable[[PersonStatus], bool]


def settled(status: PersonStatus) -> bool:
    """Our calls to this person are over for the day."""
    return status.state in ("reported", "follow_up")


def cut_off(status: PersonStatus) -> bool:
    """Our first call to this person broke off."""
    return status.last_outcome is Outcome.CUT_OFF and status.state != "in_call"


def rung(status: PersonStatus) -> bool:
    """We have begun to ring this person."""
    return status.attempts > 0


def in_call(status: PersonStatus) -> bool:
    """We ring or talk."""
    return status.state == "in_call"


def _reported(id: str, number: str, *calls: Call, outcomes: str = "answered", **more: object) -> Case:
    answers = ANSWERS_WELL | dict(more.pop("answers", {}))  # type: ignore[call-overload]
    return Case(person(id, number, *calls), outcomes, answers, **more)  # type: ignore[arg-type]


def _handed_over(id: str, number: str, *calls: Call, outcomes: str, reason: str) -> Case:
    return Case(person(id, number, *calls), outcomes, follow_ups={reason: True})


ANSWERING = [
    _reported("31000001", "06000310001", does("answers", *WELL)),
    _reported("31000002", "07000310002", does("slow", *WELL)),
    _reported("31000003", "08000003103", does("barges_in", *WELL)),
    # Presses as soon as the voice begins: before the value is said, that confirms nothing; when it is said again, it
    # does. The empty entry is the rest of the first read-back.
    _reported("31000010", "08000003110", does("barges_in", "1", "365", "1", "", *WELL[2:], barge_in=0.8)),
    _reported(
        "31000004",
        "09000310004",
        # 99.9 degrees; 36.4 taken back at the read-back; 7 at a yes-no question
        does("answers", "1", "999", "364", "2", "372", "1", "7", "2", "1"),
        answers={"temperature": "37.2", "breathless": "yes"},
    ),
    _reported("31000005", "05000310005", does("answers", "*", "1", "*", "365", "*", "1", "*", "2", "2")),
    _reported("31000006", "0310310006", does("security_phone", *WELL)),
    _reported("31000007", "09000310007", does("answers_late", *WELL)),
    _reported(
        "31000008",
        "09000310008",
        does("answers", "1", "386", *WELL[2:]),
        answers={"temperature": "38.6"},
        alerts=("fever",),
    ),
    # Presses each key twice, and # after everything.
    _reported("31000009", "09000310009", does("answers", "11", "365#", "11", "22#", "22")),
]

TRYING_AGAIN = [
    _reported("31000011", "09000310011", does("busy"), does("answers", *WELL), outcomes="busy answered"),
    _reported("31000012", "09000310012", does("rejects"), does("answers", *WELL), outcomes="rejected answered"),
    _reported("31000013", "09000310013", does("unreachable"), does("answers", *WELL), outcomes="unreachable answered"),
    _reported("31000014", "09000310014", does("silent"), does("answers", *WELL), outcomes="no_key answered"),
    _reported("31000015", "09000310015", does("rings"), does("answers", *WELL), outcomes="no_answer answered"),
    # Two attempts are allowed; a full network uses up none of them.
    _reported(
        "31000016",
        "09000310016",
        does("congestion"),
        does("congestion"),
        does("busy"),
        does("answers", *WELL),
        outcomes="congestion congestion busy answered",
    ),
    _reported(
        "31000017", "09000310017", does("not_in_service"), outcomes="bad_number answered", second_number="06000310017"
    ),
]

HANDED_OVER = [
    _handed_over("31000021", "09000310021", does("silent"), outcomes="no_key no_key", reason="not_reached"),
    _handed_over("31000022", "09000310022", does("rings"), outcomes="no_answer no_answer", reason="not_reached"),
    _handed_over("31000023", "09000310023", does("not_in_service"), outcomes="bad_number", reason="bad_number"),
    _handed_over(
        "31000024", "09000310024", does("congestion"), outcomes="congestion congestion congestion", reason="network"
    ),
    _handed_over("31000025", "09000310025", does("voicemail"), outcomes="no_key no_key", reason="not_reached"),
    _handed_over(
        "31000026", "09000310026", does("unreachable"), outcomes="unreachable unreachable", reason="not_reached"
    ),
    _handed_over(
        "31000027",
        "09000310027",
        does("answers", "1", "365", "1", "hang_up"),
        does("answers", "1", "hang_up"),
        outcomes="cut_off cut_off",
        reason="broke_off",
    ),
    # A telephone with a cord, which may send no tones: a mobile one sends them.
    _handed_over("31000028", "0310310028", does("silent"), outcomes="no_key no_key", reason="no_tones"),
]

#: Keys before prompt 1, 2, … and what is left to press on the next call after them.
_BEFORE = ((), ("1",), ("1", "365"), ("1", "365", "1"), ("1", "365", "1", "2"))
_LEFT = (WELL[1:], WELL[1:], WELL[1:], ("2", "2"), ("2",))


def _leaver(index: int, prompt: int, when: When) -> tuple[Case, CallIn | None]:
    """Hangs up before, while or after a prompt speaks, and goes on next time: every third rings us, the others wait."""
    id, number = f"320000{index:02d}", f"090003200{index:02d}"
    leaves = does("answers", *(_BEFORE[prompt - 1] or ("",)), hang_up=HangUp(prompt=prompt, when=when).model_dump())
    goes_on = does("answers", "1", *_LEFT[prompt - 1])
    first = "no_key" if prompt == 1 else "cut_off"
    if prompt == 1 and when is When.AFTER:
        # Listens to all of it, which takes longer than the short prompts do.
        leaves = does("answers", "hang_up", think=AT_ONCE)
    elif prompt == 1:
        first = "no_answer"  # has not even heard what to press
    if prompt == 1 or index % 3:
        return _reported(id, number, leaves, goes_on, outcomes=f"{first} answered"), None
    calls_in = CallIn(f"goes on {index}", number, does("answers", *_LEFT[prompt - 1]), id, cut_off)
    return _reported(id, number, leaves, outcomes=first), calls_in


_LEAVERS = [
    _leaver(index, prompt, when)
    for index, (prompt, when) in enumerate(((prompt, when) for prompt in range(1, 6) for when in When), 1)
]
#: After the last question everything is said: hanging up then costs nothing.
LEAVING = [case for case, _ in _LEAVERS] + [
    _reported("32000020", "09000320020", does("answers", *WELL, hang_up={"prompt": 6, "when": "while"}))
]

HOUSEHOLD = "0310330001"
CALLING_IN = [
    # One telephone, two people: one call is for both, and the first is there; the second only when they ring us.
    _reported("33000001", HOUSEHOLD, does("answers", *WELL[:1], "1", "1", *WELL[1:], "2")),
    Case(
        person("33000002", HOUSEHOLD, does("busy")),
        "no_key busy",
        ANSWERS_WELL | {"temperature": "37.1"},
        {"not_reached": False},
        "health_call",
    ),
    # Not reached, then the report comes after all, from the own number, and from a withheld one.
    Case(
        person("33000003", "09000330003", does("busy")),
        "busy busy",
        ANSWERS_WELL,
        {"not_reached": False},
        "health_call",
    ),
    Case(
        person("33000004", "09000330004", does("rejects")),
        "rejected rejected",
        ANSWERS_WELL,
        # Whoever keys an ID and a birth date may be anybody: the task stays.
        {"not_reached": True},
        "health_call",
    ),
    # Rings us while we ring them.
    Case(person("33000005", "09000330005", does("rings")), "no_answer", ANSWERS_WELL, {}, "health_call"),
]
UNKNOWN_ID = "98765432"
CALLS_IN = [
    *(call for _, call in _LEAVERS if call),
    CallIn("already in", "06000310001", does("answers", ""), "31000001", settled),
    CallIn("household", HOUSEHOLD, does("answers", "2", "1", "371", *WELL[2:], "2"), "33000002", settled),
    CallIn("after all", "09000330003", does("answers", *WELL[1:]), "33000003", settled),
    CallIn("known id", None, does("answers", "33000004", BIRTH_DATE_KEYS, *WELL[1:]), "33000004", settled),
    CallIn("unknown id", None, does("answers", *(UNKNOWN_ID, BIRTH_DATE_KEYS) * 3), "31000001", rung),
    CallIn("no id", None, does("answers", "123#", "1#", "12345#"), "31000001", rung),
    CallIn("meanwhile", "09000330005", does("answers", *WELL[1:]), "33000005", in_call),
]

EVERYBODY = [*ANSWERING, *TRYING_AGAIN, *HANDED_OVER, *LEAVING, *CALLING_IN]
