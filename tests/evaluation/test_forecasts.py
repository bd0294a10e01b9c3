"""A backtest as a record: its numbers by another road, and the cover that PIT values promise."""

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.evaluation.forecasts import PastForecasts, evaluate_forecasts
from holdgood.evaluation.item_cover import item_cover
from holdgood.evaluation.path_scores import LEVELS, PathScores, randomised_pit

KINDS = ("smooth", "erratic", "intermittent", "lumpy")


def past(series=60, origins=2, horizon=4, seed=0, **changes):
    random = np.random.default_rng(seed)
    shape = (origins, series, horizon)
    y = random.poisson(20.0, shape).astype(float)
    points, naive = np.full(shape, 20.0), random.poisson(20.0, shape).astype(float)
    ids = np.array([f"s{i}" for i in range(series)])
    made = PastForecasts(ids, y, points, naive, np.full((origins, series), 4.0), np.arange(series) % 2, KINDS)
    return PastForecasts(**{**made.__dict__, **changes})


def test_losses_by_hand():
    made = past()
    made.y[1, 3, 2] = np.nan
    found = evaluate_forecasts(made, metric="mase")
    by_series = np.nanmean(np.abs(made.y - made.points) / 4.0, axis=(0, 2))
    assert found.overall.loss == pytest.approx(by_series.mean())
    assert found.overall.wape == pytest.approx(np.nansum(np.abs(made.y - made.points)) / np.nansum(made.y))
    assert found.segments[1].loss == pytest.approx(by_series[1::2].mean())
    assert [s.name for s in found.steps] == ["1", "2", "3", "4"]
    assert found.steps[2].loss == pytest.approx(np.nanmean(np.abs(made.y - made.points)[:, :, 2] / 4.0))
    assert found.overall.value_added.verdict == "better"
    assert found.worst[0].loss == pytest.approx(by_series.max())


def test_a_forecast_that_is_the_naive_adds_nothing():
    made = past()
    same = evaluate_forecasts(past(points=made.naive, naive=made.naive), metric="smape")
    assert same.overall.value_added.difference == 0
    assert same.overall.value_added.verdict == "not proven"
    assert same.better_than_naive == 0


def test_series_that_nobody_judged_are_in_no_number():
    made = past()
    for values in (made.y, made.points, made.naive):
        values[:, :10] = np.nan
    found = evaluate_forecasts(made, metric="mase")
    assert found.overall.series == 50
    assert all(int(s.series[1:]) >= 10 for s in found.worst)


@pytest.mark.parametrize("rate", [0.3, 3.0, 300.0])
def test_randomised_pit_of_a_right_forecast_is_uniform_for_counts_too(rate):
    random = np.random.default_rng(1)
    n = 4_000
    y, samples = random.poisson(rate, n).astype(float), random.poisson(rate, (n, 100)).astype(float)
    pit = randomised_pit(y, samples, random.random(n))
    for level in (0.5, 0.8, 0.9):
        # 4 standard errors of a share of 4,000
        assert abs(np.mean(np.abs(pit - 0.5) <= level / 2) - level) < 4 * np.sqrt(level * (1 - level) / n)
    assert np.isnan(randomised_pit(np.array([np.nan]), samples[:1], np.zeros(1))).all()


def test_the_service_level_is_one_sided():
    random = np.random.default_rng(2)
    pit = random.random((2, 60, 4))
    found = evaluate_forecasts(past(pit=pit), metric="mase", service_level=0.9)
    assert found.service_reached == pytest.approx(np.mean(pit <= 0.9))
    assert set(found.overall.cover) == {"0.5", "0.8", "0.9", "0.95"}


