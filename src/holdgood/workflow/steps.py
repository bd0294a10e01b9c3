"""The steps of a run, one function each: take Work, do one room's part, write its record. Their order stands in run.py."""

from __future__ import annotations

import json
import time as clock_time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holdgood.audit import audit, installed, profile
from holdgood.bundle import load as load_bundle
from holdgood.bundle import save as save_bundle
from holdgood.bundle import verify as verify_bundle
from holdgood.cleaning import clean
from holdgood.connectors import read_table
from holdgood.core import plugins
from holdgood.core.budget import Budget, Clock
from holdgood.core.errors import BundleError, DataError
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
from holdgood.core.records.envelope import read, write, write_bytes
from holdgood.evaluation import evaluate, permutation_importance, weak_slices
from holdgood.fairness import by_group
from holdgood.features.background import Background
from holdgood.features.builders.build import ledger
from holdgood.features.builders.plan import FeaturePlan, make_plan
from holdgood.features.trending import clocks
from holdgood.governance import card, judge
from holdgood.metrics.cost import answers
from holdgood.metrics.cost import resolve as resolve_costs
from holdgood.reports import RunView, render_run
from holdgood.scale import cores
from holdgood.splitting import Openings, divide, folds
from holdgood.training import train
from holdgood.workflow.candidates import candidates
from holdgood.workflow.contract import contract_of
from holdgood.workflow.folder import StepFolder, versions
from holdgood.workflow.predict import Predictor, parity
from holdgood.workflow.rows import canonical_order, labels, number_labels
from holdgood.workflow.target import resolve
from holdgood.workflow.work import DEVELOPMENT, HOLDOUT, NO_OUTCOME, Work

# Share of the whole budget kept for evaluation, bundle and report, and the seconds below which it never falls.
_RESERVE_SHARE, _RESERVE_SECONDS = 0.15, 4.0
_LATENCY_ROWS = 200


def read_tables(work: Work, folder: StepFolder) -> None:
    """Read every declared table; sort the main one canonically."""
    for name, spec in work.declaration.tables.items():
        source = work.sources.get(name, spec.source)
        table = read_table(
            source, name=name, options=dict(spec.options), types=dict(spec.types), base=work.project.path
        )
        if name == work.declaration.main:
            if table.rows == 0:
                raise DataError(
                    f"table {name!r} has no rows", "at least some dozens of rows", f"check {table.source or name}"
                )
            work.row_numbers = canonical_order(table)
            table = table.take(work.row_numbers)
        work.tables[name] = table
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
    context = AuditContext(tables=work.tables, declaration=work.declaration, seed=work.declaration.budget.seed)
    work.audit_tables = audit(context, "tables", checks=installed("tables"), listener=work.listener)
    return work.audit_tables


def load_audit_tables(work: Work, folder: StepFolder) -> None:
    """Restore the first pass."""
    work.audit_tables = read(folder.record, AuditReport)


def clean_tables(work: Work, folder: StepFolder) -> CleanLog:
    """Apply the declared repairs, in order. A repair that removes rows is followed by the rows' places in the source."""
    before = work.main
    cleaned, work.clean = clean(work.tables, work.declaration.repairs, plugins.load_all("holdgood.repairs"))
    if cleaned[work.declaration.main].rows != before.rows:
        marked = before.with_data(before.data.append_column(_MARK, pa.array(work.row_numbers)))
        again, _ = clean(
            {**work.tables, work.declaration.main: marked},
            work.declaration.repairs,
            plugins.load_all("holdgood.repairs"),
        )
        work.row_numbers = again[work.declaration.main].data.column(_MARK).to_numpy()
    work.tables = dict(cleaned)
    work.forget_times()
    return work.clean


_MARK = "\x00row"


def divide_rows(work: Work, folder: StepFolder) -> Split:
    """Settle the target and build the wall."""
    declared = work.declaration
    work.target = resolve(declared.task, work.main)
    division = divide(
        declared.split,
        work.target.task,
        work.target.y,
        time=work.split_time,
        groups=work.groups,
        seed=declared.budget.seed,
    )
    work.part = division.part
    held = work.main.take(work.rows_of(HOLDOUT))
    fingerprint = held.fingerprint()
    work.split = division.split.model_copy(
        update={
            "table": declared.main,
            "holdout_fingerprint": fingerprint,
            "openings": Openings(work.project.openings).count(fingerprint),
            "by": tuple(declared.split.by),
        }
    )
    table = pa.table({"row": work.row_numbers, "part": work.part})
    pq.write_table(table, folder.path / "split.parquet")
    return work.split


