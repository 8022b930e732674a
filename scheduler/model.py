"""What people and the network do in a simulation, and people who do not exist. Chance comes in as an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from ivr.call import Outcome
from ivr.person import Person


@dataclass(frozen=True)
class Model:
    """What people and the network do. Parts are from 0 to 1, times in seconds."""

    answered: float = 0.7  #: of the calls
    #: Of the calls that are not answered.
    otherwise: Mapping[Outcome, float] = field(
        default_factory=lambda: {
            Outcome.NO_ANSWER: 0.60,
            Outcome.NO_KEY: 0.15,
            Outcome.BUSY: 0.12,
            Outcome.UNREACHABLE: 0.10,
            Outcome.REJECTED: 0.02,
            Outcome.BAD_NUMBER: 0.01,
        }
    )
    #: How long a call occupies its line: mean by outcome.
    seconds: Mapping[Outcome, float] = field(
        default_factory=lambda: {
            Outcome.ANSWERED: 110.0,
            Outcome.CUT_OFF: 55.0,
            Outcome.NO_ANSWER: 60.0,
            Outcome.NO_KEY: 75.0,
            Outcome.BUSY: 2.0,
            Outcome.UNREACHABLE: 6.0,
            Outcome.REJECTED: 10.0,
            Outcome.REFUSED: 1.0,
            Outcome.BAD_NUMBER: 2.0,
            Outcome.CONGESTION: 1.0,
            Outcome.FAILED: 0.5,
            Outcome.UNKNOWN: 60.0,
        }
    )
    spread: float = 0.35  #: standard deviation of how long calls take, as a part of the mean; 0: all alike
    cut_off: float = 0.03  #: of the answered calls
    faults: float = 0.0  #: of the calls: the network is full, or the call is lost
    crashes: int = 0  #: of the process, at random moments of the day
    reports_in: float = 0.02  #: of the people: report by another way at a random moment of the slot
    #: Person or number -> how their first, second, … call ends, and every one after the last; others by chance.
    scripts: Mapping[str, Sequence[Outcome]] = field(default_factory=dict)
    closed: float = 0.0  #: of the people: staff end the observation at a random moment of the slot


def draw(model: Model, chance: Random, person_id: str = "", nth: int = 1, number: str = "") -> Outcome:
    """How a call ends, the `nth` to this person on the day."""
    if script := model.scripts.get(number) or model.scripts.get(person_id):
        return script[min(nth, len(script)) - 1]
    if model.faults and chance.random() < model.faults:
        return chance.choice((Outcome.CONGESTION, Outcome.CONGESTION, Outcome.FAILED, Outcome.UNKNOWN))
    if chance.random() < model.answered:
        return Outcome.CUT_OFF if chance.random() < model.cut_off else Outcome.ANSWERED
    (outcome,) = chance.choices(list(model.otherwise), list(model.otherwise.values()))
    return outcome


def made_up_people(count: int, slots: Sequence[str], household: int = 10) -> list[Person]:
    """People with fictional numbers; one in `household` shares the telephone of the one before."""
    people = []
    for index in range(count):
        number = f"0900{index - (index % household == household - 1):07}"
        people.append(Person(f"{index:08}", "", "", (number,), (slots[index % len(slots)],)))
    return people
