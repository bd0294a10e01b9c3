"""Plots as still SVG: what a printer and a reader without scripts see. Colours come from the page's CSS."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from holdgood.reports.plots import Axis, DotPlot, Line, LinePlot, Plot, SegmentBar

WIDTH = 720
ROW = 26
_LABEL = 190


def draw(plot: Plot) -> Markup:
    """Any plot as one ``<svg>``; hidden from screen readers, which get the table."""
    if isinstance(plot, DotPlot):
        return _draw_dots(plot)
    if isinstance(plot, LinePlot):
        return _draw_lines(plot)
    return _draw_segments(plot)


def _svg(height: float, pieces: Sequence[Markup]) -> Markup:
    head = Markup('<svg class="still" viewBox="0 0 {} {}" aria-hidden="true" focusable="false">').format(
        WIDTH, f"{height:g}"
    )
    return head + Markup("").join(pieces) + Markup("</svg>")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
        kind, *(f"{v:.1f}" for v in (x1, y1, x2, y2))
    )


def _text(x: float, y: float, text: str, anchor: str = "start", kind: str = "", width: float = math.inf) -> Markup:
    # 6.3 units a letter is a cautious average of the system fonts at 12 units
    room = int(width / 6.3) if math.isfinite(width) else len(text)
    shown = text if len(text) <= room else text[: max(1, room - 1)] + "…"
    full = Markup("<title>{}</title>").format(text) if shown != text else Markup("")
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}{}</text>').format(
        kind, f"{x:.1f}", f"{y:.1f}", anchor, escape(shown), full
    )


class _Scale:
    """From values to pixels along one axis; what lies outside is brought to the border."""

    def __init__(self, axis: Axis, start: float, end: float) -> None:
        self.axis, self.start, self.end = axis, start, end

    def at(self, value: float) -> float:
        share = (value - self.axis.low) / (self.axis.high - self.axis.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def _draw_dots(plot: DotPlot) -> Markup:
    top, bottom = 8, 8 + ROW * len(plot.dots)
    scale = _Scale(plot.axis, _LABEL + 12, WIDTH - 40)
    pieces = [_line(scale.at(t), top, scale.at(t), bottom, "grid") for t in plot.axis.ticks]
    pieces += [_text(scale.at(t), bottom + 16, plot.axis.text(t), "middle", "tick") for t in plot.axis.ticks]
    if plot.reference is not None:
        pieces.append(_line(scale.at(plot.reference), top, scale.at(plot.reference), bottom, "reference"))
    for position, dot in enumerate(plot.dots):
        y = top + ROW * (position + 0.5)
        pieces.append(_text(_LABEL, y + 4, dot.label, "end", "name", _LABEL))
        if not math.isfinite(dot.value):
            pieces.append(_text(scale.start + 6, y + 4, dot.note or "cannot tell", "start", "tick"))
            continue
        if not (math.isnan(dot.low) or math.isnan(dot.high)):
            pieces.append(_line(scale.at(dot.low), y, scale.at(dot.high), y, f"whisker {dot.tone}"))
        pieces.append(
            Markup('<circle class="dot {}" cx="{}" cy="{}" r="5"/>').format(
                dot.tone, f"{scale.at(dot.value):.1f}", f"{y:.1f}"
            )
        )
    pieces.append(_text((scale.start + scale.end) / 2, bottom + 36, plot.axis.name, "middle", "axis-name"))
    return _svg(bottom + 44, pieces)


def _draw_lines(plot: LinePlot) -> Markup:
    legend = 24 if len(plot.lines) > 1 or plot.diagonal else 4
    top, bottom, left = legend + 20, legend + 20 + 260, 72
    across, up = _Scale(plot.x, left, WIDTH - 40), _Scale(plot.y, bottom, top)
    pieces = [_line(left, up.at(t), WIDTH - 40, up.at(t), "grid") for t in plot.y.ticks]
    pieces += [_text(left - 8, up.at(t) + 4, plot.y.text(t), "end", "tick") for t in plot.y.ticks]
    pieces += [_text(across.at(t), bottom + 18, plot.x.text(t), "middle", "tick") for t in plot.x.ticks]
    pieces.append(_text(left, legend + 8, plot.y.name, "start", "axis-name"))
    pieces.append(_text(WIDTH - 40, bottom + 38, plot.x.name, "end", "axis-name"))
    if plot.diagonal:
        low, high = max(plot.x.low, plot.y.low), min(plot.x.high, plot.y.high)
        pieces.append(_line(across.at(low), up.at(low), across.at(high), up.at(high), "reference"))
    for value, name in plot.marks:
        pieces.append(_line(across.at(value), top, across.at(value), bottom, "mark"))
        right = across.at(value) < WIDTH * 0.7
        pieces.append(
            _text(across.at(value) + (5 if right else -5), bottom - 6, name, "start" if right else "end", "tick")
        )
    for line in plot.lines:
        pieces += _curve(line, across, up)
    if legend > 20:
        pieces += _legend(plot)
    return _svg(bottom + 46, pieces)


def _curve(line: Line, across: _Scale, up: _Scale) -> list[Markup]:
    places = [
        (across.at(x), up.at(y)) for x, y in zip(line.x, line.y, strict=True) if math.isfinite(x) and math.isfinite(y)
    ]
    bounds = [
        (across.at(x), up.at(a), up.at(b))
        for x, a, b in zip(line.x, line.low, line.high)
        if math.isfinite(x) and math.isfinite(a) and math.isfinite(b)
    ]
    if line.points:
        whiskers = [_line(x, a, x, b, f"whisker {line.tone}") for x, a, b in bounds]
        dots = [
            Markup('<circle class="dot {}" cx="{}" cy="{}" r="4"/>').format(line.tone, f"{x:.1f}", f"{y:.1f}")
            for x, y in places
        ]
        return whiskers + dots
    pieces = []
    if bounds:
        edge = [f"{x:.1f},{b:.1f}" for x, _, b in bounds] + [f"{x:.1f},{a:.1f}" for x, a, _ in reversed(bounds)]
        pieces.append(Markup('<polygon class="band {}" points="{}"/>').format(line.tone, " ".join(edge)))
    if line.steps:
        places = _stairs(places)
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    pieces.append(
        Markup('<polyline class="curve {}{}" points="{}"/>').format(line.tone, " dashed" if line.dashed else "", drawn)
    )
    return pieces


def _stairs(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Each height is kept half way to both neighbours."""
    out: list[tuple[float, float]] = []
    for position, (x, y) in enumerate(places):
        before = places[position - 1][0] if position else x
        after = places[position + 1][0] if position + 1 < len(places) else x
        out += [((before + x) / 2, y), ((x + after) / 2, y)]
    return out


