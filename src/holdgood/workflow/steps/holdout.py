"""Open the sealed holdout, counted, and say what it says; or what outer folds say where there is none."""

from __future__ import annotations

import json
import time as clock_time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holdgood.connectors import write_table
from holdgood.core.frame import Frame
from holdgood.core.records import (
    Evaluation,
)
from holdgood.core.records.envelope import read, write_bytes
from holdgood.evaluation import Importances, evaluate, overfitting, permutation_importance, weak_slices
from holdgood.features.builders.build import Builder
from holdgood.metrics import metric
from holdgood.splitting import WORN_AFTER, Openings
from holdgood.workflow.bands import answered
from holdgood.workflow.folder import StepFolder
from holdgood.workflow.judging import class_weight, costs, spending
from holdgood.workflow.steps.numbers import finite
from holdgood.workflow.work import DEVELOPMENT, Work

# One row's way is timed on so many rows, for at most so many seconds, but never on fewer than the last number.
_LATENCY_ROWS, _LATENCY_SECONDS, _FEWEST_TIMED = 200, 3.0, 5
# The model is held against at most so many rows that it learned from, for at most so much of the time that is left.
_LEARNED_ROWS, _LEARNED_SHARE, _TIMED_ROWS = 20_000, 0.1, 256


def evaluate_holdout(work: Work, folder: StepFolder) -> Evaluation:
    """Open the holdout (counted) and say what it says."""
    assert work.target and work.split and work.chain and work.prior and work.leaderboard
    declared, task, board = work.declaration, work.target.task, work.leaderboard
    outer, units, seed = work.outer, work.units(), declared.budget.seed
    frame, y = work.judged_frame(), work.target.y[work.judged()]
    if outer is None:
        openings = Openings(work.project.openings).open(
            work.split.holdout_fingerprint, who=work.run.id, why="evaluation"
        )
        prediction, prior = work.chain.predict(frame), work.prior.predict(frame)
        simple = None if work.simple is None else work.simple.predict(frame)
        limit = float("inf") if np.isinf(work.clock.left()) else 0.3 * work.clock.left()
        important = permutation_importance(work.chain.predict, frame, y, task, clusters=units, seed=seed, seconds=limit)
        tuned_on = f"{len(work.rows_of(DEVELOPMENT)):,} development rows, {board.division}; the holdout tuned nothing"
    else:
        openings, prediction, prior, simple = 0, outer.prediction, outer.prior, outer.simple
        picked = ", ".join(dict.fromkeys(outer.chosen))
        important = Importances(
            (), ("Importance is not measured without a holdout.", f"The outer folds chose: {picked}.")
        )
        tuned_on = f"the other rows of {len(outer.chosen)} outer {board.fold_kind} folds, each tuned anew; the rows judged tuned nothing"
    weak = weak_slices(frame, y, prediction, task, clusters=units, seed=seed)
    judged_on = "the sealed holdout" if outer is None else "rows that the models had not seen"
    found = evaluate(
        task,
        y,
        prediction,
        prior=prior,
        simple=simple,
        simple_name=work.simple_name or "the simplest rung",
        answer=answered(work.bands, "chosen", prediction) if outer is None else outer.answer,
        simple_answer=answered(work.bands, "simple", simple) if outer is None else outer.simple_answer,
        prior_answer=answered(work.bands, "prior", prior) if outer is None else outer.prior_answer,
        interval=_interval(work, prediction, frame),
        quantiles=_quantiles(work, prediction, frame),
        judged_on=judged_on,
        simple_threshold=work.simple_threshold,
        costs=declared.costs,
        table=costs(work),
        spend=spending(work, work.judged()),
        metric=work.metric,
        threshold=board.threshold,
        threshold_low=board.threshold_low,
        threshold_high=board.threshold_high,
        threshold_flat=(board.threshold_flat_low, board.threshold_flat_high),
        weight=work.of_judged(work.weight),
        class_weight=class_weight(work),
        clusters=work.of_judged(work.groups),
        time=work.of_judged(work.split_time),
        openings=openings,
        tuned_on=tuned_on,
        name=board.chosen,
        importance=important.importance,
        slices=weak.slices,
        notes=important.notes + weak.notes + _parts_of_days(work),
        seed=seed,
    )
    learned, learned_rows = _learned(work)
    told = overfitting(
        board,
        found.metrics.get(board.metric),
        learned=learned,
        learned_rows=learned_rows,
        prior_fresh=found.baselines["prior"].get(board.metric),
        judged_on=judged_on,
    )
    work.evaluation = found.model_copy(update={"overfitting": told})
    work.holdout_prediction, work.latency_ms = prediction, _latency(work)
    _save_predictions(work, folder, prediction, y)
    facts = {"p95_ms": finite(work.latency_ms), "data": work.split.holdout_fingerprint}
    write_bytes(folder.path / "facts.json", json.dumps(facts).encode())
    return work.evaluation


