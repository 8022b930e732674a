"""Calls that a network turns down in every way, beside people who are reached, judged by what the far end saw."""

from collections.abc import Awaitable, Callable

import pytest

from sandbox.farend.endpoint import refuses, walks
from sandbox.farend.leg import Leg
from sandbox.network import Network
from sandbox.service import running_service
from tests.acceptance.scene import WELL, Scene, does, person, set_scene, told_by_logs, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(400)]

Script = Callable[[Leg], Awaitable[None]]

#: Seconds; longer than everybody else is rung.
LAST_AFTER = 25

SETTINGS = {
    "lines": {"total": 12, "reserved_for_inbound": 1, "calls_per_second": 2},
    "dialling": {
        "ring_seconds": 15,
        "rest_seconds": 0,
        "attempts": 2,
        "retry_seconds": {
            "busy": [LAST_AFTER],
            "unreachable": [2, 2],
            "no_answer": [2, 2],
            "bad_number": [2],
            "rejected": [2],
            "refused": [2, 2],
            "congestion": [3, 3, 3, 3],
            "failed": [2],
        },
    },
    "gate": {"times": 1, "wait_seconds": 4},
}
REDIRECT = (("Contact", "<sip:09000039999@127.0.0.3>"),)


async def over_at_once(leg: Leg) -> None:
    await leg.answer()
    await leg.bye()


async def without_sound(leg: Leg) -> None:
    await leg.answer(described=False)
    await leg.until_over()


#: What the first call meets -> its outcome, SIP status and whose matter it was; the second one is answered.
FIRST: dict[str, tuple[Script, str, int, str]] = {
    "404": (refuses(404, "Not Found"), "bad_number", 404, "number"),
    "301": (refuses(301, "Moved Permanently", REDIRECT), "bad_number", 301, "number"),
    "302": (refuses(302, "Moved Temporarily", REDIRECT), "unreachable", 302, "person"),
    "603 late": (refuses(603, "Decline", ring=11), "no_answer", 603, "person"),
    "603": (refuses(603, "Decline", ring=1), "rejected", 603, "person"),
    "607": (refuses(607, "Unwanted"), "rejected", 607, "person"),
    "BYE": (over_at_once, "no_answer", 0, "person"),
    "no SDP": (without_sound, "no_answer", 406, "person"),
}
#: Turned down for a reason that might meet everybody: by who else got through it is theirs.
BARRED = {
    "403": (refuses(403, "Forbidden", (("Reason", "Q.850;cause=1"),)), "refused", 403, "trunk"),
    "433": (refuses(433, "Anonymity Disallowed"), "refused", 433, "identity"),
    "402": (refuses(402, "Payment Required"), "refused", 402, "trunk"),
    "416": (refuses(416, "Unsupported URI Scheme"), "failed", 416, "us"),
}


def one_after_another(*scripts: Script) -> Script:
    """What somebody does at the first call, the second, …"""
    left = iter(scripts)

    async def script(leg: Leg) -> None:
        await next(left)(leg)

    return script


def number(at: int) -> str:
    return f"09000391{at:03}"


def standing(scene: Scene) -> list[tuple[str, str]]:
    return [(each["kind"], each["details"]) for each in scene.table("alarms") if each["ended_at"] is None]


def id_of(at: int) -> str:
    """Of those who are barred, and of the others behind each of them; those who meet something else come first."""
    place = 2 * at if at < 200 else 2 * (at - 200 + len(FIRST)) + 1
    return f"390{place:04}"


def outcome_of_first(scene: Scene, at: int) -> tuple[str, int, str]:
    (attempt, *_) = [each for each in scene.table("attempts") if each["number"] == number(at)]
    (call,) = [each for each in scene.table("calls") if each["attempt_id"] == attempt["id"]]
    return attempt["outcome"], call["tech_cause"], attempt["fault"]


async def test_each_answer_has_its_meaning_and_nobody_waits_for_another(
    network: Network, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Twelve people meet something at the first call; each answers the second one, some on their second number."""
    lines = network.over("trunk-far")
    far = lines.far
    met = [*FIRST.values(), *BARRED.values()]
    second = {id_of(at): number(100 + at) for at in range(len(FIRST), len(met))}
    for at, (script, *_) in enumerate(met):
        far.on_call(one_after_another(script, walks(WELL)), number(at))
        far.on_call(walks(WELL), number(100 + at))
    others = range(200, 200 + len(BARRED))
    for at in others:
        far.on_call(walks(WELL), number(at))
    # On a busy machine an answer may come after the next refusal, and then the gate is closed for 10 s: one more call,
    # behind all others, opens it.
    last = 300
    far.on_call(one_after_another(refuses(486, "Busy Here"), walks(WELL)), number(last))
    # Rung in the order of their IDs: between two who are barred is always one who answers.
    cast = [person(id_of(at), number(at), does("answers", *WELL)) for at in (*range(len(met)), *others, last)]
    scene = await set_scene(lines, cast, tmp_path_factory.mktemp("whose") / "service", SETTINGS, second)
    before = len(far.invites())

    def settled() -> bool:
        status = scene.status()
        return len(status) == len(cast) and all(each.state == "reported" for each in status.values())

    async with running_service(scene.service):
        await until(settled, 150, "everybody reported")
        await until(lambda: standing(scene) == [], 90, "no alarm stands")
    assert [outcome_of_first(scene, at) for at in range(len(met))] == [tuple(each[1:]) for each in met]
    for at in range(len(FIRST), len(met)):  # the second number, as the first one is barred
        assert [each.user for each in far.invites(number(at))] == [number(at)]
        assert len(far.invites(number(100 + at))) == 1
    # Nobody was sent elsewhere, and nobody was rung without need.
    assert len(far.invites()) - before == 2 * len(met) + len(others) + 2
    # Whose number nobody has, says the network, was a task at once, and their report ended it.
    tasks = [(each["person_id"], each["reason"]) for each in scene.table("follow_ups")]
    assert sorted(tasks) == [(id_of(0), "bad_number"), (id_of(1), "bad_number")]
    assert all(each["closed_at"] for each in scene.table("follow_ups"))
    assert told_by_logs(scene) == []
