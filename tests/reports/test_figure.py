"""Plots: option, table and drawing say the same numbers, and survive what is not a number."""

import json
import math
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.records import Series
from holdgood.reports import charts
from holdgood.reports.figure import TABLE_POINTS, figure
from holdgood.reports.plots import Axis, Dot, DotPlot, Line, LinePlot, Segment, SegmentBar

NAN = math.nan


class Circles(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag == "circle":
            self.found.append(dict(attrs))


def circles(still):
    parser = Circles()
    parser.feed(str(still))
    return parser.found


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_axis_covers_the_values_with_few_round_ticks(values):
    axis = Axis.over("v", values)
    slack = 1e-6 * max(1.0, abs(axis.low), abs(axis.high))
    assert axis.low <= min(values) + slack
    assert axis.high >= max(values) - slack
    assert 2 <= len(axis.ticks) <= 12
    assert len({axis.text(t) for t in axis.ticks}) == len(axis.ticks)


def test_axis_of_nothing_and_inside_bounds():
    assert (Axis.over("v", []).low, Axis.over("v", [NAN]).high) == (0.0, 1.0)
    shares = Axis.over("v", [0.01, 0.99], "percent", (0.0, 1.0))
    assert (shares.low, shares.high, shares.text(0.25, 0)) == (0.0, 1.0, "25%")


def test_dots_lie_where_their_values_are():
    dots = (Dot("a", 1.0, 0.5, 1.5), Dot("b", 3.0), Dot("c", NAN, note="cannot tell"))
    plot = DotPlot(dots, Axis("gain", "number", 0.0, 4.0, 1.0), reference=0.0)
    made = figure("t", plot)
    data = made.option["series"][0]["data"]
    assert [d["value"] for d in data] == [[1.0, 0], [3.0, 1], [None, 2]]
    strokes = [s for s in made.option["series"][0]["markLine"]["data"] if isinstance(s, list)]
    assert [[end["coord"] for end in s] for s in strokes] == [[[0.5, 0], [1.5, 0]]]
    drawn = [float(c["cx"]) for c in circles(made.still)]
    share = [(x - drawn[0]) / (drawn[1] - drawn[0]) for x in drawn]
    assert share == [0.0, 1.0]
    # one unit is as wide for values as between ticks: place of 1 and 3 on an axis from 0 to 4
    assert drawn[1] - drawn[0] == pytest.approx((720 - 40 - 202) / 2, abs=0.2)
    assert made.rows[2] == ("c", "–", "–", "–")


def test_band_is_stacked_and_the_table_is_thinned():
    x = tuple(float(i) for i in range(200))
    line = Line("model", x, x, low=tuple(v - 1 for v in x), high=tuple(v + 2 for v in x))
    made = figure("t", LinePlot((line,), Axis.over("x", x), Axis.over("y", x)))
    _, lower, upper = made.option["series"]
    assert lower["data"][5] == [5.0, 4.0]
    assert upper["data"][5] == [5.0, 3.0]
    assert lower["stack"] == upper["stack"]
    assert len(made.rows) == TABLE_POINTS
    assert made.rows[0][0] == "model"
    assert made.rows[-1][1] == "199"
    assert made.columns == ("Curve", "x", "y", "from", "to")


@given(st.lists(st.sampled_from([NAN, math.inf, -math.inf, 0.0, 1.5, -2.0]), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_what_is_not_a_number_is_never_written(values):
    x = tuple(values)
    for points in (False, True):
        lines = (Line("a", x, x, low=x, high=x, points=points), Line("b", x, x, steps=not points))
        made = figure("t", LinePlot(lines, Axis.over("x", x), Axis.over("y", x), marks=((0.5, "here"),), diagonal="d"))
        json.dumps(made.option, allow_nan=False)
        assert "nan" not in str(made.still) + str(made.rows)
        assert "inf" not in str(made.still)
    dots = tuple(Dot("d", v, v, v) for v in x)
    made = figure("t", DotPlot(dots, Axis.over("x", x)))
    json.dumps(made.option, allow_nan=False)
    assert "nan" not in str(made.still)


def test_names_are_text_in_drawings_too():
    plot = DotPlot((Dot("<img src=x onerror=alert(1)>", 1.0),), Axis("<b>", "number", 0, 2, 1))
    still = str(figure("t", plot).still)
    assert "<img" not in still
    assert "<b>" not in still
    assert "&lt;img" in still


def test_segments_are_as_wide_as_their_rows():
    bar = SegmentBar(
        (Segment("development", 300, "accent", "2013-07-01"), Segment("holdout", 100, "second")), timed=True
    )
    made = figure("t", bar)
    assert made.option is None
    assert made.rows == (("development", "300", "75%", "2013-07-01"), ("holdout", "100", "25%", "–"))
    widths = [float(w.split('"')[0]) + 2 for w in str(made.still).split('width="')[1:]]
    assert abs(widths[0] / widths[1] - 3) < 0.02


def test_many_groups_are_cut_in_the_chart_and_counted(regression):
    made = charts.group_figure(regression.fairness.attributes[0], "true_positive_rate")
    groups = regression.fairness.attributes[0].groups
    assert len(made.option["series"][0]["data"]) == charts.MOST_DOTS
    assert [r[0] for r in made.rows] == [g.name for g in groups]
    assert "31 more are in the table below" in made.caption
    many = regression.fairness.attributes[0].model_copy(update={"groups": groups * 20})
    made = charts.group_figure(many, "true_positive_rate")
    assert len(made.rows) == charts.MOST_ROWS
    assert (
        f"470 more are in the table below. {len(groups) * 20 - 500:,} more are in the run's records only"
        in made.caption
    )


def test_no_dots_no_figure(empty):
    assert charts.ladder_figure(empty.leaderboard) is None
    assert charts.importance_figure(empty.evaluation.importance) is None
    assert charts.group_figure(empty.fairness.attributes[0], "accuracy") is None


def test_clouds_are_points_and_curves_are_lines(declared):
    from holdgood.reports.curves import curve_figures

    cloud = Series(name="zigzag", x=(0.0, 2.0, 1.0), y=(1.0, 2.0, 3.0), x_name="a", y_name="b")
    made = curve_figures(declared.evaluation.model_copy(update={"curves": (cloud,)}), "EUR")
    assert made[0].figure.option["series"][0]["type"] == "scatter"
    drawn = curve_figures(declared.evaluation, "EUR")
    assert [c.in_money for c in drawn] == [False, False, False, True]
    assert "$tick:money:EUR" in json.dumps(drawn[-1].figure.option)
