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
from holdgood.models.forecasting.reconcile import LARGEST_COVARIANCE, bottom_up, mint, standardised


class Coherent:
    """``levels``: columns of each level, from the top down. ``errors`` (nodes, n): of the nodes ``ids`` at past origins and steps."""

    part: ClassVar[str] = "coherent"

    def __init__(
        self, levels: Sequence[Sequence[str]], ids: np.ndarray | None = None, errors: np.ndarray | None = None
    ) -> None:
        self.levels = tuple(tuple(level) for level in levels)
        self.ids = np.empty(0, str) if ids is None else ids
        self.errors = np.empty((len(self.ids), 0)) if errors is None else errors

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
        """With the errors of nodes at past origins and steps (nodes, n), NaN where there is none.

        Of a hierarchy too large for a covariance only the sizes are kept.
        """
        if len(ids) > LARGEST_COVARIANCE:
            there = np.isfinite(errors)
            mean = (np.where(there, errors, 0.0) ** 2).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
            errors = np.where(there.any(axis=1), np.sqrt(mean), np.nan)[:, None]
        return Coherent(self.levels, ids, errors)

    def added_up(self, hierarchy: Hierarchy, base: np.ndarray, nonnegative: bool) -> np.ndarray:
        """Base forecasts or paths (nodes, …) moved by the least that makes them add up.

        MinT by the shrunk covariance of past errors, by structure where there are none, bottom-up where a base forecast of a
        sum is not finite.
        """
        above = hierarchy.sums.shape[0]
        if not np.isfinite(base[:above]).all():
            added = bottom_up(hierarchy, base)
            return hierarchy.added(np.maximum(added[above:], 0.0)) if nonnegative else added
        errors = self._of(hierarchy)
        if not np.isfinite(errors).any():
            return mint(hierarchy, base, "structure", nonnegative=nonnegative)
        return mint(hierarchy, base, "shrunk", errors, nonnegative=nonnegative)

    def coupled(self, hierarchy: Hierarchy, y: np.ndarray, seed: int) -> np.ndarray:
        """Paths (nodes, samples, horizon) put together so that series go together as their past errors did.

        A Gaussian copula, its correlations between series those of past errors, shrunk, and between steps those of a series'
        own paths, says in which order a step's values come (a Schaake shuffle, Clark et al. 2004); those of a sum come in the
        order of its members' totals. Drawn all in one order, series would spread their sums too widely; drawn apart, sums and
        members would average each other's spread away when they are made to agree. Each step's values stay what they are.
        """
        above, (_, samples, horizon) = hierarchy.sums.shape[0], y.shape
        errors = self._of(hierarchy)[above:]
        there = np.isfinite(errors)
        variances = (np.where(there, errors, 0.0) ** 2).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        z, strength = standardised(errors, np.where(variances > 0, variances, 1.0))
        # a row's own correlation is one: what its missing errors lack is noise of its own
        own = (z**2).sum(axis=1) / max(z.shape[1], 1)
        random = np.random.default_rng([seed, 5])
        shared = random.standard_normal((z.shape[1], samples * horizon)) * np.sqrt(
            (1.0 - strength) / max(z.shape[1], 1)
        )
        bottom = y[above:].copy()
        for k in range(len(bottom)):
            alone = np.sqrt(max(0.0, 1.0 - (1.0 - strength) * own[k]))
            white = z[k] @ shared + alone * random.standard_normal(samples * horizon)
            score = white.reshape(samples, horizon) @ _steps_together(bottom[k], random).T
            bottom[k] = _ordered(bottom[k], score)
        sums = hierarchy.added(bottom)[:above]
        return np.concatenate([*(_ordered(y[k], sums[k])[None] for k in range(above)), bottom])

    def _of(self, hierarchy: Hierarchy) -> np.ndarray:
        """Errors of the nodes of a hierarchy, NaN for those that had none."""
        place = {str(i): k for k, i in enumerate(self.ids)}
        at = np.array([place.get(str(i), -1) for i in hierarchy.ids])
        out = np.full((len(at), self.errors.shape[1]), np.nan)
        out[at >= 0] = self.errors[at[at >= 0]]
        return out

    def to_parts(self) -> Parts:
        """Levels, nodes and errors."""
        said = {"levels": [list(level) for level in self.levels], "nodes": [str(i) for i in self.ids]}
        return Parts(said, {"errors": self.errors})

    @classmethod
    def from_parts(cls, parts: Parts) -> Coherent:
        """Rebuild; BundleError where nodes and errors do not fit. Bundles of old hold a mean square a node."""
        try:
            levels, nodes, errors = parts.json["levels"], parts.json["nodes"], parts.arrays["errors"]
        except KeyError as error:
            raise BundleError(
                f"a hierarchy without {error}", "levels, nodes, errors", "the bundle is damaged"
            ) from error
        errors = np.sqrt(errors)[:, None] if errors.ndim == 1 else errors
        if errors.ndim != 2 or len(errors) != len(nodes) or not all(isinstance(level, list) for level in levels):
            raise BundleError("a hierarchy whose nodes and errors differ", "errors a node", "the bundle is damaged")
        return cls(levels, np.array(nodes, str), errors)


def _steps_together(y: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A root (horizon, horizon) of the rank correlations between the steps of paths (samples, horizon), ties parted at random."""
    ranks = np.lexsort((random.random(y.shape), y), axis=0).argsort(axis=0) - (len(y) - 1) / 2
    size = np.maximum((ranks**2).mean(axis=0), 1e-12)
    correlation = (ranks.T @ ranks) / len(y) / np.sqrt(np.outer(size, size))
    lean = 0.02  # keeps it positive
    root: np.ndarray = np.linalg.cholesky((1 - lean) * correlation + lean * np.eye(len(size)))
    return root


def _ordered(y: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Values of each step (samples, horizon) put so that they rank as ``score`` does."""
    wanted = score.argsort(axis=0, kind="stable").argsort(axis=0, kind="stable")
    return np.asarray(np.take_along_axis(np.sort(y, axis=0), wanted, axis=0))
