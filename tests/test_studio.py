"""The call in which staff record prompts: who gets in, what is kept, what happens to takes that are not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ivr.conversation import Voice
from ivr.digits import Entry, KeyRules
from ivr.errors import BadInput, problem
from ivr.phone import HungUp, Recording
from ivr.prompts import Prompts, Sound
from ivr.questionnaire.model import RecordRules
from ivr.studio import FRAME, TAKES, TRIES, WRONG_PIN_SECONDS, Studio, record_prompts
from ivr.terminal import unrecorded
from tests.fakes.phone import FakePhone, Press, keys

PIN = "2468"
LIST = ["frame/greeting", "daily/cough"]
PROMPTS: Prompts = unrecorded([*LIST, *FRAME], "ja")


def nothing_in(folder: Path) -> bool:
    return list(folder.iterdir()) == []


def content(take: Path) -> bytes:
    return take.read_bytes()


@dataclass
class Microphone(FakePhone):
    """A telephone into which somebody speaks for as many seconds as `takes` says, one take after another."""

    takes: list[float] = field(default_factory=list)
    recorded: list[Path] = field(default_factory=list)

    async def record(
        self, sounds: Sequence[Sound], rules: KeyRules, limits: RecordRules, target: Path
    ) -> Recording | Entry:
        """One step. Raises HungUp."""
        await self._step(sounds)
        seconds = self.takes.pop(0) if self.takes else 0.0
        if seconds:
            self.write(target)
        return Recording(seconds)

    def write(self, target: Path) -> None:
        """What was said lies there."""
        target.write_bytes(b"take %d" % len(self.recorded))
        self.recorded.append(target)


@dataclass
class Desk:
    """A studio, and what was kept in it."""

    folder: Path
    unfit: int = 0  #: so many takes are refused first
    kept: list[tuple[str, bytes]] = field(default_factory=list)
    drafts: int = 0
    silent: bool = False  #: nothing speaks any prompt yet
    revealed: list[bytes] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def studio(self) -> Studio:
        """The studio of this desk."""
        beep = Sound("beep", Path("beep.wav"), 0.2)
        return Studio(PIN, LIST, self.present, self.draft, self.reveal, beep, self.keep, self.sleep)

    def present(self, prompt: str) -> Sound | None:
        """What speaks it now."""
        return None if self.silent else Sound(prompt, Path("now.wav"), 1.0)

    def reveal(self, take: Path) -> None:
        """A take may be played."""
        self.revealed.append(content(take))

    async def sleep(self, seconds: float) -> None:
        """Takes no time."""
        self.slept.append(seconds)

    def draft(self) -> Path:
        """A new file."""
        self.drafts += 1
        return self.folder / f"{self.drafts}.wav"

    async def keep(self, prompt: str, take: Path) -> None:
        """Refuses the first `unfit` takes."""
        if self.unfit:
            self.unfit -= 1
            raise BadInput(problem("sound.silence", str(take)))
        self.kept.append((prompt, content(take)))


async def call(desk: Desk, press: str | Press, takes: Sequence[float] = ()) -> tuple[Microphone, list[str]]:
    phone = Microphone(press=keys(press) if isinstance(press, str) else press, takes=list(takes))
    done = await record_prompts(phone, Voice(PROMPTS, "ja"), desk.studio())
    assert phone.answered
    assert phone.over
    assert nothing_in(desk.folder)  # no voice of anybody stays behind
    return phone, done


async def test_a_prompt_is_heard_spoken_heard_and_kept(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    phone, done = await call(desk, f"{PIN}# 2# 1 #", [2.5])
    assert done == ["daily/cough"]
    assert desk.kept == [("daily/cough", b"take 0")]
    assert desk.revealed == [b"take 0"]
    assert desk.slept == []
    assert phone.said == [
        ("studio/enter_pin",),
        ("studio/enter_number",),
        ("studio/now", "daily/cough"),
        ("studio/speak", "beep"),
        ("studio/listen", "daily/cough", "studio/accept"),
        ("studio/kept",),
        ("studio/enter_number",),
        ("studio/goodbye",),
    ]


async def test_several_prompts_in_one_call_and_takes_spoken_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    _, done = await call(desk, f"{PIN}# 1# 2 1 2# 1 -", [2.0, 2.1, 3.0])
    assert done == ["frame/greeting", "daily/cough"]
    assert desk.kept == [("frame/greeting", b"take 1"), ("daily/cough", b"take 2")]


async def test_a_take_that_is_not_fit_is_spoken_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path, unfit=1)
    phone, done = await call(desk, f"{PIN}# 1# 1 1 #", [2.0, 2.0])
    assert done == ["frame/greeting"]
    assert ("studio/not_fit",) in phone.said
    assert desk.kept == [("frame/greeting", b"take 1")]


@pytest.mark.parametrize(("press", "takes"), [("3", [2.0]), ("-", [2.0]), ("", [])])
async def test_who_gives_up_changes_nothing(tmp_path: Path, press: str, takes: list[float]) -> None:
    desk = Desk(tmp_path)
    _, done = await call(desk, f"{PIN}# 1# {press} #", takes)
    assert (done, desk.kept) == ([], [])


async def test_takes_come_to_an_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path, unfit=99)
    phone, _ = await call(desk, f"{PIN}# 1# " + "1 " * 99, [2.0] * 99)
    assert len(phone.recorded) == TRIES * TAKES


@pytest.mark.parametrize("press", ["1111# 2222# 3333# 2468#", "- - - 2468#", "24681# 246# 8642#"])
async def test_nobody_gets_in_without_the_pin(tmp_path: Path, caplog: pytest.LogCaptureFixture, press: str) -> None:
    desk = Desk(tmp_path)
    phone, done = await call(desk, press)
    assert done == []
    assert phone.said == [*(("studio/enter_pin",), ("studio/wrong_pin",)) * 3, ("studio/goodbye",)]
    assert desk.slept == [WRONG_PIN_SECONDS] * 3
    assert len(caplog.records) == 3
    told = "".join(str(vars(each)["action"]) + each.getMessage() for each in caplog.records)
    assert not any(each.isdecimal() for each in told)


async def test_a_prompt_that_nothing_speaks_yet_is_recorded(tmp_path: Path) -> None:
    desk = Desk(tmp_path, silent=True)
    phone, done = await call(desk, f"{PIN}# 2# 1 #", [2.5])
    assert done == ["daily/cough"]
    assert phone.said[2] == ("studio/speak", "beep")


async def test_a_wrong_pin_may_be_corrected(tmp_path: Path) -> None:
    phone, _ = await call(Desk(tmp_path), f"1111# {PIN}# #")
    assert phone.said[-1] == ("studio/goodbye",)


@pytest.mark.parametrize("number", ["0#", "3#", "9999#", "*#"])
async def test_numbers_that_are_not_in_the_list(tmp_path: Path, number: str) -> None:
    phone, done = await call(Desk(tmp_path), f"{PIN}# {number} {number} {number} 1#")
    assert done == []
    assert phone.said.count(("studio/no_such_number",)) == 3


async def test_who_hangs_up_loses_only_the_open_take(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    phone = Microphone(press=keys(f"{PIN}# 1# 1 2#"), takes=[2.0, 2.0], hang_up_after=8)
    with pytest.raises(HungUp):
        await record_prompts(phone, Voice(PROMPTS, "ja"), desk.studio())
    assert [prompt for prompt, _ in desk.kept] == ["frame/greeting"]
    assert nothing_in(tmp_path)
