"""What the benchmark of an outage makes of its marks."""

from dataclasses import replace

import pytest

from bench.figures import Latency
from bench.sync_figures import Phase, SyncFigures, as_json, in_words, phase, wrong
from bench.trace import Kind, Mark, steps

CALM = Phase(400, Latency(8.0, 20.0), 0, Latency(2.0, 9.0))
BUSY = replace(CALM, key_to_prompt=Latency(10.0, 30.0))
GOOD = SyncFigures(50_000, 300.0, CALM, BUSY, CALM, 500, 0, 0, {"cores": "2"})


def test_a_part_of_a_run_is_read_from_its_marks() -> None:
    marks = [
        Mark(1.0, Kind.PROMPT, "a", "0"),
        Mark(2.0, Kind.KEY, "a"),
        Mark(2.004, Kind.COMMIT, "a"),
        Mark(2.004, Kind.WRITE, "", "0.003"),
        Mark(2.010, Kind.PROMPT, "a", "1"),
    ]
    found = phase(marks)
    assert (found.keys, found.uncommitted, found.write) == (1, 0, Latency(3.0, 3.0))
    assert found.key_to_prompt.p50 == pytest.approx(10.0)


def test_a_call_without_a_key_in_this_part_counts_for_nothing() -> None:
    assert steps([Mark(1.0, Kind.COMMIT, "a"), Mark(1.1, Kind.PROMPT, "a", "0")]) == ()
    with pytest.raises(ValueError, match="nothing"):
        phase([Mark(1.0, Kind.PROMPT, "a", "0")])


def test_ratios_are_against_the_mean_of_before_and_after() -> None:
    assert GOOD.ratio("p50") == pytest.approx(10 / 8)
    assert replace(GOOD, idle=replace(CALM, key_to_prompt=Latency(8.0, 40.0))).ratio("p99") == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("figures", "missed"),
    [
        (GOOD, []),
        (replace(GOOD, seconds=601.0), ["drain"]),
        (replace(GOOD, reports=100_000, seconds=1200.0), []),
        (replace(GOOD, reports=100, seconds=601.0), ["drain"]),
        (replace(GOOD, missing=1), ["missing"]),
        (replace(GOOD, failed=1), ["failed"]),
        (replace(GOOD, drain=replace(CALM, key_to_prompt=Latency(8.0, 51.0))), ["key_to_prompt"]),
        (replace(GOOD, drain=replace(CALM, uncommitted=1)), ["committed"]),
    ],
)
def test_what_is_wrong(figures: SyncFigures, missed: list[str]) -> None:
    assert [each.removeprefix("bench.goal.") for each in wrong(figures)] == missed
    assert as_json(figures)["goals_missed"] == missed
    assert in_words(figures).count("\n") >= 8
