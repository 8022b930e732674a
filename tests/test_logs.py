"""How log lines look, and what our own lines may carry."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.inbound import receive
from ivr.logs import FIELDS, log_to_stderr
from ivr.outbound import ring
from ivr.site import Site
from ivr.storage.calls import plan_attempt
from tests.cases_runner import ROOT
from tests.fakes.phone import FakeLine, FakePhone, keys
from tests.storage.records import HANAKO, SACHIKO, attempt

SOURCES = [path for folder in ("ivr", "scheduler") for path in (ROOT / folder).rglob("*.py")]


@pytest.fixture
def _root_logger() -> Iterator[None]:
    root, access = logging.getLogger(), logging.getLogger("aiohttp.access")
    before = (root.handlers[:], root.level, access.level)
    yield
    root.handlers[:], root.level, access.level = before


@pytest.mark.usefixtures("_root_logger")
def test_a_line_is_a_sentence_and_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr()
    log = logging.getLogger("ivr.outbound")
    log.info("call over", extra={"call": "kc-1", "action": "call_ended", "outcome": "busy", "number": "09000000001"})
    log.debug("not shown")
    log.warning("%s calls", 3)
    try:
        raise KeyError("why")
    except KeyError:
        log.exception("a call failed", extra={"action": "call_failed"})
    logging.getLogger("aiohttp.access").info("POST /channels/x?endpoint=PJSIP/09000000001")
    first, second, third, *trace = capsys.readouterr().err.splitlines()
    assert first.endswith(" INFO ivr.outbound: call over action=call_ended call=kc-1 outcome=busy")
    assert second.endswith(" WARNING ivr.outbound: 3 calls")
    assert third.endswith(" ERROR ivr.outbound: a call failed action=call_failed")
    assert trace[0] == "Traceback (most recent call last):"
    assert trace[-1] == "KeyError: 'why'"


def log_calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            if isinstance(of, ast.Name) and of.id == "log":
                yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_lines_carry_only_known_fields(path: Path) -> None:
    for call in log_calls(path):
        for extra in (each.value for each in call.keywords if each.arg == "extra"):
            if isinstance(extra, ast.Dict):
                assert {key.value for key in extra.keys if isinstance(key, ast.Constant)} <= set(FIELDS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_lines_are_never_put_together_from_values(path: Path) -> None:
    """An f-string would hide what stands in it; names, numbers and keys are never arguments."""
    for call in log_calls(path):
        assert not isinstance(call.args[0], ast.JoinedStr)
        named = {ast.unparse(each).split(".")[-1] for each in call.args[1:]}
        assert named & {"number", "numbers", "name", "kana", "keys", "caller", "claimed", "person", "order"} == set()


async def test_whole_calls_leave_no_name_number_or_key_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    own = HANAKO.numbers[1]
    walk = "2 2 365 1 98# 1"
    planned = attempt("a-1")
    await site.database.write(plan_attempt, planned)
    await ring(site, FakeLine(lambda order: FakePhone(order.call_id, keys(f"1 {walk}"))), planned)
    given = (f"{SACHIKO.id}# 3100405# {walk}", f"{SACHIKO.id}# 3100406# " * 3, "999999# 3100405# " * 3 + "0", "1 2 3")
    for caller, pressed in ((own, walk), *((each, pressed) for each in (None, "0310000099") for pressed in given)):
        for fault in ({}, {2: KeyError("told nothing")}):
            await receive(site, FakePhone(site.new_id(), keys(pressed), faults=fault), caller)
    assert len(caplog.records) > 9
    # Not the times and places of the records, in which any digits may stand.
    shown = "\n".join(
        logging.Formatter().format(each) + repr([vars(each).get(name) for name in FIELDS]) for each in caplog.records
    )
    for secret in (
        HANAKO.name,
        HANAKO.kana,
        *HANAKO.numbers,
        HANAKO.id,
        SACHIKO.id,
        "999999",
        "310040",
        "1935",
        "0310000099",
        "36.5",
        "as_usual",
    ):
        assert secret not in shown
