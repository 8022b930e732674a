"""What each fact means: a table for every line of the screen."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ivr.ari.settings import PbxSettings
from ivr.doctor import judgement
from ivr.doctor.judgement import GIB, Disk, Facts, Light, Line, Owned, Sounds, examine, may_read, worst
from ivr.errors import problem
from ivr.messages import LANGUAGES
from ivr.trunks.presented import presented
from tests.test_pbx_check import GOOD, MODULES, NOON

CLOSED = Owned(0, 0, 0o640)
ALL_GREEN = Facts(
    now=NOON,
    pbx=GOOD,
    pbx_problems=(),
    app=PbxSettings.app,
    trunks=("trunk",),
    registering=frozenset({"trunk"}),
    registrations={"trunk": "Registered"},
    sounds=Sounds((), 300, ()),
    clock_kept=True,
    zone="Asia/Tokyo",
    zone_hours=9.0,
    machine_hours=9.0,
    disks=(Disk("/", 100 * GIB, 200 * GIB),),
    database="/var/lib/kenko-call/kenko-call.db",
    database_there=True,
    database_problems=(),
    backups="/srv/backups",
    newest_backup=NOON - timedelta(hours=10),
    secrets={"/etc/kenko-call/ari.secret": CLOSED},
    lock_held=True,
    heartbeat=NOON - timedelta(seconds=5),
    alarms=(),
    centre=True,
    unsent=2,
    unsent_since=NOON - timedelta(hours=4),
    unsent_hours=4.0,
    presented={"trunk": presented("05000000100", "127.0.0.1")},
)


def test_all_green() -> None:
    lines = examine(ALL_GREEN)
    assert [(each.check, each.light.name) for each in lines] == [
        (check, "GREEN")
        for check in (
            *(
                "asterisk",
                "modules",
                "application",
                "trunk",
                "codec",
                "presented",
                "registration",
                "sounds",
                "clock",
                "zone",
            ),
            *("disk", "database", "backup", "secrets", "service", "sync", "alarms"),
        )
    ]
    assert worst(lines) is Light.GREEN
    assert worst([]) is Light.GREEN


def pbx(**changes: Any) -> dict[str, Any]:
    return {"pbx": replace(GOOD, **changes)}


def endpoint(allow: str) -> dict[str, Any]:
    return pbx(objects={("endpoint", "trunk"): {"allow": allow, "from_domain": "example.jp"}})


def who(**settings: str) -> dict[str, Any]:
    return pbx(objects={("endpoint", "trunk"): {"allow": "(ulaw)", "from_domain": "example.jp"} | settings})


BAD = problem("storage.damaged", "x")


@pytest.mark.parametrize(
    ("changes", "check", "light", "message"),
    [
        ({"pbx": None, "pbx_problems": (BAD,)}, "asterisk", Light.RED, "storage.damaged"),
        (pbx(version="22.9.0"), "asterisk", Light.RED, "pbx.too_old"),
        (who(from_user="line1", send_pai="false"), "presented", Light.RED, "doctor.presented_other"),
        (who(from_user="05000000200"), "presented", Light.RED, "doctor.presented_other"),
        (who(from_domain=""), "presented", Light.YELLOW, "doctor.presented_nowhere"),
        (pbx(version="20.20.1"), "asterisk", Light.YELLOW, "pbx.differs.version"),
        (pbx(modules=MODULES - {"res_ari.so"}), "modules", Light.RED, "doctor.modules_missing"),
        (pbx(applications=frozenset()), "application", Light.RED, "pbx.differs.no_application"),
        (pbx(endpoints={}), "trunk", Light.RED, "pbx.differs.no_endpoint"),
        (pbx(endpoints={"trunk": "offline"}), "trunk", Light.RED, "pbx.differs.trunk_offline"),
        (pbx(endpoints={"trunk": "unknown"}), "trunk", Light.YELLOW, "doctor.trunk_unknown"),
        ({"registrations": None}, "registration", Light.YELLOW, "doctor.registration_unasked"),
        ({"registrations": {}}, "registration", Light.RED, "doctor.not_registered"),
        ({"registrations": {"trunk": "Rejected"}}, "registration", Light.RED, "doctor.not_registered"),
        (endpoint("(g729)"), "codec", Light.RED, "doctor.codec_silent"),
        (endpoint("(ulaw|g722)"), "codec", Light.RED, "doctor.codec_silent"),
        (
            {"pbx": replace(GOOD, modules=MODULES - {"codec_alaw.so"})},
            "codec",
            Light.RED,
            "doctor.codec_silent",
        ),
        (endpoint(""), "codec", Light.RED, "doctor.codec_silent"),
        (pbx(objects={}), "codec", Light.YELLOW, "doctor.codec_unasked"),
        ({"sounds": Sounds((BAD,), 3, ())}, "sounds", Light.RED, "doctor.sounds_bad"),
        ({"sounds": Sounds((), 3, ("/a.wav",))}, "sounds", Light.RED, "doctor.sounds_closed"),
        ({"sounds": Sounds((), 3, None)}, "sounds", Light.YELLOW, "doctor.sounds_unknown"),
        ({"clock_kept": False}, "clock", Light.YELLOW, "doctor.clock_not_kept"),
        ({"machine_hours": 0.0}, "zone", Light.YELLOW, "doctor.zone_other"),
        ({"disks": (Disk("/", GIB // 4, GIB),)}, "disk", Light.RED, "doctor.disk_full"),
        ({"disks": (Disk("/", 4 * GIB, 100 * GIB),)}, "disk", Light.RED, "doctor.disk_full"),
        ({"disks": (Disk("/", GIB, 2 * GIB),)}, "disk", Light.YELLOW, "doctor.disk_low"),
        ({"disks": (Disk("/", 10 * GIB, 100 * GIB),)}, "disk", Light.YELLOW, "doctor.disk_low"),
        ({"database_there": False}, "database", Light.YELLOW, "doctor.no_database"),
        ({"database_problems": (BAD,)}, "database", Light.RED, "storage.damaged"),
        ({"backups": None, "newest_backup": None}, "backup", Light.YELLOW, "doctor.no_backup_setting"),
        ({"newest_backup": None}, "backup", Light.RED, "doctor.no_backup"),
        ({"newest_backup": NOON - timedelta(hours=37)}, "backup", Light.RED, "doctor.backup_old"),
        ({"secrets": {"/s": None}}, "secrets", Light.RED, "doctor.secret_missing"),
        ({"secrets": {"/s": Owned(0, 0, 0o644)}}, "secrets", Light.RED, "doctor.secret_open"),
        ({"secrets": {"/s": Owned(0, 0, 0o660)}}, "secrets", Light.YELLOW, "doctor.secret_writable"),
        ({"lock_held": False}, "service", Light.RED, "doctor.service_down"),
        ({"heartbeat": None}, "service", Light.YELLOW, "doctor.service_young"),
        ({"heartbeat": NOON - timedelta(seconds=31)}, "service", Light.RED, "doctor.service_hangs"),
        ({"alarms": (("gate_closed", False),)}, "alarms", Light.RED, "doctor.alarm"),
        ({"alarms": (("gate_closed", True),)}, "alarms", Light.YELLOW, "doctor.alarm"),
    ],
)
def test_each_fact_has_its_light(changes: dict[str, Any], check: str, light: Light, message: str) -> None:
    lines = examine(replace(ALL_GREEN, **changes))
    wrong = [each for each in lines if each.light is not Light.GREEN]
    assert wrong == [Line(check, light, wrong[0].says)]
    assert wrong[0].says.message == message
    assert worst(lines) is light
    for language in LANGUAGES:
        assert wrong[0].says.render(language)


@pytest.mark.parametrize("settings", [{}, {"from_user": "line1", "send_pai": "true"}, {"from_user": "05000000100"}])
def test_people_see_our_number(settings: dict[str, str]) -> None:
    lines = examine(replace(ALL_GREEN, **who(**settings)))
    (said,) = [each.says for each in lines if each.check == "presented"]
    user = settings.get("from_user", "05000000100")
    assert said.message == "doctor.presented"
    assert f"From: sip:{user}@example.jp" in said.render("en")


def test_without_asterisk_nothing_is_said_about_it() -> None:
    lines = examine(replace(ALL_GREEN, pbx=None, pbx_problems=(BAD,)))
    assert {"modules", "application", "trunk", "codec"}.isdisjoint({each.check for each in lines})


ROOT = Owned(0, 0, 0o755)


@pytest.mark.parametrize(
    ("parts", "readable"),
    [
        ([ROOT, ROOT, Owned(0, 0, 0o644)], True),
        ([ROOT, Owned(0, 0, 0o750), Owned(0, 0, 0o644)], False),  # a closed folder above
        ([ROOT, Owned(0, 7, 0o710), Owned(0, 0, 0o644)], True),
        ([ROOT, Owned(0, 7, 0o750), Owned(0, 7, 0o640)], True),
        ([ROOT, ROOT, Owned(0, 0, 0o640)], False),
        ([ROOT, ROOT, Owned(5, 7, 0o044)], False),  # the owner himself is shut out
        ([ROOT, ROOT, Owned(5, 0, 0o400)], True),
    ],
)
def test_who_may_read(parts: list[Owned], readable: bool) -> None:
    assert may_read(parts, uid=5, groups=frozenset({7})) is readable
    assert may_read(parts, uid=0, groups=frozenset())


def test_a_long_list_is_cut() -> None:
    said = judgement.sounds(Sounds((), 9, tuple(f"/{each}.wav" for each in range(9)))).says.render("en")
    assert "/4.wav" in said
    assert "/5.wav" not in said
    assert "(9)" in said


def test_old_reports_are_red() -> None:
    def line(**other: Any) -> Line:
        return judgement.outbox(replace(ALL_GREEN, **other))

    assert line(unsent_since=NOON - timedelta(hours=4, minutes=1)).light is Light.RED
    assert line(unsent_since=NOON - timedelta(hours=4)).light is Light.GREEN
    assert line(unsent=0, unsent_since=None).says.values == {"count": 0, "minutes": 0}
    assert line(centre=False, unsent_since=NOON - timedelta(days=9)).says.message == "doctor.sync_off"
