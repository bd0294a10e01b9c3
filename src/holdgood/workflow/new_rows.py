"""A leaderboard on new labelled rows: what several runs delivered, and the prior and simplest beside each, on the same rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holdgood.audit.verdicts import REFUSED
from holdgood.bundle import load as load_bundle
from holdgood.core.errors import DataError, DeclarationError, HoldgoodError, did_you_mean
from holdgood.core.frame import Frame
from holdgood.core.protocols import Scorer
from holdgood.core.records import Comparison, Entrant, NewRowsBoard, Origin
from holdgood.core.table import Table
from holdgood.core.task import DEFAULT_METRIC, Task
from holdgood.evaluation import measure
from holdgood.metrics.compare import paired
from holdgood.metrics.cost import cost_rows, resolve
from holdgood.metrics.interval import LEVEL, mean_interval, weighted
from holdgood.metrics.score import METRICS, loss_rows
from holdgood.metrics.units import resampling_units
from holdgood.splitting import WORN_AFTER, Openings
from holdgood.workflow.compare import data_of, open_runs, unit_of
from holdgood.workflow.folder import Project
from holdgood.workflow.predict import Predictor
from holdgood.workflow.result import Run
from holdgood.workflow.rows import canonical_order, group_codes, moments
from holdgood.workflow.scoring import related_tables
from holdgood.workflow.seen import Seen, seen_by
from holdgood.workflow.target import outcomes
from holdgood.workflow.weights import row_weights

FEWEST = 2


@dataclass(eq=False)
class _Side:
    """One run with the new rows as its model reads them."""

    label: str
    run: Run
    model: Predictor
    as_read: Table
    rows: Table
    others: Mapping[str, Table]
    y: np.ndarray
    seen: Seen

    @property
    def units(self) -> np.ndarray | None:
        """What belongs together among the rows, as this run declares it."""
        by = [c for c in self.model.declaration.split.by if c in self.rows.names]
        spec = self.model.declaration.tables[self.model.declaration.main]
        time = moments(spec.time, self.rows, purpose="the main table's time") if spec.time else None
        return resampling_units(group_codes(self.rows, by) if by else None, time)[0]


def rank_on(folder: Path, runs: Sequence[str], source: str, related: Sequence[str] = ()) -> NewRowsBoard:
    """Rank models of several runs (or one) on labelled rows, best first.

    ``runs``: as in ``compare_runs``. ``source``: rows of the main table with their outcome; ``related``: ``NAME=FILE`` for each
    table that the models join. Rows that a run was tuned on judge nobody: they are left out and counted. All differences are
    paired, and their intervals hold together at 95%. That these rows ranked models is counted in the project's openings.

    Raises DataError where no new row is left, or where the runs answer different questions.
    """
    opened = open_runs(folder, runs)
    _check_related(list(opened.values()), related)
    sides = [_side(label, run, source, related) for label, run in opened.items()]
    task = _one_task(sides)
    tuned = np.zeros(len(sides[0].y), bool)
    for side in sides:
        if side.seen.tuned_on is not None:
            tuned |= side.seen.tuned_on
    there = np.isfinite(sides[0].y)
    weight, unweighed = _weight(sides)
    counts = np.ones(len(there), bool) if weight is None else weight > 0
    kept = np.flatnonzero(there & ~tuned & counts)
    if len(kept) < FEWEST:
        raise DataError(
            f"{len(kept)} of {len(tuned):,} rows are new and have an outcome: runs were tuned on {int(tuned.sum()):,}, "
            f"{int((~there).sum()):,} have none",
            "labelled rows that no run has learned from",
            "give rows that came later",
        )
    unlike = next((s for s in sides if not np.array_equal(s.y[kept], sides[0].y[kept])), None)
    if unlike is not None:
        raise DataError(
            f"runs {sides[0].label} and {unlike.label} answer different questions: outcomes of the same rows differ",
            "the same target",
            "compare runs of one target",
        )
    name = task.metric if task.metric in METRICS else DEFAULT_METRIC[task.kind]
    notes = [] if name == task.metric else [f"{task.metric} is a function of one project: {name} ranks instead."]
    look = _counted(Project.at(folder) if (folder / "runs").is_dir() else sides[0].run.project, sides)
    entrants = _entrants(sides, task, kept, name, None if weight is None else weight[kept])
    higher = METRICS[name].higher_is_better
    entrants.sort(key=lambda e: (math.isnan(e.score.value), -e.score.value if higher else e.score.value, e.name))
    return NewRowsBoard(
        source=source,
        rows=len(kept),
        no_outcome=int((~there).sum()),
        left_out=int((there & tuned).sum()),
        metric=name,
        higher_is_better=higher,
        entrants=tuple(entrants),
        origins=tuple(_origin(s) for s in sides),
        currency=sides[0].model.declaration.costs.currency if entrants[0].cost else "",
        looks=look,
        notes=(*notes, *unweighed, *_warnings(sides, look)),
    )


def _side(label: str, run: Run, source: str, related: Sequence[str]) -> _Side:
    model = run.model
    # a table that only another run joins is no mistake here
    mine = [pair for pair in related if "=" not in pair or pair.partition("=")[0] in _joined(run)]
    as_read, others = related_tables(model, source, mine)
    rows = model.repaired(as_read)
    y = outcomes(model.declaration.task, rows, model.task)
    return _Side(label, run, model, as_read, rows, others, y, seen_by(run, as_read, data_of(run)))


def _joined(run: Run) -> set[str]:
    return {t.name for t in run.model.contract.tables} - {run.model.declaration.main}


def _check_related(runs: Sequence[Run], related: Sequence[str]) -> None:
    """A table that no run joins is a slip of the pen."""
    known = sorted({name for run in runs for name in _joined(run)})
    for name in (pair.partition("=")[0] for pair in related if "=" in pair):
        if name not in known:
            raise DeclarationError(
                f"no run joins a table {name!r}",
                "one of: " + ", ".join(known) if known else "no --table: the runs join none",
                did_you_mean(name, known) or "take the option out",
            )


def _one_task(sides: Sequence[_Side]) -> Task:
    first = sides[0].model.task
    for side in sides:
        if (side.model.task.kind, side.model.task.classes) != (first.kind, first.classes):
            raise DataError(
                f"runs {sides[0].label} and {side.label} answer different questions: their outcomes are not of one kind",
                "the same target",
                "compare runs of one target",
            )
        if side.rows.rows != sides[0].rows.rows:
            raise DataError(
                f"runs {sides[0].label} and {side.label} read {sides[0].rows.rows:,} and {side.rows.rows:,} rows of the same file",
                "the same options for reading it",
                "compare them one by one",
            )
    return first


def _weight(sides: Sequence[_Side]) -> tuple[np.ndarray | None, list[str]]:
    """What each row counts where all runs declare it alike and the rows tell it, else None; and how rows count, in words."""
    declared = {s.model.declaration.task.weight or "" for s in sides}
    if declared == {""}:
        return None, []
    if len(declared) > 1:
        return None, ["The runs declare different weights: rows count once each."]
    expression = declared.pop()
    try:
        weight = row_weights(expression, sides[0].rows, sides[0].y)
    except HoldgoodError as error:
        return None, [f"Rows count once each: the declared weight cannot be had from these rows ({error.came})."]
    return weight, [f"Rows count as declared ({expression}); weights of classes do not enter."]


def _entrants(
    sides: Sequence[_Side], task: Task, kept: np.ndarray, name: str, weight: np.ndarray | None
) -> list[Entrant]:
    """Every model with its scores; paired with the first run's delivered model, and with the prior beside it."""
    units = [u if u is None else u[kept] for u in (s.units for s in sides)]
    y, priced = _known(sides[0].y[kept], task), len({str(s.model.declaration.costs) for s in sides}) == 1
    predicted = {(s.label, role): (model, p[kept]) for s in sides for role, model, p in _predictions(s)}
    losses = {key: weighted(loss_rows(task, y, p), weight) for key, (_, p) in predicted.items()}
    first = (sides[0].label, "delivered")
    # every model against the first, and against the prior of its own run: so many intervals hold together
    made = (len(predicted) - 1) + sum(role != "prior" for _, role in predicted)
    level = 1.0 - (1.0 - LEVEL) / max(1, made)

    def against(key: tuple[str, str], other: tuple[str, str]) -> Comparison | None:
        if key == other or other not in losses:
            return None
        told = [
            paired(losses[key], losses[other], first=_called(key), second=_called(other), clusters=u, unit=unit_of(task), level=level)
            for u in units
        ]  # fmt: skip
        # Where the runs declared other clusters, the one that proves less is believed.
        return max(told, key=lambda c: math.inf if math.isnan(c.p) else c.p)

    found = []
    for side, clusters in zip(sides, units, strict=True):
        declared = side.model.declaration.costs
        table = resolve(declared, task, side.model.class_weight, side.model.average_costs)
        for (label, role), (model, prediction) in predicted.items():
            if label != side.label:
                continue
            metrics = measure(task, y, prediction, clusters, weight)
            cost = None
            if priced and declared.declared and declared.function is None and role == "delivered":
                answer = side.model.codes(prediction)
                cost = mean_interval(weighted(cost_rows(table, y, answer), weight), clusters)
            key = (label, role)
            found.append(
                Entrant(
                    name=_called(key),
                    run=label,
                    role=role,
                    model=model,
                    score=metrics[name],
                    metrics=metrics,
                    cost=cost,
                    against_first=against(key, first),
                    against_own_prior=against(key, (label, "prior")) if role != "prior" else None,
                )
            )
    return found


