"""Typical values: saved as one array, read back to the bit, and refused where they do not fit together."""

import numpy as np
import pytest

from holdgood.core.errors import BundleError
from holdgood.core.frame import Feature, Frame
from holdgood.core.protocols import Parts
from holdgood.features.background import Background


@pytest.fixture
def frame():
    draw = np.random.default_rng(0)
    kind = np.array(["a", "b", None, "rare"], dtype=object)[draw.choice(4, 200, p=[0.5, 0.3, 0.19, 0.01])]
    gaps = np.where(draw.random(200) < 0.5, np.nan, draw.normal(size=200))
    text = np.array(["a few words"] * 200, dtype=object)
    kinds = (("number", draw.normal(size=200)), ("category", kind), ("number", gaps), ("text", text))
    return Frame(tuple(Feature(f"f{i}", t) for i, (t, _) in enumerate(kinds)), tuple(a for _, a in kinds))


def test_typical_values_come_back_to_the_bit(frame):
    made = Background.of(frame, 3)
    parts = made.to_parts()
    assert list(parts.arrays) == ["numbers"], "one file, however many features"
    again = Background.from_parts(parts).frame
    assert again.features == made.frame.features
    for a, b in zip(again.arrays, made.frame.arrays, strict=True):
        np.testing.assert_array_equal(a, b)
    assert "rare" not in set(made.frame.arrays[1])
    assert set(made.frame.arrays[3]) == {None}


def test_a_frame_without_numbers_comes_back_too(frame):
    made = Background.of(frame.select(["f1"]), 3)
    assert Background.from_parts(made.to_parts()).frame.arrays[0].tolist() == made.frame.arrays[0].tolist()


def test_what_does_not_fit_together_is_refused(frame):
    parts = Background.of(frame, 3).to_parts()
    for arrays, json in (
        ({}, parts.json),
        ({"numbers": parts.arrays["numbers"][:1]}, parts.json),
        ({"numbers": np.vstack([parts.arrays["numbers"]] * 2)}, parts.json),
        (parts.arrays, {**parts.json, "levels": {}}),
    ):
        with pytest.raises(BundleError):
            Background.from_parts(Parts(json, arrays))
