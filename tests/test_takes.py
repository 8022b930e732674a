"""The studio of one site: the PIN's file, the numbers of the prompts, and what becomes of a take."""

import asyncio
import os
import shutil
import stat
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ivr.errors import BadInput, StorageError
from ivr.prompts import Sound
from ivr.site import Site
from ivr.studio import Studio
from ivr.takes import forget_takes, import_apart, read_pin, reveal, studio_of
from ivr.voice.review import review
from tests.cases_runner import ROOT
from tests.fakes.site import settings

PROMPT = "frame/greeting"
SCRIPT = f"""prompts:
  {PROMPT}:
    text: 咳や、鼻水が、ありますか。
    reading: セキヤ、ハナミズガ、アリマスカ。
"""


async def no_sleep(_: float) -> None:
    """No time passes."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Prompts of one line, which nothing speaks yet."""
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "ja.yaml").write_text(SCRIPT, encoding="utf-8")
    return tmp_path / "prompts"


@pytest.fixture
def studio(site: Site, folder: Path) -> Studio:
    config = settings(
        prompts=str(folder),
        pbx={"secret_file": "s", "inbound_numbers": ["05000000100"], "value_links": str(folder.parent / "sounds")},
    )
    prompts = replace(site.prompts, beep=Sound("beep", Path("beep.wav"), 0.2))
    names = iter(("a", "b")).__next__
    return studio_of(replace(site, config=config, prompts=prompts), "2468", names, no_sleep, asyncio.Lock())


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


def spoken(path: Path) -> Path:
    """Somebody's voice: a prompt of ours, at the level of a telephone."""
    with wave.open(str(ROOT / "prompts" / "ja" / "daily" / "cough.wav"), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") // 3
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.pad(samples, 4000).astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("pin", ["2468", " 13579135\n"])
def test_a_pin(tmp_path: Path, pin: str) -> None:
    (tmp_path / "pin").write_text(pin, encoding="utf-8")
    assert read_pin(tmp_path / "pin") == pin.strip()


@pytest.mark.parametrize("pin", [b"", b"246", b"246813579", b"24a8", b"2468\n1357", "２４６８".encode(), b"\xff\xfe"])
def test_no_pin(tmp_path: Path, pin: bytes) -> None:
    (tmp_path / "pin").write_bytes(pin)
    with pytest.raises(BadInput) as caught:
        read_pin(tmp_path / "pin")
    assert (
        caught.value.render("en") == f"{tmp_path / 'pin'}:1: write the PIN of the studio as 4 to 8 digits on one line"
    )


def test_no_file_with_a_pin(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        read_pin(tmp_path / "pin")
    assert "studio.pin_file" in caught.value.render("en")


async def test_a_take_that_is_accepted_speaks_the_prompt(studio: Studio, folder: Path) -> None:
    assert studio.prompts == [PROMPT]
    assert studio.present(PROMPT) is None
    take = spoken(studio.draft())
    before = os.umask(0o077)
    try:
        await studio.keep(PROMPT, take)
    finally:
        os.umask(before)
    now = studio.present(PROMPT)
    assert now is not None
    assert now.path == folder / "ja" / f"{PROMPT}.wav"
    assert stat.S_IMODE(now.path.stat().st_mode) == 0o644
    assert 1 < now.seconds < 5
    (known,) = review(folder, "ja", {PROMPT})
    assert known.made is not None
    assert (known.made.voice, known.problems) == ("recording", ())
    assert studio.draft() != take


async def test_a_take_that_is_not_fit_changes_nothing(folder: Path, tmp_path: Path) -> None:
    take = tmp_path / "take.wav"
    with wave.open(str(take), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    with pytest.raises(BadInput) as caught:
        await import_apart(folder, "ja", "2026-11-04", PROMPT, take)
    assert [each.message for each in caught.value.problems] == ["sound.silence"]
    assert names_in(folder) == ["ja.yaml"]


def test_asterisk_may_read_a_take_that_is_to_be_heard(tmp_path: Path) -> None:
    take = tmp_path / "take-1.wav"
    os.close(os.open(take, os.O_CREAT | os.O_WRONLY, 0o600))
    reveal(take)
    assert stat.S_IMODE(take.stat().st_mode) == 0o644
    with pytest.raises(StorageError):
        reveal(tmp_path / "none.wav")


def test_takes_of_a_process_before_are_forgotten(studio: Studio) -> None:
    take = spoken(studio.draft())
    beep = take.with_name("beep.wav")
    shutil.copy(take, take.with_suffix(".part"))
    shutil.copy(take, beep)
    forget_takes(take.parent)
    assert list(take.parent.iterdir()) == [beep]