def load_split(work: Work, folder: StepFolder) -> None:
    """Restore the wall."""
    work.target = resolve(work.declaration.task, work.main)
    work.split = read(folder.record, Split)
    work.part = pq.read_table(folder.path / "split.parquet").column("part").to_numpy()


def audit_target(work: Work, folder: StepFolder) -> AuditReport:
    """Right of the wall, development rows only (rows without an outcome from the same stretch of time included)."""
    assert work.target is not None
    rows = _development_and_outcomeless(work)
    times = work.decision_time
    context = AuditContext(
        tables=work.others,
        declaration=work.declaration,
        main=work.main.take(rows),
        y=work.target.y[rows],
        task=work.target.task,
        decision_time=None if times is None else times[rows],
        holdout=work.main.take(work.rows_of(HOLDOUT)).drop(work.target.columns),
        target_columns=work.target.columns,
        seed=work.declaration.budget.seed,
    )
    work.audit_target = audit(context, "target", checks=installed("target"), listener=work.listener)
    return work.audit_target


def load_audit_target(work: Work, folder: StepFolder) -> None:
    """Restore the second pass."""
    work.audit_target = read(folder.record, AuditReport)


def _development_and_outcomeless(work: Work) -> np.ndarray:
    development, missing = work.rows_of(DEVELOPMENT), work.rows_of(NO_OUTCOME)
    times = work.split_time
    if times is not None and len(development):
        missing = missing[times[missing] <= times[development].max()]
    elif work.split is not None:
        # Without a time, the share of outcome-less rows that belongs to development is drawn by position in the
        # canonical order, so that nothing of the holdout's neighbourhood is looked at.
        usable = len(development) + len(work.rows_of(HOLDOUT))
        missing = missing[: round(len(missing) * len(development) / max(usable, 1))]
    return np.sort(np.concatenate([development, missing]))


def build_features(work: Work, folder: StepFolder) -> FeatureLedger:
    """Plan the features from types and findings; build them for the development rows."""
    assert work.target is not None and work.audit_target is not None
    exclude = {work.declaration.main: dict.fromkeys(work.target.columns, "the target is computed from it")}
    if work.declaration.audit.exclude_late:
        for table, column in work.audit_target.late:
            exclude.setdefault(table, {}).setdefault(column, "known only after the moment of decision (AUD014)")
    identifiers = _identifiers(work)
    work.plan = make_plan(work.declaration, work.tables, exclude=exclude, identifiers=identifiers)
    frame, joins = work.built(DEVELOPMENT)
    times = work.at(work.split_time, DEVELOPMENT)
    if work.split is not None and work.split.how == "time" and times is not None:
        work.plan = work.plan.without(clocks(frame, times))
        work.forget_frames()
        frame, joins = work.built(DEVELOPMENT)
    if not frame.features:
        raise DataError(
            "no column is left as a feature",
            "at least one column that is known before the decision",
            "see the audit: holdgood show features",
        )
    work.ledger = ledger(work.plan, frame, joins)
    write_bytes(folder.path / "plan.json", json.dumps(work.plan.to_parts().json).encode())
    return work.ledger


def _identifiers(work: Work) -> dict[str, dict[str, str]]:
    """Columns that the audit found to name rows: no features, but joins may use them."""
    assert work.audit_tables is not None
    found: dict[str, dict[str, str]] = {}
    for finding in work.audit_tables.issues + work.audit_tables.tips:
        if finding.code == "AUD011":
            for column in finding.columns:
                found.setdefault(finding.table, {})[column] = "it names the row (AUD011)"
    return found


def load_features(work: Work, folder: StepFolder) -> None:
    """Restore plan and ledger; the frames are built when somebody asks for them."""
    work.plan = FeaturePlan.from_parts(Parts(json.loads((folder.path / "plan.json").read_text(encoding="utf-8"))))
    work.ledger = read(folder.record, FeatureLedger)


