"""The report of a forecasting run, for a planner: how good, where it is worst, what each rung bought, whether intervals hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.declaration import Declaration
from holdgood.core.records import Accuracy, AuditReport, ForecastEvaluation, Leaderboard, PanelReport
from holdgood.reports import format as words
from holdgood.reports.charts import dots_figure, earned_figure, gain_dot, gains_figure, ladder_figure
from holdgood.reports.fan import draw_fan
from holdgood.reports.figure import Figure, figure
from holdgood.reports.page import render_page
from holdgood.reports.plots import Axis, Line, LinePlot
from holdgood.reports.series_view import BANDS, SeriesView
from holdgood.reports.words import metric, step_word

CONTENTS = (
    ("asked", "What is forecast"),
    ("good", "How good it is"),
    ("series", "Series, worst first"),
    ("ladder", "What complexity bought"),
    ("cover", "Do intervals hold?"),
    ("panel", "The data"),
    ("appendix", "How to get the same again"),
)
_KINDS = {
    "smooth": "sold often, in even amounts",
    "erratic": "sold often, in uneven amounts",
    "intermittent": "sold now and then, in even amounts",
    "lumpy": "sold now and then, in uneven amounts",
}
_MOST_WORST, _MOST_DRIVERS = 25, 8


@dataclass(frozen=True)
class ForecastView:
    """Everything that the report shows, as records; ``steps`` holds (name, seconds, reused)."""

    declaration: Declaration
    run_id: str
    created_utc: str
    panel: PanelReport
    leaderboard: Leaderboard
    evaluation: ForecastEvaluation
    audit: AuditReport | None = None
    series: Sequence[SeriesView] = ()
    versions: dict[str, str] = field(default_factory=dict)
    steps: tuple[tuple[str, float, bool], ...] = ()


def render_forecast(view: ForecastView) -> str:
    """The report as one HTML text; write it as UTF-8. It shows the series that a planner decides about; nothing is loaded."""
    evaluation, board = view.evaluation, view.leaderboard
    figures: dict[str, Figure | None] = {
        "ladder": ladder_figure(board),
        "gains": gains_figure(board),
        "earned": earned_figure(board, ""),
        "added": added_figure(evaluation),
        "steps": steps_figure(evaluation),
        "cover": cover_figure(evaluation),
    }
    return render_page(
        "forecast.html",
        charts=any(f is not None and f.option is not None for f in figures.values()),
        title=view.declaration.task.question or f"Forecast of {view.declaration.task.target}",
        contents=CONTENTS,
        v=view,
        figures=figures,
        lead=lead_words(evaluation),
        step=step_word(view.panel.frequency),
        fans=[(s, draw_fan(s), fan_rows(s), driver_rows(s)) for s in view.series],
        fan_columns=(
            "Step",
            "Forecast",
            *(f"{words.percent(b - a)} from" for a, b in BANDS),
            *(f"{words.percent(b - a)} to" for a, b in BANDS),
        ),
        kinds=_KINDS,
        accuracy=[accuracy_row(a) for a in (evaluation.overall, *evaluation.segments)],
        beside=[beside_row(a) for a in (evaluation.overall, *evaluation.segments)],
        levels_rows=[accuracy_row(a) for a in evaluation.levels],
        worst=worst_rows(evaluation),
        covers=cover_rows(evaluation),
        items=items_words(evaluation),
        items_rows=items_rows(evaluation),
        leads=lead_rows(evaluation),
        levels=[words.percent(float(k)) for k in _levels(evaluation)],
        roles=[
            (c, f"{role}; not judged, not used" if c in board.unjudged else role)
            for c, role in view.panel.roles.items()
        ],
        issues=[] if view.audit is None else view.audit.issues,
        steps_taken=[(n, words.duration(s) if not kept else "kept") for n, s, kept in view.steps],
    )


def lead_words(evaluation: ForecastEvaluation) -> str:
    """How good, in one or two sentences."""
    all_of = evaluation.overall
    said = []
    if words.known(all_of.naive) and all_of.naive > 0:
        better = 1 - all_of.loss / all_of.naive
        proven = all_of.value_added.verdict if all_of.value_added else "not proven"
        word = {"better": "proven", "worse": "proven worse", "not proven": "not proven"}[proven]
        direction = "lower" if better >= 0 else "higher"
        said.append(f"Errors are {words.percent(abs(better))} {direction} than those of the naive forecast ({word})")
    if words.known(all_of.wape):
        said.append(f"over all series {words.percent(all_of.wape)} of the volume is forecast wrong")
    if words.known(evaluation.better_than_naive):
        said.append(
            f"{words.percent(evaluation.better_than_naive)} of the series are forecast better than by the naive"
        )
    text = "; ".join(said)
    return text[:1].upper() + text[1:] + "." if text else "Nothing could be judged at past origins."


def _levels(evaluation: ForecastEvaluation) -> list[str]:
    return list(evaluation.overall.cover)


def _share(value: float | None) -> str:
    return words.percent(value) if words.known(value) else words.NOTHING


def accuracy_row(a: Accuracy) -> tuple[str, ...]:
    """Name, series, loss, naive, value added, WAPE, bias."""
    added = 1 - a.loss / a.naive if words.known(a.naive) and a.naive > 0 else math.nan
    verdict = a.value_added.verdict if a.value_added else "not proven"
    return (
        a.name, words.count(a.series), words.number(a.loss), words.number(a.naive),
        f"{words.sign(added, words.percent(added))} ({verdict})" if words.known(added) else words.NOTHING,
        _share(a.wape), words.sign(a.bias, words.percent(a.bias)) if words.known(a.bias) else words.NOTHING,
    )  # fmt: skip


def beside_row(a: Accuracy) -> tuple[str, ...]:
    """What stands beside the metric: name, WAPE, the naive's, bias, CRPS, quantile loss (shares of the volume), RMSSE."""
    return (
        a.name, _share(a.wape), _share(a.naive_wape),
        words.sign(a.bias, words.percent(a.bias)) if words.known(a.bias) else words.NOTHING,
        _share(a.crps), _share(a.quantile_loss), words.number(a.rmsse) if words.known(a.rmsse) else words.NOTHING,
    )  # fmt: skip


