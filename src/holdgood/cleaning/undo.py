"""Undo: what a table was before its repairs, kept as the cells, rows and columns that changed and nothing else."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holdgood.cleaning.cells import unlike
from holdgood.core.errors import DataError
from holdgood.core.records.envelope import write_bytes
from holdgood.core.table import Column, Table

_ROW = "row"
_VALUE = "value"


@dataclass(frozen=True)
class Undo:
    """How to get a table back from its repaired self.

    ``cells``: by column the rows (places in the original) whose value changed, and the values; ``whole``: columns that were
    taken out or changed their type, as they were; ``rows``: places of removed rows, ``removed`` their content.
    """

    before: str
    after: str
    columns: tuple[Column, ...]
    kept: int
    cells: dict[str, tuple[np.ndarray, pa.ChunkedArray]]
    whole: dict[str, pa.ChunkedArray]
    rows: np.ndarray
    removed: pa.Table


def undo_of(before: Table, after: Table, kept: np.ndarray) -> Undo:
    """What has to be kept. ``kept``: for each row of ``after`` its place in ``before``, ascending."""
    gone = np.setdiff1d(np.arange(before.rows), kept, assume_unique=True)
    whole, cells = {}, {}
    for name in before.names:
        was = before.data.column(name)
        if name not in after.names or after.data.column(name).type != was.type:
            whole[name] = was
            continue
        stayed = was if len(gone) == 0 else was.take(pa.array(kept))
        at = pc.indices_nonzero(unlike(stayed, after.data.column(name))).to_numpy()
        if len(at):
            cells[name] = (kept[at], stayed.take(pa.array(at)))
    rest = [n for n in before.names if n not in whole]
    removed = before.data.select(rest).take(pa.array(gone))
    return Undo(before.fingerprint(), after.fingerprint(), before.columns, len(kept), cells, whole, gone, removed)


def restore(after: Table, undo: Undo) -> Table:
    """The table as it was, to the bit; DataError where the repaired table is not the one that the undo was made for."""
    renamed = {c.name for c in undo.columns} - set(undo.whole) - set(after.names)  # names do not enter a fingerprint
    if renamed or after.fingerprint() != undo.after:
        raise DataError(
            f"table {after.name!r} has changed since it was cleaned",
            "the very file that clean wrote",
            "undo before other changes, or go back to the source: clean never changes it",
        )
    total = undo.kept + len(undo.rows)
    place = np.empty(total, np.int64)
    stayed = np.ones(total, bool)
    stayed[undo.rows] = False
    place[stayed] = np.arange(undo.kept)
    place[undo.rows] = undo.kept + np.arange(len(undo.rows))
    arrays = []
    for column in undo.columns:
        name = column.name
        if name in undo.whole:
            arrays.append(undo.whole[name])
            continue
        pieces, order = [*after.data.column(name).chunks, *undo.removed.column(name).chunks], place
        if name in undo.cells:
            rows, values = undo.cells[name]
            order = place.copy()
            order[rows] = total + np.arange(len(rows))
            pieces += values.chunks
        arrays.append(pa.chunked_array(pieces, after.data.column(name).type).take(pa.array(order)))
    data = pa.Table.from_arrays(arrays, names=[c.name for c in undo.columns])
    restored = Table(after.name, data, undo.columns, after.source, native=after.native)
    if restored.fingerprint() != undo.before:
        raise DataError(
            f"the undo of {after.name!r} does not give the table that was cleaned",
            "an undo file as clean wrote it",
            "go back to the source: clean never changes it",
        )
    return restored


def save(path: Path, undo: Undo) -> None:
    """One zip archive of Parquet files; the old file stays whole until the new one is on disk."""
    manifest = {
        "before": undo.before,
        "after": undo.after,
        "kept": undo.kept,
        "columns": [[c.name, c.type, c.zone] for c in undo.columns],
        "cells": list(undo.cells),
        "whole": list(undo.whole),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("undo.json", json.dumps(manifest))
        for i, (rows, values) in enumerate(undo.cells.values()):
            archive.writestr(f"cells-{i}.parquet", _parquet(pa.table({_ROW: pa.array(rows), _VALUE: values})))
        for i, values in enumerate(undo.whole.values()):
            archive.writestr(f"whole-{i}.parquet", _parquet(pa.table({_VALUE: values})))
        numbered = undo.removed.append_column("\x00row", pa.array(undo.rows, pa.int64()))
        archive.writestr("removed.parquet", _parquet(numbered))
    write_bytes(path, buffer.getvalue())


def read(path: Path) -> Undo:
    """Read it back; DataError where it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            told = json.loads(archive.read("undo.json"))
            removed = pq.read_table(io.BytesIO(archive.read("removed.parquet")))
            cells = {}
            for i, name in enumerate(told["cells"]):
                part = pq.read_table(io.BytesIO(archive.read(f"cells-{i}.parquet")))
                cells[name] = (part.column(_ROW).to_numpy(), part.column(_VALUE))
            whole = {
                name: pq.read_table(io.BytesIO(archive.read(f"whole-{i}.parquet"))).column(_VALUE)
                for i, name in enumerate(told["whole"])
            }
    except FileNotFoundError:
        raise DataError(
            f"no undo file {path}", "the file that clean wrote beside its result", "check the name"
        ) from None
    except (zipfile.BadZipFile, KeyError, ValueError, pa.ArrowInvalid) as error:
        raise DataError(
            f"{path.name} is no undo file: {error}", "the file that clean wrote", "check the name"
        ) from None
    rows = removed.column("\x00row").to_numpy()
    columns = tuple(Column(*of_one) for of_one in told["columns"])
    rest = removed.drop_columns(["\x00row"])
    return Undo(told["before"], told["after"], columns, int(told["kept"]), cells, whole, rows, rest)


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
