"""Coherent forecasts of a declared hierarchy, as a part of a bundle: which levels there are, and how far each sum may be trusted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Parts
from holdgood.models.forecasting.hierarchy import Hierarchy, declared, summed
from holdgood.models.forecasting.reconcile import mint


class Coherent:
    """``levels``: columns of each level, from the top down. ``errors``: mean squared error of a node at past origins, by its id."""

    part: ClassVar[str] = "coherent"

    def __init__(self, levels: Sequence[Sequence[str]], errors: Mapping[str, float] | None = None) -> None:
        self.levels, self.errors = tuple(tuple(level) for level in levels), dict(errors or {})

    def nodes(self, panel: Panel, columns: Mapping[str, Sequence[str]]) -> Hierarchy:
        """The hierarchy over some series; ``columns``: the words of each level's columns, one a series.

        DataError where series end at different steps: what has no common end has no sum.
        """
        ends = panel.ds[panel.indptr[1:][panel.lengths > 0] - 1]
        if len(np.unique(ends)) > 1:
            raise DataError(
                f"a hierarchy of series that end at {len(np.unique(ends)):,} different times",
                "series that end together",
                'declare fill = "zero" under [forecast], or bring all series up to one day',
            )
        texts, static = {}, {}
        for name in dict.fromkeys(c for level in self.levels for c in level):
            words, codes = np.unique(np.asarray(columns[name], str), return_inverse=True)
            texts[name], static[name] = words.tolist(), codes.astype(float)
        return declared(replace(panel, static={**panel.static, **static}), self.levels, texts)

    def panel(self, panel: Panel, hierarchy: Hierarchy) -> Panel:
        """The series and their sums."""
        return summed(panel, hierarchy)

    def future(self, future: Future, hierarchy: Hierarchy) -> Future:
        """The steps ahead of all nodes; what is known stays where all members agree."""
        sums, above = hierarchy.sums, hierarchy.sums.shape[0]
        first = sums.indices[sums.indptr[:-1]]
        known = {}
        for name, values in future.known.items():
            agreed = np.full((above, values.shape[1]), np.nan)
            for k in range(above):
                members = values[sums.indices[sums.indptr[k] : sums.indptr[k + 1]]]
                agreed[k] = np.where((members == members[0]).all(axis=0), members[0], np.nan)
            known[name] = np.concatenate([agreed, values])
        return Future(np.concatenate([future.ds[first], future.ds]), known)

    def learned(self, ids: np.ndarray, errors: np.ndarray) -> Coherent:
        """With the mean squared errors of nodes (nodes, n), NaN where there is none."""
        there = ~np.isnan(errors)
        count = there.sum(axis=1)
        square = np.where(there, errors, 0.0) ** 2
        mean = square.sum(axis=1) / np.maximum(count, 1)
        return Coherent(self.levels, {str(i): float(m) for i, m, n in zip(ids, mean, count, strict=True) if n})

    def added_up(self, hierarchy: Hierarchy, base: np.ndarray, nonnegative: bool) -> np.ndarray:
        """Base forecasts or paths (nodes, …) moved by the least that makes them add up (MinT by variances, else by structure)."""
        squares = np.array([self.errors.get(str(i), np.nan) for i in hierarchy.ids])
        if np.isnan(squares).all():
            return mint(hierarchy, base, "structure", nonnegative=nonnegative)
        return mint(hierarchy, base, "variance", np.sqrt(squares)[:, None], nonnegative=nonnegative)

    def to_parts(self) -> Parts:
        """Levels and errors."""
        values = np.array(list(self.errors.values()))
        return Parts({"levels": [list(level) for level in self.levels], "nodes": list(self.errors)}, {"errors": values})

    @classmethod
    def from_parts(cls, parts: Parts) -> Coherent:
        """Rebuild; BundleError where nodes and errors do not fit."""
        try:
            levels, nodes, errors = parts.json["levels"], parts.json["nodes"], parts.arrays["errors"]
        except KeyError as error:
            raise BundleError(
                f"a hierarchy without {error}", "levels, nodes, errors", "the bundle is damaged"
            ) from error
        if errors.shape != (len(nodes),) or not all(isinstance(level, list) for level in levels):
            raise BundleError("a hierarchy whose nodes and errors differ", "an error a node", "the bundle is damaged")
        return cls(levels, dict(zip(nodes, errors.tolist(), strict=True)))
