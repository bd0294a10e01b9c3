"""Train within the budget, on development rows; with outer folds once for each of them too."""

from __future__ import annotations

import json
import time as clock_time
from pathlib import Path

import numpy as np

from holdgood.bundle import load as load_bundle
from holdgood.bundle import save as save_bundle
from holdgood.core.budget import Budget, Clock
from holdgood.core.errors import BundleError
from holdgood.core.protocols import Persistable, Scorer
from holdgood.core.records import (
    Leaderboard,
)
from holdgood.core.records.envelope import read, write, write_array, write_bytes
from holdgood.metrics import Band
from holdgood.scale import cores
from holdgood.training import Trained, train
from holdgood.training.fitted_band import FittedBand
from holdgood.workflow.bands import AnyBand, Bands, Division, LearnedBands, bands_of, expect_amounts, for_training
from holdgood.workflow.candidates import by_lessons, left_out, portfolio
from holdgood.workflow.folder import StepFolder
from holdgood.workflow.judging import class_weight, costs, spending
from holdgood.workflow.monotone import able, constrained
from holdgood.workflow.nested import Outer, outer_folds
from holdgood.workflow.recall import FILE as LESSONS
from holdgood.workflow.recall import advice, recall, remember
from holdgood.workflow.steps.numbers import finite
from holdgood.workflow.validation import IN_TIME, apart, fold_kind, own_folds, repeats_note, validation_folds
from holdgood.workflow.work import DEVELOPMENT, HOLDOUT, Work

# Share of the whole budget kept for evaluation, bundle and report, and the seconds below which it never falls.
_RESERVE_SHARE, _RESERVE_SECONDS = 0.15, 4.0


def train_models(work: Work, folder: StepFolder) -> Leaderboard:
    """Try candidates on the development rows, within what is left of the budget."""
    assert work.target is not None and work.split is not None
    declared, task = work.declaration, work.target.task
    expect_amounts(declared, task)
    work.lessons = recall(work)
    clock, outer = _training_clock(work), work.split.outer
    rows = np.arange(len(work.rows_of(DEVELOPMENT)))
    trained, learned = _trained(work, rows, _share_of(clock, 1, 1 + outer), folder.path / "trials")
    work.bands = learned.bands
    residual = {n: b.base if isinstance(b, FittedBand) else b for n, b in work.bands.items()}
    write_bytes(folder.path / "bands.json", json.dumps({n: b.to_json() for n, b in residual.items()}).encode())
    kind = fold_kind(declared.split, work.split.how)
    if outer:
        frame, y = work.frame(DEVELOPMENT), work.outcomes(DEVELOPMENT)
        times, groups = work.at(work.split_time, DEVELOPMENT), work.at(work.groups, DEVELOPMENT)
        seed = declared.budget.seed + 1  # other folds than those that the delivered model was chosen on
        found = validation_folds(declared.split, kind, task, y, time=times, groups=groups, seed=seed, n_folds=outer)
        work.outer = outer_folds(
            found,
            lambda number, part: _with_bands(
                *_trained(work, part, _share_of(clock, 2 + number, 1 + outer), folder.path / f"outer-{number + 1}")
            ),
            frame,
            task,
            costs(work),
        )
        for name, values in work.outer.arrays().items():
            write_array(folder.path / f"outer-{name}.npy", values)
        write_bytes(folder.path / "outer.json", json.dumps({"chosen": work.outer.chosen}).encode())
    write(folder.path / LESSONS, work.lessons)
    short = repeats_note(declared.split, trained.leaderboard.repeats)
    told = (*(n for n in (work.metric_note, work.monotone_note, short) if n), *work.lessons.notes)
    told += remember(work, work.lessons, trained)
    notes = (*told, *trained.leaderboard.notes, *left_out(declared.budget.models))
    work.leaderboard = trained.leaderboard.model_copy(
        update={"fold_kind": kind, "notes": notes, "band": learned.choice}
    )
    work.chain, work.prior, work.simple = trained.chain, trained.prior, trained.simple
    parts: dict[str, Persistable] = {"chain": trained.chain, "prior": trained.prior}
    if trained.simple is not None:
        parts["simple"] = trained.simple
    if isinstance(fitted := work.bands.get("chosen"), FittedBand):
        parts["band"] = fitted
    save_bundle(folder.path / "model", name="training", parts=parts, records={}, task=task, run=work.run.id)
    write_array(folder.path / "oof.npy", trained.oof["chosen"])
    write_array(folder.path / "oof_rows.npy", trained.oof_rows)
    work.simple_name, work.simple_threshold = trained.simple_name, trained.simple_threshold
    rule = {"name": work.simple_name, "threshold": finite(work.simple_threshold)}
    write_bytes(folder.path / "simple.json", json.dumps(rule).encode())
    return work.leaderboard


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
    bands: dict[str, AnyBand] = {name: Band.from_json(one) for name, one in kept.items()}
    if isinstance(fitted := parts.get("band"), FittedBand):
        bands["chosen"] = fitted
    work.bands = bands
    if (folder.path / "outer.json").exists():
        arrays = {f.stem.removeprefix("outer-"): np.load(f) for f in folder.path.glob("outer-*.npy")}
        chosen = json.loads((folder.path / "outer.json").read_text(encoding="utf-8"))["chosen"]
        work.outer = Outer.of(arrays, chosen)


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


def _share_of(clock: Clock, number: int, of: int) -> Clock:
    """The clock of one of several trainings: each may spend an equal part of what is left to it and those after it."""
    if of == 1 or np.isinf(clock.left()):
        return clock if of == 1 else Clock(clock.budget)
    return Clock(Budget(seconds=clock.left() / (of + 1 - number)))


def _trained(work: Work, rows: np.ndarray, clock: Clock, store: Path) -> tuple[Trained, LearnedBands]:
    """Training on some of the development rows, by position, and its bands; folds, weights and costs as declared."""
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
    workers = declared.budget.workers or min(2, cores())
    trained = train(
        frame.constrained(signs),
        y,
        task,
        tried.candidates,
        division,
        clock=for_training(clock, declared, task, frame),
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
        workers=workers,
        listener=work.listener,
        store=store,
        stamp=work.mark,
        latency_limit_ms=_least(declared.budget.max_latency_ms, declared.gates.max_latency_ms),
        size_limit_mb=_least(declared.budget.max_size_mb, declared.gates.max_size_mb),
        aim_latency_ms=declared.budget.max_latency_ms,
        aim_size_mb=declared.budget.max_size_mb,
        spaces=tried.spaces,
        as_given=began,
        apart=apart(declared.split, kind),
    )
    seed = declared.budget.seed
    divided = Division(
        frame, division, lambda some: own_folds(declared.split, kind, task, y, some, times, groups, seed), clock.left,
        times if kind in IN_TIME else None, groups, apart(declared.split, kind), seed, workers,
    )  # fmt: skip
    return trained, bands_of(trained, y, weight, task, costs(work), declared, divided)


def _least(*limits: float | None) -> float | None:
    """The tightest of some limits; None where there is none."""
    return min((x for x in limits if x is not None), default=None)


def _with_bands(trained: Trained, learned: LearnedBands) -> tuple[Trained, Bands]:
    return trained, learned.bands


def _scorer(part: Persistable) -> Scorer:
    if not isinstance(part, Scorer):
        raise BundleError(
            f"a part of kind {part.part!r} where a model was expected", "a chain", "run again with --fresh"
        )
    return part
