"""Records of a questionnaire, of one walk through it, and of each step. Pure data, no decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from ivr.digits import EndedBy, KeyRules


class Kind(StrEnum):
    """What a question takes."""

    SAY = "say"  #: a statement; takes nothing
    CHOICE = "choice"  #: one key of several
    YES_NO_UNKNOWN = "yes_no_unknown"  #: 1 yes, 2 no, 3 do not know
    NUMBER = "number"  #: digits, read back and confirmed


@dataclass(frozen=True)
class Times:
    """Seconds to wait for keys; see ivr.digits.KeyRules."""

    first_key: float
    inter_key: float
    total: float


@dataclass(frozen=True)
class NumberRule:
    """How a number is typed and what it may be. 36.5 is typed 365: `decimals` 1."""

    min_digits: int  #: fewer keys than this are not a number
    max_digits: int  #: the entry is complete at so many keys
    decimals: int
    low: Decimal  #: inclusive
    high: Decimal  #: inclusive


@dataclass(frozen=True)
class Question:
    """One question or statement."""

    id: str
    kind: Kind
    ask: tuple[str, ...]  #: prompt ids; of a statement, all that is said
    hint: tuple[str, ...]  #: said before `ask` after a wrong key, for numbers after silence too; may be empty
    times: Times
    tries: int  #: wrong keys and silences together, before the kind way out
    #: Key(s) -> value. For a number: entries that stand for no value at all, such as 5 = no thermometer.
    options: Mapping[str, str]
    number: NumberRule | None = None
    #: Prompt ids of the read-back and how to confirm it; `{keys}` stands for the digits of the value, without leading
    #: zeros (36.5 -> 365, typed 098 -> 98). Empty: nothing is read back. A number only.
    read_back: tuple[str, ...] = ()
    #: Option value -> prompt ids of its read-back; an option that is not here is not read back. A number only.
    read_back_options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """Prompt ids of what surrounds the questions; the same words for every questionnaire of a site."""

    wrong_key: tuple[str, ...]
    silence: tuple[str, ...]  #: "nothing was heard"
    way_out: tuple[str, ...]  #: after the last try: "somebody will call you"; the call then ends
    call_wished: tuple[str, ...]  #: after 0: "somebody will call you; press 1 to go on, 2 to end here"
    call_wished_end: tuple[str, ...]
    resume: tuple[str, ...]  #: "we go on where we stopped"


class Level(StrEnum):
    """How urgent an alert is."""

    EMERGENCY = "emergency"  #: ring at once
    URGENT = "urgent"  #: ring today


@dataclass(frozen=True)
class Condition:
    """One comparison of an answer: equal to one of `values`; or a number within every bound that is given."""

    question: str
    values: tuple[str, ...] = ()
    below: Decimal | None = None  #: fires when the number is smaller
    at_least: Decimal | None = None  #: fires when the number is equal or greater


@dataclass(frozen=True)
class AlertRule:
    """An alert fires when all of `all_of` and at least one of `any_of` (if it has any) hold on the answers so far."""

    id: str
    level: Level
    reason: Mapping[str, str]  #: for staff: language -> text
    any_of: tuple[Condition, ...] = ()
    all_of: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Questionnaire:
    """One version of a questionnaire."""

    id: str
    hash: str  #: SHA-256 of the file's bytes, hex
    title: Mapping[str, str]  #: for staff: language -> text
    language: str  #: of the prompts
    opening: tuple[str, ...]  #: said once, before the first question
    questions: tuple[Question, ...]
    closing: tuple[str, ...]
    alerts: tuple[AlertRule, ...]
    frame: Frame
    file: str = field(default="", compare=False)  #: for messages
    #: Where each place of the file begins (lines from 1), for messages; see ivr.document.
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict, compare=False, repr=False)


# --- one walk ---


@dataclass(frozen=True)
class Answer:
    """One answer. A later answer to the same question replaces an earlier one; the store keeps both."""

    question: str
    value: str  #: canonical: `36.5`, `98`, `yes`, `no_thermometer`


class Phase(StrEnum):
    """What the session waits for."""

    ASKING = "asking"  #: keys in answer to the question
    CONFIRMING = "confirming"  #: right or not, after a read-back
    OFFERING = "offering"  #: go on or end, after 0


class SessionStatus(StrEnum):
    """Where a session stands. WAITING sessions can be resumed on another call."""

    WAITING = "waiting"
    COMPLETED = "completed"  #: every question answered
    ENDED_EARLY = "ended_early"  #: asked for a call and chose to end
    GAVE_UP = "gave_up"  #: no valid key in all tries


class FollowUpReason(StrEnum):
    """Why the engine wants staff to ring."""

    CALL_WISHED = "call_wished"
    COULD_NOT_ENTER = "could_not_enter"


@dataclass(frozen=True)
class Session:
    """One walk of one person through one version of a questionnaire; plain data, survives hang-up and restart."""

    questionnaire: str  #: hash of the version
    question: str  #: id of the open question (the last one when the session is over)
    phase: Phase = Phase.ASKING
    tries: int = 0  #: failed tries at the open question, or (from 0 again) at the confirmation of its value
    corrections: int = 0  #: how often the value of the open question was keyed again
    offer_tries: int = 0  #: failed tries at the offer after 0
    pending: str = ""  #: value waiting for its confirmation
    answers: tuple[Answer, ...] = ()  #: the current answer of each question, in order of first answering
    alerts: tuple[str, ...] = ()  #: ids of the alert rules that have fired
    call_wished: bool = False
    turns: int = 0  #: inputs taken and calls gone on with; see turns.MAX_TURNS
    status: SessionStatus = SessionStatus.WAITING


@dataclass(frozen=True)
class Pressed:
    """Input: keys were pressed."""

    keys: str
    ended_by: EndedBy = EndedBy.FULL


@dataclass(frozen=True)
class Silence:
    """Input: no key in time."""


Input = Pressed | Silence


@dataclass(frozen=True)
class Turn:
    """One step: the session after it, what to store, what to say, what keys may come."""

    session: Session
    say: tuple[str, ...]  #: prompt ids in order
    rules: KeyRules | None  #: None: nothing more is asked, the call ends after `say`
    answered: tuple[Answer, ...] = ()  #: to be stored before anything is said
    alerts: tuple[AlertRule, ...] = ()  #: fired by this step
    follow_ups: tuple[FollowUpReason, ...] = ()  #: wished by this step
