"""ARIMA: the filter against statsforecast's forecasts and forward, the search against its likelihood."""

import numpy as np
import pytest

from holdgood.models.forecasting.arima import Arima, filtered, packed
from holdgood.models.forecasting.arima_search import Chosen, search
from holdgood.testing.forecaster import made_up

H, LATER = 9, 6
OURS = Arima({"season": 4, "orders": [2, 2, 1, 1], "models": 24, "exact": True})
RNG = np.random.default_rng(5)
NOISE = RNG.normal(size=300)
FORMS = [
    ((1, 0, 1), (0, 0, 0), True),
    ((0, 1, 1), (0, 0, 0), True),
    ((2, 1, 0), (0, 0, 1), False),
    ((0, 2, 1), (0, 0, 0), False),
    ((0, 1, 1), (0, 1, 1), False),
    ((1, 0, 0), (1, 1, 0), True),
]


@pytest.mark.parametrize(("order", "seasonal", "constant"), FORMS)
def test_same_forecast_and_same_way_on(order, seasonal, constant):
    from statsforecast.arima import Arima as fit_arima
    from statsforecast.arima import forecast_arima, forward_arima

    y = next(made_up(seed=2, series=1).series())
    old, drift = y[:-LATER], constant and order[1] + seasonal[1] == 1
    season = {"order": seasonal, "period": 4}
    theirs = fit_arima(old, order, season, include_mean=constant, include_drift=drift, method="CSS-ML")
    fit, coef = theirs["model"], dict(theirs["coef"])
    model = Chosen(coef.get("intercept", 0.0), coef.get("drift", 0.0), fit["phi"], fit["theta"], fit["delta"])
    numbers = packed(filtered(model, old))
    np.testing.assert_allclose(
        OURS.ahead(numbers, H), forecast_arima(theirs | {"coef": dict(coef)}, H)["mean"], rtol=1e-8
    )
    forward = forward_arima(theirs | {"coef": dict(coef)}, y)
    later = OURS.advance(numbers, y[-LATER:])
    np.testing.assert_allclose(OURS.ahead(later, H), forecast_arima(forward, H)["mean"], rtol=1e-6)


def test_a_missing_value_is_filtered_as_statsforecast_does():
    from statsforecast.arima import Arima as fit_arima
    from statsforecast.arima import forecast_arima, forward_arima

    y = next(made_up(seed=2, series=1).series()).copy()
    theirs = fit_arima(y[:-LATER], (1, 1, 1), method="CSS-ML")
    fit = theirs["model"]
    y[-4] = np.nan
    numbers = packed(filtered(Chosen(0.0, 0.0, fit["phi"], fit["theta"], fit["delta"]), y[:-LATER]))
    forward = forward_arima(theirs, y)
    answer = OURS.ahead(OURS.advance(numbers, y[-LATER:]), H)
    np.testing.assert_allclose(answer, forecast_arima(forward, H)["mean"], rtol=1e-6)


def test_search_finds_what_made_the_series():
    walk = np.cumsum(NOISE[1:] + 0.6 * NOISE[:-1]) + 50
    found = search(walk, 1, (2, 2, 0, 0), 24, True)
    assert found.delta.tolist() == [1.0]
    # the forecast of an invertible model is that of its autoregression of infinite order: compare the first weights
    weights = _weights(found, 4)
    np.testing.assert_allclose(weights, [0.6, -0.36, 0.216, -0.13], atol=0.15)

    ar = np.zeros(300)
    for t in range(2, 300):
        ar[t] = 0.6 * ar[t - 1] - 0.3 * ar[t - 2] + NOISE[t]
    found = search(ar + 20, 1, (2, 2, 0, 0), 24, True)
    assert not len(found.delta)
    assert abs(found.intercept - 20) < 1
    np.testing.assert_allclose(_weights(found, 2), [0.6, -0.3], atol=0.15)


def test_search_is_as_likely_as_statsforecast_s_own():
    from statsforecast.arima import arima_like, auto_arima_f, make_arima

    for y in list(made_up(seed=8, series=3).series()):
        theirs = auto_arima_f(y, max_p=2, max_q=2, max_P=1, max_Q=1, period=4, approximation=False)
        ours = search(y, 4, (2, 2, 1, 1), 40, True)
        assert len(ours.delta) == len(theirs["model"]["delta"])

        def deviance(model, coef, y=y):
            form = make_arima(model[0], model[1], model[2])
            plain = y - coef[0] - coef[1] * np.arange(1, len(y) + 1)
            squares, logs, n, _ = arima_like(plain, *model, form["a"], form["P"], form["Pn"], 0, False)
            return n * np.log(squares / n) + logs

        coef = theirs["coef"]
        other = tuple(theirs["model"][k] for k in ("phi", "theta", "delta"))
        mine = deviance((ours.phi, ours.theta, ours.delta), (ours.intercept, ours.drift))
        assert mine < deviance(other, (coef.get("intercept", 0), coef.get("drift", 0))) + 8


def _weights(model, count):
    """Weights of past differenced values in the next one: the autoregression of infinite order."""
    phi = np.r_[model.phi, np.zeros(count)]
    theta = np.r_[model.theta, np.zeros(count)]
    weights = []
    for k in range(count):
        weights.append(phi[k] + theta[k] - sum(theta[j] * weights[k - 1 - j] for j in range(k)))
    return weights
