"""What people do when speech begins or ends, as tables: script and what is heard in, acts out."""

import pytest

from sandbox.listening import Heard
from sandbox.patient import Act, Patient, after_keys, react
from sandbox.script import CallScript, HangUp, When

B, E = Heard.BEGAN, Heard.ENDED


def acts(script: CallScript, heard: str) -> list[str]:
    """Hear a row of B(egan) and E(nded), one a second from 0; what is done in answer, as `moment:keys`."""
    patient, done = Patient(script), []
    for now, each in enumerate(heard):
        patient, act = react(patient, B if each == "B" else E, float(now))
        done += [shown(act)] if act else []
        later = after_keys(patient, now) if act and act.keys else None
        done += [shown(later)] if later else []
    return done


def shown(act: Act) -> str:
    return f"{act.at:.1f}:{act.keys or 'hangs up'}"


@pytest.mark.parametrize(
    ("script", "heard", "done"),
    [
        (CallScript(keys=("1", "365")), "BEBE", ["1.6:1", "3.6:365"]),
        (CallScript(keys=("1",), think=10), "BEBE", ["11.0:1"]),
        (CallScript(keys=("", "2")), "BEBE", ["3.6:2"]),
        (CallScript(keys=("1", "hang_up", "2")), "BEBE", ["1.6:1", "3.6:hangs up"]),
        (CallScript(keys=("1", "2"), barge_in=0.8), "BBE", ["0.8:1", "1.8:2"]),
        (CallScript(keys=("1",), hang_up=HangUp(prompt=2, when=When.WHILE)), "BEB", ["1.6:1", "2.8:hangs up"]),
        (CallScript(keys=("1",), hang_up=HangUp(prompt=2, when=When.AFTER)), "BEBE", ["1.6:1", "3.0:hangs up"]),
        (CallScript(keys=("1", "2"), hang_up=HangUp(prompt=2, when=When.BEFORE)), "BE", ["1.6:1", "1.2:hangs up"]),
        (CallScript(), "BEBEBE", []),
    ],
)
def test_reactions(script: CallScript, heard: str, done: list[str]) -> None:
    assert acts(script, heard) == done


def test_somebody_busy_only_counts() -> None:
    patient, act = react(Patient(CallScript(keys=("1",))), B, 0, busy=True)
    assert (patient.begun, act) == (1, None)
    patient, act = react(patient, E, 1, busy=True)
    assert (patient.begun, patient.answered, act) == (1, 0, None)


def test_hanging_up_before_the_first_prompt() -> None:
    script = CallScript(hang_up=HangUp(prompt=1, when=When.BEFORE))
    act = after_keys(Patient(script), 0)
    assert act
    assert not act.keys
