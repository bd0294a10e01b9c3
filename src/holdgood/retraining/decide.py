"""Retrain, do not, or not yet, with the reasons. Outcomes lead: an alarm without a loss is a scare, a loss is a loss without an alarm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from holdgood.core.declared_policy import PolicySpec
from holdgood.core.records import Alarm, Comparison, RetrainDecision
from holdgood.core.text import percent
from holdgood.retraining.fall import FEWEST_DAYS, WINDOWS
from holdgood.retraining.worth import Worth

Decision = Literal["retrain", "do not retrain", "not yet"]


@dataclass(frozen=True)
class Evidence:
    """What is known at one look.

    ``performance``: now (first) against what was promised for this season (second), positive where now is better; None
    while too few outcomes are in. ``new_rows``: labelled rows that the model has not learned from; ``learned_rows``: those
    that it has. ``age_days``: since the model was trained; ``calm_days``: since the last retraining or promotion.
    ``worth``: what retraining can win back, where costs are declared. ``in_shadow``: a challenger is being compared.
    ``known_days``: days with an outcome ``since`` (ISO) the model stands; ``promised_days``: days of the rows that say what is normal;
    ``left_out``: answers with an outcome from before then, that judge nothing; ``open_before``: alarms that are open and count no more, since
    they were last found before ``alarms_since`` (ISO).
    """

    alarms: Sequence[Alarm] = ()
    performance: Comparison | None = None
    new_rows: int = 0
    learned_rows: int = 0
    age_days: float = 0.0
    calm_days: float = float("inf")
    worth: Worth | None = None
    in_shadow: bool = False
    known_days: int = 0
    promised_days: int = 0
    since: str = ""
    left_out: int = 0
    open_before: int = 0
    alarms_since: str = ""


def decide(evidence: Evidence, policy: PolicySpec | None = None) -> RetrainDecision:
    """Weigh the evidence. Every reason that was looked at is told, also those that speak against."""
    rule = policy or PolicySpec()
    reasons = [_alarms_said(evidence), _performance_said(evidence, rule)]
    if evidence.left_out:
        reasons.append(
            f"{evidence.left_out:,} answers with an outcome are left out: they are from before it stands here (since {evidence.since[:16]})"
        )
    decision, why = _wanted(evidence, rule)
    reasons += why
    if decision == "retrain":
        held = _held_back(evidence, rule)
        if held:
            decision, reasons = "not yet", [*reasons, *held]
        else:
            reasons.append(f"{evidence.new_rows:,} new rows with an outcome are there to learn from")
    codes = tuple(dict.fromkeys(a.code for a in evidence.alarms))
    return RetrainDecision(decision=decision, reasons=tuple(reasons), alarms=codes)


def _wanted(evidence: Evidence, rule: PolicySpec) -> tuple[Decision, list[str]]:
    """What the evidence asks for, before anything holds it back."""
    measured = evidence.performance
    if measured is not None and has_fallen(measured, rule.smallest_fall):
        if evidence.worth is not None and not evidence.worth.pays:
            return "do not retrain", [f"a new model does not pay: {evidence.worth}"]
        return "retrain", [] if evidence.worth is None else [f"a new model can pay: {evidence.worth}"]
    due = _due(evidence, rule)
    if due:
        return "retrain", [due]
    if not evidence.alarms:
        return "do not retrain", ["a new model would be a change without a cause"]
    if rule.outcomes == "never" and any(a.severity == "high" for a in evidence.alarms):
        return "retrain", [
            "no outcome can come, so a loud alarm is the best evidence there is; the challenger must still win"
        ]
    if measured is None:
        return "not yet", ["outcomes will tell whether what has changed matters"]
    bound = max(0.0, -measured.low)
    return "do not retrain", [
        f"what the alarms saw has cost nothing that can be seen: outcomes allow a fall of at most {bound:.4g} {measured.unit}".rstrip()
    ]


def has_fallen(measured: Comparison, smallest_fall: float) -> bool:
    """A fall is proven, and it is larger than what does not matter."""
    return measured.verdict == "worse" and -measured.difference > smallest_fall


def _due(evidence: Evidence, rule: PolicySpec) -> str:
    """The calendar's or the volume's reason, empty where neither has one."""
    if rule.schedule_days is not None and evidence.age_days >= rule.schedule_days:
        return f"the model is {evidence.age_days:.0f} days old, and the policy retrains every {rule.schedule}"
    if rule.volume is not None and evidence.new_rows >= rule.volume * max(1, evidence.learned_rows):
        return f"{evidence.new_rows:,} new labelled rows are {rule.volume:g} times what the model learned from, or more"
    return ""


def _held_back(evidence: Evidence, rule: PolicySpec) -> list[str]:
    """Why not now, although there is a cause."""
    held = []
    if evidence.in_shadow:
        held.append("a challenger is in the shadow already; its test comes first")
    if evidence.calm_days < rule.days("cool_down"):
        held.append(f"the last change was {evidence.calm_days:.0f} days ago, and the policy waits {rule.cool_down}")
    if evidence.new_rows < rule.least_rows:
        held.append(
            f"{evidence.new_rows:,} new rows with an outcome are too few to learn from; {rule.least_rows:,} are asked for"
        )
    return held


def _alarms_said(evidence: Evidence) -> str:
    alarms = evidence.alarms
    loud = [a for a in alarms if a.severity == "high"]
    if not alarms and evidence.open_before:
        stands = evidence.alarms_since == evidence.since
        since = f"it stands here (since {evidence.since[:16]})" if stands else evidence.alarms_since[:16]
        n = evidence.open_before
        return (
            f"no alarm since {since}; {n:,} older one{'s are' if n > 1 else ' is'} still open (holdgood journal alarms)"
        )
    if not alarms:
        return "no alarm"
    subjects = ", ".join(dict.fromkeys(a.subject for a in list(loud or alarms)[:3]))
    return f"{len(alarms)} alarm{'s' if len(alarms) > 1 else ''}, {len(loud)} of them high ({subjects})"


def _performance_said(evidence: Evidence, rule: PolicySpec) -> str:
    performance = evidence.performance
    if performance is None:
        return _unknown(evidence)
    numbers = f"{performance.difference:+.4g} {performance.unit}".rstrip()
    span = f"{numbers} ({percent(performance.level, 1)}: {performance.low:.4g} to {performance.high:.4g}, n={performance.n:,})"
    against = f" against what was {performance.second}" if performance.second else ""
    if performance.verdict == "worse":
        small = -performance.difference <= rule.smallest_fall
        return f"performance has fallen{against}: {span}" + (", less than what matters" if small else "")
    if performance.verdict == "better":
        return f"performance has risen{against}: {span}"
    return f"a fall of performance is not proven{against}: {span}"


def _unknown(evidence: Evidence) -> str:
    """What there is, and what is needed: rows alone do not do, since days are what is compared."""
    spans = ", ".join(f"{w:g}" for w in WINDOWS)
    since = f" since {evidence.since[:16]}" if evidence.since else ""
    there = f"{evidence.new_rows:,} rows with an outcome, of {evidence.known_days} days{since}"
    needed = f"outcomes of {FEWEST_DAYS} days within the last {spans} days of use are needed"
    if evidence.known_days >= FEWEST_DAYS > evidence.promised_days:
        needed = f"what is normal is known of {evidence.promised_days} days only, and {FEWEST_DAYS} are needed"
    return f"performance is not known: too few outcomes have come in ({there}; {needed})"
