"""What is odd about outcomes and series: told with counts, changed nowhere but for infinite values, which are unknown."""

from __future__ import annotations

import numpy as np

from holdgood.core.panel import Panel
from holdgood.core.records.panel import PanelNote
from holdgood.features.panels.rows import told

# Counts: at least this share of whole, non-negative values; the rest is then worth a look.
_MOSTLY = 0.98
_CHANCE = 1e-6
_SOME = 8
_TOGETHER = 0.5


def outcomes(y: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, list[PanelNote]]:
    """The target of all rows, infinite values unknown; notes on these, on negative values and on fractions among counts."""
    notes = []
    infinite = np.isinf(y)
    if infinite.any():
        said = f"{int(infinite.sum()):,} infinite values of the target are taken as unknown"
        notes.append(_note("infinite", "issue", said, infinite, numbers))
        y = np.where(infinite, np.nan, y)
    seen = ~np.isnan(y)
    if not seen.any():
        return y, notes
    negative, fraction = seen & (y < 0), seen & (y != np.floor(y))
    if 0 < negative.sum() <= (1 - _MOSTLY) * seen.sum():
        said = f"{int(negative.sum()):,} negative values among {int(seen.sum()):,} (returns, corrections?); kept as they are"
        notes.append(_note("negative", "issue", said, negative, numbers))
    if 0 < fraction.sum() <= (1 - _MOSTLY) * seen.sum():
        said = f"{int(fraction.sum()):,} values with decimals among {int(seen.sum()):,} whole numbers; kept as they are"
        notes.append(_note("fractions", "tip", said, fraction, numbers))
    return y, notes


def _note(code: str, level: str, said: str, which: np.ndarray, numbers: np.ndarray) -> PanelNote:
    return PanelNote.model_validate(
        {"code": code, "level": level, "message": said, "count": int(which.sum()), "rows": told(which, numbers)}
    )


def series_notes(panel: Panel) -> list[PanelNote]:
    """Series that nothing, or little, can be learned from, and series of very different length."""
    lengths, notes = panel.lengths, []
    there = lengths > 0
    of = np.repeat(np.arange(len(panel)), lengths)
    seen = ~np.isnan(panel.y)
    count = np.bincount(of[seen], minlength=len(panel))
    high, low = np.full(len(panel), -np.inf), np.full(len(panel), np.inf)
    np.maximum.at(high, of[seen], panel.y[seen])
    np.minimum.at(low, of[seen], panel.y[seen])
    one, flat = there & (count == 1), there & (count > 1) & (high == low)
    zero = there & (high == 0) & (low == 0)
    for code, which, said in (
        ("one-observation", one, "with a single observation: it is repeated, and nothing is known of its spread"),
        ("all-zero", zero & ~one, "that are zero throughout: their forecast is zero"),
        ("constant", flat & ~zero, "that never change"),
        ("new", ~there, "without any history: forecast from their attributes where there are some"),
    ):
        if which.any():
            names = tuple(str(i) for i in panel.ids[which][:_SOME])
            message = f"{int(which.sum()):,} series {said}"
            notes.append(PanelNote(code=code, level="tip", message=message, count=int(which.sum()), series=names))
    gaps = int((np.isnan(panel.y)).sum())
    if gaps:
        said = f"{gaps:,} of {len(panel.y):,} steps have no value (no row, or an empty one); they are not taken as zero"
        notes.append(PanelNote(code="gaps", level="tip", message=said, count=gaps))
    if there.any() and lengths[there].max() >= 20 * max(1, lengths[there].min()):
        said = f"series are of very different length: from {lengths[there].min():,} to {lengths[there].max():,} steps"
        notes.append(PanelNote(code="lengths", level="tip", message=said, count=int(there.sum())))
    return notes


def ended(panel: Panel, after: int | None, horizon: int, late: np.ndarray) -> np.ndarray:
    """(series,) bool: no demand for so long that the item has ended. Series that were zero throughout have not, while rows come.

    ``late``: (series,) steps from a series' end to the panel's. They count as silence where the panel has a common end: at
    least half of the series reach it, but for a quarter season; else these are series of different times, and each has its own.

    ``after``: steps, or None: half a year, a season and a quarter, and the horizon, and so long that a run of that many steps
    without demand has a chance below one in a million for an item that sold as often as this one did before.
    """
    of = np.repeat(np.arange(len(panel)), panel.lengths)
    begin = np.zeros(len(panel), np.int64)
    sold = np.flatnonzero(np.nan_to_num(panel.y) != 0)
    last = np.full(len(panel), -1)
    np.maximum.at(last, of[sold], sold - panel.indptr[of[sold]])
    times = np.bincount(of[sold], minlength=len(panel))
    late = late if after is not None or _common_end(panel, late) else np.zeros_like(late)
    silent = panel.lengths - 1 - last + late
    observed = np.bincount(of[~np.isnan(panel.y)], minlength=len(panel)) > begin
    share = np.clip(times / np.maximum(last + 1, 1), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        chance = silent * np.log1p(-np.minimum(share, 1 - 1e-12))
    least = max(_half_a_year(panel), -(-5 * panel.season // 4), horizon, 4)
    long = silent >= (after if after is not None else least)
    found = observed & (times > 0) & long
    found = found & (chance < np.log(_CHANCE)) if after is None else found
    return np.asarray(found | (observed & (times == 0) & (late >= (after if after is not None else least))))


def _common_end(panel: Panel, late: np.ndarray) -> bool:
    there = panel.lengths > 0
    return bool(there.any() and np.mean(late[there] <= max(1, panel.season // 4)) >= _TOGETHER)


def ends(panel: Panel, late: np.ndarray, ended: np.ndarray) -> list[PanelNote]:
    """Notes on series whose rows stop before the panel's end: those that have ended, and those that are forecast from there."""
    notes = []
    for code, which, said in (
        ("stopped", (late > 0) & ended, "have no row for long before the table's end, have ended and get no forecast"),
        ("ragged", (late > 0) & ~ended, "end before the table does; their forecast begins at their own end"),
    ):
        if which.any():
            count, most = int(which.sum()), int(late[which].max())
            order = np.argsort(-np.where(which, late, -1), kind="stable")[: min(count, _SOME)]
            message = f"{count:,} series {said} (up to {most:,} steps before)"
            names = tuple(str(i) for i in panel.ids[order])
            notes.append(PanelNote(code=code, level="tip", message=message, count=count, series=names))
    return notes


def _half_a_year(panel: Panel) -> int:
    """In steps, from the series with the most of them."""
    if not len(panel) or panel.lengths.max() < 2:
        return 1
    longest = int(np.argmax(panel.lengths))
    ds = panel.ds[panel.indptr[longest] : panel.indptr[longest + 1]].astype("M8[us]").astype(np.int64)
    step = (ds[-1] - ds[0]) / (len(ds) - 1)
    return int(np.ceil(182.5 * 86_400e6 / step))
