"""What a champion answered and what came of it, from the journal, and what its bundle promised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from holdgood.core.records import AnswerOverride, FairnessReport, Interval, Standing
from holdgood.core.records.envelope import unwrap
from holdgood.core.task import Task
from holdgood.core.traffic import Promised, Traffic
from holdgood.features.usual import Usual
from holdgood.journal.outcomes import Outcomes, outcomes
from holdgood.metrics.cost import CostTable, cost_rows, resolve
from holdgood.metrics.interval import mean_interval
from holdgood.metrics.score import loss_rows
from holdgood.monitoring.censoring import known_in_full
from holdgood.monitoring.mon009_fairness import SELECTED, WORDS
from holdgood.workflow.live.folder import Live
from holdgood.workflow.live.told import DAY, coded, predictions, us_of
from holdgood.workflow.predict import Predictor


@dataclass(frozen=True, eq=False)
class Gathered:
    """Traffic with what it was made of: ``prediction`` (n,) or (n, classes), NaN where a row was refused; ``facts`` (n,) dictionaries or None.

    Of the days of one look: ``by_others``, answers that another model than this champion gave; ``before``, its own from before it was restored.
    """

    traffic: Traffic
    prediction: np.ndarray
    facts: np.ndarray
    by_others: int = 0
    before: int = 0


def gather(
    live: Live, model: str, champion: Standing, predictor: Predictor, usual: Usual | None, fairness: FairnessReport | None, ends: datetime
) -> Gathered:  # fmt: skip
    """Everything that this champion answered (not in the shadow) before ``ends``, as known then.

    One that was restored is watched from then on: what it answered before it was replaced is over, and was told at its time.
    """
    digest = champion.bundle_digest
    spec = live.settings.watch
    found = outcomes(live.journal, model, ends - timedelta(days=spec.history_days), ends, as_of=ends)
    every = found.where(found.place != "shadow")
    feeds = _feeds(every, spec.feeds)
    when = every.event_time.astype("datetime64[us]").astype(np.int64)
    own = every.digest == digest
    mine = own & (when >= us_of(champion.since)) if champion.action == "roll back" else own
    lately = when >= us_of(ends) - round(spec.days * DAY)
    rows = every.where(mine)
    task = predictor.task
    answered = np.array([bool(a) for a in rows.answer], bool) & (rows.verdict != "refused")
    shape = (len(rows), task.n_classes) if task.kind == "multiclass" else (len(rows),)
    prediction = np.full(shape, np.nan)
    if answered.any():
        prediction[answered] = predictions(list(rows.answer[answered]), task)
    settled = rows.labelled & rows.final & ~rows.censored
    y = np.full(len(rows), np.nan)
    if settled.any():
        y[settled] = coded(list(rows.label[settled]), predictor)
    judged = answered & np.isfinite(y)
    amount, bounded = _bounds(rows, y, answered) if task.kind == "regression" else (y, np.zeros(len(rows), bool))
    money = _money(predictor)
    loss, saved = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    codes = np.full(len(rows), np.nan)
    if answered.any():
        codes[answered] = predictor.codes(prediction[answered])
    constant = _constant(predictor, money, usual)
    if judged.any():
        loss[judged] = loss_rows(task, y[judged], prediction[judged])
        if money is not None and constant is not None:
            saved[judged] = saved_rows(money, y[judged], codes[judged], constant)
    acted = (codes == 1).astype(np.float64) if task.kind == "binary" else np.full(len(rows), np.nan)
    overruled = {o.prediction for _, o in live.journal.read(AnswerOverride, model=model)}
    traffic = Traffic(
        model=model,
        bundle_digest=digest,
        as_of=us_of(ends),
        when=rows.event_time.astype("datetime64[us]").astype(np.int64),
        score=prediction if prediction.ndim == 1 else prediction.max(axis=1),
        acted=acted,
        warned=rows.verdict == "warn",
        refused=rows.verdict == "refused",
        overridden=np.array([i in overruled for i in rows.id], bool),
        labelled=judged,
        censored=bounded,
        delay=np.where(judged | bounded, rows.delay / 86_400.0, np.nan),
        loss=loss,
        saved=saved,
        loss_if=_loss_if(task, prediction),
        in_full=known_in_full(amount, bounded) if bounded.any() else None,
        groups={g: _fact(rows, g) for g in spec.groups or predictor.declaration.fairness.groups if "." not in g},
        fair=_fair(task, fairness, acted, y, codes, judged),
        promised=promised(predictor, usual, fairness, money, constant),
        feeds=feeds,
    )
    return Gathered(traffic, prediction, rows.facts, int((lately & ~own).sum()), int((lately & own & ~mine).sum()))


def promised(
    predictor: Predictor, usual: Usual | None, fairness: FairnessReport | None, money: CostTable | None, constant: float | None
) -> Promised:  # fmt: skip
    """What the rows that judged the model said."""
    gaps: dict[str, dict[str, Interval]] = {}
    for report in fairness.attributes if fairness else ():
        for gap in report.gaps:
            gaps.setdefault(gap.measure, {})[report.attribute] = gap.largest
    if usual is None or not usual.held.any():
        return Promised(gaps=gaps)
    task, held = predictor.task, usual.held
    y, prediction = usual.outcome[held], usual.prediction[held]
    loss = mean_interval(loss_rows(task, y, prediction))
    saved: Interval | None = None
    if money is not None and constant is not None:
        saved = mean_interval(saved_rows(money, y, predictor.codes(prediction), constant))
    return Promised(
        metric="log loss" if task.kind != "regression" else "squared error",
        loss=loss,
        saved=saved,
        against="the best answer that is the same for all",
        currency="" if money is None else money.currency,
        pairs=_pairs(task, usual),
        gaps=gaps,
    )


def _pairs(task: Task, usual: Usual) -> np.ndarray | None:
    if task.kind == "binary":
        return np.stack([usual.prediction, usual.outcome], axis=1)
    if len(usual.expected) == 0:
        return None
    return np.stack([usual.expected, loss_rows(task, usual.outcome, usual.prediction)], axis=1)


def saved_rows(money: CostTable, y: np.ndarray, answer: np.ndarray, constant: float) -> np.ndarray:
    """Money saved a row (n,), against one answer for all."""
    return cost_rows(money, y, np.full(len(y), constant)) - cost_rows(money, y, answer)


def _money(predictor: Predictor) -> CostTable | None:
    costs = predictor.declaration.costs
    if not costs.declared or costs.function is not None:
        return None
    return resolve(costs, predictor.task, predictor.class_weight, predictor.average_costs)


def _constant(predictor: Predictor, money: CostTable | None, usual: Usual | None) -> float | None:
    """The one answer for all that costs least on the rows that judged."""
    if money is None or usual is None or not usual.held.any():
        return None
    y = usual.outcome[usual.held]
    options = (
        np.quantile(y, np.linspace(0.05, 0.95, 19))
        if predictor.task.kind == "regression"
        else np.arange(predictor.task.n_classes)
    )
    return float(min(options, key=lambda c: float(cost_rows(money, y, np.full(len(y), float(c))).mean())))


def _bounds(rows: Outcomes, y: np.ndarray, answered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes or lower bounds (n,), and which rows have only a bound. Of classes a bound says nothing, nor does one that is no number."""
    amount, bounded = np.where(answered, y, np.nan), np.zeros(len(rows), bool)
    for i in np.flatnonzero(answered & rows.labelled & rows.censored):
        said = rows.label[i]
        if isinstance(said, int | float) and not isinstance(said, bool) and math.isfinite(said):
            amount[i], bounded[i] = said, True
    return amount, bounded


