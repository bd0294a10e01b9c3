"""A finding's picture as still SVG: bars or a line, with what the finding is about in the warning tone. No script needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from holdgood.core.records.audit import Picture
from holdgood.reports.format import number

_WIDTH, _HEIGHT = 640, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 12, 18, 150
_ROW, _LABEL = 22, 190
_MOST_ROWS, _MOST_LABELS, _MOST_BARS = 20, 24, 600
_DAY = 86_400.0
_HUGE = 1e100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Years 1 and 9999 are the ends of what the calendar can tell; 1,900 years either way stay well inside.
_LATEST = 1_900 * 365.25 * _DAY * 1e6


def draw_picture(picture: Picture) -> Markup:
    """One ``<svg>`` whose colours come from the page's style sheet; empty where there is nothing to draw."""
    heights = [_plain(v) for v in picture.y[:_MOST_BARS]]
    if not any(math.isfinite(v) for v in heights):
        return Markup("")
    if picture.form == "bars" and picture.labels and not picture.x and len(heights) <= _MOST_ROWS:
        return _rows(picture, heights)
    return _upright(picture, heights)


def _plain(value: float) -> float:
    """A number that can be drawn: what is beyond all measure is not known, what is next to nothing is nothing."""
    size = abs(float(value))
    return math.nan if not size < _HUGE else 0.0 if size < 1 / _HUGE else float(value)


def _svg(height: float, said: str, pieces: Sequence[Markup]) -> Markup:
    head = Markup('<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        _WIDTH, f"{height:g}", said
    )
    return head + Markup("").join(pieces) + Markup("</svg>")


def _text(x: float, y: float, text: str, anchor: str, kind: str = "tick", room: float = math.inf) -> Markup:
    # 6 units a letter is a cautious average of the system fonts at 11 units
    most = len(text) if math.isinf(room) else max(3, int(room / 6))
    shown, full = text, Markup("")
    if len(text) > most:
        shown, full = text[: most - 1] + "…", Markup("<title>{}</title>").format(text)
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}{}</text>').format(
        kind, f"{x:.1f}", f"{y:.1f}", anchor, escape(shown), full
    )


def _box(x: float, y: float, width: float, height: float, marked: bool) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        "marked" if marked else "bar", f"{x:.1f}", f"{y:.1f}", f"{max(width, 0.8):.1f}", f"{height:.1f}"
    )


def _line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        kind, *(f"{v:.1f}" for v in (x1, y1, x2, y2))
    )


def _rows(picture: Picture, lengths: Sequence[float]) -> Markup:
    """Few labelled bars lie down, so that their labels can be read."""
    shown = [v for v in lengths if math.isfinite(v)]
    low, high = min(0.0, *shown), max(0.0, *shown)
    scale = (_WIDTH - _LABEL - 80) / ((high - low) or 1.0)
    marked, pieces = set(picture.marks), []
    zero = _LABEL + 8 - low * scale
    for i, value in enumerate(lengths):
        y = 6.0 + i * _ROW
        label = picture.labels[i] if i < len(picture.labels) else ""
        pieces.append(_text(_LABEL, y + 13, label, "end", "name", _LABEL))
        if not math.isfinite(value):
            pieces.append(_text(zero + 6, y + 13, "not known", "start"))
            continue
        start, end = sorted((zero, zero + value * scale))
        pieces.append(_box(start, y + 2, end - start, _ROW - 8, i in marked))
        pieces.append(_text(end + 6, y + 13, number(value), "start"))
    bottom = 6.0 + _ROW * len(lengths)
    pieces.append(_line(zero, 4, zero, bottom, "axis"))
    if picture.y_name:
        pieces.append(_text(zero, bottom + 16, picture.y_name, "start", "axis-name"))
        bottom += 20
    return _svg(bottom + 4, _said(picture), pieces)


@dataclass(frozen=True)
class _Plane:
    """From values to places on the drawing; ``step`` is a bar's width in x."""

    first: float
    across: float
    low: float
    up: float
    step: float

    def at(self, x: float) -> float:
        return _LEFT + (x - self.first) * self.across

    def level(self, y: float) -> float:
        return _BOTTOM - (y - self.low) * self.up


def _upright(picture: Picture, heights: Sequence[float]) -> Markup:
    shown = [v for v in heights if math.isfinite(v)]
    low, high = min(shown), max(shown)
    if picture.form == "bars":
        low, high = min(0.0, low), max(0.0, high)
    if high - low <= 1e-12 * max(abs(high), abs(low)):
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    xs = [_plain(v) for v in picture.x[: len(heights)]]
    placed = len(xs) == len(heights) and all(math.isfinite(v) for v in xs)
    if not placed:
        xs = [float(i) for i in range(len(heights))]
    step = _step(xs) if picture.form == "bars" else 0.0
    first, last = min(xs), max(xs) + step
    plane = _Plane(
        first, (_WIDTH - _LEFT - _RIGHT) / ((last - first) or 1.0), low, (_BOTTOM - _TOP) / (high - low), step
    )
    pieces = []
    for tick in _ticks(low, high):
        pieces.append(_line(_LEFT, plane.level(tick), _WIDTH - _RIGHT, plane.level(tick)))
        pieces.append(_text(_LEFT - 6, plane.level(tick) + 4, number(tick), "end"))
    if picture.y_name:
        pieces.append(_text(4, 11, picture.y_name, "start", "axis-name"))
    pieces += _bars(picture, xs, heights, plane) if picture.form == "bars" else _curve(picture, xs, heights, plane)
    pieces += _below(picture, xs, placed, plane)
    return _svg(_HEIGHT, _said(picture), pieces)


