"""Columns as codes for dependencies: what is one value written in several ways is one code, what cannot be read is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.abbreviated import abbreviated
from holdgood.audit.aud024_typos import typos
from holdgood.audit.aud043_formats import written
from holdgood.audit.folded import variants
from holdgood.audit.vocabulary import vocabulary
from holdgood.core.table import Table


@dataclass(frozen=True)
class Coded:
    """``codes``: int64, one a row, -1 where nothing is known; ``raw``: the same before anything was read as something else.

    ``values``: what each code stands for, in an order of content. ``raw`` tells apart only what differs: -1 is an empty
    cell, -2 a cell that holds something else than its code.
    """

    codes: np.ndarray
    raw: np.ndarray
    values: tuple[object, ...]


def coded(table: Table, column: str, rows: np.ndarray | None = None) -> Coded:
    """The codes of a column, of some rows or of all."""
    cells = table.data.column(column)
    if rows is not None:
        cells = cells.take(pa.array(rows))
    flat = cells.combine_chunks()
    flat = flat.combine_chunks() if isinstance(flat, pa.ChunkedArray) else flat
    encoded = pc.dictionary_encode(flat)
    indices = pc.fill_null(encoded.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    plain = encoded.dictionary.to_pylist()
    meant: list[object] = list(plain)
    if columns.is_text(table, column):
        meant = _meant(table, column, plain)
    known = sorted({m for m in meant if m is not None}, key=_order)
    place = {m: i for i, m in enumerate(known)}
    to = np.array([*(-1 if m is None else place[m] for m in meant), -1], dtype=np.int64)
    same = np.array([*(m == p for m, p in zip(meant, plain, strict=True)), True])
    blank = np.array([*(isinstance(p, str) and not p.strip() for p in plain), True])
    codes = to[indices]
    raw = np.where(blank[indices], -1, np.where(same[indices], codes, -2))
    return Coded(codes, raw, tuple(known))


def _order(value: object) -> tuple[str, object]:
    return ("a", value) if isinstance(value, (bool, int, float)) else ("b", str(value))


def _meant(table: Table, column: str, texts: list[str]) -> list[object]:
    """What each text stands for: other spellings, typos and formats are read; the unreadable and the empty is None."""
    steps: list[dict[str, str]] = []
    lost: set[str] = set()
    if vocabulary(table, column) is not None:
        mistyped, formats = typos(table, column), written(table, column)
        steps = [variants(table, column), abbreviated(table, column), mistyped.meant, formats.meant if formats else {}]
        lost = {*mistyped.unclear, *(formats.empty if formats else ())}
    out: list[object] = []
    for text in texts:
        for step in steps:
            text = step.get(text, text)
        out.append(None if text in lost or not text.strip() else text)
    return out
