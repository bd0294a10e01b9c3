"""A forecast: joint sample paths as Parquet (unique_id, cutoff, ds, sample, y); this record says what they are."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.envelope import Record


class Forecast(Record):
    """Where the paths lie and how they were made. Quantiles are derived from the paths, never stored instead of them."""

    kind: ClassVar[str] = "forecast"

    paths: str
    series: int
    horizon: int
    samples: int
    frequency: str
    cutoff: str
    method: str = ""
