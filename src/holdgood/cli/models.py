"""Commands for bundles: predict, forecast, explain, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.tables import Held, Json
from holdgood.core.text import counted

Bundle = Annotated[Path, typer.Argument(help="A bundle, or a run folder that holds one.")]
Rows = Annotated[str, typer.Argument(help="Rows of the main table: a file or a database table.")]
Related = Annotated[list[str] | None, typer.Option("--table", help="A joined table: NAME=FILE. Repeat for each.")]


def predict(
    bundle: Bundle,
    rows: Rows,
    table: Related = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            "-o",
            help="Where predictions go: a file (csv, parquet, jsonl, xlsx), or a table (sqlite:///FILE?table=NAME, "
            "postgresql://…?table=NAME); default: the terminal.",
        ),
    ] = None,
    out_of_contract: Held = None,
    refused: Annotated[
        Path | None,
        typer.Option(
            "--refused",
            help="Where the rows without an answer are listed (csv, parquet, jsonl, xlsx): place, key and why.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if the contract refuses a row.")] = False,
    json: Json = False,
) -> None:
    """Score rows with a bundle alone: the same numbers to the bit as in its run, one row at a time or all at once.

    Each row carries the contract's verdict (ok, warn, refused) and why; a refused row gets no answer. What was interrupted goes on
    with the same command; a file appears whole or not at all, and a table gets each row once.
    """
    from holdgood.workflow.scoring import predict_file

    with draw.Progress(quiet=json) as progress:
        done = predict_file(
            bundle, rows, table or [], to=to, tell=progress, records=json, out_of_contract=None if out_of_contract is None else out_of_contract.word,
            refused_to=refused,
        )  # fmt: skip
    if json:
        draw.as_json(
            {
                "rows": done.rows,
                "refused": done.refused,
                "warned": done.warned,
                "written": done.written,
                "added": done.added if done.written else None,
                "predictions": None if done.written else done.records,
            }
        )
    elif done.written:
        without = f" ({done.refused:,} refused)" if done.refused else ""
        added = f", {done.added:,} added" if done.path is None else ""
        draw.out.print(f"{counted(done.rows, 'row')} scored{without}{added}: {done.written}")
    else:
        draw.rows_text(done.names, done.head)
        if done.rows > len(done.head):
            draw.out.print(f"… {done.rows:,} rows in all; --to FILE writes them", style="dim")
    if not json:
        for note in done.notes:
            draw.err.print(f"note: {note}", style="yellow")
    if strict and done.refused:
        raise typer.Exit(1)


def forecast(
    bundle: Bundle,
    history: Annotated[
        str, typer.Argument(help="The history so far: a file or a database table with the columns of training.")
    ],
    future: Annotated[
        str | None, typer.Option("--future", help="Steps ahead with the columns that are declared as known ahead.")
    ] = None,
    items: Annotated[
        str | None, typer.Option("--items", help="One row an item with its attributes, also items without history.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="Name of a what-if; its rows stand beside the model's own.")
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason for the scenario.")] = "",
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="What the scenario changes: COLUMN=VALUE, or an expression such as price=price*0.9. Repeat."
        ),
    ] = None,
    adjust: Annotated[
        str | None,
        typer.Option(
            "--adjust", help="Planners' changes: id columns, time, one of factor, add or set, and who and why."
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", "-o", help="Where the forecast goes (csv, parquet, jsonl, xlsx); default: the terminal."),
    ] = None,
    paths: Annotated[
        Path | None, typer.Option("--paths", help="Where the joint sample paths go (parquet), for decisions over sums.")
    ] = None,
    totals: Annotated[Path | None, typer.Option("--totals", help="Where sums over the declared lead times go.")] = None,
    levels: Annotated[
        Path | None, typer.Option("--levels", help="Where sums over the levels of the declared hierarchy go.")
    ] = None,
    horizon: Annotated[
        int | None, typer.Option("--horizon", help="Fewer steps ahead than are declared; default all of them.")
    ] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            "--explain", help="Where the drivers of the forecast go: level, trend, season, prices and others."
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option("--samples", min=20, help="Paths a series; default as declared.")
    ] = None,
    update: Annotated[
        Path | None,
        typer.Option(
            "--update", help="Fit the chosen forecasters anew on this history first, and write them here as a bundle."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Forecast from new history with a bundle alone, without fitting anew: quantiles, sums over lead times, joint paths.

    Scenarios and planners' adjustments carry a name and a reason, and stay apart from the model's own forecast.
    """
    from holdgood.workflow.forecasting.files import forecast_file

    done = forecast_file(
        bundle, history, future=future, items=items, scenario=scenario, why=why, changes=change or (), adjust=adjust,
        horizon=horizon, samples=samples, to=to, paths=paths, totals=totals, levels=levels, explain=explain,
        update=update,
    )  # fmt: skip
    if json:
        draw.as_json(
            {
                "rows": done.rows,
                "series": done.series,
                "written": done.path and str(done.path),
                "notes": list(done.notes),
                "forecast": None if done.path else done.records,
            }
        )
        return
    if done.path:
        draw.out.print(f"{done.series:,} series forecast, {counted(done.rows, 'row')}: {done.path}")
    else:
        draw.rows_text(done.names, done.head)
        if done.rows > len(done.head):
            draw.out.print(f"… {done.rows:,} rows in all; --to FILE writes them", style="dim")
    for note in done.notes:
        draw.err.print(f"note: {note}", style="yellow")


def explain(
    bundle: Bundle,
    rows: Rows,
    table: Related = None,
    top: Annotated[int, typer.Option(min=1, help="How many facts a row.")] = 5,
    first: Annotated[int, typer.Option("--first", min=1, help="How many rows.")] = 3,
    json: Json = False,
) -> None:
    """Say which facts move a row's prediction most, against typical values."""
    from holdgood.workflow.scoring import explain_file

    said = explain_file(bundle, rows, table or [], top=top, first=first)
    if json:
        draw.as_json([{"row": r.row, "prediction": r.prediction, "facts": dict(r.facts)} for r in said])
        return
    for r in said:
        draw.out.print(f"row {r.row}: {r.sentence}")
        for name, change in r.facts:
            draw.out.print(f"   {change:+.4g}  {name}")
    draw.out.print(
        "how the prediction would change back if the fact were typical; the changes do not add up", style="dim"
    )


def verify(bundle: Bundle, json: Json = False) -> None:
    """Check every file of a bundle against its manifest before anybody trusts it."""
    from holdgood.workflow.api import verify as check

    manifest = check(bundle)
    if json:
        draw.as_json(
            {
                "ok": True,
                "digest": manifest.digest,
                "files": len(manifest.files),
                "bytes": sum(f.size for f in manifest.files),
            }
        )
        return
    size = sum(f.size for f in manifest.files) / 1e6
    draw.out.print(
        f"verified: {counted(len(manifest.files), 'file')}, {size:.1f} MB, nothing missing, nothing added, nothing changed"
    )
    draw.out.print(f"digest {manifest.digest}")
    draw.out.print("keep the digest elsewhere: hashes inside a folder detect damage, not forgery", style="dim")
