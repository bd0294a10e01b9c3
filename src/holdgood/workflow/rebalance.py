"""Rebalance or collect more? On demand: nothing is resampled, and what weighting a rare class costs is shown beside what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from holdgood.core.chain import Chain
from holdgood.core.errors import DataError
from holdgood.core.frame import Frame
from holdgood.core.protocols import FitContext
from holdgood.core.records import Comparison, Interval, MoreRows, Rebalance
from holdgood.metrics import paired
from holdgood.metrics.error import log_loss_rows
from holdgood.metrics.learning_curve import bought
from holdgood.metrics.units import resampling_units
from holdgood.workflow.effect import LEARNER, ROUNDS, Bench
from holdgood.workflow.folder import Project
from holdgood.workflow.weights import class_weights

SHARES = (0.3, 0.45, 0.65, 1.0)
TIMES = (2.0, 4.0)
FEWEST = 20


def rebalance(project: Project, *, sources: Mapping[str, Any] | None = None, learner: str = LEARNER) -> Rebalance:
    """Compare a learner with and without balanced class weights, and extrapolate its learning curve.

    The same folds of the same development rows as repairs are compared on; the holdout is not looked at. DataError for a
    task without two classes, or fewer than 20 rows of the rarer one.
    """
    bench = Bench(project, sources or {}, learner)
    if bench.task.kind != "binary":
        raise DataError(f"rebalancing a {bench.task.kind} task", "two classes", "see AUD042 in the audit for several")
    rare = int(np.argmin(np.bincount(bench.y.astype(np.int64), minlength=2)))
    rows, label = int(np.sum(bench.y == rare)), str(bench.task.classes[rare])
    if rows < FEWEST:
        raise DataError(
            f"{rows} rows of class {label}", f"at least {FEWEST}", "collect more: nothing can be compared yet"
        )
    frame, _ = bench.frame(bench.base)
    weight = class_weights("balanced", bench.task, bench.y)
    assert weight is not None
    curve = [_out_of_fold(bench, frame, share, None) for share in SHARES]
    plain, even = curve[-1], _out_of_fold(bench, frame, 1.0, weight[bench.y.astype(np.int64)])
    judged = np.flatnonzero(~np.isnan(plain))
    loss, money = bench.compare("balanced weights", even, plain)
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
    stated, weighted = (float(np.mean(p[judged] if rare == 1 else 1.0 - p[judged])) for p in (plain, even))
    observed = float(np.mean(y == rare))
    level = paired(losses[-1], losses[0], first=f"{rows} rows", second=f"{sizes[0]} rows", clusters=units)
    return Rebalance(
        label=label, rare_rows=rows, rows=len(bench.y), loss=loss, money=money, observed=observed, stated=stated,
        stated_weighted=weighted, sizes=tuple(int(s) for s in sizes), losses=tuple(float(v) for v in losses.mean(axis=1)),
        more=more, learner=bench.candidate.name, folds=len(bench.folds),
        sentences=_sentences(label, rows, loss, money, (observed, stated, weighted), more, level, bench.declared.costs.currency),
    )  # fmt: skip


def _out_of_fold(bench: Bench, frame: Frame, share: float, weight: np.ndarray | None) -> np.ndarray:
    """Predictions (n,) from a share of each fold's training rows, drawn by class; NaN for rows that nobody predicted."""
    out = np.full(len(bench.y), np.nan)
    for number, (train, valid) in enumerate(bench.folds):
        rng = np.random.default_rng([bench.seed, 31, number])
        # nested draws: a larger share holds the smaller one, so that the curve is paired
        own = [rng.permutation(train[bench.y[train] == code]) for code in (0.0, 1.0)]
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


def _span(value: float, low: float, high: float) -> str:
    return f"{value:.3g} (95%: {low:.3g} to {high:.3g})"


def _sentences(
    label: str, rows: int, loss: Comparison, money: Comparison | None, stated: tuple[float, float, float],
    more: tuple[MoreRows, ...], level: Comparison, currency: str,
) -> tuple[str, ...]:  # fmt: skip
    verdict = {"better": "proven better", "worse": "proven worse"}.get(loss.verdict, "no proven difference")
    unit = f"{currency} a row".strip()
    said = [
        f"Weighting class {label} up to balance: log loss {_span(loss.difference, loss.low, loss.high)} gained, {verdict}. "
        f"It would state {stated[2]:.1%} on average where {stated[0]:.1%} happened; without weights {stated[1]:.1%}."
    ]
    if money is None:
        said.append("No costs are declared: what it would change in money is not known.")
    else:
        proven = "not proven" if money.verdict == "not proven" else money.verdict
        span = _span(money.difference, money.low, money.high)
        said.append(f"In money, each at its own threshold: {span} {unit} gained, {proven}.")
    if level.verdict != "better":
        said.append("The learning curve is not proven to fall: more rows of the same kind are not known to help.")
    for m in more:
        found: Interval = m.gain
        worth = "" if m.money is None else f", and {_span(m.money.value, m.money.low, m.money.high)} {unit}"
        said.append(
            f"{m.rare_rows:,} more rows of class {label} (now {rows:,}), with the others that come along, would be expected to "
            f"gain {_span(found.value, found.low, found.high)} log loss{worth}; an extrapolation."
        )
    return tuple(said)
