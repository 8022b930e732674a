"""`kenko-call person hand-over|take-over`: from one centre to another, whole, once, and to nobody else."""

import json
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from ivr.handover import TAKEN_OVER
from ivr.storage.database import open_reader
from ivr.storage.decisions import decisions_about
from ivr.storage.followups import NewFollowUp, open_follow_up, open_follow_ups
from ivr.storage.people import get_person
from ivr.storage.reports import report_exists, reports_of_day
from ivr.storage.schema_erased import transfers
from ivr.storage.sqlite import connect_writer
from tests.cli.conftest import Command
from tests.storage.records import DAY, HANAKO, NOW, TARO

ID = HANAKO.id


@dataclass(frozen=True)
class Site:
    """A centre, and its commands."""

    folder: Path
    run: Command

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        return self.run(*arguments, "--config", str(self.folder / "config.yaml"))

    def key(self) -> str:
        code, out, _ = self("person", "make-key")
        assert code == 0
        return next(line for line in out.splitlines() if line.startswith("kenko1."))

    def trust(self, name: str, key: str) -> None:
        self._set("partners: []", f'partners: [{{name: "{name}", key: "{key}"}}]')

    def begin(self, at: datetime) -> None:
        """The clock of the practice."""
        (line,) = (
            each for each in (self.folder / "config.yaml").read_text().splitlines() if "practice_clock: " in each
        )
        self._set(line, f"practice_clock: {at:%Y-%m-%dT%H:%M:%S}")

    def _set(self, old: str, new: str) -> None:
        file = self.folder / "config.yaml"
        text = file.read_text()
        assert text.count(old) == 1
        file.write_text(text.replace(old, new))

    def read(self, function: Callable[..., Any], *args: object) -> Any:
        with open_reader(self.folder / "var" / "kenko-call.db") as reader:
            return reader.read(function, *args)


@pytest.fixture
def here(folder: Path, command: Command, day: None) -> Site:
    """A centre with a day: Hanako has reported, and there is an alert and a wish of hers."""
    connection = connect_writer(folder / "var" / "kenko-call.db")
    with connection.begin():
        open_follow_up(connection, NewFollowUp(DAY, "call_wished", ID), NOW)
    connection.close()
    return _site(folder, command)


