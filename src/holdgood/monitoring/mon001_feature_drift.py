"""MON001: a feature's distribution, or how often it is missing, is not what it was in development."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.frame import Frame
from holdgood.core.records import Alarm
from holdgood.metrics.compare import holm
from holdgood.metrics.distance import chi2, ks

FEW_VALUES = 30
"""Numbers with at most this many different values are compared value by value: KS loses power on ties."""

LEAST_EFFECT = 0.02
"""Shifts below two points of distribution (KS distance, Cramér's V, missing share) are never an alarm, however sure."""


@dataclass(frozen=True)
class _Test:
    feature: int
    what: str
    effect: float
    p: float


class FeatureDrift:
    """Two samples a feature: KS for numbers, chi-squared on the contingency table for categories, and missing shares.

    Both sides count as samples. Holm's correction over all tests of the call holds the family-wise rate ``alpha``
    whatever the correlation between features. Texts are watched by their length.
    """

    code: ClassVar[str] = "MON001"
    title: ClassVar[str] = "A feature has drifted"

    def look(self, reference: Frame, current: Frame, *, alpha: float = 0.05, seed: int = 0) -> list[Alarm]:
        """Alarms, smallest p-value first; with no change, any at all comes with probability at most ``alpha``."""
        if [(f.name, f.type) for f in reference.features] != [(f.name, f.type) for f in current.features]:
            raise DataError(
                "the rows in use have other features than the reference",
                "the same features in the same order",
                "build both with the same bundle",
            )
        tests: list[_Test] = []
        for i, feature in enumerate(reference.features):
            tests += _tests(i, feature.type, reference.arrays[i], current.arrays[i])
        adjusted = holm([t.p for t in tests])
        order = np.argsort(adjusted, kind="stable")
        return [
            self._alarm(tests[i], float(adjusted[i]), reference, current, alpha)
            for i in order
            if adjusted[i] < alpha and tests[i].effect >= LEAST_EFFECT
        ]

    def _alarm(self, test: _Test, p: float, reference: Frame, current: Frame, alpha: float) -> Alarm:
        name = reference.features[test.feature].name
        return Alarm(
            code=self.code,
            title=self.title,
            subject=name,
            severity=_severity(test.effect),
            message=f"{name}: {test.what} (p = {p:.2g} after correction for everything looked at)",
            statistic=test.effect,
            p=p,
            alpha=alpha,
            n_reference=len(reference),
            n_current=len(current),
        )


DETECTOR = FeatureDrift()


def _severity(effect: float) -> Literal["high", "medium", "low"]:
    if effect >= 0.3:
        return "high"
    return "medium" if effect >= 0.1 else "low"


def _tests(i: int, kind: str, before: np.ndarray, now: np.ndarray) -> list[_Test]:
    if len(before) == 0 or len(now) == 0:
        return []
    gone, gone_now = _missing(kind, before), _missing(kind, now)
    found = []
    if gone.any() or gone_now.any():
        a, b = np.array([gone.sum(), (~gone).sum()]), np.array([gone_now.sum(), (~gone_now).sum()])
        shares = float(gone.mean()), float(gone_now.mean())
        what = f"missing in {shares[1]:.1%} of rows, it was {shares[0]:.1%}"
        found.append(_Test(i, what, abs(shares[1] - shares[0]), _corrected(a, b)))
    before, now = before[~gone], now[~gone_now]
    if len(before) and len(now):
        found.append(_values(i, kind, before, now))
    return found


def _missing(kind: str, values: np.ndarray) -> np.ndarray:
    return np.isnan(values) if kind == "number" else np.array([v is None for v in values], bool)


def _corrected(a: np.ndarray, b: np.ndarray) -> float:
    """Chi-squared of a 2 x 2 table with Yates' correction, which keeps rare events on the safe side."""
    expected = (a[0] + b[0]) * a.sum() / (a.sum() + b.sum())
    away = float(a[0] - expected)
    step = float(np.sign(away)) * min(0.5, abs(away))
    shift = np.array([step, -step])
    return chi2(a - shift, b + shift).p


def _values(i: int, kind: str, before: np.ndarray, now: np.ndarray) -> _Test:
    if kind == "text":
        before, now = (np.array([len(v) for v in side], np.float64) for side in (before, now))
    # Texts compare as bytes of one fixed type: np.unique on Python strings is many times slower.
    both = np.concatenate([before, now]) if kind != "category" else np.concatenate([before, now]).astype("U")
    levels, codes = np.unique(both, return_inverse=True)
    if kind == "category" or len(levels) <= FEW_VALUES:
        a = np.bincount(codes[: len(before)], minlength=len(levels))
        b = np.bincount(codes[len(before) :], minlength=len(levels))
        found = chi2(a, b)
        effect = 0.5 * float(np.sum(np.abs(a / a.sum() - b / b.sum())))
        fresh = float(b[a == 0].sum() / b.sum())
        what = f"{effect:.1%} of rows hold other values than before" + (f", {fresh:.1%} hold new ones" if fresh else "")
        return _Test(i, what, effect, found.p)
    found = ks(before, now)
    what = f"{'length of text' if kind == 'text' else 'values'} shifted, KS distance {found.statistic:.3f}"
    return _Test(i, what, found.statistic, found.p)
