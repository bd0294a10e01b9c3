"""A plot with its title and numbers: an ECharts option for the screen, rows for the table, a still drawing besides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from holdgood.reports.drawing import ROW, draw
from holdgood.reports.format import NOTHING, count, percent
from holdgood.reports.plots import Axis, DotPlot, Line, LinePlot, Plot, SegmentBar

# A table for people who cannot see the curve: enough points to follow it, not two hundred.
TABLE_POINTS = 40


@dataclass(frozen=True)
class Figure:
    """What a page needs to show a plot. ``option`` is None where the still drawing is all there is."""

    title: str
    caption: str
    option: dict[str, Any] | None
    still: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    height: int


def figure(title: str, plot: Plot, caption: str = "") -> Figure:
    """Make a figure; ``title`` says what the plot shows, ``caption`` how to read it."""
    if isinstance(plot, DotPlot):
        columns, rows = _dot_rows(plot)
        return Figure(title, caption, dot_option(plot), draw(plot), columns, rows, 62 + ROW * len(plot.dots))
    if isinstance(plot, LinePlot):
        columns, rows = _line_rows(plot)
        return Figure(title, caption, line_option(plot), draw(plot), columns, rows, 350)
    columns, rows = _segment_rows(plot)
    return Figure(title, caption, None, draw(plot), columns, rows, 0)


def number_or_none(value: float) -> float | None:
    """JSON knows no NaN."""
    return value if math.isfinite(value) else None


def _value_axis(axis: Axis, **more: Any) -> dict[str, Any]:
    return {
        "type": "value",
        "min": axis.low,
        "max": axis.high,
        "interval": axis.step,
        "name": axis.name,
        "nameTextStyle": {"color": "$muted"},
        "axisLabel": {"color": "$muted", "hideOverlap": True, "formatter": f"$tick:{axis.style}"},
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"lineStyle": {"color": "$grid"}},
        **more,
    }


def _base(grid: dict[str, Any], trigger: str) -> dict[str, Any]:
    return {
        "animation": False,
        "textStyle": {"fontFamily": "$font", "fontSize": 12},
        "grid": grid,
        "tooltip": {
            "trigger": trigger,
            "confine": True,
            "backgroundColor": "$paper",
            "borderColor": "$grid",
            "textStyle": {"color": "$ink"},
        },
    }


def _segment(start: tuple[float, float], end: tuple[float, float], style: dict[str, Any]) -> list[dict[str, Any]]:
    """A stroke between two places, which the chart library knows as a mark line."""
    return [{"coord": list(start), "lineStyle": style}, {"coord": list(end)}]


def _marks(data: list[Any]) -> dict[str, Any]:
    return {"silent": True, "symbol": "none", "animation": False, "label": {"show": False}, "data": data}


def _inside(axis: Axis, value: float) -> float:
    return min(axis.high, max(axis.low, value))


def dot_option(plot: DotPlot) -> dict[str, Any]:
    """Dots with whiskers as an ECharts option; names run down the y axis."""
    dots: list[dict[str, Any]] = []
    strokes: list[Any] = []
    for position, dot in enumerate(plot.dots):
        item = {
            "value": [number_or_none(dot.value), position],
            "itemStyle": {"color": f"${dot.tone}", "opacity": 1},
            "tip": _dot_tip(plot, position),
        }
        dots.append(item)
        if math.isfinite(dot.value) and not (math.isnan(dot.low) or math.isnan(dot.high)):
            ends = (_inside(plot.axis, dot.low), position), (_inside(plot.axis, dot.high), position)
            strokes.append(_segment(*ends, {"color": f"${dot.tone}", "width": 2, "type": "solid"}))
    if plot.reference is not None:
        strokes.append({"xAxis": plot.reference, "lineStyle": {"color": "$muted", "type": "dashed", "width": 1}})
    names = {
        "type": "category",
        "inverse": True,
        "data": [d.label if math.isfinite(d.value) else f"{d.label} (cannot tell)" for d in plot.dots],
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {"color": "$ink", "interval": 0, "width": 180, "overflow": "truncate"},
    }
    return _base({"left": 202, "right": 24, "top": 8, "bottom": 54}, "item") | {
        "xAxis": _value_axis(plot.axis, nameLocation="middle", nameGap=32),
        "yAxis": names,
        "series": [{"type": "scatter", "symbolSize": 10, "data": dots, "markLine": _marks(strokes)}],
    }


def _dot_tip(plot: DotPlot, position: int) -> str:
    dot = plot.dots[position]
    return "\n".join(t for t in (f"{dot.label}: {_with_range(plot.axis, dot.value, dot.low, dot.high)}", dot.note) if t)


def _with_range(axis: Axis, value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "cannot tell"
    if math.isnan(low) or math.isnan(high):
        return axis.fine_text(value)
    return f"{axis.fine_text(value)} ({axis.fine_text(low)} to {axis.fine_text(high)})"


def line_option(plot: LinePlot) -> dict[str, Any]:
    """Curves with bands (or dots with whiskers) as an ECharts option."""
    series: list[dict[str, Any]] = []
    for position, line in enumerate(plot.lines):
        series += _point_series(plot, line) if line.points else _curve_series(plot, line, position)
    legend = [line.name for line in plot.lines]
    if plot.diagonal:
        low, high = max(plot.x.low, plot.y.low), min(plot.x.high, plot.y.high)
        style = {"color": "$muted", "type": "dashed", "width": 1}
        series.append(
            {
                "type": "line",
                "name": plot.diagonal,
                "data": [[low, low], [high, high]],
                "symbol": "none",
                "lineStyle": style,
            }
        )
        series[-1] |= {"silent": True, "itemStyle": {"color": "$muted"}}
        legend.append(plot.diagonal)
    if plot.marks and series:
        series[0].setdefault("markLine", _marks([]))["data"].extend(
            {
                "xAxis": _inside(plot.x, value),
                "name": name,
                "lineStyle": {"color": "$muted", "type": "solid", "width": 1},
                "label": {
                    "show": True,
                    "formatter": "{b}",
                    "color": "$muted",
                    "position": "insideStart",
                    "rotate": 0,
                    "align": "left" if value < (plot.x.low + plot.x.high) / 2 else "right",
                    "padding": [1, 4],
                    "backgroundColor": "$paper",
                },
            }
            for value, name in plot.marks
        )
    grid = {"left": 72, "right": 24, "top": 52 if len(legend) > 1 else 34, "bottom": 56}
    return _base(grid, "axis") | {
        "xAxis": _value_axis(plot.x, nameLocation="middle", nameGap=32, splitLine={"show": False}),
        "yAxis": _value_axis(plot.y, nameTextStyle={"color": "$muted", "align": "left"}, nameGap=12),
        "legend": {
            "show": len(legend) > 1,
            "data": legend,
            "top": 0,
            "left": 0,
            "textStyle": {"color": "$ink"},
            "icon": "roundRect",
            "itemHeight": 4,
        },
        "series": series,
    }


def _line_points(plot: LinePlot, line: Line) -> list[dict[str, Any]]:
    bands = bool(line.low) and bool(line.high)
    points = []
    for i, (x, y) in enumerate(zip(line.x, line.y, strict=True)):
        low, high = (line.low[i], line.high[i]) if bands else (math.nan, math.nan)
        tip = f"{line.name}: {_with_range(plot.y, y, low, high)}\n{plot.x.name}: {plot.x.fine_text(x)}"
        points.append({"value": [number_or_none(x), number_or_none(y)], "tip": tip})
    return points


def _point_series(plot: LinePlot, line: Line) -> list[dict[str, Any]]:
    strokes = [
        _segment(
            (x, _inside(plot.y, a)), (x, _inside(plot.y, b)), {"color": f"${line.tone}", "width": 2, "type": "solid"}
        )
        for x, a, b in zip(line.x, line.low, line.high)
        if math.isfinite(x) and math.isfinite(a) and math.isfinite(b)
    ]
    points = {"type": "scatter", "name": line.name, "symbolSize": 8, "data": _line_points(plot, line)}
    return [points | {"itemStyle": {"color": f"${line.tone}", "opacity": 1}, "z": 5, "markLine": _marks(strokes)}]


def _curve_series(plot: LinePlot, line: Line, position: int) -> list[dict[str, Any]]:
    color = f"${line.tone}"
    style = {"color": color, "width": 2, "type": "dashed" if line.dashed else "solid"}
    main: dict[str, Any] = {"type": "line", "name": line.name, "showSymbol": False, "data": _line_points(plot, line)}
    main |= {"lineStyle": style, "itemStyle": {"color": color}}
    if line.steps:
        main |= {"step": "middle", "areaStyle": {"color": color, "opacity": 0.12}}
    if not (line.low and line.high):
        return [main]
    # A band is two stacked curves: the lower edge, unseen, and the width above it, filled.
    hidden = {
        "type": "line",
        "stack": f"band{position}",
        "stackStrategy": "all",
        "symbol": "none",
        "silent": True,
        "lineStyle": {"opacity": 0},
    }
    whole = [(x, a, b) for x, a, b in zip(line.x, line.low, line.high) if all(map(math.isfinite, (x, a, b)))]
    lower = hidden | {"data": [[x, a] for x, a, _ in whole]}
    upper = hidden | {"data": [[x, b - a] for x, a, b in whole], "areaStyle": {"color": color, "opacity": 0.16}}
    return [main, lower, upper]


def _dot_rows(plot: DotPlot) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    columns = (plot.first_column or "Name", plot.axis.name, "from", "to")
    rows = []
    for dot in (*plot.dots, *plot.beyond):
        cells = (dot.label, *(plot.axis.fine_text(v) for v in (dot.value, dot.low, dot.high)))
        rows.append((*cells, dot.note or NOTHING) if plot.note_column else cells)
    return ((*columns, plot.note_column) if plot.note_column else columns), tuple(rows)


def _line_rows(plot: LinePlot) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    bands = any(line.low for line in plot.lines)
    rows = []
    for line in plot.lines:
        for i in _spread(len(line.x)):
            cells = (line.name, plot.x.fine_text(line.x[i]), plot.y.fine_text(line.y[i]))
            low, high = (line.low[i], line.high[i]) if line.low and line.high else (math.nan, math.nan)
            rows.append((*cells, plot.y.fine_text(low), plot.y.fine_text(high)) if bands else cells)
    columns: tuple[str, ...] = ("Curve", plot.x.name, plot.y.name)
    return ((*columns, "from", "to") if bands else columns), tuple(rows)


def _spread(length: int) -> Sequence[int]:
    """At most ``TABLE_POINTS`` positions, evenly spread, both ends among them."""
    if length <= TABLE_POINTS:
        return range(length)
    return [round(i * (length - 1) / (TABLE_POINTS - 1)) for i in range(TABLE_POINTS)]


def _segment_rows(plot: SegmentBar) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    total = sum(s.rows for s in plot.segments)
    rows = []
    for s in plot.segments:
        gap = s.tone == "gap"
        share = NOTHING if gap or not total else percent(s.rows / total)
        rows.append((s.label, NOTHING if gap else count(s.rows), share, s.border or NOTHING))
    return ("Part", "Rows", "Share", "Ends at"), tuple(rows)
