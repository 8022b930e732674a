"""`sync reconcile`: the exact rows, the exit code, sending again, the receiver's list, and what cannot be compared."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ivr.cli import reconcile
from ivr.config import read_config
from ivr.storage.database import open_reader
from ivr.storage.link import close_round
from ivr.storage.outbox import Row, all_rows, take
from ivr.storage.sqlite import connect_writer
from ivr.sync.delivery import Link, Settlement, State
from sandbox.centre import Centre, Fault
from sandbox.centre_digests import DigestFault
from sandbox.certificates import make_certificates
from tests.cli.conftest import Command
from tests.storage.records import DAY, later

ON = ("--day", str(DAY))


def set_sync(site: Path, **given: str) -> None:
    """Write these settings of `sync` into config.yaml."""
    config = site / "config.yaml"
    before, after = config.read_text(encoding="utf-8").split("\nsync:\n")
    lines = after.splitlines(keepends=True)
    for name, value in given.items():
        # The first: parts that follow have names of their own, perhaps the same ones.
        at, *_ = [number for number, each in enumerate(lines) if each.startswith(f"  {name}:")]
        lines[at] = f"  {name}: {value}\n"
    config.write_text(before + "\nsync:\n" + "".join(lines), encoding="utf-8")


@pytest.fixture
def acknowledged(folder: Path, day: None) -> tuple[Row, ...]:
    """What the day left in the outbox; the centre has acknowledged all of it."""
    file = read_config(folder / "config.yaml").database
    connection = connect_writer(file)
    with connection.begin():
        made = [
            Settlement(row.id, State.ACKNOWLEDGED, None, 0, None, "", f"R-{row.id}")
            for row in take(connection, 100, later(60), 60)
        ]
        close_round(connection, made, [], Link(), later(60))
    connection.close()
    return rows(folder)


def rows(folder: Path) -> tuple[Row, ...]:
    with open_reader(read_config(folder / "config.yaml").database) as reader:
        return reader.read(all_rows)


@pytest.fixture
async def centre(folder: Path, acknowledged: tuple[Row, ...], tmp_path: Path) -> AsyncIterator[Centre]:
    """In the settings, and it has everything."""
    (tmp_path / "certificates").mkdir()
    made = make_certificates(tmp_path / "certificates")
    centre = Centre(tmp_path / "centre", made)
    await centre.start()
    set_sync(
        folder,
        centre_url=centre.url,
        ca_file=str(made.ca),
        certificate_file=str(made.client.certificate),
        key_file=str(made.client.key),
    )
    for each in acknowledged:
        centre.database.execute(
            "INSERT INTO documents (key, sha256, body) VALUES (?, ?, ?)", (each.key, each.sha256, each.payload)
        )
    yield centre
    await centre.stop()


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two days later."""
    monkeypatch.setattr(reconcile, "now_at", lambda _: later(2 * 24 * 60 + 120))


async def asked(command: Command, *arguments: str) -> tuple[int, str, str]:
    """The command, while the centre answers."""
    return await asyncio.to_thread(command, "sync", "reconcile", *arguments)


async def found(command: Command, *arguments: str) -> dict[str, Any]:
    code, out, _ = await asked(command, *arguments, "--json")
    told: dict[str, Any] = json.loads(out)
    assert code == (1 if told["differences"] or told["unanswered"] else 0)
    return told


async def test_both_sides_agree(command: Command, centre: Centre, acknowledged: tuple[Row, ...]) -> None:
    count = len(acknowledged)
    assert count == 2
    code, out, _ = await asked(command, *ON)
    assert (code, out) == (0, f"1 日分: こちらの送信済み {count}、中央 {count}、違い 0\n")
    told = await found(command, "--since", str(DAY))
    assert [(each["day"], each["here"], each["there"]) for each in told["days"]] == [
        ("2025-01-06", count, count),
        ("2025-01-07", 0, 0),
    ]
    # Without a day: the last one that is over.
    assert [each["day"] for each in (await found(command))["days"]] == ["2025-01-07"]


async def test_the_exact_rows_and_sending_them_again(
    command: Command, folder: Path, centre: Centre, acknowledged: tuple[Row, ...]
) -> None:
    lost = acknowledged[0]
    centre.database.execute("DELETE FROM documents WHERE key = ?", (lost.key,))
    code, out, _ = await asked(command, *ON)
    assert code == 1
    assert lost.key in out
    assert "00123456" in out
    assert "中央にない" in out
    assert "--send-again" in out
    told = await found(command, *ON)
    assert told["differences"] == [
        {
            **{"day": "2025-01-06", "sort": "missing", "key": lost.key, "id": lost.id, "ours": lost.sha256},
            **{"theirs": None, "kind": lost.kind, "about": "00123456", "subject": lost.subject, "revision": 1},
            "queued_at": str(lost.queued_at),
        }
    ]
    assert "違います" in (await asyncio.to_thread(command, "alarms"))[1]
    assert {each.state for each in rows(folder)} == {State.ACKNOWLEDGED}  # never silently
    code, out, _ = await asked(command, *ON, "--send-again")
    assert code == 1
    assert "1 件をもう一度送ります" in out
    again = rows(folder)[0]
    assert (again.state, again.key, again.payload) == (State.WAITING, lost.key, lost.payload)
    assert (await asked(command, *ON))[0] == 0


