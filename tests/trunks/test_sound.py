"""What sound goes over a trunk."""

import pytest

from ivr.trunks.sound import offered


@pytest.mark.parametrize(
    ("endpoint", "is_limited"),
    [("09000000001@trunk", True), ("desk", False), ("", False)],
)
def test_calls_to_numbers_offer_what_we_can_play(endpoint: str, is_limited: bool) -> None:
    variables = {"PJSIP_MEDIA_OFFER(audio)": "!all,ulaw,alaw"}
    assert offered(endpoint) == ({"variables": variables} if is_limited else {})