def _bars(picture: Picture, xs: Sequence[float], heights: Sequence[float], plane: _Plane) -> list[Markup]:
    marked, zero = set(picture.marks), plane.level(max(plane.low, 0.0))
    width = max(0.8, plane.step * plane.across - 1.0)
    pieces = []
    for i, (x, height) in enumerate(zip(xs, heights, strict=True)):
        if math.isfinite(height):
            top = plane.level(height)
            pieces.append(_box(plane.at(x), min(top, zero), width, abs(top - zero), i in marked))
    return [*pieces, _line(_LEFT, zero, _WIDTH - _RIGHT, zero, "axis")]


def _curve(picture: Picture, xs: Sequence[float], heights: Sequence[float], plane: _Plane) -> list[Markup]:
    """The line is broken where a value is not known; marked points are dots."""
    stretches: list[list[str]] = [[]]
    for x, y in zip(xs, heights, strict=True):
        if math.isfinite(y):
            stretches[-1].append(f"{plane.at(x):.1f},{plane.level(y):.1f}")
        elif stretches[-1]:
            stretches.append([])
    pieces = [Markup('<polyline class="drawn" points="{}"/>').format(" ".join(s)) for s in stretches if len(s) > 1]
    marked = [i for i in dict.fromkeys(picture.marks) if 0 <= i < len(heights)]
    alone = [i for i, y in enumerate(heights) if math.isfinite(y) and _is_alone(heights, i)]
    for i in [*alone, *marked]:
        x, y = plane.at(xs[i]), heights[i]
        if not math.isfinite(y):  # what is marked is that nothing is there
            pieces.append(_line(x, _TOP, x, _BOTTOM, "gone"))
            continue
        kind = "marked" if i in marked else "point"
        pieces.append(
            Markup('<circle class="{}" cx="{}" cy="{}" r="3.5"/>').format(kind, f"{x:.1f}", f"{plane.level(y):.1f}")
        )
    return pieces


def _is_alone(heights: Sequence[float], i: int) -> bool:
    before = i == 0 or not math.isfinite(heights[i - 1])
    after = i + 1 == len(heights) or not math.isfinite(heights[i + 1])
    return before and after


def _below(picture: Picture, xs: Sequence[float], placed: bool, plane: _Plane) -> list[Markup]:
    """Words under the drawing: labels of the bars, else ticks, and what is counted there."""
    pieces = []
    labels = picture.labels
    if labels and len(labels) <= _MOST_LABELS:
        # ends of a stretch where there are few labels for many places, else one label a place
        room = (_WIDTH - _LEFT - _RIGHT) / max(len(labels), 1)
        for label, x in zip(labels, xs, strict=False):
            pieces.append(_text(plane.at(x + plane.step / 2), _BOTTOM + 16, label, "middle", "tick", max(room, 12)))
    elif placed:
        first, last = min(xs), max(xs) + plane.step
        for tick, said in _moments(first, last) if picture.x_is_time else [(t, number(t)) for t in _ticks(first, last)]:
            pieces.append(_line(plane.at(tick), _BOTTOM, plane.at(tick), _BOTTOM + 4, "axis"))
            edge = plane.at(tick)
            anchor = "start" if edge < _LEFT + 20 else "end" if edge > _WIDTH - 40 else "middle"
            pieces.append(_text(edge, _BOTTOM + 16, said, anchor))
    if picture.x_name:
        pieces.append(_text(_WIDTH - _RIGHT, _BOTTOM + 34, picture.x_name, "end", "axis-name"))
    return pieces


def _step(xs: Sequence[float]) -> float:
    """The usual distance between neighbours: how wide a bar is drawn."""
    apart = sorted(b - a for a, b in zip(sorted(xs), sorted(xs)[1:], strict=False) if b > a)
    return apart[len(apart) // 2] if apart else 1.0


def _ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from low to high."""
    rough = (high - low) / about
    if not math.isfinite(rough) or rough <= 0:
        return [low]
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= rough * 0.999)
    start = math.ceil(low / step - 1e-9)
    return [k * step for k in range(start, start + 4 * about) if k * step <= high + 1e-9 * step]


def _moments(first: float, last: float, about: int = 5) -> list[tuple[float, str]]:
    """Evenly spread moments, told as finely as the stretch asks for. Comes in and goes out in microseconds."""
    days = (last - first) / 1e6 / _DAY
    form = "%Y" if days > 3_000 else "%Y-%m" if days > 200 else "%Y-%m-%d" if days > 4 else "%m-%d %H:%M"
    told: dict[str, float] = {}
    for k in range(about):
        at = first + (last - first) * k / (about - 1)
        moment = _EPOCH + timedelta(microseconds=max(min(at, _LATEST), -_LATEST))
        told.setdefault(moment.strftime(form), at)
    return [(at, said) for said, at in told.items()]


def _said(picture: Picture) -> str:
    """What a screen reader says instead of the drawing."""
    shown = [v for v in map(_plain, picture.y) if math.isfinite(v)]
    marked = f", {len(picture.marks):,} of them marked" if picture.marks else ""
    what = "bars" if picture.form == "bars" else "points"
    return f"{picture.title}: {len(shown):,} {what} from {number(min(shown))} to {number(max(shown))}{marked}"
