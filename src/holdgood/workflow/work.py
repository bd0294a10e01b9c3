"""Work: what the steps of one run hand on in memory. Every piece can be restored from the run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from holdgood.core.budget import Clock
from holdgood.core.declaration import Declaration
from holdgood.core.events import Listener, silent
from holdgood.core.frame import Frame
from holdgood.core.protocols import Scorer
from holdgood.core.records import (
    AuditReport,
    Bundle,
    CleanLog,
    Contract,
    Evaluation,
    FairnessReport,
    FeatureLedger,
    JoinEntry,
    Leaderboard,
    LessonsUsed,
    ModelCard,
    Profile,
    Split,
    Verdict,
)
from holdgood.core.table import Table
from holdgood.features.builders.build import build
from holdgood.features.builders.plan import FeaturePlan
from holdgood.metrics.score import Metric
from holdgood.metrics.units import resampling_units
from holdgood.workflow.bands import Bands
from holdgood.workflow.contract import reviewed_contract
from holdgood.workflow.folder import Project, RunFolder
from holdgood.workflow.forecasting.state import Forecasting
from holdgood.workflow.nested import Outer
from holdgood.workflow.own_costs import OwnCosts
from holdgood.workflow.rows import group_codes, moments
from holdgood.workflow.target import Target

DEVELOPMENT, HOLDOUT, UNUSED, NO_OUTCOME = 0, 1, 2, 3


@dataclass
class Work:
    """One run under way. ``tables`` holds the main table in canonical order; ``row_numbers`` its rows' places in the source.

    ``raw`` are the tables as read, before repairs; ``kept`` the positions in ``raw`` of the main rows that are left.
    ``mark`` is the fingerprint of the step under way. ``weight``: how much each main row counts, or None.
    ``functions``: those given in Python, by path; ``metric``, ``own_costs`` and ``average_costs`` (k, k): see ``judging``.
    """

    project: Project
    run: RunFolder
    clock: Clock
    sources: Mapping[str, Any] = field(default_factory=dict)
    listener: Listener = silent
    tables: dict[str, Table] = field(default_factory=dict)
    row_numbers: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    raw: dict[str, Table] = field(default_factory=dict)
    kept: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    mark: str = ""
    profiles: tuple[Profile, ...] = ()
    audit_tables: AuditReport | None = None
    clean: CleanLog | None = None
    target: Target | None = None
    split: Split | None = None
    part: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int8))
    weight: np.ndarray | None = None
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    metric: Metric | None = None
    metric_note: str = ""
    monotone_note: str = ""
    own_costs: OwnCosts | None = None
    average_costs: np.ndarray | None = None
    audit_target: AuditReport | None = None
    plan: FeaturePlan | None = None
    ledger: FeatureLedger | None = None
    lessons: LessonsUsed | None = None
    leaderboard: Leaderboard | None = None
    chain: Scorer | None = None
    prior: Scorer | None = None
    simple: Scorer | None = None
    simple_name: str = ""
    simple_threshold: float = float("nan")
    outer: Outer | None = None
    bands: Bands = field(default_factory=dict)
    evaluation: Evaluation | None = None
    holdout_prediction: np.ndarray | None = None
    latency_ms: float = float("nan")
    fairness: FairnessReport | None = None
    verdict: Verdict | None = None
    card: ModelCard | None = None
    bundle: Bundle | None = None
    forecasting: Forecasting | None = None
    seconds: list[tuple[str, float, bool]] = field(default_factory=list)
    _frames: dict[int, tuple[Frame, tuple[JoinEntry, ...]]] = field(default_factory=dict)

    @property
    def declaration(self) -> Declaration:
        """What was declared."""
        return self.project.declaration

    @property
    def main(self) -> Table:
        """The main table, cleaned, in canonical order."""
        return self.tables[self.declaration.main]

    @property
    def others(self) -> dict[str, Table]:
        """The other tables."""
        return {n: t for n, t in self.tables.items() if n != self.declaration.main}

    def forget_times(self) -> None:
        """Drop what was computed from the main table (after cleaning changed it)."""
        for name in ("decision_time", "time", "groups"):
            self.__dict__.pop(name, None)
        self._frames.clear()

    @cached_property
    def contract(self) -> Contract | None:
        """The contract that the project's people keep, if they do."""
        return reviewed_contract(self.project.path)

    @cached_property
    def time(self) -> np.ndarray | None:
        """When each main row happens, in microseconds; None where no time is declared."""
        spec = self.declaration.tables.get(self.declaration.main)
        if spec is None or not spec.time:
            return None
        return moments(spec.time, self.main, purpose="the main table's time")

    @cached_property
    def decision_time(self) -> np.ndarray | None:
        """When each decision is taken; the row's own time where nothing else is declared."""
        expression = self.declaration.task.decision_time
        return moments(expression, self.main, purpose="task.decision_time") if expression else self.time

    @property
    def split_time(self) -> np.ndarray | None:
        """What orders rows for the wall: the row's time, else the moment of decision."""
        return self.time if self.time is not None else self.decision_time

    def judged(self) -> np.ndarray:
        """Positions of the main rows that judge the model: the holdout, or what outer folds validated where there is none."""
        return self.rows_of(HOLDOUT) if self.outer is None else self.rows_of(DEVELOPMENT)[self.outer.rows]

    def judged_frame(self) -> Frame:
        """Features of the rows that judge the model."""
        return self.frame(HOLDOUT) if self.outer is None else self.frame(DEVELOPMENT).take(self.outer.rows)

    def of_judged(self, values: np.ndarray | None) -> np.ndarray | None:
        """Some per-row values of the rows that judge the model."""
        return None if values is None else values[self.judged()]

    def units(self) -> np.ndarray | None:
        """Codes of what is resampled together among these: declared groups, else blocks of days, else None."""
        return resampling_units(self.of_judged(self.groups), self.of_judged(self.split_time))[0]

    @cached_property
    def groups(self) -> np.ndarray | None:
        """Codes of what must stay together, or None."""
        by = self.declaration.split.by
        return group_codes(self.main, by) if by else None

    def forget_frames(self) -> None:
        """Drop built features (after the plan changed)."""
        self._frames.clear()

    def rows_of(self, part: int) -> np.ndarray:
        """Positions of one part of the main table."""
        return np.flatnonzero(self.part == part)

    def outcomes(self, part: int) -> np.ndarray:
        """Coded outcomes of one part."""
        assert self.target is not None
        return self.target.y[self.rows_of(part)]

    def at(self, values: np.ndarray | None, part: int) -> np.ndarray | None:
        """Some per-row values of one part."""
        return None if values is None else values[self.rows_of(part)]

    def frame(self, part: int) -> Frame:
        """Features of one part, built once."""
        return self.built(part)[0]

    def built(self, part: int) -> tuple[Frame, tuple[JoinEntry, ...]]:
        """Features of one part and what the joins found."""
        if part not in self._frames:
            assert self.plan is not None
            rows = self.rows_of(part)
            self._frames[part] = build(
                self.plan, self.main.take(rows), self.others, decision_time=self.at(self.decision_time, part)
            )
        return self._frames[part]
