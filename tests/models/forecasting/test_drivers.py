"""Parts of a forecast: they add up to it, and are what the method's own states say."""

import numpy as np
import pytest

from holdgood.core.panel import Panel
from holdgood.core.protocols import PanelContext
from holdgood.models.forecasting.drivers import of_factors, parts_of_curve
from holdgood.models.forecasting.ets import Ets
from holdgood.models.forecasting.lag_features import LagPlan
from holdgood.models.forecasting.lag_groups import group_of
from holdgood.models.forecasting.lightgbm_lags import LightgbmLags


def test_level_trend_and_season_of_ets_are_its_states():
    level, slope, seasons = 100.0, 2.0, np.array([8.0, -3.0, -9.0, 4.0])
    state = np.array([1.0, 1.0, 0.3, 0.1, 0.1, 1.0, level, slope, *seasons[::-1]])
    curve = Ets({"season": 4, "forms": []}).ahead(state, 8)[None]
    found = parts_of_curve(curve, 4, 6)[0]
    assert found[:, 0] == pytest.approx(np.full(6, level))
    assert found[:, 1] == pytest.approx(slope * np.arange(1, 7))
    assert found[:, 2] == pytest.approx(np.resize(seasons, 6))


@pytest.mark.parametrize("season", [1, 3, 12])
def test_parts_add_up_whatever_the_curve(season):
    curve = np.random.default_rng(0).normal(size=(5, max(2 * season, 7)))
    assert parts_of_curve(curve, season, 7).sum(axis=2) == pytest.approx(curve[:, :7])


def test_factors_become_amounts_that_add_up():
    logs = np.log([[1.2, 0.9, 1.5], [1.0, 1.0, 1.0]])
    simple, forecast = np.array([50.0, 7.0]), np.array([50.0 * 1.2 * 0.9 * 1.5, 7.0])
    found = of_factors(simple, forecast, logs)
    assert found.sum(axis=1) == pytest.approx(forecast - simple)
    assert np.sign(found[0]).tolist() == [1, -1, 1] and not found[1].any()


def promoted(aim):
    """A panel whose promotions double what is sold, and a future with a promotion at its second step."""
    random, n, steps = np.random.default_rng(2), 40, 80
    promo = (random.random((n, steps + 4)) < 0.2).astype(float)
    promo[:, steps:] = [0, 1, 0, 0]
    y = random.poisson(random.uniform(20, 60, (n, 1)) * (1 + promo)).astype(float)
    ds = np.datetime64("2024-01-01", "us") + np.arange(steps + 4) * np.timedelta64(7, "D")
    whole = Panel(
        np.array([f"s{i}" for i in range(n)]), np.arange(n + 1) * (steps + 4), np.tile(ds, n), y.ravel(), "W-MON",
        known={"promo": promo.ravel()},
    )  # fmt: skip
    model = LightgbmLags(aim, num_leaves=8).fit(whole.until(4), PanelContext(4, seed=0))
    return model, whole.until(4), whole.ahead(4, 4)[1]


@pytest.mark.parametrize("aim", ["median", "mean"])
def test_a_promotion_is_what_drives_the_step_that_it_falls_on(aim):
    model, panel, future = promoted(aim)
    names, values = model.drivers(panel, future)
    assert values.sum(axis=2) == pytest.approx(model.predict(panel, future))
    assert names[:2] == ("level", "season") and "recent values" in names
    promo = values[:, :, names.index("promo")] / values[:, :, 0]
    # of the level, in which the promotions of the past stand too: so that a step without one lies below it
    assert np.median(promo[:, 1]) > 0.4 and promo[:, 1].min() > 0.15
    assert (promo[:, [0, 2, 3]] < 0).all()
    # the same promotion, had it not been: the forecast falls by about what it is said to add, and a little more or less
    future.known["promo"][:, 1] = 0.0
    without = model.predict(panel, future)[:, 1]
    with_it = values[:, 1].sum(axis=1)
    assert np.median((with_it - without) / with_it) == pytest.approx(0.45, abs=0.1)


def test_columns_of_the_matrix_have_a_planners_names():
    plan = LagPlan("D", 7, 364, 56, 7, False, ("price",), ("weather",), ("shop",), ())
    said = {
        "lag 1": "recent values", "mean of 7": "recent values", "season 2 ago": "season", "2 x 364 ago, to its level": "season",
        "price, change": "price", "weather, last": "weather", "shop": "shop", "weekday": "calendar", "usual": "usual correction",
    }  # fmt: skip
    assert {c: group_of(plan, c) for c in said} == said