@pytest.fixture
def there(folder: Path, command: Command, here: Site, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Another centre, with nobody; each has the key of the other."""
    other = tmp_path_factory.mktemp("other")
    for each in ("config.yaml", "questionnaires"):
        source = folder / each
        (shutil.copytree if source.is_dir() else shutil.copy)(source, other / each)
    made = Site(other, command)
    mine, theirs = here.key(), made.key()
    assert mine != theirs
    here.trust("there", theirs)
    made.trust("here", mine)
    return made


def _site(folder: Path, command: Command) -> Site:
    made = Site(folder, command)
    text = (folder / "config.yaml").read_text()
    at = text.index("  key_file:", text.index("\ntransfers:"))
    (folder / "config.yaml").write_text(text[:at] + text[at:].replace("  key_file: ", "  key_file: keys/own.key", 1))
    made.begin(datetime(2025, 1, 6, 12, 0))
    return made


def hand_over(here: Site, file: Path, *more: str) -> tuple[int, str, str]:
    return here("person", "hand-over", ID, "--to", "there", "-o", str(file), "--reason", "転居", "--by", "田中", *more)


def transfer_rows(connection: Connection) -> list[Any]:
    return list(connection.execute(select(transfers)).all())


def test_a_person_goes_over_with_all_that_is_known(here: Site, there: Site, tmp_path: Path) -> None:
    file = tmp_path / "hanako.kenko"
    code, out, _ = hand_over(here, file)
    assert (code, "続きます" in out) == (0, True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = file.read_bytes()
    assert not any(each.encode() in content for each in (HANAKO.name, HANAKO.kana, *HANAKO.numbers, ID, "39.0"))

    code, out, err = there("person", "take-over", str(file), "--by", "鈴木")
    assert (code, err) == (0, "")
    assert "報告 1 件" in out
    assert there.read(get_person, ID) == here.read(get_person, ID) == HANAKO
    # What was reported today stops today's calls there, too.
    assert there.read(report_exists, ID, DAY)
    tasks = {(each.reason, each.person_id) for each in there.read(open_follow_ups)}
    assert tasks == {("call_wished", ID), (TAKEN_OVER, ID)}
    assert all(each.due_at for each in there.read(open_follow_ups))
    (row,) = there.read(transfer_rows)
    assert (row.way, row.person_id, row.centre, row.by) == ("in", ID, "here", "鈴木")
    told = json.loads(row.content)
    (report,) = told["reports"]
    assert [(each["question"], each["value"]) for each in report["answers"]] == [
        ("temperature", "39.0"),
        ("cough", "no"),
    ]
    assert report["id"] == here.read(reports_of_day, DAY)[0].id
    shown = there("person", "export", ID)[1]
    assert '"temperature"' in shown
    assert here.read(transfer_rows)[0].way == "out"
    assert here.read(transfer_rows)[0].id == row.id


def test_whoever_hands_over_drops_nobody(here: Site, there: Site, tmp_path: Path) -> None:
    assert hand_over(here, tmp_path / "one")[0] == 0
    assert here.read(get_person, ID).closing is None
    assert here.read(decisions_about, ID) == ()
    code, out, _ = hand_over(here, tmp_path / "two", "--close")
    assert (code, "終了しました" in out) == (0, True)
    (decision,) = here.read(decisions_about, ID)
    assert (decision.kind, decision.by, decision.reason) == ("close", "田中", "there に引き継ぎ: 転居")
    code, _, err = hand_over(here, tmp_path / "three", "--close")
    assert (code, ID in err) == (2, True)
    assert not (tmp_path / "three").exists()
    # A file of somebody who is closed can still be made, and only the closing of this centre stays here.
    assert hand_over(here, tmp_path / "four")[0] == 0
    assert there("person", "take-over", str(tmp_path / "four"))[0] == 0
    assert there.read(get_person, ID).closing is None


def refused(there: Site, file: Path, *more: str) -> str:
    before = there.read(transfer_rows) if (there.folder / "var" / "kenko-call.db").exists() else []
    code, out, err = there("person", "take-over", str(file), *more)
    assert (code, out) == (2, "")
    assert HANAKO.name not in err
    if before:
        assert there.read(transfer_rows) == before
    else:
        assert not (there.folder / "var" / "kenko-call.db").exists() or there.read(transfer_rows) == []
    return err


def test_a_file_counts_once(here: Site, there: Site, tmp_path: Path) -> None:
    hand_over(here, tmp_path / "one")
    hand_over(here, tmp_path / "two")
    assert there("person", "take-over", str(tmp_path / "one"))[0] == 0
    assert "取り込み済み" in refused(there, tmp_path / "one")
    assert "取り込み済み" in refused(there, tmp_path / "one", "--as", "272727")
    assert "すでにこちらの名簿に" in refused(there, tmp_path / "two")
    assert there("person", "take-over", str(tmp_path / "two"), "--as", "272727")[0] == 0
    assert there.read(get_person, "272727").name == HANAKO.name


def test_a_file_that_was_changed_or_is_none_is_refused(here: Site, there: Site, tmp_path: Path) -> None:
    file = tmp_path / "one"
    hand_over(here, file)
    content = file.read_text()
    told = json.loads(content)
    sealed = told["sealed"]
    file.write_text(json.dumps(told | {"sealed": sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]}))
    assert "署名と合いません" in refused(there, file)
    for wrong in (content[: len(content) // 2], "", "id,name\n1,2\n"):
        file.write_text(wrong)
        assert "引き継ぎのファイルではない" in refused(there, file)
    file.write_text(content)
    assert there("person", "take-over", str(file))[0] == 0


def test_a_file_for_somebody_else_or_of_somebody_unknown_is_refused(here: Site, there: Site, tmp_path: Path) -> None:
    hand_over(here, tmp_path / "one")
    assert "別の保健所あて" in refused(here, tmp_path / "one")
    (there.folder / "config.yaml").write_text(
        (there.folder / "config.yaml").read_text().replace("partners: [{", "x: [{")
    )
    text = (there.folder / "config.yaml").read_text()
    start = text.index("  x: [{")
    (there.folder / "config.yaml").write_text(text[:start] + text[text.index("\n", start) + 1 :])
    assert "知らない送り手" in refused(there, tmp_path / "one")


def test_a_file_is_good_for_some_days(here: Site, there: Site, tmp_path: Path) -> None:
    hand_over(here, tmp_path / "one")
    there.begin(datetime(2025, 1, 13, 12, 0, 1))
    assert "有効期限" in refused(there, tmp_path / "one")
    there.begin(datetime(2025, 1, 13, 11, 59))
    assert there("person", "take-over", str(tmp_path / "one"))[0] == 0


def test_the_rules_of_the_other_centre_hold_there(here: Site, there: Site, tmp_path: Path) -> None:
    hand_over(here, tmp_path / "one")
    text = (there.folder / "config.yaml").read_text()
    assert "  morning:" in text
    (there.folder / "config.yaml").write_text(text.replace("  morning:", "  forenoon:"))
    assert "forenoon" in refused(there, tmp_path / "one")
    assert there("person", "take-over", str(tmp_path / "one"), "--slot", "forenoon")[0] == 0
    assert there.read(get_person, ID).slots == ("forenoon",)


def test_an_id_that_was_erased_there_is_not_used_again(here: Site, there: Site, tmp_path: Path) -> None:
    hand_over(here, tmp_path / "one")
    hand_over(here, tmp_path / "two")
    assert there("person", "take-over", str(tmp_path / "one"))[0] == 0
    assert there("people", "close", ID, "--reason", "終了")[0] == 0
    assert there("person", "erase", ID, "--reason", "申し出", "--yes")[0] == 0
    assert "二度と使えません" in refused(there, tmp_path / "two")


def test_a_key_that_others_can_read_is_refused(here: Site, there: Site, tmp_path: Path) -> None:
    key = here.folder / "keys" / "own.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.chmod(0o640)
    code, _, err = hand_over(here, tmp_path / "one")
    assert (code, "600" in err) == (2, True)
    key.unlink()
    code, _, err = hand_over(here, tmp_path / "one")
    assert (code, "make-key" in err) == (2, True)


def test_make_key_keeps_the_key_and_shows_the_digits_of_all(here: Site, there: Site) -> None:
    first = here("person", "make-key")
    assert first == here("person", "make-key")
    theirs = there("person", "make-key")[1]
    digits = next(line for line in theirs.splitlines() if "there" not in line and "電話" in line).rsplit(": ", 1)[-1]
    assert f"there の確認番号: {digits}" in first[1]
    assert "secret" not in first[1]


@pytest.mark.parametrize("to", ["nobody", ""])
def test_only_a_partner_can_be_handed_to(here: Site, there: Site, tmp_path: Path, to: str) -> None:
    code, _, err = here("person", "hand-over", ID, "--to", to, "-o", str(tmp_path / "one"), "--reason", "転居")
    assert (code, "there" in err) == (2, True)
    assert not (tmp_path / "one").exists()


def test_nothing_of_the_household_goes_along(here: Site, there: Site, tmp_path: Path) -> None:
    assert hand_over(here, tmp_path / "one")[0] == 0
    assert there("person", "take-over", str(tmp_path / "one"))[0] == 0
    content = there.read(transfer_rows)[0].content
    assert TARO.id not in content
    assert TARO.name not in content


def test_a_person_comes_back_under_the_same_id(here: Site, there: Site, tmp_path: Path) -> None:
    assert hand_over(here, tmp_path / "one", "--close")[0] == 0
    assert there("person", "take-over", str(tmp_path / "one"))[0] == 0
    back = ("person", "hand-over", ID, "--to", "here", "-o", str(tmp_path / "back"), "--reason", "転居")
    assert there(*back)[0] == 0
    code, out, _ = here("person", "take-over", str(tmp_path / "back"))
    assert (code, "報告 0 件" in out) == (0, True)  # those that she brings are ours
    assert here.read(get_person, ID) == HANAKO
    assert [each.kind for each in here.read(decisions_about, ID)] == ["close", "reopen"]
    assert [each.person_id for each in here.read(reports_of_day, DAY)] == [ID]


def test_whoever_is_observed_here_is_not_overwritten(here: Site, there: Site, tmp_path: Path) -> None:
    """A file that comes back while nobody has closed here: two centres call, and staff decide."""
    assert hand_over(here, tmp_path / "one")[0] == 0
    assert there("person", "take-over", str(tmp_path / "one"))[0] == 0
    back = ("person", "hand-over", ID, "--to", "here", "-o", str(tmp_path / "back"), "--reason", "転居")
    assert there(*back)[0] == 0
    assert "すでにこちらの名簿に" in refused(here, tmp_path / "back")
