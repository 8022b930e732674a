"""`scripts/bench people`: how many people get through a call, by model and in the mix."""

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bench.people.body import fetching
from bench.people.day import Day, World, household_day, inbound_day, outbound_day
from bench.people.model import Models, read_models, with_other
from bench.people.tally import SHARES, Count, median_seconds, mix_of, share_of, worst_question
from ivr.errors import KenkoError
from ivr.loading import CALL_FRAME, load_questionnaire
from ivr.messages import language_in_force, text
from ivr.prompts import Prompts, Sound, spoken_as
from ivr.questionnaire.model import Kind, Questionnaire
from ivr.questionnaire.said import prompt_ids
from ivr.questionnaire.words import called
from ivr.sounds import load_prompts
from ivr.voice.review import read_script

ROOT = Path(__file__).resolve().parents[2]
DAILY = ROOT / "questionnaires" / "daily.yaml"
PROMPTS = ROOT / "prompts"
#: Seconds that a prompt is taken to last that nobody has spoken yet.
UNSPOKEN = 4.0
#: People in one piece of work.
_PIECE = 250
WAYS = ("outbound", "known", "by_id", "couple", "three")


@dataclass(frozen=True)
class Piece:
    """Some people of one model, for one process."""

    way: str
    model: str
    first: int
    count: int
    seed: int


def people_of(world: World, models: Models, piece: Piece) -> Count:
    """Simulate a piece. The same piece always gives the same."""
    found = Count()
    model = models.models[piece.model]
    for index in range(piece.first, piece.first + piece.count):
        chance = Random(f"{piece.seed}/{piece.way}/{piece.model}/{index}")
        for day in _days(world, models, piece.way, model.id, chance):
            found.add(day)
    return found


def _days(world: World, models: Models, way: str, model: str, chance: Random) -> Sequence[Day]:
    own = models.models[model]
    if way == "outbound":
        return [outbound_day(world, own, chance)]
    if way in ("known", "by_id"):
        return [inbound_day(world, own, chance, by_id=way == "by_id")]
    others = list(models.models.values())
    drawn = chance.choices(others, [each.share for each in others], k=1 if way == "couple" else 2)
    return list(household_day(world, dict(enumerate((own, *drawn), 1)), chance).values())


_WORLD: dict[str, tuple[World, Models]] = {}


def _begin(world: World, models: Models) -> None:
    _WORLD["of this process"] = world, models


def _work(piece: Piece) -> tuple[str, Count]:
    return piece.model, people_of(*_WORLD["of this process"], piece)


def measure(
    world: World, models: Models, way: str, people: int, seed: int, processes: int | None = None
) -> dict[str, Count]:
    """So many people of each model, on all cores: model -> what came of them."""
    pieces = [
        Piece(way, model, first, min(_PIECE, people - first), seed)
        for model in models.models
        for first in range(0, people, _PIECE)
    ]
    counts = {model: Count() for model in models.models}
    processes = processes or os.cpu_count() or 1
    if processes == 1:
        _begin(world, models)
        for piece in pieces:
            counts[piece.model].join(_work(piece)[1])
        return counts
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(world, models)) as pool:
        for model, count in pool.map(_work, pieces):
            counts[model].join(count)
    return counts


def world_of(questionnaire: Questionnaire, models: Models, folder: Path = PROMPTS) -> World:
    """The world in which this questionnaire is asked; a prompt without a sound is taken to last UNSPOKEN."""
    loaded = load_prompts(folder)
    sounds = dict(loaded.sounds)
    for prompt in (*prompt_ids(questionnaire), *CALL_FRAME, "frame/severe"):
        key = spoken_as(prompt, questionnaire.language)
        sounds.setdefault(key, Sound(prompt, folder, UNSPOKEN))
    words = {line.prompt: line.text for line in read_script(folder, "ja").lines}
    greeting = [words.get(each, "") for each in ("frame/greeting", "frame/doubt", "frame/ready")]
    return World(questionnaire, Prompts(folder, sounds), models.truth, fetching(greeting))


