"""The line, in order: one visible list of steps. A step whose inputs and code are the same as before is not done again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from holdgood.core import plugins
from holdgood.core.budget import Clock
from holdgood.core.declaration import Declaration
from holdgood.core.errors import EnvironmentFault, HoldgoodError, Interrupted
from holdgood.core.events import Event, Listener, silent
from holdgood.core.records.envelope import write, write_bytes
from holdgood.workflow import steps
from holdgood.workflow.folder import (
    Project,
    RunFolder,
    code_fingerprint,
    declared_part,
    digest,
    masked,
    reuse,
    versions,
)
from holdgood.workflow.forecasting.line import FORECAST_LINE
from holdgood.workflow.named import check_sources
from holdgood.workflow.result import Run
from holdgood.workflow.step import Step
from holdgood.workflow.work import Work

LINE: tuple[Step, ...] = (
    Step("read", steps.read_tables, None, (), ("connectors", "workflow"), ("tables", "task")),
    Step("audit-tables", steps.audit_tables, steps.load_audit_tables, ("read",), ("audit",), ("audit", "fairness")),
    Step("clean", steps.clean_tables, None, ("read",), ("cleaning",), ("repairs",)),
    Step(
        "split",
        steps.divide_rows,
        steps.load_split,
        ("clean",),
        ("splitting", "workflow"),
        ("split", "task", "budget.seed", "code"),
    ),
    Step(
        "audit-target",
        steps.audit_target,
        steps.load_audit_target,
        ("split",),
        ("audit", "workflow"),
        ("audit", "fairness", "split", "task"),
    ),
    Step(
        "features",
        steps.build_features,
        steps.load_features,
        ("split", "audit-target"),
        ("features", "workflow"),
        ("features",),
    ),
    Step(
        "train",
        steps.train_models,
        steps.load_training,
        ("features",),
        ("training", "models", "features", "scale", "bundle", "governance", "workflow"),
        ("budget", "costs", "gates.max_latency_ms", "gates.max_size_mb", "memory"),
    ),
    Step("evaluate", steps.evaluate_holdout, steps.load_evaluation, ("train",), ("evaluation", "workflow"), ("costs",)),
    Step("fairness", steps.compare_groups, steps.load_fairness, ("evaluate",), ("fairness", "workflow"), ("fairness",)),
    Step(
        "verdict",
        steps.judge_release,
        steps.load_verdict,
        ("audit-tables", "audit-target", "evaluate", "fairness"),
        ("governance", "workflow"),
        ("people", "gates", "costs", "name", "task"),
    ),
    Step("bundle", steps.make_bundle, None, ("verdict",), ("bundle", "workflow")),
    Step("report", steps.make_report, None, ("bundle",), ("reports", "workflow")),
)


def line_of(declaration: Declaration) -> tuple[Step, ...]:
    """The steps of a task: a forecast walks a line of its own."""
    return FORECAST_LINE if declaration.forecasts else LINE


def run(
    project: Project,
    *,
    sources: Mapping[str, Any] | None = None,
    listener: Listener = silent,
    fresh: bool = False,
    until: str | None = None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Run:
    """Walk the line. An unfinished run of the same declaration is taken up where it stopped, unless ``fresh``.

    ``sources`` replaces declared sources by frames; ``until`` stops after that step (for looking at an audit first);
    ``functions``: metric and cost that are given in Python, by the path that the declaration names.
    Raises HoldgoodError; whatever was finished before stays in the run folder.
    """
    clock = Clock(project.declaration.budget.budget())
    check_sources(project.declaration, sources or {})
    folder = _folder(project, fresh)
    with folder.held() as free:
        if not free:
            raise EnvironmentFault(
                f"run {folder.id} is under way in another process",
                "one process a run",
                "wait for it, or start another with --fresh",
            )
        return _hold(project, folder, clock, sources or {}, listener, fresh, until, functions or {})


def _hold(
    project: Project,
    folder: RunFolder,
    clock: Clock,
    sources: Mapping[str, Any],
    listener: Listener,
    fresh: bool,
    until: str | None,
    functions: Mapping[str, Callable[..., Any]],
) -> Run:
    """The run itself, while nobody else can touch its folder; however it ends, ``run.json`` says so."""
    listener(Event("note", "run", clock.budget.bounds))
    started = datetime.now(UTC).isoformat(timespec="seconds")
    folder.note(
        status="running", started_utc=folder.status().get("started_utc", started), budget=str(clock.budget), error=None
    )
    used = masked(project.declaration).model_dump_json(indent=1, exclude_defaults=True)
    write_bytes(folder.path / "declaration.json", used.encode())
    write_bytes(folder.path / "versions.json", json.dumps(versions(), indent=1).encode())
    work = Work(project, folder, clock, sources, listener, functions=functions)
    try:
        _walk(work, fresh, until)
    except KeyboardInterrupt:
        folder.note(status="interrupted")
        raise Interrupted(
            f"run {folder.id} was interrupted",
            "nothing is lost: finished steps and trials are kept",
            "holdgood run takes it up where it stopped",
        ) from None
    except HoldgoodError as error:
        folder.note(status="interrupted" if isinstance(error, Interrupted) else "failed", error=error.came)
        raise
    except BaseException:
        folder.note(status="failed", error="an unexpected error")
        raise
    folder.note(
        status="done" if until is None else "partial",
        seconds=round(clock.spent(), 2),
        finished_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return Run.open(project, folder)


def _folder(project: Project, fresh: bool) -> RunFolder:
    """The newest run if it stopped half-way on the same declaration and nobody is at it, else a new one."""
    runs = project.runs()
    if runs and not fresh and runs[-1].status().get("status") in ("running", "interrupted", "failed", "partial"):
        with runs[-1].held() as free:
            if free and runs[-1].declaration() == masked(project.declaration):
                return runs[-1]
    return project.next_run()


def _walk(work: Work, fresh: bool, until: str | None) -> None:
    marks: dict[str, str] = {}
    line = line_of(work.declaration)
    for number, step in enumerate(line, start=1):
        folder = work.run.step(number, step.name)
        begun = time.monotonic()
        marks[step.name] = _fingerprint(step, work, marks)
        reused = False
        if step.load is not None and not fresh:
            noted = folder.done()
            same = noted is not None and noted.get("fingerprint") == marks[step.name]
            reused = same or reuse(work.project, folder, step.name, marks[step.name])
        if reused and step.load is not None:
            step.load(work, folder)
            work.listener(Event("step-reused", step.name, "same inputs, same code: kept"))
        else:
            folder.empty()
            work.listener(Event("step-start", step.name, fraction=number / len(line)))
            work.mark = marks[step.name]
            record = step.do(work, folder)
            if record is not None:
                write(folder.record, record)
            marks[step.name] = _after(step, work, marks[step.name])
            folder.close(marks[step.name], time.monotonic() - begun)
        spent = time.monotonic() - begun
        work.seconds.append((step.name, spent, reused))
        if not reused:
            work.listener(Event("step-done", step.name, numbers={"seconds": spent}))
        if step.name == until:
            return


_PLUGGED = ("connectors", "checks", "repairs", "models", "forecasters", "parts")


def _fingerprint(step: Step, work: Work, marks: Mapping[str, str]) -> str:
    return digest(
        step.name,
        [marks[name] for name in step.after],
        code_fingerprint(step.rooms),
        declared_part(work.declaration, *step.sections),
        work.contract.model_dump_json() if step.name == "audit-tables" and work.contract else "",
        versions(),
        [plugins.signature(f"holdgood.{group}") for group in _PLUGGED],
    )


def _after(step: Step, work: Work, mark: str) -> str:
    """What later steps depend on: for read and clean the tables themselves, wherever they came from."""
    if step.name not in ("read", "clean"):
        return mark
    tables = {
        n: (
            t.fingerprint(),
            [(c.name, c.type, *([c.zone] if c.zone else [])) for c in t.columns],
            [(o.code, o.message, o.count) for o in t.notes],
        )
        for n, t in work.tables.items()
    }
    places = hashlib.sha256(np.ascontiguousarray(work.row_numbers).tobytes()).hexdigest()
    return digest(step.name, mark, tables, places)
