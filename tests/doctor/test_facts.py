"""The facts as they are on a machine of which the test knows what is so."""

import os
import pwd
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.config import Config, read_config
from ivr.doctor.facts import gather, read_registrations, unreadable
from ivr.doctor.judgement import Owned
from ivr.drivers import pbx_settings
from ivr.errors import BadInput, StorageError, problem
from ivr.storage import facts as stored
from ivr.storage.alarms import acknowledge_alarm, raise_alarm
from ivr.storage.backup import check_whole, copy_database
from ivr.storage.database import open_database, open_reader
from ivr.storage.people import list_people
from ivr.systemd import HEARTBEAT
from tests.cases_runner import ROOT
from tests.fakes.ari import SECRET, USER, FakeAsterisk, Reply

NOW = datetime(2026, 11, 4, 3, tzinfo=UTC)


def config_of(folder: Path, url: str, more: str = "", run_as: str = "nobody-here") -> Config:
    (folder / "ari.secret").write_text(SECRET)
    (folder / "ari.secret").chmod(0o600)
    file = folder / "config.yaml"
    file.write_text(
        f"""
centre: {{name: 見本}}
ids: {{check_digit: false}}
numbers: practice
database: kenko-call.db
questionnaire: {ROOT}/questionnaires/daily.yaml
prompts: {ROOT}/prompts
pbx:
  url: {url}
  user: {USER}
  secret_file: ari.secret
  inbound_numbers: ["05000000100"]
  asterisk: {{run_as: {run_as}, log: {folder}}}
slots: {{morning: {{from: "9:00", until: "11:30"}}}}
{more}
""",
        encoding="utf-8",
    )
    return read_config(file)


async def test_a_site_that_runs(made: Path, tmp_path: Path) -> None:
    shutil.copy(made, tmp_path / "kenko-call.db")
    backups = tmp_path / "backups"
    (backups / "kenko-call-20261104-010000").mkdir(parents=True)
    (backups / "kenko-call-20261104-020000.part").mkdir()
    an_hour_ago = (NOW - timedelta(hours=1)).timestamp()
    os.utime(backups / "kenko-call-20261104-010000", (an_hour_ago, an_hour_ago))
    async with FakeAsterisk().serving() as fake:
        fake.answer("GET", "/asterisk/modules", Reply(body=[{"name": "a.so", "status": "Running"}, {"name": "b.so"}]))
        fake.answer("GET", "/applications", Reply(body=[{"name": "kenko"}]))
        fake.answer("GET", "/endpoints/PJSIP", Reply(body=[{"resource": "trunk", "state": "online"}]))
        fake.answer("GET", "/asterisk/logging", Reply(404))
        fake.answer("GET", "/asterisk/config/dynamic/.*", Reply(body=[{"attribute": "allow", "value": "(ulaw)"}]))
        me = pwd.getpwuid(os.getuid()).pw_name
        config = config_of(tmp_path, fake.url, f"backups: {backups}", me)
        async with await open_database(config.database) as database:
            await database.write(stored.set_fact, HEARTBEAT, NOW.isoformat())
            await database.write(raise_alarm, "behind", "", "", NOW)
            await database.write(raise_alarm, "clock", "", "", NOW)
            await database.write(acknowledge_alarm, 2, "花子", NOW)
            found = await gather(config, pbx_settings(config), NOW)
    assert found.pbx
    assert found.pbx.version == "22.10.1+dfsg"
    assert found.pbx.modules == {"a.so"}
    assert found.pbx.objects == {("endpoint", "trunk"): {"allow": "(ulaw)"}}
    assert found.pbx.applications == {"kenko"}
    assert found.pbx.endpoints == {"trunk": "online"}
    assert found.trunks == ("trunk",)
    assert (found.lock_held, found.heartbeat) == (True, NOW)
    assert sorted(found.alarms) == [("behind", False), ("clock", True)]
    assert found.newest_backup == NOW - timedelta(hours=1)
    assert (found.zone_hours, found.database_there, found.database_problems) == (9.0, True, ())
    assert found.sounds.problems == []
    assert found.sounds.files > 100
    assert found.sounds.unreadable == ()
    assert [Path(each).name for each in found.secrets] == ["ari.secret", "kenko-call.db"]
    assert found.secrets[str(tmp_path / "ari.secret")] == Owned(os.getuid(), os.getgid(), 0o600)
    assert found.disks[0].total > found.disks[0].free > 0