def load_evaluation(work: Work, folder: StepFolder) -> None:
    """Restore what the holdout said, without opening it again."""
    work.evaluation = read(folder.record, Evaluation)
    table = pq.read_table(folder.path / "predictions.parquet")
    columns = [n for n in table.column_names if n.startswith("prediction")]
    arrays = [table.column(n).to_numpy() for n in columns]
    work.holdout_prediction = arrays[0] if columns == ["prediction"] else np.ascontiguousarray(np.column_stack(arrays))
    facts = json.loads((folder.path / "facts.json").read_text(encoding="utf-8"))
    work.latency_ms = float("nan") if facts["p95_ms"] is None else float(facts["p95_ms"])
    assert work.split is not None
    # The record is of the day it was made; how often the holdout has been opened since is counted anew.
    if work.outer is not None:
        return
    openings = max(work.evaluation.openings, Openings(work.project.openings).count(work.split.holdout_fingerprint))
    work.evaluation = work.evaluation.model_copy(update={"openings": openings, "worn": openings > WORN_AFTER})


def _learned(work: Work) -> tuple[float, int]:
    """What the model scores on rows that it could learn from, and on how many: evenly spread, as many as the clock bears."""
    assert work.chain is not None and work.target is not None
    task, frame, y = work.target.task, work.frame(DEVELOPMENT), work.outcomes(DEVELOPMENT)
    most = min(len(y), _LEARNED_ROWS)
    if np.isfinite(work.clock.left()):
        started, few = clock_time.perf_counter(), frame.take(np.arange(min(len(y), _TIMED_ROWS)))
        work.chain.predict(few)
        each = (clock_time.perf_counter() - started) / max(1, len(few))
        most = min(most, int(_LEARNED_SHARE * work.clock.left() / max(each, 1e-9)))
    if most < 1:
        return float("nan"), 0
    rows = np.unique(np.linspace(0, len(y) - 1, most).astype(np.int64))
    counts, of_class = work.at(work.weight, DEVELOPMENT), class_weight(work)
    weight = None if counts is None else counts[rows]
    if of_class is not None:
        weight = of_class[y[rows].astype(np.int64)] * (1.0 if weight is None else weight)
    judge = work.metric or metric(task.metric, task)
    return float(judge.score(task, y[rows], work.chain.predict(frame.take(rows)), weight)), len(rows)


def _parts_of_days(work: Work) -> tuple[str, ...]:
    """A note where rows that judge are only some of their days, so that a capacity a day binds less than at work."""
    assert work.split is not None
    if (
        work.declaration.costs.capacity is None
        or work.outer is not None
        or work.split.how not in ("random", "stratified", "group")
    ):
        return ()
    return (
        "Only some rows of each day judge, so that the capacity a day binds less here than where all rows of a day compete.",
    )


def _interval(work: Work, prediction: np.ndarray, frame: Frame) -> tuple[float, np.ndarray, np.ndarray] | None:
    """Level and ends of the intervals of the rows that judge, where an interval is declared."""
    level = work.declaration.task.interval
    if level is None or not work.bands:
        return None
    if work.outer is not None:
        assert work.outer.low is not None and work.outer.high is not None
        return level, work.outer.low, work.outer.high
    return level, *work.bands["chosen"].interval(prediction, frame)


def _quantiles(work: Work, prediction: np.ndarray, frame: Frame) -> tuple[tuple[float, ...], np.ndarray] | None:
    """Levels and quantiles of the rows that judge, where some are declared."""
    levels = tuple(work.declaration.task.quantiles)
    if not levels or not work.bands:
        return None
    if work.outer is not None:
        assert work.outer.quantiles is not None
        return levels, work.outer.quantiles
    return levels, work.bands["chosen"].at_levels(prediction, frame)


def _latency(work: Work) -> float:
    """95th percentile of one row's whole way, from the table's row to the prediction and its band, in milliseconds."""
    assert work.chain is not None and work.plan is not None
    builder, rows = Builder(work.plan, work.others), work.judged()[:_LATENCY_ROWS]
    moments = work.decision_time
    band = work.bands.get("chosen")
    limit = min(_LATENCY_SECONDS, 0.2 * work.clock.left())
    spent: list[float] = []
    for i in rows:
        one = work.main.take(np.array([i]))
        started = clock_time.perf_counter()
        frame = builder.build(one, None if moments is None else moments[i : i + 1])[0]
        prediction = work.chain.predict(frame)
        if band is not None:
            band.beside(prediction, frame)
        spent.append(clock_time.perf_counter() - started)
        if sum(spent) > limit and len(spent) >= _FEWEST_TIMED:
            break
    return float(np.quantile(spent, 0.95) * 1000.0) if spent else float("nan")


def _save_predictions(work: Work, folder: StepFolder, prediction: np.ndarray, y: np.ndarray) -> None:
    rows, units = work.judged(), work.units()
    columns = {
        "row": work.row_numbers[rows],
        "y": y,
        "unit": np.full(len(rows), -1, dtype=np.int64) if units is None else units,
    }
    moment = work.of_judged(work.split_time)
    if moment is not None:
        columns["moment"] = moment
    if prediction.ndim == 1:
        columns["prediction"] = prediction
    else:
        columns |= {f"prediction_{k}": np.ascontiguousarray(prediction[:, k]) for k in range(prediction.shape[1])}
    write_table(pa.table(columns), folder.path / "predictions.parquet")
