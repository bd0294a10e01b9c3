"""Sums of a hierarchy spread as they should: items that have nothing in common even each other out, counts stay counts."""

import numpy as np
import pandas as pd
import pytest

import holdgood

ITEMS, WEEKS, RATE = 16, 80, 12.0


@pytest.fixture(scope="module")
def made():
    random = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "article": np.repeat([f"A{i:02d}" for i in range(ITEMS)], WEEKS),
            "group": np.repeat(list("ab") * (ITEMS // 2), WEEKS),
            "week": np.tile(pd.date_range("2023-01-02", periods=WEEKS, freq="W-MON"), ITEMS),
            "pieces": random.poisson(RATE, ITEMS * WEEKS),
        }
    )
    return holdgood.forecast(
        frame, 4, target="pieces", id="article", time="week", levels=[["group"]], seasons=[1],
        models=["window-average"], budget="trials=3", lead_times=[4],
    )  # fmt: skip


def test_independent_items_even_each_other_out(made):
    sums = made.model.sums(made.read, made.samples, made.seed)
    total = sums.paths.y[0].sum(axis=1)
    # four weeks of sixteen items of the same rate, and what a mean of some weeks adds; all items in step would give four times this
    right = np.sqrt(4 * ITEMS * RATE)
    assert 0.75 * right < total.std() < 1.9 * right
    assert total.mean() == pytest.approx(4 * ITEMS * RATE, rel=0.06)


def test_paths_are_whole_and_add_up(made):
    sums = made.model.sums(made.read, made.samples, made.seed)
    assert np.array_equal(made.paths.y, np.round(made.paths.y))
    assert np.array_equal(sums.paths.y[0], made.paths.y.sum(axis=0))
    np.testing.assert_allclose(sums.paths.point[0], made.paths.point.sum(axis=0))


def test_past_forecasts_of_sums_have_a_cover_too(made):
    found = {a.name: a for a in made.accuracy.levels}
    assert found["total"].wape < found["group"].wape < found["bottom"].wape
    assert 0.6 <= found["total"].cover["0.8"] <= 1.0
    assert 0.7 <= found["bottom"].cover["0.8"] <= 0.9
