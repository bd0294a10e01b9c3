"""LightGBM on lags learns what series share, answers for new ones, and is never worse than the simple forecast it corrects."""

import dataclasses

import numpy as np
import pytest

from holdgood.core.errors import BundleError, DataError
from holdgood.core.protocols import PanelContext, Parts
from holdgood.models.forecasting.lightgbm_lags import FAMILY, LightgbmLags
from holdgood.models.forecasting.naive import Naive
from holdgood.testing.forecaster import check_forecaster_family
from holdgood.testing.model import through_disk

HORIZON = 6


@pytest.fixture(scope="module")
def sales(made):
    return made.shops(24)


@pytest.fixture(scope="module")
def fitted(made, sales):
    past, _, _ = made.cut(sales, HORIZON)
    return LightgbmLags(most_rows=4_000, learning_rate=0.1).fit(past, PanelContext(HORIZON))


def error(outcome, said):
    """Mean absolute error of each series in units of its mean, averaged."""
    return float((np.abs(outcome - said).mean(axis=1) / outcome.mean(axis=1)).mean())


def test_promotions_are_learned_from_all_series(made, sales, fitted):
    past, outcome, future = made.cut(sales, HORIZON)
    said = fitted.predict(past, future)
    assert said.shape == outcome.shape
    assert error(outcome, said) < 0.5 * error(outcome, Naive(12).predict(past, future))
    on = future.known["promotion"] == 1
    without = dataclasses.replace(future, known={"promotion": np.zeros_like(future.known["promotion"])})
    raised = (said / fitted.predict(past, without))[on]
    assert 1.6 < np.median(raised) < 2.2


def test_other_series_and_a_later_history_without_refitting(made, sales, fitted):
    others = made.shops(8, seed=9)
    others = dataclasses.replace(others, ids=np.array([f"new{i}" for i in range(8)]))
    past, outcome, future = made.cut(others, HORIZON)
    assert error(outcome, fitted.predict(past, future)) < 0.7 * error(outcome, Naive(12).predict(past, future))
    earlier = sales.until(12)
    outcome, future = sales.ahead(HORIZON, 12)
    assert error(outcome, fitted.predict(earlier, future)) < 0.2


def test_contributions_add_up_and_name_the_promotion(sales, fitted, made):
    past, _, future = made.cut(sales, HORIZON)
    names, shares = fitted.contributions(past, future)
    said = fitted.predict(past, future)
    simple = LightgbmLags.from_parts(_without_trees(fitted)).predict(past, future)
    np.testing.assert_allclose(simple + shares.sum(axis=2), said, rtol=1e-6)
    on = future.known["promotion"] == 1
    moved = shares[:, :, [i for i, n in enumerate(names) if n.startswith("promotion")]].sum(axis=2)
    assert (moved[on] / simple[on]).mean() > 0.3 > (moved[~on] / simple[~on]).mean()


def _without_trees(model):
    parts = model.to_parts()
    return Parts(parts.json | {"booster": None}, parts.arrays)


def test_a_series_alone_is_forecast_as_among_others(made, sales, fitted):
    past, _, future = made.cut(sales, HORIZON)
    every = fitted.predict(past, future)
    one = np.array([5])
    np.testing.assert_array_equal(fitted.predict(past.take(one), future.take(one)), every[one])


def test_the_same_seed_gives_the_same_forecast(made, sales, fitted):
    past, _, future = made.cut(sales, HORIZON)
    again = LightgbmLags(most_rows=4_000, learning_rate=0.1).fit(past, PanelContext(HORIZON))
    np.testing.assert_array_equal(again.predict(past, future), fitted.predict(past, future))


def test_through_disk_to_the_bit(made, sales, fitted):
    past, _, future = made.cut(sales, HORIZON)
    back = LightgbmLags.from_parts(through_disk(fitted.to_parts()))
    np.testing.assert_array_equal(back.predict(past, future), fitted.predict(past, future))


