"""Commands for contracts: infer, check, diff, review. Heavy imports wait until a command runs."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.tables import Json
from holdgood.core.text import counted

app = typer.Typer(
    name="contract",
    help="What later rows must keep: inferred from data, reviewed by people, enforced row by row.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_File = Annotated[Path, typer.Option("--contract", help="The contract: a file, a bundle or a run folder.")]


@app.command("infer")
def infer(
    tables: Annotated[
        list[str] | None, typer.Argument(help="Files or database tables, or NAME=FILE; default the project's tables.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Where the contract goes; default contract.toml.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a contract that is there already.")] = False,
) -> None:
    """Write down what held in all rows: types, missing cells, bounds, levels, shapes, orders. Then people edit it."""
    from holdgood.workflow.contracts import infer_contract

    made = infer_contract(tables or [], to=to, force=force)
    for table in made.contract.tables:
        rules = f" and {len(table.rules)} between columns" if table.rules else ""
        draw.out.print(
            f"{table.name}: rules for {counted(len(table.columns), 'column')}{rules}, from {counted(table.rows, 'row')}"
        )
    for name, (issues, source, mends) in made.dirty.items():
        told = f"the audit finds {issues:,} issue{'' if issues == 1 else 's'} in it, and the rules ask for {'it' if issues == 1 else 'them'} too"
        then = "mend first: holdgood clean" if mends else "no repair is known; look first: holdgood audit"
        draw.out.print(f" {name}: {told}; {then} {shlex.quote(source)}", style="yellow")
    draw.out.print(f"written: {made.path}")
    draw.out.print('look it over, then: holdgood contract review --who "your name"', style="dim")


@app.command("check")
def check(
    tables: Annotated[list[str], typer.Argument(help="Files or database tables, or NAME=FILE.")],
    contract: _File = Path("contract.toml"),
    to: Annotated[
        Path | None, typer.Option("--to", help="Where the rows that are not ok go, one line each (csv, parquet, xlsx).")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if a row is refused or a key repeats.")] = False,
    json: Json = False,
) -> None:
    """Hold tables to a contract: a verdict on each row, and which rules are broken how often."""
    from holdgood.workflow.contracts import check_tables

    done = check_tables(tables, contract, to=to)
    if json:
        draw.as_json(
            [
                {
                    "table": c.table,
                    "rows": c.rows,
                    **{w: c.verdicts.count(w) for w in ("ok", "warn", "refused")},
                    "repeated_keys": c.repeated,
                    "broken": [
                        {"column": b.column, "kind": b.kind, "breach": b.breach, "rows": b.rows, "reason": b.reason}
                        for b in c.verdicts.broken
                    ],
                }
                for c in done
            ]
        )
    else:
        for c in done:
            counts = ", ".join(f"{c.verdicts.count(w):,} {w}" for w in ("ok", "warn", "refused"))
            draw.out.print(f"{c.table}: {counted(c.rows, 'row')}: {counts}")
            for b in sorted(c.verdicts.broken, key=lambda b: (b.breach != "refuse", -b.rows)):
                draw.out.print(f"  {b.breach:<7} {b.rows:>9,} {'row ' if b.rows == 1 else 'rows'}  {b.reason}")
            if c.repeated:
                draw.out.print(f"  {c.repeated:,} rows share their key with another row")
        if to is not None:
            draw.out.print(f"rows that are not ok: {to}", style="dim")
    if strict and any(c.repeated or c.verdicts.count("refused") for c in done):
        raise typer.Exit(1)


@app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(help="A contract, a bundle, a run folder, or a table.")],
    new: Annotated[str, typer.Argument(help="The same, later.")],
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything differs.")] = False,
    json: Json = False,
) -> None:
    """Say what changed between two versions of a contract, or of data."""
    from holdgood.workflow.contracts import compare

    found = compare(old, new)
    if json:
        draw.as_json([{"table": d.table, "column": d.column, "kind": d.kind, "sentence": d.sentence} for d in found])
    elif not found:
        draw.out.print("nothing differs")
    else:
        for d in found:
            draw.out.print(f" {d.kind:<8} {d.table}: {d.sentence}")
    if strict and found:
        raise typer.Exit(1)


@app.command("review")
def review(
    who: Annotated[str, typer.Option("--who", help="Who has looked at the rules and stands behind them.")],
    contract: Annotated[Path, typer.Argument(help="The contract's file.")] = Path("contract.toml"),
) -> None:
    """Sign the rules as they stand; a later edit is told as 'changed since'."""
    from holdgood.workflow.contracts import review as sign
    from holdgood.workflow.contracts import standing

    draw.out.print(f"{contract}: {standing(sign(contract, who))}")
