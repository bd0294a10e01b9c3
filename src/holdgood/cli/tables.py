"""Commands for tables, before there is a project: audit. Heavy imports wait until a command runs, so that --help is quick."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from holdgood.cli import draw
from holdgood.cli.findings import audit_text, decision_text, repairs_text
from holdgood.core.errors import DeclarationError
from holdgood.core.text import counted

if TYPE_CHECKING:
    # only named in annotations: --help must not wait for pydantic
    from holdgood.core.records import AuditReport

Json = Annotated[bool, typer.Option("--json", help="One JSON document for machines.")]


class OutOfContract(StrEnum):
    """What becomes of a rule of the contract that warns."""

    warn = "warn"
    refuse = "refuse"

    @property
    def word(self) -> Literal["warn", "refuse"]:
        """As the setting has it."""
        return "refuse" if self is OutOfContract.refuse else "warn"


Held = Annotated[
    OutOfContract | None,
    typer.Option(
        "--out-of-contract",
        help="refuse: a row that breaks any rule of the contract gets no answer; warn: only where the contract itself refuses. "
        "Default: [serve] out_of_contract of the live folder in which the bundle lies, else warn.",
    ),
]


def audit(
    tables: Annotated[
        list[str],
        typer.Argument(
            help="Files (csv, tsv, parquet, jsonl, xlsx; options as in 'sales.csv?skip=3'), sqlite:///FILE?table=T, or postgresql://…?table=T."
        ),
    ],
    every: Annotated[
        bool, typer.Option("--all", help="Show every finding, not only the three that matter most.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="Where to write the HTML report; default beside the first file.")
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.")] = False,
    target: Annotated[
        str,
        typer.Option(
            "--target", help="The column or expression to predict: leaks, late facts and labels are looked at."
        ),
    ] = "",
    time: Annotated[
        str, typer.Option("--time", help="With --target: when a row happens, a column or expression.")
    ] = "",
    decision: Annotated[
        str, typer.Option("--decision", help="With --target: when the decision is taken; default --time.")
    ] = "",
    cells: Annotated[
        Path | None,
        typer.Option(
            "--cells",
            help="List every cell that is told wrong in this file (csv, parquet, xlsx): row, column, value, what it becomes, which check.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run only these checks, for example AUD007; may be repeated.")
    ] = None,
    skip: Annotated[list[str] | None, typer.Option("--skip", help="Leave these checks out; may be repeated.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if there is an issue.")] = False,
    json: Json = False,
) -> None:
    """Find what is wrong with one table, or several that belong together. No project and no target needed.

    With --target the table is also divided as a run would divide it, and its development rows are asked what gives the answer away.
    What somebody accepted or ignored (holdgood ignore) stays listed and does not count as open.
    """
    from holdgood.workflow.tables import audit_files

    if (time or decision) and not target:
        raise DeclarationError(
            "--time or --decision without --target", "what is to be predicted", "add --target COLUMN"
        )
    with draw.Progress(quiet=json) as progress:
        looked = audit_files(
            tables, report=report, write=not no_report, only=only or (), skip=skip or (),
            target=target, happened=time, decided=decision, cells=cells, listener=progress,
        )  # fmt: skip
    if json:
        told = {"audit": looked.report.payload(), "report": looked.path and str(looked.path), "seconds": looked.seconds}
        draw.as_json(told | ({"target": looked.target.payload()} if looked.target is not None else {}))
    else:
        audit_text(looked.passes, every=every, seconds=looked.seconds)
        repairs_text(looked.report)
        decision_text(looked.passes)
        took = "" if len(looked.report.tables) == 1 else f"{looked.seconds:.1f} s"
        written = f"report: {looked.path}" if looked.path else ""
        if looked.cells:
            written = f"{written} · cells: {looked.cells}" if written else f"cells: {looked.cells}"
        if looked.cells:
            _without_cells(looked.report)
        if took or written:
            draw.out.print(" " * 7 + " · ".join(t for t in (took, written) if t), style="dim")
    if looked.unread:  # the rest was audited and shown; the exit code says that not everything was
        raise typer.Exit(next(iter(looked.unread.values())).exit_code)
    if strict and any(r.issues for r in looked.passes):
        raise typer.Exit(1)


def _without_cells(report: AuditReport) -> None:
    """Issues that point at rows and are not in the list of cells: no repair is known that tells which cell is wrong."""
    left = [f for f in report.issues if f.examples and f.proposal is None]
    if left:
        named = ", ".join(f"{f.code} ({counted(f.rows, 'row')})" for f in left)
        draw.out.print(f"{' ' * 7}not among the cells, since no repair says which one is wrong: {named}", style="dim")
