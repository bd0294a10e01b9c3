"""From scikit-learn's trees to a LightGBM model text, so that one scorer serves single trees, forests and boosting.

Both walk a tree by ``x <= threshold``; scikit-learn on x rounded to float32 (Booster does that), LightGBM in double. A
missing value goes where scikit-learn's ``missing_go_to_left`` says: LightGBM's missing type NaN with or without
default-left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.frame import Matrix
from holdgood.core.protocols import Parts
from holdgood.models.tabular.booster import Booster, BoosterBacked, as_float32
from holdgood.models.tabular.model_text import END

PARITY = 1e-9
_SAMPLE_ROWS = 256
_RIGHT, _LEFT = 8, 10  # LightGBM's decision type: missing type NaN is 2 << 2, default-left is bit 2
_ALL = float(np.finfo(np.float64).max)  # scikit-learn divides "missing" from "present" by an infinite threshold
_BYTES_A_LEAF, _BYTES_A_SHARE = 90, 8


def leaves_within(megabytes: float, n_classes: int) -> int:
    """How many leaves of all trees together fit into a model of that size."""
    return int(megabytes * 1e6 / (_BYTES_A_LEAF + (_BYTES_A_SHARE * n_classes if n_classes > 2 else 0)))


class SklearnTrees(BoosterBacked):
    """Root of the single tree and the forest: keeps a sample of training rows with scikit-learn's own answers, to be
    checked at save time.
    """

    _sample: tuple[Matrix, np.ndarray] | None = None

    def keep(self, estimators: Sequence[Any], matrix: Matrix, kind: str, n_classes: int, smoothing: float) -> None:
        """Convert fitted trees (as in ``booster_of``) and remember up to 256 evenly spaced rows with the answers
        expected.
        """
        self.scorer = booster_of(estimators, kind, n_classes, len(matrix.names), smoothing)
        rows = np.unique(np.linspace(0, len(matrix) - 1, _SAMPLE_ROWS).astype(np.int64))
        sample = matrix.take(rows)
        self._sample = sample, expected(estimators, sample, kind, n_classes, smoothing)

    def to_parts(self) -> Parts:
        """As Booster.to_parts, after a check that the text answers as scikit-learn did; BundleError where it does
        not.
        """
        parts = self.fitted.to_parts()
        if self._sample is not None:
            matrix, wanted = self._sample
            got = Booster.from_parts(parts).predict(matrix)
            unit = max(1.0, float(np.abs(wanted).max()))
            worst = float(np.abs(got - wanted).max())
            if not worst <= PARITY * unit:
                raise BundleError(
                    f"converted trees differ from scikit-learn's by {worst:.3g}",
                    f"at most {PARITY * unit:g}",
                    "report this with your versions: holdgood doctor",
                )
        return parts


def node_answers(estimator: Any, kind: str, n_classes: int, smoothing: float) -> np.ndarray:
    """What each node of one fitted tree would answer, shape (nodes, 1) or (nodes, k) for multiclass.

    Class shares are drawn towards those of the root by ``smoothing`` rows' weight, so that no small leaf is ever
    certain.
    """
    tree = estimator.tree_
    if kind == "regression":
        values: np.ndarray = tree.value[:, 0, :1].astype(np.float64)
        return values
    shares = np.zeros((tree.node_count, n_classes))
    found = tree.value[:, 0, :]
    shares[:, estimator.classes_.astype(np.int64)] = found / found.sum(axis=1, keepdims=True)
    weight = tree.weighted_n_node_samples[:, None]
    smooth = (shares * weight + smoothing * shares[:1]) / (weight + smoothing)
    return smooth[:, 1:] if kind == "binary" else smooth


def expected(estimators: Sequence[Any], matrix: Matrix, kind: str, n_classes: int, smoothing: float) -> np.ndarray:
    """The mean of the trees' answers by scikit-learn's own walk: the other road that the text is checked by."""
    values = as_float32(matrix.values)
    answers = [node_answers(e, kind, n_classes, smoothing)[e.tree_.apply(values)] for e in estimators]
    mean: np.ndarray = np.mean(answers, axis=0)
    return mean if kind == "multiclass" else mean[:, 0]


def booster_of(estimators: Sequence[Any], kind: str, n_classes: int, columns: int, smoothing: float) -> Booster:
    """The mean of fitted scikit-learn trees as one Booster.

    ``estimators``: DecisionTree*/ExtraTree* whose ``classes_`` are class codes (classification). Multiclass shares go
    into a table.
    """
    blocks, tables, starts, total = [], [], [], 0
    for number, estimator in enumerate(estimators):
        answers = node_answers(estimator, kind, n_classes, smoothing) / len(estimators)
        block, leaf_nodes = _tree_text(number, estimator.tree_, answers[:, 0])
        blocks.append(block)
        if kind == "multiclass":
            tables.append(answers[leaf_nodes])
            starts.append(total)
        total += len(leaf_nodes)
    names = " ".join(f"Column_{i}" for i in range(columns))
    header = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={columns - 1}",
    ]
    header += [f"feature_names={names}", "feature_infos=" + " ".join(["[0:1]"] * columns)]
    header += ["tree_sizes=" + " ".join(str(len(b)) for b in blocks), "", ""]
    return Booster(
        "\n".join(header) + "".join(blocks) + END,
        kind=kind,
        n_classes=n_classes,
        columns=columns,
        float32=True,
        plain=True,
        leaf_shares=np.ascontiguousarray(np.concatenate(tables)) if tables else None,
        leaf_start=np.array(starts, dtype=np.int64) if tables else None,
    )


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
