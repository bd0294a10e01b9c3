"""From records to figures, in the order of the page. Numbers are taken as they are; only their place is chosen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from holdgood.core.records import (
    Comparison,
    Evaluation,
    GroupReport,
    Importance,
    Interval,
    Leaderboard,
    Rung,
    Slice,
    Split,
)
from holdgood.reports import format as words
from holdgood.reports.figure import Figure, figure
from holdgood.reports.plots import Axis, Dot, DotPlot, Segment, SegmentBar, Tone
from holdgood.reports.words import SHARES, family, metric

# More dots than this are a wall, not a chart; the table beside the chart goes on.
MOST_DOTS = 30
# And more rows than this are not read; the records in the run folder have all of them.
MOST_ROWS = 500


def split_figure(split: Split, gap: str) -> Figure:
    """Which rows were learned from, which were sealed, which were not used. ``gap`` as declared ("0s" is none)."""
    timed = split.how == "time"
    segments = [
        Segment(
            "development", split.development, "accent", words.moment(split.cutoff) if timed and split.cutoff else ""
        )
    ]
    if split.holdout:
        if gap.strip() not in ("", "0", "0s"):
            segments.append(Segment(f"gap of {gap}", 0, "gap"))
        ends = words.moment(split.end) if timed and split.end and split.unused else ""
        segments.append(Segment("holdout, sealed", split.holdout, "second", ends))
    if split.unused:
        segments.append(Segment("not used", split.unused, "quiet"))
    title = "How the rows were divided in time" if timed else "How the rows were divided"
    return figure(title, SegmentBar(tuple(segments), timed))


def ladder_figure(board: Leaderboard) -> Figure | None:
    """Each rung's score out of fold, simplest first."""
    name = metric(board.metric)
    taken = [r.name for r in board.ladder if r.taken]
    dots = [
        value_dot(
            _named(r), r.score, "accent" if r.taken else "quiet", _rung_note(r.taken, r.name == (taken or [""])[-1])
        )
        for r in board.ladder
    ]
    side = f"{name.label} ({'higher' if board.higher_is_better else 'lower'} is better)"
    return dots_figure(
        "What each rung scores, simplest first",
        dots,
        side,
        "number",
        "Rung",
        "Taken",
        caption=_levels(r.score for r in board.ladder),
    )


def _named(rung: Rung) -> str:
    """As the page's table names it where the name is a family's; a guest's own otherwise."""
    return family(rung.name).label


def _rung_note(taken: bool, last: bool) -> str:
    return "the model delivered" if taken and last else "climbed" if taken else "not taken"


def gains_figure(board: Leaderboard) -> Figure | None:
    """What each rung gains over the best one taken below it."""
    gains = [(_named(r), r.gain) for r in board.ladder if r.gain is not None]
    unit = next((g.unit for _, g in gains if g.unit), metric(board.metric).label)
    return _steps("What each step up gains", gains, f"gain ({unit})", "number")


def earned_figure(board: Leaderboard, currency: str) -> Figure | None:
    """What each rung earns over the best one taken below it; for costs that are declared."""
    gains = [(_named(r), r.money_gain) for r in board.ladder if r.money_gain is not None]
    unit = next((g.unit for _, g in gains if g.unit), "")
    return _steps("What each step up earns", gains, unit, f"money:{currency}")


def _steps(title: str, gains: Sequence[tuple[str, Comparison]], axis: str, style: str) -> Figure | None:
    dots = [replace(gain_dot(name, g), note=f"{g.verdict}, over {family(g.second).label}") for name, g in gains]
    caption = "Right of the line: better than the best rung taken below. A whisker that crosses the line: not proven."
    return dots_figure(title, dots, axis, style, "Step", "Verdict", reference=0.0, caption=caption)


def money_figure(evaluation: Evaluation, currency: str) -> Figure | None:
    """Money against the alternatives, as declared; nothing where costs are only assumed."""
    if evaluation.money is None or evaluation.money.assumed:
        return None
    dots = [gain_dot(f"against {c.second}", c) for c in evaluation.money_against]
    unit = next((c.unit for c in evaluation.money_against if c.unit and c.unit != currency), "")
    caption = "Right of the line: the model saves money. A whisker that crosses the line: not proven."
    axis = f"saved{f' ({unit})' if unit else ''}"
    return dots_figure(
        "What the model saves against the alternatives",
        dots,
        axis,
        f"money:{currency}",
        "Alternative",
        "Verdict",
        0.0,
        caption,
    )


