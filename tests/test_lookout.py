"""What becomes of the watch's findings: alarms in the database, gates, the fact for doctor."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr import lookout
from ivr.ami.alarms import View
from ivr.ami.link import AmiSettings
from ivr.ami.state import Registration, Seen, Standing, State
from ivr.errors import BadInput
from ivr.lookout import FINDINGS, Lookout, keep_watch, look_up, watch_settings
from ivr.storage import facts
from ivr.storage.alarms import list_alarms, standing_alarms
from ivr.storage.database import Database
from scheduler.gates import Gates, Reason
from tests.fakes.site import Clock, settings

ACCOUNT = ("sip:line1@sip.example.jp", "sip:sip.example.jp:5060")
LOG = (
    "[2026-11-25 06:29:36.104] WARNING[1] res_pjsip_outbound_registration.c: 403 Forbidden fatal response received "
    f"from '{ACCOUNT[1]}' on registration attempt to '{ACCOUNT[0]}', retrying in '600' seconds\n"
)


def seen(status: str = "Registered", device: str = "NOT_INUSE") -> Seen:
    return Seen({"east": Registration(status, *ACCOUNT)}, {"east": device, "west": "NOT_INUSE"}, {"east": 2, "desk": 1})


class Post:
    """A lookout with two trunks: `east` registers, `west` does not."""

    def __init__(self, database: Database, clock: Clock, folder: Path) -> None:
        self.clock = clock
        self.gates = Gates()
        self.addresses: dict[str, set[str]] = {"sip.example.jp": {"198.51.100.9"}, "192.0.2.9": {"192.0.2.9"}}
        self.looked_up: list[str] = []
        trunks = [
            {"name": "east", "host": "sip.example.jp", "networks": ["198.51.100.0/24"], "user": "line1"},
            {"name": "west", "host": "192.0.2.9", "networks": ["192.0.2.9"]},
        ]
        config = settings(
            pbx={
                "secret_file": "s",
                "inbound_numbers": ["05000000100"],
                "asterisk": {"log": str(folder), "sip_trunks": trunks},
            },
            trunks=[{"name": "east"}, {"name": "west"}],
        )
        self.lookout = Lookout(config, database, self.gates, clock.now, clock.now, self.resolve)
        # Of a provider who never answered OPTIONS a good registration would tell more: these have answered.
        answered = {each: Standing(State.UNKNOWN, "", clock.now(), None, answered=True) for each in ("east", "west")}
        self.lookout.view = View(answered)

    def closed(self, trunk: str) -> set[Reason]:
        return set(self.gates.reasons(trunk))

    async def resolve(self, name: str) -> set[str]:
        self.looked_up.append(name)
        if name not in self.addresses:
            raise OSError("no such name")
        return self.addresses[name]


async def found_by(database: Database) -> dict[str, Any]:
    said: str | None = await database.read(facts.get_fact, FINDINGS)
    found: dict[str, Any] = json.loads(said or "")
    return found


@pytest.fixture
def post(database: Database, clock: Clock, tmp_path: Path) -> Post:
    return Post(database, clock, tmp_path)


async def test_a_fault_closes_at_once_is_told_when_it_stays_and_ends_by_itself(
    post: Post, database: Database, tmp_path: Path
) -> None:
    await post.lookout.saw(seen())
    assert (post.closed("east"), post.closed("west")) == (set(), set())
    (tmp_path / "messages.log").write_text("x" * 100_000 + "\n" + LOG, encoding="utf-8")
    await post.lookout.saw(seen("Rejected"))
    assert (post.closed("east"), post.closed("west")) == ({Reason.UNREGISTERED}, set())
    assert await database.read(standing_alarms) == ()
    post.clock.time += timedelta(seconds=10)
    await post.lookout.saw(seen("Rejected"))
    (alarm,) = await database.read(list_alarms)
    assert (alarm.kind, alarm.subject, alarm.details) == ("registration_refused", "east", "403")
    post.clock.time += timedelta(minutes=10)
    await post.lookout.saw(seen())
    assert post.closed("east") == set()
    assert await database.read(standing_alarms) == ()


async def test_what_somebody_else_closed_stays_closed(post: Post) -> None:
    post.gates.close("east", Reason.REFUSED, post.clock.now())
    await post.lookout.saw(seen(device="UNAVAILABLE"))
    assert post.closed("east") == {Reason.REFUSED, Reason.UNREACHABLE}
    await post.lookout.saw(seen("Unregistered"))
    assert post.closed("east") == {Reason.REFUSED, Reason.UNREGISTERED}
    await post.lookout.saw(seen())
    assert post.closed("east") == {Reason.REFUSED}


async def test_what_stood_before_a_restart_ends_too(
    post: Post, database: Database, clock: Clock, tmp_path: Path
) -> None:
    await post.lookout.saw(seen(device="UNAVAILABLE"))
    post.clock.time += timedelta(seconds=10)
    await post.lookout.saw(seen(device="UNAVAILABLE"))
    assert await database.read(standing_alarms) == (("trunk_unreachable", "east"),)
    await Post(database, clock, tmp_path).lookout.saw(seen())
    assert await database.read(standing_alarms) == ()


async def test_a_lost_manager_is_told_and_doctor_learns_of_it(post: Post, database: Database) -> None:
    async def written() -> tuple[bool, dict[str, str]]:
        fact = await found_by(database)
        return fact["connected"], {name: each["state"] for name, each in fact["trunks"].items()}

    await post.lookout.saw(seen(device="UNAVAILABLE"))
    assert await written() == (True, {"east": "unreachable", "west": "well"})
    await post.lookout.saw(None)
    assert await written() == (False, {"east": "unreachable", "west": "well"})
    post.clock.time += timedelta(seconds=10)
    await post.lookout.saw(None)
    assert set(await database.read(standing_alarms)) == {("ami_lost", ""), ("trunk_unreachable", "east")}
    post.clock.time += timedelta(minutes=5)
    await post.lookout.saw(None)
    # Nobody knows any more: it may be well by now.
    assert (post.closed("east"), await database.read(standing_alarms)) == (set(), (("ami_lost", ""),))
    await post.lookout.saw(seen())
    assert await database.read(standing_alarms) == ()


async def test_the_fact_is_written_when_something_changes_and_else_seldom(
    post: Post, database: Database, clock: Clock
) -> None:
    async def written_at() -> datetime:
        return datetime.fromisoformat((await found_by(database))["at"])

    begin = clock.time
    for seconds, wrote in ((0, 0), (5, 0), (20, 20), (25, 20)):
        clock.time = begin + timedelta(seconds=seconds)
        await post.lookout.saw(seen())
        assert await written_at() == begin + timedelta(seconds=wrote)
    await post.lookout.saw(seen("Unregistered"))
    assert await written_at() == clock.time


async def test_a_provider_that_moves_out_of_its_networks(post: Post, database: Database) -> None:
    await post.lookout.saw(seen())
    await post.lookout.saw(seen())
    assert post.looked_up == ["sip.example.jp", "192.0.2.9"]  # not at every look
    post.addresses["sip.example.jp"] = {"203.0.113.7"}
    post.clock.time += lookout.LOOK_UP_EVERY
    await post.lookout.saw(seen())
    (alarm,) = await database.read(list_alarms)
    assert (alarm.kind, alarm.subject, alarm.details) == ("trunk_address", "east", "203.0.113.7")
    assert post.closed("east") == set()
    # A name that cannot be looked up is no news.
    del post.addresses["sip.example.jp"]
    post.clock.time += lookout.LOOK_UP_EVERY
    await post.lookout.saw(seen())
    assert await database.read(standing_alarms) == (("trunk_address", "east"),)
    post.addresses["sip.example.jp"] = {"198.51.100.1"}
    post.clock.time += lookout.LOOK_UP_EVERY
    await post.lookout.saw(seen())
    assert await database.read(standing_alarms) == ()


async def test_many_who_are_turned_away(post: Post, database: Database) -> None:
    for _ in range(20):
        post.lookout.turned_away()
    await post.lookout.saw(seen())
    assert await database.read(standing_alarms) == (("turned_away", ""),)
    post.clock.time += timedelta(minutes=6)
    await post.lookout.saw(seen())
    assert await database.read(standing_alarms) == ()


async def test_a_database_that_takes_nothing_is_no_reason_to_dial(post: Post, database: Database) -> None:
    await database.close()
    await post.lookout.saw(seen(device="UNAVAILABLE"))
    assert post.closed("east") == {Reason.UNREACHABLE}


async def test_settings(tmp_path: Path) -> None:
    assert watch_settings(settings()) is None
    file = tmp_path / "ami.secret"
    with pytest.raises(BadInput):
        watch_settings(settings(watch={"ami_secret_file": str(file)}))
    file.write_text("s" * 40 + "\n")
    found = watch_settings(settings(watch={"ami_secret_file": str(file), "ami_port": 5039}))
    assert found == AmiSettings("127.0.0.1", 5039, "kenko-watch", "s" * 40)
    assert "s" * 40 not in repr(found)


async def test_without_settings_nothing_is_watched(post: Post) -> None:
    never: Callable[[float], None] = lambda _: pytest.fail("slept")  # noqa: E731
    watching = asyncio.create_task(keep_watch(post.lookout, None, never, lambda: 0.0))  # type: ignore[arg-type]
    done, _ = await asyncio.wait({watching}, timeout=0.01)
    assert done == set()
    watching.cancel()


async def test_names_of_this_machine() -> None:
    assert await look_up("127.0.0.1") == {"127.0.0.1"}
