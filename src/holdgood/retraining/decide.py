"""Retrain, do not, or not yet, with reasons; and whether a challenger has beaten the champion. Nothing is promoted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from holdgood.core.records import Alarm, Comparison, RetrainDecision
from holdgood.metrics.compare import paired


@dataclass(frozen=True)
class RetrainPolicy:
    """When retraining is worth it.

    ``least_rows``: labelled rows since the last training, below which a new model would hardly differ.
    ``smallest_fall``: loss of performance, in the comparison's unit, that does not matter yet.
    """

    least_rows: int = 500
    smallest_fall: float = 0.0


def decide(
    alarms: Sequence[Alarm], performance: Comparison | None, new_rows: int, policy: RetrainPolicy | None = None
) -> RetrainDecision:
    """Weigh alarms, measured performance and new rows.

    ``performance``: how the model does now (first) against what was promised (second), positive where now is better;
    None while no outcomes have come in. ``new_rows``: labelled rows that the model has not learned from.
    """
    rule = policy or RetrainPolicy()
    codes = tuple(dict.fromkeys(a.code for a in alarms))
    loud = [a for a in alarms if a.severity == "high"]
    reasons = [_alarms_said(alarms, loud), _performance_said(performance, rule)]
    fallen = performance is not None and performance.verdict == "worse" and -performance.difference > rule.smallest_fall
    unsure = performance is not None and not fallen and performance.low < -rule.smallest_fall
    decision: Literal["retrain", "do not retrain", "not yet"]
    if fallen:
        decision = "retrain"
    elif performance is None and loud:
        decision = "retrain"
        reasons.append("without outcomes, a loud alarm is the best evidence there is; the challenger must still win")
    elif alarms and (performance is None or unsure):
        decision = "not yet"
        reasons.append("more outcomes will tell whether what has changed matters")
    else:
        decision = "do not retrain"
        reasons.append("a new model would be a change without a cause")
    if decision == "retrain" and new_rows < rule.least_rows:
        decision = "not yet"
        reasons.append(
            f"{new_rows:,} new rows with an outcome are too few to learn from; {rule.least_rows:,} are asked for"
        )
    elif decision == "retrain":
        reasons.append(f"{new_rows:,} new rows with an outcome are there to learn from")
    return RetrainDecision(decision=decision, reasons=tuple(reasons), alarms=codes)


def _alarms_said(alarms: Sequence[Alarm], loud: Sequence[Alarm]) -> str:
    if not alarms:
        return "no alarm"
    subjects = ", ".join(dict.fromkeys(a.subject for a in (loud or alarms)[:3]))
    return f"{len(alarms)} alarm{'s' if len(alarms) > 1 else ''}, {len(loud)} of them high ({subjects})"


def _performance_said(performance: Comparison | None, rule: RetrainPolicy) -> str:
    if performance is None:
        return "performance is not known: no outcomes have come in"
    numbers = f"{performance.difference:+.4g} {performance.unit}".rstrip()
    span = f"{numbers} ({performance.level:.0%}: {performance.low:.4g} to {performance.high:.4g}, n={performance.n:,})"
    if performance.verdict == "worse":
        small = -performance.difference <= rule.smallest_fall
        return f"performance has fallen: {span}" + (", less than what matters" if small else "")
    if performance.verdict == "better":
        return f"performance has risen: {span}"
    return f"a fall of performance is not proven: {span}"


@dataclass(frozen=True)
class Challenge:
    """What a challenge found: the paired comparison (challenger first) and what follows from it."""

    comparison: Comparison
    decision: Literal["promote", "keep", "not yet"]
    reason: str


def challenge(
    champion_loss: np.ndarray,
    challenger_loss: np.ndarray,
    *,
    clusters: np.ndarray | None = None,
    unit: str = "",
    level: float = 0.95,
    smallest_gain: float = 0.0,
    look: int | None = None,
) -> Challenge:
    """Losses of both on the same rows, which neither has learned from.

    ``promote`` where the whole interval of the gain lies above ``smallest_gain``, ``keep`` where it lies below, else
    ``not yet``. ``look``: 1, 2, 3 … where rows are looked at as they come: the k-th look spends 6 / (pi k)^2 of the
    error allowed, so that looking often does not find what is not there.
    """
    used = level if look is None else 1.0 - (1.0 - level) * 6.0 / (math.pi * look) ** 2
    found = paired(
        challenger_loss, champion_loss, first="challenger", second="champion", clusters=clusters, unit=unit, level=used
    )
    worth = max(smallest_gain, 0.0)
    numbers = f"{found.difference:+.4g} {unit}".rstrip() + f" ({used:.1%}: {found.low:.4g} to {found.high:.4g})"
    if found.verdict == "better" and found.low > worth:
        return Challenge(found, "promote", f"the challenger is better by {numbers}")
    if found.high < worth or (found.low == found.high == 0.0 and found.n):
        return Challenge(found, "keep", f"the challenger is not better by what matters: {numbers}")
    return Challenge(found, "not yet", f"not decided on {found.n:,} rows: {numbers}")
