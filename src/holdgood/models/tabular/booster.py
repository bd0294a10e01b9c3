"""Booster: a LightGBM model text and what turns its numbers into answers. Scores boosted trees, single trees and
forests alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import lightgbm
import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Parts
from holdgood.models.tabular import model_text
from holdgood.models.tabular.backed import Backed
from holdgood.models.tabular.single_row import SingleRow
from holdgood.models.tabular.training_rows import expect_columns

# Up to here one thread is faster than waking others; beyond, LightGBM takes what OMP_NUM_THREADS allows. The numbers
# are the same.
_ONE_THREAD_ROWS = 4096
_LARGEST32 = float(np.finfo(np.float32).max)
_OBJECTIVES = {"binary": ("binary sigmoid:1",), "regression": ("regression",)}


def as_float32(values: np.ndarray) -> np.ndarray:
    """Values as scikit-learn's trees see them: rounded to float32, infinities at the largest number; C-contiguous,
    NaN stays.
    """
    rounded: np.ndarray = np.clip(values, -_LARGEST32, _LARGEST32).astype(np.float32)
    return rounded


class Booster:
    """A fitted ensemble of trees in LightGBM's text, with its scaling.

    ``offset`` and ``scale`` undo a standardised outcome (regression). ``float32``: columns are rounded to float32
    first (trees grown by scikit-learn). ``leaf_shares`` of shape (leaves of all trees, classes), with ``leaf_start``
    where each tree's leaves begin: multiclass trees whose leaves hold several numbers are walked by LightGBM and read
    from this table.
    """

    part: ClassVar[str] = "booster"

    def __init__(
        self,
        text: str,
        *,
        kind: str,
        n_classes: int,
        columns: int,
        rounds: int | None = None,
        float32: bool = False,
        plain: bool = False,
        offset: float = 0.0,
        scale: float = 1.0,
        leaf_shares: np.ndarray | None = None,
        leaf_start: np.ndarray | None = None,
    ) -> None:
        self.text, self.kind, self.n_classes, self.columns, self.rounds = text, kind, n_classes, columns, rounds
        self.float32, self.plain, self.offset, self.scale = float32, plain, offset, scale
        self.leaf_shares, self.leaf_start = leaf_shares, leaf_start
        self._native: lightgbm.Booster | None = None
        self._single: SingleRow | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Travel between processes as text."""
        return self.__dict__ | {"_native": None, "_single": None}

    @property
    def native(self) -> lightgbm.Booster:
        """LightGBM's own object, made at first use."""
        if self._native is None:
            try:
                self._native = lightgbm.Booster(model_str=self.text)
            except lightgbm.basic.LightGBMError as error:
                raise BundleError(
                    f"a model text that LightGBM refuses: {error}",
                    "a LightGBM model of version 4",
                    "the bundle is damaged",
                ) from error
        return self._native

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Probabilities or values: shape (n,), or (n, k) for multiclass. A row alone gets the same bits as among
        others.
        """
        values = expect_columns(matrix, self.columns)
        if len(values) == 0:
            return np.empty((0, self.n_classes) if self.kind == "multiclass" else 0)
        if self.float32:
            values = as_float32(values).astype(np.float64)
        threads = 1 if len(values) <= _ONE_THREAD_ROWS else 0
        if self.leaf_shares is not None and self.leaf_start is not None:
            leaves = np.asarray(
                self.native.predict(values, pred_leaf=True, num_threads=threads), dtype=np.int64
            ).reshape(len(values), -1)
            total = np.zeros((len(values), self.n_classes))
            for tree, start in enumerate(
                self.leaf_start
            ):  # one tree after the other: the order of the sum is the same for any batch
                total += self.leaf_shares[start + leaves[:, tree]]
            return np.clip(total, 0.0, 1.0)
        if len(values) == 1:
            raw = self._alone()(values)
        else:
            raw = np.asarray(self.native.predict(values, num_threads=threads), dtype=np.float64)
        if self.kind == "regression":
            amount: np.ndarray = raw * self.scale + self.offset
            return amount
        chances: np.ndarray = np.clip(raw, 0.0, 1.0)
        return chances

    def row(self, cells: Sequence[float]) -> np.ndarray:
        """``predict`` for the cells of a single row, without a matrix where that is possible."""
        if self.float32 or self.leaf_shares is not None or len(cells) != self.columns:
            return self.predict(Matrix(np.array([cells], np.float64), ()))
        raw = self._alone().of(cells)
        if self.kind == "regression":
            amount: np.ndarray = raw * self.scale + self.offset
            return amount
        if raw.ndim == 1 and 0.0 <= raw[0] <= 1.0:
            return raw
        chances: np.ndarray = np.clip(raw, 0.0, 1.0)
        return chances

    def _alone(self) -> SingleRow:
        if self._single is None:
            self._single = SingleRow(self.native, self.columns)
        return self._single

    def to_parts(self) -> Parts:
        """The text, the scaling and, for multiclass trees, the table of leaves."""
        json = {
            "kind": self.kind,
            "n_classes": self.n_classes,
            "columns": self.columns,
            "rounds": self.rounds,
            "float32": self.float32,
        }
        json |= {"plain": self.plain, "offset": self.offset, "scale": self.scale}
        arrays = {}
        if self.leaf_shares is not None and self.leaf_start is not None:
            arrays = {"leaf_shares": self.leaf_shares, "leaf_start": self.leaf_start}
        return Parts(json, arrays, {"model.txt": self.text.encode("ascii")})

    @classmethod
    def from_parts(cls, parts: Parts) -> Booster:
        """Rebuild. Every index in the text is checked before LightGBM reads it; BundleError where something does not
        fit.
        """
        json, arrays = parts.json, parts.arrays
        try:
            text = parts.files["model.txt"].decode("ascii")
            kind, n_classes, columns = str(json["kind"]), int(json["n_classes"]), int(json["columns"])
            rounds = None if json["rounds"] is None else int(json["rounds"])
            plain, float32, offset, scale = (
                bool(json["plain"]),
                bool(json["float32"]),
                float(json["offset"]),
                float(json["scale"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"a booster without {error}", "its text, kind, sizes and scaling", "the bundle is damaged"
            ) from error
        right_size = {"binary": n_classes == 2, "multiclass": n_classes >= 2, "regression": n_classes == 0}
        if not right_size.get(kind, False) or columns < 1 or not (math.isfinite(offset) and math.isfinite(scale)):
            raise BundleError(
                f"a booster of kind {kind!r}, {n_classes} classes, {columns} columns",
                "sizes that fit",
                "the bundle is damaged",
            )
        table, start = arrays.get("leaf_shares"), arrays.get("leaf_start")
        per_iteration = n_classes if kind == "multiclass" and table is None else 1
        objectives = ("",) if plain else _OBJECTIVES.get(kind, (f"multiclass num_class:{n_classes}",))
        trees = model_text.check(text, columns=columns, per_iteration=per_iteration, objectives=objectives)
        if table is not None:
            table, start = _checked_table(text, trees, n_classes, table, start)
        return cls(
            text,
            kind=kind,
            n_classes=n_classes,
            columns=columns,
            rounds=rounds,
            float32=float32,
            plain=plain,
            offset=offset,
            scale=scale,
            leaf_shares=table,
            leaf_start=start,
        )


def merged(boosters: Sequence[Booster]) -> Booster | None:
    """One booster whose raw score is the mean of several; None where they are not of one kind, or one has no trees.

    What answers for k folds then costs one call of the library instead of k.
    """
    first = boosters[0]
    sort = [(b.kind, b.n_classes, b.columns, b.float32, b.plain, b.leaf_shares is None) for b in boosters]
    if any(s != sort[0] for s in sort) or any("Tree=0" not in b.text for b in boosters):
        return None
    k = len(boosters)
    table = start = None
    if first.leaf_shares is not None:
        tables = [b.leaf_shares for b in boosters if b.leaf_shares is not None]
        table = np.ascontiguousarray(np.concatenate(tables) / k)
        before = np.cumsum([0, *(len(t) for t in tables[:-1])])
        starts = [b.leaf_start + n for b, n in zip(boosters, before, strict=True) if b.leaf_start is not None]
        start = np.concatenate(starts).astype(np.int64)
    rounds = [b.rounds for b in boosters if b.rounds is not None]
    return Booster(
        model_text.joined([b.text for b in boosters], [b.scale / k for b in boosters]),
        kind=first.kind,
        n_classes=first.n_classes,
        columns=first.columns,
        rounds=sum(rounds) if len(rounds) == k else None,
        float32=first.float32,
        plain=first.plain,
        offset=math.fsum(b.offset for b in boosters) / k,
        leaf_shares=table,
        leaf_start=start,
    )


def _checked_table(
    text: str, trees: int, n_classes: int, table: np.ndarray, start: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    counts = [int(line.removeprefix("num_leaves=")) for line in text.split("\n") if line.startswith("num_leaves=")]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    fits = start is not None and start.shape == (trees,) and bool((start == starts[:-1]).all())
    if not fits or table.shape != (starts[-1], n_classes) or table.dtype != np.float64 or not np.isfinite(table).all():
        raise BundleError(
            "a table of leaves that does not fit its trees",
            f"{starts[-1]} leaves of {n_classes} classes",
            "the bundle is damaged",
        )
    return table, starts[:-1]


class BoosterBacked(Backed[Booster]):
    """Root of learners whose fitted form is a Booster."""

    part: ClassVar[str] = Booster.part
    kept: ClassVar[Any] = Booster

    @staticmethod
    def merged(models: Sequence[BoosterBacked]) -> Booster | None:
        """One scorer for the mean of several models' raw scores, or None; see the function."""
        return merged([m.fitted for m in models])
