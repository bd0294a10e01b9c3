"""A project's runs, read: list them, open one, copy its report. Records only: nothing here waits for what makes a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdgood.core.errors import DataError, HoldgoodError
from holdgood.core.records.envelope import write_bytes
from holdgood.workflow.folder import Project
from holdgood.workflow.result import Run


def open_run(folder: Path, run_id: str | None = None) -> Run:
    """A run of a project; the newest finished one by default."""
    project = Project.at(folder)
    return Run.open(project, project.run(run_id))


@dataclass(frozen=True)
class Listed:
    """One line about a run."""

    id: str
    status: str
    started: str
    seconds: str
    chosen: str
    score: str


def list_runs(folder: Path) -> list[Listed]:
    """All runs, oldest first."""
    project = Project.at(folder)
    return [_line(Run.open(project, r)) for r in project.runs()]


def _line(one: Run) -> Listed:
    said = one.folder.status()
    chosen = score = ""
    try:
        chosen = one.leaderboard.chosen
        if one.forecasts:
            found = one.accuracy
            score = f"{found.metric} {found.overall.loss:.4f} (the naive {found.overall.naive:.4f})"
            return Listed(one.id, *_when(said), chosen, score)
        headline = one.holdout.metrics.get(one.holdout.metric)
        score = (
            ""
            if headline is None
            else f"{one.holdout.metric} {headline.value:.4f} ({headline.low:.4f} to {headline.high:.4f})"
        )
    except HoldgoodError:
        # an unfinished run has no such record yet, a damaged one cannot be read: its line stays short, others are listed
        score = score or ""
    return Listed(one.id, *_when(said), chosen, score)


def _when(said: dict[str, Any]) -> tuple[str, str, str]:
    return str(said.get("status", "?")), str(said.get("started_utc", "")), str(said.get("seconds", ""))


def copy_report(source: Path, to: Path) -> Path:
    """Copy the report somewhere else."""
    if not source.exists():
        raise DataError("this run has no report yet", "a finished run", "holdgood run takes it up where it stopped")
    target = to / source.name if to.is_dir() else to
    write_bytes(target, source.read_bytes())
    return target
