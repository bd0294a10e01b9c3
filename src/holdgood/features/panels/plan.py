"""PanelPlan: how a table becomes a panel, settled once. What a bundle needs to read new history the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holdgood.core.errors import BundleError
from holdgood.core.protocols import Parts
from holdgood.core.table import as_text
from holdgood.core.zones import in_utc, on_the_wall, stamped
from holdgood.features.panels.grid import DAY, Grid
from holdgood.features.panels.moments import Moments


@dataclass(frozen=True)
class PanelPlan:
    """Roles of columns, the grid, and the levels of categories in code order.

    ``known``, ``past``, ``static``: columns by role; ``types``: the frozen type of each column that is used; ``levels``: the
    words of each category, whose codes are their positions. ``zone``: of the time column, None for none. Steps of days and longer
    are counted on the wall clock there (``on_the_wall``): a day is the day that people had. Shorter steps are counted in UTC, in
    which no hour comes twice.
    """

    id: tuple[str, ...]
    time: str
    target: str
    grid: Grid
    seasons: tuple[int, ...] = (1,)
    horizon: int = 1
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    in_stock: str | None = None
    country: str | None = None
    fill: str = "missing"
    duplicates: str = "refuse"
    ended_after: int | None = None
    keep_ended: bool = False
    types: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None

    part: ClassVar[str] = "panel-plan"

    def to_parts(self) -> Parts:
        """All of it is JSON."""
        return Parts(asdict(self))

    @classmethod
    def from_parts(cls, parts: Parts) -> PanelPlan:
        """Rebuild; BundleError where fields do not fit."""
        said: dict[str, Any] = dict(parts.json)
        try:
            said["grid"] = Grid(**said["grid"])
            for name in ("id", "seasons", "known", "past", "static"):
                said[name] = tuple(said[name])
            said["levels"] = {k: tuple(v) for k, v in said["levels"].items()}
            plan = cls(**said)
            sound = plan.grid.unit in ("fixed", "months", "business") and plan.grid.size >= 1 and plan.horizon >= 1
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(
                "a panel plan that does not fit together", "what this part wrote", f"damaged: {error!r}"
            ) from error
        if not sound:
            raise BundleError("a panel plan with an impossible grid", "what this part wrote", "the bundle is damaged")
        return plan

    @property
    def on_the_wall(self) -> bool:
        """Whether moments are counted as a wall clock shows them."""
        return by_days(self.grid)

    def moments(self, read: Moments) -> np.ndarray:
        """(n,) int64 microseconds on the clock that this panel's steps are counted on."""
        if self.zone is None:
            return read.us if read.zone is None else on_the_wall(read.us, read.zone)
        if read.zone is None:
            return read.us if self.on_the_wall else in_utc(read.us, self.zone)
        return on_the_wall(read.us, self.zone) if self.on_the_wall else read.us

    def shown(self, ds: np.ndarray) -> pa.Array:
        """Moments of steps (datetime64[us]) as the time column has them: in its zone, where it has one.

        An offset such as +02:00 is no zone: what it will be on a day to come is not known. Days then stand as days, hours in UTC.
        """
        us, offset = ds.ravel().astype("M8[us]").astype(np.int64), (self.zone or "").startswith(("+", "-"))
        if self.zone is None or (offset and self.on_the_wall):
            return pa.array(us).cast(pa.timestamp("us"))
        if self.on_the_wall:
            return stamped(us, self.zone)
        return pa.array(us).cast(pa.timestamp("us", "UTC" if offset else self.zone))

    @property
    def calendar_zone(self) -> str | None:
        """The zone in which steps must be put before they have a day of the calendar; None where they are in it."""
        return None if self.on_the_wall else self.zone

    def with_levels(self, levels: Mapping[str, tuple[str, ...]]) -> PanelPlan:
        """The same plan with the levels of its categories."""
        return replace(self, levels=levels)


def by_days(grid: Grid) -> bool:
    """Whether a step is a day or more."""
    return grid.unit != "fixed" or grid.size % DAY == 0


def levels_of(column: pa.ChunkedArray) -> tuple[str, ...]:
    """The words of a category, sorted: the same codes whatever order the rows come in."""
    return tuple(sorted(v for v in pc.unique(as_text(column)).to_pylist() if v is not None))


def coded(column: pa.ChunkedArray, levels: tuple[str, ...] | None) -> np.ndarray:
    """A column as float64 (n,): numbers as they are, categories as codes; NaN for missing and for a word that is not known."""
    if levels is None:
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)
        return np.where(np.isfinite(values), values, np.nan)
    places = pc.index_in(as_text(column), value_set=pa.array(list(levels), pa.string()))
    return np.asarray(places.cast(pa.float64()).to_numpy(zero_copy_only=False), float)
