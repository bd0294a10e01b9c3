"""New items begin as those most like them did."""

import numpy as np
import pytest

from holdgood.core.errors import BundleError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Parts
from holdgood.models.forecasting.beginnings import Beginnings


def launches(kinds, lengths, new):
    """Items of two kinds that began at different times, selling 10 or 100 a step, and new ones without history."""
    lengths = np.array([*lengths, *[0] * len(new)])
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    y = np.concatenate([np.full(n, 10.0 if k == 0 else 100.0) for k, n in zip(kinds, lengths, strict=False)])
    end = np.datetime64("2024-01-01", "us")
    ds = np.concatenate([end - np.arange(n)[::-1] * np.timedelta64(1, "D") for n in lengths if n])
    ids = np.array([f"s{i}" for i in range(len(lengths))])
    static = {"kind": np.array([*kinds, *new], float)}
    return Panel(ids, indptr, ds, y, "D", static=static, categories=frozenset({"kind"}))


@pytest.fixture
def panel():
    kinds = [0, 1] * 60
    return launches(kinds, [20 + i % 7 for i in range(len(kinds))], [0, 1, np.nan])


def test_paths_of_a_new_item_are_those_of_its_kind(panel):
    learned = Beginnings.learned(panel, 5, 0)
    new = panel.take(np.array([120, 121, 122]))
    future = Future(np.zeros((3, 5), "M8[us]"))
    paths = learned.sample(new, future, 40, 0)
    assert paths.shape == (3, 40, 5)
    assert set(np.unique(paths[0])) == {10.0}
    assert set(np.unique(paths[1])) == {100.0}
    assert set(np.unique(paths[2])) == {10.0, 100.0}
    again = Beginnings.from_parts(learned.to_parts())
    assert np.array_equal(again.sample(new, future, 40, 0), paths)


def test_without_anything_learned_nothing_is_made_up(panel):
    learned = Beginnings.learned(panel, 500, 0)
    assert np.isnan(learned.sample(panel.take(np.array([120])), Future(np.zeros((1, 500), "M8[us]")), 20, 0)).all()


def test_damaged_parts_are_refused(panel):
    parts = Beginnings.learned(panel, 5, 0).to_parts()
    for broken in (Parts({}, parts.arrays), Parts(parts.json, {**parts.arrays, "static": np.zeros((3, 3))})):
        with pytest.raises(BundleError):
            Beginnings.from_parts(broken)
