"""Asterisk's call records, read after a crash."""

from pathlib import Path

from ivr.call import Outcome
from ivr.cdr import outcomes_of, read_outcomes


def line(call_id: str, disposition: str) -> str:
    return f'"{call_id}","PJSIP/trunk-1","from-trunk","","s","2026-11-22 22:21:18","","","0","0","{disposition}"'


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
