"""What is known of one candidate while training runs, and what that says of the time it still needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from holdgood.core.protocols import Candidate
from holdgood.training.work import FoldFit

SAFETY = 1.1
"""Estimates of fit times are stretched by this much before anything is promised on them."""
MOST_GROWTH = 1.25
CLEARLY = 0.1
"""What is clearly better is so by this share of the loss at least."""


@dataclass(frozen=True)
class Cost:
    """What a model takes in use: bytes, and milliseconds for a single row, ``encode_ms`` of it in the encoder."""

    size_bytes: int
    row_ms: float
    encode_ms: float


@dataclass(eq=False)
class Progress:
    """One candidate: its finished folds, those under way, and how it ended.

    ``folds``: how many are wanted now; ``base``: how many one repeat has (default: as many). ``searched``: proposed by the
    search, with ``rival`` the trial it races against and ``raced`` the folds after which it was last looked at.
    ``weighed``: what its refit takes, where that was near a limit. ``later``: why it waits until the portfolio is through; ``resumed``: it
    has waited, and goes on.
    ``final``: it is not repeated any more. ``spare``: fits that a store kept of folds that are not wanted yet.
    """

    index: int
    candidate: Candidate
    folds: int
    first: bool
    base: int = 0
    searched: bool = False
    rival: Progress | None = None
    raced: int = 0
    later: str = ""
    resumed: bool = False
    final: bool = False
    spare: dict[int, FoldFit] = field(default_factory=dict)
    done: dict[int, FoldFit] = field(default_factory=dict)
    under_way: dict[int, float] = field(default_factory=dict)
    losses: dict[int, np.ndarray] = field(default_factory=dict)
    status: Literal["open", "ok", "failed", "stopped", "skipped"] = "open"
    reason: str = ""
    reused: bool = False
    behind: bool = False
    weighed: Cost | None = None

    def __post_init__(self) -> None:
        self.base = self.base or self.folds

    @property
    def complete(self) -> bool:
        """All folds that are wanted are done."""
        return self.in_a_row >= self.folds

    @property
    def in_a_row(self) -> int:
        """How many folds are done, counted from the first without a gap."""
        return next((i for i in range(self.folds) if i not in self.done), self.folds)

    @property
    def next_fold(self) -> int | None:
        """The first fold that is neither done nor under way; a proposal of the search, or what may find nothing to add, first
        shows what it does on one.
        """
        if (self.searched or self.candidate.tentative) and 0 in self.under_way:
            return None
        return next((i for i in range(self.folds) if i not in self.done and i not in self.under_way), None)

    def loss(self) -> float:
        """Mean loss over finished folds of the first repeat; infinite before the first."""
        own = [np.mean(self.losses[f]) for f in sorted(self.losses) if f < self.base]
        return float(np.mean(own)) if own else math.inf

    def against(self, other: Progress, folds: int) -> np.ndarray:
        """Per-row losses less those of another trial, over the first ``folds`` folds."""
        return np.concatenate([self.losses[f] - other.losses[f] for f in range(folds)])

    def level(self, folds: int) -> float:
        """Mean loss over the first ``folds`` folds, each fold counted alike."""
        return float(sum(self.losses[f].mean() for f in range(folds))) / folds

    def relative(self, other: Progress) -> float:
        """Mean loss as a share of another trial's on the folds that both have, less one."""
        both = [f for f in sorted(self.losses) if f in other.losses and f < self.base]
        theirs = float(np.mean([np.mean(other.losses[f]) for f in both])) if both else math.nan
        return float(np.mean([np.mean(self.losses[f]) for f in both])) / max(theirs, 1e-12) - 1.0 if both else math.inf

    def stop(self, reason: str, folds: int) -> None:
        """End it after its first ``folds`` folds: what came later is as if it had not been, and nothing is kept for delivery."""
        self.status, self.behind, self.reason = "stopped", True, reason
        for f in [f for f in self.done if f >= folds]:
            del self.done[f], self.losses[f]
        self.release()
        self.done = {f: replace(fit, prediction=None) for f, fit in self.done.items()}

    def release(self) -> None:
        """Delete the chains that were kept."""
        for f, fit in self.done.items():
            if fit.chain is not None:
                fit.chain.remove()
                self.done[f] = replace(fit, chain=None)

    def fold_seconds(self) -> float:
        """Measured seconds of one fold, fit and prediction; NaN before the first."""
        if not self.done:
            return math.nan
        return float(np.mean([f.fit_seconds + f.predict_seconds for f in self.done.values()]))

    def refit_seconds(self, rows: int) -> float:
        """Estimated seconds of a refit on all rows; NaN before the first fold is done."""
        if not self.done:
            return math.nan
        fits = [f.fit_seconds * rows / max(1, f.learned_rows) for f in self.done.values()]
        return SAFETY * float(np.mean(fits)) + 0.05

    def rounds(self) -> int | None:
        """Median rounds over the folds, where the model has any."""
        used = [f.rounds for f in self.done.values() if f.rounds is not None]
        return max(1, round(float(np.median(used)))) if used else None

    def refit_rounds(self, rows: int) -> int | None:
        """Rounds for a refit: the median of the folds, more by the root of the rows gained, at most a quarter more."""
        rounds = self.rounds()
        if rounds is None:
            return None
        learned = float(np.median([f.learned_rows for f in self.done.values()]))
        return max(1, round(rounds * min(MOST_GROWTH, max(1.0, math.sqrt(rows / max(1.0, learned))))))

    def hints(self) -> dict[str, float]:
        """What the model chose inside the training rows of its folds: of each number the (lower) median."""
        told: dict[str, list[float]] = {}
        for fold in sorted(self.done):
            for name, value in self.done[fold].hints.items():
                told.setdefault(name, []).append(value)
        return {name: sorted(values)[(len(values) - 1) // 2] for name, values in told.items()}

    def row_ms(self) -> float:
        """Milliseconds for a single row."""
        return self._cost.row_ms

    def encode_ms(self) -> float:
        """Milliseconds of it in the encoder."""
        return self._cost.encode_ms

    def fit_seconds(self) -> float:
        """Seconds of the fits on its folds together."""
        return sum(f.fit_seconds for f in self.done.values())

    def size_bytes(self) -> int:
        """Bytes of its parts, as measured on the first fold or on its refit."""
        return self._cost.size_bytes

    @property
    def _cost(self) -> Cost:
        if self.weighed is not None:
            return self.weighed
        first = self.done.get(0)
        return Cost(0, math.nan, math.nan) if first is None else Cost(first.size_bytes, first.row_ms, first.encode_ms)


def clearly_better(one: Progress, two: Progress) -> bool:
    """On the first fold, by three standard errors and a tenth of the loss."""
    gain = two.losses[0] - one.losses[0]
    mean, level = float(np.mean(gain)), float(np.mean(two.losses[0]))
    return mean > max(3.0 * float(np.std(gain)) / math.sqrt(len(gain)), CLEARLY * abs(level))


def makespan(seconds: list[float], workers: int) -> float:
    """How long some fits take on some workers, longest first."""
    ends = [0.0] * max(1, workers)
    for s in sorted((x for x in seconds if not math.isnan(x)), reverse=True):
        at = ends.index(min(ends))
        ends[at] += s
    return max(ends)
