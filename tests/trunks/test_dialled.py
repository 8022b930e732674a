"""How a number on a trunk is named to Asterisk."""

import pytest

from ivr.trunks.dialled import dialled, place_of

PLACES = {"east": "example.jp", "west": "198.51.100.1:5070"}


@pytest.mark.parametrize(
    ("endpoint", "wanted"),
    [
        ("09000000001@east", "PJSIP/east/sip:09000000001@example.jp"),
        ("09000000001@west", "PJSIP/west/sip:09000000001@198.51.100.1:5070"),
        ("09000000001@theirs", "PJSIP/09000000001@theirs"),
        ("desk", "PJSIP/desk"),
    ],
)
def test_what_asterisk_is_asked_to_ring(endpoint: str, wanted: str) -> None:
    assert dialled(endpoint, PLACES) == wanted


def test_where_calls_are_addressed() -> None:
    assert place_of("198.51.100.1", 5070, "") == "198.51.100.1:5070"
    assert place_of("sip.example.jp", None, "") == "sip.example.jp"
    assert place_of("198.51.100.1", 5070, "example.jp") == "example.jp"