def items_words(evaluation: ForecastEvaluation) -> str:
    """How many items lie outside what chance explains; empty where none was judged."""
    found = evaluation.items
    if found is None:
        return ""
    return (
        f"Of {words.count(found.items, 'item')}, {found.too_narrow:,} had fewer outcomes inside their {words.percent(found.level)} "
        f"intervals than chance explains (by chance alone: about {found.narrow_by_chance:.0f}), and {found.too_wide:,} had more "
        f"(by chance: about {found.wide_by_chance:.0f})."
    )


def items_rows(evaluation: ForecastEvaluation) -> list[tuple[str, ...]]:
    """Items outside what chance explains as cells, intervals that were too narrow first."""
    if evaluation.items is None:
        return []
    level = evaluation.items.level
    return [
        (w.series, words.count(w.steps), words.percent(w.inside), "too narrow" if w.inside < level else "too wide",
         words.percent(w.chance))
        for w in evaluation.items.worst[:_MOST_WORST]
    ]  # fmt: skip


def worst_rows(evaluation: ForecastEvaluation) -> list[tuple[str, ...]]:
    """The worst series as cells."""
    return [
        (s.series, s.segment, words.number(s.loss), words.number(s.naive), _share(s.wape),
         words.sign(s.bias, words.percent(s.bias)) if words.known(s.bias) else words.NOTHING, words.number(s.volume))
        for s in evaluation.worst[:_MOST_WORST]
    ]  # fmt: skip


def cover_rows(evaluation: ForecastEvaluation) -> list[tuple[str, ...]]:
    """Cover by kind of demand as cells."""
    levels = _levels(evaluation)
    return [
        (a.name, words.count(a.series), *(_share(a.cover.get(k)) for k in levels))
        for a in (evaluation.overall, *evaluation.segments)
    ]


