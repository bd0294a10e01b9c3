"""Run: a finished run as an object, for people who live in Python. Everything is read from the run folder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from holdgood.core.errors import DataError
from holdgood.core.records import (
    AuditReport,
    CleanLog,
    Evaluation,
    FairnessReport,
    FeatureLedger,
    Forecast,
    ForecastEvaluation,
    Leaderboard,
    ModelCard,
    PanelReport,
    Record,
    Split,
    Verdict,
)
from holdgood.core.records.envelope import read
from holdgood.workflow.folder import Project, RunFolder

if TYPE_CHECKING:
    # who reads a record does not wait for what a model needs: that takes most of the time of a `holdgood show`
    from holdgood.workflow.forecasting.in_use import ForecastModel
    from holdgood.workflow.predict import Predictor

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Run:
    """``run.verdict``, ``run.audit.issues``, ``run.leaderboard``, ``run.holdout.money``, ``run.fairness``, ``run.model``."""

    project: Project
    folder: RunFolder

    @classmethod
    def open(cls, project: Project, folder: RunFolder) -> Run:
        """A run by its folder."""
        return cls(project, folder)

    @property
    def id(self) -> str:
        """The run's number."""
        return self.folder.id

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder.path / "report.html"

    @property
    def bundle(self) -> Path:
        """The bundle's folder."""
        return self.folder.path / "bundle"

    def _record(self, step: str, kind: type[R]) -> R:
        found = self.folder.find(step)
        if found is None or not found.record.exists():
            raise DataError(
                f"run {self.id} has no {step} yet",
                "a run that got that far",
                "holdgood run takes it up where it stopped",
            )
        return read(found.record, kind)

    @cached_property
    def audit(self) -> AuditReport:
        """The tables pass."""
        return self._record("audit-tables", AuditReport)

    @cached_property
    def audit_target(self) -> AuditReport:
        """The target pass."""
        return self._record("audit-target", AuditReport)

    @cached_property
    def clean(self) -> CleanLog:
        """What the repairs changed."""
        return self._record("clean", CleanLog)

    @cached_property
    def split(self) -> Split:
        """How rows were divided."""
        return self._record("split", Split)

    @cached_property
    def features(self) -> FeatureLedger:
        """The features and where they came from."""
        return self._record("features", FeatureLedger)

    @cached_property
    def leaderboard(self) -> Leaderboard:
        """What was tried."""
        return self._record("train", Leaderboard)

    @cached_property
    def holdout(self) -> Evaluation:
        """What the sealed holdout said."""
        return self._record("evaluate", Evaluation)

    @cached_property
    def fairness(self) -> FairnessReport:
        """What each group gets."""
        return self._record("fairness", FairnessReport)

    @cached_property
    def verdict(self) -> Verdict:
        """Gates and the sentence in money."""
        return self._record("verdict", Verdict)

    @cached_property
    def card(self) -> ModelCard:
        """The model card."""
        found = self.folder.find("verdict")
        if found is None:
            raise DataError(
                f"run {self.id} has no card yet", "a run that got that far", "holdgood run takes it up where it stopped"
            )
        return read(found.path / "card.json", ModelCard)

    @property
    def forecasts(self) -> bool:
        """Whether this run forecast a panel: ``panel``, ``accuracy`` and ``forecast`` instead of a holdout and a verdict."""
        return self.folder.find("panel") is not None

    @cached_property
    def panel(self) -> PanelReport:
        """The table as a panel, and what was odd about it."""
        return self._record("panel", PanelReport)

    @cached_property
    def accuracy(self) -> ForecastEvaluation:
        """How good forecasts were at past origins."""
        return self._record("evaluate", ForecastEvaluation)

    @cached_property
    def forecast(self) -> Forecast:
        """Where the joint paths lie; quantiles are beside them as forecast.csv and forecast.parquet."""
        return self._record("forecast", Forecast)

    @cached_property
    def model(self) -> Predictor:
        """The delivered model, loaded from its bundle."""
        from holdgood.workflow.predict import Predictor

        return Predictor.load(self.bundle)

    @cached_property
    def forecaster(self) -> ForecastModel:
        """The delivered forecaster, loaded from its bundle."""
        from holdgood.workflow.forecasting.in_use import ForecastModel

        return ForecastModel.load(self.bundle)

    def __repr__(self) -> str:
        return f"Run {self.id}: {self.folder.status().get('status', 'unknown')}"

    def _repr_html_(self) -> str:
        if self.forecasts:
            without = f"<p>{_text(self.leaderboard.without)}</p>" if self.leaderboard.without else ""
            return f"<h3>Run {self.id}: {_text(self.leaderboard.chosen)}</h3>{without}<p>report: <code>{_text(self.report)}</code></p>"
        gates = "".join(f"<li>{_mark(g.status)} {_text(g.name)}: {_text(g.observed)}</li>" for g in self.verdict.gates)
        lines = "".join(f"<p>{_text(s)}</p>" for s in self.verdict.sentences)
        return f"<h3>Run {self.id}: {_text(self.verdict.headline)}</h3>{lines}<ul>{gates}</ul><p>report: <code>{_text(self.report)}</code></p>"


def _mark(status: str) -> str:
    return {"passed": "✓ passed", "failed": "✗ failed"}.get(status, "○ open")


def _text(value: object) -> str:
    return str(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
