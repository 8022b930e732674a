"""What doctor says of keys as SIP INFO and of the duty telephone."""

from dataclasses import replace
from typing import Any

import pytest

from ivr.doctor.chosen import examine_chosen
from ivr.doctor.judgement import Light
from tests.test_pbx_check import GOOD, MODULES

INFO = {("endpoint", "trunk"): {"dtmf_mode": "info"}}
WITH_INFO = MODULES | {"res_pjsip_dtmf_info.so"}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"objects": {("endpoint", "trunk"): None}}, []),
        ({"objects": INFO}, [("keys", Light.RED, "doctor.keys_unheard")]),
        ({"objects": INFO, "modules": WITH_INFO}, [("keys", Light.GREEN, "doctor.keys_info")]),
        (
            {"objects": {("endpoint", "trunk"): {"dtmf_mode": "auto_info"}}},
            [("keys", Light.RED, "doctor.keys_unheard")],
        ),
    ],
)
def test_keys(changes: dict[str, Any], found: list[tuple[str, Light, str]]) -> None:
    lines = list(examine_chosen(replace(GOOD, **changes), ("trunk",), None, has_duty=False))
    assert [(each.check, each.light, each.says.message) for each in lines] == found
    assert all(each.says.render("ja") for each in lines)


@pytest.mark.parametrize(
    ("endpoint", "changes", "light", "message"),
    [
        ("desk", {"endpoints": {"desk": "online"}}, Light.GREEN, "doctor.duty"),
        ("desk", {"endpoints": {"desk": "offline"}}, Light.RED, "doctor.duty_offline"),
        ("desk", {"endpoints": {"desk": "unknown"}}, Light.YELLOW, "doctor.duty_unknown"),
        ("desk", {}, Light.RED, "doctor.duty_none"),
        (None, {}, Light.GREEN, "doctor.duty_by_trunk"),
        (None, {"modules": MODULES - {"bridge_simple.so"}}, Light.RED, "doctor.modules_missing"),
        ("desk", {"modules": MODULES - {"res_ari_bridges.so"}}, Light.RED, "doctor.modules_missing"),
    ],
)
def test_the_duty_telephone(endpoint: str | None, changes: dict[str, Any], light: Light, message: str) -> None:
    (line,) = examine_chosen(replace(GOOD, **changes), ("trunk",), endpoint, has_duty=True)
    assert (line.check, line.light, line.says.message) == ("duty", light, message)
    assert line.says.render("ja")


def test_without_asterisk_nothing_is_said() -> None:
    assert list(examine_chosen(None, ("trunk",), "desk", has_duty=True)) == []
