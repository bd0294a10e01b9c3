"""The steps of a run, one function each: take Work, do one room's part, write its record. Their order stands in run.py."""

from __future__ import annotations

import json
import shutil
import time as clock_time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holdgood.audit import audit, installed, profile
from holdgood.bundle import load as load_bundle
from holdgood.bundle import save as save_bundle
from holdgood.bundle import verify as verify_bundle
from holdgood.cleaning import installed as repairs_installed
from holdgood.connectors import write_table
from holdgood.core.budget import Budget, Clock
from holdgood.core.errors import BundleError, DataError, did_you_mean
from holdgood.core.protocols import AuditContext, Parts, Persistable, Scorer
from holdgood.core.records import (
    AuditReport,
    CleanLog,
    Evaluation,
    FairnessReport,
    FeatureLedger,
    Leaderboard,
    ModelCard,
    Split,
    Verdict,
)
from holdgood.core.records import Bundle as BundleRecord
from holdgood.core.records.envelope import read, write, write_array, write_bytes
from holdgood.core.task import Task
from holdgood.evaluation import Importances, evaluate, overfitting, permutation_importance, weak_slices
from holdgood.fairness import by_group
from holdgood.fairness.measures import gate_measure
from holdgood.features.background import Background
from holdgood.features.builders.build import Builder, ledger
from holdgood.features.builders.plan import FeaturePlan, make_plan
from holdgood.features.trending import clocks
from holdgood.governance import card, judge
from holdgood.metrics import Band, metric
from holdgood.metrics.cost import answers
from holdgood.metrics.cost import resolve as resolve_costs
from holdgood.reports import RunView, render_run
from holdgood.scale import cores
from holdgood.splitting import WORN_AFTER, Openings, divide
from holdgood.training import Trained, train
from holdgood.workflow.bands import answered, bands_of
from holdgood.workflow.candidates import by_lessons, left_out, portfolio
from holdgood.workflow.contract import contract_of
from holdgood.workflow.excluded import excluded, identifiers
from holdgood.workflow.folder import StepFolder, versions
from holdgood.workflow.functions import is_function
from holdgood.workflow.judging import class_weight, costs, settle, spending
from holdgood.workflow.monotone import able, constrained
from holdgood.workflow.nested import Outer, outer_folds
from holdgood.workflow.places import in_source
from holdgood.workflow.predict import Predictor, for_bundle, parity, with_tables
from holdgood.workflow.read import read_declared
from holdgood.workflow.recall import FILE as LESSONS
from holdgood.workflow.recall import advice, recall, remember
from holdgood.workflow.repairs import repair
from holdgood.workflow.rows import labels, number_labels
from holdgood.workflow.second_pass import context_of, look
from holdgood.workflow.target import resolve
from holdgood.workflow.validation import IN_TIME, fold_kind, repeats_note, validation_folds
from holdgood.workflow.weights import class_weights, row_weights
from holdgood.workflow.work import DEVELOPMENT, HOLDOUT, Work

# Share of the whole budget kept for evaluation, bundle and report, and the seconds below which it never falls.
_RESERVE_SHARE, _RESERVE_SECONDS = 0.15, 4.0
# One row's way is timed on so many rows, for at most so many seconds, but never on fewer than the last number.
_LATENCY_ROWS, _LATENCY_SECONDS, _FEWEST_TIMED = 200, 3.0, 5
# The model is held against at most so many rows that it learned from, for at most so much of the time that is left.
_LEARNED_ROWS, _LEARNED_SHARE, _TIMED_ROWS = 20_000, 0.1, 256


def read_tables(work: Work, folder: StepFolder) -> None:
    """Read every declared table; sort the main one canonically."""
    work.tables, work.row_numbers = read_declared(work.declaration, work.sources, work.project.path)
    work.raw, work.kept = dict(work.tables), np.arange(work.main.rows)
    work.profiles = tuple(profile(t) for t in work.tables.values())
    for one in work.profiles:
        write(folder.path / f"profile-{_safe(one.table)}.json", one)
    noted = {
        n: {"rows": t.rows, "columns": len(t.columns), "source": t.source, "fingerprint": t.fingerprint()}
        for n, t in work.tables.items()
    }
    write_bytes(folder.record, json.dumps({"kind": "tables", "payload": noted}, indent=1).encode())


