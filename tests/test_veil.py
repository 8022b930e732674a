"""Names of read-back values that end in Asterisk's log must not be answers."""

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from ivr.ari.playing import media_uri
from ivr.errors import BadInput
from ivr.sounds import load_prompts
from ivr.veil import VALUES, veil
from tests.cases_runner import ROOT

NEW = ("ja", "value/temperature_365")
PROMPTS = load_prompts(ROOT / "prompts")


def test_values_are_played_by_names_that_say_nothing(tmp_path: Path) -> None:
    names = count()
    veiled = veil(PROMPTS, tmp_path / "sounds", lambda: f"x{next(names)}")
    assert veiled.sounds.keys() == PROMPTS.sounds.keys()
    for key, sound in veiled.sounds.items():
        assert sound.path.read_bytes() == PROMPTS.sounds[key].path.read_bytes()
        if sound.prompt.startswith(VALUES):
            assert media_uri(sound).startswith(f"sound:{tmp_path / 'sounds'}/x")
    assert veiled.sounds["ja", "frame/greeting"] == PROMPTS.sounds["ja", "frame/greeting"]


def test_links_of_earlier_runs_are_gone_and_nothing_else(tmp_path: Path) -> None:
    kept = tmp_path / "own.wav"
    kept.write_bytes(b"")
    for run in ("a", "b"):
        names = count()
        veil(PROMPTS, tmp_path, lambda run=run, names=names: f"{run}{next(names)}")  # type: ignore[misc]
    values = sum(prompt.startswith(VALUES) for _, prompt in PROMPTS.sounds)
    assert {each.name[0] for each in tmp_path.iterdir()} == {"b", "o"}
    assert len(list(tmp_path.iterdir())) == values + 1


def test_what_was_veiled_before_keeps_its_links(tmp_path: Path) -> None:
    names = count()
    fewer = replace(PROMPTS, sounds={key: each for key, each in PROMPTS.sounds.items() if key != NEW})
    before = veil(fewer, tmp_path / "sounds", lambda: f"x{next(names)}")
    after = veil(PROMPTS, tmp_path / "sounds", lambda: f"x{next(names)}", before)
    (new,) = after.sounds.keys() - before.sounds.keys()
    assert {key: after.sounds[key] for key in before.sounds} == before.sounds
    assert after.sounds[new].path.readlink() == PROMPTS.sounds[new].path
    assert after.sounds[new].path not in {each.path for each in before.sounds.values()}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BadInput) as refused:
        veil(PROMPTS, tmp_path / "file", lambda: "x")
    assert [each.message for each in refused.value.problems] == ["config.no_links"]
