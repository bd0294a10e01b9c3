"""A project's runs: start one, list them, open one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdgood.core.budget import Budget
from holdgood.core.declaration import parse
from holdgood.core.errors import DataError, DeclarationError, HoldgoodError, did_you_mean
from holdgood.core.events import Listener, silent
from holdgood.core.records.envelope import write_bytes
from holdgood.workflow.folder import Project
from holdgood.workflow.result import Run
from holdgood.workflow.run import line_of, run


def run_project(
    folder: Path,
    *,
    target: str | None = None,
    budget: str | None = None,
    prefer: str | None = None,
    seed: int | None = None,
    until: str | None = None,
    fresh: bool = False,
    lessons: str | None = None,
    listener: Listener = silent,
) -> Run:
    """Walk the line for a project folder; the arguments replace what the declaration says, for this run."""
    project = Project.at(folder)
    names = [s.name for s in line_of(project.declaration)]
    if until is not None and until not in names:
        raise DeclarationError(
            f"no step named {until!r}",
            "one of: " + ", ".join(names),
            did_you_mean(until, names) or "see docs/architecture.md",
        )
    changes = project.declaration.model_dump(mode="json", exclude_unset=True)
    if target is not None:
        changes.setdefault("task", {})["target"] = target
    spent = changes.setdefault("budget", {})
    if budget is not None:
        asked = Budget.parse(budget)
        spent["trials"], spent["run"] = asked.trials, None if asked.seconds is None else f"{asked.seconds}s"
    if prefer is not None:
        spent["prefer"] = prefer
    if seed is not None:
        spent["seed"] = seed
    if lessons is not None:
        changes["memory"] = {"use": False} if lessons == "none" else {"lessons": str(Path(lessons).resolve())}
    return run(Project(project.path, parse(changes)), listener=listener, until=until, fresh=fresh)


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
