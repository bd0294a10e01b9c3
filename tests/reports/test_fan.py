"""Fan charts: what is known is drawn, what is not breaks the line, and no name of a series can do harm."""

import re

import numpy as np

from holdgood.reports.fan import draw_fan
from holdgood.reports.series_view import SeriesView
from holdgood.reports.words import step_word


def view(y, name="A", horizon=3, **changes):
    ds = np.datetime64("2024-01-01", "us") + np.arange(len(y) + horizon) * np.timedelta64(7, "D")
    point = np.full(horizon, 5.0)
    base = {
        "name": name, "why": "", "ds": ds[: len(y)], "y": np.array(y, float), "hidden": np.zeros(len(y), bool),
        "ahead": ds[len(y) :], "point": point, "low": np.stack([point - 4, point - 2]), "high": np.stack([point + 4, point + 2]),
    }  # fmt: skip
    return SeriesView(**{**base, **changes})


def test_history_bands_and_forecast_are_drawn_in_their_places():
    svg = draw_fan(view([1, 2, 3, 4, 5]))
    assert svg.count("<polygon") == 2
    assert svg.count('class="history"') == 1
    places = [float(x) for x in re.search(r'class="history" points="([^"]+)"', svg)[1].replace(",", " ").split()[::2]]
    assert places == sorted(places)
    assert len(places) == 5
    assert "2024" in svg


def test_a_gap_breaks_the_line_and_a_value_alone_is_a_dot():
    svg = draw_fan(view([1, 2, np.nan, 4, np.nan, 6, 7]))
    assert svg.count('<polyline class="history"') == 2
    assert svg.count("history dot") == 1


def test_stock_outs_are_marked_and_past_forecasts_are_dashed():
    v = view([1, 2, 3, 4], hidden=np.array([False, True, False, False]))
    dashed = view([1, 2, 3, 4], past=((v.ds[2:], np.array([2.5, 3.5])),))
    assert draw_fan(v).count('class="marked"') == 1
    assert draw_fan(dashed).count('class="past"') == 1


def test_odd_series_are_drawn_or_left_out():
    none = np.full((2, 3), np.nan)
    assert draw_fan(view([np.nan], point=none[0], low=none, high=none)) == ""
    assert "<svg" in draw_fan(view([], name="new"))
    assert "<svg" in draw_fan(view([0, 0, 0], point=np.zeros(3), low=np.zeros((2, 3)), high=np.zeros((2, 3))))
    assert "<script" not in draw_fan(view([1, 2], name="<script>alert(1)</script>"))


def test_steps_have_words():
    assert [step_word(f) for f in ("MS", "ME", "QS-JAN", "YE-DEC", "W-SUN", "D", "B", "h", "30min")] == [
        "month", "month", "quarter", "year", "week", "day", "working day", "hour", "step of 30min",
    ]  # fmt: skip
