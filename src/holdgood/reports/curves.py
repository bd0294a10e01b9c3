"""Curves of an evaluation: calibration, ROC, precision and recall, money over thresholds, spread of scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from holdgood.core.records import Calibration, Evaluation, Series
from holdgood.reports import format as words
from holdgood.reports.figure import Figure, figure
from holdgood.reports.plots import Axis, Line, LinePlot, Tone

_TONES: tuple[Tone, ...] = ("accent", "second", "quiet")
# More curves in one picture than this cannot be told apart with three tones, whole and dashed.
_MOST_LINES = 6
_SHARES = ("rate", "share", "precision", "recall", "chance", "probability", "coverage")


def calibration_figure(calibration: Calibration, shares: bool) -> Figure | None:
    """Stated against observed with the line of perfect calibration; ``shares`` where the model states chances."""
    values = [*calibration.stated, *calibration.observed, *calibration.low, *calibration.high]
    if not any(map(math.isfinite, calibration.stated)):
        return None
    style, bounds = ("percent", (0.0, 1.0)) if shares else ("number", None)
    across = Axis.over("stated chance" if shares else "predicted", values, style, bounds)
    up = Axis("observed share" if shares else "observed mean", style, across.low, across.high, across.step)
    line = Line(
        "holdout rows", calibration.stated, calibration.observed, calibration.low, calibration.high, points=True
    )
    title = "Do stated chances come true?" if shares else "Do predicted values come true?"
    caption = "On the dashed line, what is stated is what happens. Bins hold equally many rows; whiskers are intervals."
    return figure(title, LinePlot((line,), across, up, diagonal="stated = observed"), caption)


@dataclass(frozen=True)
class CurveFigure:
    """A figure, and whether it belongs beside the money."""

    figure: Figure
    in_money: bool


def curve_figures(evaluation: Evaluation, currency: str) -> tuple[CurveFigure, ...]:
    """One figure for all curves that share their axes; money in the currency, in false alarms where it is assumed."""
    groups: dict[tuple[str, str], list[Series]] = {}
    for series in evaluation.curves:
        if any(map(math.isfinite, series.y)):
            groups.setdefault((series.x_name, series.y_name), []).append(series)
    return tuple(
        _curves(together[start : start + _MOST_LINES], evaluation, currency)
        for together in groups.values()
        for start in range(0, len(together), _MOST_LINES)
    )


def histogram_figure(histograms: Sequence[Series]) -> Figure | None:
    """How the model's answers are spread, one outline a series."""
    kept = [s for s in histograms if any(map(math.isfinite, s.y))][:_MOST_LINES]
    if not kept:
        return None
    across = Axis.over(kept[0].x_name or "the model's answer", (v for s in kept for v in s.x))
    up = Axis.over(kept[0].y_name or "rows", [0.0, *(v for s in kept for v in s.y)])
    return figure("How the model's answers are spread", LinePlot(_lines(kept, steps=True), across, up))


def _curves(together: Sequence[Series], evaluation: Evaluation, currency: str) -> CurveFigure:
    first = together[0]
    across = _axis(first.x_name or "x", [v for s in together for v in s.x], "")
    over_thresholds = "threshold" in first.x_name.lower()
    in_money = over_thresholds and any(
        w in f"{first.name} {first.y_name}".lower() for w in ("money", "cost", "saved", "earn")
    )
    assumed = evaluation.money is None or evaluation.money.assumed
    y_name = first.y_name or "y"
    if in_money and assumed:
        y_name = f"{y_name} (ASSUMED)"
    up = _axis(
        y_name,
        [v for s in together for v in (*s.y, *s.low, *s.high)],
        f"money:{currency}" if in_money and not assumed else "",
    )
    marks = []
    if over_thresholds and evaluation.threshold is not None and words.known(evaluation.threshold.value):
        marks.append((evaluation.threshold.value, "threshold in use"))
    title, caption, diagonal = _titles(first, together, in_money)
    return CurveFigure(
        figure(title, LinePlot(_lines(together, _spread(first)), across, up, tuple(marks), diagonal), caption), in_money
    )


def _titles(first: Series, together: Sequence[Series], in_money: bool) -> tuple[str, str, str]:
    """Title, caption and the name of the diagonal: the well-known curves get words, others keep their own name."""
    name = first.name.lower()
    axes = f"{first.x_name} {first.y_name}".lower()
    if "roc" in name or ("false positive" in axes and "true positive" in axes):
        return (
            "How many real cases are caught as more false alarms are allowed",
            "ROC curve. The dashed line is guessing.",
            "guessing",
        )
    if "precision" in axes and "recall" in axes:
        return (
            "How precise warnings stay as more real cases are caught",
            "Precision and recall, from the strictest threshold to the mildest.",
            "",
        )
    if in_money:
        return "What each threshold is worth", "The threshold in use was chosen on development rows, not on these.", ""
    if "residual" in name:
        return "How far off predictions are, along their range", "Line: mean of a bin. Band: where most rows lie.", ""
    if _spread(first):
        return "How the model's answers are spread", "The further apart the two outlines, the better it tells.", ""
    title = first.name if len(together) == 1 else f"{first.y_name} against {first.x_name}"
    return title[:1].upper() + title[1:], "", ""


def _spread(series: Series) -> bool:
    """Whether a series says how rows are spread over scores."""
    return series.y_name.lower() in ("rows", "share of rows", "density")


def _axis(name: str, values: Sequence[float], style: str) -> Axis:
    finite = [v for v in values if math.isfinite(v)]
    shares = any(w in name.lower() for w in _SHARES) and all(-1e-9 <= v <= 1 + 1e-9 for v in finite)
    if shares and not style:
        return Axis.over(name, finite, "percent", (0.0, 1.0))
    return Axis.over(name, finite, style or "number")


def _lines(together: Sequence[Series], steps: bool = False) -> tuple[Line, ...]:
    lines = []
    for position, s in enumerate(together):
        # what runs back and forth along x is a cloud of points, not a curve
        cloud = not steps and any(b < a for a, b in zip(s.x, s.x[1:])) and any(b > a for a, b in zip(s.x, s.x[1:]))
        tone, dashed = _TONES[position % len(_TONES)], position >= len(_TONES)
        lines.append(Line(s.name, s.x, s.y, s.low, s.high, tone, dashed, cloud or len(s.x) == 1, steps))
    return tuple(lines)
