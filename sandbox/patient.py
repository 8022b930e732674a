"""What a scripted person does when speech begins or ends: a step function over what they hear. Pure."""

from dataclasses import dataclass, replace

from sandbox.listening import Heard
from sandbox.script import HANG_UP, CallScript, When

#: From the last key to a hang-up before the next prompt is noticed; long enough for the key to arrive.
_AT_ONCE = 0.2
#: From the beginning of speech to a hang-up while it speaks.
_WHILE = 0.8


@dataclass(frozen=True)
class Act:
    """Something a person is about to do."""

    at: float
    keys: str = ""  #: pressed one after another; none: hangs up


@dataclass(frozen=True)
class Patient:
    """One person on one call."""

    script: CallScript
    begun: int = 0  #: prompts that began to speak
    answered: int = 0  #: entries of `keys` that were used up


def react(patient: Patient, heard: Heard, now: float, *, busy: bool = False) -> tuple[Patient, Act | None]:
    """Speech began or ended `now`. Somebody busy with what they meant to do anyway only counts it."""
    if heard is Heard.BEGAN:
        patient = replace(patient, begun=patient.begun + 1)
    if busy:
        return patient, None
    if heard is Heard.BEGAN:
        if _leaves(patient, When.WHILE, patient.begun):
            return patient, Act(now + _WHILE)
        if patient.script.barge_in is not None:
            return _next_entry(patient, now + patient.script.barge_in)
        return patient, None
    if _leaves(patient, When.AFTER, patient.begun):
        return patient, Act(now)
    if patient.script.barge_in is not None:
        return patient, None
    return _next_entry(patient, now + patient.script.think)


def after_keys(patient: Patient, now: float) -> Act | None:
    """All keys of an entry were pressed."""
    return Act(now + _AT_ONCE) if _leaves(patient, When.BEFORE, patient.begun + 1) else None


def _leaves(patient: Patient, when: When, prompt: int) -> bool:
    plan = patient.script.hang_up
    return plan is not None and plan.when is when and plan.prompt == prompt


def _next_entry(patient: Patient, at: float) -> tuple[Patient, Act | None]:
    if patient.answered >= len(patient.script.keys):
        return patient, None
    entry = patient.script.keys[patient.answered]
    patient = replace(patient, answered=patient.answered + 1)
    if entry == HANG_UP:
        return patient, Act(at)
    return patient, Act(at, entry) if entry else None
