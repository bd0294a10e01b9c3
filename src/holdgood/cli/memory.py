"""Commands for what was tried before: compare, lessons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.models import Related
from holdgood.cli.projects import HERE, Folder
from holdgood.cli.tables import Json
from holdgood.core.errors import DeclarationError


def compare(
    runs: Annotated[list[str], typer.Argument(help="Runs: numbers, or paths of run folders (of any project).")],
    on: Annotated[
        str | None,
        typer.Option(
            "--on", help="New labelled rows of the main table: rank the runs' models, priors and simplest on them."
        ),
    ] = None,
    table: Related = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the comparison as one HTML file (or into this folder) too.")
    ] = None,
    project: Folder = HERE,
    json: Json = False,
) -> None:
    """Runs side by side: paired differences on the rows that both held out, what each tried and costs, what was declared otherwise.

    With --on FILE the delivered models, priors and simplest rungs are ranked on new labelled rows instead. Rows that a run
    was tuned on are left out and counted.
    """
    from holdgood.cli.compared import comparison_text, new_rows_text
    from holdgood.core.records.envelope import write_bytes
    from holdgood.reports import render_comparison, render_new_rows
    from holdgood.workflow.compare import compare_runs
    from holdgood.workflow.new_rows import rank_on

    given = [on or "", *(pair.partition("=")[2] for pair in table or [])]
    if html is not None and any(
        g and "://" not in g and Path(g.partition("?")[0]).resolve() == html.resolve() for g in given
    ):
        raise DeclarationError(
            f"--html {html} is a file that is read", "another file", "choose another name: nothing was written"
        )
    if table and on is None:
        raise DeclarationError("--table without --on", "new rows to join it to", "add --on FILE")
    if on is None:
        compared = compare_runs(project, runs)
        told, page, name = (
            compared.payload(),
            render_comparison,
            f"compare-{'-'.join(r.run for r in compared.runs)}.html",
        )
        text = page(compared) if html is not None else ""
    else:
        board = rank_on(project, runs, on, table or [])
        told, name = board.payload(), "leaderboard.html"
        text = render_new_rows(board) if html is not None else ""
    written = None
    if html is not None:
        written = html / name.replace("/", "-") if html.is_dir() else html
        write_bytes(written, text.encode())
    if json:
        draw.as_json(told)
        return
    if on is None:
        comparison_text(compared)
    else:
        new_rows_text(board)
    if written is not None:
        draw.out.print(f"report: {written}", style="dim")


def lessons(
    search: Annotated[
        str | None, typer.Argument(help="Only lessons with this word: a family, a project, a kind of task.")
    ] = None,
    like: Annotated[
        str | None, typer.Option("--like", help="A run's number: how similar its data are, most similar first.")
    ] = None,
    folder: Annotated[
        list[Path] | None, typer.Option("--from", help="Another folder of lessons; may be repeated.")
    ] = None,
    project: Folder = HERE,
    json: Json = False,
) -> None:
    """What earlier trainings taught: on which kind of data, what helped and what did not, how often it was reused and held."""
    from holdgood.cli.compared import lessons_text
    from holdgood.workflow.lesson_list import list_lessons

    listed = list_lessons(project, search=search, like=like, folders=folder or [])
    if json:
        draw.as_json({"lessons": [x.payload() for x in listed.lessons], "notes": list(listed.notes)})
        return
    lessons_text(listed.lessons, like=like)
    for note in listed.notes:
        draw.err.print(f"note: {note}", style="yellow")
