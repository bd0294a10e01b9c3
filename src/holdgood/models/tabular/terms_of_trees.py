"""From boosted trees of one or two columns to curves and surfaces: the trees are asked on a grid of all their steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from holdgood.core.frame import Matrix
from holdgood.models.tabular.booster import Booster
from holdgood.models.tabular.curves import Axis, Curve, Surface, Terms

_CATEGORICAL = 1  # LightGBM's decision type, lowest bit
_ALL_THAT_IS_THERE = 1e300  # a threshold from here on parts only what is missing from what is not
_NOTHING = 1e-12


def terms_of(booster: Booster, learned: Matrix, pairs: Sequence[tuple[int, int]] = ()) -> Terms:
    """The booster's raw score as a sum of terms, exact but for rounding.

    No leaf may depend on other columns than one, or than two that are in ``pairs``. A score of that form is told by the
    answers along single columns and over pairs of them, all other columns held at zero. ``learned``: the training rows.
    """
    axes = _axes(booster, learned)
    pairs = [(i, j) for i, j in pairs if i in axes and j in axes]
    rows = [np.zeros((1, booster.columns))]
    for axis in axes.values():
        rows.append(np.zeros((axis.size, booster.columns)))
        rows[-1][:, axis.column] = axis.points()
    for i, j in pairs:
        rows.append(np.zeros((axes[i].size * axes[j].size, booster.columns)))
        rows[-1][:, i] = np.repeat(axes[i].points(), axes[j].size)
        rows[-1][:, j] = np.tile(axes[j].points(), axes[i].size)
    raw = raw_scores(booster, np.concatenate(rows))
    answers = np.split(raw, np.cumsum([len(r) for r in rows])[:-1])
    origin = answers[0][0]
    along = {j: a - origin for j, a in zip(axes, answers[1:], strict=False)}
    surfaces = []
    for (i, j), found in zip(pairs, answers[1 + len(axes) :], strict=True):
        beyond = found.reshape(axes[i].size, axes[j].size, -1) - origin - along[i][:, None] - along[j][None]
        if np.abs(beyond).max() > _NOTHING:
            surfaces.append(Surface(axes[i], axes[j], beyond))
    return Terms(origin.copy(), tuple(Curve(axes[j], along[j]) for j in sorted(axes)), tuple(surfaces))


def raw_scores(booster: Booster, values: np.ndarray) -> np.ndarray:
    """LightGBM's scores before any link, (n, outputs)."""
    raw = booster.native.predict(values, raw_score=True, num_threads=1)
    return np.asarray(raw, dtype=np.float64).reshape(len(values), -1)


def columns_that_meet(booster: Booster) -> list[tuple[int, int]]:
    """Pairs of columns of which one splits what the other has split, the largest sum of the second splits' gains first."""
    gains: dict[tuple[int, int], float] = {}

    def walk(node: dict[str, Any], above: frozenset[int]) -> None:
        if "split_feature" not in node:
            return
        here = int(node["split_feature"])
        for other in above - {here}:
            pair = (min(here, other), max(here, other))
            gains[pair] = gains.get(pair, 0.0) + float(node["split_gain"])
        for child in ("left_child", "right_child"):
            walk(node[child], above | {here})

    for tree in booster.native.dump_model()["tree_info"]:
        walk(tree["tree_structure"], frozenset())
    return sorted(gains, key=lambda pair: (-gains[pair], pair))


def _axes(booster: Booster, learned: Matrix) -> dict[int, Axis]:
    """The steps of every column that a tree splits, by column."""
    thresholds: dict[int, set[float]] = {}
    fields: dict[str, list[str]] = {}
    for line in booster.text.split("\n"):
        key, _, value = line.partition("=")
        if key in ("split_feature", "threshold", "decision_type"):
            fields[key] = value.split()
        if key != "decision_type":
            continue
        for column, threshold, kind in zip(
            map(int, fields["split_feature"]), map(float, fields["threshold"]), map(int, fields[key]), strict=True
        ):
            own = thresholds.setdefault(column, set())
            if not kind & _CATEGORICAL and abs(threshold) < _ALL_THAT_IS_THERE:
                own.add(threshold)
    axes = {}
    for column, own in sorted(thresholds.items()):
        if column in learned.categorical:
            codes = learned.values[:, column]
            codes = codes[np.isfinite(codes)]
            axes[column] = Axis(column, np.arange(codes.max() + 1.0), categorical=True)
        else:
            axes[column] = Axis(column, np.array(sorted(own)))
    return axes
