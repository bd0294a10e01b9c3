"""What a typed number may stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdgood.core.readings import ambiguous, readings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-40.000", (-40.0, -40000.0)),
        ("+1,200", (1.2, 1200.0)),
        ("0.500", (0.5,)),
        ("1234.567", (1234.567,)),
        ("1'200", (1200.0,)),
        ("1\u202f200", (1200.0,)),
        ("1.200,50", (1200.5,)),
        ("1,200,000.5", (1200000.5,)),
        ("1.200.50", ()),
        ("1.2.3", ()),
        ("1,200 000", ()),
        ("", ()),
        ("1e5", ()),
    ],
)
def test_each_reading_once(text, found):
    assert readings(text) == found


@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(".,"))
def test_three_digits_after_one_mark_are_ambiguous_and_two_are_not(whole, part, mark):
    assert readings(f"{whole}{mark}{part:03d}") == ((1000 * whole + part) / 1000, 1000.0 * whole + part)
    assert not ambiguous(f"{whole}{mark}{part % 100:02d}")
