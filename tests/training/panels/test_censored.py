"""Demand that stock-outs hid: completed by what is likely, series by series, without the future; hidden outcomes are not scored."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from holdgood.core.errors import BundleError
from holdgood.core.panel import Panel
from holdgood.core.protocols import Parts
from holdgood.training.panels.backtest import PanelCandidate
from holdgood.training.panels.censored import CensoredDemand, _Distribution, observed
from holdgood.training.panels.train import train_panel

IMPUTE, DROP, KEEP = (CensoredDemand(how) for how in ("impute", "drop", "keep"))
STEPS, HORIZON = 104, 6


def shop(kind="counts", stock="level", series=250, steps=STEPS, season=1, seed=0, share=0.3):
    """Demand of which ``share`` of the weeks is censored: by a stock level that stays, or by stocks that vary. Panel and demand."""
    random = np.random.default_rng(seed)
    mean = 20 * np.exp(random.normal(0, 0.7, series))[:, None] * (1 + 0.3 * np.sin(2 * np.pi * np.arange(steps) / 12))
    noise = {
        "counts": lambda: random.poisson(random.gamma(4.0, mean / 4.0)).astype(float),
        "gamma": lambda: random.gamma(4.0, mean / 4.0),
        "lognormal": lambda: mean * random.lognormal(-0.11, 0.47, mean.shape),
    }
    demand = noise[kind]()
    if stock == "level":
        most = np.quantile(demand, 1 - share, axis=1, keepdims=True) * np.ones_like(demand)
    else:
        most = np.where(random.random(demand.shape) < 1.6 * share, mean * random.uniform(0.2, 1.3, mean.shape), np.inf)
    most = np.floor(most) if kind == "counts" else most
    ds = (np.datetime64("2022-01-03") + 7 * np.arange(steps)).astype("M8[us]")
    ids = np.array([f"s{i:03d}" for i in range(series)])
    panel = Panel(
        ids, np.arange(series + 1) * steps, np.tile(ds, series), np.minimum(demand, most).ravel(), "W-MON", (season,),
        available=(demand < most).ravel(),
    )  # fmt: skip
    return panel, demand


def _families():
    """A class that travels to a worker by value: this file has no name there."""

    class Recent:
        part = "recent"

        def __init__(self, steps=26):
            self.failed, self.steps = {}, steps

        def fit(self, panel, context):
            return self

        def predict(self, panel, future):
            return np.stack([np.full(future.horizon, np.nanmean(y[-self.steps :])) for y in panel.series()])

        def to_parts(self):
            return Parts({})

    return Recent


RECENT = PanelCandidate("recent", "recent", 0, True, _families())


def bias(values, demand):
    return float(np.nansum(values) / np.sum(demand[~np.isnan(values)]) - 1.0)


@pytest.mark.parametrize(("whole", "mean", "shape", "least"), [(True, 6.0, 2.0, 9.0), (False, 6.0, 2.0, 9.0)])
def test_moments_above_a_level_are_those_of_the_distribution(whole, mean, shape, least):
    one = [np.array([v]) for v in (mean, shape, whole, 1e9)]
    first, second = _Distribution(*one).moments(np.array([least]))
    if whole:
        x = np.arange(least, 2000)
        weight = stats.nbinom.pmf(x, shape, shape / (shape + mean))
    else:
        x = np.linspace(least, 400, 400_001)
        weight = stats.gamma.pdf(x, shape, scale=mean / shape)
    assert first[0] == pytest.approx((x * weight).sum() / weight.sum(), rel=1e-4)
    assert second[0] == pytest.approx((x**2 * weight).sum() / weight.sum(), rel=1e-4)
    draws = _Distribution(*(np.repeat(v, 20_000) for v in one)).drawn_above(
        np.full(20_000, least), (np.arange(20_000) + 0.5) / 20_000
    )
    assert draws.min() >= least
    assert draws.mean() == pytest.approx(first[0], rel=2e-3)
    assert (draws == np.round(draws)).all() == whole


@pytest.mark.parametrize("kind", ["counts", "gamma", "lognormal"])
@pytest.mark.parametrize("stock", ["level", "stocks that vary"])
@pytest.mark.parametrize("season", [1, 12])
def test_the_level_comes_back(kind, stock, season):
    panel, demand = shop(kind, stock, 150, season=season)
    assert (~panel.available).mean() == pytest.approx(0.31, abs=0.03)
    kept = bias(panel.y.reshape(demand.shape), demand)
    found = bias(IMPUTE.completed(panel).y.reshape(demand.shape), demand)
    assert kept < -0.10
    assert abs(found) < abs(kept) / 3
    drawn = IMPUTE.drawn(panel, 0).reshape(demand.shape)
    assert drawn.std(axis=1).mean() == pytest.approx(demand.std(axis=1).mean(), rel=0.15)
    assert (drawn.ravel() >= panel.y).all()


def test_the_bias_of_the_forecast_is_under_a_third_and_each_choice_shows():
    panel, demand = shop(series=300, steps=STEPS + HORIZON)
    history = panel.until(HORIZON)
    _, future = panel.ahead(HORIZON, HORIZON)
    # 26 steps are two seasons and a bit: what the season adds is the same for every choice, so the truth is the mean of these
    truth = demand[:, -HORIZON - 26 : -HORIZON].mean(axis=1)
    found = {}
    for choice in (IMPUTE, DROP, KEEP):
        trained = train_panel(history, [RECENT], HORIZON, budget="trials=1", workers=1, demand=choice)
        point = trained.forecaster.predict(choice.completed(history), future)
        error = point[:, 0] / truth - 1.0
        found[choice.how] = float(point[:, 0].sum() / truth.sum() - 1.0), float(error.std() / np.sqrt(len(error)))
    (ours, noise), (naive, _), (dropped, _) = found["impute"], found["keep"], found["drop"]
    # so many series that three standard errors fit below the bound
    assert abs(ours) + 3 * noise < abs(naive) / 3
    assert dropped < naive < -0.10


def test_hidden_outcomes_are_not_scored_and_paths_spread_as_demand_does():
    panel, demand = shop(series=300)
    trained = train_panel(panel, [RECENT], HORIZON, budget="trials=1", workers=1, demand=IMPUTE, count=2)
    back = trained.backtest
    outcomes = np.stack([demand[:, STEPS - d : STEPS - d + HORIZON] for d in back.dropped])
    hidden = np.stack(
        [~panel.available.reshape(demand.shape)[:, STEPS - d : STEPS - d + HORIZON] for d in back.dropped]
    )
    assert np.array_equal(np.isnan(back.y), hidden)
    assert np.array_equal(back.y[~hidden], outcomes[~hidden])
    assert not np.isnan(back.drawn).any()
    # one outcome in three is hidden: whole trajectories would be nearly all gone
    assert len(trained.forecaster.trajectories.units) > 0.95 * 600
    judged = ~np.isnan(back.points)
    errors, true = (back.drawn - back.points)[judged], (outcomes - back.points)[judged]
    assert errors.mean() == pytest.approx(true.mean(), abs=0.05 * outcomes.mean())
    assert errors.std() == pytest.approx(true.std(), rel=0.15)


def test_nothing_from_after_an_origin_is_used_before_it():
    panel, _ = shop(series=40)
    later = panel.y.reshape(40, STEPS).copy()
    later[:, -HORIZON:] *= 7
    points = [
        train_panel(p, [RECENT], HORIZON, budget="trials=1", workers=1, demand=IMPUTE, count=2).backtest.points
        for p in (panel, panel.with_y(later.ravel()))
    ]
    assert np.array_equal(points[0], points[1])
    assert not np.array_equal(
        IMPUTE.completed(panel).y[:STEPS], IMPUTE.completed(panel.with_y(later.ravel())).y[:STEPS]
    )


def test_a_series_does_not_depend_on_its_neighbours():
    panel, _ = shop(series=30, season=12)
    mixed = Panel(
        panel.ids, np.r_[0, np.cumsum(panel.lengths - np.arange(30))], *(
            np.concatenate([v[i * STEPS + i : (i + 1) * STEPS] for i in range(30)]) for v in (panel.ds, panel.y)
        ), "W-MON", (12,), available=np.concatenate([panel.available[i * STEPS + i : (i + 1) * STEPS] for i in range(30)]),
    )  # fmt: skip
    together = IMPUTE.completed(mixed)
    for i in (0, 7, 29):
        alone = IMPUTE.completed(mixed.take(np.array([i])))
        assert np.array_equal(alone.y, together.take(np.array([i])).y)


def test_odd_series():
    panel, _ = shop(series=4, steps=30)
    y, available = panel.y.reshape(4, 30).copy(), np.ones((4, 30), bool)
    available[0] = False  # never in stock: sales stand for demand
    available[1, -8:] = False  # sold out with nothing sold: the level goes on
    y[1, -8:] = 0.0
    y[2, 5], available[2, 5] = np.nan, False  # not even a row
    y[3], available[3, 10] = 0.0, False
    odd = replace(panel, y=y.ravel(), available=available.ravel())
    done = IMPUTE.completed(odd).y.reshape(4, 30)
    assert np.array_equal(done[0], y[0])
    assert done[1, -8:].mean() == pytest.approx(y[1, :-8].mean(), rel=0.25)
    assert np.isnan(done[2, 5])
    assert np.abs(done[3]).max() < 1e-3
    dropped = DROP.completed(odd).y.reshape(4, 30)
    assert np.array_equal(dropped[0], y[0])
    assert np.isnan(dropped[1, -8:]).all()
    assert np.array_equal(KEEP.completed(odd).y, odd.y, equal_nan=True)
    assert np.isnan(observed(odd).reshape(4, 30)[0]).all()
    assert IMPUTE.completed(replace(panel, available=None)).y is panel.y


def test_the_choice_is_a_part_of_a_bundle():
    assert CensoredDemand.from_parts(DROP.to_parts()) == DROP
    with pytest.raises(BundleError, match="guess"):
        CensoredDemand.from_parts(Parts({"how": "guess"}))
