"""Curves and surfaces: what an additive model is made of, how it is scored, and how it is made readable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.errors import BundleError
from holdgood.core.protocols import Parts

_SWEEPS = 30
_SETTLED = 1e-13


@dataclass(frozen=True)
class Axis:
    """The steps of one column of the matrix.

    Numbers: step i holds values above ``edges[i - 1]`` and up to ``edges[i]``, so there is one step more than edges.
    Categories: step i is the code ``edges[i]``. One more step, the last, is for what is missing (categories: or unseen).
    """

    column: int
    edges: np.ndarray
    categorical: bool = False

    @property
    def size(self) -> int:
        """Number of steps, that for missing included."""
        return len(self.edges) + (1 if self.categorical else 2)

    def steps(self, values: np.ndarray) -> np.ndarray:
        """The step of each value, (n,) → (n,)."""
        found = np.searchsorted(self.edges, values)
        if self.categorical:
            there = np.append(self.edges, np.nan)[found] == values
            return np.where(there, found, self.size - 1)
        return np.where(np.isnan(values), self.size - 1, found)

    def points(self) -> np.ndarray:
        """A value inside each step, (size,)."""
        if self.categorical:
            return np.append(self.edges, np.nan)
        low, high = self.edges[:-1], self.edges[1:]
        middle = low + (high - low) / 2  # never an edge itself: LightGBM takes its edges beside zero for zero
        middle = np.where(middle > low, middle, high)
        ends = self.edges[[0, -1]] if len(self.edges) else np.zeros(2)
        reach = 1.0 + np.abs(ends)
        return np.concatenate([[ends[0] - reach[0]], middle, [ends[1] + reach[1]] if len(self.edges) else [], [np.nan]])


@dataclass(frozen=True)
class Curve:
    """What one column adds to the score: ``values`` of shape (steps, outputs)."""

    axis: Axis
    values: np.ndarray

    def plus(self, other: Curve) -> Curve:
        """The sum of two curves of one column, on the steps of both."""
        edges = np.union1d(self.axis.edges, other.axis.edges)
        axis = replace(self.axis, edges=edges)
        points = axis.points()
        return Curve(axis, self.values[self.axis.steps(points)] + other.values[other.axis.steps(points)])


@dataclass(frozen=True)
class Surface:
    """What two columns add together beyond their curves: ``values`` of shape (steps, steps, outputs)."""

    first: Axis
    second: Axis
    values: np.ndarray


@dataclass(frozen=True)
class Terms:
    """The whole of an additive score: intercept (outputs,), curves (at most one a column) and surfaces."""

    intercept: np.ndarray
    curves: tuple[Curve, ...] = ()
    surfaces: tuple[Surface, ...] = ()

    def score(self, values: np.ndarray) -> np.ndarray:
        """The sum for each row, (n, columns) → (n, outputs). Terms are added one after the other, so that a row alone
        gets the same bits as among others.
        """
        total = np.tile(self.intercept, (len(values), 1))
        for curve in self.curves:
            total += curve.values[curve.axis.steps(values[:, curve.axis.column])]
        for surface in self.surfaces:
            first, second = surface.first, surface.second
            total += surface.values[first.steps(values[:, first.column]), second.steps(values[:, second.column])]
        return total

    def plus(self, other: Terms) -> Terms:
        """The sum of two models."""
        curves = {c.axis.column: c for c in self.curves}
        for curve in other.curves:
            at = curve.axis.column
            curves[at] = curves[at].plus(curve) if at in curves else curve
        return Terms(
            self.intercept + other.intercept,
            tuple(curves[at] for at in sorted(curves)),
            self.surfaces + other.surfaces,
        )

    def scaled(self, unit: float, origin: float) -> Terms:
        """Scores times ``unit`` plus ``origin``."""
        return Terms(
            self.intercept * unit + origin,
            tuple(replace(c, values=c.values * unit) for c in self.curves),
            tuple(replace(s, values=s.values * unit) for s in self.surfaces),
        )

    def purified(self, values: np.ndarray) -> Terms:
        """The same scores for the rows ``values``, each thing said once: a surface has a mean of zero along either side,
        what it said of one column goes into that column's curve (Lengerich 2020), a curve has a mean of zero, what it
        said of all rows goes into the intercept. Where no row was missing, missing adds nothing.
        """
        moved = Terms(np.zeros_like(self.intercept))
        surfaces = []
        for surface in self.surfaces:
            flat, first, second = _flattened(surface, values)
            surfaces.append(flat)
            moved = moved.plus(Terms(np.zeros_like(self.intercept), (first, second)))
        whole = Terms(self.intercept, self.curves).plus(moved)
        intercept, curves = whole.intercept.copy(), []
        for curve in whole.curves:
            rows = np.bincount(curve.axis.steps(values[:, curve.axis.column]), minlength=curve.axis.size)
            mean = rows @ curve.values / rows.sum()
            centred = curve.values - mean
            if not rows[-1]:
                centred[-1] = 0.0
            intercept += mean
            curves.append(replace(curve, values=centred))
        return Terms(intercept, tuple(curves), tuple(surfaces))

    def to_parts(self) -> Parts:
        """Arrays ``intercept``, and ``curve.N.edges``, ``curve.N.values``, ``surface.N.first`` … by number."""
        arrays: dict[str, np.ndarray] = {"intercept": self.intercept}
        for number, curve in enumerate(self.curves):
            arrays |= {f"curve.{number}.edges": curve.axis.edges, f"curve.{number}.values": curve.values}
        for number, surface in enumerate(self.surfaces):
            arrays |= {
                f"surface.{number}.first": surface.first.edges,
                f"surface.{number}.second": surface.second.edges,
                f"surface.{number}.values": surface.values,
            }
        return Parts(
            {
                "curves": [[c.axis.column, c.axis.categorical] for c in self.curves],
                "surfaces": [
                    [s.first.column, s.first.categorical, s.second.column, s.second.categorical] for s in self.surfaces
                ],
            },
            arrays,
        )

    @classmethod
    def from_parts(cls, parts: Parts, columns: int, outputs: int) -> Terms:
        """Rebuild; BundleError where something does not fit together."""
        json, arrays = parts.json, parts.arrays
        try:
            curves = []
            for number, (column, categorical) in enumerate(json["curves"]):
                axis = _axis(column, categorical, arrays[f"curve.{number}.edges"], columns)
                curves.append(Curve(axis, _numbers(arrays[f"curve.{number}.values"], (axis.size, outputs))))
            surfaces = []
            for number, (first, first_coded, second, second_coded) in enumerate(json["surfaces"]):
                one = _axis(first, first_coded, arrays[f"surface.{number}.first"], columns)
                two = _axis(second, second_coded, arrays[f"surface.{number}.second"], columns)
                shape = (one.size, two.size, outputs)
                surfaces.append(Surface(one, two, _numbers(arrays[f"surface.{number}.values"], shape)))
            return cls(_numbers(arrays["intercept"], (outputs,)), tuple(curves), tuple(surfaces))
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                f"an additive model without {error}", "its curves and surfaces", "the bundle is damaged"
            ) from error


def _flattened(surface: Surface, values: np.ndarray) -> tuple[Surface, Curve, Curve]:
    """A surface without what it says of either column alone, and that as two curves."""
    one, two = surface.first, surface.second
    at = one.steps(values[:, one.column]) * two.size + two.steps(values[:, two.column])
    rows = np.bincount(at, minlength=one.size * two.size).reshape(one.size, two.size)
    left, right = np.zeros((one.size, surface.values.shape[2])), np.zeros((two.size, surface.values.shape[2]))
    flat = surface.values.copy()
    # a step that no row took is held to the rows as if each cell had a thousandth of one
    weight = (rows + 1e-3)[:, :, None]
    seen_one, seen_two = (rows[-1].sum() > 0), (rows[:, -1].sum() > 0)
    inside = (slice(None if seen_one else -1), slice(None if seen_two else -1))
    if not seen_one:
        flat[-1] = 0.0
    if not seen_two:
        flat[:, -1] = 0.0
    part, share = flat[inside], weight[inside]
    for _ in range(_SWEEPS):
        along = (part * share).sum(axis=1) / share.sum(axis=1)
        part -= along[:, None]
        left[inside[0]] += along
        across = (part * share).sum(axis=0) / share.sum(axis=0)
        part -= across[None]
        right[inside[1]] += across
        if max(np.abs(along).max(), np.abs(across).max()) < _SETTLED:
            break
    return replace(surface, values=flat), Curve(one, left), Curve(two, right)


def _axis(column: int, categorical: bool, edges: np.ndarray, columns: int) -> Axis:
    rising = edges.ndim == 1 and edges.dtype == np.float64 and bool((np.diff(edges) > 0).all())
    if not isinstance(column, int) or not 0 <= column < columns or not rising or not np.isfinite(edges).all():
        raise BundleError(
            f"edges of shape {edges.shape} for column {column!r} of {columns}",
            "rising numbers for a column that is there",
            "the bundle is damaged",
        )
    return Axis(column, np.ascontiguousarray(edges), bool(categorical))


def _numbers(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    if array.shape != tuple(shape) or array.dtype != np.float64 or not np.isfinite(array).all():
        raise BundleError(
            f"contributions of shape {array.shape}", f"finite ones of shape {tuple(shape)}", "the bundle is damaged"
        )
    return np.ascontiguousarray(array)
