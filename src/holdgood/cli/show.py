"""Show one record of a run in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from holdgood.cli import draw
from holdgood.cli.findings import audit_text
from holdgood.cli.forecasts import accuracy_text
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.core.records import AuditReport, Record
from holdgood.core.text import counted, times
from holdgood.workflow.result import Run


def show_record(run: Run, what: str | None, json: bool) -> None:
    """Print a record as text, or as JSON; by default the verdict, of a forecasting run its accuracy."""
    first = "accuracy" if run.forecasts else "verdict"
    what = what or first
    there = [name for name in _SHOWN if name not in (_ROWS if run.forecasts else _SERIES)]
    if what not in _SHOWN:
        raise DeclarationError(
            f"nothing is called {what!r}" + (", and a run is named by --run" if _like_a_run(what) else ""),
            "one of: " + ", ".join(there),
            f"holdgood show {first} --run {Path(what).name}"
            if _like_a_run(what)
            else did_you_mean(what, there) or f"holdgood show {first}",
        )
    if what not in there:
        kind = "forecasts series" if run.forecasts else "predicts rows"
        raise DeclarationError(
            f"run {run.id} {kind} and has no {what}", "one of: " + ", ".join(there), f"holdgood show {first}"
        )
    get, text = _SHOWN[what]
    if json:
        draw.as_json([r.payload() for r in get(run)] if what == "audit" else get(run)[0].payload())
        return
    text(run)


def _like_a_run(what: str) -> bool:
    """A number, or the folder of a run."""
    return what.isdigit() or (Path(what).name.isdigit() and Path(what).parent.name == "runs")


def _audits(run: Run) -> list[AuditReport]:
    return [run.audit] if run.forecasts else [run.audit, run.audit_target]


def _audit(run: Run) -> None:
    audit_text(_audits(run), every=True)


def _panel(run: Run) -> None:
    panel = run.panel
    draw.out.print(
        f" {panel.series:,} series, {panel.rows:,} rows, steps of {panel.frequency}, {panel.horizon} ahead; seasons "
        + ", ".join(map(str, panel.seasons))
    )
    draw.rows_text([" column", "used as"], [[f" {c}", role] for c, role in panel.roles.items()])
    for note in panel.notes:
        draw.out.print(f" {note.level:<6} {note.message}")


def _accuracy(run: Run) -> None:
    accuracy_text(run.accuracy)
    if run.leaderboard.without:
        draw.out.print(f"  {run.leaderboard.without}", style="bold yellow")


def _clean(run: Run) -> None:
    for entry in run.clean.entries:
        draw.out.print(f" {entry.repair:<26} {entry.table}: {entry.sentence}")
    draw.out.print(
        f" {counted(run.clean.cells_changed, 'cell')} changed by {counted(len(run.clean.entries), 'repair')}"
    )


def _split(run: Run) -> None:
    split = run.split
    draw.out.print(f" {split.sentence}")
    draw.out.print(
        f" {split.development:,} development · {split.holdout:,} holdout · {split.unused:,} unused · {split.no_outcome:,} without an outcome"
    )


def _features(run: Run) -> None:
    ledger = run.features
    draw.rows_text(
        ["feature", "type", "built by", "missing"],
        [[f.name, f.type, f.builder, f"{f.missing_share:.1%}"] for f in ledger.features],
    )
    for join in ledger.joins:
        draw.out.print(f" join {join.table}: {join.sentence}")
    for column, reason in ledger.left_out.items():
        draw.out.print(f" left out {column}: {reason}", style="dim")


def _evaluation(run: Run) -> None:
    result = run.holdout
    for name, interval in result.metrics.items():
        prior = result.baselines.get("prior", {}).get(name)
        draw.out.print(f" {name:<20} {interval}" + ("" if prior is None else f"   prior {prior.value:.4g}"))
    for comparison in (result.against_prior, result.against_simple):
        if comparison is not None:
            draw.out.print(
                f" against {comparison.second}: {comparison.verdict} by {comparison.difference:.4g} "
                f"({comparison.low:.4g} to {comparison.high:.4g}) {comparison.unit}"
            )
    draw.out.print(f" {result.money_sentence}")
    draw.out.print(f" tuned on {result.tuned_on}; opened {times(result.openings)}", style="dim")


def _card(run: Run) -> None:
    for section in run.card.sections:
        draw.out.print(section.title, style="bold")
        for paragraph in section.paragraphs:
            draw.out.print(f"  {paragraph}")
        for key, value in section.table:
            draw.out.print(f"  {key:<28} {value}")


def _contract(run: Run) -> None:
    for table in run.model.contract.tables:
        draw.out.print(f" {table.name}")
        draw.rows_text(
            ["  column", "type", "missing", "range"],
            [[f"  {c.name}", c.type, f"{c.missing_share:.1%}", _range(c.low, c.high)] for c in table.columns],
        )


def _range(low: float, high: float) -> str:
    return "" if low != low else f"{low:g} to {high:g}"


_SHOWN: dict[str, tuple[Callable[[Run], list[Record]], Callable[[Run], None]]] = {
    "verdict": (lambda r: [r.verdict], lambda r: draw.verdict_text(r.verdict)),
    "audit": (lambda r: list(_audits(r)), _audit),
    "clean": (lambda r: [r.clean], _clean),
    "split": (lambda r: [r.split], _split),
    "features": (lambda r: [r.features], _features),
    "ladder": (lambda r: [r.leaderboard], lambda r: draw.ladder_text(r.leaderboard)),
    "leaderboard": (lambda r: [r.leaderboard], lambda r: draw.trials_text(r.leaderboard)),
    "evaluation": (lambda r: [r.holdout], _evaluation),
    "fairness": (lambda r: [r.fairness], lambda r: draw.fairness_text(r.fairness)),
    "card": (lambda r: [r.card], _card),
    "panel": (lambda r: [r.panel], _panel),
    "accuracy": (lambda r: [r.accuracy], _accuracy),
    "contract": (lambda r: [r.model.contract], _contract),
}

_ROWS = ("verdict", "split", "features", "evaluation", "fairness", "card", "contract")
"""Records that only a run has which predicts rows."""
_SERIES = ("panel", "accuracy")
"""Records that only a forecasting run has."""
