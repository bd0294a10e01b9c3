"""The command that keeps decisions about findings: who lives with which, and why. Heavy imports wait until it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holdgood.cli import draw
from holdgood.cli.tables import Json
from holdgood.core.errors import DeclarationError

if TYPE_CHECKING:
    from holdgood.core.declaration import IgnoreSpec


def ignore(
    code: Annotated[str, typer.Argument(help="The finding's code, for example AUD007.")] = "",
    who: Annotated[str, typer.Option("--who", help="Who decides.")] = "",
    why: Annotated[str, typer.Option("--why", help="And why.")] = "",
    table: Annotated[
        str, typer.Option("--table", help="Only for this table: its name, or the audited file. Default: all tables.")
    ] = "",
    columns: Annotated[str, typer.Option("--columns", help="Only for these columns, separated by commas.")] = "",
    accept: Annotated[
        bool, typer.Option("--accept", help="The finding is true, and we live with it. Default: it is not so.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the decisions that are kept here.")] = False,
    undo: Annotated[str, typer.Option("--undo", help="Take back what was decided about this code.")] = "",
    json: Json = False,
) -> None:
    """Accept or ignore a finding, by name and with a reason; it stays listed, and no longer counts as open.

    Kept in the project's holdgood.toml, or without a project in holdgood.audit.toml beside the file; the audit obeys it.
    """
    from holdgood.workflow import decided

    at = decided.place(table or None, Path())
    names = [n.strip() for n in columns.split(",") if n.strip()]
    if listed:
        kept = [r for r in decided.rules(at.path) if at.table in (None, r.table)]
        done, said = kept, f"{at.path.name} holds no decision"
    elif undo:
        done, said = decided.undo(at, undo, names), ""
    elif code:
        done, said = [decided.decide(at, code, who=who, why=why, columns=names, accept=accept)], ""
    else:
        raise DeclarationError(
            "no code is named", "the code of a finding", "holdgood ignore AUD007 --who NAME --why TEXT, or --list"
        )
    if json:
        draw.as_json({"decisions": [r.model_dump(mode="json") for r in done], "file": str(at.path)})
        return
    for rule in done:
        draw.out.print(_line(rule))
    if not done:
        draw.out.print(said)
    elif undo:
        draw.out.print(f" taken out of {at.path}; these findings are open again", style="dim")
    elif not listed:
        draw.out.print(f" kept in {at.path}; take it back: holdgood ignore --undo {done[0].code}", style="dim")


def _line(rule: IgnoreSpec) -> str:
    word = "accepted" if rule.decision == "accept" else "ignored"
    where = ", ".join(rule.columns) or "all columns"
    day = f" on {rule.on}" if rule.on else ""
    return f" {word:<9} {rule.code}  {f'{rule.table}: ' if rule.table else ''}{where}  by {rule.who}{day}: {rule.why}"
