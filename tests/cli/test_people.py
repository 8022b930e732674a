"""`kenko-call people`: the roster in and out, who is on it, and what staff decide about them."""

import csv
import getpass
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from ivr.cli.output import operator
from ivr.errors import StorageError, problem
from ivr.person import Person
from ivr.roster import COLUMNS
from ivr.storage.imports import import_part
from ivr.storage.people import Stored
from tests.cases_runner import ROOT
from tests.cli.conftest import Command

SAMPLE = ROOT / "docs" / "people.sample.csv"
#: 10:00 in Japan; the periods of two people of the sample are over.
NOW = datetime(2026, 11, 15, 1, 0, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture(autouse=True)
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of every command."""
    for module in ("roster", "staff"):
        monkeypatch.setattr(f"ivr.cli.{module}.now_at", lambda config: NOW)


@pytest.fixture
def roster(command: Command) -> None:
    """The sample of the documentation is on the roster."""
    code, out, err = command("people", "import", str(SAMPLE))
    assert code == 0
    assert err.startswith("これから取り込みます: 新規 4 人、変更 0 人、変わらない方 0 人\n")
    assert out.startswith("4 人を取り込みました（新規 4、変更 0）。\n")


def show(command: Command, id: str = "00123456") -> dict[str, Any]:
    code, out, _ = command("people", "show", id, "--json")
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.usefixtures("roster")
def test_what_goes_out_comes_in_again(command: Command, folder: Path) -> None:
    for encoding in ("utf-8", "shift_jis"):
        file = folder / f"{encoding}.csv"
        assert command("people", "export", "-o", str(file), "--encoding", encoding)[0] == 0
        assert file.read_bytes().startswith(b"\xef\xbb\xbf") == (encoding == "utf-8")
        found = json.loads(command("people", "import", str(file), "--json")[1])
        assert [found[each] for each in ("people", "added", "changed", "closed", "refused")] == [4, 0, 0, [], []]
        assert (found["stored"], any(found["preview"].values())) == (True, False)
    code, out, err = command("people", "export")
    assert (code, err) == (0, "")
    # The same bytes as in a file: without the mark Excel breaks Japanese.
    assert out.startswith("\ufeff")
    assert next(csv.reader(io.StringIO(out.removeprefix("\ufeff")))) == list(COLUMNS)


@pytest.mark.usefixtures("roster")
def test_a_name_that_shift_jis_lacks_is_told_with_its_line(command: Command, folder: Path) -> None:
    rows = "00123458,例文 𠮷子,レイブン,07000000003,morning\n00123457,見本 Nguyễn,ミホン,07000000004,morning"
    (folder / "one.csv").write_text(f"id,name,kana,number1,slot\n{rows}\n", encoding="utf-8")
    assert command("people", "import", str(folder / "one.csv"), "--yes")[0] == 0
    file = folder / "out.csv"
    code, _, err = command("people", "export", "-o", str(file), "--encoding", "shift_jis")
    assert code == 2
    assert [line.split(": ")[0] for line in err.splitlines()] == [f"{file}:3", f"{file}:4"]
    assert ("00123458" in err, "U+20BB7" in err, "00123457" in err, "U+1EC5" in err) == (True, True, True, True)
    assert not file.exists()
    assert command("people", "export", "-o", str(folder))[0] == 2


def test_one_bad_row_and_nothing_is_taken_but_the_good_ones_if_asked(command: Command, folder: Path) -> None:
    file = folder / "bad.csv"
    file.write_text(SAMPLE.read_text(encoding="utf-8") + "00123460,x\n", encoding="utf-8")
    code, out, err = command("people", "import", str(file))
    assert (code, out) == (2, "")
    assert err.startswith(f"{file}:6: ")
    code, out, err = command("people", "import", str(file), "--partial")
    assert code == 1
    assert out.startswith("4 人を取り込みました（新規 4、変更 0）。\n")
    assert f"\n{file}:6: " in err
    assert "1 行は取り込んでいません" in err
    code, out, _ = command("people", "import", str(file), "--partial", "--json")
    found = json.loads(out)
    assert (code, found["people"], {each["line"] for each in found["refused"]}) == (1, 4, {6})
    assert "number1" in found["refused"][0]["reason"]


def test_partial_with_no_good_row_is_refused(command: Command, folder: Path) -> None:
    file = folder / "bad.csv"
    file.write_text("id,name,kana,number1,slot\n1,x\n", encoding="utf-8")
    assert command("people", "import", str(file), "--partial")[0] == 2


def test_numbers_of_ours_are_refused_in_every_spelling(command: Command, folder: Path) -> None:
    config = folder / "config.yaml"
    text = config.read_text(encoding="utf-8").replace("own_numbers: []", 'own_numbers: ["03-1000-0009"]')
    config.write_text(text, encoding="utf-8")
    file = folder / "own.csv"
    for number in ("0310000009", "０３１０−０００−００９", "0500-0000-100"):
        file.write_text(f"id,name,kana,number1,slot\n123456,見本,ミホン,{number},morning\n", encoding="utf-8")
        code, _, err = command("people", "import", str(file))
        assert code == 2
        assert "自分の番号" in err


@pytest.mark.usefixtures("roster")
def test_the_list_masks_numbers_and_says_who_is_called(command: Command) -> None:
    assert command("people", "close", "00123458", "--reason", "回復")[0] == 0
    code, out, _ = command("people", "list")
    assert code == 0
    assert "00123456" in out
    assert "…001 …001" in out
    assert "0310000001" not in out
    assert "00123458" not in out
    assert "期間終了・未終了処理" in out or datetime(2026, 11, 15).date() > TODAY
    found = json.loads(command("people", "list", "--closed", "--json")[1])["people"]
    assert {each["id"]: each["state"] for each in found}["00123458"] == "closed"
    (own,) = (each for each in found if each["id"] == "00123458")
    assert (own["own_time"], own["slots"], own["hours"]) == ("10:15", ["own"], None)
    assert own["closing"]["reason"] == "回復"
    (last,) = (each for each in found if each["id"] == "00123459")
    assert (last["hours"], last["begins"], last["ends"]) == (["15:00", "20:00"], "2026-11-05", None)


@pytest.mark.usefixtures("roster")
def test_showing_a_person_with_household_and_decisions(command: Command) -> None:
    last = TODAY + timedelta(days=7)
    done = command("people", "pause", "00123456", "--until", str(last), "--reason", "入院", "--by", "担当 一")
    said, tomorrow = done[1].splitlines()
    assert (done[0], said, done[2]) == (0, f"1 人の電話を {last} まで休止します。", "")
    assert "の発信: " in tomorrow
    found = show(command)
    assert (found["state"], found["household"]) == ("paused", ["00123457"])
    assert found["places"] == ["0310000001: 1"]
    assert found["pause"]["until"] == f"{last + timedelta(days=1)}T00:00:00+09:00"
    (decision,) = found["decisions"]
    assert (decision["kind"], decision["by"], decision["reason"]) == ("pause", "担当 一", "入院")
    code, out, _ = command("people", "show", "00123456")
    assert code == 0
    for each in ("見本 花子", "0310000001", "00123457", "oximeter=yes", "入院", "担当 一", "休止"):
        assert each in out
    code, _, err = command("people", "show", "999999")
    assert (code, "999999" in err) == (2, True)


@pytest.mark.usefixtures("roster")
def test_pausing_and_closing_are_taken_back(command: Command) -> None:
    assert command("people", "pause", "00123456", "--until", str(TODAY), "--reason", "入院")[0] == 0
    assert command("people", "resume", "00123456", "--reason", "退院")[0] == 0
    assert command("people", "close", "00123456", "--reason", "回復")[0] == 0
    assert show(command)["state"] == "closed"
    assert command("people", "resume", "00123456", "--reason", "誤り")[0] == 0
    found = show(command)
    assert found["state"] == "period_over"
    assert [each["kind"] for each in found["decisions"]] == ["pause", "resume", "close", "reopen"]
    assert {each["by"] for each in found["decisions"]} == {operator()}


@pytest.mark.usefixtures("roster")
def test_a_decision_that_makes_no_sense_for_one_is_made_for_nobody(command: Command) -> None:
    code, out, err = command("people", "close", "00123456", "999999", "888888", "--reason", "回復")
    assert (code, out) == (2, "")
    assert ["999999" in line for line in err.splitlines()] == [True, False]
    assert show(command)["state"] != "closed"
    assert command("people", "resume", "00123456", "--reason", "退院")[0] == 2


@pytest.mark.usefixtures("roster")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("close", "00123456"), "--reason"),
        (("pause", "00123456", "--reason", "入院"), "--until"),
        (("close", "00123456", "--reason", " "), "--reason"),
        (("close", "00123456", "--reason", "a\nb"), "--reason"),
        (("close", "00123456", "--reason", "回復", "--by", ""), "--by"),
        (("pause", "00123456", "--reason", "入院", "--until", str(TODAY - timedelta(days=1))), "--until"),
        (("pause", "00123456", "--reason", "入院", "--until", str(TODAY + timedelta(days=32))), "31"),
    ],
)
def test_no_decision_without_name_reason_and_end(command: Command, arguments: tuple[str, ...], said: str) -> None:
    code, out, err = command("people", *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert show(command)["decisions"] == []


@pytest.mark.usefixtures("roster")
def test_an_import_says_who_stays_closed(command: Command, folder: Path) -> None:
    command("people", "close", "00123456", "00123457", "--reason", "回復")
    code, out, err = command("people", "import", str(SAMPLE))
    assert code == 1
    assert out.startswith("4 人を取り込みました（新規 0、変更 0）。\n")
    assert "00123456, 00123457" in err
    anew = SAMPLE.read_text(encoding="utf-8").replace(
        "high,2026-11-01,2026-11-14", f"high,{TODAY + timedelta(days=1)},"
    )
    (folder / "anew.csv").write_text(anew, encoding="utf-8")
    code, _, err = command("people", "import", str(folder / "anew.csv"), "--by", "係", "--yes")
    assert (code, err.splitlines()[-1].endswith(": 00123457")) == (1, True)
    last = show(command)["decisions"][-1]
    assert (last["kind"], last["by"]) == ("reopen", "係")
    assert "anew.csv" in last["reason"]


def test_who_typed_it_also_through_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert operator() != getpass.getuser() == "somebody-else"
    monkeypatch.setenv("SUDO_USER", "hanako")
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert operator() == "hanako"
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    assert operator() == "4000000000"


@pytest.mark.usefixtures("roster")
def test_a_large_roster_is_stored_in_parts_and_says_how_far_it_came(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.cli.importing.AT_ONCE", 2)
    monkeypatch.setattr("ivr.cli.importing.GAP_SECONDS", 0)
    found = json.loads(command("people", "import", str(SAMPLE), "--json")[1])
    assert (found["people"], found["changed"]) == (4, 0)
    parts: list[int] = []

    def disk_full(connection: Connection, key: int, people: Sequence[Person], *others: Any) -> Stored:
        parts.append(len(people))
        if len(parts) > 1:
            raise StorageError(problem("storage.locked"))
        return import_part(connection, key, people, *others)

    monkeypatch.setattr("ivr.cli.importing.import_part", disk_full)
    code, out, err = command("people", "import", str(SAMPLE))
    assert (code, out, parts) == (2, "", [2, 2])
    assert "2 人を保存したところで中断" in err
