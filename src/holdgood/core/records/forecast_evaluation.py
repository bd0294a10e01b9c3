"""How good forecasts were at past origins: over the naive, by kind of demand, by step, and whether intervals held what they said."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.common import Comparison
from holdgood.core.records.envelope import Number, Part, Record


class Accuracy(Part):
    """Errors of some series or steps. ``loss`` and ``naive`` in the metric; ``wape`` and ``bias`` as shares of the volume.

    ``rmsse``: root mean squared scaled error, mean over series. ``crps`` and ``quantile_loss``: of the joint paths, as shares of the
    volume of the same outcomes, so that they stand beside ``wape`` (the CRPS of a point forecast is its absolute error).
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
    rmsse: Number = float("nan")
    crps: Number = float("nan")
    quantile_loss: Number = float("nan")
    value_added: Comparison | None = None
    cover: dict[str, Number] = {}


class LeadCover(Part):
    """Cover of the sum over the first ``steps`` ahead, by level as text; ``segments``: the same by kind of demand.

    ``lowest``, ``highest``: of the cover of the 80% interval at single origins, between which it moves with what all series share.
    """

    steps: int
    cover: dict[str, Number]
    n: int = 0
    segments: dict[str, dict[str, Number]] = {}
    lowest: Number = float("nan")
    highest: Number = float("nan")


class SeriesAccuracy(Part):
    """One series at the past origins."""

    series: str
    segment: str
    loss: Number
    naive: Number
    wape: Number
    bias: Number
    volume: Number


class ItemOutside(Part):
    """An item whose outcomes fell into its intervals less, or more, often than chance explains. ``inside``: their share."""

    series: str
    steps: int
    inside: Number
    chance: Number


class ItemCover(Part):
    """Central intervals of ``level``, item by item.

    ``too_narrow``: items with fewer outcomes inside than chance explains, ``too_wide``: with more; ``…_by_chance``: how many such items
    there would be if every interval were right. ``worst``: the narrowest first.
    """

    level: Number
    items: int
    too_narrow: int
    too_wide: int
    narrow_by_chance: Number
    wide_by_chance: Number
    worst: tuple[ItemOutside, ...] = ()


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
    items: ItemCover | None = None
    service_level: Number = float("nan")
    service_reached: Number = float("nan")
    better_than_naive: Number = float("nan")
    notes: tuple[str, ...] = ()