def audit_tables(work: Work, folder: StepFolder) -> AuditReport:
    """Left of the wall: look at the tables, not at the target."""
    context = AuditContext(
        tables=work.tables,
        declaration=work.declaration,
        seed=work.declaration.budget.seed,
        contract=work.contract,
    )
    found = audit(context, "tables", checks=installed("tables"), listener=work.listener)
    work.audit_tables = in_source(found, work.declaration.main, work.row_numbers)
    return work.audit_tables


def load_audit_tables(work: Work, folder: StepFolder) -> None:
    """Restore the first pass."""
    work.audit_tables = read(folder.record, AuditReport)


def clean_tables(work: Work, folder: StepFolder) -> CleanLog:
    """Apply the declared repairs, in order. Where one removes rows of the main table, what is left is followed."""
    available, entries = repairs_installed(), []
    for spec in with_tables(work.declaration):
        name = str(spec.table)
        work.tables[name], entry, left = repair(work.tables[name], spec, available, work.declaration.tables[name].time)
        entries.append(entry)
        if name == work.declaration.main:
            work.row_numbers, work.kept = work.row_numbers[left], work.kept[left]
    prints = {n: t.fingerprint() for n, t in work.raw.items()}
    changed = {n: t.fingerprint() for n, t in work.tables.items()} if entries else prints
    work.clean = CleanLog(entries=tuple(entries), before=prints, after=changed)
    work.forget_times()
    return work.clean


def divide_rows(work: Work, folder: StepFolder) -> Split:
    """Build the wall, then settle the task on the development rows alone."""
    declared = work.declaration
    whole = resolve(declared.task, work.main)
    _check_declared(work, whole.task)
    work.weight = row_weights(declared.task.weight, work.main, whole.y)
    class_weights(declared.task.class_weight, whole.task, whole.y[np.isfinite(whole.y)])
    division = divide(
        declared.split,
        whole.task,
        whole.y,
        time=work.split_time,
        groups=work.groups,
        weight=work.weight,
        seed=declared.budget.seed,
    )
    fold_kind(declared.split, division.split.how)
    work.part = division.part
    work.target = resolve(declared.task, work.main, work.rows_of(DEVELOPMENT))
    settle(work)
    # Any division of the same facts looks at the same facts: openings are counted for the main table as it was read.
    fingerprint = work.raw[declared.main].fingerprint()
    work.split = division.split.model_copy(
        update={
            "table": declared.main,
            "holdout_fingerprint": fingerprint,
            "openings": Openings(work.project.openings).count(fingerprint),
            "by": tuple(declared.split.by),
        }
    )
    write_table(pa.table({"row": work.row_numbers, "part": work.part}), folder.path / "split.parquet")
    return work.split


def load_split(work: Work, folder: StepFolder) -> None:
    """Restore the wall."""
    work.split = read(folder.record, Split)
    work.part = pq.read_table(folder.path / "split.parquet").column("part").to_numpy()
    work.weight = row_weights(work.declaration.task.weight, work.main, resolve(work.declaration.task, work.main).y)
    work.target = resolve(work.declaration.task, work.main, work.rows_of(DEVELOPMENT))
    settle(work)


def _check_declared(work: Work, task: Task) -> None:
    """What is declared for later rooms is checked before anything is spent or opened."""
    declared = work.declaration
    if not is_function(declared.task.metric):
        metric(task.metric, task)
    if declared.costs.function is None:
        resolve_costs(declared.costs, task)
    if declared.fairness.groups:
        gate_measure(declared.fairness, task)
    for name in declared.fairness.groups:
        table, _, column = name.partition(".")
        known = [*work.main.names, *(f"{n}.{c}" for n, t in work.others.items() for c in t.names)]
        if name in work.main.names or (table in work.others and column in work.others[table].names):
            continue
        raise DataError(
            f"fairness.groups names {name!r}, which no table has",
            "a column of the main table, or table.column of a joined one",
            did_you_mean(name, known) or "correct fairness.groups",
        )


