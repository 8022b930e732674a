"""Models of people: numbers with a source, read from models.yaml. Pure but for reading the file."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "models.yaml"


@dataclass(frozen=True)
class Model:
    """How one kind of people behaves at the telephone. Times are seconds, shares are from 0 to 1."""

    id: str
    name: Mapping[str, str]
    share: float  #: of the mix
    first_key: float
    first_key_spread: float
    first_key_most: float
    number_factor: float
    between_keys: float
    between_keys_spread: float
    between_keys_most: float
    hold: float
    handset_back: float
    slip: float
    mishear: float
    mishear_lost: float
    mishear_repeat: float
    mishear_wait: float
    guess_yes: float
    notices: float
    end_key: float
    end_key_more: float
    ahead: float
    fetches: float
    fetch_least: float
    fetch_most: float
    fetches_before: float
    tremor: float
    tremor_least: float
    tremor_most: float
    second_press: float
    second_press_after: float
    wrong_key: float
    zero_nine: float
    star_point: float
    zero_after: float
    zero_before: float
    pulse: float
    switches: float
    talks: float
    hangs_up: float
    breaks_off: float
    differ: float
    wrong_place: float
    place_noticed: float


@dataclass(frozen=True)
class Truth:
    """How people are when they are called."""

    red: float  #: yes to a question that raises an emergency
    other: float  #: yes to another question
    knows: float  #: went through these questions on an earlier day
    number_spread: float  #: standard deviation of a number around its example, as a part of its range


@dataclass(frozen=True)
class Varied:
    """One number, tried with other values."""

    what: str
    times: tuple[float, float]


@dataclass(frozen=True)
class Models:
    """All that the file says."""

    models: Mapping[str, Model]
    truth: Truth
    sensitivity: tuple[Varied, ...]
    sources: Mapping[str, str]  #: place in the file -> source of the number


def read_models(file: Path = FILE) -> Models:
    """Read the models. Raises ValueError naming every number without a source, KeyError for one that is missing."""
    given: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    sources: dict[str, str] = {}
    everybody = _numbers(given["everybody"], "everybody", sources)
    truth = Truth(**_numbers(given["truth"], "truth", sources))
    models = {}
    for id, said in given["models"].items():
        own = _numbers({key: value for key, value in said.items() if key != "name"}, f"models.{id}", sources)
        models[id] = Model(id=id, name=said["name"], **(everybody | own))
    total = sum(each.share for each in models.values())
    if abs(total - 1) > 1e-9:
        raise ValueError(f"{file}: the shares of the models add up to {total:g}, not to 1")
    varied = tuple(Varied(each["what"], (each["times"][0], each["times"][1])) for each in given["sensitivity"])
    return Models(models, truth, varied, sources)


def _numbers(given: Mapping[str, Any], place: str, sources: dict[str, str]) -> dict[str, float]:
    bad = [
        key
        for key, each in given.items()
        if not (isinstance(each, list) and len(each) == 2 and isinstance(each[1], str) and each[1])
    ]
    if bad:
        raise ValueError(f"{place}: write [number, source or assumed] for {', '.join(bad)}")
    sources.update({f"{place}.{key}": each[1] for key, each in given.items()})
    return {key: float(each[0]) for key, each in given.items()}


#: Numbers that are shares, and stay below 1 whatever they are multiplied with.
_SHARES = frozenset({"slip", "mishear", "notices", "hangs_up", "guess_yes", "wrong_key"})


def with_other(models: Models, what: str, times: float) -> Models:
    """The same people, but for one number. Raises ValueError for a number that there is not."""
    if what not in {each.name for each in fields(Model)}:
        raise ValueError(f"sensitivity: no number is called {what}")

    def other(model: Model) -> Model:
        value = getattr(model, what) * times
        changed: dict[str, Any] = {what: min(value, 0.995) if what in _SHARES else value}
        return replace(model, **changed)

    return replace(models, models={id: other(each) for id, each in models.models.items()})
