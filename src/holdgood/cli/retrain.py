"""The command that tends a model in use: consider, retrain, compare, promote, go back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.tables import Json
from holdgood.core.errors import DeclarationError
from holdgood.core.moments import asked_moment

_STYLE = {"retrain": "yellow", "promote": "green", "roll back": "red", "waits": "cyan", "confirmed": "green"}


def retrain(
    live: Annotated[Path, typer.Argument(help="The live folder.")],
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Which model; not needed where there is one.")
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option(
            "--project", "-p", help="The project whose declaration is trained again; default: the bundle's own."
        ),
    ] = None,
    new: Annotated[
        list[str] | None,
        typer.Option(
            "--new", "-n", help="Rows with outcomes that came since: a file or a database table. Repeat for more."
        ),
    ] = None,
    table: Annotated[
        list[str] | None, typer.Option("--table", help="Further rows of a joined table: NAME=FILE. Repeat for each.")
    ] = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="A challenger that has won goes live without asking; [approval] still holds.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Whose word this is, for the journal.")] = "the policy",
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="A moment in the past (UTC): what was known then, and changes from then."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where something waits for a person.")] = False,
    json: Json = False,
) -> None:
    """Do what the policy in live.toml asks for now: decide whether to retrain, and why; train a challenger; compare; promote; go back.

    Every step is in the journal. A pass that was interrupted is taken up by the next one; run it daily, or after each watch.
    """
    from holdgood.workflow.folder import Project
    from holdgood.workflow.live.folder import Live
    from holdgood.workflow.live.retrain import tend

    related: dict[str, list[str]] = {}
    for pair in table or []:
        name, equals, source = pair.partition("=")
        if not equals or not source:
            raise DeclarationError(f"--table {pair}", "NAME=FILE", "write for example --table weather=weather.parquet")
        related.setdefault(name, []).append(source)
    with draw.Progress(quiet=json) as progress:
        done = tend(
            Live.open(live),
            model,
            project=None if project is None else Project.at(project),
            new=new or [],
            related=related,
            now=None if as_of is None else asked_moment(as_of, "--as-of"),
            auto=auto,
            by=by,
            listener=progress,
        )
    if json:
        steps = [{"what": s.what, "sentence": s.sentence} for s in done.steps]
        draw.as_json({"model": done.model, "steps": steps, "waits": done.waits})
    else:
        for step in done.steps:
            draw.out.print(f"{step.what}: {step.sentence}", style=_STYLE.get(step.what, ""))
    if strict and done.waits:
        raise typer.Exit(1)
