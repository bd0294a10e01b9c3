"""From scikit-learn's trees to a LightGBM model text, so that one scorer serves single trees, forests and boosting.

Both walk a tree by ``x <= threshold``; scikit-learn on x rounded to float32 (Booster does that), LightGBM in double. A
missing value goes where scikit-learn's ``missing_go_to_left`` says: LightGBM's missing type NaN with or without
default-left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Parts
from holdgood.core.task import Task
from holdgood.models.tabular.booster import Booster, BoosterBacked, as_float32
from holdgood.models.tabular.model_text import END, neutral

PARITY = 1e-9
_SAMPLE_ROWS = 256
_RIGHT, _LEFT = 8, 10  # LightGBM's decision type: missing type NaN is 2 << 2, default-left is bit 2
_ALL = float(np.finfo(np.float64).max)  # scikit-learn divides "missing" from "present" by an infinite threshold
_BYTES_A_LEAF, _BYTES_A_SHARE = 90, 8


def leaves_within(megabytes: float, n_classes: int) -> int:
    """How many leaves of all trees together fit into a model of that size."""
    return int(megabytes * 1e6 / (_BYTES_A_LEAF + (_BYTES_A_SHARE * n_classes if n_classes > 2 else 0)))


@dataclass(frozen=True)
class Grown:
    """Trees as scikit-learn grew them (``tree_`` of each), whose mean is the model.

    ``codes`` are the class codes in the order of the trees' outputs (a forest's ``classes_``; its trees number their own
    anew). Class shares of a node are drawn towards those of the root by ``smoothing`` rows' weight, so that no small
    leaf is ever certain.
    """

    trees: Sequence[Any]
    codes: np.ndarray
    task: Task
    smoothing: float

    @classmethod
    def of(cls, estimator: Any, task: Task, smoothing: float) -> Grown:
        """From a fitted DecisionTree*, RandomForest* or ExtraTrees*."""
        trees = [e.tree_ for e in getattr(estimator, "estimators_", [estimator])]
        codes = np.empty(0) if task.kind == "regression" else estimator.classes_
        return cls(trees, codes.astype(np.int64), task, smoothing)

    def node_answers(self, tree: Any) -> np.ndarray:
        """What each node of one tree would answer, shape (nodes, 1) or (nodes, k) for multiclass."""
        found: np.ndarray = tree.value[:, 0, :].astype(np.float64)
        if self.task.kind == "regression":
            return found
        shares = np.zeros((tree.node_count, self.task.n_classes))
        shares[:, self.codes] = found / found.sum(axis=1, keepdims=True)
        weight = tree.weighted_n_node_samples[:, None]
        smooth: np.ndarray = (shares * weight + self.smoothing * shares[:1]) / (weight + self.smoothing)
        return smooth[:, 1:] if self.task.kind == "binary" else smooth

    def expected(self, matrix: Matrix) -> np.ndarray:
        """The mean answer by scikit-learn's own walk: the other road that the text is checked by."""
        values = as_float32(matrix.values)
        mean: np.ndarray = np.mean([self.node_answers(t)[t.apply(values)] for t in self.trees], axis=0)
        return mean if self.task.kind == "multiclass" else mean[:, 0]

    def booster(self, columns: int) -> Booster:
        """The same as one Booster. Multiclass shares go into a table."""
        blocks, tables, starts, total = [], [], [], 0
        for number, tree in enumerate(self.trees):
            answers = self.node_answers(tree) / len(self.trees)
            block, leaf_nodes = _tree_text(number, tree, answers[:, 0])
            blocks.append(block)
            if self.task.kind == "multiclass":
                tables.append(answers[leaf_nodes])
                starts.append(total)
            total += len(leaf_nodes)
        header = ["tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0"]
        header += [f"max_feature_idx={columns - 1}", *(f"{key}={value}" for key, value in neutral(columns).items())]
        header += ["tree_sizes=" + " ".join(str(len(b)) for b in blocks), "", ""]
        return Booster(
            "\n".join(header) + "".join(blocks) + END,
            kind=self.task.kind,
            n_classes=self.task.n_classes,
            columns=columns,
            float32=True,
            plain=True,
            leaf_shares=np.ascontiguousarray(np.concatenate(tables)) if tables else None,
            leaf_start=np.array(starts, dtype=np.int64) if tables else None,
        )


class SklearnTrees(BoosterBacked):
    """Root of the single tree and the forest: keeps a sample of training rows with scikit-learn's own answers, to be
    checked at save time.
    """

    _sample: tuple[Matrix, np.ndarray] | None = None

    def keep(self, grown: Grown, matrix: Matrix) -> None:
        """Convert, and remember the answers expected for up to 256 evenly spaced training rows."""
        self.scorer = grown.booster(matrix.values.shape[1])
        sample = matrix.take(np.unique(np.linspace(0, len(matrix) - 1, _SAMPLE_ROWS).astype(np.int64)))
        self._sample = sample, grown.expected(sample)

    def to_parts(self) -> Parts:
        """As Booster.to_parts; BundleError where the text does not answer as scikit-learn did."""
        parts = self.fitted.to_parts()
        if self._sample is not None:
            matrix, wanted = self._sample
            unit = max(1.0, float(np.abs(wanted).max()))
            worst = float(np.abs(Booster.from_parts(parts).predict(matrix) - wanted).max())
            if not worst <= PARITY * unit:
                raise BundleError(
                    f"converted trees differ from scikit-learn's by {worst:.3g}",
                    f"at most {PARITY * unit:g}",
                    "report this with your versions: holdgood doctor",
                )
        return parts


def _tree_text(number: int, tree: Any, answers: np.ndarray) -> tuple[str, np.ndarray]:
    """One tree's text, and the node numbers of its leaves in LightGBM's order. scikit-learn numbers a child after
    its parent, as we need.
    """
    inner = tree.children_left >= 0
    leaf_nodes = np.flatnonzero(~inner)
    place = np.empty(tree.node_count, dtype=np.int64)
    place[inner] = np.arange(inner.sum())
    place[leaf_nodes] = -1 - np.arange(len(leaf_nodes))
    fields: list[tuple[str, str]] = [("num_leaves", str(len(leaf_nodes))), ("num_cat", "0")]
    if inner.any():
        decision = np.where(tree.missing_go_to_left[inner].astype(bool), _LEFT, _RIGHT)
        fields += [
            ("split_feature", _whole(tree.feature[inner])),
            ("threshold", _exact(np.clip(tree.threshold[inner], -_ALL, _ALL))),
        ]
        fields += [("decision_type", _whole(decision))]
        fields += [
            ("left_child", _whole(place[tree.children_left[inner]])),
            ("right_child", _whole(place[tree.children_right[inner]])),
        ]
        fields += [("internal_count", _whole(tree.n_node_samples[inner]))]
    fields += [("leaf_value", _exact(answers[leaf_nodes])), ("leaf_count", _whole(tree.n_node_samples[leaf_nodes]))]
    fields += [("is_linear", "0"), ("shrinkage", "1")]
    return f"Tree={number}\n" + "\n".join(f"{key}={value}" for key, value in fields) + "\n\n\n", leaf_nodes


def _whole(values: np.ndarray) -> str:
    return " ".join(map(str, values.tolist()))


def _exact(values: np.ndarray) -> str:
    return " ".join(map(repr, values.tolist()))
