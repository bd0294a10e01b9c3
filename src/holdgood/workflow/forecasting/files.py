"""``holdgood forecast``: a bundle, a file of history, and where the answers go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from holdgood.connectors import read_table, write_table
from holdgood.core.errors import DeclarationError
from holdgood.core.records import PanelNote
from holdgood.core.text import counted
from holdgood.workflow.doubtful import doubtful, may_doubt
from holdgood.workflow.forecasting.adjustments import KINDS, adjusted
from holdgood.workflow.forecasting.carried import into_totals, up_levels
from holdgood.workflow.forecasting.in_use import ForecastModel
from holdgood.workflow.forecasting.output import paths_table, readable
from holdgood.workflow.forecasting.scenario import Scenario, under


@dataclass(frozen=True)
class Done:
    """What was forecast: rows, series, where it was written, notes, the first rows as text for the terminal."""

    rows: int
    series: int
    path: Path | None
    notes: tuple[str, ...]
    names: list[str]
    head: list[list[str]]
    records: list[dict[str, Any]]


def forecast_file(
    bundle: Path,
    history: str,
    *,
    future: str | None = None,
    items: str | None = None,
    scenario: str | None = None,
    why: str = "",
    changes: Sequence[str] = (),
    adjust: str | None = None,
    horizon: int | None = None,
    samples: int | None = None,
    to: Path | None = None,
    paths: Path | None = None,
    totals: Path | None = None,
    levels: Path | None = None,
    explain: Path | None = None,
    update: Path | None = None,
) -> Done:
    """Forecast from new history, with ``update`` after a fit on it that goes there as a bundle.

    Adjustments are carried into sums over lead times and up the levels, beside the model's own. ``explain``: where the drivers of the
    model's own forecast go. A scenario's rows stand under the model's own, with its name and reason beside them.
    """
    if (scenario is None) != (not changes):
        raise DeclarationError(
            "a scenario needs a name and what it changes",
            "--scenario NAME --why TEXT --set COLUMN=VALUE",
            "add what is missing",
        )
    model = ForecastModel.load(bundle)
    if update is not None:
        model = model.updated(history, items=items)
        model.save(update)
    made = model.forecast(history, future=future, items=items, horizon=horizon, samples=samples)
    steps, sums, over = made.answers.steps, made.answers.totals, made.answers.levels
    told = made.panel.notes
    doubts: tuple[PanelNote, ...] = ()
    if adjust is not None:
        given = read_table(adjust, name="adjustments")
        steps = adjusted(steps, given, made.read, where=_file_of(adjust))
        if may_doubt(adjust):
            doubts = doubtful(given, KINDS, lambda types: read_table(adjust, name="adjustments", types=dict(types)))
        sums = None if sums is None else into_totals(sums, steps)
        nodes = None if over is None else made.model.hierarchy(made.read)
        over = over if over is None or nodes is None else up_levels(over, steps, nodes.sums)
    if scenario is not None:
        other = under(made, Scenario(scenario, why, _changes(changes)))
        told = other.panel.notes
        steps = pa.concat_tables(
            [_named(steps, "", ""), _named(other.answers.steps, scenario, why)], promote_options="default"
        )
    if to is not None:
        _write(steps, to)
    if paths is not None:
        write_table(paths_table(made.paths), paths)
    if totals is not None:
        if sums is None:
            raise DeclarationError(
                "no lead time is declared"
                if horizon is None
                else f"no lead time of at most {horizon} steps is declared",
                "lead_times under [forecast]",
                "declare them and run again",
            )
        _write(sums, totals)
    if levels is not None:
        if over is None:
            raise DeclarationError("no hierarchy is declared", "levels under [forecast]", "declare them and run again")
        _write(over, levels)
    if explain is not None:
        _write(made.driven, explain)
    ended, new = made.panel.ended, made.panel.new
    notes = [n.message + (f": {', '.join(n.series)}" if n.series else "") for n in (*doubts, *told)]
    if ended:
        notes.append(
            f"{len(ended):,} ended items get no forecast: {', '.join(ended[:8])}{' …' if len(ended) > 8 else ''}"
        )
    if new:
        notes.append(f"{counted(len(new), 'item')} without history: {', '.join(new[:8])}{' …' if len(new) > 8 else ''}")
    head = steps.slice(0, 10).to_pylist()
    return Done(
        steps.num_rows, len(made.read.panel), to, tuple(notes), list(steps.column_names),
        [[_cell(v) for v in row.values()] for row in head], [] if to else steps.to_pylist(),
    )  # fmt: skip


def _file_of(source: str) -> str:
    """What messages call it: a file by its name; a database's address may hold a password."""
    return "the adjustments" if "://" in source else Path(source).name


def _write(table: pa.Table, to: Path) -> None:
    machine = to.name.lower().endswith((".parquet", ".jsonl"))
    write_table(table if machine else readable(table), to, for_people=True)


def _named(steps: pa.Table, name: str, why: str) -> pa.Table:
    count = steps.num_rows
    return steps.append_column("scenario", pa.array([name] * count)).append_column("why", pa.array([why] * count))


def _changes(given: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for one in given:
        name, sign, expression = one.partition("=")
        if not sign or not name.strip() or not expression.strip():
            raise DeclarationError(
                f"--set {one!r}", "COLUMN=VALUE or COLUMN=EXPRESSION", 'write for example --set "price=price * 0.9"'
            )
        found[name.strip()] = expression.strip()
    return found


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
