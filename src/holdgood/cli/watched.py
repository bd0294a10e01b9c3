"""A look, in words for the terminal."""

from __future__ import annotations

import math

from holdgood.core.records import Benefit, Comparison, WatchLook
from holdgood.core.text import counted, percent
from holdgood.monitoring.late_mean import LEFT_OUT
from holdgood.reports.watch_words import CLOSE, acknowledged_by, over_text, state_of, unjudged_text
from holdgood.workflow.live.watch import Watched

_MARK = {"high": "✗", "medium": "!", "low": "·"}


def look_text(seen: Watched) -> str:
    """What was looked at, what was found, and what to do about it."""
    look = seen.look
    lines = [
        f"{look.model}  {look.begins[:16]} to {look.ends[:16]}  {counted(look.rows, 'row')}"
        + (f", {look.share_labelled:.0%} with an outcome" if look.share_labelled == look.share_labelled else "")
        + ("  (looked at before)" if seen.again else "")
    ]
    if look.performance is not None and look.performance.difference == look.performance.difference:
        lines.append("  " + _performance(look, look.performance))
    if look.estimate is not None:
        lines.append(f"  before outcomes: {look.estimate}; {look.estimate.method.partition('; ')[2]}")
    if seen.benefit is not None:
        lines.append("  " + _benefit(seen.benefit))
    if not seen.alarms:
        lines.append(f"  no {'other ' if look.blind else ''}alarm ({look.budget:g} false a year are expected at most)")
    for alarm in seen.alarms:
        state = state_of(look, alarm.id, seen.seen_by)
        lines += [
            f"  {_MARK[alarm.severity]} {alarm.code} {alarm.message}  [{alarm.id}, {state}]",
            f"      do: {alarm.todo}",
        ]
    for one in look.blind:
        lines.append(f"  ? {unjudged_text(one)}  [{one.alarm}{acknowledged_by(look, one.alarm, seen.seen_by)}]")
    lines += [f"      do: {CLOSE}"] if look.blind else []
    lines += ["  " + over_text(i, seen.seen_by) for i in look.ended]
    lines += [f"  note: {n}" for n in look.notes]
    lines += [f"  not told: {u}" for u in seen.undelivered]
    return "\n".join(lines)


def _performance(look: WatchLook, found: Comparison) -> str:
    """Which way it went in words: of a loss less is better, so that a sign alone would be read the wrong way."""
    way, sign = ("worse", -1.0) if found.difference < 0 else ("better", 1.0)
    low, high = sorted((sign * found.low, sign * found.high))
    by = f"{way} by {abs(found.difference):.4g} ({percent(found.level, 1)}: {low:.4g} to {high:.4g}, n={found.n:,}{_left_out(look, found)})"
    proven = "" if found.verdict == way else f", {found.verdict}"
    if math.isnan(look.loss) or math.isnan(look.loss_promised):
        return f"{found.unit} in use against promised: {by}{proven}"
    return f"{found.unit} {look.loss:.4g} in use, {look.loss_promised:.4g} promised: {by}{proven}"


def _left_out(look: WatchLook, found: Comparison) -> str:
    """Of how many outcomes those are that count, and why the others do not."""
    why = found.method.partition(LEFT_OUT)[2]
    return f" of {look.labelled:,} outcomes; left out: {why}" if why else ""


def _benefit(found: Benefit) -> str:
    promised = f"promised {found.promised.value:,.0f} {found.currency}".rstrip()
    if math.isnan(found.realised.value):
        few = "no outcomes" if not found.labelled else f"too few outcomes ({found.labelled:,})"
        return f"benefit: not known yet: {few}; {promised}"
    span = "" if math.isnan(found.realised.low) else f" ({found.realised.low:,.0f} to {found.realised.high:,.0f})"
    return f"benefit: {found.realised.value:,.0f} {found.currency}{span}, promised {found.promised.value:,.0f}"