def _called(key: tuple[str, str]) -> str:
    label, role = key
    return f"run {label}" if role == "delivered" else f"{role} of run {label}"


def _known(y: np.ndarray, task: Task) -> np.ndarray:
    """Codes with a class that development never saw as one behind the known ones (binary: as not positive)."""
    if task.kind == "regression":
        return y
    return np.where(y >= 0, y, 0.0 if task.kind == "binary" else float(task.n_classes))


def _predictions(side: _Side) -> list[tuple[str, str, np.ndarray]]:
    """Role, name and predictions of what the run delivered, of its prior and of its simplest rung (where it kept one)."""
    frame = side.model.frame(side.rows, side.others)
    found = [("delivered", side.run.leaderboard.chosen, side.model.chain.predict(frame))]
    return found + [(role, name, scorer.predict(frame)) for role, name, scorer in _beside(side.run, frame)]


def _beside(run: Run, frame: Frame) -> list[tuple[str, str, Scorer]]:
    """The prior and the simplest rung lie in the training's folder, not in the bundle; a damaged one is passed over."""
    folder = run.folder.find("train")
    if folder is None or not len(frame):
        return []
    try:
        parts = load_bundle(folder.path / "model").parts
    except HoldgoodError:
        return []
    named = ((role, part, parts.get(part)) for role, part in (("simplest", "simple"), ("prior", "prior")))
    return [(role, part, scorer) for role, part, scorer in named if isinstance(scorer, Scorer)]