def test_rmsse_crps_and_quantile_loss_by_hand():
    random = np.random.default_rng(5)
    square = random.uniform(4, 9, (2, 60))
    loss = random.random((2, 60, 4))
    made = past(square_scale=square, crps=loss, quantile_loss=2 * loss)
    made.y[0, 7, 1] = np.nan
    found = evaluate_forecasts(made, metric="mase")
    error = (made.y - made.points) ** 2 / square[:, :, None]
    assert found.overall.rmsse == pytest.approx(np.mean(np.sqrt(np.nanmean(error, axis=(0, 2)))))
    assert found.steps[1].rmsse == pytest.approx(np.mean(np.sqrt(np.nanmean(error[:, :, 1], axis=0))))
    there = ~np.isnan(made.y)
    assert found.overall.crps == pytest.approx(loss[there].sum() / made.y[there].sum())
    assert found.segments[0].quantile_loss == pytest.approx(
        2 * loss[:, ::2][there[:, ::2]].sum() / made.y[:, ::2][there[:, ::2]].sum()
    )


def counted(spread, *, items=300, origins=4, horizon=6, shared=True, seed=6):
    """Items whose paths share a shock over their steps; outcomes are ``spread`` times as wide as the paths."""
    random = np.random.default_rng(seed)
    scores = PathScores((origins, items, horizon), (horizon,))

    def draws(n):
        shock = random.normal(size=(items, n, 1)) if shared else 0.0
        return shock + random.normal(size=(items, n, horizon))

    for k in range(origins):
        y = spread * draws(1)[:, 0]
        scores.add(k, np.arange(items), y, draws(200), random)
    ids = np.array([f"s{i}" for i in range(items)])
    return scores, item_cover(scores.items.chances(), ids)


def test_items_outside_are_as_many_as_chance_says_where_steps_go_together():
    scores, found = counted(1.0)
    assert found.items == 300
    # each side 2.5% by chance: at most 4 standard errors more
    for seen, chance in ((found.too_narrow, found.narrow_by_chance), (found.too_wide, found.wide_by_chance)):
        assert chance <= 0.03 * 300 and seen <= chance + 4 * np.sqrt(max(chance, 1.0))
    inside = np.abs(scores.pit - 0.5) <= 0.4
    counts = inside.sum(axis=(0, 2))
    # a binomial count of independent steps, the easy road, would accuse more than chance does
    assert np.mean(counts <= binom.ppf(0.025, 24, 0.8) - 1) > 0.04


def test_items_whose_intervals_are_too_narrow_are_found_and_come_first():
    _, found = counted(3.0)
    assert found.too_narrow > 150 > found.too_wide
    assert found.worst[0].inside == min(w.inside for w in found.worst) < 0.5
    assert counted(0.1)[1].too_wide > 100


def test_path_scores_by_definition():
    random = np.random.default_rng(8)
    scores = PathScores((1, 3, 2), (2,))
    y, paths = random.normal(size=(3, 2)), random.normal(size=(3, 50, 2))
    y[1, 1] = np.nan
    scores.add(0, np.arange(3), y, paths, random)
    x = paths[0, :, 0]
    pairs = np.abs(x[:, None] - x[None]).sum() / (50 * 49)
    assert scores.crps[0, 0, 0] == pytest.approx(np.abs(x - y[0, 0]).mean() - pairs / 2)
    by_level = [max(q * (y[0, 0] - v), (q - 1) * (y[0, 0] - v)) for q in LEVELS for v in [np.quantile(x, q)]]
    assert scores.quantile_loss[0, 0, 0] == pytest.approx(2 * np.mean(by_level))
    assert np.isnan([scores.pit[0, 1, 1], scores.crps[0, 1, 1], scores.lead_pits[2][0, 1]]).all()
    assert scores.lead_pits[2][0, 0] == pytest.approx(np.mean(paths[0].sum(axis=1) < y[0].sum()), abs=0.02)


def test_a_level_without_a_judged_sum_is_told_without_numbers():
    made = past(square_scale=np.ones((2, 60)), level=np.array(["total"] + ["bottom"] * 59))
    made.points[:, 0] = np.nan
    found = evaluate_forecasts(made, metric="mase")
    assert found.levels[0].series == 0 and np.isnan(found.levels[0].rmsse)
