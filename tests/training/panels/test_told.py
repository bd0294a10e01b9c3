"""Columns beside the history are told to forecasters only where forecasts at past origins were proven better with them."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Parts
from holdgood.core.records.leaderboard import NOT_IN_TIME
from holdgood.training.panels.backtest import PanelCandidate
from holdgood.training.panels.judged import Rows
from holdgood.training.panels.told import worth
from holdgood.training.panels.train import train_panel

HORIZON = 6


def _families():
    """Classes of a function: workers rebuild them by value."""

    class Level:
        part = "test-level"

        def __init__(self):
            self.failed = {}

        def fit(self, panel, context):
            return self

        def predict(self, panel, future):
            level = np.array([np.nanmean(y) for y in panel.series()])
            return np.repeat(level[:, None], future.horizon, axis=1)

        def to_parts(self):
            return Parts({})

    class Trusting(Level):
        """Adds every column that it was fitted with to the level, whatever it says."""

        def fit(self, panel, context):
            self.known, self.past = sorted(panel.known), sorted(panel.past)
            return self

        def predict(self, panel, future):
            out = super().predict(panel, future)
            for name in self.known:
                out = out + future.known[name]
            for name in self.past:
                last = np.array([v[-1] for v in np.split(panel.past[name], panel.indptr[1:-1])])
                out = out + last[:, None]
            return out

    class Slow(Trusting):
        def fit(self, panel, context):
            if panel.known:
                time.sleep(30)
            return super().fit(panel, context)

    return Level, Trusting, Slow


Level, Trusting, Slow = _families()
LEVEL = PanelCandidate("level", "level", 0, True, Level)


def together(make):
    return PanelCandidate("trusting", "trusting", 1, False, make)


def panel(series=40, steps=60, seed=0, known=None, past=None):
    rng = np.random.default_rng(seed)
    n = series * steps
    event = (rng.random(n) < 0.3) * 20.0
    ds = np.arange("2020-01-01", steps, dtype="M8[D]").astype("M8[us]")
    y = 100 + event + rng.normal(0, 5, n)
    columns = {"event": event - event.mean(), "noise": rng.normal(0, 8, n)}
    return Panel(
        np.array([f"s{i:03d}" for i in range(series)]), np.arange(series + 1) * steps, np.tile(ds, series), y, "D",
        known={k: columns[k] for k in known or ()}, past={k: columns[k] for k in past or ()},
    )  # fmt: skip


def trained(p, make=Trusting, budget="trials=4", workers=0):
    return train_panel(p, [LEVEL, together(make)], HORIZON, budget=budget, workers=workers)


def future(p, horizon=HORIZON):
    known = {k: np.full((len(p), horizon), 3.0) for k in p.known}
    return Future(np.full((len(p), horizon), np.datetime64("NaT", "us")), known)


def test_a_column_that_tells_what_comes_is_used():
    found = trained(panel(known=["event"]))
    assert found.leaderboard.notes[0].startswith("event (known ahead): mase of trusting at past origins")
    assert found.leaderboard.notes[0].endswith("used, a proven gain")
    assert found.forecaster.members["trusting"].known == ["event"]


def test_a_column_that_says_nothing_leaves_every_forecast_as_it_is_without():
    p = panel(known=["noise"], past=["noise"])
    found, without = trained(p), trained(panel())
    assert "not used, proven worse" in found.leaderboard.notes[0]
    assert found.leaderboard.chosen == without.leaderboard.chosen
    one, two = found.forecaster.predict(p, future(p)), without.forecaster.predict(panel(), future(panel()))
    assert np.array_equal(one, two)
    assert np.array_equal(found.backtest.points, without.backtest.points, equal_nan=True)


def test_a_column_of_the_past_must_add_to_those_known_ahead():
    found = trained(panel(known=["event"], past=["noise"]))
    first, second = found.leaderboard.notes[:2]
    assert first.endswith("used, a proven gain")
    assert second.startswith("event (known ahead) and noise (past)") and "not used" in second
    assert not found.leaderboard.unjudged and found.leaderboard.without == ""  # judged, and found to be of no use
    assert found.forecaster.members["trusting"].known == ["event"]
    assert not found.forecaster.members["trusting"].past


def test_a_series_alone_can_prove_a_strong_column():
    found = trained(panel(series=1, steps=200, known=["event"]))
    assert found.leaderboard.notes[0].endswith("used, a proven gain")


def test_columns_that_cannot_be_judged_in_time_are_not_used_and_that_is_said():
    found = trained(panel(known=["event"]), Slow, budget="6s", workers=2)
    assert found.leaderboard.notes[0].startswith("event (known ahead): not used, for it could not be judged")
    assert found.leaderboard.unjudged == {"event": NOT_IN_TIME}
    assert found.leaderboard.without.startswith("made without event, which could not be judged")


def rows(series, origins):
    origin = np.repeat(np.arange(origins), series)
    who = np.tile(np.arange(series), origins)
    none = np.zeros((series * origins, 1))
    return Rows(origin, origin + 1, who, none, none, none, np.ones(len(who)), none[None], None)


@pytest.mark.parametrize(("series", "origins"), [(40, 3), (25, 2), (3, 8)])
def test_columns_that_change_nothing_on_average_are_rarely_used(series, origins):
    some, rng = rows(series, origins), np.random.default_rng(1)
    n, times = series * origins, 400
    taken = 0
    for _ in range(times):
        base = rng.gamma(4.0, 0.25, n)
        own = np.tile(rng.normal(0, 0.2, series), origins)  # a series gains or loses at all its origins alike
        taken += worth(some, base, base + own + rng.normal(0, 0.3, n), None, looks=1).taken
    assert taken / times < 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)


def test_a_gain_at_one_origin_that_is_a_loss_at_all_others_is_not_taken():
    some = rows(40, 3)
    loss = np.ones(120) + np.random.default_rng(0).normal(0, 0.01, 120)
    told = loss + np.where(some.origin == 1, -0.5, 0.1)
    verdict = worth(some, loss, told, None, looks=1)
    assert verdict.gain.verdict == "better" and not verdict.taken and "one origin" in verdict.why
    assert worth(some, loss, told - np.where(some.origin == 1, 0, 0.1), None, looks=1).taken


def test_series_that_share_shocks_count_as_one():
    some, rng = rows(40, 2), np.random.default_rng(3)
    group = np.arange(40) // 20
    shock = np.array([0.02, 0.3])[group[some.series]]
    loss = np.ones(80)
    told = loss - shock + rng.normal(0, 0.001, 80)
    assert worth(some, loss, told, None, looks=1).taken
    assert not worth(some, loss, told, group, looks=1).taken


def test_the_panel_keeps_what_is_not_a_judged_column():
    p = replace(panel(known=["noise"]), static={"kind": np.zeros(40)}, categories=frozenset({"kind", "noise"}))
    assert trained(p).forecaster.members  # codes without their column would raise
