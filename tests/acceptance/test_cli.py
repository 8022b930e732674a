"""The command as people run it: what is wrong is one sentence, exit code 2, and nothing has begun."""

import asyncio
import contextlib
import re
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pysqlite3 import dbapi2 as sqlite3

from sandbox.settings import PROMPTS
from tests.acceptance.scene import QUESTIONNAIRE
from tests.cases_runner import PROGRAM
from tests.fakes.ari import SECRET, USER, FakeAsterisk

#: A line of the log; everything else on stderr is for the person who typed the command.
_LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ ")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    sentences: list[str]  #: on stderr, without log lines
    log: list[str]


def write_config(folder: Path, url: str = "http://127.0.0.1:9", **changes: Any) -> Path:
    """A whole and right configuration, but for the changes."""
    folder.mkdir(exist_ok=True)
    (folder / "ari.secret").write_text(SECRET + "\n", encoding="utf-8")
    settings: dict[str, Any] = {
        "centre": {"name": "さくら保健所"},
        "ids": {"check_digit": False},
        "numbers": "practice",
        "database": "var/kenko-call.db",
        "questionnaire": str(QUESTIONNAIRE),
        "prompts": str(PROMPTS),
        "pbx": {"url": url, "user": USER, "secret_file": "ari.secret", "inbound_numbers": ["05000000100"]},
        "slots": {"morning": {"from": "9:00", "until": "11:30"}},
    }
    for part, values in changes.items():
        settings[part] = settings.get(part, {}) | values if isinstance(values, Mapping) else values
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return config


