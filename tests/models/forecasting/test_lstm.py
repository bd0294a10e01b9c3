"""The LSTM learns across series, gives quantiles or counts, joint paths, and scores without JAX."""

import subprocess
import sys

import numpy as np
import pytest

from holdgood.core.errors import BundleError, DataError
from holdgood.core.protocols import Distributional, PanelContext, Parts
from holdgood.models.forecasting.lstm import FAMILY, LstmForecaster
from holdgood.models.forecasting.naive import Naive
from holdgood.testing.forecaster import check_forecaster_family
from holdgood.testing.model import through_disk

pytest.importorskip("optax")
HORIZON = 6


@pytest.fixture(scope="module")
def sales(made):
    return made.cut(made.shops(24), HORIZON)


@pytest.fixture(scope="module")
def fitted(sales):
    return LstmForecaster(most_origins=800, epochs=30, members=2).fit(sales[0], PanelContext(HORIZON))


@pytest.fixture(scope="module")
def counted(made):
    rng = np.random.default_rng(4)
    rate = np.tile([0.3, 4.0], 15)
    series = [rng.negative_binomial(2, 2 / (2 + r), 60) for r in rate]
    panel = made.panel_of(series)
    return panel, rate, LstmForecaster(most_origins=400, epochs=8, members=1).fit(panel, PanelContext(HORIZON))


def error(outcome, said):
    return float((np.abs(outcome - said).mean(axis=1) / outcome.mean(axis=1)).mean())


def test_the_contract_holds():
    check_forecaster_family(FAMILY, {"most_origins": 150, "epochs": 10, "members": 2})


def test_it_beats_the_season_ago_by_what_series_share(sales, fitted):
    past, outcome, future = sales
    assert error(outcome, fitted.predict(past, future)) < 0.6 * error(outcome, Naive(12).predict(past, future))


def test_numpy_answers_as_jax_did(fitted):
    assert len(fitted.networks) == len(fitted._samples) == 2
    for network, (context, features, wanted) in zip(fitted.networks, fitted._samples, strict=True):
        assert len(context) > 10
        found = network.answers(network.states(context), features)
        np.testing.assert_allclose(found, wanted, atol=1e-5 * max(1.0, np.abs(wanted).max()))
    fitted.networks[1].second_bias[0] += 1
    with pytest.raises(BundleError, match="JAX"):
        fitted.to_parts()
    fitted.networks[1].second_bias[0] -= 1


def test_a_bundle_scores_without_jax(sales, fitted, tmp_path):
    past, _, future = sales
    parts = through_disk(fitted.to_parts())
    again = LstmForecaster.from_parts(parts)
    np.testing.assert_array_equal(again.predict(past, future), fitted.predict(past, future))
    code = "import sys, holdgood.models.forecasting.lstm; sys.exit(any(m in sys.modules for m in ('jax', 'optax')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_quantiles_rise_and_hold_their_share(sales, fitted):
    past, outcome, future = sales
    found = fitted.quantiles(past, future, np.array([0.1, 0.5, 0.9]))
    assert (np.diff(found, axis=2) >= 0).all()
    np.testing.assert_allclose(found[:, :, 1], fitted.predict(past, future))
    inside = (outcome >= found[:, :, 0]) & (outcome <= found[:, :, 2])
    assert 0.5 < inside.mean() <= 1.0


def test_paths_have_the_marginals_of_the_quantiles_and_hang_together(sales, fitted):
    past, _, future = sales
    assert isinstance(fitted, Distributional)
    paths = fitted.sample(past, future, 2_000, 1)
    assert paths.shape == (24, 2_000, HORIZON)
    levels = np.array([0.1, 0.5, 0.9])
    wanted = fitted.quantiles(past, future, levels)
    width = wanted[:, :, 2] - wanted[:, :, 0]
    found = np.moveaxis(np.quantile(paths, levels, axis=1), 0, -1)
    assert (np.abs(found - wanted) < 0.12 * width[:, :, None] + 1e-9).all()
    one = np.array([7])
    np.testing.assert_array_equal(fitted.sample(past.take(one), future.take(one), 2_000, 1), paths[one])


def test_counts_are_whole_and_as_frequent_as_they_were(made, counted):
    panel, rate, model = counted
    assert model.output == "counts"
    future = made.ahead_of(panel, HORIZON)
    paths = model.sample(panel, future, 500, 0)
    assert (paths == np.round(paths)).all() and (paths >= 0).all()
    for level in (0.3, 4.0):
        mine = paths[rate == level]
        assert mine.mean() == pytest.approx(level, rel=0.35)
        assert (mine == 0).mean() == pytest.approx((2 / (2 + level)) ** 2, abs=0.12)
    assert model.predict(panel, future).mean(axis=1) == pytest.approx(paths.mean(axis=(1, 2)), rel=0.3, abs=0.2)
    back = LstmForecaster.from_parts(through_disk(model.to_parts()))
    np.testing.assert_array_equal(back.sample(panel, future, 50, 0), model.sample(panel, future, 50, 0))


def test_damage_is_refused(fitted):
    parts = fitted.to_parts()
    for json, arrays in (
        ({"output": "luck"}, {}),
        ({"copula": [0.5, 1.5, 1.0]}, {}),
        ({"copula": [0.5, 0.5, 0.2]}, {}),
        ({"inputs": {"plan": 3}}, {}),
        ({"members": 3}, {}),
        ({"members": 0}, {}),
        ({}, {"gates_1": np.zeros((2, 2), np.float32)}),
        ({}, {"unit": np.zeros(3)}),
        ({}, {"start": np.zeros(2)}),
    ):
        with pytest.raises(BundleError):
            LstmForecaster.from_parts(Parts(parts.json | json, parts.arrays | arrays))


def test_counts_are_asked_only_of_counts(made):
    panel = made.panel_of([np.full(40, 1.5)])
    with pytest.raises(DataError, match="counts"):
        LstmForecaster(output="counts").fit(panel, PanelContext(3))
    with pytest.raises(DataError, match="output"):
        LstmForecaster(output="luck")
