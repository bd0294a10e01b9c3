"""Commands for projects: init, run, status, show, report, runs, demo, doctor."""

from __future__ import annotations

import shlex
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.demo_live import demo_live
from holdgood.cli.findings import finding_text
from holdgood.cli.forecasts import accuracy_text, panel_text
from holdgood.cli.plans import demo_orders_text
from holdgood.cli.tables import Json

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.workflow.result import Run

Folder = Annotated[Path, typer.Option("--project", "-p", help="The project's folder.")]
HERE = Path()


def init(
    tables: Annotated[
        list[str], typer.Argument(help="Files or database tables; the first is the main one: one row a decision.")
    ],
    target: Annotated[
        str | None, typer.Option("--target", "-t", help='A column, or an expression such as "amount > 30".')
    ] = None,
    project: Folder = HERE,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an existing holdgood.toml (the old one is kept as .bak).")
    ] = False,
    json: Json = False,
) -> None:
    """Guess roles, keys, joins and the task from the data, and write a commented holdgood.toml. Asks nothing."""
    from holdgood.workflow.init import init_project

    made = init_project(tables, target=target, folder=project, force=force)
    if json:
        draw.as_json({"written": str(made.path), "worth_a_look": list(made.worth_a_look), "schema": str(made.schema)})
        return
    draw.out.print(f"written: {made.path}")
    draw.out.print("worth a look:")
    for line in made.worth_a_look:
        draw.out.print(f"  {line}")
    where = "" if project.resolve() == Path.cwd() else f" -p {shlex.quote(str(project))}"
    draw.out.print(f"next: holdgood run{where}", style="cyan")


def run(
    project: Folder = HERE,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Replace the declared target for this run.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            "-b",
            help='Wall clock such as "5 min", or "trials=20" for a run that replays to the bit. Training gets '
            "what the other steps leave of it; these are done in any case, so that a run with a short budget takes longer.",
        ),
    ] = None,
    prefer: Annotated[str | None, typer.Option("--prefer", help="simple, balanced or best.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0)] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Stop after this step, for example audit-target.")
    ] = None,
    lessons: Annotated[
        str | None,
        typer.Option(
            "--lessons", help='Another folder of lessons to search, the lessons.json of a run to begin from, or "none".'
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do every step again.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 unless the verdict is at least 'ready to pilot'.")
    ] = False,
    json: Json = False,
) -> None:
    """Walk the line from tables to a verified bundle and a report. Ctrl-C keeps what is finished; run again to resume."""
    from holdgood.workflow.project import run_project

    with draw.Progress(quiet=json) as progress:
        done = run_project(
            project,
            target=target,
            budget=budget,
            prefer=prefer,
            seed=seed,
            until=until,
            fresh=fresh,
            lessons=lessons,
            listener=progress,
        )
    if until is not None:
        if json:
            draw.as_json({"run": done.id, "until": until})
        else:
            draw.out.print(f"run {done.id} stopped after {until}; holdgood run goes on from here")
        return
    if done.forecasts:
        _forecast_text(done, json)
        return
    if json:
        draw.as_json(
            {"run": done.id, "verdict": done.verdict.payload(), "report": str(done.report), "bundle": str(done.bundle)}
        )
    else:
        draw.verdict_text(done.verdict)
        _paths(done.report, done.bundle)
    if strict and done.verdict.status == "not ready":
        raise typer.Exit(1)


def _forecast_text(done: Run, json: bool) -> None:
    """What a forecasting run ends with."""
    if json:
        draw.as_json(
            {
                "run": done.id,
                "accuracy": done.accuracy.payload(),
                "chosen": done.leaderboard.chosen,
                "unjudged": done.leaderboard.unjudged,
                "forecast": str(_forecast_file(done)),
                "report": str(done.report),
                "bundle": str(done.bundle),
            }
        )
        return
    draw.out.print()
    panel_text(done.panel)
    draw.ladder_text(done.leaderboard)
    draw.out.print()
    accuracy_text(done.accuracy)
    draw.out.print()
    draw.out.print(f"forecast: {_near(_forecast_file(done))}")
    draw.out.print(f"report: {_near(done.report)}")
    draw.out.print(f"bundle: {_near(done.bundle)} (verified)")


