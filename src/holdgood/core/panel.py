"""Panel: many time series on a regular grid, with what is known about them. The learning form of a forecasting task.

Flat arrays, one series after the other (``indptr`` as in a CSR matrix), so that three weeks and twenty years stand side by side
without padding. Steps that the table lacks are there as NaN: the grid has no holes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from holdgood.core.errors import DataError


@dataclass(frozen=True)
class Future:
    """What is known of the steps to come: ``ds`` (series, horizon) datetime64[us], ``known`` by name (series, horizon)."""

    ds: np.ndarray
    known: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        """Steps ahead."""
        return int(self.ds.shape[1])

    def take(self, rows: np.ndarray) -> Future:
        """The futures of some series, in that order."""
        return Future(self.ds[rows], {k: v[rows] for k, v in self.known.items()})

    def first(self, steps: int) -> Future:
        """The first steps only."""
        return Future(self.ds[:, :steps], {k: v[:, :steps] for k, v in self.known.items()})


@dataclass(frozen=True)
class Panel:
    """Series i is ``y[indptr[i]:indptr[i + 1]]``, oldest first.

    ids: (series,) str. ds, y: (n,) datetime64[us] and float64 (NaN: not observed). known, past: (n,) float64 by name (codes for
    categories); ``known`` ones are known ahead, ``past`` ones only up to the cutoff. static: (series,) float64 by name (codes for
    categories, NaN: unknown). available: (n,) bool, False where a stock-out hid demand (demand is at least ``y``), or None.
    frequency: a pandas offset alias. seasons: season lengths in steps, the main one first; (1,) for none.
    """

    ids: np.ndarray
    indptr: np.ndarray
    ds: np.ndarray
    y: np.ndarray
    frequency: str
    seasons: tuple[int, ...] = (1,)
    known: Mapping[str, np.ndarray] = field(default_factory=dict)
    past: Mapping[str, np.ndarray] = field(default_factory=dict)
    static: Mapping[str, np.ndarray] = field(default_factory=dict)
    categories: frozenset[str] = frozenset()
    """Names among known, past and static whose numbers are codes."""
    available: np.ndarray | None = None

    def __post_init__(self) -> None:
        if len(self.indptr) != len(self.ids) + 1 or int(self.indptr[-1]) != len(self.y) or len(self.ds) != len(self.y):
            raise DataError(
                f"a panel of {len(self.ids)} series, {len(self.indptr)} bounds, {len(self.ds)} times and {len(self.y)} values",
                "one more bound than series, and as many times as values",
                "build it with holdgood's panel reader",
            )
        beside = {**self.known, **self.past} | ({} if self.available is None else {"available": self.available})
        for name, values in beside.items():
            if len(values) != len(self.y):
                raise DataError(
                    f"{name!r} has {len(values)} values beside {len(self.y)} of the series",
                    "one for every step",
                    "build it with holdgood's panel reader",
                )

    def __len__(self) -> int:
        """Number of series."""
        return len(self.ids)

    @property
    def season(self) -> int:
        """The main season's length in steps; 1 for none."""
        return self.seasons[0]

    @property
    def lengths(self) -> np.ndarray:
        """Steps a series, (series,)."""
        return np.diff(self.indptr)

    def series(self) -> Iterator[np.ndarray]:
        """Values of each series, oldest first (views)."""
        for begin, end in zip(self.indptr[:-1], self.indptr[1:], strict=True):
            yield self.y[begin:end]

    def take(self, rows: np.ndarray) -> Panel:
        """Some series, in that order."""
        rows = np.asarray(rows, np.int64)
        return self._of(rows, self.indptr[rows], self.indptr[rows + 1])

    def until(self, steps: np.ndarray | int) -> Panel:
        """Without the last ``steps`` of each series (one number, or one a series); a series may become empty."""
        ends = np.maximum(self.indptr[:-1], self.indptr[1:] - steps)
        return self._of(np.arange(len(self)), self.indptr[:-1], ends)

    def last(self, steps: int) -> Panel:
        """At most the last ``steps`` of each series."""
        begins = np.maximum(self.indptr[:-1], self.indptr[1:] - steps)
        return self._of(np.arange(len(self)), begins, self.indptr[1:])

    def tail(self, steps: int, *, values: np.ndarray | None = None) -> np.ndarray:
        """The last ``steps`` of ``values`` (default y) as (series, steps), right aligned, NaN where a series is shorter.

        >>> import numpy as np
        >>> p = Panel(np.array(["a", "b"]), np.array([0, 2, 3]), np.zeros(3, "M8[us]"), np.array([1.0, 2, 3]), "D")
        >>> p.tail(2).tolist()
        [[1.0, 2.0], [nan, 3.0]]
        """
        source = self.y if values is None else values
        out = np.full((len(self), steps), np.nan)
        back = np.arange(steps, 0, -1)
        place = self.indptr[1:, None] - back[None, :]
        there = place >= self.indptr[:-1, None]
        out[there] = source[place[there]]
        return out

    def ahead(self, steps: int, dropped: np.ndarray | int) -> tuple[np.ndarray, Future]:
        """Of a panel whose last ``dropped`` steps a series are the future: outcomes (series, steps) and the known part.

        NaN where a series ends before. Used by backtests: learn from ``until(dropped)``, score against this.
        """
        cut = np.broadcast_to(np.asarray(dropped), (len(self),))
        place = np.maximum(self.indptr[1:] - cut, self.indptr[:-1])[:, None] + np.arange(steps)[None, :]
        there = place < self.indptr[1:, None]
        safe = np.where(there, place, 0)
        y = np.where(there, self.y[safe], np.nan)
        ds = np.where(there, self.ds[safe], np.datetime64("NaT", "us"))
        return y, Future(ds, {k: np.where(there, v[safe], np.nan) for k, v in self.known.items()})

    def with_y(self, y: np.ndarray) -> Panel:
        """The same panel with other values."""
        return replace(self, y=y)

    def _of(self, rows: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> Panel:
        lengths = ends - begins
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        place = np.repeat(begins - indptr[:-1], lengths) + np.arange(int(indptr[-1]))
        return replace(
            self,
            ids=self.ids[rows],
            indptr=indptr,
            ds=self.ds[place],
            y=self.y[place],
            known={k: v[place] for k, v in self.known.items()},
            past={k: v[place] for k, v in self.past.items()},
            static={k: v[rows] for k, v in self.static.items()},
            available=None if self.available is None else self.available[place],
        )


@dataclass(frozen=True)
class Paths:
    """Joint sample paths: ``y`` (series, samples, horizon); ``ds`` (series, horizon); ``cutoff`` (series,) the last step known.

    ``point`` (series, horizon): the point forecast the paths are spread around (what squared or absolute error judges).
    """

    ids: np.ndarray
    cutoff: np.ndarray
    ds: np.ndarray
    y: np.ndarray
    point: np.ndarray

    @property
    def horizon(self) -> int:
        """Steps ahead."""
        return int(self.y.shape[2])

    def quantile(self, levels: np.ndarray) -> np.ndarray:
        """Quantiles a step: (series, horizon, levels)."""
        return np.moveaxis(np.quantile(self.y, np.asarray(levels), axis=1), 0, -1)

    def total(self, first: int = 0, last: int | None = None) -> np.ndarray:
        """Sums over steps ``first`` … ``last`` (exclusive) of each path: (series, samples). What a lead time asks for."""
        return self.y[:, :, first:last].sum(axis=2)

    def take(self, rows: np.ndarray) -> Paths:
        """Some series, in that order."""
        return Paths(self.ids[rows], self.cutoff[rows], self.ds[rows], self.y[rows], self.point[rows])
