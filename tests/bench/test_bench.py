"""What the benchmark makes of what it reads."""

import pytest

from bench.calls import callers, keys_of
from bench.process import Machine, Memory, cpu_of_stat, machine_of_stat, memory_of_rollup
from bench.trace import Kind, Mark, percentile, read_marks, steps, write_marks


def key(at: float, call: str = "a") -> Mark:
    return Mark(at, Kind.KEY, call)


def commit(at: float, call: str = "a") -> Mark:
    return Mark(at, Kind.COMMIT, call)


def prompt(at: float, playback: str, call: str = "a") -> Mark:
    return Mark(at, Kind.PROMPT, call, playback)


def test_a_key_leads_to_the_next_prompt_after_the_commit() -> None:
    found = steps([prompt(1.0, "0"), key(2.0), commit(2.004), prompt(2.010, "1")])
    assert [(round(each.total, 3), each.committed) for each in found if each] == [(10.0, True)]


def test_a_further_sound_of_the_same_list_is_not_the_next_prompt() -> None:
    found = steps([prompt(1.0, "0"), key(2.0), prompt(2.001, "0"), commit(2.004), prompt(2.02, "1"), prompt(3, "1")])
    assert [round(each.total, 3) for each in found if each] == [20.0]


def test_a_prompt_before_the_commit_is_seen() -> None:
    found = steps([prompt(1.0, "0"), key(2.0), prompt(2.010, "1"), commit(2.020)])
    assert [each.committed for each in found if each] == [False]


def test_asterisk_cuts_its_times_to_milliseconds() -> None:
    (found,) = steps([prompt(1.0, "0"), key(2.0), prompt(2.010, "1"), commit(2.0105)])
    assert found is not None
    assert found.committed


def test_a_key_that_leads_to_nothing_is_seen() -> None:
    assert steps([prompt(1.0, "0"), key(2.0), commit(2.004)]) == (None,)
    followed = steps([prompt(1.0, "0"), key(2.0), key(3.0), commit(3.001), prompt(3.002, "1")])
    assert [each is None for each in followed] == [True, False]


def test_calls_are_kept_apart() -> None:
    marks = [
        prompt(1.0, "0"), prompt(1.0, "9", "b"), key(2.0), key(2.001, "b"), prompt(2.002, "8", "b"),
        commit(2.003), prompt(2.004, "1"),
    ]  # fmt: skip
    assert [each and (round(each.total, 3), each.committed) for each in steps(marks)] == [(4.0, True), (1.0, False)]


def test_marks_survive_being_written() -> None:
    marks = [key(1.5), prompt(2.25, "a.1")]
    assert read_marks(write_marks(marks)) == marks


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (0, 1), (0.5, 1)])
def test_percentile(percent: float, value: float) -> None:
    assert percentile(map(float, range(100, 0, -1)), percent) == value


def test_percentile_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_cpu_is_read_past_any_name() -> None:
    fields = "S 1 1 1 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 100"
    assert cpu_of_stat(f"42 (a) name (b) {fields}") == 300


def test_memory_is_read_from_a_rollup() -> None:
    text = "5500-7ff0 ---p 00000000 00:00 0   [rollup]\nRss:   2048 kB\nPss:   1024 kB\nPss_Dirty:  512 kB\n"
    assert memory_of_rollup(text) == Memory(2.0, 1.0)


def test_the_machine_is_read_from_its_first_line() -> None:
    now = machine_of_stat("cpu  100 20 30 400 50 1 2 7 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")
    assert now == Machine(busy=153, stolen=7, total=610)
    assert Machine(203, 17, 710).since(now) == (50.0, 10.0)


def test_everybody_has_an_id_a_number_and_keys_of_their_own() -> None:
    people = callers(0, 81)
    assert len({each.id for each in people}) == len({each.number for each in people}) == 81
    assert len({each.keys for each in people}) == 81
    assert all(len(each.number) == 11 and len(each.id) == 6 for each in people)
    assert set(keys_of(80)) <= set("123")
