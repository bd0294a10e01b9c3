"""Rounded amounts add up to the rounded total."""

import math

from hypothesis import given
from hypothesis import strategies as st

from holdgood.reports.adding_up import adding_up

AMOUNTS = st.lists(st.floats(-1e7, 1e7, allow_nan=False), min_size=1, max_size=20)


@given(AMOUNTS, st.sampled_from([0, 2]))
def test_they_add_up_and_each_stays_within_a_unit(values, places):
    total, unit = math.fsum(values), 10.0**-places
    found = adding_up(values, total, places)
    assert len(found) == len(values)
    assert round(math.fsum(found) / unit) == round(total / unit)
    assert all(abs(a - b) < unit * (1 + 1e-6) for a, b in zip(found, values, strict=True))


def test_what_is_whole_stays_as_it_is():
    assert adding_up([3.0, -4.0, 0.0], -1.0, 0) == [3.0, -4.0, 0.0]
    assert adding_up([0.29, 0.71], 1.0, 2) == [0.29, 0.71]


@given(AMOUNTS, st.sampled_from([0, 2]))
def test_a_rest_takes_what_rounding_leaves(values, places):
    total = math.fsum(values)
    *shown, rest = adding_up(values, total, places, rest=True)
    assert shown == [round(v, places) for v in values[:-1]]
    assert round(math.fsum(shown) + rest, places) == round(total, places)
