"""Lags and windows are those of the field's libraries, and no feature looks beyond its origin."""

import numpy as np
import pandas as pd
import pytest

from holdgood.core.errors import BundleError, DataError
from holdgood.core.panel import Future
from holdgood.models.forecasting.lag_base import base_of, mean_of
from holdgood.models.forecasting.lag_features import LagPlan, rows_ahead, seen_from, slope
from holdgood.models.forecasting.origins import Origins, demand, history, with_future
from holdgood.models.forecasting.seasons import Seasons


@pytest.fixture
def every(made):
    panel = made.panel_of([np.random.default_rng(i).gamma(2, 5, n) for i, n in enumerate((40, 7, 1, 25))])
    series = np.repeat(np.arange(4), panel.lengths)
    return panel, Origins(series, np.arange(len(panel.y)))


def test_lags_and_rolling_means_are_those_of_coreforecast(every):
    grouped = pytest.importorskip("coreforecast.grouped_array")
    panel, origins = every
    theirs = grouped.GroupedArray(panel.y, panel.indptr.astype(np.int32))
    past = history(panel, panel.y, origins, 12)
    for lag in (1, 2, 5, 12):
        np.testing.assert_array_equal(past[:, -lag], theirs._lag(lag))
    for width in (3, 12):
        np.testing.assert_allclose(mean_of(past[:, -width:]), theirs._rolling_mean(1, width, 1), rtol=1e-12)


def test_levels_are_those_of_pandas(every):
    panel, origins = every
    base = base_of(history(panel, panel.y, origins, 40), 1, 8, signed=False)
    for k, alpha in enumerate((0.08, 0.25, 0.6)):
        theirs = [pd.Series(y).ewm(alpha=alpha).mean().shift(1).to_numpy() for y in panel.series()]
        np.testing.assert_allclose(base.levels[:, k], np.concatenate(theirs), rtol=1e-9)


def test_a_profile_is_the_season_whatever_the_size():
    share = np.array([0.5, 1.0, 1.5, 1.0])
    y = np.tile(share, 30)[None, -100:] * np.array([[3.0], [4000.0]])
    base = base_of(y, 4, 8, signed=False)
    np.testing.assert_allclose(base.profile[0], base.profile[1], rtol=1e-9)
    np.testing.assert_allclose(base.profile[0], share, atol=0.05)
    np.testing.assert_allclose(base.at(np.array([1, 1]), np.array([1, 3])) / 4000, share[[0, 2]], atol=0.06)


def test_slope_of_a_line_with_gaps():
    line = 5 + 2.0 * np.arange(10)
    line[[2, 3, 7]] = np.nan
    assert slope(np.vstack([line, np.full(10, np.nan)])) == pytest.approx([2.0, 0.0])


def test_what_comes_after_an_origin_does_not_move_its_row(made):
    panel, horizon = made.shops(6), 6
    plan = LagPlan.of(panel, Seasons(12, 0))
    end = panel.indptr[1:] - 10
    origins = Origins(np.arange(6), end)
    which, steps = np.repeat(np.arange(6), horizon), np.tile(np.arange(1, horizon + 1), 6)
    y = panel.y.copy()
    for i in range(6):
        y[end[i] : panel.indptr[i + 1]] = 1e6
    rows = [rows_ahead(plan, seen_from(plan, panel, v, origins), which, steps) for v in (panel.y, y)]
    np.testing.assert_array_equal(rows[0].values, rows[1].values)


def test_a_forecast_sees_what_a_training_row_saw(made):
    panel, horizon = made.shops(6), 6
    for seasons in (Seasons(12, 0), Seasons(1, 12)):
        plan = LagPlan.of(panel, seasons)
        past, _, future = made.cut(panel, horizon)
        longer, origins = with_future(past, future)
        which, steps = np.repeat(np.arange(6), horizon), np.tile(np.arange(1, horizon + 1), 6)
        ahead = rows_ahead(plan, seen_from(plan, longer, longer.y, origins), which, steps)
        back = Origins(np.arange(6), panel.indptr[1:] - horizon)
        trained = rows_ahead(plan, seen_from(plan, panel, panel.y, back), which, steps)
        assert ahead.names == trained.names
        np.testing.assert_array_equal(ahead.values, trained.values)


def test_columns_say_what_they_are_and_codes_are_marked(made):
    panel = made.shops(6)
    plan = LagPlan.of(panel, Seasons(12, 0))
    seen = seen_from(plan, panel, panel.y, Origins(np.arange(6), panel.indptr[1:] - 10))
    matrix = rows_ahead(plan, seen, np.arange(6), np.full(6, 3))
    assert {"step", "lag 1", "season 1 ago", "month", "promotion", "promotion, change", "region"} <= {*matrix.names}
    assert [matrix.names[c] for c in matrix.categorical] == ["region"]
    same = panel.y[panel.indptr[1:] - 10 + 2 - 12]
    np.testing.assert_allclose(matrix.values[:, matrix.names.index("season 1 ago")] * seen.base.scale, same)


def test_sales_of_a_stock_out_count_only_where_they_are_high(made):
    y = np.array([10.0, 10, 10, 2, 10, 30])
    panel = made.panel_of([y], available=np.array([True, True, True, False, True, False]))
    np.testing.assert_array_equal(demand(panel), [10, 10, 10, np.nan, 10, 30])


def test_a_future_without_a_known_covariate_is_refused(made):
    panel, _, future = made.cut(made.shops(3), 4)
    with pytest.raises(DataError, match="promotion"):
        with_future(panel, Future(future.ds))


def test_a_plan_travels_and_a_damaged_one_is_refused(made):
    plan = LagPlan.of(made.shops(3), Seasons(12, 0))
    assert LagPlan.from_json(plan.to_json()) == plan
    for damage in ({"back": 0}, {"short": -3}, {"known": 7}, {"span": 10**9}):
        with pytest.raises(BundleError):
            LagPlan.from_json(plan.to_json() | damage)
