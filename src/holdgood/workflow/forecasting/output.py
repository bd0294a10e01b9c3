"""Answers in the user's own columns: quantiles a step, sums over lead times, and the joint paths themselves as Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from holdgood.core.errors import EnvironmentFault
from holdgood.core.panel import Paths
from holdgood.features.panels.reader import ReadPanel
from holdgood.workflow.forecasting.model import Model, Sums

PIECE = 2_000
"""Series whose paths are held in memory at once."""
_SCHEMA = pa.schema(
    [
        ("unique_id", pa.string()),
        ("cutoff", pa.timestamp("us")),
        ("ds", pa.timestamp("us")),
        ("sample", pa.int32()),
        ("y", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Answers:
    """``steps``: a row a series and step; ``totals``: a row a series and lead time; ``levels``: a row a sum of the hierarchy and step.

    Columns as the user has them; None where no lead time, or no level, is declared.
    """

    steps: pa.Table
    totals: pa.Table | None
    levels: pa.Table | None = None


def drawn(model: Model, read: ReadPanel, *, samples: int, seed: int, piece: int = PIECE) -> Iterator[Paths]:
    """Paths of some series at a time, in order; all at once where sums must agree.

    Each series draws by its own id, so that pieces say the same as the whole.
    """
    size = len(read.panel) if model.coherent else piece
    for begin in range(0, len(read.panel), max(size, 1)):
        yield model.paths(read.take(np.arange(begin, min(begin + size, len(read.panel)))), samples, seed)


def column_of(level: float) -> str:
    """What the column of a quantile is called.

    >>> column_of(0.9), column_of(0.025)
    ('q90', 'q2.5')
    """
    return f"q{100 * level:.6g}"


class Collected:
    """Quantiles and sums of paths, piece by piece; the paths go to ``sink`` where there is one."""

    def __init__(
        self, read: ReadPanel, levels: Sequence[float], leads: Sequence[int], sink: pq.ParquetWriter | None = None
    ) -> None:
        self.read, self.levels, self.leads, self.sink = read, np.asarray(levels), tuple(leads), sink
        self._points: list[np.ndarray] = []
        self._quantiles: list[np.ndarray] = []
        self._totals: list[list[np.ndarray]] = []

    def add(self, paths: Paths) -> None:
        """Take the paths of some series."""
        self._points.append(paths.point)
        self._quantiles.append(paths.quantile(self.levels))
        sums = [paths.total(0, n) for n in self.leads]
        self._totals.append([np.column_stack([s.mean(axis=1), np.quantile(s, self.levels, axis=1).T]) for s in sums])
        if self.sink is not None:
            self.sink.write_table(paths_table(paths))

    def answers(self, sums: Sums | None = None) -> Answers:
        """Everything that was taken, in the user's columns; ``sums``: the levels above the series."""
        point, quantiles = np.concatenate(self._points), np.concatenate(self._quantiles)
        series, horizon = point.shape
        columns = _keys(self.read, np.repeat(np.arange(series), horizon))
        columns[_free(self.read.plan.time, columns)] = self.read.plan.shown(self.read.future.ds)
        columns[_free("forecast", columns)] = pa.array(point.ravel(), from_pandas=True)
        for i, level in enumerate(self.levels):
            columns[_free(column_of(level), columns)] = pa.array(quantiles[:, :, i].ravel(), from_pandas=True)
        totals = None
        if self.leads:
            found = np.stack([np.concatenate([t[i] for t in self._totals]) for i in range(len(self.leads))], axis=1)
            spans = _keys(self.read, np.repeat(np.arange(series), len(self.leads)))
            spans[_free("steps", spans)] = pa.array(np.tile(np.asarray(self.leads), series))
            for i, name in enumerate(["forecast", *(column_of(v) for v in self.levels)]):
                spans[_free(name, spans)] = pa.array(found[:, :, i].ravel(), from_pandas=True)
            totals = pa.table(spans)
        return Answers(pa.table(columns), totals, None if sums is None else self._levels(sums))

    def _levels(self, sums: Sums) -> pa.Table:
        nodes, horizon = sums.paths.point.shape
        rows = np.repeat(np.arange(nodes), horizon)
        columns: dict[str, Any] = {"level": pa.array(sums.levels[rows]), "sum": pa.array(sums.paths.ids[rows])}
        columns[_free(self.read.plan.time, columns)] = self.read.plan.shown(sums.paths.ds)
        columns[_free("forecast", columns)] = pa.array(sums.paths.point.ravel(), from_pandas=True)
        quantiles = sums.paths.quantile(self.levels)
        for i, level in enumerate(self.levels):
            columns[_free(column_of(level), columns)] = pa.array(quantiles[:, :, i].ravel(), from_pandas=True)
        return pa.table(columns)


def readable(table: pa.Table, digits: int = 7) -> pa.Table:
    """The same with numbers rounded to so many significant digits, for files that people read.

    >>> readable(pa.table({"q50": [6806.043637010559, 0.0]})).to_pydict()
    {'q50': [6806.044, 0.0]}
    """
    for place, name in enumerate(table.column_names):
        if pa.types.is_floating(table.schema.field(name).type):
            values = table.column(name).to_numpy(zero_copy_only=False)
            size = np.where((values == 0) | ~np.isfinite(values), 1.0, np.abs(values))
            scale = 10.0 ** (digits - 1 - np.floor(np.log10(size)))
            table = table.set_column(place, name, pa.array(np.round(values * scale) / scale, from_pandas=True))
    return table


def _keys(read: ReadPanel, rows: np.ndarray) -> dict[str, Any]:
    return {n: read.keys.column(n).take(pa.array(rows)) for n in read.keys.column_names}


def _free(name: str, taken: dict[str, Any]) -> str:
    while name in taken:
        name += "_"
    return name


def paths_table(paths: Paths) -> pa.Table:
    """Paths in the form of the record: unique_id, cutoff, ds, sample, y; a row a series, sample and step."""
    series, samples, horizon = paths.y.shape
    of = np.repeat(np.arange(series), samples * horizon)
    return pa.table(
        [
            pa.array(paths.ids.astype(str)).take(pa.array(of)),
            pa.array(paths.cutoff[of]),
            pa.array(np.repeat(paths.ds[:, None, :], samples, axis=1).ravel()),
            pa.array(np.tile(np.repeat(np.arange(samples, dtype=np.int32), horizon), series)),
            pa.array(paths.y.ravel(), from_pandas=True),
        ],
        schema=_SCHEMA,
    )


def write_all(
    path: Path, model: Model, read: ReadPanel, *, levels: Sequence[float], leads: Sequence[int], samples: int, seed: int
) -> Answers:
    """Draw, write the paths beside, collect the quantiles. EnvironmentFault where the disk is full."""
    beside = path.with_name(f".{path.name}.part")
    try:
        with pq.ParquetWriter(beside, _SCHEMA, compression="zstd") as sink:
            collected = Collected(read, levels, leads, sink)
            for paths in drawn(model, read, samples=samples, seed=seed):
                collected.add(paths)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise EnvironmentFault(
            f"cannot write {path.name}: {error.strerror or error}",
            "room for the paths",
            "free some space, or take fewer samples",
        ) from error
    return collected.answers(model.sums(read, samples, seed))
