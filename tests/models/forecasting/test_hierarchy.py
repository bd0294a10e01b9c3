"""Hierarchies: the sums of declared levels, and forecasts that add up, against hierarchicalforecast."""

from dataclasses import replace

import numpy as np
import pytest

from holdgood.core.errors import DataError
from holdgood.models.forecasting.hierarchy import Hierarchy, declared, summed
from holdgood.models.forecasting.reconcile import bottom_up, mint, shrunk
from holdgood.testing.forecaster import panel_of

RNG = np.random.default_rng(4)
VALUES = [np.arange(1.0, 9) * (i + 1) for i in range(6)]


def _panel():
    panel = panel_of(VALUES)
    static = {"shop": np.array([0.0, 0, 0, 1, 1, 1]), "kind": np.array([0.0, 1, 2, 0, 1, 2])}
    return replace(panel, static=static)


def _hierarchy() -> Hierarchy:
    return declared(_panel(), [("shop",), ("kind",), ("shop", "kind")], {"shop": ["north", "south"]})


def _dense(hierarchy):
    return np.vstack([hierarchy.sums.toarray(), np.eye(hierarchy.sums.shape[1])])


def test_sums_of_declared_levels_from_the_top_down():
    hierarchy = _hierarchy()
    assert hierarchy.ids.tolist()[:6] == ["total", "shop=north", "shop=south", "kind=0", "kind=1", "kind=2"]
    # shop and kind together name single series: nothing to add up
    assert hierarchy.names == ("total", "shop", "kind", "bottom")
    assert len(hierarchy) == 12
    assert hierarchy.sums.toarray()[1].tolist() == [1, 1, 1, 0, 0, 0]
    with pytest.raises(DataError, match="region"):
        declared(_panel(), [("region",)])
    with pytest.raises(DataError, match="total"):
        declared(replace(_panel(), ids=np.array(["total", *"bcdef"])), [])


def test_the_panel_of_sums_counts_a_member_from_its_first_to_its_last_step():
    values = [v.copy() for v in VALUES]
    values[0] = values[0][3:]
    values[4][2] = np.nan
    panel = replace(panel_of(values), static=_panel().static)
    nodes = summed(panel, declared(panel, [("shop",)]))
    total, north, south = list(nodes.series())[:3]
    assert north.tolist() == [sum((i + 1) * k for i in range(3) if i or k > 3) for k in range(1, 9)]
    assert np.flatnonzero(np.isnan(south)).tolist() == [2]
    assert np.flatnonzero(np.isnan(total)).tolist() == [2]
    np.testing.assert_array_equal(nodes.y[-len(panel.y) :], panel.y)
    assert nodes.ids.tolist()[3:] == panel.ids.tolist()
    assert len(nodes.known["day"]) == len(nodes.y)
    # all members share the calendar, so the sum keeps it
    np.testing.assert_array_equal(nodes.known["day"][:8], panel.known["day"][5:13])


@pytest.mark.parametrize("weights", ["structure", "variance", "shrunk"])
@pytest.mark.parametrize("shape", [(3,), (20, 3)])
def test_forecasts_and_paths_add_up(weights, shape):
    hierarchy = _hierarchy()
    base = RNG.normal(50, 20, (len(hierarchy), *shape))
    errors = RNG.normal(size=(len(hierarchy), 30)) * np.linspace(1, 3, len(hierarchy))[:, None]
    for answer in (mint(hierarchy, base, weights, errors), bottom_up(hierarchy, base)):
        np.testing.assert_allclose(hierarchy.added(answer[6:]), answer, rtol=1e-12)
    # what adds up already is left alone
    coherent = hierarchy.added(base[6:])
    np.testing.assert_allclose(mint(hierarchy, coherent, weights, errors), coherent, rtol=1e-9)
    low = mint(hierarchy, base - 60, weights, errors, nonnegative=True)
    assert low.min() >= 0
    np.testing.assert_allclose(hierarchy.added(low[6:]), low, rtol=1e-12)


def test_the_same_as_hierarchicalforecast():
    from hierarchicalforecast.methods import BottomUp, MinTrace

    hierarchy = _hierarchy()
    matrix = _dense(hierarchy)
    base = RNG.normal(50, 20, (len(hierarchy), 4))
    theirs = MinTrace("wls_struct").fit_predict(S=matrix, y_hat=base)["mean"]
    np.testing.assert_allclose(mint(hierarchy, base, "structure"), theirs, rtol=1e-8)
    theirs = BottomUp().fit_predict(S=matrix, y_hat=base)["mean"]
    np.testing.assert_allclose(bottom_up(hierarchy, base), theirs, rtol=1e-12)


def test_mint_is_generalised_least_squares():
    hierarchy = _hierarchy()
    matrix = _dense(hierarchy)
    base = RNG.normal(50, 20, (len(hierarchy), 2))
    errors = RNG.normal(size=(len(hierarchy), 40)) + RNG.normal(size=40)
    covariance = shrunk(errors, (errors**2).mean(axis=1))
    inverse = np.linalg.inv(covariance)
    direct = matrix @ np.linalg.solve(matrix.T @ inverse @ matrix, matrix.T @ inverse @ base)
    np.testing.assert_allclose(mint(hierarchy, base, "shrunk", errors), direct, rtol=1e-7)


def test_correlations_are_believed_as_far_as_the_errors_reach():
    shared = RNG.normal(size=400)
    errors = np.stack([shared + 0.3 * RNG.normal(size=400) for _ in range(4)])
    strong = shrunk(errors, (errors**2).mean(axis=1))
    few = shrunk(RNG.normal(size=(4, 6)), np.ones(4))
    assert strong[0, 1] > 0.8 * strong[0, 0]
    assert np.abs(few[np.triu_indices(4, 1)]).max() < 0.4
    assert np.array_equal(shrunk(errors[:, :2], np.ones(4)), np.eye(4))


def test_the_better_of_two_forecasts_wins():
    # the total is forecast well, its members with noise: mint moves the members, bottom-up cannot
    hierarchy = declared(_panel(), [])
    truth = hierarchy.added(RNG.normal(100, 10, (6, 500)))
    errors = RNG.normal(size=(7, 500)) * np.r_[1.0, np.full(6, 8.0)][:, None]
    answer = mint(hierarchy, truth + errors, "variance", errors)
    assert np.abs(answer[0] - truth[0]).mean() < 0.2 * np.abs(bottom_up(hierarchy, truth + errors)[0] - truth[0]).mean()
    assert np.abs(answer[1:] - truth[1:]).mean() < 0.97 * np.abs(errors[1:]).mean()


def test_what_is_refused():
    hierarchy = _hierarchy()
    with pytest.raises(DataError, match="infinite"):
        mint(hierarchy, np.full((12, 2), np.nan), "structure")
    with pytest.raises(DataError, match="backtest"):
        mint(hierarchy, np.ones((12, 2)), "shrunk")
