"""What runs against what was rendered: each kind of difference is found, and what is in order is not one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ivr import pbx
from ivr.pbx_check import (
    BRIDGING,
    NEEDED,
    SECOND_WAY,
    TEST_CALL,
    FileFacts,
    Running,
    compare_files,
    compare_includes,
    compare_running,
    wanted_modules,
    wanted_objects,
)
from tests.sandbox.test_site import FILES, SITE

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
MODULES = wanted_modules(FILES["modules.conf"])
OBJECTS = {
    key: settings | {"allow": f"({settings['allow'].replace(',', '|')})"} if "allow" in settings else settings
    for key, settings in wanted_objects(FILES["pjsip.conf"]).items()
}
GOOD = Running(
    version="22.10.1+dfsg",
    language="ja",
    max_channels=32,
    last_reload=NOON,
    modules=MODULES | {"acl", "cdr"},
    applications=frozenset({"kenko", "kenko-trunk"}),
    endpoints={"trunk": "online"},
    logs={"/var/log/asterisk/messages.log": "NOTICE WARNING ERROR "},
    objects=OBJECTS,
)


def differences(running: Running, *, existing: bool = False) -> list[str]:
    return [each.message for each in compare_running(running, "kenko", ("trunk",), None if existing else FILES)]


def test_what_was_rendered_and_runs_is_no_difference() -> None:
    assert differences(GOOD) == []
    assert len(MODULES) > 40
    assert ("endpoint", "trunk") in OBJECTS


def without(kind: str, name: str) -> dict[tuple[str, str], Any]:
    return {key: each for key, each in OBJECTS.items() if key != (kind, name)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": "22.9.0"}, "pbx.too_old"),
        ({"version": "20.20.1"}, "pbx.differs.version"),
        ({"language": "en"}, "pbx.differs.option"),
        ({"max_channels": None}, "pbx.differs.option"),
        ({"modules": GOOD.modules - {"res_ari.so"}}, "pbx.differs.module_missing"),
        ({"modules": GOOD.modules | {"app_system.so"}}, "pbx.differs.module_extra"),
        ({"applications": frozenset({"other"})}, "pbx.differs.no_application"),
        ({"endpoints": {}}, "pbx.differs.no_endpoint"),
        ({"endpoints": {"trunk": "offline"}}, "pbx.differs.trunk_offline"),
        ({"logs": {"full": "NOTICE DTMF "}}, "pbx.differs.log_level"),
        ({"objects": without("endpoint", "trunk")}, "pbx.differs.object_missing"),
        (
            {"objects": OBJECTS | {("endpoint", "trunk"): {"allow": "(ulaw|alaw)"}}},
            "pbx.differs.setting",
        ),
        ({"objects": OBJECTS | {("endpoint", "trunk"): {"direct_media": "true"}}}, "pbx.differs.setting"),
    ],
)
def test_each_difference_is_named(changes: dict[str, Any], message: str) -> None:
    assert differences(replace(GOOD, **changes)) == [message]


def test_the_words_of_asterisk_are_not_differences() -> None:
    said = dict(OBJECTS["endpoint", "trunk"]) | {"direct_media": "false", "rtp_symmetric": "true"}
    assert differences(replace(GOOD, objects=OBJECTS | {("endpoint", "trunk"): said})) == []


def test_of_an_existing_pbx_only_what_we_need() -> None:
    other = replace(GOOD, language="en", max_channels=None, objects={}, modules=GOOD.modules | {"app_dial.so"})
    assert differences(other, existing=True) == []
    found = differences(replace(other, modules=frozenset()), existing=True)
    assert found == ["pbx.differs.module_missing"] * len(NEEDED)


def test_of_an_existing_pbx_also_what_was_chosen() -> None:
    needed = NEEDED | SECOND_WAY
    found = compare_running(GOOD, "kenko", ("trunk",), None, needed)
    assert [each.values["name"] for each in found] == ["app_dial.so", "res_agi.so", "res_speech.so"]
    assert compare_running(replace(GOOD, modules=GOOD.modules | needed), "kenko", ("trunk",), None, needed) == []


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"from_user": "05000000100"}, []),
        ({"from_user": "", "send_pai": "false"}, []),
        ({"from_user": "line1", "send_pai": "true"}, []),
        ({"from_user": "line1", "send_pai": "false"}, ["pbx.differs.presented"]),
        ({"from_user": "05000000999"}, ["pbx.differs.presented"]),
    ],
)
def test_whose_number_an_existing_pbx_shows(settings: dict[str, str], found: list[str]) -> None:
    running = replace(GOOD, objects={("endpoint", "trunk"): settings})
    said = compare_running(running, "kenko", ("trunk",), callers={"trunk": "05000000100"})
    assert [each.message for each in said] == found


def test_what_we_need_anywhere_is_part_of_what_we_load() -> None:
    assert NEEDED | BRIDGING | TEST_CALL < MODULES
    assert wanted_modules(pbx.render(replace(SITE, agi_port=4573))["modules.conf"]) >= SECOND_WAY


ARI = {"ari.conf": FILES["ari.conf"]}


@pytest.mark.parametrize(
    ("fact", "messages"),
    [
        (FileFacts(ARI["ari.conf"], 0o640, NOON), []),
        (FileFacts(None), ["pbx.differs.missing_file"]),
        (FileFacts("other", 0o640, NOON), ["pbx.differs.file"]),
        (FileFacts(ARI["ari.conf"], 0o644, NOON), ["pbx.differs.open_file"]),
        (FileFacts(ARI["ari.conf"], 0o640, NOON + timedelta(seconds=1)), ["pbx.differs.not_reloaded"]),
    ],
)
def test_files_on_disk(fact: FileFacts, messages: list[str]) -> None:
    assert [each.message for each in compare_files(ARI, {"ari.conf": fact}, GOOD)] == messages


@pytest.mark.parametrize(
    ("text", "included"),
    [
        ("#include kenko_x.conf", True),
        ('[a]\n  #include "kenko_x.conf"  \n', True),
        ("#tryinclude kenko_x.conf", True),
        (";#include kenko_x.conf", False),
        ("#include other_kenko_x.conf", False),
        (None, False),
    ],
)
def test_includes(text: str | None, included: bool) -> None:
    found = compare_includes({"kenko_x.conf": ("ari.conf", text)})
    assert [each.message for each in found] == ([] if included else ["pbx.differs.not_included"])
