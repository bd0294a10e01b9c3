"""What planners know better than the model: changes to single steps, each with who and why, beside the model's own forecast."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.readings import points_are_decimal, readings
from holdgood.core.table import Table, as_text
from holdgood.features.panels.moments import NEVER, moments_of
from holdgood.features.panels.reader import ReadPanel
from holdgood.features.panels.series import names_of

KINDS = {
    "factor": "a number by which the forecast is multiplied, such as 1.2",
    "add": "a number that is added to the forecast, such as 25 or -25",
    "set": "the number that stands instead of the forecast, such as 120",
}


def adjusted(steps: pa.Table, table: Table, read: ReadPanel, where: str = "") -> pa.Table:
    """The model's steps with planners' changes beside them: ``adjusted``, ``adjusted_by``, ``adjusted_why``.

    ``table``: id columns (some of them: it counts for all series that they name), the time column or none (every step), one of
    ``factor``, ``add`` and ``set``, and ``who`` and ``why``. ``where``: what messages call the table. DataError with row, column and what was
    expected for a cell that cannot be taken.
    """
    where = where or repr(table.name)
    kinds = [k for k in KINDS if k in table.names]
    lacking = [c for c in ("who", "why") if c not in table.names]
    if len(kinds) != 1 or lacking:
        raise DataError(
            f"the adjustments in {where} have the columns {', '.join(table.names)}",
            "one of factor, add, set; who, why; id columns; the time column where it is not for every step",
            "name who changed the forecast, and why",
        )
    ids, plan, kind = [c for c in read.plan.id if c in table.names], read.plan, kinds[0]
    forecast = np.array(steps.column("forecast").to_numpy(zero_copy_only=False), float)
    value, who, why = forecast.copy(), np.full(len(forecast), None, object), np.full(len(forecast), None, object)
    change = _amounts(table, kind, where)
    said = {c: _filled(table, c, where) for c in ("who", "why")}
    numbers = _steps(table, read, where) if plan.time in table.names else None
    ahead = plan.grid.number(read.future.ds.ravel().astype("M8[us]").astype(np.int64))
    asked = _keys(table.data.select(ids), numbers, table.rows)
    places = _places(_keys(steps.select(ids), None if numbers is None else ahead, len(forecast)))
    series = {name for name, _ in places}
    by: dict[int, int] = {}
    for k, key in enumerate(asked):
        if key[0] not in series:
            _refuse(
                where,
                k,
                ", ".join(ids),
                f"no series of the forecast is {key[0]!r}",
                f"one of {len(series):,} series",
                did_you_mean(key[0], series),
            )
        if key not in places:
            span = f"a step of the forecast, from {_day(read.future.ds.min())} to {_day(read.future.ds.max())}"
            _refuse(
                where, k, plan.time, f"{_cell(table, plan.time, k)!r} is none of the steps ahead of {key[0]!r}", span
            )
        at = places[key]
        if twice := [by[i] for i in at.tolist() if i in by]:
            raise DataError(
                f"{where}, row {k + 1} changes a step that row {twice[0] + 1} changes, too",
                "one change a step",
                "take one of the two out",
            )
        by |= dict.fromkeys(at.tolist(), k)
        new = {"factor": forecast[at] * change[k], "add": forecast[at] + change[k], "set": np.full(len(at), change[k])}
        value[at], who[at], why[at] = new[kind], said["who"][k], said["why"][k]
    out = steps
    for name, column in (
        ("adjusted", pa.array(value)),
        ("adjusted_by", pa.array(who, pa.string())),
        ("adjusted_why", pa.array(why, pa.string())),
    ):
        out = out.append_column(name, column)
    return out


def _refuse(where: str, row: int, column: str, found: str, expected: str, do: str = "") -> NoReturn:
    """Rows are counted from 1 below the names of the columns."""
    raise DataError(
        f"{where}, row {row + 1}, column {column}: {found}", expected, do or "correct the cell, or take its row out"
    )


def _cell(table: Table, column: str, row: int) -> str:
    text = as_text(table.data.column(column).slice(row, 1)).to_pylist()[0] or ""
    return text.removesuffix(" 00:00:00.000000")


def _amounts(table: Table, kind: str, where: str) -> np.ndarray:
    """The changes (rows,): finite numbers, also where they are written as text in one way only."""
    column = table.data.column(kind)
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        found = np.array(column.cast(pa.float64()).to_numpy(zero_copy_only=False), float)
    else:
        texts = as_text(column).to_pylist()
        found = np.array([_float(t) for t in texts])
        decimal = points_are_decimal(texts)
        for k, text in enumerate(texts):
            ways = readings(text or "")
            if len(ways) > 1 and not (decimal and np.isfinite(found[k])):
                either = " or ".join(f"{v:.10g}" for v in ways)
                _refuse(
                    where,
                    k,
                    kind,
                    f"{text!r} may be read in two ways",
                    KINDS[kind],
                    f"write {either}, without other marks",
                )
            if ways and np.isnan(found[k]):
                _refuse(where, k, kind, f"{text!r} is written with marks", KINDS[kind], f"write {ways[0]:.10g}")
    bad = np.flatnonzero(~np.isfinite(found))
    if len(bad):
        text = _cell(table, kind, int(bad[0]))
        _refuse(
            where, int(bad[0]), kind, f"{text!r} is no number" if text.strip() else "nothing stands there", KINDS[kind]
        )
    return found


def _float(text: str | None) -> float:
    try:
        return float((text or "nan").strip() or "nan")
    except ValueError:
        return np.nan


def _filled(table: Table, column: str, where: str) -> list[str]:
    texts = [(t or "").strip() for t in as_text(table.data.column(column)).to_pylist()]
    if "" in texts:
        wanted = "the name of the person who changed the forecast" if column == "who" else "the reason in a few words"
        _refuse(where, texts.index(""), column, "nothing stands there", wanted)
    return texts


def _steps(table: Table, read: ReadPanel, where: str) -> np.ndarray:
    """The number of the step of each row (rows,)."""
    name, plan = read.plan.time, read.plan
    example = f"a date such as {_day(read.future.ds.min())}; without the column a change holds for every step"
    try:
        moments = moments_of(table, name)
    except DataError:  # none of the cells is one
        _refuse(where, 0, name, f"{_cell(table, name, 0)!r} is no date", example)
    bad = np.flatnonzero(moments.us == NEVER)
    if len(bad):
        text = _cell(table, name, int(bad[0]))
        _refuse(where, int(bad[0]), name, f"{text!r} is no date" if text.strip() else "nothing stands there", example)
    return np.asarray(plan.grid.number(plan.moments(moments)))


def _day(moment: np.datetime64) -> str:
    return str(moment.astype("M8[m]")).replace("T", " ").removesuffix(" 00:00")


def _keys(ids: pa.Table, numbers: np.ndarray | None, rows: int) -> list[tuple[str, int]]:
    """By row its series and the number of its step; what is not there counts for all."""
    names = names_of(ids).tolist() if ids.num_columns else [""] * rows
    return list(zip(names, [0] * rows if numbers is None else numbers.tolist(), strict=True))


def _places(keys: list[tuple[str, int]]) -> dict[tuple[str, int], np.ndarray]:
    found: dict[tuple[str, int], list[int]] = {}
    for k, key in enumerate(keys):
        found.setdefault(key, []).append(k)
    return {key: np.array(at, np.int64) for key, at in found.items()}
