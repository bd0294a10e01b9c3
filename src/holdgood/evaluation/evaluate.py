"""Evaluate: one opening of the sealed holdout, everything it says in one record. Nothing here is tuned."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from holdgood.core.declaration import Costs
from holdgood.core.errors import DataError
from holdgood.core.records import Comparison, Confusion, Evaluation, Importance, Interval, Slice, Threshold
from holdgood.core.task import Task
from holdgood.evaluation import money
from holdgood.evaluation.calibration import calibration
from holdgood.evaluation.capacity import limited
from holdgood.evaluation.curves import curves
from holdgood.evaluation.headline import at_quantiles, at_threshold, below, coverage, inside, measure
from holdgood.metrics.capacity import capped, day_of, reachable
from holdgood.metrics.compare import paired
from holdgood.metrics.cost import CostTable, answers, bayes_threshold, resolve
from holdgood.metrics.interval import weighted
from holdgood.metrics.score import Metric, loss_rows
from holdgood.metrics.units import resampling_units

WORN_AFTER = 5
"""Openings after which the headline is marked as worn."""

FEW_ROWS = 30
MOST_CLASSES_SHOWN = 40
UNSEEN = "(never seen in development)"


def evaluate(
    task: Task,
    y: np.ndarray,
    prediction: np.ndarray,
    *,
    prior: np.ndarray,
    simple: np.ndarray | None = None,
    simple_name: str = "the simplest rule",
    costs: Costs | None = None,
    table: CostTable | None = None,
    spend: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    metric: Metric | None = None,
    threshold: float = math.nan,
    threshold_low: float = math.nan,
    threshold_high: float = math.nan,
    threshold_flat: tuple[float, float] = (math.nan, math.nan),
    simple_threshold: float = math.nan,
    answer: np.ndarray | None = None,
    simple_answer: np.ndarray | None = None,
    prior_answer: np.ndarray | None = None,
    interval: tuple[float, np.ndarray, np.ndarray] | None = None,
    quantiles: tuple[tuple[float, ...], np.ndarray] | None = None,
    judged_on: str = "the sealed holdout",
    weight: np.ndarray | None = None,
    class_weight: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
    time: np.ndarray | None = None,
    months: float | None = None,
    openings: int = 1,
    tuned_on: str = "out-of-fold development rows",
    name: str = "the model",
    importance: tuple[Importance, ...] = (),
    slices: tuple[Slice, ...] = (),
    notes: tuple[str, ...] = (),
    seed: int = 0,
) -> Evaluation:
    """Judge predictions on holdout rows.

    ``y`` (n,) coded as in Task; codes outside the task's classes are classes that development never saw: no chance was
    given to them and they are charged the full loss. ``prediction``, ``prior`` and ``simple``: predictions of the same
    rows, shapes as in Task. ``threshold`` with ``threshold_low`` and ``threshold_high`` was chosen on out-of-fold
    development predictions (binary; NaN: the Bayes threshold of the costs),
    where those of ``threshold_flat`` earn nearly as much. ``simple_threshold``: the simple rule's,
    chosen in the same way; a binary task with ``simple`` wants it, because a rule that may not choose its threshold is
    no fair opponent. NaN: the simple rule acts at the threshold that the model acts at, and a note says so.
    ``weight`` (n,), above zero: how much a row counts in metrics, comparisons and money; only ratios matter.
    ``class_weight`` (k,) multiplies it in metrics and comparisons, never in money. Calibration, curves and counts are of
    rows as they are.
    ``answer``, ``simple_answer`` and ``prior_answer`` (n,): what was answered, where that is not said by one threshold
    (outer folds; amounts that cost least). ``interval``: level, lower and upper ends of each row's interval; ``quantiles``: levels
    and each row's quantiles, (n, levels).
    ``table``: the costs as settled on development rows (default: from ``costs``); ``spend``: what answers cost on rows by
    position, where a function of the user's own says it. Where the costs have a capacity a day, at most so many rows of a day of ``time``
    are acted on, by the model and by what it is compared with, those of largest stated gain first.
    ``metric``: the one that was chosen by, where it is the user's own.
    ``clusters`` (n,): rows that belong together; ``time`` (n,) microseconds: else blocks of days. ``months``: length of
    the holdout. ``openings``: how often it was opened, this time included.

    Raises DataError for no rows, for arrays that do not fit together and for predictions that are not numbers.
    """
    _check(task, y, {name: prediction, "the prior": prior} | ({} if simple is None else {simple_name: simple}))
    y, said = _coded(task, y)
    units, how = resampling_units(clusters, time)
    table = table or resolve(costs or Costs(), task, class_weight)
    own = metric if metric is not None and metric.own else None
    if task.kind == "binary" and math.isnan(threshold):
        threshold = bayes_threshold(table)
        said.append("No threshold was chosen on development rows; the Bayes threshold is used.")
    if task.kind == "binary" and simple is not None and simple_answer is None and math.isnan(simple_threshold):
        simple_threshold = threshold
        said.append(f"No threshold was chosen for {simple_name}; it acts at the model's, {threshold:.3g}.")
    if answer is None:
        answer = answers(table, prediction, threshold)
    if simple is not None and simple_answer is None:
        simple_answer = answers(table, simple, simple_threshold)
    day = None if table.capacity is None else day_of(time, table.capacity)
    limit = None if day is None else limited(table, prediction, answer, day)
    if day is not None:
        answer = capped(table, prediction, answer, day)
        if simple is not None and simple_answer is not None:
            simple_answer = capped(table, simple, simple_answer, day)
    counted = _weight(y, weight, class_weight)
    if counted is not None:
        said.append("Metrics and comparisons are of weighted rows; calibration and counts of rows as they are.")
    metrics = measure(task, y, prediction, units, counted, own)
    if task.kind == "binary":
        metrics |= at_threshold(y, answer, units, counted)
    if interval is not None:
        metrics |= coverage(y, *interval)
        said.append(inside(metrics, interval[0]))
    if quantiles is not None:
        metrics |= at_quantiles(y, *quantiles, units, counted)
        said.append(below(metrics, quantiles[0]))
    baselines = {"prior": measure(task, y, prior, units, counted, own)}
    if simple is not None:
        baselines[simple_name] = measure(task, y, simple, units, counted, own)
    over = money.period(table, len(y), time, months, judged_on)
    worth = money.value(
        task, y, prediction, answer, prior=prior, simple_answer=simple_answer, simple_name=simple_name, table=table,
        costs=costs or Costs(), over=over, clusters=units, name=name, weight=weight, spend=spend, prior_answer=prior_answer,
        day=day,
    )  # fmt: skip
    return Evaluation(
        rows=len(y),
        metric=task.metric if metric is None else metric.name,
        metrics=metrics,
        baselines=baselines,
        against_prior=_against(task, y, prediction, prior, name, "the prior", units, counted),
        against_simple=None
        if simple is None
        else _against(task, y, prediction, simple, name, simple_name, units, counted),
        calibration=calibration(task, y, prediction, units, seed),
        threshold=_threshold(task, threshold, threshold_low, threshold_high, threshold_flat, tuned_on),
        capacity=limit,
        confusion=_confusion(task, y, answer),
        curves=curves(
            task,
            y,
            prediction,
            table,
            threshold,
            over.scale,
            over.unit,
            acting=None if day is None else reachable(table, prediction, day),
        ),
        money=worth.money,
        money_against=worth.against,
        break_even_ratio=worth.break_even,
        money_sentence=worth.sentence,
        importance=importance,
        slices=slices,
        tuned_on=tuned_on,
        openings=openings,
        worn=openings > WORN_AFTER,
        notes=(*said, *_warnings(task, y, metrics), f"Intervals: {how}.", *notes),
    )


def _weight(y: np.ndarray, weight: np.ndarray | None, class_weight: np.ndarray | None) -> np.ndarray | None:
    """How much each row counts in scores; a class that development never saw counts 1."""
    if class_weight is None:
        return weight
    of_class = np.append(class_weight, 1.0)[np.minimum(y.astype(np.int64), len(class_weight))]
    return of_class if weight is None else of_class * weight


def _check(task: Task, y: np.ndarray, predictions: dict[str, np.ndarray]) -> None:
    if len(y) == 0:
        raise DataError(
            "a holdout of no rows", "at least one row with an outcome", "change holdout or cutoff under [split]"
        )
    missing = int(np.sum(~np.isfinite(y)))
    if missing:
        raise DataError(f"{missing:,} holdout rows without an outcome", "outcomes in every row", "leave those rows out")
    shape = (len(y), task.n_classes) if task.kind == "multiclass" else (len(y),)
    for who, values in predictions.items():
        if values.shape != shape:
            raise DataError(f"predictions of {who} of shape {values.shape}", f"shape {shape}", "score the same rows")
        if not np.all(np.isfinite(values)):
            raise DataError(
                f"predictions of {who} that are not numbers", "finite numbers", "refit: it did not converge"
            )


def _coded(task: Task, y: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Codes with every unseen class as one code behind the known ones, and what to say about it."""
    y = np.asarray(y, np.float64)
    if task.kind == "regression":
        return y, []
    known = np.isin(y, np.arange(task.n_classes))
    unseen = int(np.sum(~known))
    if not unseen:
        return y, []
    rows = f"{unseen:,} holdout row{'s' if unseen > 1 else ''}"
    if task.kind == "binary":
        said = f"{rows} hold a class never seen in development; counted as not {task.positive}."
        return np.where(known, y, 0.0), [said]
    said = f"{rows} hold a class never seen in development; it was given no chance and is charged the full loss."
    return np.where(known, y, float(task.n_classes)), [said]


