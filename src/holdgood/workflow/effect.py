"""The effect of repairs on the model: the same rows, folds and learner, with and without each, compared row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.audit import audit
from holdgood.audit import installed as checks_installed
from holdgood.cleaning import installed
from holdgood.connectors import name_of
from holdgood.core.budget import Budget, Clock
from holdgood.core.chain import Chain
from holdgood.core.declaration import RepairSpec, parse
from holdgood.core.errors import DeclarationError, HoldgoodError
from holdgood.core.events import Event, Listener, silent
from holdgood.core.frame import Frame
from holdgood.core.protocols import AuditContext, Candidate, FitContext
from holdgood.core.records import Comparison, RepairEffect, RepairEffects
from holdgood.core.table import Table
from holdgood.features.builders.build import build
from holdgood.features.builders.plan import make_plan
from holdgood.features.trending import clocks
from holdgood.metrics.compare import holm, paired, verdict
from holdgood.metrics.cost import CostTable, answers, best_threshold, cost_rows, resolve
from holdgood.metrics.score import loss_rows
from holdgood.metrics.units import resampling_units
from holdgood.splitting import divide
from holdgood.workflow.candidates import candidates
from holdgood.workflow.excluded import excluded, identifiers
from holdgood.workflow.folder import Project
from holdgood.workflow.predict import with_tables
from holdgood.workflow.read import read_declared
from holdgood.workflow.repairs import repair
from holdgood.workflow.rows import group_codes, moments
from holdgood.workflow.second_pass import context_of, look
from holdgood.workflow.target import Target
from holdgood.workflow.target import resolve as resolve_target
from holdgood.workflow.validation import IN_TIME, fold_kind, validation_folds
from holdgood.workflow.work import DEVELOPMENT

ROWS = 40_000
"""More development rows are drawn down to so many, by the seed: a comparison of repairs is not a training."""
LEARNER = "lightgbm"
ROUNDS = 200


@dataclass(frozen=True)
class _Variant:
    """The tables under some repairs. ``kept``: places of the main rows in the table as read.

    ``fact``: for each row as read the row that stands for it: itself, or of a copy that was taken out the one that stayed.
    """

    tables: dict[str, Table]
    kept: np.ndarray
    fact: np.ndarray
    cells: int
    removed: int


class Bench:
    """One project, its rows, folds and learner; every variant is judged on it in the same way."""

    def __init__(self, project: Project, sources: Mapping[str, Any], learner: str) -> None:
        self.declared = project.declaration
        self.raw, _ = read_declared(self.declared, sources, project.path)
        self.main = self.declared.main
        self.seed = self.declared.budget.seed
        self.base = self.variant(with_tables(self.declared))
        main = self.base.tables[self.main]
        whole = resolve_target(self.declared.task, main)
        time, groups = self._times(main), self._groups(main)
        division = divide(self.declared.split, whole.task, whole.y, time=time, groups=groups, seed=self.seed)
        rows = division.rows(DEVELOPMENT)
        if len(rows) > ROWS:
            rows = np.sort(np.random.default_rng([self.seed, 23]).choice(rows, ROWS, replace=False))
        self.target = resolve_target(self.declared.task, main, rows)
        self.task = self.target.task
        self.places = self.base.kept[rows]
        self.y = self.target.y[rows]
        self.time = None if time is None else time[rows]
        self.groups = None if groups is None else groups[rows]
        self.how = fold_kind(self.declared.split, division.split.how)
        self.folds = validation_folds(
            self.declared.split, self.how, self.task, self.y, time=self.time, groups=self.groups, seed=self.seed
        )
        context, _ = context_of(
            main, {n: t for n, t in self.base.tables.items() if n != self.main}, self.declared,
            resolve_target(self.declared.task, main, division.rows(DEVELOPMENT)), division.part,
            times=time, decided=self._decision(main),
        )  # fmt: skip
        late = look(context, checks={"AUD014": checks_installed("target")["AUD014"]})
        self.exclude = excluded(self.declared, self.target.columns, late)
        names = AuditContext(tables=self.raw, declaration=self.declared)
        self.identifiers = identifiers(audit(names, "tables", checks={"AUD011": checks_installed("tables")["AUD011"]}))
        self.candidate = self._learner(learner, len(rows))
        self.costs: CostTable | None = (
            resolve(self.declared.costs, self.task)
            if self.declared.costs.declared and not self.declared.costs.function
            else None
        )

    def variant(self, repairs: Sequence[RepairSpec]) -> _Variant:
        """The tables under some repairs."""
        tables, kept, cells, removed = dict(self.raw), np.arange(self.raw[self.main].rows), 0, 0
        fact = kept
        available = installed()
        for spec in repairs:
            name = spec.table or self.main
            time = self.declared.tables[name].time
            before = tables[name]
            tables[name], entry, left = repair(before, spec, available, time)
            cells, removed = cells + entry.cells_changed, removed + entry.rows_removed
            if name == self.main:
                if len(left) < before.rows:
                    fact = _stand_ins(fact, kept, left, group_codes(before, spec.columns or before.names))
                kept = kept[left]
        return _Variant(tables, kept, fact, cells, removed)

    def _times(self, main: Table) -> np.ndarray | None:
        spec = self.declared.tables[self.main]
        expression = spec.time or self.declared.task.decision_time
        return moments(expression, main, purpose="the main table's time") if expression else None

    def _groups(self, main: Table) -> np.ndarray | None:
        return group_codes(main, self.declared.split.by) if self.declared.split.by else None

    def _decision(self, main: Table) -> np.ndarray | None:
        expression = self.declared.task.decision_time
        return moments(expression, main, purpose="task.decision_time") if expression else self._times(main)

    def _learner(self, family: str, rows: int) -> Candidate:
        """The first configuration of one family, with a fixed number of rounds: nothing is tuned on the way."""
        found = [c for c in candidates(self.task, rows, 10, (family,)) if c.family == family]
        if not found:
            raise DeclarationError(
                f"the family {family!r} has nothing for a {self.task.kind} task",
                "another family",
                "use --learner lightgbm",
            )
        return found[0]

    def frame(self, variant: _Variant) -> tuple[Frame, np.ndarray]:
        """Features of the development rows that the variant has, and where they lie among those of the bench."""
        main = variant.tables[self.main]
        at = np.searchsorted(self.places, variant.kept)
        at = np.where(
            (at < len(self.places)) & (self.places[np.minimum(at, len(self.places) - 1)] == variant.kept), at, -1
        )
        rows = np.flatnonzero(at >= 0)
        known = {n: t for n, t in variant.tables.items() if n != self.main}
        exclude = {n: {c: r for c, r in own.items() if c in variant.tables[n].names} for n, own in self.exclude.items()}
        plan = make_plan(self.declared, variant.tables, exclude=exclude, identifiers=self.identifiers)
        times = self._decision(main)
        part, given = main.take(rows), None if times is None else times[rows]
        frame, _ = build(plan, part, known, decision_time=given)
        if self.how in IN_TIME and self.time is not None:
            plan = plan.without(clocks(frame, self.time[at[rows]]))
            frame, _ = build(plan, part, known, decision_time=given)
        return frame, at[rows]

    def same_outcome(self, variant: _Variant, at: np.ndarray) -> bool:
        """Whether the repair leaves the outcome of the rows alone."""
        main = variant.tables[self.main]
        rows = np.flatnonzero(np.isin(variant.kept, self.places[at]))
        try:
            target: Target = resolve_target(self.declared.task, main, rows)
        except HoldgoodError:
            return False
        return target.task.classes == self.task.classes and np.array_equal(target.y[rows], self.y[at], equal_nan=True)

    def predictions(
        self, frame: Frame, at: np.ndarray, clock: Clock, apart: tuple[np.ndarray, np.ndarray] | None = None
    ) -> np.ndarray:
        """Out-of-fold predictions by place on the bench, NaN for rows that nobody predicted.

        ``apart``: the row that stands for each row as read, and the places that are judged: no model learns from a copy of a
        row that it is judged on.
        """
        shape = (len(self.y), len(self.task.classes)) if self.task.kind == "multiclass" else (len(self.y),)
        out = np.full(shape, np.nan)
        where = np.full(len(self.y), -1)
        where[at] = np.arange(len(at))
        for train, valid in self.folds:
            mine, theirs = train[where[train] >= 0], valid[where[valid] >= 0]
            if apart is not None:
                fact, judged = apart[0][self.places], np.intersect1d(theirs, apart[1])
                mine = mine[~np.isin(fact[mine], fact[judged])]
            context = FitContext(
                self.task, seed=self.seed, rounds=ROUNDS, seconds=max(1.0, clock.left()),
                groups=None if self.groups is None else self.groups[mine],
            )  # fmt: skip
            chain = Chain.of(self.candidate).fit(frame.take(where[mine]), self.y[mine], None, context)
            out[theirs] = chain.predict(frame.take(where[theirs]))
        return out

    def compare(
        self, label: str, with_it: np.ndarray, without: np.ndarray, tilted: CostTable | None = None
    ) -> tuple[Comparison, Comparison | None]:
        """In the ladder's loss, and in money a row where costs are declared; over rows that both predict.

        ``tilted``: the costs that the first's answers are chosen with, where its chances were learned with weights of classes.
        """
        flat = (with_it + without).reshape(len(self.y), -1)
        rows = np.flatnonzero(~np.isnan(flat).any(axis=1))
        y = self.y[rows]
        clusters, _ = resampling_units(
            None if self.groups is None else self.groups[rows], None if self.time is None else self.time[rows]
        )
        one, two = loss_rows(self.task, y, with_it[rows]), loss_rows(self.task, y, without[rows])
        unit = "squared error" if self.task.kind == "regression" else "log loss"
        gain = paired(one, two, first=label, second="without", clusters=clusters, unit=unit)
        if self.costs is None:
            return gain, None
        spent = [self.spent(with_it, rows, tilted), self.spent(without, rows)]
        unit = f"{self.declared.costs.currency or 'money'} a {self.declared.costs.per}"
        return gain, paired(spent[0], spent[1], first=label, second="without", clusters=clusters, unit=unit)

    def spent(self, prediction: np.ndarray, rows: np.ndarray, tilted: CostTable | None = None) -> np.ndarray:
        """Cost of each of ``rows`` where costs are declared, (rows,); the threshold of each fold is chosen on the others."""
        assert self.costs is not None
        table = tilted or self.costs
        out = np.zeros(len(self.y))
        for _, valid in self.folds:
            own = np.intersect1d(valid, rows)
            rest = np.setdiff1d(rows, own)
            threshold = None
            if self.task.kind == "binary" and len(rest):
                threshold = best_threshold(table, self.y[rest], prediction[rest])
            out[own] = cost_rows(table, self.y[own], answers(table, prediction[own], threshold))
        return out[rows]


def effects(
    project: Project,
    proposals: Sequence[RepairSpec] = (),
    *,
    sources: Mapping[str, Any] | None = None,
    learner: str = LEARNER,
    seconds: float = 600.0,
    listener: Listener = silent,
) -> RepairEffects:
    """Compare each declared repair (left out) and each proposed one (added), and all proposed together.

    ``learner``: the family that is refitted; trees take odd values in their stride, a linear model does not. Every variant
    refits encoder and model in every fold of the same development rows; the holdout is not looked at. p-values are adjusted
    by Holm over all comparisons. What there was no time for is said, not guessed.
    """
    clock = Clock(Budget(seconds=seconds))
    bench = Bench(project, sources or {}, learner)
    declared = with_tables(project.declaration)
    asked: list[tuple[RepairSpec | None, list[RepairSpec], bool]] = [
        (spec, [s for s in declared if s is not spec], False) for spec in declared
    ]
    asked += [(spec, [*declared, spec], True) for spec in proposals]
    if len(proposals) > 1:
        asked.append((None, [*declared, *proposals], True))
    frame, at = bench.frame(bench.base)
    listener(Event("progress", "effect", "as declared", 0.0))
    base = bench.predictions(frame, at, clock)
    done = []
    for number, (spec, repairs, added) in enumerate(asked):
        label = "all together" if spec is None else spec.repair
        listener(Event("progress", "effect", label, (number + 1) / (len(asked) + 1)))
        if clock.left() <= 0:
            done.append(_described(spec, None, "no time was left for it"))
            continue
        own, standing = bench, (frame, at, base)
        if spec is not None and not added and len(bench.variant(repairs).kept) != len(bench.base.kept):
            # What is left out takes rows out: the bench is laid on the table that has them, and the repair is added to it.
            without = project.declaration.model_copy(update={"repairs": repairs})
            own = Bench(Project(project.path, without), sources or {}, learner)
            rows_too, places = own.frame(own.base)
            repairs, added, standing = declared, True, (rows_too, places, own.predictions(rows_too, places, clock))
        done.append(_one(own, spec, repairs, added, standing, clock))
    kept = _adjusted(done)
    return RepairEffects(
        effects=tuple(kept),
        loss="squared error" if bench.task.kind == "regression" else "log loss",
        learner=bench.candidate.name,
        rows=len(bench.y),
        folds=len(bench.folds),
        fold_kind=bench.how,
        sentence=f"{bench.candidate.name} on {len(bench.folds)} folds of {len(bench.y):,} development rows, "
        f"{ROUNDS} rounds; p-values adjusted over {sum(e.gain is not None for e in kept)} comparisons (Holm)",
    )


def one_table(tables: Sequence[str], target: str) -> Project:
    """One table and a target, without a project file; DeclarationError where it is not one table, or nothing to predict."""
    if len(tables) != 1 or not target:
        raise DeclarationError(
            "--effect needs to know what is predicted",
            "one table with --target COLUMN, or a project",
            "holdgood clean TABLE --target COLUMN --effect",
        )
    declared = {"tables": {name_of(tables[0]): {"source": tables[0]}}, "task": {"target": target}}
    return Project(Path().resolve(), parse(declared))


def _one(
    bench: Bench,
    spec: RepairSpec | None,
    repairs: Sequence[RepairSpec],
    added: bool,
    base: tuple[Frame, np.ndarray, np.ndarray],
    clock: Clock,
) -> RepairEffect:
    try:
        variant = bench.variant(repairs)
        frame, at = bench.frame(variant)
    except HoldgoodError as error:
        return _described(spec, None, f"it cannot be applied: {error.came}")
    if not bench.same_outcome(variant, at):
        return _described(spec, variant, "it changes the outcome itself: the two cannot be compared")
    if np.array_equal(at, base[1]) and _same(frame, base[0]):
        return _described(spec, _less(variant, bench.base, added), "it changes no feature of these rows")
    prediction, standing = bench.predictions(frame, at, clock), base[2]
    if len(variant.kept) != len(bench.base.kept):
        # Both are judged on the rows that both keep. A copy in training would give away the row that it copies: without the
        # repair the folds would flatter the model.
        standing = bench.predictions(base[0], base[1], clock, (variant.fact, at))
    with_it, without = (prediction, standing) if added else (standing, prediction)
    gain, money = bench.compare("all together" if spec is None else spec.repair, with_it, without)
    return _described(spec, _less(variant, bench.base, added), "").model_copy(update={"gain": gain, "money": money})


def _stand_ins(fact: np.ndarray, kept: np.ndarray, left: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """After a repair took rows out: the row that stands for each row as read.

    ``kept``: places of the rows before it, ``left``: positions among them that stayed, ``codes``: equal for copies.
    """
    gone = np.setdiff1d(np.arange(len(kept)), left)
    stayed = np.full(int(codes.max(initial=-1)) + 1, -1)
    stayed[codes[left]] = left
    twin = stayed[codes[gone]]
    gone, twin = gone[twin >= 0], twin[twin >= 0]
    becomes = np.arange(len(fact))
    becomes[fact[kept[gone]]] = fact[kept[twin]]
    return np.asarray(becomes[fact])


def _less(variant: _Variant, base: _Variant, added: bool) -> _Variant:
    sign = 1 if added else -1
    return replace(variant, cells=sign * (variant.cells - base.cells), removed=sign * (variant.removed - base.removed))


def _described(spec: RepairSpec | None, variant: _Variant | None, note: str) -> RepairEffect:
    return RepairEffect(
        repair="all together" if spec is None else spec.repair,
        table="" if spec is None else spec.table or "",
        columns=() if spec is None else tuple(spec.columns),
        why="" if spec is None else spec.why,
        cells_changed=0 if variant is None else max(0, variant.cells),
        rows_removed=0 if variant is None else max(0, variant.removed),
        note=note,
    )


def _same(one: Frame, two: Frame) -> bool:
    if one.names != two.names:
        return False
    return all(
        np.array_equal(a, b, equal_nan=True) if a.dtype.kind == "f" else np.array_equal(a, b)
        for a, b in zip(one.arrays, two.arrays, strict=True)
    )


def _adjusted(effects: Sequence[RepairEffect]) -> list[RepairEffect]:
    """Verdicts after Holm's correction, in loss and in money each over all repairs."""
    out = list(effects)
    for name in ("gain", "money"):
        at = [i for i, e in enumerate(out) if getattr(e, name) is not None]
        adjusted = holm([getattr(out[i], name).p for i in at])
        for i, p in zip(at, adjusted, strict=True):
            found: Comparison = getattr(out[i], name)
            told = verdict(found.difference, float(p), found.level)
            out[i] = out[i].model_copy(update={name: found.model_copy(update={"p": float(p), "verdict": told})})
    return out
