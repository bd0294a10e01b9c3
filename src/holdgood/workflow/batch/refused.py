"""Rows that the contract refuses, as a list for people: which they are and why, so that they are mended and asked again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from holdgood.core.table import Table
from holdgood.workflow.batch.pieces import Pieces
from holdgood.workflow.predict import Predictor

PLACE, WHY = "row_number", "why"


def refused_rows(model: Predictor, as_read: Table, size: int) -> pa.Table:
    """One line a row without an answer: its place in the source (from 1), its key columns, and why.

    ``as_read``: as ``Predictor.as_read`` gives it; ``size``: rows that are judged at a time.
    """
    spec = model.declaration.tables[model.declaration.main]
    keys = [k for k in (spec.key or spec.ids) if k in as_read.names]
    places: list[np.ndarray] = []
    why: list[str] = []
    pieces = Pieces(as_read, size)
    for (start, _), piece in zip(pieces.spans(), pieces, strict=True):
        said = model.judge(piece)
        at = np.flatnonzero(said.refused)
        places.append(at + start)
        why += said.reasons()[at].tolist()
    rows = np.concatenate(places)
    columns = {k: as_read.data.column(k).take(pa.array(rows)) for k in keys}
    place, reason = (_free(name, keys) for name in (PLACE, WHY))  # a key may be called so
    return pa.table({place: pa.array(rows + 1), **columns, reason: pa.array(why, pa.string())})


def _free(name: str, keys: Sequence[str]) -> str:
    while name in keys:
        name += "_"
    return name
