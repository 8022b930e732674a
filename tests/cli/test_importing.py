"""`people import`: what it says before it does it, what it asks, what it leaves alone, and the way back."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from ivr.call import Outcome
from ivr.roster import COLUMNS
from ivr.storage.calls import Attempt, end_attempt, plan_attempt
from ivr.storage.database import open_reader
from ivr.storage.people import list_people
from ivr.storage.sqlite import connect_writer
from tests.cases_runner import ROOT
from tests.cli.conftest import Command

NOW = datetime(2026, 11, 15, 1, 0, tzinfo=UTC)
FULL = (
    "id,name,kana,number1,number2,slot,own_time,risk,begins,ends,facts,birth_date\n"
    "00123456,見本 花子,ミホン ハナコ,0310000001,09000000001,morning,10:15,high,2026-11-01,2026-11-14,"
    "oximeter=yes,1935-04-05\n"
    "200001,例文 太郎,レイブン タロウ,07000000003,,afternoon,,,,,,\n"
)
REQUIRED = "id,name,kana,number1,slot\n"


@pytest.fixture(autouse=True)
def at_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of every command; and nobody at the keyboard."""
    for module in ("roster", "staff"):
        monkeypatch.setattr(f"ivr.cli.{module}.now_at", lambda config: NOW)
    monkeypatch.setattr("sys.stdin", io.StringIO())


Take = Callable[..., tuple[int, str, str]]


@pytest.fixture
def take(command: Command, folder: Path) -> Take:
    """Imports a text."""

    def take(text: str, *options: str) -> tuple[int, str, str]:
        (folder / "roster.csv").write_text(text, encoding="utf-8")
        return command("people", "import", str(folder / "roster.csv"), *options)

    return take


@pytest.fixture
def full(take: Take) -> None:
    assert take(FULL)[0] == 0


def exported(command: Command) -> str:
    return command("people", "export")[1]


def show(command: Command, id: str = "00123456") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(command("people", "show", id, "--json")[1])
    return found


@pytest.mark.usefixtures("full")
def test_a_column_that_is_not_in_the_file_leaves_what_is_stored(command: Command, take: Take) -> None:
    before = show(command)
    assert take(REQUIRED + "00123456,見本 花子,ミホン ハナコ,0310000001,morning\n")[0] == 0
    assert show(command) == before
    code, _, err = take(REQUIRED + "00123456,見本 花,ミホン ハナ,0310000009,afternoon\n")
    assert (code, "00123456 number1: 0310000001 → 0310000009" in err) == (0, True)
    now = show(command)
    assert (now["name"], now["numbers"]) == ("見本 花", ["0310000009", "09000000001"])
    assert now["slots"] == ["afternoon", "own"]
    kept = ("own_time", "risk", "begins", "ends", "facts", "birth_date", "language", "hours")
    assert [now[each] for each in kept] == [before[each] for each in kept]


