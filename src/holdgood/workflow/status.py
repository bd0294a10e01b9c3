"""Where a project stands in the guide's seven steps: done, stale, open, blocked by what, and the next command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from holdgood.core.declaration import Declaration
from holdgood.core.errors import HoldgoodError
from holdgood.core.records import Evaluation, Leaderboard
from holdgood.core.records.envelope import read
from holdgood.core.task import COSTS
from holdgood.workflow.folder import Project, RunFolder, masked

State = Literal["done", "stale", "open", "blocked"]


@dataclass(frozen=True)
class GuideStep:
    """One of the seven steps of the guide."""

    number: int
    title: str
    state: State
    sentence: str
    command: str = ""


_ROOMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Select, audit and clean data", ("audit-tables", "clean", "split", "audit-target")),
    ("Engineer features", ("features",)),
    ("Choose and train models", ("train",)),
    ("Evaluate", ("evaluate",)),
    ("Address bias", ("fairness",)),
    ("Deploy and monitor", ("bundle",)),
)
# A forecast's panel takes the place of features, and its items are not people: there is nothing to compare.
_FORECAST_ROOMS = (
    ("Select, audit and clean data", ("audit-tables", "clean")),
    ("Engineer features", ("panel",)),
    *_ROOMS[2:4],
    ("Address bias", ()),
    _ROOMS[5],
)


def status(project: Project) -> list[GuideStep]:
    """The seven steps, from the newest run."""
    declared = project.declaration
    runs = project.runs()
    latest = runs[-1] if runs else None
    stale = latest is not None and _changed(latest, declared)
    said: list[GuideStep] = []
    for number, (title, rooms) in enumerate(_FORECAST_ROOMS if declared.forecasts else _ROOMS, start=1):
        step = _step(number, title, rooms, declared, latest, stale)
        before = next((s for s in said if s.state == "open"), None)
        if step.state == "open" and before is not None:
            # only the first step that is not done is open; the others wait for it
            step = GuideStep(number, title, "blocked", f"waits for step {before.number}")
        said.append(step)
    finished = latest is not None and latest.status().get("status") == "done" and not stale
    last = GuideStep(
        7,
        "Iterate: retrain and improve",
        "open" if finished else "blocked",
        "run again when the data or the declaration changes; what is unchanged is kept"
        if finished
        else "blocked by the steps above",
        "holdgood run" if finished else "",
    )
    return [*said, last]


def _changed(run: RunFolder, declared: Declaration) -> bool:
    """Whether something else is declared now. The budget decides how long, not what: it makes nothing stale."""
    used = run.declaration()
    return used is None or used.model_copy(update={"budget": declared.budget}) != masked(declared)


def _step(
    number: int, title: str, rooms: tuple[str, ...], declared: Declaration, run: RunFolder | None, stale: bool
) -> GuideStep:
    if not declared.task.target and number > 1:
        return GuideStep(
            number, title, "blocked", "no target is declared", 'write target = "…" under [task] in holdgood.toml'
        )
    if run is None:
        return GuideStep(
            number,
            title,
            "open" if number == 1 else "blocked",
            "no run yet" if number == 1 else "blocked by step 1",
            "holdgood run" if number == 1 else "",
        )
    open_rooms = [r for r in rooms if (found := run.find(r)) is None or found.done() is None]
    if open_rooms:
        error = run.status().get("error")
        blocked = f"stopped at {open_rooms[0]}" + (f": {error}" if error else "")
        return GuideStep(number, title, "open", blocked, "holdgood run")
    if stale:
        return GuideStep(number, title, "stale", f"run {run.id} used another declaration", "holdgood run")
    remark, command = _remark(number, declared, run)
    return GuideStep(number, title, "done", remark or f"run {run.id}", command)


def _costs(run: RunFolder) -> str:
    """What ``[costs]`` takes for the task that a run judged; nothing where its evaluation cannot be read."""
    step = run.find("evaluate")
    try:
        judged = None if step is None else read(step.record, Evaluation)
    except HoldgoodError:
        judged = None
    if judged is None:
        return ""
    if judged.threshold is not None:
        return COSTS["binary"]
    return COSTS["multiclass" if "log_loss" in judged.metrics else "regression"]


def _remark(number: int, declared: Declaration, run: RunFolder) -> tuple[str, str]:
    if declared.forecasts:
        if number == 5:
            return "groups are not compared for a forecast of items", ""
        command = f"holdgood forecast runs/{run.id}/bundle HISTORY" if number == 6 else ""
        return (f"run {run.id}: bundle verified", command) if number == 6 else ("", "")
    if number == 3 and (short := _too_short(run)):
        return f"run {run.id}; {short}", "holdgood run --budget LARGER"
    if number == 4 and not declared.costs.declared:
        return f"run {run.id}; costs are ASSUMED", f"declare [costs] {_costs(run)}".rstrip()
    if number == 5 and not declared.fairness.groups:
        return f"run {run.id}; no groups are declared", "name columns in fairness.groups"
    if number == 6:
        return f"run {run.id}: bundle verified", f"holdgood predict runs/{run.id}/bundle ROWS"
    return "", ""


def _too_short(run: RunFolder) -> str:
    """What its leaderboard says of a budget too short to judge anything; "" where it cannot be read, which others tell."""
    found = run.find("train")
    try:
        return "" if found is None else read(found.record, Leaderboard).too_short
    except HoldgoodError:
        return ""
