"""Shocks that all series share: told apart from what a series has for its own, and drawn as wide as few of them allow."""

import numpy as np
import pytest

from holdgood.training.panels.errors import Trajectories
from holdgood.training.panels.shocks import Shocks

LEVELS = (0.5, 0.8, 0.9, 0.95)


def errors(origins, series, horizon, shared, random):
    """(origins * series, horizon) with a shock that fades in over the steps, and codes of the origins."""
    shock = shared * random.normal(size=(origins, 1, 1)) * np.linspace(0.5, 1.5, horizon)
    own = random.normal(size=(origins, series, horizon)) + random.normal(size=(origins, series, 1))
    return (shock + own).reshape(-1, horizon), np.repeat(np.arange(origins), series)


def cover(origins, shared, times=160, series=50, horizon=4):
    """Share of sums of a further origin inside the intervals of draws from those before."""
    random, inside = np.random.default_rng(11), []
    for _ in range(times):
        units, origin = errors(origins + 1, series, horizon, shared, random)
        past, new = origin < origins, units[origin == origins].sum(axis=1)
        kept = Trajectories(units[past], np.zeros(past.sum(), int), origin[past])
        drawn = kept.draw(np.zeros(1, int), np.array(["a"]), 400, horizon, int(random.integers(1 << 30)))[0].sum(axis=1)
        place = np.searchsorted(np.sort(drawn), new) / 400
        inside.append([np.mean(np.abs(place - 0.5) <= level / 2) for level in LEVELS])
    return np.mean(inside, axis=0), np.std(inside, axis=0) / np.sqrt(times)


@pytest.mark.parametrize(("origins", "shared"), [(3, 3.0), (8, 3.0), (3, 0.0), (8, 0.0), (1, 0.0)])
def test_sums_of_a_new_origin_are_covered_whether_or_not_series_share_a_shock(origins, shared):
    found, error = cover(origins, shared)
    # 3 points or 3 standard errors; too wide is allowed where a few shocks tell little
    assert (found > np.array(LEVELS) - np.maximum(0.03, 3 * error)).all()
    assert (found < np.array(LEVELS) + 0.03 + 3 * error + (0.06 if shared and origins == 3 else 0)).all()


def test_errors_drawn_as_they_come_cover_too_little_where_shocks_are_few():
    """What the parting is for."""
    random, inside = np.random.default_rng(12), []
    for _ in range(160):
        units, origin = errors(4, 30, 4, 3.0, random)
        drawn, new = units[origin < 3].sum(axis=1), units[origin == 3].sum(axis=1)
        inside.append(np.mean(np.abs(np.searchsorted(np.sort(drawn), new) / len(drawn) - 0.5) <= 0.4))
    assert np.mean(inside) < 0.7


def test_shocks_are_means_of_origins_and_the_rest_has_none():
    random = np.random.default_rng(13)
    units, origin = errors(3, 40, 5, 2.0, random)
    found = Shocks.parted(units, origin)
    again = found.own + found.mean + found.around[origin]
    assert again == pytest.approx(units)
    assert found.around.sum(axis=0) == pytest.approx(np.zeros(5), abs=1e-12)
    assert found.own[origin == 1].mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-12)
    drawn = found.draw(200_000, random) - found.mean
    # variance of the t with three degrees of freedom in the span of the shocks seen: heavy, so the middle is looked at
    size = np.sqrt((1 + 1 / 3) * (found.around[:, 0] ** 2).sum() / 2)
    assert np.quantile(np.abs(drawn[:, 0]), 0.5) == pytest.approx(0.765 * size, rel=0.02)


def test_a_few_rows_are_drawn_as_they_are():
    units = np.random.default_rng(14).normal(size=(12, 3))
    found = Shocks.parted(units, np.repeat([0, 1, 2, 3], 3))
    assert (found.own == units).all() and not found.draw(5, np.random.default_rng(0)).any()


def test_of_a_single_origin_the_mean_stays_and_another_of_its_size_may_come():
    random = np.random.default_rng(16)
    units = random.normal(size=(50, 3)) + np.array([1.0, -2.0, 0.0])
    found = Shocks.parted(units, np.zeros(50, int))
    assert found.mean == pytest.approx(units.mean(axis=0)) and found.around[0] == pytest.approx(found.mean)
    drawn = found.draw(200_000, random)
    assert np.median(drawn, axis=0) == pytest.approx(found.mean, abs=0.02)
    assert np.median(np.abs(drawn - found.mean), axis=0) == pytest.approx(
        0.765 * np.sqrt(2) * np.abs(found.mean), rel=0.02
    )


def test_origins_with_hardly_any_rows_are_left_out():
    random = np.random.default_rng(15)
    units, origin = errors(3, 40, 5, 2.0, random)
    few = np.concatenate([np.flatnonzero(origin < 2), np.flatnonzero(origin == 2)[:3]])
    found, without = Shocks.parted(units[few], origin[few]), Shocks.parted(units[origin < 2], origin[origin < 2])
    assert (found.own == without.own).all() and (found.around == without.around).all()
