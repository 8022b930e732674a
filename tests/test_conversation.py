"""The gate, the ID, the walk and the border of one call's faults; no database."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from ivr.call import Ending, Outcome
from ivr.conversation import (
    Greeted,
    Voice,
    converse,
    greet,
    hold,
    judge,
    say_and_end,
)
from ivr.errors import PbxSilent, StorageError, problem
from ivr.loading import CALL_FRAME
from ivr.phone import HungUp
from ivr.prompts import PAUSE, PAUSE_SECONDS, Prompts, Sound
from ivr.questionnaire.model import Input, SessionStatus, Turn
from ivr.questionnaire.parse import parse
from ivr.questionnaire.said import prompt_ids
from ivr.questionnaire.turns import MOST_REPEATS, start
from ivr.terminal import unrecorded
from tests.cases_runner import ROOT
from tests.fakes.phone import FakePhone, keys
from tests.fakes.site import SHORT

VOICE = Voice(unrecorded({*CALL_FRAME, *prompt_ids(SHORT)}, "ja"), "ja")

GREETING = ("frame/greeting", "frame/ready")


def noted(action: str, error: BaseException) -> None:
    """Staff are told of nothing but of calls that failed."""
    assert action == "call_failed"
    assert not isinstance(error, HungUp)


WRONG = ("frame/wrong_key", "frame/ready")
DOUBT = ("frame/greeting", "frame/doubt", "frame/ready")


@pytest.mark.parametrize(
    ("pressed", "found", "said"),
    [
        pytest.param("1", Greeted.READY, [GREETING], id="ready at once"),
        pytest.param("- - 1", Greeted.READY, [GREETING, DOUBT, DOUBT], id="ready at the third time"),
        pytest.param("0", Greeted.CALL_WISHED, [GREETING], id="wishes a call"),
        pytest.param("- - -", Greeted.NOBODY, [GREETING, DOUBT, DOUBT], id="nobody"),
        # Whoever presses another key is there, and has not used up a greeting.
        pytest.param("5 9 2 1", Greeted.READY, [GREETING, WRONG, WRONG, WRONG], id="other keys are no consent"),
        pytest.param("5 - - 1", Greeted.READY, [GREETING, WRONG, DOUBT, DOUBT], id="a wrong key and silences"),
        pytest.param("5 9 2 5 9 1", Greeted.LOST, [GREETING, *4 * [WRONG]], id="never the right key"),
        pytest.param("* 1", Greeted.READY, [GREETING, GREETING], id="once more"),
        pytest.param("- * - - 1", Greeted.NOBODY, [GREETING, DOUBT, DOUBT, DOUBT], id="once more costs no time"),
        pytest.param("# 1", Greeted.READY, [GREETING, DOUBT], id="# is no key"),
    ],
)
async def test_the_gate(pressed: str, found: Greeted, said: list[tuple[str, ...]]) -> None:
    phone = FakePhone(press=keys(pressed))
    assert await greet(phone, VOICE, times=3, wait_seconds=8) is found
    assert phone.said == said


async def test_the_gate_waits_as_long_as_the_settings_say() -> None:
    phone = FakePhone(press=keys("1"))
    await greet(phone, VOICE, times=4, wait_seconds=7.5)
    assert [each.first_key for each in phone.rules] == [7.5]


async def test_a_stuck_star_comes_to_an_end() -> None:
    stuck = FakePhone(press=lambda _: "*")
    assert await greet(stuck, VOICE, times=4, wait_seconds=8) is Greeted.NOBODY
    assert len(stuck.said) == MOST_REPEATS + 1


def nowhere() -> Path:
    """Nothing is said in these."""
    raise AssertionError


async def test_each_turn_is_committed_before_it_is_heard() -> None:
    events: list[tuple[str, ...]] = []

    async def commit(turn: Turn, given: Input | None) -> None:
        events.append(turn.say)

    async def heard(_: int, said: tuple[str, ...]) -> None:
        events.append(said)

    phone = FakePhone(press=keys("2 2 365 1 98# 1"), watch=heard)
    last = await converse(phone, VOICE, SHORT, start(SHORT), commit, nowhere)
    assert len(events) == 14
    assert events[::2] == events[1::2]
    assert last.session.status is SessionStatus.COMPLETED
    assert not phone.over


async def test_what_cannot_be_committed_is_not_heard() -> None:
    commits = 0

    async def commit(_: Turn, given: Input | None) -> None:
        nonlocal commits
        commits += 1
        if commits == 3:
            raise StorageError(problem("storage.full"))

    phone = FakePhone(press=keys("2 2 365 1 98# 1"))
    with pytest.raises(StorageError):
        await converse(phone, VOICE, SHORT, start(SHORT), commit, nowhere)
    assert len(phone.said) == 2


async def test_hold_hangs_up_after_the_last_word() -> None:
    phone = FakePhone()
    assert await hold(phone, VOICE, VOICE.say(phone, ("frame/not_reached",)), noted) == Ending(None, 16)
    assert phone.over


async def test_hold_knows_how_a_call_ended() -> None:
    phone = FakePhone()
    assert await hold(phone, VOICE, say_and_end(phone, VOICE, "frame/not_reached"), noted) == Ending(None, 16)
    assert (phone.said, phone.over) == ([("frame/not_reached",)], True)

    async def cut() -> None:
        raise HungUp(Ending(Outcome.UNKNOWN, 38, 500, "the connection was lost"))

    gone = FakePhone()
    assert await hold(gone, VOICE, cut(), noted) == Ending(Outcome.UNKNOWN, 38, 500, "the connection was lost")
    assert gone.said == []


def failing(error: Exception) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [StorageError(problem("storage.full")), KeyError("x"), PbxSilent()])
async def test_a_fault_is_apologised_for_and_stays_in_its_call(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    phone, told = FakePhone("c-1"), list[tuple[str, BaseException]]()
    assert await hold(phone, VOICE, failing(error)(), lambda *each: told.append(each)) == Ending(Outcome.FAILED)
    assert told == [("call_failed", error)]
    assert (phone.said, phone.over) == ([("frame/apology",)], True)
    (record,) = caplog.records
    assert (record.levelno, vars(record)["action"], vars(record)["call"]) == (logging.ERROR, "call_failed", "c-1")


async def test_a_line_on_which_nothing_can_be_said_is_cleared_all_the_same() -> None:
    phone = FakePhone(faults={0: PbxSilent()})
    assert await hold(phone, VOICE, failing(KeyError())(), noted) == Ending(Outcome.FAILED)
    assert phone.over
    gone = FakePhone(hang_up_before=0)
    assert await hold(gone, VOICE, failing(KeyError())(), noted) == Ending(Outcome.FAILED)


async def test_our_own_end_is_no_fault() -> None:
    async def cancelled() -> None:
        raise GeneratorExit

    phone = FakePhone()
    with pytest.raises(GeneratorExit):
        await hold(phone, VOICE, cancelled(), noted)
    assert not phone.over


@pytest.mark.parametrize(
    ("any_key", "status", "outcome"),
    [
        (False, None, Outcome.NO_KEY),
        (False, SessionStatus.WAITING, Outcome.NO_KEY),
        (True, None, Outcome.ANSWERED),
        (True, SessionStatus.WAITING, Outcome.CUT_OFF),
        (True, SessionStatus.COMPLETED, Outcome.ANSWERED),
        (True, SessionStatus.ENDED_EARLY, Outcome.ANSWERED),
        (True, SessionStatus.GAVE_UP, Outcome.ANSWERED),
    ],
)
def test_judge(any_key: bool, status: SessionStatus | None, outcome: Outcome) -> None:
    assert judge(any_key, status) is outcome


LANGUAGES = parse((ROOT / "questionnaires/examples/languages.yaml").read_bytes(), "languages.yaml")


async def test_whoever_chooses_a_language_hears_it_at_once() -> None:
    sounds = {
        (language, prompt): Sound(f"{prompt} in {language}", Path(), 1.0)
        for language in ("ja", "en")
        for prompt in ("example/language", "example/better", "frame/yes_no_unknown", "frame/thanks")
    }

    sounds |= {(language, PAUSE): Sound(PAUSE, Path(), PAUSE_SECONDS) for language in ("ja", "en")}

    async def commit(turn: Turn, given: Input | None) -> None:
        """Nothing is stored here."""

    phone = FakePhone(press=keys("2 1"))
    await converse(phone, Voice(Prompts(Path(), sounds), "ja"), LANGUAGES, start(LANGUAGES), commit, nowhere)
    assert phone.said == [
        ("example/language in ja", "example/language in en"),
        ("example/better in en", "frame/yes_no_unknown in en"),
        ("frame/thanks in en",),
    ]
