"""Levels of a small vocabulary that appear or vanish for good at some moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.audit.timeline import Timeline

PARTS = 40
LEVELS = 30
SHARE = 0.01
EXPECTED = 40.0  # rows that the silent side should have had
SIDE = 0.15  # of the parts on either side
STEADY = 0.9  # of the parts on the living side in which the level is there
MOST = 1 / 3  # of a vocabulary; where more come and go, coming and going is what its levels do
ROWS = 1000


@dataclass(frozen=True)
class Turn:
    """One level that ``appears`` (else vanishes) at ``at`` (microseconds)."""

    column: str
    level: str
    appears: bool
    at: float
    share: float


def turns(line: Timeline) -> list[Turn]:
    """Levels that are steadily there on one side of a moment and never on the other, found on a sample and counted on all rows."""
    rows = sample(line.table)
    rows = rows[line.there[rows]]
    if len(rows) < ROWS or line.months:
        return []
    at = line.at[rows]
    edges = np.quantile(at, np.linspace(0, 1, PARTS + 1))
    if len(np.unique(edges)) <= PARTS:
        return []
    part = np.clip(np.searchsorted(edges, at, side="right") - 1, 0, PARTS - 1)
    sizes = np.bincount(part, minlength=PARTS)
    out: list[Turn] = []
    for c in profile(line.table).columns:
        if c.name in (*line.columns, *line.series_columns) or not 3 <= c.distinct <= LEVELS:
            continue
        if not columns.is_text(line.table, c.name):
            continue
        codes, n = columns.codes(line.table, c.name)
        some = codes[rows]
        here = np.bincount(part[some >= 0] * n + some[some >= 0], minlength=PARTS * n).reshape(PARTS, n)
        found = [t for k in range(n) if (t := _turn(line, c.name, codes, k, here[:, k], sizes, edges)) is not None]
        if len(found) <= max(1, MOST * n):
            out += sorted(found, key=lambda t: (t.at, t.level))
    return out


def _turn(
    line: Timeline, name: str, codes: np.ndarray, k: int, here: np.ndarray, sizes: np.ndarray, edges: np.ndarray
) -> Turn | None:
    present = np.flatnonzero(here)
    if len(present) == 0 or here.sum() < SHARE * sizes.sum():
        return None
    first, last = int(present[0]), int(present[-1])
    appears = first > len(here) - 1 - last
    silent = np.arange(len(here)) < first if appears else np.arange(len(here)) > last
    living = ~silent
    if min(silent.sum(), living.sum()) < SIDE * len(here) or (here[living] > 0).mean() < STEADY:
        return None
    if sizes[silent].sum() * here[living].sum() / sizes[living].sum() < EXPECTED:
        return None
    edge = edges[first] if appears else edges[last + 1]
    mine = line.there & (codes == k)
    beyond = mine & (line.at < edge if appears else line.at > edge)
    if beyond.sum() > 0.001 * mine.sum():
        return None
    word = str(line.table.data.column(name)[int(np.flatnonzero(mine)[0])].as_py())
    return Turn(name, word, appears, float(edge), float(mine.sum() / line.there.sum()))
