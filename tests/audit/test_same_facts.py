"""Facts that two tables state: the same, in other units, hours apart, or some of each."""

import numpy as np
import pyarrow as pa
import pytest

from holdgood.audit.same_facts import same_facts
from holdgood.core.table import Table

rng = np.random.default_rng(8)
N = 600
IDS = [f"R{i:04d}" for i in range(N)]
ON = (("id", "id"),)


def _facts(here, there):
    first = Table.of(pa.table({"id": IDS, "a": here}), "first")
    second = Table.of(pa.table({"id": IDS, "b": there}), "second")
    return same_facts(first, second, ON)


AMOUNT = rng.gamma(3.0, 20.0, N).round(2) + 1
NOISE = 1 + 0.005 * rng.standard_normal(N)


@pytest.mark.parametrize("factor", [1000.0, 0.001, 25.4, 1.609344, 100.0])
def test_a_constant_factor_is_another_unit(factor):
    (fact,) = _facts(AMOUNT, AMOUNT * factor * NOISE)
    assert (fact.kind, fact.factor, fact.compared) == ("unit", pytest.approx(factor), N)


def test_degrees_are_told_apart():
    celsius = rng.normal(12, 8, N).round(1)
    (fact,) = _facts(celsius, (celsius * 1.8 + 32).round(1))
    assert (fact.kind, fact.named) == ("unit", "degrees Celsius and Fahrenheit")


def test_a_part_in_another_unit_is_a_mix_and_its_rows_are_named():
    other = AMOUNT.copy()
    wrong = rng.choice(N, 20, replace=False)
    other[wrong] *= 1000
    (fact,) = _facts(AMOUNT, other)
    assert (fact.kind, fact.factor, sorted(fact.wrong)) == ("units mixed", 1000.0, sorted(wrong.tolist()))


def test_equal_content_with_a_few_other_cells_is_the_same_fact():
    words = rng.choice(["red", "green", "blue", "black"], N)
    other = words.copy()
    other[:12] = "white"
    (fact,) = _facts(words, other)
    assert (fact.kind, fact.wrong) == ("same", tuple(range(12)))


MOMENTS = np.datetime64("2024-03-01", "us") + rng.integers(0, 5_000_000, N).astype("timedelta64[s]")


@pytest.mark.parametrize("hours", [-5, 1, 9])
def test_moments_a_whole_number_of_hours_apart_are_another_zone(hours):
    (fact,) = _facts(MOMENTS, MOMENTS + np.timedelta64(hours, "h"))
    assert (fact.kind, fact.hours) == ("shift", hours)


def test_a_part_of_the_moments_in_another_zone_is_a_mix():
    other = MOMENTS.copy()
    other[:60] += np.timedelta64(2, "h")
    (fact,) = _facts(MOMENTS, other)
    assert (fact.kind, fact.hours, len(fact.wrong)) == ("shifts mixed", 2.0, 60)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (AMOUNT, rng.permutation(AMOUNT)),
        (AMOUNT, AMOUNT * 7.3),
        (AMOUNT, AMOUNT + rng.normal(0, 30, N)),
        (MOMENTS, MOMENTS + rng.integers(0, 90_000, N).astype("timedelta64[s]")),
        (rng.choice(["a", "b"], N, p=[0.97, 0.03]), rng.choice(["a", "b"], N, p=[0.97, 0.03])),
    ],
)
def test_unrelated_columns_state_no_common_fact(here, there):
    assert _facts(here, there) == ()


def test_rows_that_hardly_meet_say_nothing():
    first = Table.of(pa.table({"id": IDS, "a": AMOUNT}), "first")
    second = Table.of(pa.table({"id": IDS[:10], "b": AMOUNT[:10] * 1000}), "second")
    assert same_facts(first, second, ON) == ()
