"""Boosting against a clock of our own: nothing here waits."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from holdgood.core.protocols import FitContext
from holdgood.core.task import Task
from holdgood.models.tabular import lightgbm, rounds, xgboost
from holdgood.models.tabular.rounds import FASTEST, boost


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for what is added to ``now``."""
    made = SimpleNamespace(now=100.0)
    made.monotonic = lambda: made.now
    for module in (rounds, lightgbm, xgboost):
        monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def run(clock):
    """Boost with rounds of one second, ``seconds`` given; how many rounds were made and what ``hurry`` was told."""

    def go(seconds, usual, **more):
        told, made = [], []

        def update():
            made.append(1)
            clock.now += 1.0
            return False

        best, share = boost(update, 1000, clock.now + seconds, None, 0, told.append, usual, **more)
        return len(made), best, share, told

    return go


def test_it_is_told_once_how_much_too_slow_it_is(run):
    made, best, share, told = run(25.0, 100.0)
    assert (made, best, share) == (25, 25, 0.025)
    assert told == [pytest.approx(100.0 / 20.0)]  # five rounds took five of 25 seconds


@pytest.mark.parametrize(("seconds", "usual"), [(200.0, 100.0), (math.inf, 1e9), (4.0, 100.0)])
def test_where_there_is_time_or_hardly_a_round_nothing_is_told(run, seconds, usual):
    if math.isinf(seconds):
        assert boost(lambda: True, 5, math.inf, None, 0, pytest.fail, usual) == (1, 1.0)
    else:
        assert run(seconds, usual)[3] == []


@pytest.mark.parametrize(
    ("module", "name", "rate"), [(lightgbm, "Boosting", "learning_rate"), (xgboost, "HistogramBoosting", "eta")]
)
def test_a_model_short_of_time_learns_faster_and_its_refit_as_fast(module, name, rate, clock, make_rows, monkeypatch):
    task = Task(kind="binary", classes=(0, 1))
    matrix, y = make_rows(task)
    stop = np.arange(0, 500, 5)
    real = module.boost

    def slow(update, *rest, **named):
        def later():
            clock.now += 1.0
            return update()

        return real(later, *rest, **named)

    monkeypatch.setattr(module, "boost", slow)
    make = getattr(module, name)
    patient = make({rate: 0.05}).fit(matrix, y, None, FitContext(task, stop_rows=stop, seconds=1e6))
    assert (patient.hurried, patient.hints) == (False, {rate: 0.05})
    hurried = make({rate: 0.05}).fit(matrix, y, None, FitContext(task, stop_rows=stop, seconds=155.0))
    assert hurried.hurried
    assert hurried.hints == {rate: pytest.approx(0.05 * (15.0 / 0.05) / 150.0, rel=2e-3)}
    tiny = make({rate: 0.05}).fit(matrix, y, None, FitContext(task, stop_rows=stop, seconds=7.0))
    assert tiny.hints == {rate: FASTEST}
    again, same = make({rate: 0.05}), make({rate: tiny.hints[rate]})
    again.hints = dict(tiny.hints)
    both = [m.fit(matrix, y, None, FitContext(task, rounds=9)).predict(matrix) for m in (again, same)]
    assert (both[0] == both[1]).all()
