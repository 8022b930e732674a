"""Who we are on a line, and how the practice network finds out that a call does not say so."""

import pytest

from ivr.trunks.presented import Presented, number_for, of_endpoint, presented
from sandbox.presented import Said, complaints, wrong

NUMBER = "05000000100"


@pytest.mark.parametrize(
    ("domain", "from_user", "wanted"),
    [
        ("", "", Presented(NUMBER, NUMBER, "198.51.100.1", False)),
        ("example.jp", "", Presented(NUMBER, NUMBER, "example.jp", False)),
        ("", "line1", Presented(NUMBER, "line1", "198.51.100.1", True)),
        ("example.jp", NUMBER, Presented(NUMBER, NUMBER, "example.jp", False)),
    ],
)
def test_our_number_in_from_or_asserted(domain: str, from_user: str, wanted: Presented) -> None:
    found = presented(NUMBER, "198.51.100.1", domain, from_user)
    assert found == wanted
    assert found.shown == NUMBER


def test_what_an_endpoint_of_asterisk_would_show() -> None:
    assert of_endpoint({}, NUMBER) == Presented(NUMBER, NUMBER, "", False)
    there = of_endpoint({"from_user": "line1", "from_domain": "example.jp", "send_pai": "false"}, NUMBER)
    assert there.shown == "line1"
    assert of_endpoint({"from_user": "line1", "send_pai": "true"}, NUMBER).shown == NUMBER


def test_every_leg_has_a_number() -> None:
    numbers = {"east": NUMBER, "west": "05000000200"}
    assert number_for("09000000001@west", numbers) == "05000000200"
    assert number_for("desk", numbers) == number_for("@other", numbers) == NUMBER
    assert number_for("desk", {}) == ""


OURS = presented(NUMBER, "example.jp")
NAMED = presented(NUMBER, "example.jp", from_user="line1")
FROM = f"<sip:{NUMBER}@example.jp>;tag=1"
LINE1 = "<sip:line1@example.jp>"
PAI = [f"<sip:{NUMBER}@example.jp>"]


@pytest.mark.parametrize(
    ("said", "wanted", "count"),
    [
        (Said("0900", FROM, [], ""), OURS, 0),
        (Said("0900", f'"{NUMBER}" {FROM}', [], "none"), OURS, 0),
        (Said("0900", LINE1, PAI, ""), NAMED, 0),
        (Said("0900", f'"Anonymous" {FROM}', [], ""), OURS, 1),
        (Said("0900", f"<sip:{NUMBER}@anonymous.invalid>", [], ""), OURS, 2),
        (Said("0900", f"<sip:{NUMBER}@192.0.2.1>", [], ""), OURS, 1),
        (Said("0900", FROM, PAI, ""), OURS, 1),
        (Said("0900", LINE1, [], ""), NAMED, 1),
        (Said("0900", FROM, [], "id"), OURS, 1),
        (Said("0900", FROM, [], "", "<sip:x@y>"), OURS, 1),
        (Said("0900", "", [], ""), OURS, 1),
    ],
)
def test_what_is_wrong_with_a_call(said: Said, wanted: Presented, count: int) -> None:
    assert len(list(complaints(said, wanted))) == count
    assert len(list(wrong([said], [wanted]))) == min(count, 1)


def test_a_call_may_be_ours_by_any_trunk_to_that_provider() -> None:
    assert list(wrong([Said("0900", FROM, [], ""), Said("0900", LINE1, PAI, "")], [OURS, NAMED])) == []
