"""Commands, replies and headers, without a connection."""

from pathlib import Path

import pytest
from panoramisk.utils import parse_agi_result

from ivr.digits import KeyRules
from ivr.fastagi import words
from ivr.fastagi.header import Arrival, read_arrival, read_fields
from ivr.fastagi.words import Reply, read_reply
from ivr.questionnaire.model import RecordRules
from tests.fastagi.pbx import CALL, HEADER


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("200 result=0", Reply(0)),
        ("200 result=49 endpos=12345", Reply(49, end=12345)),
        ("200 result=1 (ANSWER)", Reply(1, "ANSWER")),
        ("200 result=0 (timeout) endpos=16000", Reply(0, "timeout", 16000)),
        ("200 result=-1 endpos=-1", Reply(-1, failed=True)),
        ("510 Invalid or unknown command", Reply(-1, failed=True)),
        ("511 Command Not Permitted on a dead channel or intercept routine", None),
        ("200 result=-1 (hangup) endpos=800", None),
        ("HANGUP", None),
    ],
)
def test_replies(said: str, reply: Reply | None) -> None:
    assert read_reply(parse_agi_result(said)) == reply


@pytest.mark.parametrize(("result", "key"), [(0, ""), (-1, ""), (1, ""), (99999, ""), (42, "*"), (35, "#"), (53, "5")])
def test_the_key_of_a_reply(result: int, key: str) -> None:
    assert Reply(result).key == key


def test_commands() -> None:
    assert words.play(Path("/p/a b.wav"), "", 0) == 'STREAM FILE "/p/a b" "" 0'
    assert words.play(Path("/p/a.wav"), "12#", 800) == "STREAM FILE /p/a 12# 800"
    assert words.wait(0.0001) == "WAIT FOR DIGIT 1"
    assert words.wait(2.5) == "WAIT FOR DIGIT 2500"
    assert words.dial("PJSIP/desk", 29.5, "") == 'EXEC Dial "PJSIP/desk,30,grI"'
    assert words.dial("PJSIP/0310000001@trunk-2", 30, "05000000200").endswith(',30,grIf(05000000200)"')
    rules = KeyRules(ignored=frozenset("#5"))
    assert words.stopping(rules) == "012346789*"
    tape = words.record(Path("/r/x-1.wav"), rules, RecordRules(60, 4))
    assert tape == "RECORD FILE /r/x-1 wav 012346789*# 60000 0 s=4"


@pytest.mark.parametrize("word", ['a"b', "a\\b", "a\nHANGUP", "a\r"])
def test_what_agi_would_misread(word: str) -> None:
    with pytest.raises(ValueError, match="misread"):
        words.command("EXEC", word)


@pytest.mark.parametrize(
    ("changed", "arrival"),
    [
        ({}, Arrival(CALL, "09000000001", "05000000100")),
        ({"09000000001": "unknown"}, Arrival(CALL, None, "05000000100")),
        ({"09000000001": "anonymous"}, Arrival(CALL, None, "05000000100")),
        ({"agi_arg_1: 05000000100\n": ""}, Arrival(CALL, "09000000001", "05000000100")),
        ({"script: inbound": "script: else"}, None),
        ({CALL: ""}, None),
        ({CALL: "../../etc/passwd"}, None),
        ({CALL: "1 2"}, None),
        ({CALL: "1" * 129}, None),
        ({"agi_": "agx_"}, None),
    ],
)
def test_what_asterisk_says_of_a_call(changed: dict[str, str], arrival: Arrival | None) -> None:
    text = HEADER.format(call=CALL, caller="09000000001")
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    assert read_arrival(read_fields(text.encode())) == arrival


def test_no_bytes_are_too_strange() -> None:
    assert read_fields(bytes(range(256)) * 3) == {}
