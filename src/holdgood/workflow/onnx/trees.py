"""LightGBM's trees as the operator TreeEnsemble, which asks the same questions of 64-bit numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from holdgood.core.errors import DataError
from holdgood.models.tabular.booster import Booster
from holdgood.workflow.onnx.graph import NAN, Graph

_CATEGORICAL, _LEFT, _MISSING = 1, 2, 2
_AT_MOST, _MEMBER = 0, 6
_NAN = 2
_LARGEST32 = float(np.finfo(np.float32).max)


@dataclass
class _Ensemble:
    """The operator's lists, tree after tree."""

    feature: list[int] = field(default_factory=list)
    split: list[float] = field(default_factory=list)
    mode: list[int] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    true_is_leaf: list[int] = field(default_factory=list)
    false: list[int] = field(default_factory=list)
    false_is_leaf: list[int] = field(default_factory=list)
    missing_is_true: list[int] = field(default_factory=list)
    members: list[float] = field(default_factory=list)
    leaf: list[float] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)

    def add(self, tree: Mapping[str, str], leaves: np.ndarray, target: int) -> None:
        """One tree with its leaves' answers, for one output."""
        nodes, first_leaf = len(self.feature), len(self.leaf)
        self.roots.append(nodes)
        self.leaf += leaves.tolist()
        self.target += [target] * len(leaves)
        if len(leaves) == 1:  # nothing is asked: a question whose answers are one leaf
            self._node(0, 0.0, _AT_MOST, -1, -1, False, nodes, first_leaf)
            return
        features, kinds, left, right = (
            [int(v) for v in tree[k].split()] for k in ("split_feature", "decision_type", "left_child", "right_child")
        )
        thresholds = [float(v) for v in tree["threshold"].split()]
        for feature, kind, threshold, yes, no in zip(features, kinds, thresholds, left, right, strict=True):
            if kind & _CATEGORICAL:
                self.members += [*_codes(tree, int(threshold)), NAN]
                self._node(feature, 0.0, _MEMBER, yes, no, False, nodes, first_leaf)
                continue
            how = kind >> _MISSING & 3
            if how not in (0, _NAN):
                raise DataError(
                    "trees that take zero for missing", "trees of holdgood's own families", "train the model anew"
                )
            # where training saw nothing missing, LightGBM takes a gap for zero
            missing_left = bool(kind & _LEFT) if how == _NAN else threshold >= 0.0
            self._node(feature, threshold, _AT_MOST, yes, no, missing_left, nodes, first_leaf)

    def _node(
        self, feature: int, split: float, mode: int, yes: int, no: int, missing: bool, nodes: int, leaf: int
    ) -> None:
        self.feature.append(feature)
        self.split.append(split)
        self.mode.append(mode)
        self.missing_is_true.append(int(missing))
        for child, place, is_leaf in ((yes, self.true, self.true_is_leaf), (no, self.false, self.false_is_leaf)):
            place.append(leaf - 1 - child if child < 0 else nodes + child)
            is_leaf.append(int(child < 0))

    def written(self, graph: Graph, matrix: str, targets: int) -> str:
        """The sum of all trees, (rows, targets)."""
        double = np.float64
        more = {"membership_values": graph.tensor(np.array(self.members, double))} if self.members else {}
        return graph.node(
            "TreeEnsemble", matrix, ml=True, n_targets=targets, aggregate_function=1, post_transform=0,
            tree_roots=self.roots, nodes_featureids=self.feature,
            nodes_splits=graph.tensor(np.array(self.split, double)), nodes_modes=graph.tensor(np.array(self.mode, np.uint8)),
            nodes_truenodeids=self.true, nodes_trueleafs=self.true_is_leaf, nodes_falsenodeids=self.false,
            nodes_falseleafs=self.false_is_leaf, nodes_missing_value_tracks_true=self.missing_is_true,
            leaf_targetids=self.target, leaf_weights=graph.tensor(np.array(self.leaf, double)), **more,
        )  # fmt: skip


def _codes(tree: Mapping[str, str], number: int) -> list[float]:
    """The codes of a set of categories."""
    bounds = [int(v) for v in tree["cat_boundaries"].split()]
    words = np.array([int(w) for w in tree["cat_threshold"].split()[bounds[number] : bounds[number + 1]]], "<u4")
    return [float(c) for c in np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little"))]


def _trees(text: str) -> Iterator[dict[str, str]]:
    for block in text.split("\nend of trees")[0].split("Tree=")[1:]:
        yield dict(line.split("=", 1) for line in block.split("\n") if "=" in line)


def booster(graph: Graph, model: Booster, matrix: str) -> str:
    """What the booster answers: (rows, 1), or (rows, classes)."""
    if model.float32:
        there = graph.node("Clip", matrix, graph.constant(np.array(-_LARGEST32)), graph.constant(np.array(_LARGEST32)))
        kept = graph.where(graph.node("IsNaN", matrix), matrix, there)
        matrix = graph.number(graph.number(kept, np.float32), float)
    several = model.kind == "multiclass"
    groups = model.n_classes if several else 1
    found = _Ensemble()
    shares, starts = model.leaf_shares, model.leaf_start
    for number, tree in enumerate(_trees(model.text)):
        own = np.array([float(v) for v in tree["leaf_value"].split()])
        if shares is None or starts is None:
            found.add(tree, own, number % groups)
            continue
        for k in range(groups):  # a leaf of this operator has one answer: a tree a class
            found.add(tree, shares[starts[number] : starts[number] + len(own), k], k)
    raw = found.written(graph, matrix, groups) if found.roots else graph.rows_of(matrix, np.zeros(groups))
    if model.kind == "regression":
        scaled = graph.node("Mul", raw, graph.constant(np.array(model.scale)))
        return graph.node("Add", scaled, graph.constant(np.array(model.offset)))
    if not model.plain and shares is None:
        raw = graph.node("Softmax", raw, axis=1) if several else graph.node("Sigmoid", raw)
    return graph.node("Clip", raw, graph.zero(), graph.constant(np.array(1.0)))
