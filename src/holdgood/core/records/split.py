"""How rows were divided; the row numbers lie beside the record as Parquet."""

from __future__ import annotations

from typing import ClassVar, Literal

from holdgood.core.records.envelope import Record


class Split(Record):
    """Counts and boundaries of one division, and how often its holdout was opened (per data fingerprint and project).

    ``outer``: folds that judge the whole procedure where there is no holdout; 0 with one.
    """

    kind: ClassVar[str] = "split"

    how: Literal["random", "stratified", "group", "time", "rows", "none"]
    table: str
    development: int
    holdout: int
    unused: int = 0
    no_outcome: int = 0
    cutoff: str = ""
    end: str = ""
    by: tuple[str, ...] = ()
    seed: int = 0
    folds: int = 0
    fold_kind: str = ""
    holdout_fingerprint: str = ""
    openings: int = 0
    sentence: str = ""
    outer: int = 0