def lead_rows(evaluation: ForecastEvaluation) -> list[tuple[str, ...]]:
    """Cover of sums over lead times as cells: of all series, with its span over single origins, then by kind of demand."""
    rows = []
    for lead in evaluation.leads:
        name = f"next {words.count(lead.steps, 'step')}"
        span = f"{_share(lead.lowest)} to {_share(lead.highest)}" if words.known(lead.lowest) else words.NOTHING
        rows.append((name, *(_share(lead.cover.get(k)) for k in _levels(evaluation)), span))
        if len(lead.segments) > 1:
            rows += [
                (f"{name}, {kind}", *(_share(found.get(k)) for k in _levels(evaluation)), words.NOTHING)
                for kind, found in lead.segments.items()
            ]
    return rows


def fan_rows(view: SeriesView) -> list[tuple[str, ...]]:
    """The steps ahead of one series as cells."""
    rows = []
    for h, ds in enumerate(view.ahead):
        moment = str(ds)[:16].replace("T", " ").removesuffix(" 00:00")
        cells = [words.number(float(v)) for v in (view.point[h], *view.low[:, h], *view.high[:, h])]
        rows.append((moment, *cells))
    return rows


def driver_rows(view: SeriesView) -> list[tuple[str, ...]]:
    """What drives the forecast of one series as cells: on average, at the first and the last step; the strongest first."""
    parts = [(name, v) for name, v in view.drivers if np.isfinite(v).all() and np.abs(v).max(initial=0.0) > 0]
    parts.sort(key=lambda part: (part[0] != "level", -float(np.abs(part[1]).mean())))
    shown, others = parts[:_MOST_DRIVERS], parts[_MOST_DRIVERS:]
    if others:
        shown = [*shown, (words.count(len(others), "other driver"), np.sum([v for _, v in others], axis=0))]
    return [
        (name, *(words.sign(x, words.number(x)) if name != "level" else words.number(x) for x in (float(v.mean()), float(v[0]), float(v[-1]))))
        for name, v in shown
    ]  # fmt: skip


def added_figure(evaluation: ForecastEvaluation) -> Figure | None:
    """Loss taken off the naive's, by kind of demand."""
    dots = [
        gain_dot(a.name, a.value_added) for a in (evaluation.overall, *evaluation.segments) if a.value_added is not None
    ]
    axis = f"lower {metric(evaluation.metric).label} than the naive"
    caption = "Right of the line: the forecast is better than repeating the last values. A whisker that crosses the line: not proven."
    return dots_figure("What the forecast adds to the naive", dots, axis, "number", "Series", "Verdict", 0.0, caption)


def steps_figure(evaluation: ForecastEvaluation) -> Figure | None:
    """Loss by step ahead beside the naive's."""
    if len(evaluation.steps) < 2:
        return None
    x = tuple(float(a.name) for a in evaluation.steps)
    ours, theirs = tuple(a.loss for a in evaluation.steps), tuple(a.naive for a in evaluation.steps)
    lines = (Line("the forecast", x, ours), Line("the naive", x, theirs, tone="quiet", dashed=True))
    label = metric(evaluation.metric).label
    plot = LinePlot(lines, Axis.over("steps ahead", [0.0, *x]), Axis.over(label, [0.0, *ours, *theirs]))
    return figure(
        "How errors grow with the steps ahead",
        plot,
        f"{label[:1].upper()}{label[1:]} at past origins; lower is better.",
    )


def cover_figure(evaluation: ForecastEvaluation) -> Figure | None:
    """Observed against nominal cover, by kind of demand."""
    levels = _levels(evaluation)
    if not levels:
        return None
    tones = ("accent", "second", "quiet", "bad")
    lines = []
    for i, a in enumerate((evaluation.overall, *evaluation.segments)):
        found = tuple(float(a.cover.get(k, np.nan)) for k in levels)
        lines.append(Line(a.name, tuple(map(float, levels)), found, tone=tones[i % 4], dashed=i >= 4))  # type: ignore[arg-type]
    axis = Axis("stated", "percent", 0.4, 1.0, 0.1)
    plot = LinePlot(tuple(lines), axis, Axis("came true", "percent", 0.4, 1.0, 0.1), diagonal="stated = came true")
    return figure(
        "Do intervals hold what they say?",
        plot,
        "On the dashed line: an 80% interval held 80% of what came. Above it: wider than need be.",
    )