def train_models(work: Work, folder: StepFolder) -> Leaderboard:
    """Try candidates on the development rows, within what is left of the budget."""
    assert work.target is not None and work.split is not None
    declared, task = work.declaration, work.target.task
    frame, y = work.frame(DEVELOPMENT), work.outcomes(DEVELOPMENT)
    times, groups = work.at(work.split_time, DEVELOPMENT), work.at(work.groups, DEVELOPMENT)
    kind = work.split.how if work.split.how in ("time", "group") else "stratified"
    division = folds(
        task,
        y,
        kind=kind,
        time=times,
        groups=groups,
        seed=declared.budget.seed,
        n_folds=declared.split.folds,
        gap=declared.split.gap,
    )
    trained = train(
        frame,
        y,
        task,
        candidates(task, len(y), len(frame.features), declared.budget.models),
        division,
        clock=_training_clock(work),
        time=times if kind == "time" else None,
        groups=groups,
        clusters=groups,
        costs=resolve_costs(declared.costs, task),
        prefer=declared.budget.prefer,
        seed=declared.budget.seed,
        workers=declared.budget.workers or min(2, cores()),
        listener=work.listener,
        store=folder.path / "trials",
        latency_limit_ms=declared.gates.max_latency_ms,
        size_limit_mb=declared.gates.max_size_mb,
    )
    work.leaderboard = trained.leaderboard.model_copy(update={"fold_kind": kind})
    work.chain, work.prior, work.simple = trained.chain, trained.prior, trained.simple
    parts: dict[str, Persistable] = {"chain": trained.chain, "prior": trained.prior}
    if trained.simple is not None:
        parts["simple"] = trained.simple
    save_bundle(folder.path / "model", name="training", parts=parts, records={}, task=task, run=work.run.id)
    np.save(folder.path / "oof.npy", np.ascontiguousarray(trained.oof["chosen"]), allow_pickle=False)
    np.save(folder.path / "oof_rows.npy", trained.oof_rows, allow_pickle=False)
    return work.leaderboard


def load_training(work: Work, folder: StepFolder) -> None:
    """Restore the leaderboard and the fitted chains."""
    work.leaderboard = read(folder.record, Leaderboard)
    parts = load_bundle(folder.path / "model").parts
    work.chain, work.prior, work.simple = _scorer(parts["chain"]), _scorer(parts["prior"]), None
    if "simple" in parts:
        work.simple = _scorer(parts["simple"])


def _scorer(part: Persistable) -> Scorer:
    if not isinstance(part, Scorer):
        raise BundleError(
            f"a part of kind {part.part!r} where a model was expected", "a chain", "run again with --fresh"
        )
    return part


def _training_clock(work: Work) -> Clock:
    left = work.clock.left()
    if np.isinf(left):
        return Clock(work.clock.budget)
    total = float(work.clock.budget.seconds or 0.0)
    heavy = 1.0 + 4e-5 * (work.part == HOLDOUT).sum()
    return Clock(Budget(seconds=max(left - max(_RESERVE_SHARE * total, _RESERVE_SECONDS * heavy), 0.25 * total, 1.0)))


def evaluate_holdout(work: Work, folder: StepFolder) -> Evaluation:
    """Open the holdout (counted) and say what it says."""
    assert work.target and work.split and work.chain and work.prior and work.leaderboard
    declared, task, board = work.declaration, work.target.task, work.leaderboard
    frame, y = work.frame(HOLDOUT), work.outcomes(HOLDOUT)
    openings = Openings(work.project.openings).open(work.split.holdout_fingerprint, who=work.run.id, why="evaluation")
    prediction = work.chain.predict(frame)
    clusters, seed = work.at(work.groups, HOLDOUT), declared.budget.seed
    limit = float("inf") if np.isinf(work.clock.left()) else max(1.0, 0.25 * work.clock.left())
    important = permutation_importance(work.chain.predict, frame, y, task, clusters=clusters, seed=seed, seconds=limit)
    weak = weak_slices(frame, y, prediction, task, clusters=clusters, seed=seed)
    work.evaluation = evaluate(
        task,
        y,
        prediction,
        prior=work.prior.predict(frame),
        simple=None if work.simple is None else work.simple.predict(frame),
        simple_name=_simple_name(board),
        costs=declared.costs,
        threshold=board.threshold,
        threshold_low=board.threshold_low,
        threshold_high=board.threshold_high,
        clusters=clusters,
        time=work.at(work.split_time, HOLDOUT),
        openings=openings,
        tuned_on=f"{len(work.rows_of(DEVELOPMENT)):,} development rows, {board.folds} {board.fold_kind} folds; the holdout tuned nothing",
        name=board.chosen,
        importance=important.importance,
        slices=weak.slices,
        notes=important.notes + weak.notes,
        seed=seed,
    )
    work.holdout_prediction, work.latency_ms = prediction, _latency(work)
    _save_predictions(work, folder, prediction, y)
    write_bytes(folder.path / "latency.json", json.dumps({"p95_ms": work.latency_ms}).encode())
    return work.evaluation


