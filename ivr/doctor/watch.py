"""What doctor says of the watch on the trunks and of the test call. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.ami.state import DOWN, State
from ivr.doctor.judgement import Light, Line
from ivr.errors import problem
from ivr.selftest import Answer, Verdict

#: Three times what the watch lets pass between two signs of life (ivr.lookout.WRITE_SECONDS).
LONGEST_SILENCE = timedelta(seconds=60)


@dataclass(frozen=True)
class Watched:
    """What the running service last wrote down."""

    at: datetime
    connected: bool
    trunks: Mapping[str, tuple[State, str]]  #: state and detail


def read_watched(said: str | None) -> Watched | None:
    """From the fact; None: nothing was written yet."""
    if not said:
        return None
    given = json.loads(said)
    trunks = {name: (State(each["state"]), str(each["detail"])) for name, each in given["trunks"].items()}
    return Watched(datetime.fromisoformat(given["at"]), bool(given["connected"]), trunks)


def examine_watch(is_on: bool, found: Watched | None, now: datetime) -> Iterator[Line]:
    """A line for each trunk, or why there is none."""
    if not is_on:
        yield Line("watch", Light.YELLOW, problem("doctor.not_watched"))
    elif found is None:
        yield Line("watch", Light.YELLOW, problem("doctor.watch_young"))
    elif now - found.at > LONGEST_SILENCE:
        seconds = round((now - found.at) / timedelta(seconds=1))
        yield Line("watch", Light.YELLOW, problem("doctor.watch_old", seconds=seconds))
    elif not found.connected:
        yield Line("watch", Light.RED, problem("doctor.watch_lost"))
    else:
        for name, (state, detail) in sorted(found.trunks.items()):
            light = Light.RED if state in DOWN else Light.YELLOW if state is State.UNKNOWN else Light.GREEN
            more = f" ({detail})" if detail else ""
            said = problem("doctor.watch_trunk", name=name, state=problem(f"trunk_state.{state}"), detail=more)
            yield Line("watch", light, said)


def examine_call(answer: Answer | None, waited: float) -> Line:
    """Whether a call can be held, from the request to the key."""
    if answer is None:
        return Line("call", Light.RED, problem("doctor.call_unanswered", seconds=round(waited)))
    light = Light.GREEN if answer.verdict is Verdict.HEARD else Light.RED
    seconds = f"{answer.seconds:.1f}"
    return Line("call", light, problem(f"doctor_call.{answer.verdict}", seconds=seconds, note=answer.note or "-"))
