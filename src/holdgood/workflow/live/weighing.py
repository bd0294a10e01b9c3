"""What is known of a champion at one moment: outcomes against the promise, alarms, new rows, money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from holdgood.core.records import Alarm, Comparison, Promotion, RetrainDecision, Standing
from holdgood.core.task import Task
from holdgood.journal.outcomes import outcomes
from holdgood.metrics.cost import cost_rows, resolve
from holdgood.metrics.score import loss_rows
from holdgood.retraining import Evidence, Losses, Worth, performance, unexpected, worth
from holdgood.workflow.folder import Project
from holdgood.workflow.live.alarms import alarms_of
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.promised import held_out, run_of
from holdgood.workflow.live.told import DAY, Told, moment_of, told, us_of
from holdgood.workflow.predict import Predictor

ALARM_DAYS = 14
"""Alarms of the last two weeks count."""

FIRST_DAYS = 28
"""Where the run that made a bundle is not at hand, its first four weeks in use say what is normal."""


BEFORE_DAYS = 120
"""So far back a champion's answers in the shadow are looked for."""


@dataclass(frozen=True, eq=False)
class Seen:
    """The evidence, with the rows behind it: what the champion answered since it last went live, as known at the moment."""

    evidence: Evidence
    model: Predictor
    rows: Told


def gather(live: Live, model: str, champion: Standing, project: Project | None, now: datetime) -> Seen:
    """Read the journal as it was known at ``now`` (UTC)."""
    policy = live.settings.policy
    predictor = Predictor.load(live.bundle(champion.bundle_digest))
    since = moment_of(champion.since) - timedelta(days=BEFORE_DAYS)
    found = outcomes(live.journal, model, since, as_of=now)
    rows = told(found, predictor)
    mine = rows.where(rows.digest == champion.bundle_digest)
    # What it answered before it was replaced, and now stands again, was another time: that is over, and judges nobody.
    stands = mine.moment >= us_of(champion.since)
    answered = mine.where((mine.place != "shadow") & stands & (mine.moment < us_of(now)))
    settled = answered.where(answered.moment < us_of(now) - int(policy.days("label_delay") * DAY))
    promise = _promise(live, champion, project, mine, us_of(champion.since))
    learned = run_of(project, champion.run, champion.bundle_digest)
    kept = held_out(learned)
    until = int(kept.moment.max()) if kept is not None and len(kept.moment) else us_of(champion.since)
    measured = _performance(live, predictor, promise, settled, now, money=False)
    in_money = _performance(live, predictor, promise, settled, now, money=True)
    known = settled.where(np.isfinite(settled.y))
    standing = {s.place: s for s in live.standing(model)}
    alarms = _alarms(live, model, now, moment_of(champion.since))
    counted = {a.id for a in alarms}
    still = alarms_of(live.journal, model, until=now).alarms
    evidence = Evidence(
        alarms=alarms,
        performance=measured,
        new_rows=len(known),
        learned_rows=0 if learned is None else learned.split.development,
        age_days=(us_of(now) - until) / DAY,
        calm_days=_calm(live, model, now),
        worth=_worth(live, predictor, in_money, settled),
        in_shadow="shadow" in standing,
        known_days=_days(known),
        promised_days=_days(promise.where(np.isfinite(promise.y))),
        since=moment_of(champion.since).isoformat(),
        open_before=sum(s.alarm.id not in counted for s in still),
        alarms_since=max(moment_of(champion.since), now - timedelta(days=ALARM_DAYS)).isoformat(),
        left_out=int(((mine.place != "shadow") & ~stands & np.isfinite(mine.y)).sum()),
    )
    return Seen(evidence, predictor, answered)


def _days(rows: Told) -> int:
    return len(np.unique(np.floor(rows.days)))


def _promise(live: Live, champion: Standing, project: Project | None, mine: Told, since: int) -> Told:
    """Answers that say what is normal: rows held out when it was made, and those that it answered in the shadow before it went live."""
    before = mine.where((mine.place == "shadow") & (mine.moment < since))
    kept = held_out(run_of(project, champion.run, champion.bundle_digest))
    if kept is not None:
        blank = np.full(len(kept.y), "", object)
        return _joined(Told(blank, blank, blank, kept.moment, kept.prediction, kept.y), before)
    if len(before):
        return before
    return mine.where((mine.place != "shadow") & (mine.moment >= since) & (mine.moment < since + FIRST_DAYS * DAY))


def _joined(one: Told, two: Told) -> Told:
    if not len(two):
        return one
    return Told(*(np.concatenate([getattr(one, n), getattr(two, n)]) for n in vars(one)))


def _performance(
    live: Live, model: Predictor, promise: Told, rows: Told, now: datetime, *, money: bool
) -> Comparison | None:
    """Now against promised, of losses beyond what the model itself expects; or of money a row, None where none is declared."""
    policy, costs = live.settings.policy, model.declaration.costs
    if money and not (costs.declared and costs.function is None):
        return None
    reference, recent = (_losses(model, t, money) for t in (promise, rows))
    if not len(reference.days):
        return None
    end = us_of(now) / DAY - policy.days("label_delay")
    unit = (costs.currency if money else _unit(model.task)) + " a row"
    seasonal = policy.season == "year"
    return performance(reference, recent, end, false_a_year=policy.false_a_year, seasonal=seasonal, unit=unit)


def _losses(model: Predictor, rows: Told, money: bool) -> Losses:
    known = rows.where(np.isfinite(rows.y))
    if not len(known):
        return Losses(np.zeros(0), np.zeros(0))
    if money:
        table = resolve(model.declaration.costs, model.task, model.class_weight, model.average_costs)
        return Losses(known.days, cost_rows(table, known.y, model.codes(known.prediction)))
    loss = loss_rows(model.task, known.y, known.prediction)
    return Losses(known.days, unexpected(model.task, known.prediction, loss))


def _unit(task: Task) -> str:
    return "squared error" if task.kind == "regression" else "nats"


def _worth(live: Live, model: Predictor, fall: Comparison | None, rows: Told) -> Worth | None:
    policy = live.settings.policy
    if fall is None or len(rows) < 2:
        return None
    a_day = len(rows) / max(1.0, float(rows.days.max() - rows.days.min()))
    coming = a_day * policy.days("horizon")
    at_risk = float(policy.probation_rows or coming)
    currency = model.declaration.costs.currency
    return worth(fall, rows=coming, cost=policy.cost, error=policy.error, at_risk=at_risk, currency=currency)


def _alarms(live: Live, model: str, now: datetime, stands: datetime) -> tuple[Alarm, ...]:
    """The newest word of each alarm that was told lately, of the one that ``stands`` since then: its forerunner's are not about it."""
    since = now - timedelta(days=ALARM_DAYS)
    newest = {}
    for entry, alarm in live.journal.read(Alarm, model=model):
        when = moment_of(alarm.ends or entry.moment)
        if since <= when <= now and when > stands:
            newest[alarm.id or (alarm.code, alarm.subject)] = alarm
    return tuple(newest.values())


def _calm(live: Live, model: str, now: datetime) -> float:
    """Days since somebody last decided to retrain, or put another champion in place (the first one is no change)."""
    moments = [
        moment_of(d.as_of)
        for _, d in live.journal.read(RetrainDecision, model=model)
        if d.decision == "retrain" and d.as_of
    ]
    moments += [
        moment_of(e.moment)
        for e, p in live.journal.read(Promotion, model=model)
        if p.place == "champion" and p.replaces
    ]
    past = [(now - m).total_seconds() / 86400.0 for m in moments if m <= now]
    return min(past, default=float("inf"))