async def test_the_status_says_how_comparing_stands(
    command: Command, centre: Centre, acknowledged: tuple[Row, ...]
) -> None:
    status = ("sync", "status")
    assert "突き合わせ" not in command(*status)[1]
    await found(command, "--since", str(DAY))
    code, out, _ = command(*status)
    assert code == 0
    assert "突き合わせ: 2025-01-07（UTC）まで、最後は 2025-01-08 11:00:00。違いのある日 0" in out
    centre.database.execute("DELETE FROM documents WHERE key = ?", (acknowledged[0].key,))
    await found(command, *ON)
    code, out, _ = command(*status)
    assert code == 1
    assert "違いのある日 1" in out
    told = json.loads(command(*status, "--json")[1])["compared"]
    assert (told["day"], told["differing"]) == ("2025-01-07", 1)


async def test_what_is_unknown_here_has_no_row(command: Command, centre: Centre, acknowledged: tuple[Row, ...]) -> None:
    centre.database.execute(
        "INSERT INTO documents (key, sha256, body) SELECT 'foreign', sha256, body FROM documents LIMIT 1"
    )
    (told,) = (await found(command, *ON, "--send-again"))["differences"]
    assert told == {
        **{"day": "2025-01-06", "sort": "unknown", "key": "foreign", "id": None, "ours": None},
        "theirs": acknowledged[0].sha256,
    }
    code, out, _ = await asked(command, *ON)
    assert code == 1
    assert "こちらにない" in out
    assert "--send-again" not in out


async def test_a_centre_that_does_not_say(command: Command, centre: Centre) -> None:
    centre.digests.faults.append(Fault.ERROR)
    code, out, _ = await asked(command, *ON)
    assert (code, out) == (1, "2025-01-06 は突き合わせられませんでした（http_500）\n")
    centre.digests.faults.append(DigestFault.WRONG_DAY)
    assert (await found(command, *ON))["unanswered"] == {"day": "2025-01-06", "reason": "wrong_day"}


def written(folder: Path, *lines: tuple[str, str, str]) -> str:
    file = folder / "listed.csv"
    file.write_text("\n".join(",".join(each) for each in (("day", "key", "sha256"), *lines)), encoding="utf-8")
    return str(file)


async def test_the_list_of_a_receiver_of_files(command: Command, folder: Path, acknowledged: tuple[Row, ...]) -> None:
    (folder / "out").mkdir()
    set_sync(folder, way="file", folder="out")
    code, _, err = command("sync", "reconcile")
    assert code == 2
    assert "--from" in err
    whole = [(str(DAY), each.key, each.sha256) for each in acknowledged]
    assert (await asked(command, *ON, "--from", written(folder, *whole)))[0] == 0
    told = await found(command, *ON, "--from", written(folder, *whole[1:], (str(DAY), "foreign", "a" * 64)))
    assert [(each["sort"], each["key"]) for each in told["differences"]] == [
        ("missing", acknowledged[0].key),
        ("unknown", "foreign"),
    ]
    # What it says of other days is not asked for.
    assert (await asked(command, *ON, "--from", written(folder, *whole, ("2025-01-09", "other", "a" * 64))))[0] == 0
    code, _, err = await asked(command, *ON, "--from", written(folder, (str(DAY), "k", "abc")))
    assert code == 2
    assert "listed.csv:2:" in err


@pytest.mark.usefixtures("acknowledged")
def test_what_cannot_be_compared(command: Command, folder: Path) -> None:
    code, _, err = command("sync", "reconcile")
    assert code == 2
    assert "config.yaml" in err
    address = {"way": "fhir", "centre_url": "https://centre.example.jp", "fhir_base": "https://example.jp/kenko"}
    set_sync(folder, **address, ca_file="ca", certificate_file="certificate", key_file="key")
    code, _, err = command("sync", "reconcile")
    assert code == 2
    assert "centre-formats.md" in err


@pytest.mark.usefixtures("acknowledged")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*ON, "--since", str(DAY)), "--since"),
        (("--since", "2025-01-08"), "2025-01-07"),
        (("--since", "2024-01-01"), "366"),
    ],
)
def test_days_that_are_none(command: Command, arguments: tuple[str, ...], says: str) -> None:
    code, _, err = command("sync", "reconcile", *arguments)
    assert code == 2
    assert says in err


def test_no_database_is_made(command: Command, folder: Path) -> None:
    code, _, err = command("sync", "reconcile", *ON, "--from", written(folder))
    assert code == 2
    assert "データベースがまだありません" in err
    assert not (folder / "var").exists()
