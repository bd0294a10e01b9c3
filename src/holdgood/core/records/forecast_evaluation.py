"""How good forecasts were at past origins: over the naive, by kind of demand, by step, and whether intervals held what they said."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.common import Comparison
from holdgood.core.records.envelope import Number, Part, Record


class Accuracy(Part):
    """Errors of some series or steps. ``loss`` and ``naive`` in the metric; ``wape`` and ``bias`` as shares of the volume.

    ``value_added``: paired over series against the naive, in the metric. ``cover``: share of outcomes inside each central
    interval, by its level as text ("0.8"); randomised where outcomes are counts.
    """

    name: str
    series: int
    loss: Number
    naive: Number
    wape: Number
    naive_wape: Number = float("nan")
    bias: Number
    value_added: Comparison | None = None
    cover: dict[str, Number] = {}


class LeadCover(Part):
    """Cover of the sum over the first ``steps`` ahead, by level as text."""

    steps: int
    cover: dict[str, Number]
    n: int = 0


class SeriesAccuracy(Part):
    """One series at the past origins."""

    series: str
    segment: str
    loss: Number
    naive: Number
    wape: Number
    bias: Number
    volume: Number


class ForecastEvaluation(Record):
    """A backtest over rolling origins. ``levels``: of a hierarchy, from the top down. ``worst``: series by loss, worst first.

    ``service``: the declared service level, and the share of outcomes that did not exceed its quantile.
    """

    kind: ClassVar[str] = "forecast-evaluation"

    metric: str
    origins: int
    horizon: int
    overall: Accuracy
    segments: tuple[Accuracy, ...] = ()
    steps: tuple[Accuracy, ...] = ()
    levels: tuple[Accuracy, ...] = ()
    leads: tuple[LeadCover, ...] = ()
    worst: tuple[SeriesAccuracy, ...] = ()
    service_level: Number = float("nan")
    service_reached: Number = float("nan")
    better_than_naive: Number = float("nan")
    notes: tuple[str, ...] = ()
