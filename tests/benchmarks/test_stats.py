"""Small versions of bench-stats: the same code, fewer cells and simulations."""

import numpy as np
import pytest
from scipy.stats import binom

from holdgood.training.critical import joint_level
from holdgood.training.ladder import ALPHA

LEVEL = {
    "rmse, n=100, 4 above": 120,
    "rmse, n=400, 4 above, best of 4 each, shared 0.5": 50,
    "rmse, n=1000, 3 above, 20 unequal clusters": 120,
    "rmse, n=300, the first adds, 4 above add nothing": 50,
    "OLS on noise, n=100, 3 above and ensemble": 30,
}


@pytest.fixture(scope="module")
def ladder(bench):
    return bench("stats", "ladder")


@pytest.mark.parametrize("cell", LEVEL)
def test_climbs_where_nothing_is_added_are_as_rare_as_stated(ladder, cell):
    name, draw, truth = next(c for c in ladder.level_cells() if c[0] == cell)
    found = ladder.level(name, draw, truth, LEVEL[cell])
    most = binom.ppf(0.9995, LEVEL[cell], 0.05)
    assert found["climbs"]["balanced"] <= most
    assert found["proven"] <= most


@pytest.mark.parametrize(("rungs", "simulations"), [(1, 100), (3, 20)])
def test_where_proposals_race_the_level_is_the_same(ladder, rungs, simulations):
    name, draw, truth = next(c for c in ladder.level_cells() if c[0].startswith("racing") and f" {rungs} above" in c[0])
    found = ladder.level(name, draw, truth, simulations)
    assert found["proven"] <= binom.ppf(0.9995, simulations, ALPHA)


def test_races_that_are_not_replayed_would_not_hold_it(ladder):
    """What picks on the first folds flatters: a clear gain has to be clearer by as much as races and winners add."""
    _, draw, _ = next(c for c in ladder.level_cells() if c[0].startswith("racing") and " 1 above" in c[0])
    steps, judge, races = draw(np.random.default_rng(0))
    assert all(1 <= s.of < 21 for s in steps[1:])  # some were stopped, and are not judged
    looks = [s.against(steps[0]) for s in steps[1:]]
    blind, told = ((1 - joint_level(judge, looks, ALPHA, known)) / 2 for known in (None, races))
    assert 0.005 < told < blind < ALPHA


def test_a_proposal_that_alone_adds_is_found_as_often_as_by_an_oracle_that_is_not_told_which(ladder):
    name, make, low, high = next(w for w in ladder.power_worlds() if w[0].startswith("racing") and "tenth" in w[0])
    found = ladder.power(name, make, low, high, 3.0, 60)
    assert found["untold"] - found["balanced"] <= 0.2 * 60


@pytest.mark.parametrize("world", ["one rung above", "three above, from the second on"])
def test_power_is_near_the_oracles(ladder, world):
    name, make, low, high = next(w for w in ladder.power_worlds() if w[0] == world)
    found = ladder.power(name, make, low, high, 2.5, 120)
    # paired on the same rows: five points, and four standard errors of 120 simulations
    assert found["told"] - found["balanced"] <= 0.18 * 120
    assert 0.5 * 120 < found["balanced"] < 120


def test_the_made_up_gains_are_as_large_as_said(ladder):
    """Closed forms against draws: the truth that everything above stands on."""
    worlds = ladder.World(300, (1.0, 0.9, 0.8), clusters=30)
    rng = np.random.default_rng(0)
    drawn = np.array([np.square(ladder.drawn(worlds, rng)[2][:, 0]).mean(axis=1) for _ in range(600)])
    gains = drawn[:, :1] - drawn[:, 1:]
    for i in (1, 2):
        gain, error = worlds.gain_and_error(0, i)
        assert abs(gains[:, i - 1].mean() - gain) < 4 * error / 600**0.5
        assert gains[:, i - 1].std() == pytest.approx(error, rel=0.15)
    assert np.corrcoef(gains.T)[0, 1] == pytest.approx(worlds.gains_correlate(1.0, [0.9, 0.8])[0, 1], abs=0.08)


INTERVALS = (
    "log loss, n=300", "RMSE, normal errors, n=50", "share 0.3, n=300", "share 0.3, n=1000 in 60 unequal clusters",
    "AUC 0.856, n=300", "AUC difference 0.079, n=300", "difference of squared errors, n=300",
)  # fmt: skip


@pytest.mark.parametrize("cell", INTERVALS)
def test_intervals_cover(bench, cell):
    intervals = bench("stats", "intervals")
    name, truth, draw = next(c for c in intervals.cells() if c[0] == cell)
    found = intervals.missed(name, truth, draw, 200)
    assert found["below"] + found["above"] <= binom.ppf(0.9995, 200, 0.05)


def test_the_tables_show_what_is_not_accepted(bench):
    table = bench("stats", "table")
    level = {"part": "level", "cell": "x", "of": "", "simulations": 2000, "proven": 150, "any_gain": False}
    power = {
        "part": "power",
        "cell": "y: 2",
        "of": "y",
        "simulations": 2000,
        "effect": 2.0,
        "told": 1300,
        "untold": 1210,
    }
    rows = [
        level | {"climbs": {"balanced": 150}}, power | {"balanced": 1190},
        {"part": "interval", "cell": "z", "of": "z", "simulations": 2000, "below": 20, "above": 60},
    ]  # fmt: skip
    text = "\n".join(table.stats(rows))
    assert "| x | 2,000 |  | 7.5% |  | 7.5% | **no** |" in text
    assert "| y | oracle, told which | 65% | 5.5 |" in text
    assert "| z | 2,000 | 4.0% | 1.0% | 3.0% | yes |" in text
    assert table.most_allowed(2000, 1) == binom.ppf(0.95, 2000, 0.05)
    assert table.stats([]) == []