def main(
    people: Annotated[int, typer.Option("--people", min=10, help=text("bench.people.people"))] = 1000,
    questionnaire: Annotated[Path, typer.Option("--questionnaire", help=text("bench.people.file"))] = DAILY,
    way: Annotated[str, typer.Option("--way", help=text("bench.people.way", ways="、".join(WAYS)))] = "outbound",
    sensitivity: Annotated[bool, typer.Option("--sensitivity", help=text("bench.people.sensitivity"))] = False,
    seed: Annotated[int, typer.Option("--seed", help=text("bench.people.seed"))] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help=text("bench.people.json"))] = None,
) -> None:
    """Exit code 0; 2 if it could not be simulated."""
    out = Console(highlight=False, soft_wrap=True)
    try:
        models = read_models()
        asked, _ = load_questionnaire(questionnaire)
        world = world_of(asked, models)
    except KenkoError as error:
        out.print(error.render(), markup=False, style="red")
        raise typer.Exit(2) from None
    if way not in WAYS:
        out.print(text("bench.people.no_way", way=way, ways=", ".join(WAYS)), markup=False, style="red")
        raise typer.Exit(2)
    counts = measure(world, models, way, people, seed)
    _show(out, models, counts)
    out.print(in_one_sentence(asked, models, counts), markup=False)
    varied = sensitivity_of(world, models, people, seed, way) if sensitivity else {}
    if varied:
        _show_varied(out, varied)
    if json_file is not None:
        said = {"people": people, "seed": seed, "way": way, "models": as_data(models, counts), "sensitivity": varied}
        json_file.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def shares_of(models: Models) -> dict[str, float]:
    """Model -> its share of the mix."""
    return {each.id: each.share for each in models.models.values()}


def in_one_sentence(questionnaire: Questionnaire, models: Models, counts: Mapping[str, Count]) -> str:
    """How many get through, and where most are lost."""
    through = mix_of(counts, shares_of(models), "thrice")
    order = [each.id for each in questionnaire.questions if each.kind is not Kind.SAY]
    worst = worst_question(counts, shares_of(models), order)
    said = text("bench.people.through", count=round(through.percent))
    if not worst:
        return said
    if worst == "gate":
        return said + text("bench.people.lost_at_gate")
    name = called(questionnaire, worst, language_in_force())
    return said + text("bench.people.lost_at", number=order.index(worst) + 1, name=name)


def sensitivity_of(world: World, models: Models, people: int, seed: int, way: str) -> dict[str, dict[str, float]]:
    """Number and factor -> the mix with it, in percent."""
    found = {}
    for varied in models.sensitivity:
        for times in varied.times:
            counts = measure(world, with_other(models, varied.what, times), way, people, seed)
            found[f"{varied.what} × {times:g}"] = {
                name: round(mix_of(counts, shares_of(models), name).percent, 2) for name in _COLUMNS
            }
    return found


_COLUMNS = tuple(name for name in SHARES if name not in ("wrong_name", "wrong_name_unchosen"))


def as_data(models: Models, counts: Mapping[str, Count]) -> dict[str, Any]:
    """For programs."""
    rows: dict[str, Any] = {
        id: {name: share_of(count, name).percent for name in SHARES}
        | {"days": count.days, "seconds": median_seconds(count), "lost_at": dict(count.lost_at)}
        for id, count in counts.items()
    }
    mix = {name: mix_of(counts, shares_of(models), name) for name in SHARES}
    rows["mix"] = {name: {"percent": each.percent, "error": each.error} for name, each in mix.items()}
    return rows


def _show(out: Console, models: Models, counts: Mapping[str, Count]) -> None:
    table = Table(title=text("bench.people.title"))
    table.add_column(text("bench.people.model"))
    names = [name for name in SHARES if any(each.found[name] for each in counts.values()) or name in _COLUMNS]
    for name in names:
        table.add_column(text(f"bench.people.column.{name}"), justify="right")
    table.add_column(text("bench.people.column.seconds"), justify="right")
    for id, count in counts.items():
        model = models.models[id]
        row = [str(share_of(count, name)) for name in names]
        label = f"{id} {model.name[language_in_force()]} ({model.share:.2f})"
        table.add_row(label, *row, f"{median_seconds(count):.0f}")
    mix = [mix_of(counts, shares_of(models), name) for name in names]
    table.add_section()
    table.add_row(text("bench.people.mix"), *(f"{each.percent:.1f} ±{each.error:.1f}" for each in mix), "")
    out.print(table)


def _show_varied(out: Console, varied: Mapping[str, Mapping[str, float]]) -> None:
    table = Table(title=text("bench.people.varied"))
    table.add_column("")
    for name in _COLUMNS:
        table.add_column(text(f"bench.people.column.{name}"), justify="right")
    for what, row in varied.items():
        table.add_row(what, *(f"{row[name]:.1f}" for name in _COLUMNS))
    out.print(table)


if __name__ == "__main__":
    typer.run(main)
