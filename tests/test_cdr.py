"""Asterisk's call records, read after a crash."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.call import Outcome
from ivr.cdr import Arrived, Place, arrivals_of, not_ours_of, outcomes_of, read_on, read_outcomes
from ivr.handover import PbxRecord


def line(call_id: str, disposition: str) -> str:
    return f'"{call_id}","PJSIP/trunk-1","from-trunk","","s","2026-11-22 22:21:18","","","0","0","{disposition}"'


OUR_NUMBER = "05000000100"


def gone_last_way(call_id: str, caller: str, context: str = "kenko-last-way", dialled: str = "s") -> str:
    """The record of a call that nothing of ours took, as 22.10.1 writes it."""
    times = '"2026-11-22 22:21:18","2026-11-22 22:21:18","2026-11-22 22:21:30","12","12"'
    return f'"{call_id}","PJSIP/trunk-1","{context}","{caller}","{dialled}",{times},"ANSWERED"\n'


def taken(call_id: str, caller: str) -> str:
    """The record of a call that was in our application, or that nobody answered."""
    return gone_last_way(call_id, caller, "kenko-first-way", OUR_NUMBER)


LINES = [
    line("kc-1", "BUSY"),
    line("kc-2", "NO ANSWER"),
    line("kc-3", "ANSWERED"),
    line("kc-4", "CONGESTION"),
    line("kc-5", "FAILED"),
    line("kc-6", "SOMETHING NEW"),
    line("other", "BUSY"),
    "",
    '"half a li',
]


def test_only_our_calls_and_only_what_is_certain() -> None:
    wanted = {f"kc-{each}" for each in range(1, 9)}
    assert outcomes_of(LINES, wanted) == {
        "kc-1": Outcome.BUSY,
        "kc-2": Outcome.NO_ANSWER,
        "kc-4": Outcome.CONGESTION,
        "kc-5": Outcome.FAILED,
    }


def test_a_missing_file_says_nothing(tmp_path: Path) -> None:
    assert read_outcomes(tmp_path / "none.csv", {"kc-1"}) == {}
    (tmp_path / "calls.csv").write_text("\n".join(LINES), encoding="utf-8")
    assert read_outcomes(tmp_path / "calls.csv", {"kc-1"}) == {"kc-1": Outcome.BUSY}
    assert read_outcomes(tmp_path / "calls.csv", set()) == {}


def test_calls_to_us_are_known_by_where_they_went() -> None:
    began = datetime(2025, 11, 25, 12, 0, tzinfo=UTC)
    lines = [
        gone_last_way("1764072000.12", "09000000001"),
        gone_last_way("pbx-2-1764072000.3", ""),
        taken("1764072000.1", "09000000001"),
        gone_last_way("1764072000.2", "09000000002", "kenko-caller"),
        gone_last_way("1764072000.4", "09000000003", "kenko-second-way", OUR_NUMBER),
        # Other people's calls on the same PBX, telephones in the house, numbers that are not ours, calls of ours.
        gone_last_way("1764072000.5", "09000000001", "from-trunk", OUR_NUMBER),
        gone_last_way("1764072000.6", "09000000001", "from-house", OUR_NUMBER),
        gone_last_way("1764072000.7", "09000000001", "kenko-not-ours", "dialled1"),
        gone_last_way("kc-0123456789abcdef", "09000000001"),
        *LINES,
        # What no record of ours looks like.
        *("", "\n", '"', '"a\x00b","c"', gone_last_way("99999999999.1", "x" * 200_000), "kaputt,,kenko-last-way,,"),
    ]
    assert arrivals_of(lines) == [
        Arrived("1764072000.12", "09000000001", began, PbxRecord.LAST_WAY),
        Arrived("pbx-2-1764072000.3", "", began, PbxRecord.LAST_WAY),
        Arrived("1764072000.1", "09000000001", began, PbxRecord.TAKEN),
        Arrived("1764072000.2", "09000000002", began, PbxRecord.TAKEN),
        Arrived("1764072000.4", "09000000003", began, PbxRecord.TAKEN),
    ]


def test_of_several_lines_of_a_call_the_last_one_counts() -> None:
    lines = [taken("1764072000.1", "09000000001"), gone_last_way("1764072000.1", "09000000001")]
    assert [each.record for each in arrivals_of(lines)] == [PbxRecord.LAST_WAY]


def test_a_file_is_read_on_whole_lines_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    assert read_on(file, Place()) == ([], Place())
    file.write_text("half", encoding="utf-8")
    assert read_on(file, Place()) == ([], Place())
    file.write_text("one\ntwo\nthr", encoding="utf-8")
    lines, place = read_on(file, Place())
    assert (lines, place.offset) == (["one", "two"], 8)
    assert read_on(file, place) == ([], place)
    file.write_text("one\ntwo\nthree\n", encoding="utf-8")
    lines, after = read_on(file, Place.read(str(place)))
    assert (lines, after.offset) == (["three"], 14)


def test_a_file_that_was_rotated_is_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "calls.csv"
    file.write_text("one\n", encoding="utf-8")
    _, place = read_on(file, Place())
    file.write_text("one\ntwo\n", encoding="utf-8")
    file.rename(tmp_path / "calls.csv.1")
    lines, between = read_on(file, place)
    assert (lines, between) == (["two"], Place())
    file.write_text("three\n", encoding="utf-8")
    lines, after = read_on(file, place)
    assert (lines, after.offset) == (["two", "three"], 6)


@pytest.mark.parametrize("said", [None, "", "nonsense", "xyz:12", "ab:"])
def test_a_place_that_says_nothing_is_the_beginning(said: str | None) -> None:
    assert Place.read(said) == Place()


def test_calls_to_a_number_that_is_not_ours_and_how_it_was_written() -> None:
    dialled = ["+815000000101", "T", "dialled", "a,1", ""]
    told = [f'"1.{at}","PJSIP/trunk-1","kenko-not-ours","unread","dialled{each}","","","","0","0","NO ANSWER"'
            for at, each in enumerate(dialled)]  # fmt: skip
    assert not_ours_of([*told, gone_last_way("2.1", ""), *LINES]) == dialled


def test_where_a_network_redirects_a_call_of_ours_is_no_call_to_us() -> None:
    """As 22.10.1 writes it of a 301 or 302 with a Contact."""
    channel = "Local/09000039999@from-trunk-00000000;2"
    told = f'"1795994187.3","{channel}","kenko-not-ours","","dialled09000039999","","","","0","0","NO ANSWER"'
    assert not_ours_of([told]) == []
    assert arrivals_of([told]) == []
