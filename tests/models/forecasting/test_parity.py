"""Our recursions against statsforecast: the same forecast at the end of the fit, the same state after later values."""

import numpy as np
import pytest

from holdgood.models.forecasting.adida import Adida
from holdgood.models.forecasting.ces import Ces
from holdgood.models.forecasting.croston import Croston
from holdgood.models.forecasting.ets import DAMPED, LASTING, Ets, fitted
from holdgood.models.forecasting.imapa import Imapa
from holdgood.models.forecasting.theta import Theta
from holdgood.models.forecasting.tsb import Tsb
from holdgood.testing.forecaster import made_up, made_up_demand

H, LATER = 9, 7
SERIES = list(made_up(seed=3, series=3).series())
DEMAND = list(made_up_demand(seed=3, series=4, steps=70).series())


@pytest.mark.parametrize("form", sorted({form for forms in (*DAMPED, *LASTING) for form in forms}))
@pytest.mark.parametrize("y", SERIES)
def test_ets(form, y):
    from statsforecast.ets import forecast_ets

    model = fitted(y, 4, [form])
    ours = Ets({"season": 4, "forms": [form]})
    numbers = ours.learn(y, H)
    damped = numbers[5]
    theirs = forecast_ets(model, H)["mean"]
    if damped != 1.0:
        # statsforecast 2.1.1 adds phi twice and leaves the last power out; the textbook's sum is phi + … + phi^h
        k = np.arange(1, H + 1)
        line = numbers[7] * (damped - damped**k)
        season = np.resize(numbers[8:][::-1], H) if numbers[1] else 1.0
        theirs = theirs - line * (season if numbers[1] == 2.0 else 1.0)
    np.testing.assert_allclose(ours.ahead(numbers, H), theirs, rtol=1e-9)
    before = np.concatenate([numbers[:6], model["states"][-1 - LATER]])
    np.testing.assert_allclose(ours.advance(before, y[-LATER:]), numbers, rtol=1e-9)


@pytest.mark.parametrize("model", ["STM", "OTM", "DSTM", "DOTM", None])
@pytest.mark.parametrize("decomposition", ["multiplicative", "additive"])
def test_theta(model, decomposition):
    from statsforecast.theta import auto_theta, forecast_theta

    for y in SERIES:
        theirs = auto_theta(y, 4, model, decomposition_type=decomposition)
        assert theirs["decompose"]
        ours = Theta({"season": 4, "model": model, "decomposition": decomposition})
        numbers = ours.learn(y, H)
        np.testing.assert_allclose(ours.ahead(numbers, H), forecast_theta(theirs, H)["mean"], rtol=1e-9)
        before = numbers.copy()
        before[4] -= LATER
        before[5:9] = theirs["states"][-1 - LATER][:4]
        before[9:] = np.roll(numbers[9:], LATER)
        np.testing.assert_allclose(ours.advance(before, y[-LATER:]), numbers, rtol=1e-7)


def test_theta_without_a_season_goes_on_as_their_forward():
    from statsforecast.theta import auto_theta, forecast_theta, forward_theta

    y = np.cumsum(np.random.default_rng(1).normal(1, 3, 50)) + 100
    ours = Theta({"season": 1, "model": "DOTM", "decomposition": "multiplicative"})
    forward = forward_theta(auto_theta(y[:-LATER], 1, "DOTM"), y)
    answer = ours.ahead(ours.advance(ours.learn(y[:-LATER], H), y[-LATER:]), H)
    np.testing.assert_allclose(answer, forecast_theta(forward, H)["mean"], rtol=1e-9)


@pytest.mark.parametrize("kind", "NSPFZ")
def test_ces(kind):
    from statsforecast.ces import auto_ces, forecast_ces

    for y in SERIES:
        theirs = auto_ces(y, 4, kind)
        ours = Ces({"season": 4, "model": kind})
        numbers = ours.learn(y, H)
        np.testing.assert_allclose(ours.ahead(numbers, H), forecast_ces(theirs, H)["mean"], rtol=1e-9)
        lag = int(theirs["m"])
        states = theirs["states"][: lag + len(y)]
        before = np.concatenate([numbers[:6], states[-lag - LATER : -LATER].ravel()])
        np.testing.assert_allclose(ours.advance(before, y[-LATER:]), numbers, rtol=1e-9)


def _intermittent():
    from statsforecast import models

    return [
        (Croston({"optimised": False, "factor": 1.0}), models.CrostonClassic()),
        (Croston({"optimised": False, "factor": 0.95}), models.CrostonSBA()),
        (Croston({"optimised": True, "factor": 1.0}), models.CrostonOptimized()),
        (Tsb({"sizes": 0.1, "probability": 0.2}), models.TSB(alpha_d=0.1, alpha_p=0.2)),
        (Adida({}), models.ADIDA()),
        (Imapa({}), models.IMAPA()),
    ]


@pytest.mark.parametrize("place", range(6))
def test_intermittent(place):
    ours, theirs = _intermittent()[place]
    for y in DEMAND:
        numbers = ours.learn(y, H)
        np.testing.assert_allclose(ours.ahead(numbers, H), theirs.forecast(y, H)["mean"], rtol=1e-6)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_intermittent_with_given_alphas_goes_on_as_if_fitted_to_all(place):
    ours, _ = _intermittent()[place]
    for y in DEMAND:
        whole = ours.learn(y, H)
        np.testing.assert_allclose(ours.advance(ours.learn(y[:-LATER], H), y[-LATER:]), whole, rtol=1e-12)


@pytest.mark.parametrize("ours", [Adida({}), Imapa({})])
def test_buckets_go_on_with_their_alpha(ours, monkeypatch):
    from statsforecast import models

    # with one alpha the levels after later values are those of a fit to all, as long as the sizes are the same
    monkeypatch.setattr(models, "_optimized_ses_forecast", lambda x, bounds: (0.0, x, 0.2))
    monkeypatch.setattr(type(ours), "sizes", lambda self, y: (1, 3))
    for y in DEMAND:
        n = (len(y) - LATER) // 3 * 3
        late = ours.advance(ours.learn(y[:n], H), y[n:])
        whole = ours.learn(y, H)
        np.testing.assert_allclose(late[:4], whole[:4], rtol=1e-12)
        same_start = [k for k in range(3) if (len(y) - k) % 3 == 0]
        np.testing.assert_allclose(late[6:9][same_start], whole[6:9][same_start], rtol=1e-12)
