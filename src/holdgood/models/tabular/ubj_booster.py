"""UbjBooster: an XGBoost model file, scored as a LightGBM model text.

The file stays XGBoost's own. Its trees are read by ``ubj`` and walked by LightGBM's scorer: a single row costs a tenth of
what XGBoost's own prediction takes, no XGBoost is needed where a bundle is used, and answers do not depend on a version
of it. XGBoost asks ``x < value`` in float32, LightGBM ``x <= threshold`` in double on values rounded to float32: the
threshold is the float32 number just below.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Parts
from holdgood.models.tabular.booster import Booster
from holdgood.models.tabular.model_text import END, neutral
from holdgood.models.tabular.ubj import UbjTree, trees_of

OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}
MOST_CODES = 4096
_FILE = "model.ubj"
_RIGHT, _LEFT, _SET = 8, 10, 1  # LightGBM's decision type: missing type NaN is 2 << 2, default-left bit 2, categories 1


class UbjBooster:
    """Gradient boosted trees in XGBoost's own format, with what they start from.

    ``margins``: log odds (binary), log shares (multiclass) or zero (regression), to which the trees add. ``codes``: by
    categorical column, how many codes there were in training; others count as missing. ``offset`` and ``scale`` undo a
    standardised outcome.
    """

    part: ClassVar[str] = "xgboost"

    def __init__(
        self,
        raw: bytes,
        *,
        kind: str,
        n_classes: int,
        columns: int,
        codes: Mapping[int, int],
        margins: Sequence[float],
        rounds: int,
        offset: float = 0.0,
        scale: float = 1.0,
    ) -> None:
        self.raw, self.kind, self.n_classes, self.columns, self.rounds = raw, kind, n_classes, columns, rounds
        self.codes, self.margins, self.offset, self.scale = dict(codes), tuple(margins), offset, scale
        self._booster: Booster | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Travel between processes as XGBoost's bytes."""
        return self.__dict__ | {"_booster": None}

    @property
    def booster(self) -> Booster:
        """The same trees as a Booster, made at first use; BundleError where the file or its sizes do not fit."""
        if self._booster is None:
            self._booster = self._converted()
        return self._booster

    def predict(self, matrix: Matrix) -> np.ndarray:
        """Probabilities or values: shape (n,), or (n, k) for multiclass. A row alone gets the same bits as among
        others.
        """
        return self.booster.predict(matrix)

    def to_parts(self) -> Parts:
        """The file, sizes and scaling."""
        json = {
            "kind": self.kind,
            "n_classes": self.n_classes,
            "columns": self.columns,
            "codes": [[column, count] for column, count in sorted(self.codes.items())],
            "margins": list(self.margins),
            "rounds": self.rounds,
            "offset": self.offset,
            "scale": self.scale,
        }
        return Parts(json, {}, {_FILE: self.raw})

    @classmethod
    def from_parts(cls, parts: Parts) -> UbjBooster:
        """Rebuild, reading and checking the whole file; BundleError where something does not fit."""
        json = parts.json
        try:
            model = cls(
                parts.files[_FILE],
                kind=str(json["kind"]),
                n_classes=int(json["n_classes"]),
                columns=int(json["columns"]),
                codes={int(column): int(count) for column, count in json["codes"]},
                margins=[float(m) for m in json["margins"]],
                rounds=int(json["rounds"]),
                offset=float(json["offset"]),
                scale=float(json["scale"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise _damaged(f"an XGBoost model without {error}") from error
        model._booster = model._converted()
        return model

    def _converted(self) -> Booster:
        k, groups = self.n_classes, self.n_classes if self.kind == "multiclass" else 1
        right = {"binary": k == 2, "multiclass": k >= 2, "regression": k == 0}
        finite = all(map(math.isfinite, (*self.margins, self.offset, self.scale)))
        if not right.get(self.kind, False) or self.columns < 1 or len(self.margins) != groups or not finite:
            raise _damaged(f"an XGBoost model of kind {self.kind!r}, {k} classes, {len(self.margins)} margins")
        if any(not (0 <= column < self.columns and 1 <= count <= MOST_CODES) for column, count in self.codes.items()):
            raise _damaged("an XGBoost model with categories out of place")
        trees = trees_of(
            self.raw,
            columns=self.columns,
            categorical=frozenset(self.codes),
            objective=OBJECTIVES[self.kind],
            groups=groups,
        )
        if len(trees) != self.rounds * groups:
            raise _damaged(f"an XGBoost model of {len(trees)} trees for {self.rounds} rounds")
        text = _text(trees, self.codes, self.margins, self.kind, self.columns)
        return Booster(
            text, kind=self.kind, n_classes=k, columns=self.columns, rounds=self.rounds, float32=True,
            offset=self.offset, scale=self.scale,
        )  # fmt: skip


def _damaged(came: str) -> BundleError:
    return BundleError(came, "its file, sizes and scaling, as they were saved", "the bundle is damaged")


def _text(trees: Sequence[UbjTree], codes: Mapping[int, int], margins: Sequence[float], kind: str, columns: int) -> str:
    """LightGBM's text of all trees; the first of each class takes its margin along."""
    groups = len(margins)
    objective = {"binary": "binary sigmoid:1", "regression": "regression"}.get(kind, f"multiclass num_class:{groups}")
    blocks = [
        _tree_text(number, tree, codes, margins[number] if number < groups else 0.0)
        for number, tree in enumerate(trees)
    ]
    header = ["tree", "version=v4", f"num_class={groups}", f"num_tree_per_iteration={groups}", "label_index=0"]
    header += [f"max_feature_idx={columns - 1}", f"objective={objective}"]
    header += [f"{key}={value}" for key, value in neutral(columns).items()]
    header += ["tree_sizes=" + " ".join(str(len(b)) for b in blocks), "", ""]
    return "\n".join(header) + "".join(blocks) + END


def _tree_text(number: int, tree: UbjTree, codes: Mapping[int, int], margin: float) -> str:
    inner = tree.left >= 0
    nodes = np.flatnonzero(inner)
    place = np.empty(len(inner), np.int64)
    place[inner], place[~inner] = np.arange(len(nodes)), -1 - np.arange(len(inner) - len(nodes))
    left, right = place[tree.left[inner]], place[tree.right[inner]]
    below = np.nextafter(tree.value[inner], np.float32(-np.inf), dtype=np.float32).astype(np.float64)
    decision = np.where(tree.missing_left[inner], _LEFT, _RIGHT)
    bounds, words = [0], []
    for node, members in tree.sets.items():
        at = int(place[node])
        # LightGBM sends a set's members left and a missing value right; XGBoost's set is what it sends right.
        inside = np.zeros(-(-codes[int(tree.column[node])] // 32) * 32, bool)
        inside[members[members < len(inside)]] = True
        if tree.missing_left[node]:
            left[at], right[at] = right[at], left[at]
        else:
            inside = ~inside
        words += np.packbits(inside, bitorder="little").view("<u4").tolist()
        below[at], decision[at] = len(bounds) - 1, _SET
        bounds.append(len(words))
    fields = [("num_leaves", str(len(inner) - len(nodes))), ("num_cat", str(len(tree.sets)))]
    if len(nodes):
        fields += [("split_feature", _joined(tree.column[inner])), ("threshold", _joined(below))]
        fields += [("decision_type", _joined(decision)), ("left_child", _joined(left)), ("right_child", _joined(right))]
    answers = tree.value[~inner].astype(np.float64) + margin
    fields += [("leaf_value", _joined(answers))]
    if tree.sets:
        fields += [("cat_boundaries", " ".join(map(str, bounds))), ("cat_threshold", " ".join(map(str, words)))]
    fields += [("is_linear", "0"), ("shrinkage", "1")]
    return f"Tree={number}\n" + "\n".join(f"{key}={value}" for key, value in fields) + "\n\n\n"


def _joined(values: np.ndarray) -> str:
    return " ".join(map(repr, values.tolist()))
