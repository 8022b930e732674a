"""Records of a questionnaire, of one walk through it, and of each step. Pure data, no decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from ivr.digits import EndedBy, KeyRules
from ivr.questionnaire.outcomes import FollowUpReason as FollowUpReason
from ivr.questionnaire.outcomes import Level as Level
from ivr.questionnaire.outcomes import SessionStatus as SessionStatus


class Kind(StrEnum):
    """What a question takes."""

    SAY = "say"  #: a statement; takes nothing
    CHOICE = "choice"  #: one key of several
    YES_NO_UNKNOWN = "yes_no_unknown"  #: 1 yes, 2 no, 3 do not know
    NUMBER = "number"  #: digits, read back and confirmed
    MULTI = "multi"  #: several keys one after another, then `#`; read back and confirmed
    VOICE_MESSAGE = "voice_message"  #: something spoken, recorded; the answer is the recording's id
    LANGUAGE = "language"  #: one key of several; all that is said from then on is in the language chosen


@dataclass(frozen=True)
class Times:
    """Seconds to wait for keys; see ivr.digits.KeyRules."""

    first_key: float
    inter_key: float
    total: float
    guard: float = 1.0
    bounce: float = 0.3
    pause: float = 1.0  #: of silence before a prompt that follows a key


@dataclass(frozen=True)
class NumberRule:
    """How a number is typed and what it may be. 36.5 is typed 365: `decimals` 1."""

    min_digits: int  #: fewer keys than this are not a number
    max_digits: int  #: the entry is complete at so many keys
    decimals: int
    low: Decimal  #: inclusive
    high: Decimal  #: inclusive
    example: Decimal | None = None  #: what paper shows how to type


@dataclass(frozen=True)
class RecordRules:
    """How something spoken is recorded. `#` ends it too."""

    max_seconds: float  #: the longest recording
    silence_seconds: float  #: so much silence ends it


#: In place of a question's id in `Question.then`: the questions are over.
END = "end"
#: In place of a value in `Question.then`: every answer that is not named there.
OTHERWISE = "otherwise"


@dataclass(frozen=True)
class Condition:
    """One comparison: of the answer to `question`, or of a `fact` of the person (one of the two is given).

    All that is given besides must hold. An answer that is not there matches only `answered=False`.
    """

    question: str = ""
    values: tuple[str, ...] = ()  #: equal to one of these; of a multi, one of those chosen is one of these
    below: Decimal | None = None  #: holds when the number is smaller
    at_least: Decimal | None = None  #: holds when the number is equal or greater
    falls_by: Decimal | None = None  #: holds when the number is at least so much smaller than in the last report
    rises_by: Decimal | None = None  #: holds when the number is at least so much greater than in the last report
    answered: bool | None = None  #: holds when the question was answered (True), or was not (False)
    fact: str = ""


@dataclass(frozen=True)
class When:
    """Holds when all of `all_of` hold and, if there are any `any_of`, at least `how_many` of them. Empty: always."""

    any_of: tuple[Condition, ...] = ()
    all_of: tuple[Condition, ...] = ()
    how_many: int = 1


@dataclass(frozen=True)
class Question:
    """One question or statement."""

    id: str
    kind: Kind
    #: Prompt ids. Of a statement, all that is said; `{temperature}` in it stands for the answer to that question (the
    #: digits of a number without leading zeros, else the value), and it is left out if there is no such answer.
    ask: tuple[str, ...]
    hint: tuple[str, ...]  #: said before `ask` after a wrong key, for numbers after silence too; may be empty
    times: Times
    tries: int  #: wrong keys and silences together, before the kind way out
    #: Key(s) -> value. For a number: entries that stand for no value at all, such as 5 = no thermometer.
    options: Mapping[str, str]
    number: NumberRule | None = None
    #: Prompt ids of the read-back and how to confirm it. Of a number, `{keys}` stands for the digits of the value,
    #: without leading zeros (36.5 -> 365, typed 098 -> 98). Of a multi, an id with `{value}` is said once for each
    #: value chosen. Empty: nothing is read back.
    read_back: tuple[str, ...] = ()
    #: Prompt ids that say which keys there are, after `ask`: only where it is needed, see Questionnaire.legends.
    legend: tuple[str, ...] = ()
    #: Option value -> prompt ids of its read-back; an option that is not here is not read back. Of a number the value
    #: counts when it is confirmed; of a choice at once, until it is answered otherwise.
    read_back_options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    when: When = When()  #: asked or said only when this holds, else passed over
    #: Where an answer leads: value -> question id or END; the key OTHERWISE is every other answer (of a statement:
    #: always). What is not here leads to the question below.
    then: Mapping[str, str] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()  #: values that cannot be chosen together with others. A multi only.
    record: RecordRules | None = None  #: a voice message only


@dataclass(frozen=True)
class Frame:
    """Prompt ids of what surrounds the questions; the same words for every questionnaire of a site."""

    wrong_key: tuple[str, ...]
    silence: tuple[str, ...]  #: "nothing was heard"
    way_out: tuple[str, ...]  #: after the last try: "somebody will call you"; the call then ends
    call_wished: tuple[str, ...]  #: after 0: "somebody will call you; press 1 to go on, 2 to end here"
    call_wished_end: tuple[str, ...]
    resume: tuple[str, ...]  #: "we go on where we stopped"


@dataclass(frozen=True)
class AlertRule:
    """An alert fires when `when` holds on the answers so far; one without conditions never does."""

    id: str
    level: Level
    reason: Mapping[str, str]  #: for staff: language -> text
    when: When = When()


@dataclass(frozen=True)
class Questionnaire:
    """One version of a questionnaire."""

    id: str
    hash: str  #: SHA-256 of the file's bytes, hex
    title: Mapping[str, str]  #: for staff: language -> text
    language: str  #: of the prompts, until another is chosen
    opening: tuple[str, ...]  #: said once, before the first question
    questions: tuple[Question, ...]
    closing: tuple[str, ...]
    alerts: tuple[AlertRule, ...]
    frame: Frame
    languages: tuple[str, ...] = ()  #: all that the prompts exist in, `language` among them
    #: Fact of the person -> its values; the first is taken when nothing (or nothing known here) is said of a person.
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Prompt ids said before the closing when the next call is known; `{next_day}` and `{next_time}` stand for the
    #: prompts that say when.
    next_call: tuple[str, ...] = ()
    next_call_unknown: tuple[str, ...] = ()  #: ... and when it is not
    #: Id of a question, value or fact -> language -> what paper and lists call it, where its prompt is too long.
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    legends: int = 2  #: number of questions of a walk whose legend is said; then only with `*`, or after a failed try
    file: str = field(default="", compare=False)  #: for messages
    #: Where each place of the file begins (lines from 1), for messages; see ivr.document.
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, compare=False, repr=False)


# --- one walk ---


@dataclass(frozen=True)
class NextCall:
    """When the person is called next; next_call.next_call_of makes one."""

    day: str  #: `today`, `tomorrow` or month and day: `1122`
    time: str  #: hours and minutes: `0900`


@dataclass(frozen=True)
class PersonFacts:
    """What is known of a person when a session begins. The session keeps what its questionnaire uses of it."""

    facts: Mapping[str, str] = field(default_factory=dict)  #: such as oximeter -> yes; unknown ones may be left out
    language: str = ""  #: the person's; one that the questionnaire lacks counts for nothing
    last_report: Mapping[str, str] = field(default_factory=dict)  #: question -> value, of the last report before this
    next_call: NextCall | None = None  #: None: not known
    knows: bool = False  #: the person went through this version on an earlier day


@dataclass(frozen=True)
class Answer:
    """One answer. A later answer to the same question replaces an earlier one; the store keeps both."""

    question: str
    #: Canonical: `36.5`, `98`, `yes`, `no_thermometer`; of a multi `cough,fever` in the order of the file; of a voice
    #: message the id of the recording.
    value: str


class Phase(StrEnum):
    """What the session waits for."""

    ASKING = "asking"  #: keys (or a recording) in answer to the question
    CONFIRMING = "confirming"  #: right or not, after a read-back
    OFFERING = "offering"  #: go on or end, after 0


@dataclass(frozen=True)
class Session:
    """One walk of one person through one version of a questionnaire; plain data, survives hang-up and restart."""

    questionnaire: str  #: hash of the version
    question: str  #: id of the open question (the last one when the session is over)
    phase: Phase = Phase.ASKING
    tries: int = 0  #: failed tries at the open question, or (from 0 again) at the confirmation of its value
    corrections: int = 0  #: how often the value of the open question was keyed again
    offer_tries: int = 0  #: failed tries at the offer after 0
    pending: str = ""  #: value waiting for its confirmation (a recording is an answer all the same)
    answers: tuple[Answer, ...] = ()  #: the current answer of each question, in order of answering
    alerts: tuple[str, ...] = ()  #: ids of the alert rules that have fired
    call_wished: bool = False
    turns: int = 0  #: inputs taken and calls gone on with; see turns.MAX_TURNS
    status: SessionStatus = SessionStatus.WAITING
    language: str = ""  #: of everything said in this turn and after it; empty: the questionnaire's
    person: PersonFacts = PersonFacts()
    lead_in: tuple[str, ...] = ()  #: prompt ids of the statements said on the way to the open question
    repeats: int = 0  #: how often in a row something was only said again; see turns.MOST_REPEATS
    unsure: tuple[str, ...] = ()  #: ids of the alert rules that the answer fired which is being confirmed
    heard: tuple[str, ...] = ()  #: ids of the questions that were heard before they were answered (or not)


@dataclass(frozen=True)
class Pressed:
    """Input: keys were pressed."""

    keys: str
    ended_by: EndedBy = EndedBy.FULL
    doubled: str = ""  #: the other reading; see ivr.digits.Entry
    early: bool = False  #: pressed before the prompt was half said: by somebody who knows it, or does not listen


@dataclass(frozen=True)
class Silence:
    """Input: no key in time."""

    too_early: bool = False  #: there were keys, but before there was anything to answer


@dataclass(frozen=True)
class Recorded:
    """Input: something was spoken and stored. Without an id, or shorter than turns.SHORTEST_MESSAGE, it is silence."""

    id: str  #: the driver's, never used twice; empty if nothing could be stored
    seconds: float


Input = Pressed | Silence | Recorded


@dataclass(frozen=True)
class Turn:
    """One step: the session after it, what to store, what to say, what keys may come."""

    session: Session
    say: tuple[str, ...]  #: prompt ids in order
    rules: KeyRules | None  #: None: nothing more is asked, the call ends after `say`
    answered: tuple[Answer, ...] = ()  #: to be stored before anything is said
    alerts: tuple[AlertRule, ...] = ()  #: fired by this step
    withdrawn: tuple[str, ...] = ()  #: ids of the rules that fired before and hold no more: it was answered otherwise
    heed: tuple[AlertRule, ...] = ()  #: fired by answers that stand from this step on: what they ask for is to be done
    follow_ups: tuple[FollowUpReason, ...] = ()  #: wished by this step
    closed: int = 0  #: so many of the prompts of `say` must be heard before a key counts
    #: Record after `say`. A key that counts by `rules`, before or during it, is an input as ever and no recording.
    record: RecordRules | None = None
