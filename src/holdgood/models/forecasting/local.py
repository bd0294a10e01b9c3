"""Local forecasters: each series is fitted by itself. What is common: time that is over, errors isolated, the fallback, parts.

A family gives three small functions. ``learn`` fits one series (a library does it) and returns plain numbers: parameters and the
state at the end. ``advance`` moves the state over later values, ``ahead`` forecasts from it; both are short recursions in NumPy,
so that a bundle forecasts from new history without refitting and without the library.
"""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np

from holdgood.core.errors import BundleError, DataError
from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import Json, PanelContext, Parts
from holdgood.models.forecasting.naive import repeated

NEW = "not among the series of the fit"


class LocalForecaster(ABC):
    """One fit a series, known by its id.

    Fit: leading and trailing missing values are left off, those inside are interpolated linearly. A constant series, and
    one that cannot be fitted (too short, an error, a forecast that is not finite, the time over), gets the naive of its
    ``season``; all but the constant ones are named in ``failed``.
    Predict: only steps after the fit's last value are read; a missing one moves the state on by its own forecast. A history
    that ends before the fit did, and an id that the fit has not seen, get the naive; the latter is named in ``failed``.
    """

    part: ClassVar[str]
    shortest: ClassVar[int] = 4
    """Observations below which a series is too short for the family."""

    def __init__(self, parameters: Mapping[str, Json]) -> None:
        self.parameters = dict(parameters)
        self.season = int(self.parameters.get("season", 1))
        self._reasons: dict[str, str] = {}
        self.failed: Mapping[str, str] = self._reasons
        self._ids = np.empty(0, dtype="<U1")
        self._rows: dict[str, int] = {}
        self._ends = np.empty(0, np.int64)
        self._indptr = np.zeros(1, np.int64)
        self._numbers = np.empty(0)

    @abstractmethod
    def learn(self, y: np.ndarray, horizon: int) -> np.ndarray:
        """Fit one series (n,) float64 without gaps and not constant; parameters and end state as one float64 vector."""

    @abstractmethod
    def advance(self, numbers: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The numbers after later values ``y`` (NaN: not observed). Must not change its arguments."""

    @abstractmethod
    def ahead(self, numbers: np.ndarray, horizon: int) -> np.ndarray:
        """Point forecasts (horizon,) from the end state."""

    def fit(self, panel: Panel, context: PanelContext) -> Self:
        """Fit every series while there is time. Deterministic, but for where the time ends."""
        until = time.monotonic() + context.seconds
        learned, ends = [], np.zeros(len(panel), np.int64)
        self._reasons.clear()
        self._ids = np.asarray(panel.ids, dtype=str)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for i, series in enumerate(panel.series()):
                numbers = np.empty(0)
                y, end = without_gaps(series)
                if len(y):
                    ends[i] = panel.ds[panel.indptr[i] + end].astype("M8[us]").astype(np.int64)
                if len(y) and (y != y[0]).any():
                    try:
                        numbers = self._learned(y, context.horizon, until)
                    except Exception as error:  # one series must not end the others; its reason is kept
                        self._reasons[str(self._ids[i])] = _reason(error)
                learned.append(numbers)
        self._keep(learned, ends)
        return self

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        """(series, horizon); NaN for a series without any observation."""
        out = np.empty((len(panel), future.horizon))
        times = panel.ds.astype("M8[us]").astype(np.int64)
        with np.errstate(all="ignore"):
            for i, name in enumerate(panel.ids):
                begin, stop = int(panel.indptr[i]), int(panel.indptr[i + 1])
                y = panel.y[begin:stop]
                row = self._rows.get(str(name))
                if row is None:
                    self._reasons[str(name)] = NEW
                    out[i] = repeated(y, self.season, future.horizon)
                    continue
                answer = self._answer(row, times[begin:stop], y, panel.frequency, future.horizon)
                out[i] = answer if np.isfinite(answer).all() else repeated(y, self.season, future.horizon)
        return out

    def to_parts(self) -> Parts:
        """Parameters and reasons as JSON; ids, ends (µs since the epoch), bounds and numbers as arrays."""
        arrays = {"ids": self._ids, "ends": self._ends, "indptr": self._indptr, "numbers": self._numbers}
        return Parts({"parameters": self.parameters, "failed": dict(sorted(self.failed.items()))}, arrays)

    @classmethod
    def from_parts(cls, parts: Parts) -> Self:
        """Rebuild; BundleError where arrays do not fit together."""
        ids, ends, indptr, numbers = (parts.arrays[k] for k in ("ids", "ends", "indptr", "numbers"))
        whole = len(indptr) == len(ids) + 1 == len(ends) + 1 and indptr[0] == 0 and indptr[-1] == len(numbers)
        if not whole or (np.diff(indptr) < 0).any():
            raise BundleError(
                f"{len(ids)} series, {len(ends)} ends, {len(indptr)} bounds and {len(numbers)} numbers",
                "arrays that fit together",
                "the bundle is damaged",
            )
        out = cls(parts.json["parameters"])
        out._reasons.update(parts.json["failed"])
        out._ids, out._ends, out._indptr = ids.astype(str), ends.astype(np.int64), indptr.astype(np.int64)
        out._numbers = numbers.astype(np.float64)
        out._rows = {str(name): i for i, name in enumerate(out._ids)}
        return out

    def _learned(self, y: np.ndarray, horizon: int, until: float) -> np.ndarray:
        if time.monotonic() >= until:
            raise TimeoutError("the time was over before its turn")
        if len(y) < self.shortest:
            raise DataError(f"{len(y)} observations", f"at least {self.shortest}", "the naive answers instead")
        numbers = np.asarray(self.learn(y, horizon), np.float64)
        if not np.isfinite(self.ahead(numbers, horizon)).all():
            raise FloatingPointError("its forecast is not finite")
        return numbers

    def _keep(self, learned: list[np.ndarray], ends: np.ndarray) -> None:
        self._indptr = np.concatenate([[0], np.cumsum([len(n) for n in learned])]).astype(np.int64)
        self._numbers = np.concatenate([*learned, np.empty(0)])
        self._ends = ends
        self._rows = {str(name): i for i, name in enumerate(self._ids)}

    def _answer(self, row: int, times: np.ndarray, y: np.ndarray, frequency: str, horizon: int) -> np.ndarray:
        numbers = self._numbers[self._indptr[row] : self._indptr[row + 1]]
        end = int(self._ends[row])
        if not len(numbers) or not len(times) or int(times[-1]) < end:
            return np.full(horizon, np.nan)
        later = y[int(np.searchsorted(times, end, side="right")) :]
        if int(times[0]) > end:
            later = np.concatenate([np.full(steps_between(end, int(times[0]), frequency) - 1, np.nan), later])
        return self.ahead(self.advance(numbers, later) if len(later) else numbers, horizon)


def without_gaps(y: np.ndarray) -> tuple[np.ndarray, int]:
    """From the first to the last observation, gaps inside filled linearly; and the place of the last one.

    >>> without_gaps(np.array([np.nan, 1.0, np.nan, 3.0, np.nan]))
    (array([1., 2., 3.]), 3)
    """
    seen = np.flatnonzero(np.isfinite(y))
    if not len(seen):
        return np.empty(0), -1
    first, last = int(seen[0]), int(seen[-1])
    return np.interp(np.arange(first, last + 1), seen, y[seen]).astype(np.float64), last


def steps_between(begin: int, end: int, frequency: str) -> int:
    """Steps of a pandas frequency from one time to another (µs since the epoch), at least 1."""
    import pandas as pd

    span = pd.date_range(pd.Timestamp(begin, unit="us"), pd.Timestamp(end, unit="us"), freq=frequency)
    return max(1, len(span) - 1)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return (
        text if isinstance(error, DataError | TimeoutError | FloatingPointError) else f"{type(error).__name__}: {text}"
    )
