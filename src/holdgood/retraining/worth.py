"""What retraining can win back at most, in money, against what it costs and risks."""

from __future__ import annotations

from dataclasses import dataclass

from holdgood.core.records import Comparison


@dataclass(frozen=True)
class Worth:
    """Money over the horizon. ``most``: all of what was lost, won back; ``most_high``: at the far end of its interval."""

    most: float
    most_high: float
    cost: float
    risk: float
    currency: str = ""

    @property
    def pays(self) -> bool:
        """Whether the most that can be won back is more than cost and risk together."""
        return self.most > self.cost + self.risk

    def __str__(self) -> str:
        unit = f" {self.currency}".rstrip()
        side = f"{self.most:,.0f}{unit} (at most {self.most_high:,.0f})"
        return f"it can win back {side}; it costs {self.cost:,.0f} and risks {self.risk:,.0f}{unit}"


def worth(
    fall: Comparison, *, rows: float, cost: float, error: float = 0.05, at_risk: float = 0.0, currency: str = ""
) -> Worth:
    """From the fall in money a row (now first; negative where now earns less) and the ``rows`` to come within the horizon.

    How much of a fall a new model wins back is not known before it is trained: all of it is the most. The risk is that
    a model goes live which is not better (``error``) and loses as much again on ``at_risk`` rows until the probation shows it.
    """
    lost, high = max(0.0, -fall.difference), max(0.0, -fall.low)
    return Worth(lost * rows, high * rows, cost, error * high * at_risk, currency)