def _fair(
    task: Task, fairness: FairnessReport | None, acted: np.ndarray, y: np.ndarray, codes: np.ndarray, judged: np.ndarray
) -> dict[str, np.ndarray]:
    """What is compared between groups, (n,) each: answers that ask to act and, of rows whose outcome is known, what fairness was judged by.

    Amounts are judged by a mean that is no share: of them nothing is compared.
    """
    if task.kind == "regression":
        return {}
    of = {SELECTED: acted} if task.kind == "binary" else {}
    measure = fairness.measure if fairness else ""
    if measure not in WORDS or measure == SELECTED:
        return of
    said = np.full(len(y), np.nan)
    rows = judged & {"true_positive_rate": y == 1, "false_positive_rate": y == 0}.get(measure, judged)
    right = (codes[rows] == y[rows]).astype(np.float64)
    said[rows] = {"accuracy": right, "error": 1.0 - right}.get(measure, acted[rows])
    return of | {measure: said}


def _loss_if(task: Task, prediction: np.ndarray) -> np.ndarray:
    out = np.full((len(prediction), 2), np.nan)
    if task.kind == "binary":
        told = np.isfinite(prediction)
        for outcome in (0, 1):
            out[told, outcome] = loss_rows(task, np.full(int(told.sum()), float(outcome)), prediction[told])
    return out


def _fact(rows: Outcomes, name: str) -> np.ndarray:
    values = [None if f is None else f.get(name) for f in rows.facts]
    return np.array([None if v is None else str(v) for v in values] + [None], object)[:-1]


def _feeds(rows: Outcomes, columns: list[str]) -> dict[str, np.ndarray]:
    """When things arrived, sorted: answers, outcomes, and rows of each value of some columns."""
    when = rows.event_time.astype("datetime64[us]").astype(np.int64)
    known = rows.label_known[rows.labelled].astype("datetime64[us]").astype(np.int64)
    found = {"rows to answer": when, "outcomes": np.sort(known)}
    for column in columns:
        values = _fact(rows, column)
        for value in sorted({v for v in values if v is not None}):
            found[f"rows with {column} = {value}"] = when[values == value]
    return found


def fairness_of(records: dict[str, dict[str, object]]) -> FairnessReport | None:
    """The report in a bundle, if there is one."""
    kept = records.get("fairness")
    return None if kept is None else unwrap(kept, FairnessReport, where="fairness.json")
