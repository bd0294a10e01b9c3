"""Panels on which no forecaster is better than another, and no combination of them: what the ladder climbs there, it climbs falsely.

Forecasts are told to forecasters as columns that are known ahead. All err to the same side at a step, by amounts drawn alike and evenly:
means of several then err by the mean of the amounts, medians by their median, which are the same on average.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from holdgood.core.panel import Future, Panel
from holdgood.core.protocols import PanelContext, Parts
from holdgood.training.panels.backtest import PanelCandidate
from holdgood.training.panels.train import train_panel

SERIES, STEPS, HORIZON, ORIGINS = 60, 24, 4, 3


class Told:
    """Answers with a column that is known ahead."""

    part = "told"

    def __init__(self, column: str) -> None:
        self.column, self.failed = column, {}  # type: ignore[var-annotated]

    def fit(self, panel: Panel, context: PanelContext) -> Told:
        return self

    def predict(self, panel: Panel, future: Future) -> np.ndarray:
        return np.asarray(future.known[self.column])

    def to_parts(self) -> Parts:
        return Parts({"column": self.column})


def drawn(rungs: int, configurations: int, rng: np.random.Generator) -> tuple[Panel, list[PanelCandidate]]:
    """A panel and candidates: a lowest rung of one, and ``rungs`` above it of so many configurations each."""
    y = 100 + rng.normal(size=(SERIES, STEPS))
    side, known, candidates = rng.choice([-1.0, 1.0], y.shape), {}, []
    for rung in range(rungs + 1):
        for k in range(configurations if rung else 1):
            name = f"f{rung}-{k}"
            known[name] = (y + side * rng.uniform(0, 2, y.shape)).ravel()
            candidates.append(PanelCandidate(name, f"rung{rung}", rung, True, lambda name=name: Told(name)))
    ids = np.array([f"s{i:03d}" for i in range(SERIES)])
    ds = np.tile(np.arange(STEPS).astype("M8[D]").astype("M8[us]"), SERIES)
    return Panel(ids, np.arange(SERIES + 1) * STEPS, ds, y.ravel(), "D", (1,), known), candidates


def climbs(rungs: int, configurations: int, simulations: int) -> dict[str, Any]:
    """How often something above the lowest rung is delivered, by preference ``balanced``, and called proven on the way."""
    rng = np.random.default_rng([rungs, configurations, 24])
    climbed = proven = 0
    for _ in range(simulations):
        panel, candidates = drawn(rungs, configurations, rng)
        board = train_panel(
            panel, candidates, HORIZON, budget="trials=40", workers=0, prefer="balanced", count=ORIGINS
        ).leaderboard
        climbed += board.chosen != "f0-0"
        proven += any(r.gain is not None and r.gain.verdict == "better" for r in board.ladder)
    return {"simulations": simulations, "climbs": climbed, "proven": proven}