def audit_target(work: Work, folder: StepFolder) -> AuditReport:
    """Right of the wall, development rows only (rows without an outcome from the same stretch of time included)."""
    assert work.target is not None
    context, rows = context_of(
        work.main,
        work.others,
        work.declaration,
        work.target,
        work.part,
        times=work.split_time,
        decided=work.decision_time,
    )
    found = look(context, checks=installed("target"), listener=work.listener)
    work.audit_target = in_source(found, work.declaration.main, work.row_numbers[rows])
    return work.audit_target


def load_audit_target(work: Work, folder: StepFolder) -> None:
    """Restore the second pass."""
    work.audit_target = read(folder.record, AuditReport)


def build_features(work: Work, folder: StepFolder) -> FeatureLedger:
    """Plan the features from types and findings; build them for the development rows."""
    assert work.target is not None and work.audit_target is not None
    assert work.audit_tables is not None
    exclude = excluded(work.declaration, work.target.columns, work.audit_target)
    work.plan = make_plan(work.declaration, work.tables, exclude=exclude, identifiers=identifiers(work.audit_tables))
    work.plan, _ = constrained(work.plan, work.declaration.task.monotone, work.target.task.kind)
    frame, joins = work.built(DEVELOPMENT)
    times = work.at(work.split_time, DEVELOPMENT)
    if work.split is not None and work.split.how == "time" and times is not None:
        work.plan = work.plan.without(clocks(frame, times))
        work.forget_frames()
        frame, joins = work.built(DEVELOPMENT)
    lost = [g for g in work.declaration.fairness.groups if g not in work.main.names and g not in frame.names]
    if lost:
        raise DataError(
            f"the fairness group {lost[0]!r} is no feature: {work.plan.left_out.get(lost[0], 'it is not joined')}",
            "a joined column that is known at the decision",
            "correct fairness.groups, or how its table joins",
        )
    if not frame.features:
        raise DataError(
            "no column is left as a feature",
            "at least one column that is known before the decision",
            "see the audit: holdgood show features",
        )
    work.ledger = ledger(work.plan, frame, joins)
    write_bytes(folder.path / "plan.json", json.dumps(work.plan.to_parts().json).encode())
    return work.ledger


def load_features(work: Work, folder: StepFolder) -> None:
    """Restore plan and ledger; the frames are built when somebody asks for them."""
    work.plan = FeaturePlan.from_parts(Parts(json.loads((folder.path / "plan.json").read_text(encoding="utf-8"))))
    work.ledger = read(folder.record, FeatureLedger)