@pytest.mark.usefixtures("full")
def test_an_empty_cell_under_a_header_empties_if_somebody_says_yes(
    command: Command, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = FULL.replace(",09000000001,morning,10:15,high", ",,morning,,").replace(",1935-04-05", ",")
    before = exported(command)
    code, out, err = take(empty)
    assert (code, out.strip()) == (2, "")
    for each in ("number2: 09000000001 → （空）", "own_time: 10:15 → （空）", "birth_date: 1935-04-05 → （空）"):
        assert each in err
    assert "1 人の 3 項目が空になります" in err
    assert "--yes" in err
    code, out, _ = take(empty, "--json")
    told = json.loads(out)
    assert (code, told["stored"], told["preview"]["needs_yes"]) == (2, False, True)
    assert [each["column"] for each in told["preview"]["changes"]] == ["number2", "own_time", "risk", "birth_date"]
    assert take(empty, "--dry-run")[0] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert take(empty)[0] == 2
    assert exported(command) == before
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert take(empty)[0] == 0
    assert (show(command)["numbers"], show(command)["birth_date"], show(command)["risk"]) == (
        ["0310000001"],
        None,
        "normal",
    )


@pytest.mark.usefixtures("full")
def test_a_row_may_lack_what_the_record_has_but_not_contradict_it(take: Take) -> None:
    assert take("id,name,kana,number1,slot\n00123456,見本 花子,ミホン ハナコ,0310000001,\n", "--yes")[0] == 0
    code, _, err = take("id,name,kana,number1,slot,ends\n00123456,見本 花子,ミホン ハナコ,0310000001,,2026-10-01\n")
    assert (code, "roster.csv:2: 「ends」が「begins」より前" in err) == (2, True)
    code, _, err = take(REQUIRED + "200002,見本,ミホン,0310000001,\n")
    assert (code, "roster.csv:2: 「slot」と「own_time」の両方が空" in err) == (2, True)


@pytest.mark.usefixtures("full")
def test_an_id_that_is_anothers_but_for_zeros_in_front_is_refused(command: Command, take: Take) -> None:
    row = ",見本 花子,ミホン ハナコ,0310000001,morning\n"
    before = exported(command)
    for id in ("123456", "0123456"):
        code, _, err = take(REQUIRED + id + row)
        assert (code, "roster.csv:2: " in err, f"{id} と先頭の 0 のほかは同じ番号 00123456" in err) == (2, True, True)
    code, _, err = take(REQUIRED + "0300001" + row + "300001" + row)
    assert (code, "roster.csv:3: " in err, "2 行目にもあります" in err) == (2, True, True)
    code, out, _ = take(REQUIRED + "300001" + row + "123456" + row, "--partial", "--json", "--yes")
    assert (code, json.loads(out)["people"], json.loads(out)["refused"][0]["line"]) == (1, 1, 3)
    command("people", "import", "--undo", "--yes")
    command("people", "close", "00123456", "--reason", "回復")
    assert take(REQUIRED + "123456" + row)[0] == 2
    command("person", "erase", "00123456", "--reason", "申し出", "--yes")
    assert take(REQUIRED + "123456" + row)[0] == 2
    assert before.count("\n") == 3


@pytest.mark.usefixtures("full")
def test_a_number_that_comes_to_be_of_several_people_is_named_and_of_several_families_asked(
    command: Command, take: Take
) -> None:
    family = REQUIRED + "200002,見本　次郎,ミホン ジロウ,0310-000-001,morning\n"
    code, _, err = take(family)
    assert (code, "0310000001: 00123456 200002" in err) == (0, True)
    assert "0310000001: 00123456" not in take(family)[2]  # not new any more
    stranger = REQUIRED + "200003,例文 三郎,レイブン サブロウ,0310000001,morning\n"
    code, _, err = take(stranger)
    assert (code, "姓の違う方が同じ電話番号" in err, "0310000001: 00123456 200002 200003" in err) == (2, True, True)
    assert take(stranger, "--yes")[0] == 0
    inside = REQUIRED + "200004,見本,ミホン,0310000044,morning\n200005,例文,レイブン,0310000044,morning\n"
    told = json.loads(take(inside, "--json")[1])["preview"]
    assert told["sharings"] == [{"number": "0310000044", "person_ids": ["200004", "200005"], "is_family": False}]


@pytest.mark.usefixtures("full")
def test_people_who_look_like_others_are_asked_about(take: Take) -> None:
    same_number = REQUIRED + "200009,見本　花子,ミホン ハナコ,09000000001,morning\n"
    code, _, err = take(same_number)
    assert (code, "200009 ≈ 00123456" in err) == (2, True)
    born = "id,name,kana,number1,slot,birth_date\n200010,見本 花子,ミホン ハナコ,0310000077,morning,S10.4.5\n"
    code, _, err = take(born)
    assert (code, "200010 ≈ 00123456" in err) == (2, True)
    another = REQUIRED + "200001,見本 三郎,ミホン サブロウ,07000000003,afternoon\n"
    code, _, err = take(another)
    assert (code, "番号の使い回し" in err) == (2, True)
    married = REQUIRED + "200001,見本 太郎,ミホン タロウ,07000000003,afternoon\n"
    assert take(married)[0] == 0
    code, _, err = take(REQUIRED + "200011,?田 太郎,ヨシダ タロウ,0310000078,afternoon\n")
    assert (code, "書けない文字が失われた" in err) == (2, True)


@pytest.mark.usefixtures("full")
def test_who_would_never_be_rung_is_told(command: Command, take: Take) -> None:
    rows = "id,name,kana,number1,slot,hours_from,hours_until\n200012,見本,ミホン,0310000079,morning,18:00,20:00\n"
    code, _, err = take(rows)
    assert (code, "電話がかかることのない方（1）" in err, "200012" in err) == (0, True, True)


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("birth_date", "2035-04-05", "まだ来ていない日"),
        ("begins", "2062-11-01", "366 日より先"),
        ("ends", "2062-11-01", "1098 日より先"),
        ("number1", "9000000001.0", "小数"),
        ("number1", "9.0E+09", "指数"),
        ("number1", "０９０－００００－０００１（長男）", "文字やメモ"),
        ("number1", "090-0000-0001、0310-000-002", "番号が2つ"),
        ("number1", "090-0000-0001 / 0310-000-002", "番号が2つ"),
        ("number1", "〃", "〃"),
        ("number1", "同上", "〃"),
        ("number1", "#N/A", "エラー"),
        ("id", "123456.0", "小数"),
        ("id", "1.2E+07", "指数"),
        ("name", "あ" * 400, "400 文字"),
        ("name", "あ" * 100_000, "100000 文字"),
    ],
)
def test_what_was_seen_is_named(take: Take, column: str, cell: str, said: str) -> None:
    row = dict.fromkeys(COLUMNS, "") | {
        **{"id": "200001", "name": "見本", "kana": "ミホン", "number1": "0310000001", "slot": "morning"},
        column: cell,
    }
    code, _, err = take(",".join(COLUMNS) + "\n" + ",".join(row.values()) + "\n")
    assert (code, "roster.csv:2: " in err, said in err) == (2, True, True)
    assert len(err) < 400