def _origin(side: _Side) -> Origin:
    seen, said = side.seen, side.run.holdout
    refused = side.model.judge(side.as_read).count(REFUSED)
    sentences = []
    if seen.tuned_on is None:
        sentences.append(f"Whether these rows are among its development rows cannot be told: {seen.why}.")
    elif not seen.tuned_on.any():
        sentences.append("None of these rows is among its development rows.")
    else:
        sentences.append(f"{int(seen.tuned_on.sum()):,} of these rows are among its development rows: left out.")
    if seen.held_out is not None and seen.held_out.any():
        sentences.append(
            f"{int(seen.held_out.sum()):,} are among the rows that it held out: they tuned nothing, but they are not new to whoever "
            "read its report."
        )
    if refused:
        sentences.append(
            f"Its contract refuses {refused:,} of these rows: in use they would get no answer; here they count."
        )
    return Origin(
        run=side.label,
        tuned_on=said.tuned_on,
        seen=-1 if seen.tuned_on is None else int(seen.tuned_on.sum()),
        held_out=-1 if seen.held_out is None else int(seen.held_out.sum()),
        refused=refused,
        sentence=" ".join(sentences),
    )


def _counted(project: Project, sides: Sequence[_Side]) -> int:
    """Count that these rows were looked at to rank models; in whatever order they are written."""
    rows = sides[0].as_read
    fingerprint = rows.take(canonical_order(rows)).fingerprint()
    who = ", ".join(s.label for s in sides)
    return Openings(project.openings).open(fingerprint, who=who, why="leaderboard on new rows")


def _warnings(sides: Sequence[_Side], looks: int) -> list[str]:
    said = ["All intervals of differences hold together at 95%."]
    if len(sides) > 1:
        said.append(
            "Whichever model is picked as the best by this table was picked on these rows: its score here is a little too good."
        )
    if looks > 1:
        worn = " By now they are worn: choosing by them, again and again, tunes to them." if looks > WORN_AFTER else ""
        said.append(f"These rows have been looked at {looks} times in this project.{worn}")
    if len({str(s.model.declaration.costs) for s in sides}) > 1:
        said.append("The runs declare different costs: no money is compared.")
    return said