def _legend(plot: LinePlot) -> list[Markup]:
    entries = [(line.name, f"curve {line.tone}{' dashed' if line.dashed else ''}") for line in plot.lines]
    if plot.diagonal:
        entries.append((plot.diagonal, "reference"))
    pieces, x = [], 72.0
    for name, kind in entries:
        pieces += [_line(x, 10, x + 20, 10, kind), _text(x + 26, 14, name, "start", "name", 260)]
        x += 46 + 6.3 * min(len(name), 41)
    return pieces


def _draw_segments(plot: SegmentBar) -> Markup:
    total = sum(s.rows for s in plot.segments) or 1
    # a stretch with few rows stays visible: at least 16 units wide
    widths = [max(16.0, (WIDTH - 8) * s.rows / total) for s in plot.segments]
    squeeze = (WIDTH - 8) / sum(widths)
    pieces, x = [], 4.0
    for segment, width in zip(plot.segments, (w * squeeze for w in widths), strict=True):
        pieces.append(
            Markup('<rect class="stretch {}" x="{}" y="30" width="{}" height="44" rx="3"/>').format(
                segment.tone, f"{x:.1f}", f"{width - 2:.1f}"
            )
        )
        if width > 6.6 * len(segment.label) + 12 and segment.tone != "gap":
            pieces.append(_text(x + width / 2 - 1, 57, segment.label, "middle", f"inside {segment.tone}"))
        x += width
        if segment.border:
            pieces.append(_line(x - 1, 22, x - 1, 82, "mark"))
            pieces.append(_text(min(max(x - 1, 60), WIDTH - 60), 16, segment.border, "middle", "tick"))
    if plot.timed:
        pieces += [
            _line(4, 90, WIDTH - 10, 90, "mark"),
            Markup('<path class="arrow" d="M{0} 86 L{1} 90 L{0} 94 Z"/>').format(WIDTH - 12, WIDTH - 4),
        ]
        pieces.append(_text(4, 108, "earlier", "start", "tick"))
        pieces.append(_text(WIDTH - 4, 108, "later", "end", "tick"))
    return _svg(114 if plot.timed else 84, pieces)