@pytest.mark.parametrize(
    ("column", "cell", "field", "wanted"),
    [
        ("begins", "2026/11/1 0:00", "begins", "2026-11-01"),
        ("birth_date", "昭和10年4月5日", "birth_date", "1935-04-05"),
        ("birth_date", "S10.4.5", "birth_date", "1935-04-05"),
        ("birth_date", "19350405", "birth_date", "1935-04-05"),
        ("own_time", "10時15分", "own_time", "10:15"),
        ("number1", "\u202a090-0000-0001\u202c", "numbers", ["09000000001"]),
        ("number1", "'09000000001", "numbers", ["09000000001"]),
        ("name", "見\u200b本 花子", "name", "見本 花子"),
        ("name", "カ\u3099ク", "name", "ガク"),
        ("name", "葛\U000e0100城", "name", "葛\U000e0100城"),
        ("name", "\u202e子花本見", "name", "子花本見"),
    ],
)
def test_what_can_only_be_meant_one_way_is_taken(
    command: Command, take: Take, column: str, cell: str, field: str, wanted: object
) -> None:
    row = dict.fromkeys(COLUMNS, "") | {
        **{"id": "200001", "name": "見本", "kana": "ミホン", "number1": "0310000001", "slot": "morning"},
        column: cell,
    }
    assert take(",".join(COLUMNS) + "\n" + ",".join(row.values()) + "\n")[0] == 0
    assert show(command, "200001")[field] == wanted


@pytest.mark.parametrize("name", ["例文 [/] 三郎", "Maria [nee Brown]", "[bold]見本[/bold]", "見本 :smile: 花子"])
def test_a_name_is_text_on_every_screen(command: Command, take: Take, name: str) -> None:
    assert take(FULL + f"200005,{name},マリア,0310000055,,morning,,,,,,\n")[0] == 0
    for arguments in ("people list", "people show 200005", "plan --date tomorrow", "status"):
        code, out, _ = command(*arguments.split())
        assert code in (0, 1)
        assert name in out
        assert "00123456" in out or "show" in arguments


def test_what_moves_the_cursor_is_shown_and_not_done(command: Command, take: Take, folder: Path) -> None:
    """Of a database of older days: no such name comes in any more."""
    assert take(FULL)[0] == 0
    connection = connect_writer(folder / "var" / "kenko-call.db")
    with connection.begin():
        connection.exec_driver_sql("UPDATE people SET name = 'a\x1b[2K\x1b[1A\u202eb\rc' WHERE id = '200001'")
    connection.close()
    out = command("people", "list")[1]
    assert "a·[2K·[1A·b·c" in out
    assert "見本 花子" in out


@pytest.mark.usefixtures("full")
def test_the_reason_of_an_erasure_names_nobody_however_it_is_written(
    command: Command, take: Take, folder: Path
) -> None:
    connection = connect_writer(folder / "var" / "kenko-call.db")
    with connection.begin():
        connection.exec_driver_sql("UPDATE people SET name = '葛\U000e0100\u200b城 花子' WHERE id = '00123456'")
    connection.close()
    command("people", "close", "00123456", "--reason", "回復")
    for reason in ("葛城さんの申し出", "葛\U000e0100城さん", "葛\u200b城", "０３１０－０００－００１の方", "ﾐﾎﾝ ﾊﾅｺ様"):
        assert command("person", "erase", "00123456", "--reason", reason, "--yes")[0] == 2
    assert command("person", "erase", "00123456", "--reason", "申し出", "--yes")[0] == 0


@pytest.mark.usefixtures("full")
def test_the_last_import_is_undone(command: Command, take: Take) -> None:
    before = exported(command)
    changed = (
        FULL.replace("見本 花子", "見本 華子").replace(",10:15,", ",,")
        + "200002,見本,ミホン,0310000011,,morning,,,,,,\n"
    )
    assert take(changed, "--yes")[0] == 0
    assert take(changed)[0] == 0  # changes nothing, and leaves the one before to be undone
    assert exported(command) != before
    assert command("people", "import", "--undo")[0] == 2
    code, out, err = command("people", "import", "--undo", "--yes")
    assert (code, "roster.csv" in err) == (0, True)
    assert "除いた方 1 人、元に戻した方 1 人" in out
    assert exported(command) == before
    code, _, err = command("people", "import", "--undo", "--yes")
    assert (code, "取り消せる取り込みがありません" in err) == (2, True)
    assert command("people", "import")[0] == 2


