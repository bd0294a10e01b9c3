"""Bad input through ``holdgood.forecast``: refused with rows and a remedy, or told and forecast all the same. Never a crash, never silence."""

import numpy as np
import pandas as pd
import pytest

import holdgood
from holdgood.core.errors import DataError, HoldgoodError
from holdgood.core.protocols import Parts
from holdgood.models.forecasting.local import LocalForecaster
from holdgood.training.panels.backtest import PanelCandidate
from holdgood.workflow.forecasting import fit

WORDS = {"target": "y", "id": "item", "time": "day", "models": ["window-average"], "budget": "trials=4"}


def rows(item="a", days=60, begin="2024-01-01", y=None, freq="D"):
    times = pd.date_range(begin, periods=days, freq=freq)
    values = np.random.default_rng(len(item)).poisson(9, days).astype(float) if y is None else np.broadcast_to(y, days)
    return pd.DataFrame({"item": item, "day": times, "y": values})


def others(count=12):
    return [rows(f"s{k}") for k in range(count)]


def notes(made):
    return {n.code: n for n in made.panel.notes}


def test_duplicates_are_refused_with_the_rows_and_the_way_out():
    frame = pd.concat([*others(3), rows("s0").tail(2)], ignore_index=True)
    with pytest.raises(DataError) as caught:
        holdgood.forecast(frame, 3, **WORDS)
    assert "'s0'" in str(caught.value) or "s0" in str(caught.value)
    assert "duplicates" in str(caught.value)
    made = holdgood.forecast(frame, 3, duplicates="sum", **WORDS)
    assert len(made.frame) == 9


def test_zones_that_are_mixed_are_told_and_counted_as_one():
    frame = pd.concat(others(3), ignore_index=True)
    zones = np.where(np.arange(len(frame)) % 2, "+00:00", "+02:00")
    hours = np.where(np.arange(len(frame)) % 2, "10:00:00", "12:00:00")  # the same moment of the day
    texts = frame.assign(day=frame.day.dt.strftime("%Y-%m-%dT") + hours + zones)
    made = holdgood.forecast(texts, 3, **WORDS)
    assert "+02:00 (90 rows)" in notes(made)["zones"].message
    plain = holdgood.forecast(frame, 3, **WORDS)
    assert np.array_equal(made.paths.point, plain.paths.point)


def test_counts_that_are_negative_or_have_decimals_are_told_with_their_rows():
    frame = pd.concat(others(12), ignore_index=True)
    frame.loc[[5, 9], "y"] = [-3.0, 2.5]
    made = holdgood.forecast(frame, 3, **WORDS)
    assert (notes(made)["negative"].rows, notes(made)["fractions"].rows) == ((6,), (10,))


@pytest.fixture(scope="module")
def odd():
    """One observation, all zeros, a constant, nothing at all, twenty years beside three weeks."""
    frame = pd.concat(
        [
            *others(10), rows("one", 1, "2024-02-29"), rows("zero", y=0.0), rows("flat", y=7.0), rows("empty", y=np.nan),
            rows("old", 20 * 365 + 5, "2004-02-29"), rows("young", 21, "2024-02-09"),
        ],
        ignore_index=True,
    )  # fmt: skip
    return holdgood.forecast(frame, 3, keep_ended=True, **WORDS)


def test_odd_series_are_told_by_name(odd):
    found = notes(odd)
    assert [found[c].series for c in ("one-observation", "all-zero", "constant", "new")] == [
        ("one",), ("zero",), ("flat",), ("empty",),
    ]  # fmt: skip
    assert "from 1 to 7,3" in found["lengths"].message


def test_odd_series_have_forecasts_that_make_sense(odd):
    at = {i: k for k, i in enumerate(odd.paths.ids.tolist())}
    assert np.isfinite(odd.paths.y).all() and (odd.paths.y >= 0).all()
    assert (odd.paths.point[at["zero"]] == 0).all() and np.median(odd.paths.y[at["zero"]]) == 0
    assert np.allclose(odd.paths.point[at["flat"]], 7)
    assert np.ptp(odd.paths.point[at["one"]]) == 0
    assert 3 < odd.paths.point[at["young"]].mean() < 20
    alone = holdgood.forecast(rows("flat", y=7.0), 3, **WORDS)
    assert np.allclose(alone.paths.point, 7)


def test_one_observation_alone_is_too_little_and_said_so():
    with pytest.raises(DataError):
        holdgood.forecast(rows("one", 1), 3, frequency="D", **WORDS)
    with pytest.raises(DataError, match="all rows have one and the same time"):
        holdgood.forecast(rows("one", 1), 3, **WORDS)


def test_a_step_that_cannot_be_found_is_told_with_the_gaps():
    random = np.random.default_rng(0)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.cumsum(random.exponential(1e5, 80)).round(3), unit="s")
    with pytest.raises(DataError, match="the step cannot be found") as caught:
        holdgood.forecast(pd.DataFrame({"item": "a", "day": times, "y": 1.0}), 3, **WORDS)
    assert "frequency" in str(caught.value)


def test_known_columns_that_the_future_lacks_are_told_step_by_step():
    frame = pd.concat(others(3), ignore_index=True).assign(price=2.0)
    future = pd.concat([rows(f"s{k}", 3, "2024-03-01") for k in range(3)]).drop(columns="y").assign(price=2.0)
    with pytest.raises(DataError, match="s1 at 2024-03-02") as caught:
        holdgood.forecast(frame, 3, known="price", future=future[~((future.item == "s1") & (future.day == "2024-03-02"))], **WORDS)  # fmt: skip
    assert "in 1 of 9 steps ahead" in str(caught.value)


class Crashes(LocalForecaster):
    """Repeats the mean, and cannot bear one series."""

    part = "crashes"

    def learn(self, y, horizon):
        if y[0] == 13.0:
            raise ZeroDivisionError("a root outside the circle")
        return np.array([y.mean()])

    def ahead(self, numbers, horizon):
        return np.repeat(numbers[:1], horizon)

    def advance(self, numbers, later):
        return numbers

    def to_parts(self):
        return Parts({})


def test_a_series_that_crashes_one_model_is_named_and_gets_the_fallback(monkeypatch):
    frame = pd.concat([*others(12), rows("bad").assign(y=lambda f: np.r_[13.0, f.y[1:]])], ignore_index=True)
    found = fit.candidates

    def with_guest(panel, horizon, families=()):
        tried, told = found(panel, horizon, families)
        return [*tried[:1], PanelCandidate("crashes", "crashes", 1, True, lambda: Crashes({"season": 1}))], told

    monkeypatch.setattr(fit, "candidates", with_guest)
    made = holdgood.forecast(frame, 3, **{**WORDS, "declaration": {"budget": {"workers": 1}}})
    trial = {t.name: t for t in made.leaderboard.trials}["crashes"]
    assert trial.status == "ok" and "1 series got the fallback" in trial.reason
    assert any("bad" in n and "fallback" in n for n in made.leaderboard.notes)
    assert np.isfinite(made.paths.y).all()


def test_what_is_refused_says_what_came_what_was_expected_and_what_to_do():
    for frame, more in (
        (rows().assign(y="many"), {}),
        (rows().assign(y=np.nan), {}),
        (rows().assign(day=pd.NaT), {}),
        (rows(), {"horizon": 0}),
        (rows(days=4), {"horizon": 400}),
        (rows().head(0), {}),
    ):
        with pytest.raises(HoldgoodError) as caught:
            holdgood.forecast(frame, **{"horizon": 3, **WORDS, **more})
        assert len(str(caught.value).splitlines()) >= 3
