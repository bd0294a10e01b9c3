"""What a bundle keeps of development rows: coarse enough to recognise nobody, fine enough to see drift, the same after a round trip."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.errors import BundleError
from holdgood.core.frame import Feature, Frame
from holdgood.features.coarse import FEWEST, RARE, Coarse
from holdgood.features.usual import DAY, Usual


def made(n=3000):
    rng = np.random.default_rng(0)
    age = rng.normal(40, 12, n)
    age[rng.random(n) < 0.1] = np.nan
    town = np.array([f"t{k}" for k in rng.geometric(0.2, n)], object)
    note = np.array(["x" * k if k else None for k in rng.integers(0, 50, n)], object)
    frame = Frame((Feature("age", "number"), Feature("town", "category"), Feature("note", "text")), (age, town, note))
    moment = np.sort(rng.integers(0, 400 * DAY, n))
    y = (rng.random(n) < 0.3).astype(float)
    usual = Usual.of(
        frame, moment, prediction=rng.random(n), outcome=y, answered=moment, held=rng.random(n) < 0.3, rows=2000, seed=0
    )
    return frame, usual


def test_no_value_is_shared_by_fewer_than_ten_development_rows():
    frame, usual = made()
    everyone = usual.like(frame)
    for values in everyone.arrays:
        shared = Counter(v for v in values.tolist() if v is not None and v == v and v != RARE)
        assert min(shared.values()) >= FEWEST
    assert np.all(usual.moment % DAY == 0)
    assert len(usual.frame) == 2000
    assert usual.frame.features[2].type == "number"  # of a text only its length


def test_it_comes_back_the_same_and_damage_is_told():
    frame, usual = made()
    parts = usual.to_parts()
    again = Usual.from_parts(parts)
    for a, b in zip(usual.frame.arrays, again.frame.arrays, strict=True):
        assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    assert np.array_equal(again.outcome, usual.outcome)
    assert again.like(frame).names == frame.names
    parts.arrays["moment"] = parts.arrays["moment"][:5]
    with pytest.raises(BundleError, match="does not fit together"):
        Usual.from_parts(parts)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=0, max_size=200))
def test_any_numbers_can_be_made_coarse(numbers):
    values = np.array(numbers, float)
    coarse = Coarse.of(Feature("x", "number"), values)
    out = coarse.apply(values)
    assert np.isfinite(out).all()
    assert Coarse.from_json(coarse.to_json()).apply(values).tolist() == out.tolist()
    if len(values) >= FEWEST:
        assert np.all(np.diff(out[np.argsort(values, kind="stable")]) >= 0)
