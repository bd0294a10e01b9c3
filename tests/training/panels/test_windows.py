"""Paths for slow movers from their own past: the level stays, sums spread as they do, and what is told of the cover is what is delivered."""

import math

import numpy as np
import pytest

from holdgood.core.errors import BundleError
from holdgood.core.panel import Panel
from holdgood.core.protocols import Parts
from holdgood.evaluation.forecasts import PastForecasts
from holdgood.training.panels.backtest import PanelCandidate
from holdgood.training.panels.combined import Combined
from holdgood.training.panels.segments import NAMES, segments
from holdgood.training.panels.train import train_panel
from holdgood.training.panels.windows import better_by_windows, windows
from holdgood.workflow.forecasting.past import with_pits

STEPS, HORIZON = 120, 8


def parcels(series=80, seed=0, grows=1.0):
    """Parcels of a Poisson size in some of the weeks; ``grows``: factor on sizes for the last quarter."""
    random = np.random.default_rng(seed)
    size = np.where(np.arange(STEPS) >= 0.75 * STEPS, grows, 1.0) * random.uniform(2, 40, (series, 1))
    chance = random.uniform(0.1, 0.6, (series, 1))
    y = np.where(random.random(size.shape) < chance, 1.0 + random.poisson(size), 0.0)
    ds = np.tile(np.arange(STEPS).astype("M8[D]").astype("M8[us]"), series)
    return Panel(np.array([f"s{i}" for i in range(series)]), np.arange(series + 1) * STEPS, ds, y.ravel(), "D", (1,))


def _low():
    class Low:
        """Half of the mean, as medians of slow movers are low."""

        part = "low"

        def __init__(self):
            self.failed = {}

        def fit(self, panel, context):
            return self

        def predict(self, panel, future):
            return np.stack([np.full(future.horizon, 0.5 * np.nanmean(y)) for y in panel.series()])

        def to_parts(self):
            return Parts({})

    return Low


LOW = PanelCandidate("low", "low", 0, True, _low())


@pytest.fixture(scope="module")
def made():
    """A forecaster whose point forecasts are low, and whose slow movers are spread by their own past."""
    panel = parcels()
    trained = train_panel(panel.until(HORIZON), [LOW], HORIZON, budget="trials=1", workers=0)
    trained.forecaster.windowed = {2: math.inf, 3: 0.5}
    return panel, trained


def test_a_low_point_forecast_does_not_lower_the_paths_and_sums_are_covered(made):
    panel, trained = made
    history, (y, future) = panel.until(HORIZON), panel.ahead(HORIZON, HORIZON)
    paths = trained.forecaster.paths(history, future, 400, seed=1)
    assert paths.y.mean() == pytest.approx(np.nanmean(history.y), rel=0.05)
    low, high = np.quantile(paths.total(), [0.05, 0.95], axis=1)
    inside = np.mean((y.sum(axis=1) >= low) & (y.sum(axis=1) <= high))
    assert abs(inside - 0.9) < 3 * np.sqrt(0.09 / len(y)) + 0.02


def test_a_long_past_is_remembered_where_it_holds_and_forgotten_where_it_does_not():
    for grows, right in ((1.0, lambda m: m >= 0.5), (4.0, lambda m: m < 0.5)):
        panel = parcels(120, seed=1, grows=grows)
        history, (y, _) = panel.until(HORIZON), panel.ahead(HORIZON, HORIZON)
        chosen = better_by_windows(history, segments(history), y, np.zeros((len(y), 100, HORIZON)), 0)
        assert chosen and all(right(m) for m in chosen.values())
        recent = windows(history, 400, HORIZON, 0, 0.2).mean() / windows(history, 400, HORIZON, 0).mean()
        assert recent == pytest.approx(1.0, abs=0.05) if grows == 1.0 else recent > 1.5


def test_the_cover_that_is_told_is_that_of_the_paths_that_are_delivered(made):
    panel, trained = made[0].until(HORIZON), made[1]
    back = trained.backtest
    past = PastForecasts(panel.ids, back.y, back.points, back.naive, back.scale, back.segment, NAMES)
    told = with_pits(panel, past, back.dropped, trained.forecaster, (HORIZON,), 0)
    # an origin's windows end with it: by another road, the first series at the latest origin
    own = windows(
        panel.take([0]).until(back.dropped[0]), 200, HORIZON, 0, next(iter(trained.forecaster.windowed.values()))
    )
    share = (own[0].sum(axis=1) < back.y[0, 0].sum()).mean()
    assert told.lead_pits[HORIZON][0, 0] == pytest.approx(share, abs=0.03)


def test_windows_travel_in_a_bundle_and_damage_is_refused(made):
    parts = made[1].forecaster.to_parts()
    assert parts.json["windowed"] == [[2, None], [3, 0.5]]
    with pytest.raises(BundleError):
        Combined.from_parts(Parts({**parts.json, "windowed": [["x", 1]]}, parts.arrays, parts.files))
