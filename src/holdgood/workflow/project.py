"""Start a run of a project: walk the line with what is declared, and with what is said for this run alone."""

from __future__ import annotations

from pathlib import Path

from holdgood.core.budget import Budget
from holdgood.core.declaration import parse
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.events import Listener, silent
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
