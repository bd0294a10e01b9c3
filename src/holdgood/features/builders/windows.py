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
        keys = np.flatnonzero(own_key)
        self._nearest = {
            "first": self._nearest_cell(running_back, keys) if "first" in self._aggregates else np.empty(0),
            "last": self._nearest_cell(running, keys) if "last" in self._aggregates else np.empty(0),
        }
        needed = {part for a in self._aggregates for part in _NEEDS[a]}
        self._from_start = self._totals(running, needed)
        self._to_end = {} if length is None else self._totals(running_back, needed)

    def _nearest_cell(self, run: _Run, starts: np.ndarray) -> np.ndarray:
        """For each fact the nearest one of its group that says something: back in time (running) or ahead; -1 for none."""
        op, nowhere = (np.maximum, -1.0) if run is running else (np.minimum, np.inf)
        place = np.where(self._there, np.arange(len(self._values), dtype=np.float64)[:, None], nowhere)
        nearest = run(op, place, starts)
        return np.where(np.isfinite(nearest), nearest, -1).astype(np.int64)

    def _totals(self, run: _Run, needed: set[str]) -> _Totals:
        """Running totals of each block, from its first fact on or from its last one back.

        Values are counted from the first that a run meets, so that sums keep their digits; since a window holds the end of
        a block from which its run sets out, that value lies in the window, and nothing outside of it enters.
        """
        there, group = self._there, self._group
        parts: _Totals = {}
        if "y" in needed:
            shift = self._shift(run)
            y = np.where(there, self._values - shift[group], 0.0)
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
        out = {
            k: run({"low": np.minimum, "high": np.maximum}.get(k, np.add), v, self._starts) for k, v in parts.items()
        }
        return out | ({"shift": shift} if "y" in needed else {})

    def _shift(self, run: _Run) -> np.ndarray:
        """For each block and column the first value that a run meets; 0 where there is none."""
        if len(self._values) == 0:
            return np.zeros((0, self._values.shape[1]))
        if run is running:
            at = self._nearest_cell(running_back, self._starts)[self._starts]
        else:
            ends = np.append(self._starts[1:], len(self._values)) - 1
            at = self._nearest_cell(running, self._starts)[ends]
        return np.where(at >= 0, np.take_along_axis(self._values, np.maximum(at, 0), 0), 0.0)

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
        """Moments over each window: n, mean of y, and sums of squares and products about the means; extremes."""
        some = end > start
        head, tail = np.where(some, start, 0), np.where(some, end - 1, 0)
        before, after = self._group[head], self._group[tail]
        # The window is the end of one block and the beginning of the next. Where its facts lie in one block only, they are
        # the block's beginning if they hold its first fact, and its end otherwise.
        split, begins = before != after, self._starts[before] == head
        later = _part(self._from_start, tail, after, (some & (split | begins))[:, None])
        if not self._to_end:
            return later
        earlier = _part(self._to_end, head, before, (some & (split | ~begins))[:, None])
        step = ((self._origin[after] - self._origin[before]) / DAY)[:, None]
        return _joined(earlier, later, step)


def _part(totals: _Totals, at: np.ndarray, group: np.ndarray, inside: np.ndarray) -> _Totals:
    """One part of each window as moments; nothing where it is not inside."""
    out: _Totals = {}
    for name, nothing in (("low", np.inf), ("high", -np.inf)):
        if name in totals:
            out[name] = np.where(inside, totals[name][at], nothing)
    if "n" not in totals:
        return out
    n = np.where(inside, totals["n"][at], 0.0)
    some = n > 0
    count = np.where(some, n, 1.0)
    y = totals["y"][at]
    out |= {"n": n, "mean": np.where(some, totals["shift"][group] + y / count, 0.0)}
    if "yy" in totals:
        out["yy"] = np.where(some, np.maximum(totals["yy"][at] - y * y / count, 0.0), 0.0)
    if "x" in totals:
        x = totals["x"][at]
        out["x"] = np.where(some, x / count, 0.0)
        out["xx"] = np.where(some, np.maximum(totals["xx"][at] - x * x / count, 0.0), 0.0)
        out["xy"] = np.where(some, totals["xy"][at] - x * y / count, 0.0)
    return out


def _joined(a: _Totals, b: _Totals, step: np.ndarray) -> _Totals:
    """Moments of both parts together (Chan, Golub & LeVeque 1979); ``step``: from the first part's origin in time to the second's."""
    out: _Totals = {}
    for name, op in (("low", np.minimum), ("high", np.maximum)):
        if name in a:
            out[name] = op(a[name], b[name])
    if "n" not in a:
        return out
    n = a["n"] + b["n"]
    count = np.where(n > 0, n, 1.0)
    both = (a["n"] > 0) & (b["n"] > 0)
    weight = a["n"] * b["n"] / count
    apart = np.where(both, b["mean"] - a["mean"], 0.0)
    out["n"] = n
    out["mean"] = np.where(both, a["mean"] + apart * b["n"] / count, np.where(a["n"] > 0, a["mean"], b["mean"]))
    if "yy" in a:
        out["yy"] = a["yy"] + b["yy"] + apart * apart * weight
    if "x" in a:
        moved = np.where(both, b["x"] + step - a["x"], 0.0)
        out["x"] = np.where(a["n"] > 0, a["x"], b["x"])
        out["xx"] = a["xx"] + b["xx"] + moved * moved * weight
        out["xy"] = a["xy"] + b["xy"] + moved * apart * weight
    return out


def _made(aggregate: Aggregate, t: _Totals) -> np.ndarray:
    """The aggregate of the moments; NaN where too few cells say something."""
    if aggregate == "min":
        return np.where(np.isfinite(t["low"]), t["low"], np.nan)
    if aggregate == "max":
        return np.where(np.isfinite(t["high"]), t["high"], np.nan)
    n = t["n"]
    if aggregate == "mean":
        return np.where(n > 0, t["mean"], np.nan)
    if aggregate == "sum":
        return np.where(n > 0, n * t["mean"], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        if aggregate == "sd":
            return np.where(n > 1, np.sqrt(t["yy"] / (n - 1)), np.nan)
        # the slope of least squares a day; moments closer than about a millionth of the window are one
        apart = (n > 1) & (t["xx"] > 1e-12 * n * (1e-6 + t["x"] * t["x"]))
        return np.where(apart, t["xy"] / t["xx"], np.nan)
