"""Money and losses are held to what days do by themselves: a window of few or skewed days is not surer than it can be."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.core.traffic import DAY, Look
from holdgood.monitoring import mon007_performance, mon011_benefit
from holdgood.monitoring.usual_days import usual_days
from holdgood.testing.watcher import look, made_up


def whole(seed, *, spread, heavy=False, less=0.0):
    """Traffic whose days each multiply losses and money; all outcomes are known, as promised in the mean."""
    rng, t = np.random.default_rng([seed, 9]), made_up(seed, a_day=15)
    size = np.exp(rng.normal(-(spread**2) / 2, spread, 70))[(t.when // DAY).astype(int)]
    acted = rng.random(len(t)) < 0.35
    money = np.where(acted, rng.lognormal(1.0, 1.0, len(t)) - 1.5, 0.0) if heavy else rng.normal(1.0, 1.0, len(t))
    mean = 0.35 * (np.exp(1.5) - 1.5) if heavy else 1.0
    sure = t.promised.saved.model_copy(update={"value": mean, "low": 0.98 * mean, "high": 1.02 * mean})
    fall = np.where(t.when >= t.as_of - 28 * DAY, less * mean, 0.0)
    promised = replace(t.promised, saved=sure, loss=sure)
    known = np.ones(len(t), bool)
    return replace(
        t, labelled=known, delay=np.zeros(len(t)), saved=money * size - fall, loss=money * size + fall, promised=promised
    )  # fmt: skip


def alarms(watcher, traffic, days, alpha):
    return sum(bool(watcher.watch(look(t, days), alpha=alpha, seed=0)) for t in traffic)


def test_days_of_large_sums_that_are_days_of_large_spread_do_not_alarm_by_chance():
    looks = [whole(s, spread=0.6, heavy=True) for s in range(600)]
    for alpha in (0.05, 0.01):
        assert alarms(mon011_benefit.DETECTOR, looks, 28, alpha) <= binom.ppf(0.999, 600, alpha)


@pytest.mark.parametrize("watcher", [mon007_performance.DETECTOR, mon011_benefit.DETECTOR])
def test_a_window_of_few_days_knows_that_days_differ(watcher):
    looks = [whole(s, spread=0.45) for s in range(150)]
    for days in (2, 4):
        assert alarms(watcher, looks, days, 0.01) <= binom.ppf(0.999, 150, 0.01)


def test_less_money_is_still_seen():
    looks = [whole(s, spread=0.3, less=0.45) for s in range(40)]
    assert alarms(mon011_benefit.DETECTOR, looks, 28, 0.002) >= 30


def test_parts_of_the_spread_are_those_of_the_rows_and_of_the_days_whatever_changed():
    rng, t = np.random.default_rng(5), made_up(5, days=400)
    day = (t.when // DAY).astype(int)
    values = rng.normal(0.0, 2.0, len(t)) + rng.normal(0.0, 0.5, 400)[day] + np.where(day >= 372, 50.0, 0.0)
    found = usual_days(look(replace(t, labelled=np.ones(len(t), bool))), values)
    assert found.within == pytest.approx(4.0, rel=0.05)
    assert found.between == pytest.approx(0.25, rel=0.25)
    assert found.days == 400
    # One row a day, each its own unit: what rows and days do cannot be told apart.
    few = t.take(np.unique(day, return_index=True)[1])
    assert usual_days(Look(few, few.as_of - 28 * DAY, few.as_of), np.ones(len(few))).days == 0


def test_the_variance_of_a_mean_counts_rows_and_the_days_they_share():
    t = made_up(6)
    parts = replace(usual_days(look(t), t.saved), within=4.0, between=1.0)
    assert parts.of_mean(np.ones(4), np.zeros(4, int)) == pytest.approx(4.0 / 4 + 1.0)
    assert parts.of_mean(np.ones(4), np.arange(4)) == pytest.approx(4.0 / 4 + 1.0 / 4)
