"""One candidate: fitted on what lies before the oldest origin, forecasting from every later one without refitting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.protocols import Forecaster, Json, PanelContext
from holdgood.training.panels.censored import Demand
from holdgood.training.panels.origins import Origin
from holdgood.training.panels.seen import Seen, values_seen, without_flags


@dataclass(frozen=True)
class PanelCandidate:
    """A configuration of a family of forecasters and how to make one; ``rung`` orders families, simplest is 0."""

    name: str
    family: str
    rung: int
    local: bool
    make: Callable[[], Forecaster]
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Plan:
    """What every candidate is asked: series, where the history of each ends (steps before its end), and the later cuts.

    ``alone`` (series,): for local families; ``together``: for global ones. A worker gets this once and slices for itself.
    ``seen``: by cut, values (n,) as they are seen from there; ``seen_alone``: from where each history ends. None: the panel's own.
    """

    panel: Panel
    alone: np.ndarray
    together: int
    cuts: tuple[int, ...]
    horizon: int
    seen: Mapping[int, np.ndarray] | None = None
    seen_alone: np.ndarray | None = None

    @classmethod
    def of(
        cls, panel: Panel, cuts: Sequence[Origin], seen: Seen, demand: Demand, horizon: int
    ) -> tuple[Plan, np.ndarray]:
        """What is asked at some origins, and positions in the panel of the series that are judged at any of them.

        A local family is fitted on each series before the oldest origin that the series is judged at; a global one on what
        lies before the oldest origin of all, in time. ``seen``: what they see from each origin, completed by ``demand``.
        """
        deepest = np.zeros(len(panel), np.int64)
        for cut in cuts:
            deepest[cut.judged] = np.maximum(deepest[cut.judged], cut.dropped)
        oldest = max(c.dropped for c in cuts)
        some = np.flatnonzero(deepest > 0)
        dropped, plain = tuple(c.dropped for c in cuts), without_flags(panel)
        plan = cls(plain.take(some), deepest[some], oldest, dropped, horizon)
        if panel.available is None:
            return plan, some
        alone = seen.values[oldest] if (deepest[some] == oldest).all() else values_seen(panel, demand, deepest)
        values = {d: panel.with_y(v).take(some).y for d, v in seen.values.items()}
        return replace(plan, seen=values, seen_alone=panel.with_y(alone).take(some).y), some

    @classmethod
    def whole(cls, panel: Panel, horizon: int) -> Plan:
        """All of the history, and nothing to forecast yet."""
        return cls(panel, np.zeros(len(panel), np.int64), 0, (), horizon)

    def learned_from(self, rows: np.ndarray, local: bool) -> Panel:
        """The histories of some series that a family is fitted on."""
        if not local:
            return self.before(rows, self.together)
        panel = self.panel if self.seen_alone is None else self.panel.with_y(self.seen_alone)
        return panel.take(rows).until(self.alone[rows])

    def before(self, rows: np.ndarray, cut: int) -> Panel:
        """Their histories before a cut."""
        panel = self.panel if self.seen is None else self.panel.with_y(self.seen[cut])
        return panel.take(rows).until(cut)


@dataclass(frozen=True)
class Fitted:
    """What came of a fit: forecasts (series, horizon) from each later cut, CPU seconds, failures by id, the forecaster."""

    points: tuple[np.ndarray, ...]
    fit_seconds: float
    predict_seconds: float
    failed: Mapping[str, str]
    forecaster: Forecaster | None = None


def fit_predict(
    candidate: PanelCandidate, plan: Plan, rows: np.ndarray, context: PanelContext, keep: bool = False
) -> Fitted:
    """Fit some series of a plan, forecast from each later cut without refitting. Runs in a worker."""
    begun = time.process_time()
    panel = plan.panel.take(rows)
    made = candidate.make().fit(plan.learned_from(rows, candidate.local), context)
    fitted = time.process_time()
    failed = dict(made.failed)
    points = tuple(made.predict(plan.before(rows, cut), panel.ahead(plan.horizon, cut)[1]) for cut in plan.cuts)
    return Fitted(points, fitted - begun, time.process_time() - fitted, failed, made if keep else None)
