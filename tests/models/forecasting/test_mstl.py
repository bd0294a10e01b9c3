"""MSTL: two seasons at once, against statsforecast's own class; the figures turn with later steps."""

import numpy as np

from holdgood.core.panel import Panel
from holdgood.models.forecasting.mstl import Mstl, MstlFamily

ETS = {"season": 1, "forms": ["ANN", "AAN"]}


def _hourly(days=12, seed=0):
    rng, t = np.random.default_rng(seed), np.arange(24 * days)
    return 100 + 10 * np.sin(2 * np.pi * t / 6) + 8 * np.cos(2 * np.pi * t / 24) + 0.05 * t + rng.normal(0, 0.5, len(t))


def _make(log=False, rest="ets", parameters=ETS):
    return Mstl({"season": 6, "seasons": [24, 6], "rest": rest, "rest_parameters": parameters, "log": log})


def test_same_as_statsforecast_with_the_same_family_for_the_rest():
    from statsforecast.models import MSTL, AutoETS

    y = _hourly()
    ours = _make(parameters={"season": 1, "forms": ["AAN"]})
    theirs = MSTL([6, 24], trend_forecaster=AutoETS(model="AAN", damped=False)).forecast(y, 30)["mean"]
    np.testing.assert_allclose(ours.ahead(ours.learn(y, 30), 30), theirs, rtol=1e-9)


def test_knows_both_seasons_and_goes_on_with_them():
    y = _hourly()
    for log in (False, True):
        ours = _make(log)
        numbers = ours.learn(y[:-55], 30)
        assert np.abs(ours.ahead(numbers, 30) - y[-55:-25]).mean() < 1.2
        later = ours.advance(numbers, y[-55:-25])
        assert np.abs(ours.ahead(later, 25) - y[-25:]).mean() < 1.2
        # steps nobody saw: the season turns on all the same
        unseen = ours.advance(numbers, np.full(30, np.nan))
        np.testing.assert_allclose(ours.ahead(unseen, 25), ours.ahead(numbers, 55)[30:], rtol=1e-6)


def test_offered_for_seasons_of_which_there_are_two():
    y = _hourly(3)

    def panel(seasons):
        ds = np.datetime64("2024-01-01", "us") + np.arange(len(y)) * np.timedelta64(3600, "s")
        return Panel(np.array(["a"]), np.array([0, len(y)]), ds, y, "h", seasons)

    assert MstlFamily.configurations(panel((1,)), 4) == []
    assert MstlFamily.configurations(panel((168,)), 4) == []
    offered = dict(MstlFamily.configurations(panel((24, 168)), 4))
    assert offered["mstl"]["seasons"] == [24]
    assert offered["mstl-log"]["log"]
