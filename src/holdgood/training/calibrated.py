"""A scorer whose stated chances were found too sure, or too timid, and are drawn to what was observed. Light to import."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from holdgood.core.chain import Chain, nest, unnest
from holdgood.core.errors import BundleError, DataError
from holdgood.core.frame import Frame
from holdgood.core.protocols import Parts, Persistable, Scorer

TINY = 1e-12
METHODS = ("temperature", "platt", "isotonic")


class Recalibration:
    """A map of chances, number by number: each row's depends on that row alone.

    ``temperature`` (one number): log odds, or log chances of several classes, divided by it (Guo et al. 2017). ``platt``
    (slope, intercept): a line through the log odds (Platt 1999). ``isotonic`` (from and to, rising): straight between
    knots (Zadrozny & Elkan 2002).
    """

    def __init__(self, method: str, numbers: np.ndarray) -> None:
        self.method, self.numbers = method, np.ascontiguousarray(numbers, np.float64)
        shape, finite = self.numbers.shape, np.isfinite(self.numbers).all()
        fits = {
            "temperature": shape == (1,) and finite and self.numbers[0] > 0,
            "platt": shape == (2,) and finite and self.numbers[0] > 0,
            "isotonic": len(shape) == 2 and shape[0] == 2 and shape[1] > 1 and finite and _rising(self.numbers),
        }
        if not fits.get(method, False):
            raise DataError(f"a calibration {method!r} of shape {shape}", "one of " + ", ".join(METHODS))

    def __call__(self, p: np.ndarray) -> np.ndarray:
        """Chances of the positive class, (n,), or of all classes, (n, k)."""
        if self.method == "isotonic":
            mapped: np.ndarray = np.interp(p, self.numbers[0], self.numbers[1])
            return mapped
        if p.ndim == 2:
            raised = np.exp(np.log(np.maximum(p, TINY)) / self.numbers[0])
            total = np.zeros(len(p))
            for k in range(p.shape[1]):
                total += raised[:, k]
            shares: np.ndarray = raised / total[:, None]
            return shares
        odds = log_odds(p)
        line = odds / self.numbers[0] if self.method == "temperature" else odds * self.numbers[0] + self.numbers[1]
        chance: np.ndarray = 1.0 / (1.0 + np.exp(-line))
        return chance


def log_odds(p: np.ndarray) -> np.ndarray:
    """Of chances away from 0 and 1 by at least TINY."""
    inside = np.clip(p, TINY, 1.0 - TINY)
    odds: np.ndarray = np.log(inside) - np.log1p(-inside)
    return odds


class Calibrated:
    """A scorer and what its chances are mapped by."""

    part: ClassVar[str] = "calibrated"

    def __init__(self, inner: Scorer, recalibration: Recalibration) -> None:
        self.inner, self.recalibration = inner, recalibration

    def predict(self, frame: Frame) -> np.ndarray:
        """Chances in the shapes of Task; row-independent as those of the scorer inside."""
        return self.recalibration(self.inner.predict(frame))

    def to_parts(self) -> Parts:
        """The scorer's parts, the method and its numbers."""
        inner = nest({"inner": self.inner})
        return Parts(
            {"method": self.recalibration.method, "parts": inner.json},
            {"numbers": self.recalibration.numbers, **inner.arrays},
            inner.files,
        )

    @classmethod
    def from_parts(cls, parts: Parts) -> Persistable:
        """Rebuild; BundleError where method, numbers and scorer do not fit together."""
        entries, numbers = parts.json.get("parts"), parts.arrays.get("numbers")
        if not isinstance(entries, dict) or set(entries) != {"inner"} or numbers is None:
            raise BundleError("a calibrated model without scorer or numbers", "both", "the bundle is damaged")
        arrays = {k: v for k, v in parts.arrays.items() if k != "numbers"}
        inner = unnest(Parts(entries, arrays, parts.files))["inner"]
        if not isinstance(inner, Scorer) or (isinstance(inner, Calibrated) and not isinstance(inner, Chain)):
            raise BundleError(
                "a calibration of something else than a scorer", "a chain or ensemble", "the bundle is damaged"
            )
        try:
            return cls(inner, Recalibration(str(parts.json.get("method")), numbers))
        except (DataError, ValueError, TypeError) as error:
            raise BundleError(
                f"a calibration that does not fit: {error}", "its method's numbers", "the bundle is damaged"
            ) from error


def _rising(numbers: np.ndarray) -> bool:
    steps = np.diff(numbers, axis=1)
    return bool((steps[0] > 0).all() and (steps[1] >= 0).all() and numbers[1].min() >= 0 and numbers[1].max() <= 1)