@contextlib.asynccontextmanager
async def started(*arguments: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command, killed at the end of the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        "--lang",
        "en",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def end_of(process: asyncio.subprocess.Process) -> Ended:
    """Wait for it."""
    out, said = await process.communicate()
    lines = said.decode().splitlines()
    assert process.returncode is not None
    return Ended(
        process.returncode,
        out.decode(),
        [each for each in lines if not _LOG_LINE.match(each)],
        [each for each in lines if _LOG_LINE.match(each)],
    )


async def ran(*arguments: str | Path) -> Ended:
    """The command from beginning to end."""
    async with started(*arguments) as process:
        return await end_of(process)


def line_of(file: Path, word: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if word in line)


def is_one_sentence(ended: Ended, sentence: str) -> None:
    assert (ended.code, ended.sentences, ended.out) == (2, [sentence], "")


async def test_no_config(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.yaml"
    is_one_sentence(await ran("run", "--config", missing), f"{missing}: there is no such file; check the path")


async def test_an_unknown_key_is_named_with_its_line_and_what_is_allowed(tmp_path: Path) -> None:
    config = write_config(tmp_path, lines={"totl": 4})
    ended = await ran("run", "--config", config)
    assert ended.code == 2
    (sentence,) = ended.sentences
    assert sentence.startswith(f'{config}:{line_of(config, "totl")}: there is no key "totl"')
    assert "total" in sentence
    assert not (tmp_path / "var").exists()


async def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    config = write_config(tmp_path, lines={"total": 0}, gate={"times": 99}, numbers="mars")
    ended = await ran("run", "--config", config)
    places = [f"{config}:{line_of(config, word)}:" for word in ("numbers:", "total:", "times:")]
    assert ended.code == 2
    assert sorted(each.split(" ")[0] for each in ended.sentences) == sorted(places)


async def test_a_prompt_without_a_recording(tmp_path: Path) -> None:
    prompts = shutil.copytree(PROMPTS, tmp_path / "prompts")
    (prompts / "ja/daily/cough.wav").unlink()
    ended = await ran("run", "--config", write_config(tmp_path, prompts=str(prompts)))
    assert ended.code == 2
    (sentence,) = ended.sentences
    assert sentence.startswith(f"{QUESTIONNAIRE}:{line_of(QUESTIONNAIRE, 'daily/cough')}: ")
    assert "daily/cough" in sentence
    assert not (tmp_path / "var").exists()


async def test_a_recording_that_asterisk_could_not_play(tmp_path: Path) -> None:
    prompts = shutil.copytree(PROMPTS, tmp_path / "prompts")
    broken = prompts / "ja/frame/ready.wav"
    broken.write_bytes(broken.read_bytes()[:20])
    ended = await ran("run", "--config", write_config(tmp_path, prompts=str(prompts)))
    assert ended.code == 2
    assert ended.sentences[0].startswith(f"{broken}: ")


async def test_no_password_file(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    (tmp_path / "ari.secret").unlink()
    ended = await ran("run", "--config", config)
    assert ended.code == 2
    (sentence,) = ended.sentences
    assert sentence.startswith(f"{tmp_path / 'ari.secret'}: the password file cannot be read")
    assert not (tmp_path / "var").exists()


async def test_a_wrong_password(tmp_path: Path) -> None:
    async with FakeAsterisk().serving() as asterisk:
        config = write_config(tmp_path, asterisk.url)
        (tmp_path / "ari.secret").write_text("not-the-secret\n")
        ended = await ran("run", "--config", config)
    is_one_sentence(
        ended,
        f'Asterisk at {asterisk.url} does not accept the password of user "kenko"; '
        "make ari.conf and the configuration agree",
    )
    assert asterisk.requests == []
    assert "not-the-secret" not in "".join(ended.log)


@pytest.mark.parametrize("version", ["20.1.0", "22.9.0", "21.5.0", "GIT-master-1234567"])
async def test_an_asterisk_that_is_too_old(tmp_path: Path, version: str) -> None:
    async with FakeAsterisk(version=version).serving() as asterisk:
        ended = await ran("run", "--config", write_config(tmp_path, asterisk.url))
    is_one_sentence(
        ended, f"this Asterisk ({version}) will not do: 22 LTS from 22.10.1 (or 20 LTS from 20.20.1) is needed"
    )
    assert [each.path for each in asterisk.requests] == ["/asterisk/info"]


@contextlib.asynccontextmanager
async def service(folder: Path, asterisk: FakeAsterisk) -> AsyncIterator[asyncio.subprocess.Process]:
    """A service that has connected."""
    async with started("run", "--config", write_config(folder, asterisk.url)) as process:
        async with asyncio.timeout(30):
            await asterisk.until_seen("GET", "/channels")
        yield process


async def test_a_second_service_on_the_same_database(tmp_path: Path) -> None:
    async with FakeAsterisk().serving() as asterisk, service(tmp_path, asterisk) as first:
        seen = len(asterisk.requests)
        ended = await ran("run", "--config", tmp_path / "config.yaml")
        assert len(asterisk.requests) == seen
        assert first.returncode is None
    database = tmp_path / "var/kenko-call.db"
    is_one_sentence(
        ended, f"{database}: another kenko-call (process {first.pid}) uses this database; end that one first"
    )


async def test_a_second_service_on_the_same_asterisk_ends_the_first(tmp_path: Path) -> None:
    async with FakeAsterisk().serving() as asterisk, service(tmp_path / "one", asterisk) as first:
        asterisk.requests.clear()
        async with service(tmp_path / "two", asterisk):
            ended = await end_of(first)
    is_one_sentence(
        ended,
        'another program took over the Asterisk application "kenko"; check that the service does not run twice',
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    async with FakeAsterisk().serving() as asterisk, service(tmp_path, asterisk) as process:
        process.send_signal(how)
        ended = await end_of(process)
    assert (ended.code, ended.sentences) == (0, [])
    assert ended.log[-1].endswith("action=stopped")
    database = tmp_path / "var/kenko-call.db"
    left = {each.name for each in database.parent.iterdir() if each.name.startswith(f"{database.name}-")}
    assert not left & {f"{database.name}-wal", f"{database.name}-shm"}
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("arguments", [("fly",), ("run", "--fast"), ("status", "--date", "yesterday")])
async def test_a_mistyped_command(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    option = ("--config", str(write_config(tmp_path))) if arguments[0] in ("run", "status") else ()
    ended = await ran(*arguments, *option)
    assert ended.code == 2
    assert len(ended.sentences) == 1
    assert not (tmp_path / "var").exists()


async def test_a_wrong_roster_changes_nothing(tmp_path: Path) -> None:
    roster = tmp_path / "people.csv"
    roster.write_text("id,name,kana,number1,slot\n31000001,見本,ミホン,110,morning\n", encoding="utf-8")
    ended = await ran("people", "import", roster, "--config", write_config(tmp_path))
    assert ended.code == 2
    (sentence,) = ended.sentences
    assert sentence.startswith(f"{roster}:2: ")
    assert not (tmp_path / "var").exists()


@pytest.mark.asterisk
async def test_a_port_of_the_practice_network_that_is_in_use(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        base = taken.getsockname()[1]
        ended = await ran("demo", "--once", "--folder", tmp_path / "demo", "--base-port", str(base - 2))
    is_one_sentence(ended, f"port {base} is in use; choose another --base-port")
