"""What a finished training teaches: paired comparisons of families and configurations, out of fold. The holdout is not looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from holdgood.core.frame import Frame
from holdgood.core.records import Comparison, DataKind, FamilyLesson, Lesson, ParameterLesson, Trial
from holdgood.core.task import Task
from holdgood.metrics.compare import paired
from holdgood.metrics.interval import LEVEL, weighted
from holdgood.metrics.score import loss_rows
from holdgood.metrics.units import resampling_units
from holdgood.training import Trained
from holdgood.workflow.compare import unit_of
from holdgood.workflow.folder import digest
from holdgood.workflow.lesson_files import identity
from holdgood.workflow.work import DEVELOPMENT, Work

MOST_ROWS_LOOKED_AT = 20_000
"""Rows that the share of missing values is taken from."""
MOST_ROWS_COMPARED = 100_000
"""Rows that trials are compared on, evenly spread: more would prove hardly more, and one loss a row and trial takes memory."""
MOST_OF_A_FAMILY = 6
"""Configurations of one family that a lesson keeps: those that differ most from the first."""


def kind_of(work: Work) -> DataKind:
    """The kind of data that this run learns from."""
    assert work.target is not None
    frame, y, task = work.frame(DEVELOPMENT), work.outcomes(DEVELOPMENT), work.target.task
    few = frame.take(_spread(len(y), MOST_ROWS_LOOKED_AT))
    types = [f.type for f in frame.features]
    classes = task.kind != "regression"
    counts = np.bincount(y.astype(np.int64), minlength=task.n_classes) if classes else np.zeros(0)
    return DataKind(
        task=task.kind,
        rows=len(y),
        features=len(types),
        numbers=types.count("number"),
        categories=types.count("category"),
        texts=types.count("text"),
        classes=task.n_classes if classes else 0,
        rarest=round(float(counts.min() / counts.sum()), 4) if classes else math.nan,
        missing=round(_missing(few), 4),
        over_time=work.split is not None and work.split.how == "time",
        grouped=work.groups is not None,
        joined=len(work.others),
    )


def _spread(n: int, most: int) -> np.ndarray:
    """Positions of at most so many of n rows, evenly spread."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(np.int64)


def _missing(frame: Frame) -> float:
    shares = [
        np.mean(np.isnan(a)) if f.type == "number" else np.mean([v is None for v in a])
        for f, a in zip(frame.features, frame.arrays, strict=True)
    ]
    return float(np.mean(shares)) if shares else 0.0


