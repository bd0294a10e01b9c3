"""The page of a look: what was found and what to do, performance over looks, drift by what it does, benefit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdgood.core.records import Acknowledgement, Alarm, Benefit, WatchLook
from holdgood.reports.charts import dots_figure, gain_dot, value_dot
from holdgood.reports.figure import Figure
from holdgood.reports.format import known
from holdgood.reports.page import render_page
from holdgood.reports.plots import Dot
from holdgood.reports.watch_words import CLOSE, acknowledged_by, over_text, state_of, unjudged_text

LOOKS = 26
_CONTENTS = (("alarms", "Alarms"), ("performance", "Performance"), ("drift", "Drift"), ("benefit", "Benefit"))


@dataclass(frozen=True)
class Seen:
    """One model's look as the page shows it."""

    look: WatchLook
    alarms: Sequence[Alarm]
    benefit: Benefit | None
    seen_by: Mapping[str, Acknowledgement]
    figures: Mapping[str, Figure | None]


def render_watch(
    looks: Sequence[tuple[WatchLook, Sequence[Alarm], Benefit | None, Mapping[str, Acknowledgement]]],
    history: Mapping[str, Sequence[WatchLook]],
) -> str:
    """Looks as one HTML text; write it as UTF-8. No network, no row's values. ``history``: earlier looks by model, oldest first.

    Beside each look its alarms, its benefit, and by alarm who has seen it.
    """
    seen = [Seen(w, a, b, s, _figures(w, b, history.get(w.model, ()))) for w, a, b, s in looks]
    return render_page(
        "watch.html",
        charts=any(f is not None and f.option is not None for s in seen for f in s.figures.values()),
        title="Watch: " + ", ".join(s.look.model for s in seen),
        contents=_CONTENTS,
        seen=seen,
        p_text=p_text,
        state_of=state_of,
        acknowledged_by=acknowledged_by,
        unjudged_text=unjudged_text,
        over_text=over_text,
        close=CLOSE,
    )


def _figures(look: WatchLook, benefit: Benefit | None, past: Sequence[WatchLook]) -> dict[str, Figure | None]:
    told = [gain_dot(w.ends[:10], w.performance) for w in past[-LOOKS:] if w.performance is not None]
    unit = look.performance.unit if look.performance is not None else ""
    gaps = [
        value_dot(
            f"{g.attribute}: {g.between[0]} and {g.between[1]}, {g.measure.replace('_', ' ')}",
            g.gap,
            "accent",
            f"{g.gap.n:,} rows",
        )
        for g in look.gaps
    ]
    paid = [] if benefit is None else [
        value_dot("promised", benefit.promised, "quiet", f"{benefit.rows:,} rows"),
        value_dot("realised", benefit.realised, "accent", f"{benefit.labelled:,} with an outcome"),
    ]  # fmt: skip
    moved = [
        Dot(d.feature, d.moved, tone="accent", note=f"distance {d.effect:.2f}") for d in look.drift if known(d.moved)
    ]
    return {
        "performance": dots_figure(
            "In use against promised, look by look", told, f"better by ({unit} a row)", "number", "Look until", "Verdict", 0.0,
            "Right of the line: better than promised. Intervals hold over a year of looks together.",
        ),
        "drift": dots_figure(
            "What drift does to predictions", moved, "mean change, in standard deviations", "number", "Feature", "Drift", 0.0,
        ),
        "gaps": dots_figure("Gaps between groups", gaps, "difference of shares", "percent", "Groups", "Rows", 0.0),
        "benefit": dots_figure(
            "Benefit of the look's rows", paid, "money", f"money:{benefit.currency}" if benefit and benefit.currency else "number", "", "Rows", 0.0,
        ),
    }  # fmt: skip


def p_text(p: float) -> str:
    """A p-value in few digits.

    >>> p_text(0.00001), p_text(0.0312)
    ('< 0.0001', '0.0312')
    """
    return "–" if math.isnan(p) else "< 0.0001" if p < 0.0001 else f"{p:.3g}"