def train_models(work: Work, folder: StepFolder) -> Leaderboard:
    """Try candidates on the development rows, within what is left of the budget."""
    assert work.target is not None and work.split is not None
    declared, task = work.declaration, work.target.task
    work.lessons = recall(work)
    clock, outer = _training_clock(work), work.split.outer
    rows = np.arange(len(work.rows_of(DEVELOPMENT)))
    trained = _trained(work, rows, _share_of(clock, 1, 1 + outer), folder.path / "trials")
    work.bands = _bands(work, trained, rows)
    write_bytes(folder.path / "bands.json", json.dumps({n: b.to_json() for n, b in work.bands.items()}).encode())
    kind = fold_kind(declared.split, work.split.how)
    if outer:
        frame, y = work.frame(DEVELOPMENT), work.outcomes(DEVELOPMENT)
        times, groups = work.at(work.split_time, DEVELOPMENT), work.at(work.groups, DEVELOPMENT)
        seed = declared.budget.seed + 1  # other folds than those that the delivered model was chosen on
        found = validation_folds(declared.split, kind, task, y, time=times, groups=groups, seed=seed, n_folds=outer)
        work.outer = outer_folds(
            found,
            lambda number, part: _trained(
                work, part, _share_of(clock, 2 + number, 1 + outer), folder.path / f"outer-{number + 1}"
            ),
            frame,
            task,
            costs(work),
            lambda made, part: _bands(work, made, part),
        )
        for name, values in work.outer.arrays().items():
            write_array(folder.path / f"outer-{name}.npy", values)
        write_bytes(folder.path / "outer.json", json.dumps({"chosen": work.outer.chosen}).encode())
    write(folder.path / LESSONS, work.lessons)
    short = repeats_note(declared.split, trained.leaderboard.repeats)
    told = (*(n for n in (work.metric_note, work.monotone_note, short) if n), *work.lessons.notes)
    told += remember(work, work.lessons, trained)
    notes = (*told, *trained.leaderboard.notes, *left_out(declared.budget.models))
    work.leaderboard = trained.leaderboard.model_copy(update={"fold_kind": kind, "notes": notes})
    work.chain, work.prior, work.simple = trained.chain, trained.prior, trained.simple
    parts: dict[str, Persistable] = {"chain": trained.chain, "prior": trained.prior}
    if trained.simple is not None:
        parts["simple"] = trained.simple
    save_bundle(folder.path / "model", name="training", parts=parts, records={}, task=task, run=work.run.id)
    write_array(folder.path / "oof.npy", trained.oof["chosen"])
    write_array(folder.path / "oof_rows.npy", trained.oof_rows)
    work.simple_name, work.simple_threshold = trained.simple_name, trained.simple_threshold
    rule = {"name": work.simple_name, "threshold": _finite(work.simple_threshold)}
    write_bytes(folder.path / "simple.json", json.dumps(rule).encode())
    return work.leaderboard


def _least(*limits: float | None) -> float | None:
    """The tightest of some limits; None where there is none."""
    return min((x for x in limits if x is not None), default=None)


def _trained(work: Work, rows: np.ndarray, clock: Clock, store: Path) -> Trained:
    """Training on some of the development rows, by position; folds, weights and costs as declared."""
    assert work.target is not None and work.split is not None
    declared, task = work.declaration, work.target.task
    frame, y = work.frame(DEVELOPMENT).take(rows), work.outcomes(DEVELOPMENT)[rows]
    times, groups, weight = (
        None if values is None else values[work.rows_of(DEVELOPMENT)[rows]]
        for values in (work.split_time, work.groups, work.weight)
    )
    kind = fold_kind(declared.split, work.split.how)
    assert work.plan is not None
    tried = portfolio(task, len(y), len(frame.features), declared.budget.models)
    began = work.lessons is not None and bool(work.lessons.lessons)
    if work.lessons is not None and began:
        tried = by_lessons(tried, *advice(work.lessons))
    signs: dict[str, int] = {}
    if declared.task.monotone:
        _, signs = constrained(work.plan, declared.task.monotone, task.kind)
        tried, work.monotone_note = able(tried)
    division = validation_folds(
        declared.split, kind, task, y, time=times, groups=groups, seed=declared.budget.seed, repeated=True
    )
    return train(
        frame.constrained(signs),
        y,
        task,
        tried.candidates,
        division,
        clock=clock,
        weight=weight,
        class_weight=class_weight(work),
        metric=work.metric,
        spend=spending(work, work.rows_of(DEVELOPMENT)[rows]),
        time=times if kind in IN_TIME else None,
        groups=groups,
        clusters=groups,
        costs=costs(work),
        prefer=declared.budget.prefer,
        seed=declared.budget.seed,
        workers=declared.budget.workers or min(2, cores()),
        listener=work.listener,
        store=store,
        stamp=work.mark,
        latency_limit_ms=_least(declared.budget.max_latency_ms, declared.gates.max_latency_ms),
        size_limit_mb=_least(declared.budget.max_size_mb, declared.gates.max_size_mb),
        aim_latency_ms=declared.budget.max_latency_ms,
        aim_size_mb=declared.budget.max_size_mb,
        spaces=tried.spaces,
        as_given=began,
    )


