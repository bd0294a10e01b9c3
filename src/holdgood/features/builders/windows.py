"""Aggregates of the facts known at the decision, over the last so long: count, mean, trend, least, most, first, last.

Time is cut into blocks as long as the window. A window then is the end of one block and the beginning of the next, so
that two running totals, one from each end of a block, answer it for every row without a difference of large numbers and
without a loop over facts (van Herk 1992; Gil & Werman 1993, there for minima). A single row is answered from the same
totals as a million, to the bit. SQL over plain rows is the other road that the tests compare it with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from holdgood.core.declaration import Aggregate
from holdgood.features.builders.asof import FactIndex
from holdgood.features.builders.running import running, running_back

DAY = 86_400e6
HOUR = 3_600e6
OF_ROWS: tuple[Aggregate, ...] = ("count", "since")
"""Aggregates of rows, not of one column."""

# Which totals an aggregate is made of: n cells that say something, y their values, x their times (in days).
_NEEDS: dict[Aggregate, tuple[str, ...]] = {
    "count": (),
    "since": (),
    "mean": ("n", "y"),
    "sum": ("n", "y"),
    "sd": ("n", "y", "yy"),
    "trend": ("n", "y", "x", "xx", "xy"),
    "min": ("low",),
    "max": ("high",),
    "first": (),
    "last": (),
}
_Totals: TypeAlias = dict[str, np.ndarray]
_Run: TypeAlias = Callable[[np.ufunc, np.ndarray, np.ndarray], np.ndarray]
_ROWS_AT_ONCE = 250_000


class Window:
    """The facts of one index, ready to be aggregated over one length of time.

    ``values``: (facts, columns) float64, NaN for missing, in the table's order. ``length`` and ``delay`` in microseconds;
    length None: all facts known so far. A fact belongs to the window of a decision where it happened less than ``length``
    before the decision and was known by then. Trends are slopes a day, and need facts at two moments.
    """

    def __init__(
        self, index: FactIndex, values: np.ndarray, length: int | None, delay: int, aggregates: Sequence[Aggregate]
    ) -> None:
        self._index = index
        self._aggregates = tuple(aggregates)
        self._values = values[index.order]
        self._happened, codes = index.happened_in_order, index.codes_in_order
        # Facts arrive `delay` after they happen: of the last `length` only this much can be known.
        self._block = None if length is None else length - delay
        block = np.zeros(len(codes), np.int64) if self._block is None else self._happened // self._block
        own_key = np.append(True, codes[1:] != codes[:-1])[: len(codes)]
        new = own_key | np.append(True, block[1:] != block[:-1])[: len(codes)]
        self._starts, self._group = np.flatnonzero(new), np.cumsum(new) - 1
        first = self._starts
        self._origin = self._happened[first] if self._block is None else block[first] * self._block
        self._there = ~np.isnan(self._values)
        needed = {part for a in self._aggregates for part in _NEEDS[a]}
        self._nearest: dict[str, np.ndarray] = {}
        if needed & {"y"} or set(self._aggregates) & {"first"}:
            self._nearest["first"] = self._nearest_cell(running_back, np.minimum, np.flatnonzero(own_key))
        if "last" in self._aggregates:
            self._nearest["last"] = self._nearest_cell(running, np.maximum, np.flatnonzero(own_key))
        self._shift = self._shifts() if needed else np.empty((0, 0))
        parts = self._parts(needed)
        self._from_start = {name: self._run(running, name, part) for name, part in parts.items()}
        self._to_end = (
            {} if length is None else {name: self._run(running_back, name, part) for name, part in parts.items()}
        )

    def _run(self, run: _Run, name: str, part: np.ndarray) -> np.ndarray:
        return run({"low": np.minimum, "high": np.maximum}.get(name, np.add), part, self._starts)

    def _nearest_cell(self, run: _Run, op: np.ufunc, keys: np.ndarray) -> np.ndarray:
        """For each fact the nearest one of its key that says something: back in time (running) or ahead; -1 for none."""
        nowhere = -1.0 if op is np.maximum else np.inf
        place = np.where(self._there, np.arange(len(self._values), dtype=np.float64)[:, None], nowhere)
        nearest = run(op, place, keys)
        return np.where(np.isfinite(nearest), nearest, -1).astype(np.int64)

    def _shifts(self) -> np.ndarray:
        """One value near the others for each block and column: sums of what is left keep their digits."""
        if "first" not in self._nearest or len(self._values) == 0:
            return np.zeros((len(self._starts), self._values.shape[1]))
        at = self._nearest["first"][self._starts]
        return np.where(at >= 0, np.take_along_axis(self._values, np.maximum(at, 0), 0), 0.0)

    def _parts(self, needed: set[str]) -> _Totals:
        there, group = self._there, self._group
        parts: _Totals = {}
        if "y" in needed:
            y = np.where(there, self._values - self._shift[group], 0.0)
            parts |= {"n": there.astype(np.float64), "y": y}
            if "yy" in needed:
                parts["yy"] = y * y
            if "x" in needed:
                x = np.where(there, ((self._happened - self._origin[group]) / DAY)[:, None], 0.0)
                parts |= {"x": x, "xx": x * x, "xy": x * y}
        if "low" in needed:
            parts["low"] = np.where(there, self._values, np.inf)
        if "high" in needed:
            parts["high"] = np.where(there, self._values, -np.inf)
        return parts

    def aggregate(self, codes: np.ndarray, decision: np.ndarray) -> dict[Aggregate, np.ndarray]:
        """For each row (a key's code and a decision in microseconds): the aggregates that were asked for.

        Shape (rows,) for count and since (hours), (rows, columns) for the others; NaN where there is nothing to say.
        """
        chunks = [
            self._some(codes[at : at + _ROWS_AT_ONCE], decision[at : at + _ROWS_AT_ONCE])
            for at in range(0, max(1, len(codes)), _ROWS_AT_ONCE)
        ]
        return {a: np.concatenate([c[a] for c in chunks]) for a in self._aggregates}

    def _some(self, codes: np.ndarray, decision: np.ndarray) -> dict[Aggregate, np.ndarray]:
        start, end = self._index.span(codes, decision, self._block)
        rows = end - start
        out: dict[Aggregate, np.ndarray] = {}
        if "count" in self._aggregates:
            out["count"] = rows.astype(np.float64)
        if "since" in self._aggregates:
            last = self._happened[np.maximum(end - 1, 0)] if len(self._happened) else np.zeros(len(rows), np.int64)
            out["since"] = np.where(rows > 0, (decision - last) / HOUR, np.nan)
        if len(self._values) == 0:
            empty = np.full((len(rows), self._values.shape[1]), np.nan)
            return out | {a: empty for a in self._aggregates if a not in OF_ROWS}
        for name in ("first", "last"):
            if name in self._aggregates:
                out[name] = self._cell(name, start, end)
        total = self._total(start, end)
        return out | {a: _made(a, total) for a in self._aggregates if a not in out}

    def _cell(self, name: str, start: np.ndarray, end: np.ndarray) -> np.ndarray:
        edge = start if name == "first" else end - 1
        at = self._nearest[name][np.clip(edge, 0, len(self._values) - 1)]
        inside = (end > start)[:, None] & (at >= start[:, None]) & (at < end[:, None])
        return np.where(inside, np.take_along_axis(self._values, np.maximum(at, 0), 0), np.nan)

    def _total(self, start: np.ndarray, end: np.ndarray) -> _Totals:
        """Totals over each window, of the values less the shift; ``shift`` is among them."""
        some = end > start
        head, tail = np.where(some, start, 0), np.where(some, end - 1, 0)
        before, after = self._group[head], self._group[tail]
        # The window is the end of one block and the beginning of the next. Where its facts lie in one block only, they are
        # the block's beginning if they hold its first fact, and its end otherwise.
        split, begins = before != after, self._starts[before] == head
        later = (some & (split | begins))[:, None]
        earlier = (some & (split | ~begins))[:, None]
        ends = {name: total[head] for name, total in self._to_end.items()}
        if "y" in ends:
            step = (self._origin[before] - self._origin[after]) / DAY
            ends = _moved(ends, self._shift[before] - self._shift[after], step[:, None])
        out: _Totals = {"shift": self._shift[after]} if len(self._shift) else {}
        for name, total in self._from_start.items():
            nothing = {"low": np.inf, "high": -np.inf}.get(name, 0.0)
            both = np.where(later, total[tail], nothing)
            if ends:
                join = {"low": np.minimum, "high": np.maximum}.get(name, np.add)
                both = join(np.where(earlier, ends[name], nothing), both)
            out[name] = both
        return out


def _moved(t: _Totals, shift: np.ndarray, step: np.ndarray) -> _Totals:
    """Totals of (x, y) as totals of (x + step, y + shift)."""
    out = dict(t)
    out["y"] = t["y"] + t["n"] * shift
    if "yy" in t:
        out["yy"] = t["yy"] + 2 * shift * t["y"] + t["n"] * shift * shift
    if "x" in t:
        out["x"] = t["x"] + t["n"] * step
        out["xx"] = t["xx"] + 2 * step * t["x"] + t["n"] * step * step
        out["xy"] = t["xy"] + step * t["y"] + shift * t["x"] + t["n"] * step * shift
    return out


def _made(aggregate: Aggregate, t: _Totals) -> np.ndarray:
    """The aggregate of the totals; NaN where too few cells say something."""
    if aggregate == "min":
        return np.where(np.isfinite(t["low"]), t["low"], np.nan)
    if aggregate == "max":
        return np.where(np.isfinite(t["high"]), t["high"], np.nan)
    n = t["n"]
    with np.errstate(divide="ignore", invalid="ignore"):
        if aggregate == "mean":
            return np.where(n > 0, t["shift"] + t["y"] / n, np.nan)
        if aggregate == "sum":
            return np.where(n > 0, n * t["shift"] + t["y"], np.nan)
        if aggregate == "sd":
            squares = np.maximum(t["yy"] - t["y"] * t["y"] / n, 0.0)
            return np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
        # the slope of least squares a day; moments closer than about 1/100,000 of the window cannot be told apart
        spread = n * t["xx"] - t["x"] * t["x"]
        apart = (n > 1) & (spread > 1e-10 * n * t["xx"])
        return np.where(apart, (n * t["xy"] - t["x"] * t["y"]) / spread, np.nan)