async def test_a_site_of_which_nothing_is_there_yet(tmp_path: Path) -> None:
    config = config_of(tmp_path, "http://127.0.0.1:1")
    found = await gather(config, pbx_settings(config), NOW)
    assert found.pbx is None
    assert [each.message for each in found.pbx_problems] == ["pbx.unreachable"]
    assert (found.database_there, found.lock_held, found.heartbeat, found.alarms) == (False, False, None, ())
    assert found.sounds.unreadable is None
    assert (found.backups, found.registrations) == (None, None)
    without = await gather(config, BadInput(problem("config.empty_secret")), NOW)
    assert [each.message for each in without.pbx_problems] == ["config.empty_secret"]


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ("", ["ari.secret"]),
        ('studio: {extension: "701"}', ["ari.secret", "studio.pin"]),
        (
            'studio: {extension: "701", networks: ["192.168.1.0/24"]}',
            ["ari.secret", "studio.pin", "studio.secret"],
        ),
        ("fastagi: {port: 4573, only: true}", []),
        ("watch: {ami_secret_file: ami.secret}", ["ari.secret", "ami.secret"]),
    ],
)
async def test_every_password_is_looked_at(tmp_path: Path, more: str, names: list[str]) -> None:
    config = config_of(tmp_path, "http://127.0.0.1:1", more)
    found = await gather(config, BadInput(problem("config.empty_secret")), NOW)
    assert [Path(each).name for each in found.secrets] == names


@pytest.mark.parametrize(("mode", "closed"), [(0o755, []), (0o700, ["links"])])
def test_the_folder_of_links_must_be_open_to_asterisk(tmp_path: Path, mode: int, closed: list[str]) -> None:
    other = next(each for each in pwd.getpwall() if each.pw_uid not in (0, os.getuid()))
    base = tmp_path
    while base != base.parent:  # pytest's own folders are closed to others; what is asked here is about ours
        if base.stat().st_uid == os.getuid() and base.stat().st_mode & 0o001 == 0:
            base.chmod(base.stat().st_mode | 0o011)
        base = base.parent
    (tmp_path / "a.wav").touch(mode=0o644)
    (tmp_path / "links").mkdir()
    (tmp_path / "links").chmod(mode)
    found = unreadable([tmp_path / "a.wav"], tmp_path / "links", other.pw_name)
    assert found is not None
    assert [Path(each).name for each in found] == closed


async def test_a_damaged_database(tmp_path: Path) -> None:
    config = config_of(tmp_path, "http://127.0.0.1:1")
    config.database.write_bytes(b"no database" * 1000)
    found = await gather(config, pbx_settings(config), NOW)
    assert [each.message for each in found.database_problems] == ["storage.damaged"]


def test_the_table_of_registrations() -> None:
    said = """
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 east/sip:sip.example.jp:5060                             east                        Registered        (exp. 3512s)
 west/sip:198.51.100.1:5060                               west                        Unregistered      (exp. 1s)

Objects found: 2
"""
    assert read_registrations(said) == {"east": "Registered", "west": "Unregistered"}
    assert read_registrations("No objects found.\n") == {}


async def test_a_copy_made_while_a_service_writes(made: Path, tmp_path: Path) -> None:
    file, copy = Path(shutil.copy(made, tmp_path / "kenko-call.db")), tmp_path / "copy.db"
    async with await open_database(file) as database:
        await database.write(stored.set_fact, "x", "before")
        copy_database(file, copy)
        await database.write(stored.set_fact, "x", "after")
    check_whole(copy)
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == ["copy.db", "kenko-call.db", "kenko-call.db.lock"]
    with open_reader(copy) as reader, open_reader(file) as original:
        assert reader.read(stored.get_fact, "x") == "before"
        assert reader.read(list_people) == original.read(list_people) != ()


@pytest.mark.parametrize("content", [b"", b"no database" * 1000])
def test_what_is_not_whole_is_not_copied(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kenko-call.db").write_bytes(content)
    with pytest.raises(StorageError):
        check_whole(tmp_path / "kenko-call.db")
    if content:
        with pytest.raises(StorageError):
            copy_database(tmp_path / "kenko-call.db", tmp_path / "copy.db")
        assert not (tmp_path / "copy.db").exists()
