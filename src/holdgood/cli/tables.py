"""Commands for tables, before there is a project: audit and clean. Heavy imports wait until a command runs, so that --help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdgood.cli import draw

Json = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]


def audit(
    tables: Annotated[
        list[str],
        typer.Argument(
            help="Files (csv, tsv, parquet, jsonl, xlsx), sqlite:///FILE?table=T, or postgresql://…?table=T."
        ),
    ],
    every: Annotated[
        bool, typer.Option("--all", help="Show every finding, not only the three that matter most.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Where to write the HTML report; default beside the first file.")
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if there is an issue.")] = False,
    json: Json = False,
) -> None:
    """Find what is wrong with one table, or several that belong together. No project and no target needed."""
    from holdgood.workflow.tables import audit_files

    with draw.Progress(quiet=json) as progress:
        looked = audit_files(tables, report=report, write=not no_report, listener=progress)
    if json:
        draw.as_json(
            {"audit": looked.report.payload(), "report": looked.path and str(looked.path), "seconds": looked.seconds}
        )
    else:
        draw.audit_text(looked.report, every=every)
        draw.repairs_text(looked.report)
        draw.out.print(
            f"       {looked.seconds:.1f} s" + (f" · report: {looked.path}" if looked.path else ""), style="dim"
        )
    if strict and looked.report.issues:
        raise typer.Exit(1)


def clean(
    table: Annotated[str, typer.Argument(help="A file or database table.")],
    apply: Annotated[
        list[str] | None,
        typer.Option(
            "--apply", help="Codes of findings whose repair is applied, for example AUD007; 'all' for every proposal."
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            help="Where the cleaned table goes; default NAME.clean.parquet beside it. The source is never changed.",
        ),
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Only say what would change.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file that is there already; never the source.")
    ] = False,
    json: Json = False,
) -> None:
    """Apply the repairs that the audit proposes, count every changed cell, and write a new file with its log."""
    from holdgood.workflow.tables import clean_file

    done = clean_file(table, apply or [], to=to, preview=preview, force=force)
    if json:
        draw.as_json({"clean": done.log.payload(), "written": done.path and str(done.path)})
        return
    if not done.log.entries:
        draw.out.print(
            "nothing to repair"
            if not apply
            else "no finding with these codes proposes a repair; see: holdgood audit " + table
        )
    for entry in done.log.entries:
        draw.out.print(f" {entry.repair:<26} {', '.join(entry.columns) or entry.table:<30} {entry.sentence}")
    if done.path:
        draw.out.print(f" written: {done.path} (and its log beside it); the source is untouched", style="dim")
    elif done.log.entries:
        draw.out.print(
            " nothing written (--preview)" if preview else " nothing written; --apply CODE or --apply all does it",
            style="dim",
        )
