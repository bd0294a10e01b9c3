"""What a model costs in use: milliseconds for a single row, and megabytes, for one refit or for the models of all folds.

Encoders that are alike are run once, so that a second model on the same columns costs less than the first. Under a work
budget measured times would differ from run to run, and round numbers stand in for them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from holdgood.training.progress import Progress
from holdgood.training.work import encoder_key

LATENCY_MS, SIZE_MB = 0.3, 20.0
"""What ``balanced`` aims at where nothing else is declared."""
NOMINAL_MODEL_MS, NOMINAL_ENCODER_MS = 0.07, {"codes": 0.07, "dense": 0.16}


@dataclass(frozen=True)
class Aim:
    """What may be spent on an answer; infinite: whatever it takes. ``by_clock``: measured times count, not round ones."""

    latency_ms: float = float("inf")
    size_mb: float = float("inf")
    by_clock: bool = True

    @property
    def bounded(self) -> bool:
        """Whether there is any limit."""
        return min(self.latency_ms, self.size_mb) < float("inf")

    def share(self, trials: Sequence[Progress], models: Sequence[int] | None = None) -> float:
        """The largest share of a limit that trials take together, each of ``models`` models (default: one refit each)."""
        many = [1] * len(trials) if models is None else models
        latency = self.milliseconds(trials, many)
        size = sum(p.size_bytes() * m for p, m in zip(trials, many, strict=True)) / 1e6
        return max(latency / self.latency_ms, size / self.size_mb)

    def milliseconds(self, trials: Sequence[Progress], models: Sequence[int]) -> float:
        """For a single row. Models of the same fold read the same encoder where they need the same."""
        encoders: dict[Hashable, tuple[float, int]] = {}
        total = 0.0
        for p, many in zip(trials, models, strict=True):
            own, encode = self._of(p)
            total += own * many
            key = encoder_key(p.candidate)
            known = encoders.get(key, (0.0, 0))
            encoders[key] = (max(known[0], encode), max(known[1], many))
        return total + sum(encode * many for encode, many in encoders.values())

    def nominal(self, needs: Sequence[str], models: int, encoders: int) -> float:
        """Milliseconds by round numbers for so many models and encoders, of the dearest kind of encoder that is needed."""
        return models * NOMINAL_MODEL_MS + encoders * max(NOMINAL_ENCODER_MS.get(n, 0.1) for n in needs)

    def _of(self, p: Progress) -> tuple[float, float]:
        """Milliseconds of the model and of its encoder."""
        row, encode = p.row_ms(), p.encode_ms()
        if not self.by_clock or not row >= encode:
            return NOMINAL_MODEL_MS, NOMINAL_ENCODER_MS.get(p.candidate.needs, 0.1)
        return row - encode, encode