def _latency(work: Work) -> float:
    """95th percentile of one row's way from features to prediction, in milliseconds."""
    assert work.chain is not None
    frame = work.frame(HOLDOUT)
    spent = []
    for i in range(min(_LATENCY_ROWS, len(frame))):
        row = frame.take(np.array([i]))
        started = clock_time.perf_counter()
        work.chain.predict(row)
        spent.append(clock_time.perf_counter() - started)
    return float(np.quantile(spent, 0.95) * 1000.0) if spent else float("nan")


def _save_predictions(work: Work, folder: StepFolder, prediction: np.ndarray, y: np.ndarray) -> None:
    rows = work.rows_of(HOLDOUT)
    columns = {"row": work.row_numbers[rows], "y": y}
    if prediction.ndim == 1:
        columns["prediction"] = prediction
    else:
        columns |= {f"prediction_{k}": np.ascontiguousarray(prediction[:, k]) for k in range(prediction.shape[1])}
    pq.write_table(pa.table(columns), folder.path / "predictions.parquet")


def load_evaluation(work: Work, folder: StepFolder) -> None:
    """Restore what the holdout said, without opening it again."""
    work.evaluation = read(folder.record, Evaluation)
    table = pq.read_table(folder.path / "predictions.parquet")
    columns = [n for n in table.column_names if n.startswith("prediction")]
    arrays = [table.column(n).to_numpy() for n in columns]
    work.holdout_prediction = arrays[0] if columns == ["prediction"] else np.ascontiguousarray(np.column_stack(arrays))
    work.latency_ms = float(json.loads((folder.path / "latency.json").read_text(encoding="utf-8"))["p95_ms"] or "nan")


def _simple_name(board: Leaderboard) -> str:
    above = [r for r in board.ladder if r.family != "prior"]
    return above[0].name if above else "prior"


def compare_groups(work: Work, folder: StepFolder) -> FairnessReport:
    """What each declared group gets, on the holdout."""
    assert work.target and work.leaderboard and work.holdout_prediction is not None
    declared, task = work.declaration, work.target.task
    table = resolve_costs(declared.costs, task)
    attributes = {name: _labels(work, name) for name in declared.fairness.groups}
    work.fairness = by_group(
        task,
        work.outcomes(HOLDOUT),
        work.holdout_prediction,
        answers(table, work.holdout_prediction, work.leaderboard.threshold),
        attributes,
        declared.fairness,
        clusters=work.at(work.groups, HOLDOUT),
        seed=declared.budget.seed,
    )
    return work.fairness


def load_fairness(work: Work, folder: StepFolder) -> None:
    """Restore the groups' measures."""
    work.fairness = read(folder.record, FairnessReport)


def _labels(work: Work, name: str) -> np.ndarray:
    """A group's labels on the holdout rows: a column of the main table, or a joined one as table.column."""
    if name in work.main.names or "." not in name:
        work.main.type_of(name)
        return labels(work.main.data.column(name), work.rows_of(DEVELOPMENT))[work.rows_of(HOLDOUT)]
    development, holdout = work.frame(DEVELOPMENT), work.frame(HOLDOUT)
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
    development = work.main.take(work.rows_of(DEVELOPMENT))
    contract = contract_of(work.declaration, {**work.others, work.declaration.main: development}, work.plan)
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
            "declaration": work.declaration.model_dump(mode="json"),
            "threshold": _finite(work.leaderboard.threshold),
        },
    )
    work.bundle = verify_bundle(target)
    rows = work.rows_of(HOLDOUT)
    assert work.holdout_prediction is not None
    differing = parity(Predictor.load(target), work.main.take(rows), work.others, work.holdout_prediction)
    if differing:
        raise BundleError(
            f"the saved bundle scores {differing:,} of {len(rows):,} holdout rows differently from the run",
            "the same scores to the bit",
            "this is a fault in holdgood: please report it with the versions from `holdgood doctor`",
        )
    return work.bundle


def load_made_bundle(work: Work, folder: StepFolder) -> None:
    """Verify the bundle that is there."""
    work.bundle = verify_bundle(work.run.path / "bundle")


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
