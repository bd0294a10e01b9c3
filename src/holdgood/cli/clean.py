"""The command that cleans: preview, apply, replay, undo, and the effect on the model. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdgood.cli import draw
from holdgood.cli.tables import Json
from holdgood.core.errors import DeclarationError
from holdgood.core.text import counted

if TYPE_CHECKING:
    from holdgood.core.declaration import RepairSpec
    from holdgood.core.records import Comparison, RepairEffects
    from holdgood.workflow.cleaning import Cleaned

_CUT = 40


def clean(
    tables: Annotated[
        list[str] | None,
        typer.Argument(help="Files or database tables that belong together; none: the tables of the project here."),
    ] = None,
    apply: Annotated[
        list[str] | None,
        typer.Option(
            "--apply", help="Codes of findings whose repair is applied, for example AUD007; 'all' for every proposal."
        ),
    ] = None,
    without: Annotated[list[str] | None, typer.Option("--except", help="Codes of findings to leave alone.")] = None,
    columns: Annotated[str, typer.Option("--columns", help="Only repairs of these columns, separated by commas.")] = "",
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would change, cell by cell, and write nothing.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to",
            help="Where the cleaned table goes; default NAME.clean.parquet beside it. The source is never changed.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Replace any file that is there, never the source; what clean made of the same rows is replaced without.",
        ),
    ] = False,
    save: Annotated[
        Path | None, typer.Option("--save", help="Keep the applied repairs in a file, to replay them on other rows.")
    ] = None,
    repairs: Annotated[
        Path | None, typer.Option("--repairs", help="Replay the repairs of a file that --save wrote; no audit.")
    ] = None,
    undo: Annotated[
        Path | None, typer.Option("--undo", help="A file that clean wrote: write the table as it was, to --to.")
    ] = None,
    effect: Annotated[
        bool, typer.Option("--effect", help="Compare a model with and without each repair, on the same folds.")
    ] = False,
    target: Annotated[
        str, typer.Option("--target", help="With --effect and a table: the column or expression to predict.")
    ] = "",
    learner: Annotated[
        str, typer.Option("--learner", help="With --effect: the model family that is refitted, for example linear.")
    ] = "lightgbm",
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="With --effect: the longest it may take.")] = 600.0,
    json: Json = False,
) -> None:
    """Apply the repairs that the audit proposes, count every changed cell, and write a new file with its log and its undo.

    Without --apply nothing is written. In a project (no table named) --apply appends them to holdgood.toml, for the next run.
    """
    if undo is not None:
        _undo(undo, to)
    elif effect:
        _effect(tables or [], target, learner, seconds, json)
    elif not tables:
        _project(apply or [], without or [], _names(columns), json)
    else:
        from holdgood.workflow.cleaning import clean_tables

        with draw.Progress(quiet=json) as progress:
            done = clean_tables(
                tables, apply or [], without=without or [], columns=_names(columns), replay=repairs, to=to,
                preview=preview, force=force, save=save, listener=progress,
            )  # fmt: skip
        if json:
            draw.as_json([_told(c) for c in done] if len(done) > 1 else _told(done[0]))
            return
        for cleaned in done:
            _show(cleaned, with_cells=preview or not (apply or repairs), several=len(done) > 1)
        if not any(c.log.entries for c in done):
            said = "nothing to repair" if not apply else "no finding with these codes proposes a repair"
            draw.out.print(said)
        elif not any(c.path for c in done):
            draw.out.print(" nothing written; --apply CODE or --apply all does it", style="dim")
        if save is not None and any(c.path for c in done):
            draw.out.print(f" replay them: holdgood clean OTHER --repairs {save}", style="dim")


def _names(text: str) -> list[str]:
    return [n.strip() for n in text.split(",") if n.strip()]


def _told(cleaned: Cleaned) -> dict[str, Any]:
    return {
        "clean": cleaned.log.payload(),
        "written": cleaned.path and str(cleaned.path),
        "undo": cleaned.undo and str(cleaned.undo),
    }


def _show(cleaned: Cleaned, *, with_cells: bool, several: bool) -> None:
    if several:
        draw.out.print(cleaned.source, style="bold")
    for step in cleaned.steps:
        entry = step.entry
        if not (entry.cells_changed or entry.rows_removed or entry.repair == "drop-columns"):
            continue  # an earlier repair has done it already
        draw.out.print(f" {entry.repair:<26} {', '.join(entry.columns) or entry.table:<30} {entry.sentence}")
        if with_cells:
            for cell in step.examples:
                draw.out.print(
                    f"     row {cell.row + 1:,}  {cell.column}:  {_value(cell.was)}  →  {_value(cell.becomes)}",
                    style="dim",
                )
    if cleaned.path:
        said = (
            "its log and its undo beside it"
            if cleaned.undo
            else "its log beside it (no undo: its rows do not read back one by one; write Parquet)"
        )
        draw.out.print(f" written: {cleaned.path}, {said}; the source is untouched", style="dim")


def _value(value: object) -> str:
    if value is None:
        return "missing"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _CUT else text[: _CUT - 1] + "…"


def _undo(cleaned: Path, to: Path | None) -> None:
    from holdgood.workflow.cleaning import undo_table

    if to is None:
        raise DeclarationError("--undo without --to", "where the table as it was goes", "add --to FILE")
    table, exact = undo_table(cleaned, to)
    said = ", to the bit" if exact else "; a Parquet file would read back to the bit, this one does not"
    draw.out.print(f"{to}: {table.rows:,} rows as they were before {cleaned} was cleaned{said}")


def _project(codes: list[str], without: list[str], columns: list[str], json: bool) -> None:
    from holdgood.workflow.cleaning import declare, pick, propose_for
    from holdgood.workflow.folder import Project

    project = Project.at(Path())
    with draw.Progress(quiet=json) as progress:
        proposed = propose_for(project, listener=progress)
    chosen = pick(proposed, codes, without, columns)
    if codes and chosen:
        declare(project.path, chosen)
    if json:
        draw.as_json({"repairs": [r.model_dump(mode="json") for r in chosen], "declared": bool(codes and chosen)})
        return
    for spec in chosen:
        draw.out.print(f" {spec.repair:<26} {f'{spec.table}: ' + ', '.join(spec.columns):<40} {spec.why}")
    if not chosen:
        draw.out.print("nothing to repair beyond what is declared")
    elif codes:
        draw.out.print(f" {len(chosen)} repairs appended to holdgood.toml; holdgood run applies them", style="dim")
    else:
        draw.out.print(" nothing written; holdgood clean --apply all appends them to holdgood.toml", style="dim")
        draw.out.print(" what they do to the model: holdgood clean --effect", style="dim")


def _effect(tables: list[str], target: str, learner: str, seconds: float, json: bool) -> None:
    from holdgood.workflow.cleaning import propose_for
    from holdgood.workflow.effect import effects, one_table
    from holdgood.workflow.folder import Project

    project = one_table(tables, target) if tables else Project.at(Path())
    with draw.Progress(quiet=json) as progress:
        proposed: list[RepairSpec] = propose_for(project, listener=progress)
        found = effects(project, proposed, learner=learner, seconds=seconds, listener=progress)
    if json:
        draw.as_json(found.payload())
        return
    _effects_text(found)


def _effects_text(found: RepairEffects) -> None:
    draw.out.print(found.sentence, style="dim")
    if not found.effects:
        draw.out.print("nothing to compare: no repair is declared or proposed")
    for e in found.effects:
        what = f"{e.table}: {', '.join(e.columns)}" if e.columns else e.table
        cells = counted(e.cells_changed, "cell") + (f", {counted(e.rows_removed, 'row')}" if e.rows_removed else "")
        draw.out.print(f" {e.repair:<26} {what:<30} {cells}")
        if e.gain is None:
            draw.out.print(f"     {e.note}")
        for comparison in (e.gain, e.money):
            if comparison is not None:
                draw.out.print(f"     {_sentence(comparison)}")


def _sentence(c: Comparison) -> str:
    word = {"better": "helps", "worse": "harms", "not proven": "not proven"}[c.verdict]
    return f"{word}: {c.difference:+.4g} {c.unit} ({c.low:+.4g} to {c.high:+.4g}), p {c.p:.2g}"
