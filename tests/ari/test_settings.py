"""Which Asterisk will do."""

import pytest

from ivr.ari.settings import PbxSettings, check_version, read_version, rest_over_websocket
from ivr.errors import BadInput


@pytest.mark.parametrize("said", ["22.10.1", "22.10.1+dfsg+~cs6.17.60671434-1", "22.11.0-rc1", "22.10.10"])
def test_the_current_lts_is_welcome(said: str) -> None:
    assert check_version(said) is True


@pytest.mark.parametrize("said", ["20.20.1", "20.21.0"])
def test_the_lts_before_is_tolerated(said: str) -> None:
    assert check_version(said) is False


@pytest.mark.parametrize(
    "said", ["22.10.0", "22.9.9", "20.20.0", "18.26.4", "21.12.1", "23.1.0", "certified-20.7-cert8", "GIT-22-abc", ""]
)
def test_any_other_is_refused_in_one_sentence(said: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_version(said)
    assert len(refused.value.problems) == 1
    assert "22.10.1" in refused.value.render("ja")
    assert "22.10.1" in refused.value.render("en")


@pytest.mark.parametrize(
    ("said", "offers"),
    [("22.4.0", True), ("22.3.9", False), ("20.14.0", True), ("20.13.9", False), ("21.9.0", False), ("23.0.0", True)],
)
def test_where_requests_may_go_over_the_websocket(said: str, offers: bool) -> None:
    assert rest_over_websocket(said) is offers


def test_a_version_is_three_numbers() -> None:
    assert read_version("22.10.1+dfsg") == (22, 10, 1)
    assert read_version("22.10") is None


def test_the_secret_does_not_show() -> None:
    assert "hunter2" not in repr(PbxSettings("http://127.0.0.1:8088", "kenko", "hunter2"))