def _bands(work: Work, trained: Trained, rows: np.ndarray) -> dict[str, Band]:
    """Residual bands of a training on some of the development rows."""
    assert work.target is not None
    weight = work.at(work.weight, DEVELOPMENT)
    y, counts = work.outcomes(DEVELOPMENT)[rows], None if weight is None else weight[rows]
    return bands_of(trained, y, counts, work.target.task, costs(work), work.declaration)


def _share_of(clock: Clock, number: int, of: int) -> Clock:
    """The clock of one of several trainings: each may spend an equal part of what is left to it and those after it."""
    if of == 1 or np.isinf(clock.left()):
        return clock if of == 1 else Clock(clock.budget)
    return Clock(Budget(seconds=clock.left() / (of + 1 - number)))


def load_training(work: Work, folder: StepFolder) -> None:
    """Restore the leaderboard and the fitted chains."""
    work.leaderboard = read(folder.record, Leaderboard)
    parts = load_bundle(folder.path / "model").parts
    work.chain, work.prior, work.simple = _scorer(parts["chain"]), _scorer(parts["prior"]), None
    rule = json.loads((folder.path / "simple.json").read_text(encoding="utf-8"))
    work.simple_name = rule["name"]
    work.simple_threshold = float("nan") if rule["threshold"] is None else float(rule["threshold"])
    if "simple" in parts:
        work.simple = _scorer(parts["simple"])
    kept = json.loads((folder.path / "bands.json").read_text(encoding="utf-8"))
    work.bands = {name: Band.from_json(one) for name, one in kept.items()}
    if (folder.path / "outer.json").exists():
        arrays = {f.stem.removeprefix("outer-"): np.load(f) for f in folder.path.glob("outer-*.npy")}
        chosen = json.loads((folder.path / "outer.json").read_text(encoding="utf-8"))["chosen"]
        work.outer = Outer.of(arrays, chosen)


def _scorer(part: Persistable) -> Scorer:
    if not isinstance(part, Scorer):
        raise BundleError(
            f"a part of kind {part.part!r} where a model was expected", "a chain", "run again with --fresh"
        )
    return part


def _training_clock(work: Work) -> Clock:
    """What training may spend: all that is left, less a reserve for evaluation, bundle and report."""
    left = work.clock.left()
    if np.isinf(left):
        return Clock(work.clock.budget)
    total = float(work.clock.budget.seconds or 0.0)
    heavy = 1.0 + 4e-5 * float((work.part == HOLDOUT).sum())
    reserve = min(max(_RESERVE_SHARE * total, _RESERVE_SECONDS * heavy), 0.4 * total)
    # A late start cuts into both: time that is gone is not handed out.
    allowed = max(left - reserve, 0.4 * left, 0.1)
    # The same budget on every resume, on a clock that started as much earlier as is not allowed.
    return Clock(work.clock.budget, started=clock_time.monotonic() - (total - allowed))


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
        interval=_interval(work, prediction),
        judged_on=judged_on,
        simple_threshold=work.simple_threshold,
        costs=declared.costs,
        table=costs(work),
        spend=spending(work, work.judged()),
        metric=work.metric,
        threshold=board.threshold,
        threshold_low=board.threshold_low,
        threshold_high=board.threshold_high,
        weight=work.of_judged(work.weight),
        class_weight=class_weight(work),
        clusters=work.of_judged(work.groups),
        time=work.of_judged(work.split_time),
        openings=openings,
        tuned_on=tuned_on,
        name=board.chosen,
        importance=important.importance,
        slices=weak.slices,
        notes=important.notes + weak.notes,
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
    facts = {"p95_ms": _finite(work.latency_ms), "data": work.split.holdout_fingerprint}
    write_bytes(folder.path / "facts.json", json.dumps(facts).encode())
    return work.evaluation


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


def _interval(work: Work, prediction: np.ndarray) -> tuple[float, np.ndarray, np.ndarray] | None:
    """Level and ends of the intervals of the rows that judge, where an interval is declared."""
    level = work.declaration.task.interval
    if level is None or not work.bands:
        return None
    if work.outer is not None:
        assert work.outer.low is not None and work.outer.high is not None
        return level, work.outer.low, work.outer.high
    return level, *work.bands["chosen"].interval(prediction)


