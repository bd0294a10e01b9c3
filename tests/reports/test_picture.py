"""Small plots: everything that comes is drawn, nothing breaks, and marks stand out."""

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdgood.core.records.audit import Picture
from holdgood.reports.picture import _ticks, draw_picture

DAY = 86_400_000_000


def shapes(picture, tag):
    return [e for e in ET.fromstring(str(draw_picture(picture))).iter() if e.tag == tag]


def test_labelled_bars_lie_down_with_their_numbers():
    picture = Picture(title="T", form="bars", y=(0.5, 0.25), labels=("a<b", "c"), marks=(1,), y_name="share")
    bars = shapes(picture, "rect")
    assert [b.get("class") for b in bars] == ["bar", "marked"]
    assert float(bars[0].get("width")) == pytest.approx(2 * float(bars[1].get("width")), rel=0.01)
    said = [t.text for t in shapes(picture, "text")]
    assert {"a<b", "0.5", "0.25", "share"} <= set(said)


def test_a_histogram_stands_over_its_edges_and_heights_are_in_proportion():
    picture = Picture(title="T", form="bars", x=(0.0, 10.0, 20.0), y=(1.0, 4.0, 2.0), marks=(1,))
    bars = shapes(picture, "rect")
    heights = [float(b.get("height")) for b in bars]
    assert heights[1] == pytest.approx(4 * heights[0], rel=0.02)
    assert [b.get("class") for b in bars] == ["bar", "marked", "bar"]


def test_a_line_is_broken_where_nothing_is_known_and_the_hole_can_be_marked():
    picture = Picture(
        title="T", form="line", x=tuple(float(i * DAY) for i in range(7)), x_is_time=True, marks=(2, 5),
        y=(1.0, 2.0, math.nan, 3.0, 4.0, 9.0, 4.0),
    )  # fmt: skip
    assert len(shapes(picture, "polyline")) == 2
    assert [c.get("class") for c in shapes(picture, "circle")] == ["marked"]
    assert [e for e in shapes(picture, "line") if e.get("class") == "gone"]
    assert "1970-01-01" in [t.text for t in shapes(picture, "text")]


def test_nothing_known_is_nothing_drawn():
    assert draw_picture(Picture(title="T", form="line", y=(math.nan,))) == ""
    assert draw_picture(Picture(title="T", form="bars", y=())) == ""


def test_the_drawing_speaks():
    picture = Picture(title='Share of "x"', form="bars", y=(1.0, 2.0), labels=("a", "b"), marks=(0,))
    root = ET.fromstring(str(draw_picture(picture)))
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'Share of "x": 2 bars from 1 to 2, 1 of them marked'


NUMBER = st.floats(allow_nan=True, allow_infinity=True, width=32) | st.sampled_from([0.0, 1e300, -1e300, 5e-324])


@settings(max_examples=50, deadline=None)
@given(
    form=st.sampled_from(["bars", "line"]),
    x=st.lists(NUMBER, max_size=9),
    y=st.lists(NUMBER, max_size=9),
    labels=st.lists(st.text(st.characters(max_codepoint=0xD7FF, exclude_categories=("Cc",)), max_size=30), max_size=9),
    marks=st.lists(st.integers(-3, 20), max_size=5),
    timed=st.booleans(),
)
def test_whatever_comes_is_well_formed(form, x, y, labels, marks, timed):
    picture = Picture(
        title="<t>", form=form, x=tuple(x), y=tuple(y), labels=tuple(labels), marks=tuple(marks), x_is_time=timed
    )
    text = str(draw_picture(picture))
    assert '="nan' not in text
    assert '="inf' not in text
    if text:
        ET.fromstring(text)


def test_ticks_are_round_and_inside():
    assert _ticks(0.0, 1.0) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert _ticks(-3.0, 97.0) == [0.0, 25.0, 50.0, 75.0]
    assert _ticks(2.0, 2.0) == [2.0]