def _forecast_file(done: Run) -> Path:
    found = done.folder.find("forecast")
    return (found.path if found else done.folder.path) / "forecast.csv"


def _paths(report: Path, bundle: Path) -> None:
    draw.out.print()
    draw.out.print(f"report: {_near(report)}")
    draw.out.print(f"bundle: {_near(bundle)} (verified)")


def _near(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def trust(
    project: Folder = HERE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: you have read them.")] = False,
) -> None:
    """Show the functions of a project (a metric, a cost) and, once you have read them, let runs execute them."""
    from holdgood.workflow.folder import Project
    from holdgood.workflow.functions import declared_functions, trust, trusted

    found = declared_functions(Project.at(project).declaration, project)
    if not found:
        draw.out.print("the declaration names no function of its own: nothing to trust")
        return
    known = trusted()
    for one in found:
        state = "trusted" if one.found in known else "not trusted yet"
        as_declared = "as declared" if one.found == one.declared else f'declare it: [code] "{one.path}" = "{one.found}"'
        draw.out.print(f"{one.path}  {one.file}  {one.found}  {state}; {as_declared}", soft_wrap=True, markup=False)
    fresh = [one for one in found if one.found not in known]
    if fresh and (yes or typer.confirm("Have you read these files, and may runs execute them?")):
        trust(fresh)
        draw.out.print("trusted, as they are now; a change asks again")


def rebalance(
    project: Folder = HERE,
    learner: Annotated[str, typer.Option("--learner", help="The family that is compared.")] = "lightgbm",
    json: Json = False,
) -> None:
    """Rare classes: what weighting them would change (chances, money), and what more rows would buy. Changes nothing."""
    from holdgood.core.records.envelope import wrap
    from holdgood.workflow.folder import Project
    from holdgood.workflow.rebalance import rebalance

    found = rebalance(Project.at(project), learner=learner)
    if json:
        draw.as_json(wrap(found))
        return
    for sentence in found.sentences:
        draw.out.print(sentence, markup=False)
    draw.out.print(
        f"{found.learner} on {found.folds} folds of {found.rows:,} development rows; nothing is resampled, nothing changed"
    )


def status(project: Folder = HERE, json: Json = False) -> None:
    """The guide's seven steps: done, stale, blocked by what, and the next command."""
    from holdgood.workflow.folder import Project
    from holdgood.workflow.status import status as look

    steps = [replace(s, command=_of(s.command, project)) for s in look(Project.at(project))]
    if json:
        draw.as_json(
            [
                {"step": s.number, "title": s.title, "state": s.state, "sentence": s.sentence, "next": s.command}
                for s in steps
            ]
        )
        return
    for s in steps:
        draw.status_line(s.number, s.title, s.state, s.sentence, s.command)


def _of(command: str, project: Path) -> str:
    """A command as it is to be given from here."""
    if not command or project == HERE:
        return command
    if " runs/" in command:
        return command.replace(" runs/", f" {shlex.quote(str(project))}/runs/")
    return f"{command} -p {shlex.quote(str(project))}"


def show(
    what: Annotated[
        str | None,
        typer.Argument(
            help="verdict, audit, clean, split, features, ladder, leaderboard (every trial), evaluation, fairness, card or contract; of a forecast "
            "accuracy, panel, ladder, leaderboard, audit or clean. Default: the verdict, of a forecast its accuracy."
        ),
    ] = None,
    run_id: Annotated[
        str | None, typer.Option("--run", help="A run's number; default the newest finished one.")
    ] = None,
    project: Folder = HERE,
    json: Json = False,
) -> None:
    """Show one record of a run."""
    from holdgood.cli.show import show_record
    from holdgood.workflow.runs import open_run

    show_record(open_run(project, run_id), what, json)


def report(
    run_id: Annotated[
        str | None, typer.Option("--run", help="A run's number; default the newest finished one.")
    ] = None,
    project: Folder = HERE,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    to: Annotated[Path | None, typer.Option("--to", help="Copy it here.")] = None,
) -> None:
    """Where the HTML report is; --open shows it."""
    from holdgood.workflow.runs import copy_report, open_run

    path = open_run(project, run_id).report
    if to is not None:
        path = copy_report(path, to)
    draw.out.print(_near(path))
    if open_it:
        webbrowser.open(path.resolve().as_uri())


def runs(project: Folder = HERE, json: Json = False) -> None:
    """All runs: when, how they ended, what was chosen, its score."""
    from holdgood.workflow.runs import list_runs

    listed = list_runs(project)
    if json:
        draw.as_json([r.__dict__ for r in listed])
        return
    draw.rows_text(
        ["run", "status", "started", "seconds", "chosen", "holdout"],
        [[r.id, r.status, r.started, r.seconds, r.chosen, r.score] for r in listed],
    )


def demo(
    folder: Annotated[
        Path, typer.Argument(help="Where the demo project is made; or the word live: the life of a model, in minutes.")
    ] = Path("demo/flights"),
    where: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="After the word live: where.")] = Path("demo/live"),
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            "-b",
            help="Wall clock for the run (training gets what the other steps leave of it), or trials=N.",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Do every step again.")] = False,
    bad: Annotated[
        bool, typer.Option("--bad", help="Only write a table with planted faults, to try audit and clean on.")
    ] = False,
    forecast: Annotated[
        bool,
        typer.Option(
            "--forecast",
            help="Instead: 334 monthly series of industry, forecast 18 months ahead, with an order sheet at demonstration costs.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """The New York flights of 2013: five joined tables, from raw data to a verified bundle and a report, in some minutes."""
    from holdgood.workflow.demo import bad_table, make_demo
    from holdgood.workflow.project import run_project

    if folder == Path("live"):
        demo_live(where, fresh=fresh, json=json)
        return
    if bad:
        table = bad_table(folder if folder != Path("demo/flights") else Path())
        draw.out.print(f"written: {table}")
        draw.out.print(f"next: holdgood audit {table}", style="cyan")
        return
    if forecast and folder == Path("demo/flights"):
        folder = Path("demo/industry")
    with draw.Progress(quiet=json) as progress:
        made = make_demo(folder, "m3_industry" if forecast else "flights")
        if not json:
            draw.err.print(f"{made.question}\n  {made.sentence}\n  project: {_near(made.folder)}\n")
        done = run_project(made.folder, budget=budget, fresh=fresh, listener=progress)
    if done.forecasts:
        _forecast_text(done, json)
        if not json:
            demo_orders_text(made.folder, done.bundle)
        return
    if json:
        draw.as_json(
            {"run": done.id, "verdict": done.verdict.payload(), "report": str(done.report), "bundle": str(done.bundle)}
        )
        return
    draw.out.print()
    draw.out.print("What the audit caught by itself:")
    for finding in [f for f in done.audit_target.issues if f.late]:
        finding_text(finding)
    draw.verdict_text(done.verdict)
    _paths(done.report, done.bundle)
    draw.out.print(f"next: holdgood status -p {_near(made.folder)}", style="cyan")


def doctor(json: Json = False) -> None:
    """What is installed, what each feature needs, and what to install for it."""
    from holdgood.workflow.doctor import examine

    found = examine()
    if json:
        draw.as_json([f.__dict__ for f in found])
        return
    draw.rows_text(
        ["", "what", "found", "for", "install"],
        [["✓" if f.ok else "·", f.what, f.found, f.purpose, "" if f.ok else f.install] for f in found],
    )
