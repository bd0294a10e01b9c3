"""Rebalance or collect more? On demand: nothing is resampled, and what weighting rare classes costs is shown beside what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from holdgood.core.chain import Chain
from holdgood.core.errors import DataError
from holdgood.core.frame import Frame
from holdgood.core.protocols import FitContext
from holdgood.core.records import ClassShare, Interval, MoreRows, Rebalance
from holdgood.core.task import Task
from holdgood.metrics import holm, paired
from holdgood.metrics.compare import verdict
from holdgood.metrics.error import log_loss_rows
from holdgood.metrics.learning_curve import bought
from holdgood.metrics.units import resampling_units
from holdgood.workflow.effect import LEARNER, ROUNDS, Bench
from holdgood.workflow.folder import Project
from holdgood.workflow.rebalance_words import sentences
from holdgood.workflow.weights import class_weights

SHARES = (0.3, 0.45, 0.65, 1.0)
TIMES = (2.0, 4.0)
FEWEST = 20


def rebalance(project: Project, *, sources: Mapping[str, Any] | None = None, learner: str = LEARNER) -> Rebalance:
    """Compare a learner with and without balanced class weights, and extrapolate its learning curve.

    The same folds of the same development rows as repairs are compared on; the holdout is not looked at. Of several
    classes the rarest that has 20 rows is spoken of first. DataError for a task without classes, or fewer than 20 rows of
    the rarer of two, or of all classes but one.
    """
    bench = Bench(project, sources or {}, learner)
    if bench.task.kind == "regression":
        raise DataError(
            f"rebalancing a {bench.task.kind} task",
            "classes",
            "amounts have no classes to balance: weigh rows with task.weight",
        )
    counts = np.bincount(bench.y.astype(np.int64), minlength=len(bench.task.classes))
    rare = _rare(bench.task, counts)
    rows, label = int(counts[rare]), str(bench.task.classes[rare])
    frame, _ = bench.frame(bench.base)
    weight = class_weights("balanced", bench.task, bench.y)
    assert weight is not None
    curve = [_out_of_fold(bench, frame, share, None) for share in SHARES]
    plain, even = curve[-1], _out_of_fold(bench, frame, 1.0, weight[bench.y.astype(np.int64)])
    judged = np.flatnonzero(~np.isnan(plain.reshape(len(plain), -1)).any(axis=1))
    # answers of several classes undo the weights, as those of a delivered model do; of two, each threshold is chosen anew
    tilted = None if bench.costs is None or bench.task.kind == "binary" else replace(bench.costs, tilt=weight)
    loss, money = bench.compare("balanced weights", even, plain, tilted)
    y, units = bench.y[judged], _units(bench, judged)
    losses = np.array([log_loss_rows(y, p[judged]) for p in curve])
    sizes = np.array([max(1, round(share * rows)) for share in SHARES])
    gains = bought(sizes.astype(float), losses, TIMES, units, bench.seed)
    earned: list[Interval | None] = [None] * len(TIMES)
    if bench.costs is not None:
        spent = np.array([bench.spent(p, judged) for p in curve])
        earned = [*bought(sizes.astype(float), spent, TIMES, units, bench.seed)]
    more = tuple(
        MoreRows(rare_rows=round((t - 1) * rows), gain=g, money=m) for t, g, m in zip(TIMES, gains, earned, strict=True)
    )
    level = paired(losses[-1], losses[0], first=f"{rows} rows", second=f"{sizes[0]} rows", clusters=units)
    classes = _classes(bench.task, counts, y, plain[judged], even[judged], units)
    own = classes[rare]
    return Rebalance(
        label=label, rare_rows=rows, rows=len(bench.y), loss=loss, money=money, observed=own.observed, stated=own.stated,
        stated_weighted=own.stated_weighted, sizes=tuple(int(s) for s in sizes), losses=tuple(float(v) for v in losses.mean(axis=1)),
        more=more, classes=classes, learner=bench.candidate.name, folds=len(bench.folds),
        sentences=sentences(classes, rare, loss, money, more, level, bench.declared.costs.currency),
    )  # fmt: skip


def _rare(task: Task, counts: np.ndarray) -> int:
    """The code of the class to speak of: the rarer of two, or the rarest of several that has rows enough."""
    enough = np.flatnonzero(counts >= FEWEST)
    if len(enough) < 2:
        rarer = int(np.argmin(counts)) if len(counts) == 2 else int(np.argsort(counts, kind="stable")[-2])
        raise DataError(
            f"{counts[rarer]} rows of class {task.classes[rarer]}"
            + ("" if len(counts) == 2 else ", the second largest of all"),
            f"at least {FEWEST}",
            "collect more: nothing can be compared yet",
        )
    return int(enough[np.argmin(counts[enough])])


def _classes(
    task: Task, counts: np.ndarray, y: np.ndarray, plain: np.ndarray, even: np.ndarray, units: np.ndarray | None
) -> tuple[ClassShare, ...]:
    """What two models, (n,) or (n, k), state of each class, and what one gains on its own rows; verdicts hold over all of them."""
    before, after = log_loss_rows(y, plain), log_loss_rows(y, even)
    found = []
    for code, label in enumerate(task.classes):
        mine = np.flatnonzero(y == code)
        stated, weighted = (float(np.mean(_chances(p, code))) for p in (plain, even))
        together = None if units is None else units[mine]
        gain = paired(
            after[mine], before[mine], first="balanced weights", second="without", clusters=together, unit="log loss"
        )
        found.append(
            ClassShare(
                label=str(label), rows=int(counts[code]), observed=len(mine) / max(1, len(y)), stated=stated,
                stated_weighted=weighted, loss=gain if len(mine) >= FEWEST else None,
            )
        )  # fmt: skip
    gains = {i: c.loss for i, c in enumerate(found) if c.loss is not None}
    for (i, gain), p in zip(gains.items(), holm([g.p for g in gains.values()]), strict=True):
        told = gain.model_copy(update={"p": float(p), "verdict": verdict(gain.difference, float(p), gain.level)})
        found[i] = found[i].model_copy(update={"loss": told})
    return tuple(found)


def _chances(prediction: np.ndarray, code: int) -> np.ndarray:
    """What is stated of one class, (n,)."""
    if prediction.ndim == 2:
        column: np.ndarray = prediction[:, code]
        return column
    return prediction if code == 1 else 1.0 - prediction


def _out_of_fold(bench: Bench, frame: Frame, share: float, weight: np.ndarray | None) -> np.ndarray:
    """Predictions, (n,) or (n, k), from a share of each fold's training rows, drawn by class; NaN for rows that nobody predicted."""
    k = len(bench.task.classes)
    out = np.full((len(bench.y), k) if bench.task.kind == "multiclass" else len(bench.y), np.nan)
    for number, (train, valid) in enumerate(bench.folds):
        rng = np.random.default_rng([bench.seed, 31, number])
        # nested draws: a larger share holds the smaller one, so that the curve is paired
        own = [rng.permutation(train[bench.y[train] == code]) for code in range(k)]
        mine = np.sort(np.concatenate([rows[: max(1, round(share * len(rows)))] for rows in own]))
        context = FitContext(
            bench.task, seed=bench.seed, rounds=ROUNDS, groups=None if bench.groups is None else bench.groups[mine]
        )
        counts = None if weight is None else weight[mine]
        chain = Chain.of(bench.candidate).fit(frame.take(mine), bench.y[mine], counts, context)
        out[valid] = chain.predict(frame.take(valid))
    return out


def _units(bench: Bench, rows: np.ndarray) -> np.ndarray | None:
    groups, time = (None if v is None else v[rows] for v in (bench.groups, bench.time))
    return resampling_units(groups, time)[0]
