"""What local families share: gaps, ends, isolation, the naive as fallback, and answers without the library that fitted."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from holdgood.core.errors import BundleError
from holdgood.core.protocols import PanelContext, Parts
from holdgood.models.forecasting.ets import DAMPED, Ets
from holdgood.models.forecasting.local import LocalForecaster, steps_between, without_gaps
from holdgood.models.forecasting.naive import repeated
from holdgood.testing.forecaster import made_up, next_steps, panel_of

PANEL = made_up(seed=1)
PARAMETERS = {"season": 4, "forms": [*DAMPED[0], *DAMPED[1]]}
CONTEXT = PanelContext(4)


class Fragile(LocalForecaster):
    """Repeats the mean; breaks on 13 and makes nonsense of 14."""

    part = "fragile"

    def learn(self, y, horizon):
        if 13 in y:
            raise ZeroDivisionError("thirteen")
        return np.array([np.inf if 14 in y else y.mean()])

    def advance(self, numbers, y):
        return numbers

    def ahead(self, numbers, horizon):
        return np.full(horizon, numbers[0])


def test_a_series_that_crashes_is_isolated_named_and_replaced():
    panel = panel_of([np.array([1.0, 2, 3, 4, 5]), np.array([1.0, 13, 3, 4, 5]), np.array([1.0, 14, 3, 4, 6])])
    model = Fragile({}).fit(panel, CONTEXT)
    assert dict(model.failed) == {"s1": "ZeroDivisionError: thirteen", "s2": "its forecast is not finite"}
    assert model.predict(panel, next_steps(panel, 2)).tolist() == [[3, 3], [5, 5], [6, 6]]


def test_too_short_is_said_with_the_number():
    panel = panel_of([np.array([1.0, 2, 3])])
    assert "3 observations" in Fragile({}).fit(panel, CONTEXT).failed["s0"]


def test_the_end_of_a_history_is_enough():
    model = Ets(PARAMETERS).fit(PANEL.until(10), CONTEXT)
    whole = model.predict(PANEL, next_steps(PANEL, 4))
    assert np.array_equal(model.predict(PANEL.last(12), next_steps(PANEL, 4)), whole)
    # a history that begins after the fit ended: the steps between were not seen
    values = PANEL.y.copy()
    for end in PANEL.indptr[1:]:
        values[end - 10 : end - 6] = np.nan
    unseen = model.predict(PANEL.with_y(values), next_steps(PANEL, 4))
    assert np.array_equal(model.predict(PANEL.last(6), next_steps(PANEL, 4)), unseen)
    assert not np.array_equal(unseen, whole)


def test_a_history_that_ends_before_the_fit_gets_the_naive():
    model = Ets(PARAMETERS).fit(PANEL, CONTEXT)
    old = PANEL.until(6)
    expected = [repeated(y, 4, 4) for y in old.series()]
    assert np.array_equal(model.predict(old, next_steps(old, 4)), expected)


def test_leading_and_trailing_gaps_are_left_off_and_the_end_moves_on():
    y = next(PANEL.series()).copy()
    y[-3:] = np.nan
    gappy, plain = panel_of([y], (4,)), panel_of([y[:-3]], (4,))
    answer = Ets(PARAMETERS).fit(gappy, CONTEXT).predict(gappy, next_steps(gappy, 4))
    longer = Ets(PARAMETERS).fit(plain, CONTEXT).predict(plain, next_steps(plain, 7))
    np.testing.assert_allclose(answer, longer[:, 3:], rtol=1e-9)
    filled, last = without_gaps(np.array([np.nan, 1, np.nan, np.nan, 4, np.nan]))
    assert filled.tolist() == [1, 2, 3, 4]
    assert last == 4


@pytest.mark.parametrize(
    ("begin", "end", "frequency", "steps"),
    [
        ("2024-01-01", "2024-04-01", "MS", 3),
        ("2024-01-31", "2024-04-30", "ME", 3),
        ("2024-01-07", "2024-01-21", "W", 2),
    ],
)
def test_steps_between(begin, end, frequency, steps):
    begin, end = (int(np.datetime64(t, "us").astype(np.int64)) for t in (begin, end))
    assert steps_between(begin, end, frequency) == steps


def test_parts_that_do_not_fit_together_are_refused():
    parts = Ets(PARAMETERS).fit(PANEL, CONTEXT).to_parts()
    for name in parts.arrays:
        with pytest.raises(BundleError):
            Ets.from_parts(Parts(parts.json, parts.arrays | {name: parts.arrays[name][:-1]}))


def test_an_answer_does_not_need_the_library(tmp_path):
    model = Ets(PARAMETERS).fit(PANEL.until(4), CONTEXT)
    parts = model.to_parts()
    np.savez(tmp_path / "a.npz", **parts.arrays)
    code = f"""
import sys, json, numpy as np
from holdgood.core.protocols import Parts
from holdgood.core.panel import Panel, Future
from holdgood.models.forecasting.ets import Ets
parts = Parts(json.loads({__import__("json").dumps(parts.json)!r}), dict(np.load({str(tmp_path / "a.npz")!r})))
y = np.arange(80.0)
ds = np.datetime64("2024-01-01", "us") + np.arange(80) * np.timedelta64(86400000000, "us")
panel = Panel(np.array(["s0"]), np.array([0, 80]), ds, y, "D", (4,))
print(Ets.from_parts(parts).predict(panel, Future(ds[None, :4])).shape, "statsforecast" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["(1,", "4)", "False"]


def test_failures_of_a_fit_are_those_of_the_last_fit():
    model = Fragile({}).fit(panel_of([np.array([1.0, 13, 3, 4, 5])]), CONTEXT)
    again = model.fit(replace(PANEL), CONTEXT)
    assert dict(again.failed) == {}