def importance_figure(importance: Sequence[Importance]) -> Figure | None:
    """What the model leans on."""
    ranked = sorted(
        importance, key=lambda i: -i.loss_increase.value if words.known(i.loss_increase.value) else math.inf
    )
    dots = [value_dot(i.name, i.loss_increase, "accent" if i.loss_increase.low > 0 else "quiet") for i in ranked]
    caption = "Loss added when one fact is shuffled among the rows. Grey: the interval reaches zero."
    return dots_figure("Which facts the model leans on", dots, "loss added", "number", "Fact", "", 0.0, caption)


def slices_figure(slices: Sequence[Slice], overall: Interval | None) -> Figure | None:
    """Parts of the holdout with their own loss, beside the loss of all rows."""
    dots = [value_dot(s.name, s.loss, "second", words.count(s.n, "row")) for s in slices]
    reference = overall.value if overall is not None and words.known(overall.value) else None
    caption = "The dashed line is the loss over all rows." if reference is not None else ""
    return dots_figure("Where the model is weakest", dots, "loss", "number", "Part", "Rows", reference, caption)


def group_figure(report: GroupReport, measure: str) -> Figure | None:
    """One measure for every group; thin groups say that they cannot tell."""
    name = metric(measure)
    dots = []
    for group in report.groups:
        found = group.measures.get(measure)
        if group.thin or found is None:
            note = f"cannot tell: {words.count(group.n, 'row')}"
            note += f", {words.count(group.rows_needed)} would tell" if group.rows_needed else ""
            dots.append(Dot(group.name, math.nan, tone="quiet", note=note))
        else:
            dots.append(value_dot(group.name, found, "accent", words.count(group.n, "row")))
    if all(math.isnan(d.value) for d in dots):
        return None
    style = "percent" if measure in SHARES else "number"
    bounds = (0.0, 1.0) if measure in SHARES else None
    title = f"{name.label[:1].upper()}{name.label[1:]} by {report.attribute}"
    return dots_figure(
        title,
        dots,
        name.label,
        style,
        "Group",
        "Rows",
        caption=f"{name.meaning[:1].upper()}{name.meaning[1:]}." if name.meaning else "",
        bounds=bounds,
    )


def value_dot(label: str, value: Interval | None, tone: Tone, note: str = "") -> Dot:
    """A value with its interval; None: nothing was measured."""
    if value is None:
        return Dot(label, math.nan, tone=tone, note=note)
    return Dot(label, value.value, value.low, value.high, tone, note)


def gain_dot(label: str, gain: Comparison) -> Dot:
    """A paired gain, in the colour of its verdict."""
    tones: dict[str, Tone] = {"better": "accent", "worse": "bad", "not proven": "quiet"}
    return Dot(label, gain.difference, gain.low, gain.high, tones[gain.verdict], gain.verdict)


def dots_figure(
    title: str,
    dots: Sequence[Dot],
    axis_name: str,
    style: str,
    first_column: str,
    note_column: str,
    reference: float | None = None,
    caption: str = "",
    bounds: tuple[float, float] | None = None,
) -> Figure | None:
    """A figure of ``MOST_DOTS`` dots and a table of ``MOST_ROWS``, or None where there is nothing to draw."""
    shown, beyond = tuple(dots[:MOST_DOTS]), tuple(dots[MOST_DOTS:MOST_ROWS])
    if not any(words.known(d.value) for d in shown):
        return None
    values = [v for d in shown for v in (d.value, d.low, d.high)] + ([] if reference is None else [reference])
    plot = DotPlot(shown, Axis.over(axis_name, values, style, bounds), reference, first_column, note_column, beyond)
    left_out = max(0, len(dots) - MOST_ROWS)
    more = f"{words.count(len(beyond))} more are in the table below." if beyond else ""
    rest = f"{words.count(left_out)} more are in the run's records only." if left_out else ""
    return figure(title, plot, " ".join(filter(None, (caption, more, rest))))


def _levels(intervals: Iterable[Interval]) -> str:
    """What the whiskers are, said once for all of them."""
    levels = dict.fromkeys(words.percent(i.level) for i in intervals)
    return f"Whiskers are {' and '.join(levels)} intervals." if levels else ""
