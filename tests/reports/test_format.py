"""Numbers for people: property tests against plain arithmetic."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.records import Comparison, Interval
from holdgood.reports import format as words

finite = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


def back(text):
    return float(text.replace(",", "").replace("−", "-"))


@given(finite, st.integers(0, 6))
@settings(max_examples=50, deadline=None)
def test_fixed_says_the_rounded_number(value, places):
    text = words.fixed(value, places)
    assert back(text) == abs(round(value, places)) * (-1 if "−" in text else 1)
    assert abs(back(text) - value) <= 0.5 * 10.0**-places + abs(value) * 1e-12


@given(st.one_of(finite, st.just(math.nan), st.just(math.inf), st.none()))
@settings(max_examples=50, deadline=None)
def test_no_formatter_ever_says_nan(value):
    said = [
        words.number(value),
        words.fixed(value, 2),
        words.money(value, "EUR"),
        words.percent(value),
        words.size(value),
    ]
    said += [words.duration(abs(value) if value is not None else None), words.count(value, "row"), words.chance(value)]
    assert not any(w in text.lower() for text in said for w in ("nan", "inf", "none"))


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e5))
@settings(max_examples=50, deadline=None)
def test_interval_is_rounded_no_coarser_than_a_fifth_of_its_half_width(value, half):
    middle, spread = words.interval_pieces(Interval(value=value, low=value - half, high=value + half))
    low, high = spread.split(" to ")
    for text, exact in ((middle, value), (low, value - half), (high, value + half)):
        assert abs(back(text) - exact) <= 0.2 * half + abs(value) * 1e-9


def test_unknown_intervals_are_a_dash():
    unknown = Interval(value=math.nan, low=math.nan, high=math.nan)
    assert words.interval(unknown) == "–"
    assert words.interval(Interval(value=0.5, low=math.nan, high=math.nan)) == "0.500"


def test_comparison_and_signs():
    worse = Comparison(first="a", second="b", difference=-0.02, low=-0.03, high=-0.01)
    assert words.interval(worse, signed=True) == "−0.020 (95%: −0.030 to −0.010)"
    assert words.interval(worse, currency="USD", signed=True) == "−$0.02 (95%: −$0.03 to −$0.01)"


def test_open_ended_interval_says_infinity():
    assert words.interval(Interval(value=2.0, low=1.0, high=math.inf)) == "2.00 (95%: 1.00 to ∞)"