@dataclass(frozen=True, eq=False)
class Judged:
    """The trials of one training with a loss a row, ready to be compared in pairs."""

    task: Task
    trials: tuple[Trial, ...]
    losses: Mapping[str, np.ndarray]
    units: np.ndarray | None

    @classmethod
    def of(cls, work: Work, trained: Trained) -> Judged:
        """From what training handed on; rows weighed as in training."""
        assert work.target is not None
        at = _spread(len(trained.oof_rows), MOST_ROWS_COMPARED)
        task, places = work.target.task, work.rows_of(DEVELOPMENT)[trained.oof_rows[at]]
        y = work.target.y[places]
        weight = None if work.weight is None else work.weight[places]
        losses = {n: weighted(loss_rows(task, y, p[at]), weight) for n, p in trained.oof.items()}
        groups, time = (None if v is None else v[places] for v in (work.groups, work.split_time))
        told = tuple(t for t in trained.leaderboard.trials if t.status == "ok" and t.name in losses)
        return cls(task, told, losses, resampling_units(groups, time)[0])

    @property
    def above(self) -> list[Trial]:
        """Trials above the prior, in the order that they were tried."""
        lowest = min((t.rung for t in self.trials), default=0)
        return [t for t in self.trials if t.rung > lowest]

    @property
    def level(self) -> float:
        """Level of one comparison so that those of all pairs of trials hold together at 95%: the best may be picked among them."""
        n = len(self.above)
        return 1.0 - (1.0 - LEVEL) / max(1, n * (n - 1) // 2)

    def best(self) -> dict[str, Trial]:
        """The trial of lowest loss of each family above the prior, the best family first."""
        found: dict[str, Trial] = {}
        for t in sorted(self.above, key=lambda t: self._mean(t.name)):
            found.setdefault(t.family, t)
        return found

    def _mean(self, name: str) -> float:
        return float(np.mean(self.losses[name]))

    def compared(self, first: str, second: str, level: float | None = None) -> Comparison:
        """Two predictions by name, row by row."""
        return paired(
            self.losses[first], self.losses[second], first=first, second=second, clusters=self.units,
            unit=unit_of(self.task), level=self.level if level is None else level,
        )  # fmt: skip

    def families(self, better: str, worse: str) -> Comparison | None:
        """The best of one family against the best of another; None where one of them was not tried."""
        best = self.best()
        return self.compared(best[better].name, best[worse].name) if better in best and worse in best else None


def lesson_of(work: Work, trained: Trained, judged: Judged) -> Lesson | None:
    """The lesson of a training; None where nothing above the prior was judged."""
    if not judged.above:
        return None
    board, families = trained.leaderboard, _families(judged)
    single = judged.losses.get(board.chosen)
    tuned = judged.compared("chosen", board.chosen, LEVEL) if board.calibration and single is not None else None
    ensemble = next((r.gain for r in board.ladder if r.family == "ensemble"), None)
    made = Lesson(
        source=source_of(work),
        project=work.declaration.name,
        run=work.run.id,
        data=kind_of(work),
        families=families,
        parameters=_parameters(judged),
        calibration=board.calibration,
        calibration_gain=tuned,
        ensemble=ensemble,
        chosen=board.chosen,
        delivered=board.delivered,
        trials=len(judged.above),
        budget=board.budget,
    )
    made = made.model_copy(update={"sentences": sentences(made)})
    return made.model_copy(update={"id": identity(made)})


def source_of(work: Work) -> str:
    """Stands for the rows and the question."""
    assert work.split is not None
    return digest(work.split.holdout_fingerprint, work.declaration.task.target)[:16]


def _families(judged: Judged) -> tuple[FamilyLesson, ...]:
    best = list(judged.best().values())
    leader, found = best[0], []
    for t in best:
        against = None if t is leader else judged.compared(leader.name, t.name)
        behind = against is not None and against.verdict == "better"
        found.append(
            FamilyLesson(
                family=t.family,
                trial=t.name,
                parameters=t.parameters,
                standing="best" if against is None else "behind" if behind else "level",
                against=against,
            )
        )
    return tuple(found)


def _parameters(judged: Judged) -> tuple[ParameterLesson, ...]:
    found: list[ParameterLesson] = []
    for family in judged.best():
        first, *others = [t for t in judged.above if t.family == family]
        of_it = [
            ParameterLesson(
                family=family,
                trial=t.name,
                over=first.name,
                parameters=t.parameters,
                changed={k: v for k, v in t.parameters.items() if first.parameters.get(k) != v},
                gain=judged.compared(t.name, first.name),
            )
            for t in others
        ]
        found += sorted(of_it, key=lambda p: -abs(p.gain.difference))[:MOST_OF_A_FAMILY]
    return tuple(found)


def sentences(lesson: Lesson) -> tuple[str, ...]:
    """What helped and what did not, in words."""
    behind = [x.family for x in lesson.families if x.standing == "behind"]
    level = [x.family for x in lesson.families if x.standing == "level"]
    best = lesson.families[0].family
    said = [f"best: {best}" + (f", proven better than {', '.join(behind)}" if behind else "")]
    if level:
        said.append(f"not proven behind {best}: {', '.join(level)}")
    helped = [p.trial for p in lesson.parameters if p.gain.verdict == "better"]
    hurt = [p.trial for p in lesson.parameters if p.gain.verdict == "worse"]
    if helped:
        said.append(f"proven better than the first of their family: {', '.join(helped)}")
    if hurt:
        said.append(f"proven worse than the first of their family: {', '.join(hurt)}")
    if lesson.ensemble is not None:
        words = {"better": "helped", "worse": "hurt"}.get(lesson.ensemble.verdict, "was not proven to help")
        said.append(f"the ensemble {words}")
    said.append(
        f"calibration helped ({lesson.calibration})" if lesson.calibration else "calibration was not proven to help"
    )
    return tuple(said)