def test_damage_is_refused(fitted):
    parts = fitted.to_parts()
    text = parts.files["model.txt"]
    for damaged in (
        Parts(parts.json | {"aim": "luck"}, parts.arrays, parts.files),
        Parts(parts.json | {"columns": ["step"]}, parts.arrays, parts.files),
        Parts(parts.json, parts.arrays, {"model.txt": text[: len(text) // 2]}),
        Parts(parts.json, {}, parts.files),
        Parts({}, parts.arrays, parts.files),
    ):
        with pytest.raises(BundleError):
            LightgbmLags.from_parts(damaged)


def test_a_new_item_without_history_gets_the_level_of_its_likes(made, fitted):
    past, _, future = made.cut(made.shops(4, seed=3), HORIZON)
    nothing = past.with_y(np.full(len(past.y), np.nan))
    said = fitted.predict(nothing, future)
    assert np.isfinite(said).all() and (said > 0).all()
    empty = past.until(10_000)
    assert len(empty.y) == 0
    assert np.isfinite(fitted.predict(empty, future)).all()


def test_noise_is_left_to_the_simple_forecast(made):
    rng = np.random.default_rng(0)
    panel = made.panel_of([np.cumsum(rng.normal(size=60)) + 100 for _ in range(10)])
    model = LightgbmLags(most_rows=2_000, learning_rate=0.3).fit(panel, PanelContext(4))
    said = model.predict(panel, made.ahead_of(panel, 4))
    last = panel.y[panel.indptr[1:] - 1]
    assert np.abs(said - last[:, None]).max() < 15


def test_slow_movers_are_forecast_by_their_mean(made):
    rng = np.random.default_rng(4)
    rate = rng.uniform(0.1, 0.6, 30)
    panel = made.panel_of([rng.poisson(r, 72) for r in rate])
    model = LightgbmLags(most_rows=3_000, learning_rate=0.1).fit(panel, PanelContext(6))
    assert model.aim == "mean"
    said = model.predict(panel, made.ahead_of(panel, 6))
    assert (said >= 0).all()
    assert said.mean() == pytest.approx(rate.mean(), rel=0.25)
    with pytest.raises(DataError):
        LightgbmLags(aim="mean").fit(panel.with_y(panel.y - 1), PanelContext(6))


@pytest.mark.parametrize(
    "series",
    [
        [np.array([3.0])],
        [np.zeros(50), np.zeros(3)],
        [np.full(50, 7.0), np.array([1.0, 2.0, 3.0])],
        [np.arange(240.0), np.array([np.nan, 5.0, np.nan])],
        [np.r_[np.full(30, 5.0), np.full(120, np.nan)], np.arange(150.0)],
    ],
    ids=["one value", "zeros", "constant", "long beside short", "long silent"],
)
def test_odd_series_get_finite_forecasts(made, series):
    panel = made.panel_of(series)
    model = LightgbmLags(most_rows=1_000, learning_rate=0.3).fit(panel, PanelContext(3))
    said = LightgbmLags.from_parts(through_disk(model.to_parts())).predict(panel, made.ahead_of(panel, 3))
    assert np.isfinite(said).all()
    if np.isnan(series[0]).any():
        assert said[0] == pytest.approx([5.0] * 3, abs=2.5)


def test_columns_that_were_learned_from_must_be_there(made, sales, fitted):
    past, _, future = made.cut(sales, HORIZON)
    with pytest.raises(DataError, match="region"):
        fitted.predict(dataclasses.replace(past, static={}), future)
    with pytest.raises(DataError, match="fitted"):
        LightgbmLags().predict(past, future)


def test_configurations_suit_the_panel(made, sales):
    assert FAMILY.configurations(made.panel_of([np.arange(5.0)]), 3) == []
    for _, parameters in FAMILY.configurations(sales, HORIZON):
        assert isinstance(FAMILY.make(parameters), LightgbmLags)


@pytest.mark.parametrize("intermittent", [False, True])
def test_the_contract_holds(intermittent):
    check_forecaster_family(FAMILY, {"most_rows": 1_000, "learning_rate": 0.3}, intermittent=intermittent)
