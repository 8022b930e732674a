"""Keys to values and back."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.questionnaire.model import NumberRule
from ivr.questionnaire.values import (
    begins_a_number,
    canonical,
    keys_of,
    number_of,
    read_back_of,
    typed_bounds,
    value_of,
)
from tests.cases_runner import daily

TEMPERATURE = NumberRule(3, 3, 1, Decimal("34.0"), Decimal("42.0"))
OXYGEN = NumberRule(2, 3, 0, Decimal(70), Decimal(100))
WEIGHT = NumberRule(2, 5, 2, Decimal("0.50"), Decimal(200))


@pytest.mark.parametrize(
    ("rule", "keys", "value"),
    [
        (TEMPERATURE, "365", "36.5"),
        (TEMPERATURE, "340", "34.0"),
        (TEMPERATURE, "420", "42.0"),
        (TEMPERATURE, "339", None),
        (TEMPERATURE, "421", None),
        (TEMPERATURE, "36", None),
        (TEMPERATURE, "3650", None),
        (OXYGEN, "98", "98"),
        (OXYGEN, "098", "98"),
        (OXYGEN, "0098", None),
        # A zero that begins no temperature, and a point as on paper.
        (TEMPERATURE, "0365", "36.5"),
        (TEMPERATURE, "36*5", "36.5"),
        (TEMPERATURE, "36*", "36.0"),
        (TEMPERATURE, "036*5", "36.5"),
        (TEMPERATURE, "*365", None),
        (TEMPERATURE, "3*65", None),
        (TEMPERATURE, "36*55", None),
        (OXYGEN, "98*", None),
        (OXYGEN, "100", "100"),
        (OXYGEN, "69", None),
        (OXYGEN, "101", None),
        (OXYGEN, "9", None),
        (OXYGEN, "", None),
        (OXYGEN, "9*", None),
        (OXYGEN, "9#", None),
        (OXYGEN, "９８", None),
        (OXYGEN, "-9", None),
        (WEIGHT, "50", "0.50"),
        (WEIGHT, "00050", "0.50"),
        (WEIGHT, "20000", "200.00"),
    ],
)
def test_numbers(rule: NumberRule, keys: str, value: str | None) -> None:
    assert number_of(rule, keys) == value


@pytest.mark.parametrize(
    ("value", "keys"), [("36.5", "365"), ("98", "98"), ("0.50", "50"), ("200.00", "20000"), ("0", "0"), ("0.0", "0")]
)
def test_keys_of_a_value(value: str, keys: str) -> None:
    assert keys_of(value) == keys


@given(st.integers(0, 20000), st.integers(0, 2))
def test_typing_a_value_again_gives_the_same_value(whole: int, decimals: int) -> None:
    rule = NumberRule(1, 6, decimals, Decimal(0), Decimal(20000))
    value = canonical(rule, Decimal(whole).scaleb(-decimals))
    assert number_of(rule, keys_of(value)) == value


def test_values_of_options_and_numbers() -> None:
    temperature, _, complexion, *_ = daily().questions
    assert value_of(temperature, "5") == "no_thermometer"
    assert value_of(temperature, "365") == "36.5"
    assert value_of(temperature, "55") is None
    assert value_of(complexion, "3") == "unknown"
    assert value_of(complexion, "4") is None


def test_read_back() -> None:
    temperature, _, complexion, cough, *_ = daily().questions
    assert read_back_of(temperature, "36.5") == ("daily/temperature_is", "value/temperature_365", "frame/confirm")
    assert read_back_of(temperature, "no_thermometer") == ("daily/no_thermometer", "frame/confirm")
    assert read_back_of(complexion, "yes") == ("daily/complexion_yes", "frame/confirm_sign")
    assert read_back_of(complexion, "no") == read_back_of(cough, "yes") == ()


@pytest.mark.parametrize(
    ("rule", "typed"), [(TEMPERATURE, range(340, 421)), (OXYGEN, range(70, 101)), (WEIGHT, range(50, 20001))]
)
def test_typed_bounds(rule: NumberRule, typed: range) -> None:
    assert typed_bounds(rule) == typed


@pytest.mark.parametrize("rule", [TEMPERATURE, OXYGEN, NumberRule(1, 3, 0, Decimal(5), Decimal(120))])
def test_what_begins_a_number_is_found_by_trying_all(rule: NumberRule) -> None:
    typed = {
        str(number).zfill(length)
        for number in typed_bounds(rule)
        for length in range(rule.min_digits, rule.max_digits + 1)
        if len(str(number)) <= length
    }
    for keys in (str(number).zfill(length) for length in (1, 2, 3) for number in range(10**length)):
        assert begins_a_number(rule, keys) is any(each.startswith(keys) for each in typed), keys
