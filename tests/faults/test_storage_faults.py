"""The storage fails at any moment of a morning: everybody has an end, nobody is rung twice at once, no answer is lost.

Every seventh read or write by default, with the kinds of faults in turn; each of them with each kind in the night
(`scripts/test --long`), on all cores.
"""

import multiprocessing
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

from tests.faults.storage import Fault, Kind
from tests.faults.world import LENGTH_SECONDS, World, alarm_kinds, database_of_all_mornings, unfinished
from tests.night import for_the_night

#: Every so many-th read or write.
STEP = 7
CORES = int(os.environ.get("KENKO_LONG_PROCESSES", os.cpu_count() or 1))
#: Once, and for so long; what lasts is not cancelled each time.
TIMES = {kind: (0.0,) if kind is Kind.CANCELLED else (0.0, 20.0, 75.0) for kind in Kind}
EVERY_FAULT = [(kind, seconds) for kind in Kind for seconds in TIMES[kind]]
#: Nothing fails then.
_SILENT = (Kind.SLOW, Kind.CANCELLED)
#: Who asks for these is told by itself: staff at a keyboard; the border of calls in, before the conversation begins.
_UNTOLD = {"write wish", "write start_call", "read get_call", "read telephone_of", "read people_by_number"}


@cache
def folder() -> Path:
    return Path(tempfile.mkdtemp())


def morning(fault: Fault | None) -> World:
    return World(database_of_all_mornings(folder()), fault).run()


@cache
def undisturbed() -> tuple[dict[str, str], int]:
    """How the morning ends without a fault, and how many reads and writes it has until two minutes before its end."""
    world = morning(None)
    return world.ends(), sum(each < LENGTH_SECONDS - 120 for each in world.storage.at)


def complaints(fault: Fault) -> list[str]:
    """What is wrong after a morning with this fault."""
    world = morning(fault)
    usual, _ = undisturbed()
    ends = world.ends()
    found = [*world.trouble, *unfinished(world)]
    found += [f"{each} was dropped" for each in usual.keys() - ends.keys()]
    found += [f"a caller heard nothing: {each.call_id}" for each in world.callers if not each.said]
    found += [f"a caller was left on the line: {each.call_id}" for each in world.callers if not each.over]
    if len(world.database.pending):
        found.append("something was never written")
    if len(set(world.centre.got)) != len(world.centre.got) and not world.storage.hit:
        found.append("a document was sent twice")
    untold = fault.kind in _SILENT or set(world.storage.hit) <= _UNTOLD
    if not untold and "storage_failed" not in alarm_kinds(world):
        found.append("no alarm")
    return [f"{fault}: {each} ({world.storage.hit[:3]})" for each in found]


def test_without_a_fault_everybody_ends_as_they_should() -> None:
    usual, asked = undisturbed()
    assert usual == {
        "000001": "reported",
        "000002": "reported",
        "000003": "reported",
        "000004": "reported",
        "000005": "reported",
        "000006": "not_reached",
        "000007": "reported",
        "000008": "reported",
        "000009": "call_wished",
        "000010": "reported",
        "000011": "reported",
        "000012": "reported",
    }
    assert asked > 400


@pytest.mark.parametrize("part", range(8))
@pytest.mark.timeout(600)
def test_a_fault_at_every_seventh_read_or_write(part: int) -> None:
    _, asked = undisturbed()
    found = []
    for place, nth in enumerate(range(1 + part * STEP, asked, 8 * STEP)):
        kind, seconds = EVERY_FAULT[(place * 8 + part) % len(EVERY_FAULT)]
        found += complaints(Fault(kind, nth, seconds))
    assert found == []


def _complaints_of(nth: int) -> list[str]:
    return [each for kind, seconds in EVERY_FAULT for each in complaints(Fault(kind, nth, seconds))]


@for_the_night
@pytest.mark.timeout(0)
def test_every_fault_at_every_read_or_write() -> None:
    _, asked = undisturbed()
    with multiprocessing.get_context("spawn").Pool(CORES) as pool:
        found = [each for some in pool.imap_unordered(_complaints_of, range(1, asked)) for each in some]
    assert found == []
