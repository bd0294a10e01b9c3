"""A look, in words for the terminal."""

from __future__ import annotations

from holdgood.workflow.live.watch import Watched

_MARK = {"high": "✗", "medium": "!", "low": "·"}


def look_text(seen: Watched) -> str:
    """What was looked at, what was found, and what to do about it."""
    look = seen.look
    lines = [
        f"{look.model}  {look.begins[:16]} to {look.ends[:16]}  {look.rows:,} rows"
        + (f", {look.share_labelled:.0%} with an outcome" if look.share_labelled == look.share_labelled else "")
        + ("  (looked at before)" if seen.again else "")
    ]
    if look.performance is not None and look.performance.difference == look.performance.difference:
        p = look.performance
        lines.append(
            f"  in use against promised: {p.difference:+.4g} {p.unit} ({p.level:.1%}: {p.low:.4g} to {p.high:.4g}, n={p.n:,}): {p.verdict}"
        )
    if look.estimate is not None:
        lines.append(f"  before outcomes: {look.estimate}; {look.estimate.method.partition('; ')[2]}")
    if seen.benefit is not None:
        b = seen.benefit
        lines.append(
            f"  benefit: {b.realised.value:,.0f} {b.currency} ({b.realised.low:,.0f} to {b.realised.high:,.0f}), "
            f"promised {b.promised.value:,.0f}"
        )
    if not seen.alarms:
        lines.append(f"  no alarm ({look.budget:g} false a year are expected at most)")
    for alarm in seen.alarms:
        state = "new" if alarm.id in look.told else "snoozed" if alarm.id in look.snoozed else "goes on"
        lines += [
            f"  {_MARK[alarm.severity]} {alarm.code} {alarm.message}  [{alarm.id}, {state}]",
            f"      do: {alarm.todo}",
        ]
    lines += [f"  over: {i}" for i in look.ended]
    lines += [f"  note: {n}" for n in look.notes]
    lines += [f"  not told: {u}" for u in seen.undelivered]
    return "\n".join(lines)