def _against(
    task: Task,
    y: np.ndarray,
    prediction: np.ndarray,
    other: np.ndarray,
    name: str,
    second: str,
    units: np.ndarray | None,
    weight: np.ndarray | None,
) -> Comparison:
    unit = "squared error a row" if task.kind == "regression" else "log loss a row"
    mine, theirs = (weighted(loss_rows(task, y, p), weight) for p in (prediction, other))
    return paired(mine, theirs, first=name, second=second, clusters=units, unit=unit)


def _threshold(
    task: Task, value: float, low: float, high: float, flat: tuple[float, float], chosen_on: str
) -> Threshold | None:
    if task.kind != "binary":
        return None
    span = f" (95%: {low:.3g} to {high:.3g})" if math.isfinite(low) and math.isfinite(high) else ""
    sentence = f"Acts from a stated chance of {value:.3g}{span}, chosen on {chosen_on}, used as it is on the holdout."
    if math.isfinite(flat[0]) and math.isfinite(flat[1]):
        sentence += f" From {flat[0]:.3g} to {flat[1]:.3g} it would have saved within 1% of the best there."
    return Threshold(
        value=value, low=low, high=high, flat_low=flat[0], flat_high=flat[1], chosen_on=chosen_on, sentence=sentence
    )


def _confusion(task: Task, y: np.ndarray, answer: np.ndarray) -> Confusion | None:
    if task.kind == "regression" or task.n_classes > MOST_CLASSES_SHOWN:
        return None
    labels = [str(c) for c in task.classes]
    k = task.n_classes + int(np.any(y >= task.n_classes))
    labels += [UNSEEN] * (k - task.n_classes)
    counts = np.bincount(y.astype(np.int64) * k + answer.astype(np.int64), minlength=k * k).reshape(k, k)
    return Confusion(labels=tuple(labels), counts=tuple(tuple(int(c) for c in row) for row in counts))


def _warnings(task: Task, y: np.ndarray, metrics: dict[str, Interval]) -> list[str]:
    """What a reader should know before believing a number."""
    said = []
    if task.kind == "regression":
        return ["Every holdout row has the same outcome; nothing can be explained."] if np.ptp(y) == 0 else []
    counts = np.bincount(y.astype(np.int64), minlength=task.n_classes)[: task.n_classes]
    if np.sum(counts > 0) < 2:
        said.append("The holdout holds one class only; what compares classes has no value.")
    for label, count in zip(task.classes, counts, strict=True):
        if task.kind == "binary" and 0 < count < FEW_ROWS:
            said.append(f"Only {count:,} holdout rows of class {label}: what is said of it is rough.")
    nothing = [name.replace("_", " ") for name, found in metrics.items() if math.isnan(found.value)]
    if nothing:
        said.append(f"No value could be computed for {', '.join(nothing)}.")
    return said