def ring(folder: Path, id: str, number: str) -> None:
    connection = connect_writer(folder / "var" / "kenko-call.db")
    at = NOW + timedelta(minutes=1)

    def rung(connection: Connection) -> None:
        plan_attempt(connection, Attempt("a-1", id, number, NOW.date(), "morning", at))
        end_attempt(connection, "a-1", Outcome.NO_ANSWER, at)

    with connection.begin():
        rung(connection)
    connection.close()


@pytest.mark.usefixtures("full")
def test_an_import_by_which_somebody_was_rung_is_not_undone(command: Command, take: Take, folder: Path) -> None:
    assert take(REQUIRED + "200002,見本,ミホン,0310000011,morning\n200003,例文,レイブン,0310000012,morning\n")[0] == 0
    before = exported(command)
    ring(folder, "200003", "0310000012")
    code, _, err = command("people", "import", "--undo", "--yes")
    assert (code, "200003" in err, "200002" in err) == (2, True, False)
    assert exported(command) == before


@pytest.mark.usefixtures("full")
def test_an_import_after_which_something_was_changed_is_not_undone(command: Command, take: Take, folder: Path) -> None:
    assert take(FULL.replace("見本 花子", "見本 華子") + "200002,見本,ミホン,0310000011,,morning,,,,,,\n")[0] == 0
    command("people", "close", "200002", "--reason", "回復")
    code, _, err = command("people", "import", "--undo", "--yes")
    assert (code, "もう記録がある" in err, "200002" in err) == (2, True, True)
    connection = connect_writer(folder / "var" / "kenko-call.db")
    with connection.begin():
        connection.exec_driver_sql("UPDATE people SET kana = 'ミホン ハナ' WHERE id = '00123456'")
    connection.close()
    code, _, err = command("people", "import", "--undo", "--yes")
    assert (code, "登録内容が変わった方がいる" in err, "00123456" in err) == (2, True, True)


@pytest.mark.usefixtures("full")
def test_who_was_taken_up_again_by_it_is_closed_again(command: Command, take: Take) -> None:
    command("people", "close", "00123456", "--reason", "回復")
    assert take(FULL.replace("2026-11-01,2026-11-14", "2026-11-16,2026-11-29"))[0] == 0
    assert show(command)["state"] == "called"
    assert command("people", "import", "--undo", "--yes")[0] == 0
    now = show(command)
    assert (now["state"], now["begins"]) == ("closed", "2026-11-01")
    assert [each["kind"] for each in now["decisions"]] == ["close", "reopen", "close"]


def test_two_first_imports_at_once(folder: Path) -> None:
    """Neither finds a database; both end well."""
    code = "import sys; from ivr.cli.commands import run; sys.exit(run(sys.argv[1:]))"
    started = []
    for at in range(2):
        file = folder / f"{at}.csv"
        rows = "".join(f"{at + 2}{each:05},見本,ミホン,0310{at}{each:05},morning\n" for each in range(50))
        file.write_text(REQUIRED + rows, encoding="utf-8")
        arguments = ("people", "import", str(file), "--config", str(folder / "config.yaml"))
        started.append(subprocess.Popen((sys.executable, "-c", code, *arguments), cwd=ROOT, stderr=subprocess.PIPE))
    ended = [(each.communicate()[1].decode(), each.returncode) for each in started]
    assert [returned for _, returned in ended] == [0, 0], ended
    with open_reader(folder / "var" / "kenko-call.db") as reader:
        assert len(reader.read(list_people)) == 100


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["123456", "0123456", "00123456", "200001", "0200001"]),
        st.sampled_from(["見本 花子", "例文 太郎"]),
        st.sampled_from(["0310000001", "0310000002"]),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ROWS, _ROWS)
def test_no_order_of_two_imports_doubles_a_person(
    folder: Path, take: Take, command: Command, one: list[tuple[str, str, str]], other: list[tuple[str, str, str]]
) -> None:
    (folder / "var" / "kenko-call.db").unlink(missing_ok=True)
    for rows in (one, other, one):
        take(
            REQUIRED + "".join(f"{id},{name},ミホン,{number},morning\n" for id, name, number in rows),
            "--partial",
            "--yes",
        )
    if (folder / "var" / "kenko-call.db").exists():
        with open_reader(folder / "var" / "kenko-call.db") as reader:
            ids = [each.id.lstrip("0") for each in reader.read(list_people)]
        assert len(ids) == len(set(ids))
