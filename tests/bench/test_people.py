"""The simulation of people: its shape, that it is the same every time, and that the real engine stands behind it."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bench.people.__main__ import Piece, as_data, in_one_sentence, measure, people_of, sensitivity_of, world_of
from bench.people.day import Day, World, household_day, inbound_day, outbound_day
from bench.people.model import Model, Models, read_models, with_other
from bench.people.tally import SHARES, Count, mix_of, share_of
from ivr.loading import load_questionnaire
from tests.cases_runner import ROOT

MODELS = read_models()
FILE = ROOT / "bench" / "people" / "models.yaml"


@pytest.fixture(scope="module")
def world() -> World:
    asked, _ = load_questionnaire(ROOT / "questionnaires" / "daily.yaml")
    return world_of(asked, MODELS)


def perfect(**other: float) -> Model:
    """Somebody who hears all and hits every key."""
    never = ("slip", "mishear", "mishear_lost", "hangs_up", "breaks_off", "differ", "end_key_more", "wrong_place")
    sure = {"notices": 1.0, "end_key": 1.0, "place_noticed": 1.0, "first_key_spread": 0.1, "between_keys_spread": 0.1}
    return replace(MODELS.models["a"], **(dict.fromkeys(never, 0.0) | sure | other))  # type: ignore[arg-type]


def test_every_number_says_where_it_is_from() -> None:
    assert len(MODELS.sources) > 60
    assert all(MODELS.sources.values())
    assert sum(each.share for each in MODELS.models.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("said", "wrong", "complaint"),
    [
        pytest.param("slip: [0.03, assumed]", "slip: 0.03", "slip", id="no source"),
        pytest.param("share: [0.52, assumed]", "share: [0.50, assumed]", "0.98", id="shares"),
    ],
)
def test_a_file_of_models_that_is_wrong_is_refused(tmp_path: Path, said: str, wrong: str, complaint: str) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(FILE.read_text(encoding="utf-8").replace(said, wrong), encoding="utf-8")
    with pytest.raises(ValueError, match=complaint):
        read_models(file)


@pytest.mark.parametrize("seed", range(5))
def test_who_makes_no_mistake_is_through_at_once_and_nothing_false_is_stored(world: World, seed: int) -> None:
    day = outbound_day(world, perfect(), Random(seed))
    assert (day.completed, day.calls, day.follow_up) == (1, 1, False)
    assert not any((day.false_number, day.false_symptom, day.false_emergency, day.missed_red))
    assert 150 < day.seconds[0] < 400


def test_who_presses_nothing_is_called_again_and_handed_to_staff(world: World) -> None:
    day = outbound_day(world, perfect(pulse=1.0, switches=0.0), Random(1))
    assert (day.completed, day.calls, day.lost_at, day.follow_up) == (0, world.dialling.attempts, "gate", True)


def test_a_telephone_without_tones_is_heard_once_it_is_switched(world: World) -> None:
    assert outbound_day(world, perfect(pulse=1.0, switches=1.0), Random(1)).completed == 1


def test_who_is_far_too_slow_is_lost_at_a_question(world: World) -> None:
    slow = perfect(first_key=7.0, first_key_spread=0.01, number_factor=60.0, first_key_most=600.0)
    day = outbound_day(world, slow, Random(1))
    assert (day.gave_up_at, day.lost_at, day.completed, day.calls) == ("temperature", "temperature", 0, 1)
    assert day.follow_up


def test_who_hangs_up_goes_on_at_the_next_call(world: World) -> None:
    days = [outbound_day(world, perfect(breaks_off=0.05), Random(seed)) for seed in range(30)]
    assert any(each.completed == 2 for each in days)


def test_by_id_and_birth_date(world: World) -> None:
    assert inbound_day(world, perfect(), Random(1), by_id=True).completed == 1
    assert inbound_day(world, perfect(slip=0.9), Random(1), by_id=True).completed == 0
    assert inbound_day(world, perfect(), Random(1), by_id=False).completed == 1


def test_a_couple_reports_on_one_call_each_under_their_own_name(world: World) -> None:
    days = household_day(world, {1: perfect(), 2: perfect()}, Random(3))
    assert [(each.completed, each.wrong_name) for each in days.values()] == [(1, False), (1, False)]


def test_another_name_is_only_ever_taken_by_key(world: World) -> None:
    wrong = perfect(wrong_place=0.5, place_noticed=0.5)
    days = [each for seed in range(20) for each in household_day(world, {1: wrong, 2: wrong}, Random(seed)).values()]
    assert any(each.wrong_name for each in days)
    assert all(each.by_key for each in days if each.wrong_name)


def test_the_same_seed_gives_the_same_whatever_the_processes(world: World) -> None:
    few = replace(MODELS, models={id: MODELS.models[id] for id in ("a", "d")})
    one = measure(world, few, "outbound", 12, seed=7, processes=1)
    two = measure(world, few, "outbound", 12, seed=7, processes=2)
    assert as_data(few, one) == as_data(few, two)
    assert as_data(few, one) != as_data(few, measure(world, few, "outbound", 12, seed=8, processes=1))


def test_the_figures_of_a_model(world: World) -> None:
    found = people_of(world, MODELS, Piece("outbound", "a", 0, 20, 1))
    assert found.days == 20
    assert {round(share_of(found, name).percent) for name in SHARES} <= set(range(0, 101, 5))


def counted(days: int, thrice: int) -> Count:
    count = Count()
    for index in range(days):
        lost = "" if index < thrice else "oxygen"
        count.add(Day("-", completed=int(index < thrice), seconds=[200.0], lost_at=lost))
    return count


def test_the_mix_weighs_each_model_by_its_share() -> None:
    mix = mix_of({"a": counted(100, 90), "b": counted(100, 50)}, {"a": 0.75, "b": 0.25}, "thrice")
    assert mix.percent == pytest.approx(80)
    assert mix.error == pytest.approx(((0.75 * 3.0) ** 2 + (0.25 * 5.0) ** 2) ** 0.5)


def test_an_operator_hears_how_many_get_through_and_where_they_are_lost(world: World) -> None:
    said = in_one_sentence(world.questionnaire, MODELS, {"a": counted(100, 81)})
    assert "81人" in said
    assert "2番目の質問（血液の酸素の数値）" in said


@pytest.mark.parametrize("name", ["returnee", "several", "voice_message", "zaitaku"])
def test_a_questionnaire_of_ones_own(name: str) -> None:
    asked, _ = load_questionnaire(ROOT / "questionnaires" / "examples" / f"{name}.yaml")
    assert outbound_day(world_of(asked, MODELS), perfect(), Random(1)).completed == 1


def test_an_assumption_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="slips"):
        with_other(MODELS, "slips", 2)
    assert with_other(MODELS, "slip", 100).models["a"].slip < 1


def test_each_assumption_is_tried(world: World) -> None:
    few = Models({"e": MODELS.models["e"]}, MODELS.truth, MODELS.sensitivity[:1], {})
    assert list(sensitivity_of(world, few, 10, 1, "outbound")) == ["slip × 0.5", "slip × 2"]