def _latency(work: Work) -> float:
    """95th percentile of one row's whole way, from the table's row to the prediction, in milliseconds."""
    assert work.chain is not None and work.plan is not None
    builder, rows = Builder(work.plan, work.others), work.judged()[:_LATENCY_ROWS]
    moments = work.decision_time
    limit = min(_LATENCY_SECONDS, 0.2 * work.clock.left())
    spent: list[float] = []
    for i in rows:
        one = work.main.take(np.array([i]))
        started = clock_time.perf_counter()
        work.chain.predict(builder.build(one, None if moments is None else moments[i : i + 1])[0])
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
    if prediction.ndim == 1:
        columns["prediction"] = prediction
    else:
        columns |= {f"prediction_{k}": np.ascontiguousarray(prediction[:, k]) for k in range(prediction.shape[1])}
    write_table(pa.table(columns), folder.path / "predictions.parquet")


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


def compare_groups(work: Work, folder: StepFolder) -> FairnessReport:
    """What each declared group gets, on the holdout."""
    assert work.target and work.leaderboard and work.holdout_prediction is not None
    declared, task = work.declaration, work.target.task
    attributes = {name: _labels(work, name) for name in declared.fairness.groups}
    work.fairness = by_group(
        task,
        work.target.y[work.judged()],
        work.holdout_prediction,
        _answered(work, work.holdout_prediction),
        attributes,
        declared.fairness,
        clusters=work.units(),
        seed=declared.budget.seed,
    )
    return work.fairness


def _answered(work: Work, prediction: np.ndarray) -> np.ndarray:
    """What was answered on the rows that judge."""
    assert work.leaderboard is not None
    if work.outer is not None:
        return work.outer.answer
    moved = answered(work.bands, "chosen", prediction)
    return answers(costs(work), prediction, work.leaderboard.threshold) if moved is None else moved


def load_fairness(work: Work, folder: StepFolder) -> None:
    """Restore the groups' measures."""
    work.fairness = read(folder.record, FairnessReport)


def _labels(work: Work, name: str) -> np.ndarray:
    """A group's labels on the holdout rows: a column of the main table, or a joined one as table.column."""
    if name in work.main.names or "." not in name:
        work.main.type_of(name)
        return labels(work.main.data.column(name), work.rows_of(DEVELOPMENT))[work.judged()]
    development, holdout = work.frame(DEVELOPMENT), work.judged_frame()
    if name not in holdout.names:
        raise DataError(
            f"the fairness group {name!r} is no column and no joined feature",
            "a column of the main table, or table.column of a joined one",
            "correct fairness.groups",
        )
    values, seen = holdout.column(name), development.column(name)
    if values.dtype == object:
        return values
    both = number_labels(np.concatenate([seen, values]), np.arange(len(seen)))
    return both[len(seen) :]


def judge_release(work: Work, folder: StepFolder) -> Verdict:
    """Gates, verdict and card."""
    assert (
        work.audit_tables
        and work.audit_target
        and work.split
        and work.leaderboard
        and work.evaluation
        and work.fairness
    )
    assert work.ledger and work.clean and work.chain and work.target
    size = _megabytes(work)
    work.verdict = judge(
        work.declaration,
        audit_tables=work.audit_tables,
        audit_target=work.audit_target,
        split=work.split,
        ledger=work.ledger,
        leaderboard=work.leaderboard,
        evaluation=work.evaluation,
        fairness=work.fairness,
        latency_ms=work.latency_ms,
        size_mb=size,
    )
    work.card = card(
        work.declaration,
        audit_tables=work.audit_tables,
        audit_target=work.audit_target,
        clean=work.clean,
        split=work.split,
        ledger=work.ledger,
        leaderboard=work.leaderboard,
        evaluation=work.evaluation,
        fairness=work.fairness,
        verdict=work.verdict,
        versions=versions(),
        latency_ms=work.latency_ms,
        size_mb=size,
    )
    write(folder.path / "card.json", work.card)
    return work.verdict


