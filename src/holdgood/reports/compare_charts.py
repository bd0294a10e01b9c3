"""Figures of a comparison: scores and differences with whiskers, what a row costs, the best of each family. Nothing is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from holdgood.core.records import Entrant, Interval, RunComparison, RunSummary, Trial
from holdgood.reports.charts import dots_figure, gain_dot, value_dot
from holdgood.reports.figure import Figure
from holdgood.reports.format import duration, known
from holdgood.reports.plots import Dot, Tone
from holdgood.reports.words import metric


def scores_figure(compared: RunComparison) -> Figure | None:
    """What each run's own holdout said of what it chose, with its prior beside it."""
    first = compared.runs[0]
    dots = []
    for run in compared.runs:
        if run.metric != first.metric:
            continue
        dots += (
            [value_dot(f"{run.run} {run.chosen}", run.score, "accent", f"{run.judged_rows:,} rows")]
            if run.score
            else []
        )
        dots += [value_dot(f"{run.run} prior", run.prior, "quiet", f"{run.judged_rows:,} rows")] if run.prior else []
    caption = "Each on the rows that it held out itself. Whiskers that overlap say little: the paired difference above decides."
    return dots_figure(
        "What each run scores on its holdout", dots, _side(first), "number", "Run", "Rows", caption=caption
    )


def differences_figure(compared: RunComparison) -> Figure | None:
    """Each run against the first, row by row."""
    told = [(p, p.difference) for p in compared.pairs if p.difference is not None]
    dots = [
        Dot(
            p.second,
            -d.difference,
            -d.high,
            -d.low,
            _tone(d.verdict),
            f"{_seen_from_second(d.verdict)}, {p.rows:,} rows",
        )
        for p, d in told
    ]
    first = compared.runs[0].run
    unit = next((d.unit for _, d in told if d.unit), "loss")
    caption = (
        f"Right of the line: better than run {first} on the same rows. A whisker that crosses the line: not proven."
    )
    return dots_figure(
        f"Against run {first}, row by row", dots, f"gain ({unit} a row)", "number", "Run", "Verdict", 0.0, caption
    )


def cost_figure(compared: RunComparison) -> Figure | None:
    """What one row costs in use."""
    dots = [
        Dot(f"{r.run} {r.chosen}", r.latency_ms, tone="second", note=duration(r.fit_seconds) + " of fits in training")
        for r in compared.runs
        if known(r.latency_ms)
    ]
    caption = "Features and model for a single row, 95th percentile. Measured when each ran: on another or a busier machine it differs."
    return dots_figure(
        "What one row costs in use", dots, "milliseconds a row", "number", "Run", "Fits", caption=caption
    )


def families_figure(compared: RunComparison) -> Figure | None:
    """The best trial of every family in every run, out of fold."""
    first = compared.runs[0]
    dots = []
    for run in compared.runs:
        if run.metric == first.metric:
            for t in best_of_families(run):
                tone: Tone = "accent" if t.name == run.chosen else "quiet"
                dots.append(value_dot(f"{run.run} {t.name}", t.score, tone, t.family))
    caption = "Out of fold on development rows: the best trial of each family was picked on these rows and looks a little too good."
    return dots_figure("The best of each family", dots, _side(first), "number", "Trial", "Family", caption=caption)


def best_of_families(run: RunSummary) -> list[Trial]:
    """The best finished trial of each family, best first."""
    best: dict[str, Trial] = {}
    for t in run.trials:
        if t.score is not None and known(t.score.value):
            held = best.get(t.family)
            if held is None or _worth(t.score, run) > _worth(held.score, run):
                best[t.family] = t
    return sorted(best.values(), key=lambda t: (-_worth(t.score, run), t.name))


def _worth(score: Interval | None, run: RunSummary) -> float:
    if score is None:
        return -math.inf
    return score.value if run.higher_is_better else -score.value


def _side(run: RunSummary) -> str:
    return f"{metric(run.metric).label} ({'higher' if run.higher_is_better else 'lower'} is better)"


def _tone(verdict: str) -> Tone:
    """Of a difference *first minus second*, seen from the second."""
    tones: dict[str, Tone] = {"better": "bad", "worse": "accent"}
    return tones.get(verdict, "quiet")


def _seen_from_second(verdict: str) -> str:
    return {"better": "worse", "worse": "better"}.get(verdict, verdict)


def entrants_figure(entrants: Sequence[Entrant], name: str, higher_is_better: bool) -> Figure | None:
    """What each model scores on the new rows, best first."""
    side = f"{metric(name).label} ({'higher' if higher_is_better else 'lower'} is better)"
    tones: dict[str, Tone] = {"delivered": "accent", "simplest": "second", "prior": "quiet"}
    dots = [value_dot(e.name, e.score, tones[e.role], e.role) for e in entrants]
    caption = "All on the same rows. Whiskers that overlap say little: the paired differences decide."
    return dots_figure("What each model scores on the new rows", dots, side, "number", "Model", "Role", caption=caption)


def against_figure(entrants: Sequence[Entrant], first: str) -> Figure | None:
    """Each model against what the first run delivered, row by row."""
    dots = [gain_dot(e.name, e.against_first) for e in entrants if e.against_first is not None]
    unit = next(
        (e.against_first.unit for e in entrants if e.against_first is not None and e.against_first.unit), "loss"
    )
    caption = f"Right of the line: better than {first} on the same rows. A whisker that crosses the line: not proven."
    return dots_figure(
        f"Against {first}, row by row", dots, f"gain ({unit} a row)", "number", "Model", "Verdict", 0.0, caption
    )
