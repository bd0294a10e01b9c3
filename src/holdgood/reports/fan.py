"""A fan chart as still SVG: history, the forecast with its bands, and dashed what was forecast before. No script needed."""

from __future__ import annotations

import math

import numpy as np
from markupsafe import Markup, escape

from holdgood.reports.format import number
from holdgood.reports.series_view import SeriesView

_WIDTH, _HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 14, 196
_DAY = 86_400.0e6


def draw_fan(view: SeriesView) -> Markup:
    """One ``<svg>`` whose colours come from the page's style sheet; empty where there is nothing to draw."""
    times = np.concatenate([view.ds, view.ahead]).astype("M8[us]").astype(np.int64).astype(float)
    values = [view.y, view.point, view.low.ravel(), view.high.ravel(), *(p for _, p in view.past)]
    shown = np.concatenate([np.ravel(v) for v in values])
    shown = shown[np.isfinite(shown)]
    if not len(shown) or not len(times):
        return Markup("")
    low, high = float(min(shown.min(), 0.0 if shown.min() < 0.4 * shown.max() else shown.min())), float(shown.max())
    if high <= low:
        low, high = low - 1.0, high + 1.0
    first, last = times.min(), times.max()

    def across(ds: np.ndarray) -> np.ndarray:
        at = ds.astype("M8[us]").astype(np.int64).astype(float)
        return np.asarray(_LEFT + (at - first) / max(last - first, 1.0) * (_WIDTH - _LEFT - _RIGHT))

    def up(y: np.ndarray) -> np.ndarray:
        return np.asarray(_BOTTOM - (y - low) / (high - low) * (_BOTTOM - _TOP))

    pieces = []
    for tick in _ticks(low, high):
        y = float(up(np.array(tick)))
        pieces.append(
            Markup('<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(_LEFT, y, _WIDTH - _RIGHT, y)
        )
        pieces.append(_text(_LEFT - 6, y + 4, number(tick), "end"))
    for at, said in _moments(first, last):
        x = float(across(np.array([at], "M8[us]"))[0])
        anchor = "start" if x < _LEFT + 20 else "end" if x > _WIDTH - 40 else "middle"
        pieces.append(_text(x, _BOTTOM + 18, said, anchor))
    x_ahead = across(view.ahead)
    for b in range(len(view.low)):
        pieces.append(_band(x_ahead, up(view.low[b]), up(view.high[b]), f"fan{b}"))
    for ds, points in view.past:
        pieces += _curve(across(ds), up(points), "past")
    pieces += _curve(across(view.ds), up(view.y), "history")
    pieces += _curve(x_ahead, up(view.point), "drawn")
    pieces += [
        Markup('<circle class="marked" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(float(x), float(y))
        for x, y in zip(across(view.ds[view.hidden]), up(view.y[view.hidden]), strict=True)
        if math.isfinite(y)
    ]
    if len(view.ds) and len(view.ahead):
        cut = float((across(view.ds[-1:])[0] + x_ahead[0]) / 2)
        pieces.append(
            Markup('<line class="axis" x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>').format(cut, _TOP, cut, _BOTTOM)
        )
    said = f"{view.name}: {len(view.ds):,} steps of history and {len(view.ahead):,} ahead"
    head = Markup('<svg class="picture" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(_WIDTH, _HEIGHT, said)
    return head + Markup("").join(pieces) + Markup("</svg>")


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        f"{x:.1f}", f"{y:.1f}", anchor, escape(text)
    )


def _curve(x: np.ndarray, y: np.ndarray, kind: str) -> list[Markup]:
    """The line is broken where a value is not known; a value alone is a dot."""
    there = np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(int)))
    pieces = []
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if end - begin == 1:
            pieces.append(
                Markup('<circle class="{} dot" cx="{:.1f}" cy="{:.1f}" r="2"/>').format(
                    kind, float(x[begin]), float(y[begin])
                )
            )
            continue
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[begin:end], y[begin:end], strict=True))
        pieces.append(Markup('<polyline class="{}" points="{}"/>').format(kind, points))
    return pieces


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray, kind: str) -> Markup:
    if not np.isfinite(low).all() or not np.isfinite(high).all():
        return Markup("")
    if len(x) == 1:
        return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="8" height="{:.1f}"/>').format(
            kind, float(x[0]) - 4, float(high[0]), max(0.5, float(low[0] - high[0]))
        )
    edge = [f"{a:.1f},{b:.1f}" for a, b in zip(x, high, strict=True)]
    edge += [f"{a:.1f},{b:.1f}" for a, b in zip(x[::-1], low[::-1], strict=True)]
    return Markup('<polygon class="{}" points="{}"/>').format(kind, " ".join(edge))


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= rough * 0.999)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _moments(first: float, last: float, about: int = 6) -> list[tuple[int, str]]:
    days = (last - first) / _DAY
    unit, width = ("Y", 4) if days > 3_000 else ("M", 7) if days > 200 else ("D", 10) if days > 4 else ("m", 16)
    told: dict[str, int] = {}
    for k in range(about):
        at = np.int64(first + (last - first) * k / (about - 1)).astype("M8[us]").astype(f"M8[{unit}]")
        place = int(at.astype("M8[us]").astype(np.int64))
        told.setdefault(str(at)[:width].replace("T", " "), max(place, int(first)))
    return [(at, said) for said, at in told.items()]