def load_verdict(work: Work, folder: StepFolder) -> None:
    """Restore verdict and card."""
    work.verdict = read(folder.record, Verdict)
    work.card = read(folder.path / "card.json", ModelCard)


def _megabytes(work: Work) -> float:
    folder = work.run.find("train")
    assert folder is not None
    chain = folder.path / "model" / "parts" / "chain"
    return sum(f.stat().st_size for f in chain.rglob("*") if f.is_file()) / 1e6


def make_bundle(work: Work, folder: StepFolder) -> BundleRecord:
    """Save, verify, load again, and hold its predictions against the run's: to the bit, or it is not delivered."""
    assert work.plan and work.chain and work.target and work.split and work.leaderboard
    assert work.evaluation and work.fairness and work.verdict and work.card and work.audit_target and work.ledger
    named = work.declaration.main
    development = work.raw[named].take(work.kept[work.rows_of(DEVELOPMENT)])
    contract = contract_of(work.declaration, {**work.raw, named: development}, work.plan, work.contract)
    target = work.run.path / "bundle"
    save_bundle(
        target,
        name=work.declaration.name,
        parts={
            "plan": work.plan,
            "chain": work.chain,
            "background": Background.of(work.frame(DEVELOPMENT), work.declaration.budget.seed),
        },
        records={
            "contract": contract,
            "split": work.split,
            "ledger": work.ledger,
            "leaderboard": work.leaderboard,
            "evaluation": work.evaluation,
            "fairness": work.fairness,
            "verdict": work.verdict,
            "card": work.card,
        },
        task=work.target.task,
        run=work.run.id,
        data_fingerprint=work.main.fingerprint(),
        extra_json={
            "declaration": for_bundle(work.declaration).model_dump(mode="json"),
            "threshold": _finite(work.leaderboard.threshold),
            "class_weight": None if (tilt := class_weight(work)) is None else tilt.tolist(),
            "band": work.bands["chosen"].to_json() if work.bands else None,
            "average_costs": None if work.average_costs is None else work.average_costs.tolist(),
        },
    )
    work.bundle = verify_bundle(target)
    rows = work.judged()
    assert work.holdout_prediction is not None
    # outer folds judged other models of the same procedure: what is delivered is held against itself
    expected = work.holdout_prediction if work.outer is None else work.chain.predict(work.judged_frame())
    predictor = Predictor.load(target)
    raw = {n: predictor.repaired(t) for n, t in work.raw.items()}
    main = predictor.repaired(work.raw[work.declaration.main].take(work.kept[rows]))
    others = {n: t for n, t in raw.items() if n != work.declaration.main}
    differing = parity(predictor, main, others, expected)
    if differing:
        shutil.rmtree(target)
        raise BundleError(
            f"the saved bundle scores {differing:,} of {len(rows):,} rows differently from the run",
            "the same scores to the bit",
            "nothing is delivered; please report it with the versions from `holdgood doctor`",
        )
    return work.bundle


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def make_report(work: Work, folder: StepFolder) -> None:
    """One HTML file beside the bundle."""
    assert work.verdict and work.audit_tables and work.audit_target and work.clean and work.split and work.ledger
    assert work.leaderboard and work.evaluation and work.fairness and work.card
    view = RunView(
        declaration=work.declaration,
        run_id=work.run.id,
        created_utc=str(work.run.status().get("started_utc", "")),
        verdict=work.verdict,
        audit_tables=work.audit_tables,
        audit_target=work.audit_target,
        clean=work.clean,
        split=work.split,
        ledger=work.ledger,
        leaderboard=work.leaderboard,
        evaluation=work.evaluation,
        fairness=work.fairness,
        card=work.card,
        bundle=work.bundle,
        profiles=work.profiles,
        versions=versions(),
        steps=tuple(work.seconds),
    )
    write_bytes(work.run.path / "report.html", render_run(view).encode())


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)
