"""Coherent forecasts as a part of a bundle: series go together as their errors did, and what was never judged is trusted no more than its members."""

import numpy as np
import pytest

from holdgood.core.errors import BundleError
from holdgood.core.protocols import Parts
from holdgood.models.forecasting.coherent import Coherent
from holdgood.models.forecasting.hierarchy import Hierarchy, declared
from holdgood.models.forecasting.reconcile import bottom_up, mint
from holdgood.testing.forecaster import panel_of

SERIES, SAMPLES, STEPS = 25, 2_000, 4


def hierarchy(series=SERIES) -> Hierarchy:
    return declared(panel_of([np.arange(1.0, 6) for _ in range(series)]), [])


@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_sums_of_paths_spread_as_errors_that_go_together_do(shared):
    random = np.random.default_rng(1)
    nodes = hierarchy()
    whole = np.sqrt(shared) * random.normal(size=400) + np.sqrt(1 - shared) * random.normal(size=(SERIES, 400))
    coherent = Coherent([]).learned(nodes.ids, nodes.added(whole))
    spread = np.sqrt(SERIES + SERIES * (SERIES - 1) * shared)
    # every series' paths come in the same order, lowest first: as a forecaster draws them
    bottom = np.sort(random.normal(size=(SERIES, SAMPLES)), axis=1)[:, :, None] * np.ones(STEPS)
    total = np.sort(random.normal(0, spread, (1, SAMPLES)), axis=1)[:, :, None] * np.ones(STEPS)
    y = coherent.coupled(nodes, np.concatenate([total, bottom]), 0)
    assert np.array_equal(np.sort(y, axis=1), np.concatenate([total, bottom]))
    assert bottom.sum(axis=0)[:, 0].std() == pytest.approx(SERIES, rel=0.1)
    assert y[1:].sum(axis=0)[:, 0].std() == pytest.approx(spread, rel=0.12)
    agreed = coherent.added_up(nodes, y, False)
    np.testing.assert_allclose(nodes.added(agreed[1:]), agreed)
    assert agreed[0, :, 0].std() == pytest.approx(spread, rel=0.12)


def test_steps_stay_together_as_they_were_and_ties_do_not_bind():
    random = np.random.default_rng(2)
    nodes = hierarchy(2)
    coherent = Coherent([]).learned(nodes.ids, random.normal(size=(3, 200)))
    level = random.normal(size=(3, SAMPLES, 1)) + 0.5 * random.normal(size=(3, SAMPLES, STEPS))
    found = coherent.coupled(nodes, level, 0)
    assert found[1].sum(axis=1).std() == pytest.approx(level[1].sum(axis=1).std(), rel=0.08)
    # rare demand whose steps have nothing in common, in one order of paths
    rare = np.sort((random.random((3, SAMPLES, STEPS)) < 0.1).astype(float), axis=1)
    rare[:, :, 1:] = random.permuted(rare[:, :, 1:], axis=1)
    found = coherent.coupled(nodes, rare, 0)
    assert abs(np.corrcoef(found[1, :, 0], found[1, :, 1])[0, 1]) < 0.1


def test_a_sum_that_was_never_judged_is_trusted_as_its_members_together():
    nodes = hierarchy(4)
    errors = np.random.default_rng(0).normal(0, 1, (5, 60))
    errors[0] = np.nan
    base = np.array([[14.0], [2.0], [2.0], [2.0], [2.0]])
    found = mint(nodes, base, "variance", errors)
    # a gap of 6 between a total of variance 4 and four members of variance 1: halved on either side
    assert found[0, 0] == pytest.approx(11.0, abs=0.3)
    strange = Coherent([]).learned(np.array(["other"]), errors[1:2])
    assert strange.added_up(nodes, base, False)[0, 0] == pytest.approx(11.0, abs=0.3)


def test_without_a_forecast_of_a_sum_its_members_make_it():
    nodes = hierarchy(4)
    base = np.array([[np.nan], [-2.0], [2.0], [2.0], [2.0]])
    coherent = Coherent([]).learned(nodes.ids, np.ones((5, 10)))
    np.testing.assert_array_equal(coherent.added_up(nodes, base, False), bottom_up(nodes, base))
    assert coherent.added_up(nodes, base, True)[:2, 0].tolist() == [6.0, 0.0]


def test_large_hierarchies_keep_sizes_alone(monkeypatch):
    monkeypatch.setattr("holdgood.models.forecasting.coherent.LARGEST_COVARIANCE", 3)
    nodes = hierarchy(4)
    errors = np.random.default_rng(0).normal(0, 2, (5, 500))
    errors[4] = np.nan
    coherent = Coherent([]).learned(nodes.ids, errors)
    assert coherent.errors.shape == (5, 1)
    assert coherent.errors[:4, 0] == pytest.approx(np.full(4, 2.0), rel=0.1)
    assert np.isnan(coherent.errors[4, 0])


def test_parts():
    nodes = hierarchy(4)
    coherent = Coherent([("group",)]).learned(nodes.ids, np.random.default_rng(0).normal(size=(5, 30)))
    again = Coherent.from_parts(coherent.to_parts())
    base = np.random.default_rng(1).normal(9, 3, (5, 20, 2))
    assert again.levels == (("group",),)
    assert np.array_equal(again.added_up(nodes, base, True), coherent.added_up(nodes, base, True))
    old = Coherent.from_parts(Parts({"levels": [], "nodes": nodes.ids.tolist()}, {"errors": np.full(5, 4.0)}))
    assert old.errors.tolist() == [[2.0]] * 5
    with pytest.raises(BundleError, match="differ"):
        Coherent.from_parts(Parts({"levels": [], "nodes": ["a"]}, {"errors": np.ones((2, 3))}))
    with pytest.raises(BundleError, match="nodes"):
        Coherent.from_parts(Parts({"levels": []}, {"errors": np.ones((2, 3))}))
